#include "message/id.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/mac.h"
#include "people/key.h"

enum { BLOCK = 16 };

static int crypt_block(const struct fw_secret *s, bool encrypt, const unsigned char in[BLOCK], unsigned char out[BLOCK])
{
	static const unsigned char purpose[] = "message id";
	unsigned char mac[FW_MAC];
	int length = 0, ret = FW_ENOMEM;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	bool keyed = fw_mac(s->bytes, FW_SECRET_BYTES, purpose, sizeof purpose - 1, mac) == 0;
	if (c && keyed && EVP_CipherInit_ex(c, EVP_aes_128_ecb(), NULL, mac, NULL, encrypt) == 1 && EVP_CIPHER_CTX_set_padding(c, 0) == 1 &&
			EVP_CipherUpdate(c, out, &length, in, BLOCK) == 1 && length == BLOCK)
		ret = 0;
	EVP_CIPHER_CTX_free(c);
	return ret;
}

int fw_message_id_write(const struct fw_secret *s, struct fw_message_id id, char text[FW_MESSAGE_ID + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char in[BLOCK], out[BLOCK];
	fw_key_number((char *)in, id.person, 8);
	fw_key_number((char *)in + 8, id.number, 8);
	if (crypt_block(s, true, in, out) < 0)
		return FW_ENOMEM;
	for (unsigned i = 0; i < BLOCK; i++) {
		text[2 * i] = digits[out[i] >> 4];
		text[2 * i + 1] = digits[out[i] & 15];
	}
	text[FW_MESSAGE_ID] = '\0';
	return 0;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int fw_message_id_read(const struct fw_secret *s, struct fw_str text, struct fw_message_id *ret)
{
	unsigned char in[BLOCK], out[BLOCK];
	if (text.n != FW_MESSAGE_ID)
		return FW_EINVAL;
	for (unsigned i = 0; i < BLOCK; i++) {
		int high = digit(text.p[2 * i]), low = digit(text.p[2 * i + 1]);
		if (high < 0 || low < 0)
			return FW_EINVAL;
		in[i] = (unsigned char)(high << 4 | low);
	}
	if (crypt_block(s, false, in, out) < 0)
		return FW_ENOMEM;
	*ret = (struct fw_message_id){ fw_key_read((char *)out, 8), fw_key_read((char *)out + 8, 8) };
	return 0;
}
