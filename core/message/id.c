#include "message/id.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/mac.h"
#include "people/key.h"

enum { BLOCK = 16 };

/* A context that lacks nothing but its key, as long as its thread: finding the cipher takes longer than what it does. */
static EVP_CIPHER_CTX *keyless(bool encrypt)
{
	static _Thread_local EVP_CIPHER_CTX *kept[2];
	EVP_CIPHER_CTX **c = &kept[encrypt];
	if (*c || !(*c = EVP_CIPHER_CTX_new()))
		return *c;
	if (EVP_CipherInit_ex(*c, EVP_aes_128_ecb(), NULL, NULL, NULL, encrypt) != 1) {
		EVP_CIPHER_CTX_free(*c);
		*c = NULL;
	}
	return *c;
}

static int crypt_block(const struct fw_secret *s, bool encrypt, const unsigned char in[BLOCK], unsigned char out[BLOCK])
{
	static const unsigned char purpose[] = "message id";
	unsigned char mac[FW_MAC];
	int length = 0;
	EVP_CIPHER_CTX *c = keyless(encrypt);
	bool keyed = c && fw_mac(s->bytes, FW_SECRET_BYTES, purpose, sizeof purpose - 1, mac) == 0;
	bool made = keyed && EVP_CipherInit_ex(c, NULL, NULL, mac, NULL, encrypt) == 1 && EVP_CIPHER_CTX_set_padding(c, 0) == 1 &&
		EVP_CipherUpdate(c, out, &length, in, BLOCK) == 1 && length == BLOCK;
	return made ? 0 : FW_ENOMEM;
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
