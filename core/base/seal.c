#include "base/seal.h"

#include <limits.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include "base/error.h"

enum { NONCE = 12, TAG = 16 };

/* As long as its thread, with what OpenSSL looks up by name, which takes longer than a short text. */
static _Thread_local EVP_CIPHER_CTX *kept;

/* A cipher that has had what stands beside; NULL: OpenSSL refuses. */
static EVP_CIPHER_CTX *begin(const unsigned char *key, const char *nonce, struct fw_str beside, bool sealing)
{
	int n;
	if (!kept && (!(kept = EVP_CIPHER_CTX_new()) || EVP_CipherInit_ex(kept, EVP_aes_256_gcm(), NULL, NULL, NULL, sealing) != 1)) {
		EVP_CIPHER_CTX_free(kept);
		kept = NULL;
	}
	bool begun = kept && EVP_CipherInit_ex(kept, NULL, NULL, key, (const unsigned char *)nonce, sealing) == 1 &&
		(beside.n == 0 || EVP_CipherUpdate(kept, NULL, &n, (const unsigned char *)beside.p, (int)beside.n) == 1);
	return begun ? kept : NULL;
}

/* For a thread that ends. */
void fw_seal_forget(void)
{
	EVP_CIPHER_CTX_free(kept);
	kept = NULL;
}

/* All of it, to a place for as many bytes. */
static bool pass(EVP_CIPHER_CTX *c, struct fw_str from, char *to)
{
	int n = 0, last = 0;
	if (from.n && EVP_CipherUpdate(c, (unsigned char *)to, &n, (const unsigned char *)from.p, (int)from.n) != 1)
		return false;
	return EVP_CipherFinal_ex(c, (unsigned char *)to + n, &last) == 1;
}

int fw_seal(const unsigned char key[FW_SEAL_KEY], struct fw_str beside, struct fw_str plain, struct fw_buf *out)
{
	_Static_assert((int)FW_SEAL_MORE == NONCE + TAG, "as the header says");
	if (plain.n > INT_MAX || beside.n > INT_MAX)
		return FW_EIO;
	char *at = fw_buf_reserve(out, FW_SEAL_MORE + plain.n);
	if (!at)
		return FW_ENOMEM;
	if (getrandom(at, NONCE, 0) != NONCE)
		return FW_EIO;
	EVP_CIPHER_CTX *c = begin(key, at, beside, true);
	bool sealed = c && pass(c, plain, at + FW_SEAL_MORE) && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, at + NONCE) == 1;
	out->n += sealed ? FW_SEAL_MORE + plain.n : 0;
	return sealed ? 0 : FW_EIO;
}

int fw_unseal(const unsigned char key[FW_SEAL_KEY], struct fw_str beside, struct fw_str sealed, struct fw_arena *a, struct fw_str *ret)
{
	if (sealed.n < FW_SEAL_MORE || sealed.n > INT_MAX || beside.n > INT_MAX)
		return FW_EINVAL;
	const struct fw_str inner = { sealed.p + FW_SEAL_MORE, sealed.n - FW_SEAL_MORE };
	char *plain = fw_arena_alloc(a, inner.n + 1);
	if (!plain)
		return FW_ENOMEM;
	EVP_CIPHER_CTX *c = begin(key, sealed.p, beside, false);
	if (!c)
		return FW_EIO;
	bool opened = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, (void *)(uintptr_t)(sealed.p + NONCE)) == 1 &&
		pass(c, inner, plain);
	if (opened)
		*ret = (struct fw_str){ plain, inner.n };
	return opened ? 0 : FW_EINVAL;
}
