/* Erasures by their receipts, and those that nobody ended. */
#include <stdlib.h>

#include "people/erase_own.h"
#include "people/tour.h"

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
		if (fw_late_is(rows[i].value))
			fw_late_go_on(t->people, &key, rows[i].value, on_gone_on, t);
		else
			fw_erasure_go_on(t->people, &key, t->now_us, on_gone_on, t);
	}
}

void fw_people_erase_sweep(struct fw_people *p, uint32_t first, uint32_t n, int64_t now_us, fw_people_done done, void *ctx)
{
	const struct fw_tour tour = { .people = p, .prefix = FW_STR("e"), .most = ERASURES_AT_ONCE, .now_us = now_us, .each = go_on };
	fw_tour(&tour, first, n, done, ctx);
}
