#include "people/late.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "people/erase_own.h"
#include "people/row.h"

enum { LATE = 4 }; /* an erasure's own states are below it */

int fw_late_write(const struct fw_late *l, const struct fw_key *key, struct fw_arena *a, struct fw_change *ret)
{
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_buf_putc(&b, LATE);
	fw_person_id_pack(&l->person, &b);
	fw_person_id_pack(&l->because, &b);
	fw_pack_signed(&b, l->tombstone.erased_us);
	if (l->tombstone.has_user)
		fw_buf_add(&b, (const char *)l->tombstone.user, FW_KEYED_HASH);
	*ret = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(key), { NULL, 0 }, FW_VERSION_ANY };
	return fw_buf_keep(&b, a, &ret->value);
}

bool fw_late_is(struct fw_str value)
{
	return value.n && value.p[0] == LATE;
}

int fw_late_read(struct fw_arena *a, struct fw_str value, struct fw_late *ret)
{
	struct fw_unpack u;
	fw_unpack_init(&u, value);
	*ret = (struct fw_late){ .tombstone = { .erased_us = 0 } };
	if (fw_unpack_byte(&u) != LATE || !fw_person_id_unpack(&u, a, &ret->person) || !fw_person_id_unpack(&u, a, &ret->because))
		return FW_EINVAL;
	ret->tombstone.erased_us = fw_unpack_signed(&u);
	const size_t left = (size_t)(u.end - u.p);
	if (u.failed || !ret->person.id.n || (left && left != FW_KEYED_HASH))
		return FW_EINVAL;
	ret->tombstone.has_user = left;
	memcpy(ret->tombstone.user, u.p, left);
	return 0;
}

bool fw_late_is_one(const struct fw_late *l, const struct fw_secret *s, const struct fw_record *record)
{
	struct fw_id id;
	if (fw_tombstone_is_another(&l->tombstone, s, fw_record_user(record)))
		return false;
	return !l->because.id.n || (fw_secret_find(s, record, &l->because, &id) && !id.shared);
}

struct going_on {
	struct fw_people *people;
	struct fw_key key;
	struct fw_arena arena;
	struct fw_late late;
	struct fw_receipt receipt;
	struct fw_change change;
	struct fw_commit commit;
	fw_people_erased done;
	void *ctx;
};

static void end(struct going_on *g, int rc)
{
	fw_people_erased done = g->done;
	void *ctx = g->ctx;
	const struct fw_receipt receipt = g->receipt;
	fw_arena_finish(&g->arena);
	free(g);
	done(ctx, rc, &receipt);
}

static void on_taken_away(void *ctx, int rc, uint64_t version)
{
	(void)version;
	end(ctx, rc);
}

static void on_erased(void *ctx, int rc, const struct fw_receipt *receipt)
{
	struct going_on *g = ctx;
	if (rc == 0) {
		g->receipt = *receipt;
		fw_log(FW_LOG_INFO, "who was becoming one with a person who was erased is erased, too", "receipt", receipt->id, NULL);
	} else if (rc != FW_ENOENT) {
		end(g, rc); /* the sweep asks again */
		return;
	}
	g->change = (struct fw_change){ FW_CHANGE_DELETE, fw_key_str(&g->key), { NULL, 0 }, FW_VERSION_ANY };
	rc = fw_commit(&g->commit, g->people, &(struct fw_batch){ g->key.bucket, &g->change, 1 }, on_taken_away, g);
	if (rc < 0)
		end(g, rc);
}

void fw_late_go_on(struct fw_people *p, const struct fw_key *key, struct fw_str value, fw_people_erased done, void *ctx)
{
	static const struct fw_receipt none;
	struct going_on *g = calloc(1, sizeof *g);
	if (!g) {
		done(ctx, FW_ENOMEM, &none);
		return;
	}
	*g = (struct going_on){ .people = p, .key = *key, .done = done, .ctx = ctx };
	fw_arena_init(&g->arena, NULL, 0, 0);
	const char *copy = fw_arena_strndup(&g->arena, value.p, value.n);
	int rc = copy ? fw_late_read(&g->arena, (struct fw_str){ copy, value.n }, &g->late) : FW_ENOMEM;
	if (rc < 0)
		end(g, rc == FW_EINVAL ? FW_EIO : rc);
	else
		fw_erase_late(p, &g->late, g->late.tombstone.erased_us, on_erased, g);
}
