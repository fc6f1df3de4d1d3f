/* Erasures by their receipts, those that nobody ended, and restriction. */
#include <stdlib.h>

#include "people/erase_own.h"
#include "people/tour.h"
#include "people/who.h"

enum { ERASURES_AT_ONCE = 16 };

struct asking {
	struct fw_people *people;
	struct fw_key key;
	struct fw_arena arena;
	fw_people_erased done;
	void *ctx;
};

static void end_asking(struct asking *a, int rc, const struct fw_receipt *receipt)
{
	static const struct fw_receipt none;
	fw_people_erased done = a->done;
	void *ctx = a->ctx;
	const struct fw_receipt copy = receipt ? *receipt : none;
	fw_arena_finish(&a->arena);
	free(a);
	done(ctx, rc, &copy);
}

static void on_receipt(void *ctx, int rc, const struct fw_row *row)
{
	struct asking *a = ctx;
	struct fw_erasure job;
	if (rc == 0 && !row->value.p && a->key.bytes[0] == 'e') { /* it may be complete */
		a->key.bytes[0] = 'E';
		fw_store_get(a->people->store, a->key.bucket, fw_key_str(&a->key), &a->arena, on_receipt, a);
		return;
	}
	if (rc == 0)
		rc = row->value.p ? fw_erasure_read(&a->arena, &a->key, row->value, &job) : FW_ENOENT;
	end_asking(a, rc == FW_EINVAL ? FW_EIO : rc, rc == 0 ? &job.receipt : NULL);
}

void fw_people_receipt(struct fw_people *p, const char *id, fw_people_erased done, void *ctx)
{
	static const struct fw_receipt none;
	struct fw_key key;
	struct asking *a = fw_erasure_find(id, &key) < 0 ? NULL : calloc(1, sizeof *a);
	if (!a) {
		done(ctx, FW_ENOENT, &none);
		return;
	}
	*a = (struct asking){ .people = p, .key = key, .done = done, .ctx = ctx };
	fw_arena_init(&a->arena, NULL, 0, 0);
	fw_store_get(p->store, key.bucket, fw_key_str(&key), &a->arena, on_receipt, a);
}

static void on_gone_on(void *ctx, int rc, const struct fw_receipt *receipt)
{
	(void)receipt;
	fw_tour_arrived(ctx, rc);
}

static void go_on(struct fw_tour *t, const struct fw_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct fw_key key = { .bucket = t->bucket, .n = (unsigned)rows[i].key.n };
		memcpy(key.bytes, rows[i].key.p, key.n < sizeof key.bytes ? key.n : sizeof key.bytes);
		t->left++;
		fw_erasure_go_on(t->people, &key, t->now_us, on_gone_on, t);
	}
}

void fw_people_erase_sweep(struct fw_people *p, uint32_t first, uint32_t n, int64_t now_us, fw_people_done done, void *ctx)
{
	const struct fw_tour tour = { .people = p, .prefix = FW_STR("e"), .most = ERASURES_AT_ONCE, .now_us = now_us, .each = go_on };
	fw_tour(&tour, first, n, done, ctx);
}

struct restricting {
	struct fw_arena arena;
	struct fw_who who;
	bool restricted;
	fw_people_done done;
	void *ctx;
};

static void end_restricting(struct restricting *r, int rc)
{
	fw_people_done done = r->done;
	void *ctx = r->ctx;
	fw_arena_finish(&r->arena);
	free(r);
	done(ctx, rc);
}

static void on_restricted(void *ctx, int rc, uint64_t version)
{
	struct restricting *r = ctx;
	(void)version;
	if (rc == FW_ECONFLICT)
		fw_who_again(&r->who);
	else
		end_restricting(r, rc);
}

static void on_found(void *ctx, int rc)
{
	struct restricting *r = ctx;
	struct fw_buf b;
	if (rc < 0) {
		end_restricting(r, rc);
		return;
	}
	fw_record_restrict(r->who.record, r->restricted);
	fw_buf_init(&b, 0);
	fw_record_write(r->who.record, &b);
	const struct fw_follow *f = &r->who.follow;
	const struct fw_change change = { FW_CHANGE_PUT, fw_key_str(&f->key), { b.data, b.n }, f->row.version };
	rc = b.failed ? FW_ENOMEM : fw_store_commit(r->who.people->store, &(struct fw_batch){ f->key.bucket, &change, 1 }, on_restricted, r);
	fw_buf_finish(&b);
	if (rc < 0)
		end_restricting(r, rc);
}

void fw_people_restrict(struct fw_people *p, const struct fw_person_id *id, bool restricted, fw_people_done done, void *ctx)
{
	struct restricting *r = calloc(1, sizeof *r);
	if (!r) {
		done(ctx, FW_ENOMEM);
		return;
	}
	r->restricted = restricted;
	r->done = done;
	r->ctx = ctx;
	fw_arena_init(&r->arena, NULL, 0, 0);
	fw_who_find(&r->who, p, id, &r->arena, on_found, r);
}
