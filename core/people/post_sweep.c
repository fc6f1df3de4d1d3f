#include <stdlib.h>

#include "people/post.h"

enum { ENTRIES_AT_ONCE = 64 };

struct sweeping {
	struct fw_people *people;
	uint32_t bucket, end;
	struct fw_arena arena;
	unsigned left; /* deliveries on their way, and itself */
	int rc;
	fw_people_done done;
	void *ctx;
};

static void look(struct sweeping *s);

static void leave(struct sweeping *s, int rc)
{
	if (rc < 0)
		s->rc = rc;
	if (--s->left)
		return;
	if (++s->bucket < s->end) { /* what one bucket cannot deliver now keeps no other from it */
		look(s);
		return;
	}
	fw_people_done done = s->done;
	void *ctx = s->ctx;
	rc = s->rc;
	fw_arena_finish(&s->arena);
	free(s);
	done(ctx, rc);
}

static void on_delivered(void *ctx, int rc)
{
	leave(ctx, rc);
}

/* Entries come by receiver: each is delivered once, all of them. */
static void on_entries(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct sweeping *s = ctx;
	uint64_t before = UINT64_MAX;
	(void)more; /* those of further receivers are found the next time */
	for (size_t i = 0; rc == 0 && i < n; i++) {
		uint64_t receiver = rows[i].key.n == FW_KEY_ENTRY ? fw_key_read(rows[i].key.p + 1, 2) : before;
		if (receiver == before || receiver >= FW_STORE_BUCKETS)
			continue;
		before = receiver;
		s->left++;
		fw_post_deliver(s->people, s->bucket, (uint32_t)receiver, on_delivered, s);
	}
	leave(s, rc);
}

static void look(struct sweeping *s)
{
	s->left = 1;
	fw_arena_reset(&s->arena);
	fw_store_scan(s->people->store, s->bucket, FW_STR("O"), (struct fw_str){ NULL, 0 }, ENTRIES_AT_ONCE, &s->arena, on_entries, s);
}

static void on_ready(void *ctx, int rc)
{
	struct sweeping *s = ctx;
	if (rc == 0) {
		look(s);
		return;
	}
	s->left = 1;
	leave(s, rc);
}

void fw_post_sweep(struct fw_people *p, uint32_t first, uint32_t n, fw_people_done done, void *ctx)
{
	struct sweeping *s = n ? calloc(1, sizeof *s) : NULL;
	if (!s) {
		done(ctx, n ? FW_ENOMEM : 0);
		return;
	}
	*s = (struct sweeping){ .people = p, .bucket = first, .end = first + n, .done = done, .ctx = ctx };
	fw_arena_init(&s->arena, NULL, 0, 0);
	fw_people_ready(p, on_ready, s);
}
