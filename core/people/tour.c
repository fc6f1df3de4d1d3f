#include "people/tour.h"

#include <stdlib.h>

static void look(struct fw_tour *t);

static void end(struct fw_tour *t)
{
	fw_people_done done = t->done;
	void *ctx = t->ctx;
	int rc = t->rc;
	fw_arena_finish(&t->arena);
	free(t);
	done(ctx, rc);
}

void fw_tour_arrived(struct fw_tour *t, int rc)
{
	if (rc < 0)
		t->rc = rc;
	if (--t->left)
		return;
	if (++t->bucket < t->end)
		look(t);
	else
		end(t);
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
	t->left = 1; /* itself */
	fw_arena_reset(&t->arena);
	fw_store_scan(t->people->store, t->bucket, t->prefix, (struct fw_str){ NULL, 0 }, t->most, &t->arena, on_rows, t);
}

static void on_ready(void *ctx, int rc)
{
	struct fw_tour *t = ctx;
	if (rc == 0) {
		look(t);
		return;
	}
	t->rc = rc;
	end(t);
}

void fw_tour(const struct fw_tour *t, uint32_t first, uint32_t n, fw_people_done done, void *ctx)
{
	struct fw_tour *own = n ? malloc(sizeof *own) : NULL;
	if (!own) {
		done(ctx, n ? FW_ENOMEM : 0);
		return;
	}
	*own = *t;
	own->bucket = first;
	own->end = first + n;
	own->rc = 0;
	own->done = done;
	own->ctx = ctx;
	fw_arena_init(&own->arena, NULL, 0, 0);
	fw_people_ready(own->people, on_ready, own);
}
