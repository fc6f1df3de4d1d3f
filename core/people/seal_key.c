#include "people/seal_key.h"

#include <string.h>
#include <sys/random.h>

#include "people/flight.h"
#include "people/tombstone.h"

enum { TIME = 8, VALUE = FW_SEAL_KEY + TIME, TRIES_MOST = 8 };
#define QUIET_US (INT64_C(1000000) * FW_LIMIT_SEAL_QUIET_S)

/* On its way; lies in the arena of whoever asked. */
struct asking {
	struct fw_people *people;
	struct fw_person_id row;
	int64_t at_us;
	struct fw_arena *arena;
	struct fw_key key, tombstone;
	uint64_t tombstone_version;
	struct fw_seal_key found;
	bool makes;         /* there was none */
	unsigned tries;
	char value[VALUE];  /* of the row being made */
	fw_seal_key_found done;
	void *ctx;
};

static void end(const struct asking *x, int rc)
{
	x->done(x->ctx, rc, &x->found);
}

static void look(struct asking *x);

static void on_made(void *ctx, int rc, uint64_t version)
{
	struct asking *x = ctx;
	(void)version;
	if (rc == FW_ECONFLICT && ++x->tries < TRIES_MOST)
		look(x); /* somebody else made it, or somebody was erased */
	else
		end(x, rc);
}

static void make(struct asking *x)
{
	if (getrandom(x->found.bytes, FW_SEAL_KEY, 0) != FW_SEAL_KEY) {
		end(x, FW_EIO);
		return;
	}
	memcpy(x->value, x->found.bytes, FW_SEAL_KEY);
	fw_key_number(x->value + FW_SEAL_KEY, (uint64_t)x->at_us, TIME);
	const struct fw_change changes[] = { { FW_CHANGE_PUT, fw_key_str(&x->key), { x->value, VALUE }, FW_VERSION_NONE },
		{ FW_CHANGE_EXPECT, fw_key_str(&x->tombstone), { NULL, 0 }, x->tombstone_version } };
	int rc = fw_store_commit(x->people->store, &(struct fw_batch){ x->key.bucket, changes, 2 }, on_made, x);
	if (rc < 0)
		end(x, rc);
}

static void on_tombstone(void *ctx, int rc, const struct fw_row *row)
{
	struct asking *x = ctx;
	struct fw_tombstone t = { .erased_us = 0 };
	if (rc == 0)
		t = fw_tombstone_read(row);
#ifdef FW_BREAK_SEAL
	t.erased_us = 0;
#endif
	x->tombstone_version = row->version;
	if (rc == 0 && t.erased_us && t.erased_us > x->at_us - QUIET_US)
		rc = FW_ENOENT;
	if (rc < 0 || !x->makes)
		end(x, rc);
	else
		make(x);
}

/* A key that is older than what was read is the person's as read: an erasure would have taken it. */
static void on_key(void *ctx, int rc, const struct fw_row *row)
{
	struct asking *x = ctx;
	bool there = rc == 0 && row->value.p;
	if (rc == 0 && there && row->value.n != VALUE)
		rc = FW_EIO;
	if (rc < 0) {
		end(x, rc);
		return;
	}
	x->makes = !there;
	if (there) {
		memcpy(x->found.bytes, row->value.p, FW_SEAL_KEY);
		if ((int64_t)fw_key_read(row->value.p + FW_SEAL_KEY, TIME) < x->at_us - QUIET_US) {
			end(x, 0);
			return;
		}
	}
	fw_store_get(x->people->store, x->tombstone.bucket, fw_key_str(&x->tombstone), x->arena, on_tombstone, x);
}

static void look(struct asking *x)
{
	fw_store_get(x->people->store, x->key.bucket, fw_key_str(&x->key), x->arena, on_key, x);
}

static struct asking *begin(struct fw_people *p, struct fw_arena *arena, fw_seal_key_found done, void *ctx)
{
	static const struct fw_seal_key none;
	struct asking *x = FW_NEW(arena, struct asking);
	if (!x || !p->secret.known) {
		done(ctx, x ? FW_EAWAY : FW_ENOMEM, &none);
		return NULL;
	}
	x->people = p;
	x->arena = arena;
	x->done = done;
	x->ctx = ctx;
	return x;
}

void fw_seal_key_take(struct fw_people *p, const struct fw_person_id *row, int64_t at_us, struct fw_arena *arena, fw_seal_key_found done,
	void *ctx)
{
	struct asking *x = begin(p, arena, done, ctx);
	struct fw_key person;
	if (!x)
		return;
	fw_key_person(row, &person);
	x->at_us = at_us;
	x->found.hash = fw_key_read(person.bytes + 1, 8);
	x->found.period = (uint32_t)(at_us / 1000000 / FW_LIMIT_SEAL_KEY_S);
	fw_key_seal(x->found.hash, x->found.period, &x->key);
	fw_tombstone_key(&p->secret, row, &x->tombstone);
	look(x);
}

static void on_found(void *ctx, int rc, const struct fw_row *row)
{
	struct asking *x = ctx;
	if (rc == 0 && !row->value.p)
		rc = FW_ENOENT;
	if (rc == 0 && row->value.n != VALUE)
		rc = FW_EIO;
	if (rc == 0)
		memcpy(x->found.bytes, row->value.p, FW_SEAL_KEY);
	end(x, rc);
}

void fw_seal_key_find(struct fw_people *p, uint64_t hash, uint32_t period, struct fw_arena *arena, fw_seal_key_found done, void *ctx)
{
	struct asking *x = begin(p, arena, done, ctx);
	if (!x)
		return;
	x->found.hash = hash;
	x->found.period = period;
	fw_key_seal(hash, period, &x->key);
	fw_store_get(p->store, x->key.bucket, fw_key_str(&x->key), arena, on_found, x);
}

bool fw_seal_key_is_over(struct fw_str key, int64_t keep_s, int64_t now_us)
{
	if (key.n != FW_KEY_SEAL)
		return false;
	int64_t period = (int64_t)fw_key_read(key.p + FW_KEY_PERSON + 1, 4);
	/* Files are kept up to a day longer, and clocks of nodes differ. */
	return now_us / 1000000 > (period + 1) * FW_LIMIT_SEAL_KEY_S + keep_s + 2 * FW_LIMIT_LOG_FILE_S;
}
