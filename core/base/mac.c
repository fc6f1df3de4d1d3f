#include "base/mac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"

/* As long as its thread: its contents are wiped by the next key only, and that is no more than whoever asks keeps of it. */
static _Thread_local EVP_MAC_CTX *kept;

static EVP_MAC_CTX *create(void)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end() };
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	EVP_MAC_free(hmac); /* the context holds on to it */
	if (ctx && EVP_MAC_CTX_set_params(ctx, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

int fw_mac(const void *key, size_t n_key, const void *text, size_t n, unsigned char ret[FW_MAC])
{
	static const unsigned char none[1];
	size_t length = 0;
	if (!kept)
		kept = create();
	/* Without a key OpenSSL goes on with the one before, so an empty one has to be somewhere. */
	bool made = kept && EVP_MAC_init(kept, n_key ? key : none, n_key, NULL) == 1 && EVP_MAC_update(kept, text, n) == 1 &&
		EVP_MAC_final(kept, ret, &length, FW_MAC) == 1 && length == FW_MAC;
	if (!made)
		memset(ret, 0, FW_MAC);
	return made ? 0 : FW_ENOMEM;
}
