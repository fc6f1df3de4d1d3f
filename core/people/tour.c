#include "people/tour.h"

#include <stdlib.h>

enum { AT_ONCE = 32 }; /* buckets: what they wait for, a commit to disk, they wait for together */

struct fw_tours {
	uint32_t next, end; /* buckets that nobody has gone to yet */
	unsigned n, under_way;
	int rc;
	fw_people_done done;
	void *ctx;
	struct fw_tour tours[];
};

static void leave(struct fw_tours *all)
{
	fw_people_done done = all->done;
	void *ctx = all->ctx;
	int rc = all->rc;
	if (--all->under_way)
		return;
	free(all);
	done(ctx, rc);
}

static void on_rows(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct fw_tour *t = ctx;
	(void)more;
	if (rc == 0)
		t->each(t, rows, n);
	fw_tour_arrived(t, rc);
}

static void look(struct fw_tour *t)
{
	struct fw_tours *all = t->all;
	if (all->next == all->end) {
		fw_arena_finish(&t->arena);
		leave(all);
		return;
	}
	t->bucket = all->next++;
	t->left = 1; /* itself */
	fw_arena_reset(&t->arena);
	fw_store_scan(t->people->store, t->bucket, t->prefix, (struct fw_str){ NULL, 0 }, t->most, &t->arena, on_rows, t);
}

void fw_tour_arrived(struct fw_tour *t, int rc)
{
	if (rc < 0)
		t->all->rc = rc;
	if (--t->left == 0)
		look(t);
}

static void on_ready(void *ctx, int rc)
{
	struct fw_tours *all = ctx;
	if (rc < 0) {
		all->rc = rc;
		all->next = all->end;
	}
	for (unsigned i = 0; i < all->n; i++)
		look(&all->tours[i]);
	leave(all);
}

void fw_tour(const struct fw_tour *t, uint32_t first, uint32_t n, fw_people_done done, void *ctx)
{
	unsigned at_once = n < AT_ONCE ? n : AT_ONCE;
	struct fw_tours *all = n ? malloc(sizeof *all + at_once * sizeof *all->tours) : NULL;
	if (!all) {
		done(ctx, n ? FW_ENOMEM : 0);
		return;
	}
	*all = (struct fw_tours){ .next = first, .end = first + n, .n = at_once, .under_way = 1 + at_once, .done = done, .ctx = ctx };
	for (unsigned i = 0; i < at_once; i++) {
		all->tours[i] = *t;
		all->tours[i].all = all;
		fw_arena_init(&all->tours[i].arena, NULL, 0, 0);
	}
	fw_people_ready(t->people, on_ready, all);
}
