/* Leases, over get and commit: a row of the store's own with owner and end, in the bucket of the name's hash. Whoever commits it
 * over the version that was read has the lease, so no implementation has to know of them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "store/own.h"
#include "store/wire.h"

enum { VALUE = 16 }; /* owner (8), end in us (8) */

struct lease {
	struct fw_store *store;
	bool gives_back;
	fw_store_leased done; /* NULL: nobody waits */
	void *ctx;
	int64_t ms;
	struct fw_arena arena;
	uint32_t bucket;
	struct fw_str key;
	char text[FW_LIMIT_STORE_KEY_BYTES];
};

static void finish(struct lease *l, int rc)
{
	fw_store_leased done = l->done;
	void *ctx = l->ctx;
	fw_arena_finish(&l->arena);
	free(l);
	if (done)
		done(ctx, rc);
}

static void on_committed(void *ctx, int rc, uint64_t version)
{
	(void)version;
	finish(ctx, rc == FW_ECONFLICT ? FW_EBUSY : rc);
}

static void on_row(void *ctx, int rc, const struct fw_row *row)
{
	struct lease *l = ctx;
	int64_t now = fw_now_us();
	uint8_t value[VALUE];
	if (rc < 0) {
		finish(l, rc);
		return;
	}
	bool whole = row->value.n == VALUE;
	bool own = whole && fw_get_number(row->value.p, 8) == l->store->id;
	int64_t left = whole ? (int64_t)fw_get_number(row->value.p + 8, 8) - now : 0;
	bool over = left <= 0;
#ifndef FW_BREAK_CLOCK
	over |= left > 2 * l->ms * 1000; /* nobody takes one for so long: the clock was set back since */
#endif
	if (l->gives_back ? !own : !own && !over) {
		finish(l, l->gives_back ? 0 : FW_EBUSY);
		return;
	}
	fw_put_number(value, l->store->id, 8);
	fw_put_number(value + 8, (uint64_t)(now + l->ms * 1000), 8);
	struct fw_change change = {
		.kind = l->gives_back ? FW_CHANGE_DELETE : FW_CHANGE_PUT,
		.key = l->key,
		.value = l->gives_back ? (struct fw_str){ 0 } : (struct fw_str){ (const char *)value, VALUE },
		.expected = row->version,
	};
	struct fw_batch batch = { l->bucket, &change, 1 };
	if ((rc = l->store->ops->commit(l->store, &batch, on_committed, l)) < 0)
		finish(l, rc);
}

static int begin(struct fw_store *s, const char *name, bool gives_back, int64_t ms, fw_store_leased done, void *ctx)
{
	struct lease *l = malloc(sizeof *l);
	if (!l)
		return FW_ENOMEM;
	*l = (struct lease){ .store = s, .gives_back = gives_back, .done = done, .ctx = ctx, .ms = ms };
	int n = snprintf(l->text, sizeof l->text, "%clease:%s", FW_STORE_OWN_KEY, name);
	if (n < 0 || (size_t)n >= sizeof l->text) {
		free(l);
		return FW_ELIMIT;
	}
	l->key = (struct fw_str){ l->text, (size_t)n };
	l->bucket = fw_store_bucket(fw_hash(l->key.p, l->key.n));
	fw_arena_init(&l->arena, NULL, 0, 0);
	s->ops->get(s, l->bucket, l->key, false, &l->arena, on_row, l);
	return 0;
}

int fw_store_lease(struct fw_store *s, const char *name, int64_t ms, fw_store_leased done, void *ctx)
{
	return begin(s, name, false, ms, done, ctx);
}

int fw_store_release(struct fw_store *s, const char *name, fw_store_leased done, void *ctx)
{
	return begin(s, name, true, 0, done, ctx);
}
