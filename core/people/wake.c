#include "people/wake.h"

#include <string.h>

enum { US_PER_MS = 1000 };

static void make_key(uint32_t bucket, struct fw_wake wake, uint64_t hash, struct fw_key *ret)
{
	ret->bucket = bucket;
	ret->bytes[0] = wake.dead ? 'm' : 'M';
	fw_key_number(ret->bytes + 1, (uint64_t)(wake.at_us / US_PER_MS), 8);
	fw_key_number(ret->bytes + 9, hash, 8);
	ret->bytes[17] = (char)wake.channel;
	ret->n = FW_KEY_WAKE;
}

bool fw_wake_read(struct fw_str key, struct fw_wake *ret, uint64_t *ret_hash)
{
	if (key.n != FW_KEY_WAKE || (key.p[0] != 'M' && key.p[0] != 'm'))
		return false;
	*ret = (struct fw_wake){ (int64_t)fw_key_read(key.p + 1, 8) * US_PER_MS, key.p[0] == 'm', (unsigned char)key.p[17] };
	*ret_hash = fw_key_read(key.p + 9, 8);
	return true;
}

static bool is_same(struct fw_wake a, struct fw_wake b)
{
	return a.at_us == b.at_us && a.dead == b.dead && a.channel == b.channel;
}

/* Of the record as it is (fw_record_wake), or as it was read (fw_record_was_due). */
typedef bool (*wake_at)(const struct fw_record *r, unsigned i, struct fw_wake *ret);

static bool has(wake_at at, const struct fw_record *r, struct fw_wake wake)
{
	struct fw_wake own;
	for (unsigned i = 0; at(r, i, &own); i++)
		if (is_same(own, wake))
			return true;
	return false;
}

static int add(const struct fw_key *row, struct fw_wake wake, enum fw_change_kind kind, struct fw_arena *a, struct fw_change *change)
{
	struct fw_key *key = FW_NEW(a, struct fw_key);
	if (!key)
		return FW_ENOMEM;
	make_key(row->bucket, wake, fw_key_read(row->bytes + 1, 8), key);
	*change = (struct fw_change){ kind, fw_key_str(key), kind == FW_CHANGE_PUT ? FW_STR("") : (struct fw_str){ NULL, 0 },
		FW_VERSION_ANY };
	return 0;
}

int fw_wake_write(const struct fw_key *row, const struct fw_record *r, bool anew, struct fw_arena *a, struct fw_change *changes)
{
	struct fw_wake wake;
	int n = 0;
	for (unsigned i = 0; !anew && fw_record_was_due(r, i, &wake); i++)
		if (!has(fw_record_wake, r, wake) && add(row, wake, FW_CHANGE_DELETE, a, &changes[n++]) < 0)
			return FW_ENOMEM;
	for (unsigned i = 0; fw_record_wake(r, i, &wake); i++)
		if ((anew || !has(fw_record_was_due, r, wake)) && add(row, wake, FW_CHANGE_PUT, a, &changes[n++]) < 0)
			return FW_ENOMEM;
	return n;
}

int fw_wake_leave(const struct fw_key *row, struct fw_str record, struct fw_arena *a, struct fw_change *changes)
{
	struct fw_record *r;
	struct fw_wake wake;
	int n = 0, rc = fw_record_read(a, record, &r, NULL);
	for (unsigned i = 0; rc == 0 && fw_record_was_due(r, i, &wake); i++)
		rc = add(row, wake, FW_CHANGE_DELETE, a, &changes[n++]);
	return rc < 0 ? rc : n;
}
