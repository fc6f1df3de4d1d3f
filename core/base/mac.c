#include "base/mac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

enum { KEPT = 4, KEY_MOST = 64 };

/* Contexts with their keys, as long as their thread: making one ready for a key takes as long as a short text, and a process has few keys,
 * which it keeps anyway. A key that is longer has none of its own. */
static _Thread_local struct keyed {
	EVP_MAC_CTX *ctx;
	size_t n;
	unsigned char key[KEY_MOST];
} kept[KEPT];
static _Thread_local unsigned oldest;

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

/* A context that is ready for a text; NULL: none can be made. An empty key has to be somewhere, too: without one OpenSSL goes on with the
 * one before. */
static EVP_MAC_CTX *ready(const unsigned char *key, size_t n)
{
	for (unsigned i = 0; i < KEPT; i++)
		if (kept[i].ctx && kept[i].n == n && n <= KEY_MOST && memcmp(kept[i].key, key, n) == 0)
			return EVP_MAC_init(kept[i].ctx, NULL, 0, NULL) == 1 ? kept[i].ctx : NULL;
	struct keyed *k = &kept[oldest++ % KEPT];
	k->n = SIZE_MAX;
	if ((!k->ctx && !(k->ctx = create())) || EVP_MAC_init(k->ctx, key, n, NULL) != 1)
		return NULL;
	if (n <= KEY_MOST) {
		memcpy(k->key, key, n);
		k->n = n;
	}
	return k->ctx;
}

int fw_mac(const void *key, size_t n_key, const void *text, size_t n, unsigned char ret[FW_MAC])
{
	static const unsigned char none[1];
	size_t length = 0;
	EVP_MAC_CTX *ctx = ready(n_key ? key : none, n_key);
	bool made = ctx && EVP_MAC_update(ctx, text, n) == 1 && EVP_MAC_final(ctx, ret, &length, FW_MAC) == 1 && length == FW_MAC;
	if (!made)
		memset(ret, 0, FW_MAC);
	return made ? 0 : FW_ENOMEM;
}
