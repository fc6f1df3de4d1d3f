#include "server/signed.h"

#include <openssl/crypto.h>

#include "base/mac.h"

bool fw_signed_verify(struct fw_str key, struct fw_str id, struct fw_str hash)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char mac[FW_MAC];
	char text[2 * FW_MAC];
	if (!key.n || hash.n != sizeof text)
		return false;
	if (fw_mac(key.p, key.n, id.p, id.n, mac) < 0)
		return false;
	for (unsigned i = 0; i < FW_MAC; i++) {
		text[2 * i] = digits[mac[i] >> 4];
		text[2 * i + 1] = digits[mac[i] & 15];
	}
	return CRYPTO_memcmp(text, hash.p, sizeof text) == 0;
}
