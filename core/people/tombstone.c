#include "people/tombstone.h"

void fw_tombstone_key(const struct fw_secret *s, const struct fw_person_id *row, struct fw_key *ret)
{
	unsigned char hash[FW_KEYED_HASH];
	struct fw_key key;
	fw_key_person(row, &key);
	fw_secret_hash(s, row, hash);
	fw_key_tombstone(&key, hash, ret);
}

int fw_tombstone_write(const struct fw_secret *s, const struct fw_person_id *row, int64_t at_us, struct fw_arena *a, struct fw_change *ret)
{
	struct fw_key *key = FW_NEW(a, struct fw_key);
	char *at = fw_arena_alloc(a, 8);
	if (!key || !at)
		return FW_ENOMEM;
	fw_tombstone_key(s, row, key);
	fw_key_number(at, (uint64_t)at_us, 8);
	*ret = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(key), { at, 8 }, FW_VERSION_ANY };
	return 0;
}

int64_t fw_tombstone_us(const struct fw_row *row)
{
#ifdef FW_BREAK_TOMBSTONE
	return 0;
#endif
	return row->value.p && row->value.n == 8 ? (int64_t)fw_key_read(row->value.p, 8) : 0;
}
