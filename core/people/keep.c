#include "people/keep.h"

#include <openssl/evp.h>

#include "base/hash.h"

enum { TIME = 8, TAG = 16, HEAD = TIME + TAG, NONCE = 12 };

uint64_t fw_keep_merge(const struct fw_person_id *absorbed, uint64_t number)
{
	struct fw_key key;
	char bytes[16];
	fw_key_person(absorbed, &key);
	fw_key_number(bytes, fw_key_read(key.bytes + 1, 8), 8);
	fw_key_number(bytes + 8, number, 8);
	return fw_hash(bytes, sizeof bytes);
}

bool fw_keep_find(const struct fw_record *r, const struct fw_person_id *absorbed, uint64_t number, struct fw_merge *ret)
{
	for (unsigned i = 0; fw_record_merge_at(r, i, ret); i++)
		if (ret->kind == (enum fw_id_kind)absorbed->kind && ret->number == number && fw_str_equal(ret->id, absorbed->id))
			return true;
	return false;
}

/* A key seals two records at most, told apart by their side: so the side is the nonce. */
static EVP_CIPHER_CTX *begin(enum fw_side side, const unsigned char seal[FW_SEAL_BYTES], bool sealing)
{
	unsigned char nonce[NONCE] = { (unsigned char)side };
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	if (c && EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, seal, nonce, sealing) == 1)
		return c;
	EVP_CIPHER_CTX_free(c);
	return NULL;
}

int fw_keep_write(struct fw_arena *a, const struct fw_key *owner, uint64_t merge, enum fw_side side,
	const unsigned char seal[FW_SEAL_BYTES], int64_t at_us, struct fw_str record, struct fw_change *ret)
{
	struct fw_key *key = FW_NEW(a, struct fw_key);
	char *out = fw_arena_alloc(a, HEAD + record.n);
	EVP_CIPHER_CTX *c = key && out ? begin(side, seal, true) : NULL;
	int n = 0, last = 0;
	if (!c)
		return key && out ? FW_EIO : FW_ENOMEM;
	fw_key_number(out, (uint64_t)at_us, TIME);
	bool done = EVP_EncryptUpdate(c, (unsigned char *)out + HEAD, &n, (const unsigned char *)record.p, (int)record.n) == 1 &&
		EVP_EncryptFinal_ex(c, (unsigned char *)out + HEAD + n, &last) == 1 &&
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, out + TIME) == 1;
	EVP_CIPHER_CTX_free(c);
	fw_key_kept(owner, merge, (char)side, key);
	*ret = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(key), { out, HEAD + record.n }, FW_VERSION_ANY };
	return done ? 0 : FW_EIO;
}

int fw_keep_read(struct fw_arena *a, enum fw_side side, const unsigned char seal[FW_SEAL_BYTES], struct fw_str value,
	struct fw_str *ret_record)
{
	int n = 0, last = 0;
	if (value.n < HEAD)
		return FW_EINVAL;
	char *out = fw_arena_alloc(a, value.n - HEAD + 1);
	EVP_CIPHER_CTX *c = out ? begin(side, seal, false) : NULL;
	if (!c)
		return out ? FW_EIO : FW_ENOMEM;
	bool opened = EVP_DecryptUpdate(c, (unsigned char *)out, &n, (const unsigned char *)value.p + HEAD, (int)(value.n - HEAD)) == 1 &&
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, (void *)(uintptr_t)(value.p + TIME)) == 1 &&
		EVP_DecryptFinal_ex(c, (unsigned char *)out + n, &last) == 1;
	EVP_CIPHER_CTX_free(c);
	*ret_record = (struct fw_str){ out, value.n - HEAD };
	return opened ? 0 : FW_EINVAL;
}

int64_t fw_keep_at_us(struct fw_str value)
{
	return value.n >= HEAD ? (int64_t)fw_key_read(value.p, TIME) : 0;
}
