#include "server/signed.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

bool fw_signed_verify(struct fw_str key, struct fw_str id, struct fw_str hash)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char mac[EVP_MAX_MD_SIZE];
	char text[64];
	unsigned n = 0;
	if (!key.n || hash.n != sizeof text)
		return false;
	if (!HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)id.p, id.n, mac, &n) || n != sizeof text / 2)
		return false;
	for (unsigned i = 0; i < n; i++) {
		text[2 * i] = digits[mac[i] >> 4];
		text[2 * i + 1] = digits[mac[i] & 15];
	}
	return CRYPTO_memcmp(text, hash.p, sizeof text) == 0;
}
