/* When those who asked for a product are told that it is back (people/asked.h). By buckets of the index, along with the groups that a
 * worker looks after: as it gets one, for a feed may be new; when something is told of a product; a while after somebody asks for one,
 * which may be there; and every minute, for who could not be told before. */
#include <event2/event.h>

#include "base/clock.h"
#include "fact/products.h"
#include "message/own.h"
#include "people/asked.h"

enum { SURE_US = 60 * 1000000, ASKED_US = 2 * 1000000, AGAIN_US = 1000000 };

static void plan(struct fw_messages *m)
{
	struct fw_restock *r = &m->restock;
	int64_t first_us = INT64_MAX, now_us = fw_clock_steady_us();
	if (m->draining || r->telling || !fw_asked_matters(m->options.people))
		return;
	for (uint32_t b = 0; b < FW_STORE_BUCKETS; b++)
		if (m->groups[b / FW_GROUP_BUCKETS].owned && r->next_us[b] < first_us)
			first_us = r->next_us[b];
	if (first_us == INT64_MAX)
		return;
	int64_t left_us = first_us > now_us ? first_us - now_us : 0;
	event_add(r->on_due, &(struct timeval){ left_us / 1000000, left_us % 1000000 });
}

void fw_restock_look(struct fw_messages *m, uint32_t bucket, int64_t at_us)
{
	struct fw_restock *r = &m->restock;
	if (at_us >= r->next_us[bucket])
		return;
	r->next_us[bucket] = at_us;
	if (m->groups[bucket / FW_GROUP_BUCKETS].owned)
		plan(m);
}

static void on_told(void *ctx, int rc)
{
	struct fw_messages *m = ctx;
	struct fw_restock *r = &m->restock;
	int64_t next_us = fw_clock_steady_us() + (rc < 0 ? AGAIN_US : SURE_US);
	if (next_us < r->next_us[r->bucket])
		r->next_us[r->bucket] = next_us;
	r->telling = false;
	plan(m);
}

static void on_due(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_messages *m = ctx;
	struct fw_restock *r = &m->restock;
	int64_t now_us = fw_clock_steady_us();
	uint32_t k = 0;
	(void)fd;
	(void)what;
	for (; k < FW_STORE_BUCKETS; k++) {
		uint32_t b = (r->bucket + 1 + k) % FW_STORE_BUCKETS;
		if (m->groups[b / FW_GROUP_BUCKETS].owned && r->next_us[b] <= now_us) {
			r->bucket = b;
			break;
		}
	}
	if (k == FW_STORE_BUCKETS || m->draining || r->telling) {
		plan(m);
		return;
	}
	r->telling = true;
	r->next_us[r->bucket] = INT64_MAX;
	fw_asked_tell(m->options.people, r->bucket, fw_now_us(), &m->draining, on_told, m);
}

/* Somebody has asked, or was told. */
void fw_restock_asked(struct fw_messages *m, uint32_t bucket)
{
	fw_restock_look(m, bucket, fw_clock_steady_us() + ASKED_US);
}

void fw_messages_product(struct fw_messages *m, uint32_t number)
{
	const struct fw_products *p = m->options.decider->set->products;
	struct fw_product x;
	char id[FW_LIMIT_KEY_BYTES];
	if (!p || fw_products_sold_out(p, number))
		return;
	fw_products_get(p, number, 0, &x);
	if (x.id.n > sizeof id)
		return;
	fw_fold(x.id, id);
	fw_restock_look(m, fw_asked_bucket((struct fw_str){ id, x.id.n }), 0);
}

void fw_restock_own(struct fw_messages *m, unsigned group)
{
	for (unsigned i = 0; i < FW_GROUP_BUCKETS; i++)
		m->restock.next_us[group * FW_GROUP_BUCKETS + i] = 0;
	plan(m);
}

void fw_restock_all(struct fw_messages *m)
{
	for (unsigned g = 0; g < FW_GROUPS; g++)
		fw_restock_own(m, g);
}

int fw_restock_init(struct fw_messages *m)
{
	for (uint32_t b = 0; b < FW_STORE_BUCKETS; b++)
		m->restock.next_us[b] = INT64_MAX;
	m->restock.on_due = evtimer_new(m->base, on_due, m);
	return m->restock.on_due ? 0 : FW_ENOMEM;
}

void fw_restock_finish(struct fw_messages *m)
{
	if (m->restock.on_due)
		event_free(m->restock.on_due);
}
