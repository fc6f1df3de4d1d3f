#include "people/post.h"
#include "people/tour.h"

enum { ENTRIES_AT_ONCE = 64 };

static void on_delivered(void *ctx, int rc)
{
	fw_tour_arrived(ctx, rc);
}

/* Entries come by receiver: each is delivered once, all of them. */
static void deliver(struct fw_tour *t, const struct fw_row *rows, size_t n)
{
	uint64_t before = UINT64_MAX;
	for (size_t i = 0; i < n; i++) {
		uint64_t receiver = rows[i].key.n == FW_KEY_ENTRY ? fw_key_read(rows[i].key.p + 1, 2) : before;
		if (receiver == before || receiver >= FW_STORE_BUCKETS)
			continue;
		before = receiver;
		t->left++;
		fw_post_deliver(t->people, t->bucket, (uint32_t)receiver, on_delivered, t);
	}
}

void fw_post_sweep(struct fw_people *p, uint32_t first, uint32_t n, fw_people_done done, void *ctx)
{
	fw_tour(&(struct fw_tour){ .people = p, .prefix = FW_STR("O"), .most = ENTRIES_AT_ONCE, .each = deliver }, first, n, done, ctx);
}
