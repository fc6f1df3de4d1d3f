#include "people/asked.h"

#include <string.h>

#include "base/hash.h"
#include "profile/record.h"

enum { US_PER_MS = 1000, VALUE_VERSION = 1 };

uint32_t fw_asked_bucket(struct fw_str product)
{
	return fw_store_bucket(fw_hash(product.p, product.n));
}

void fw_asked_key(struct fw_str product, int64_t at_us, uint64_t hash, struct fw_key *ret)
{
	ret->bucket = fw_asked_bucket(product);
	ret->bytes[0] = 'B';
	fw_key_number(ret->bytes + 1, fw_hash(product.p, product.n), 8);
	fw_key_number(ret->bytes + 9, (uint64_t)(at_us / US_PER_MS), 8);
	fw_key_number(ret->bytes + 17, hash, 8);
	ret->n = FW_KEY_ASKED;
}

int fw_asked_value(struct fw_str product, struct fw_arena *a, struct fw_str *ret)
{
	char *value = fw_arena_alloc(a, product.n + 1);
	if (!value)
		return FW_ENOMEM;
	value[0] = VALUE_VERSION;
	memcpy(value + 1, product.p, product.n);
	*ret = (struct fw_str){ value, product.n + 1 };
	return 0;
}

bool fw_asked_read(const struct fw_row *row, struct fw_asked *ret)
{
	if (row->key.n != FW_KEY_ASKED || row->key.p[0] != 'B' || row->value.n < 2 || row->value.p[0] != VALUE_VERSION)
		return false;
	*ret = (struct fw_asked){ { row->value.p + 1, row->value.n - 1 }, (int64_t)fw_key_read(row->key.p + 9, 8) * US_PER_MS,
		fw_key_read(row->key.p + 17, 8) };
	return fw_key_read(row->key.p + 1, 8) == fw_hash(ret->product.p, ret->product.n);
}

static bool has(bool (*at)(const struct fw_record *r, unsigned i, struct fw_ask *ret), const struct fw_record *r, const struct fw_ask *ask)
{
	struct fw_ask own;
	for (unsigned i = 0; at(r, i, &own); i++)
		if (own.at_us == ask->at_us && fw_str_equal(own.product, ask->product))
			return true;
	return false;
}

static struct fw_entry entry_of(enum fw_entry_kind kind, const struct fw_person_id *row, const struct fw_ask *ask)
{
	return (struct fw_entry){ .kind = kind, .target = *row, .at_us = ask->at_us, .product = ask->product };
}

unsigned fw_asked_changes(const struct fw_person_id *row, const struct fw_record *r, bool anew, struct fw_entry *entries)
{
	struct fw_ask ask;
	unsigned n = 0;
	for (unsigned i = 0; !anew && fw_record_was_asked(r, i, &ask); i++)
		if (!has(fw_record_ask, r, &ask))
			entries[n++] = entry_of(FW_ENTRY_UNASK, row, &ask);
	for (unsigned i = 0; fw_record_ask(r, i, &ask); i++)
		if (anew || !has(fw_record_was_asked, r, &ask))
			entries[n++] = entry_of(FW_ENTRY_ASK, row, &ask);
	return n;
}

int fw_asked_leave(const struct fw_person_id *row, struct fw_str record, struct fw_arena *a, struct fw_entry *entries, unsigned *ret_n)
{
	struct fw_record *r;
	struct fw_ask ask;
	unsigned n = 0;
	*ret_n = 0;
	int rc = fw_record_read(a, record, &r, NULL);
	for (unsigned i = 0; rc == 0 && fw_record_was_asked(r, i, &ask); i++)
		entries[n++] = entry_of(FW_ENTRY_UNASK, row, &ask);
	*ret_n = n;
	return rc;
}
