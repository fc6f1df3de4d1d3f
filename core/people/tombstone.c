#include "people/tombstone.h"

#include <string.h>

enum { TIME_BYTES = 8 };

void fw_tombstone_key(const struct fw_secret *s, const struct fw_person_id *row, struct fw_key *ret)
{
	unsigned char hash[FW_KEYED_HASH];
	struct fw_key key;
	fw_key_person(row, &key);
	fw_secret_hash(s, row, hash);
	fw_key_tombstone(&key, hash, ret);
}

static void hash_user(const struct fw_secret *s, struct fw_str user, unsigned char ret[FW_KEYED_HASH])
{
	fw_secret_hash(s, &(struct fw_person_id){ FW_PERSON_USER, user }, ret);
}

int fw_tombstone_write(const struct fw_secret *s, const struct fw_person_id *row, struct fw_str user, int64_t at_us, struct fw_arena *a,
	struct fw_change *ret)
{
	struct fw_key *key = FW_NEW(a, struct fw_key);
	char *value = fw_arena_alloc(a, TIME_BYTES + FW_KEYED_HASH);
	if (!key || !value)
		return FW_ENOMEM;
	fw_tombstone_key(s, row, key);
	fw_key_number(value, (uint64_t)at_us, TIME_BYTES);
	if (user.n)
		hash_user(s, user, (unsigned char *)value + TIME_BYTES);
	*ret = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(key), { value, TIME_BYTES + (user.n ? FW_KEYED_HASH : 0) }, FW_VERSION_ANY };
	return 0;
}

struct fw_tombstone fw_tombstone_read(const struct fw_row *row)
{
	struct fw_tombstone t = { .erased_us = 0 };
#ifndef FW_BREAK_TOMBSTONE
	if (!row->value.p || row->value.n < TIME_BYTES)
		return t;
	t.erased_us = (int64_t)fw_key_read(row->value.p, TIME_BYTES);
	t.has_user = row->value.n == TIME_BYTES + FW_KEYED_HASH;
	if (t.has_user)
		memcpy(t.user, row->value.p + TIME_BYTES, FW_KEYED_HASH);
#else
	(void)row;
#endif
	return t;
}

bool fw_tombstone_is_another(const struct fw_tombstone *t, const struct fw_secret *s, struct fw_str user)
{
	unsigned char hash[FW_KEYED_HASH];
	if (!t->has_user || !user.n)
		return false;
	hash_user(s, user, hash);
	return memcmp(hash, t->user, sizeof hash) != 0;
}
