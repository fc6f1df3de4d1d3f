/* Events that must wait: until the store is back, or behind those of the same person that wait already. */
#include <string.h>

#include "base/map.h"
#include "server/ingest.h"

static struct fw_str bytes_of(const uint64_t *id)
{
	return (struct fw_str){ (const char *)id, sizeof *id };
}

/* What the person of an event goes by, as far as the event tells it. */
static void find_ids(const struct fw_people_event *e, struct fw_held *h)
{
	h->n_ids = 0;
	fw_held_add_id(h, fw_held_id(&e->id));
	for (unsigned i = 0; i < e->n_claims; i++)
		fw_held_add_id(h, fw_held_id(&(struct fw_person_id){ (enum fw_person_kind)e->claims[i].kind, e->claims[i].text }));
}

static bool any_waits(struct fw_ingest *in)
{
	struct fw_spool *s = in->worker->spool;
	struct fw_held h;
	for (unsigned i = 0; i < in->n_events; i++) {
		find_ids(&in->events[i], &h);
		for (unsigned k = 0; k < h.n_ids; k++)
			if (fw_held_waits(s->store, h.ids[k], &s->scratch))
				return true;
	}
	return false;
}

/* `ids` are those whose events of this request wait. FW_ENOMEM. */
static int waits(struct fw_spool *s, struct fw_map *ids, const struct fw_people_event *e, bool *ret)
{
	struct fw_held h;
	bool found = false;
	int rc = 0;
	find_ids(e, &h);
#ifdef FW_BREAK_SPOOL_ORDER /* whoever comes later may be first */
	h.n_ids = 0;
#endif
	for (unsigned i = 0; i < h.n_ids && !found; i++)
		found = fw_map_get(ids, bytes_of(&h.ids[i])) != FW_MAP_NONE || fw_held_waits(s->store, h.ids[i], &s->scratch);
	for (unsigned i = 0; i < h.n_ids && found && rc == 0; i++)
		rc = fw_map_put(ids, bytes_of(&h.ids[i]), 1);
	*ret = found;
	return rc;
}

/* The order within each part stays. */
static int part(struct fw_ingest *in)
{
	struct fw_map ids;
	struct fw_people_event *events = FW_NEW_ARRAY(&in->arena, in->n_events, struct fw_people_event);
	const struct fw_json **elements = FW_NEW_ARRAY(&in->arena, in->n_events, const struct fw_json *);
	unsigned *indexes = FW_NEW_ARRAY(&in->arena, in->n_events, unsigned);
	unsigned n_direct = 0, n_behind = 0;
	fw_map_init(&ids, &in->arena);
	if (!events || !elements || !indexes)
		return FW_ENOMEM;
	for (unsigned i = 0; i < in->n_events; i++) {
		unsigned behind = in->n_events - 1 - n_behind;
		bool held;
		if (waits(in->worker->spool, &ids, &in->events[i], &held) < 0)
			return FW_ENOMEM;
		unsigned to = held ? behind : n_direct;
		events[to] = in->events[i];
		elements[to] = in->elements[i];
		indexes[to] = in->indexes[i];
		n_direct += !held;
		n_behind += held;
	}
	memcpy(in->events, events, n_direct * sizeof *events);
	memcpy(in->elements, elements, n_direct * sizeof *elements);
	memcpy(in->indexes, indexes, n_direct * sizeof *indexes);
	for (unsigned i = 0; i < n_behind; i++) { /* they were put in from behind */
		in->events[n_direct + i] = events[in->n_events - 1 - i];
		in->elements[n_direct + i] = elements[in->n_events - 1 - i];
		in->indexes[n_direct + i] = indexes[in->n_events - 1 - i];
	}
	in->n_direct = n_direct;
	return 0;
}

int fw_ingest_part(struct fw_ingest *in)
{
	struct fw_spool *s = in->worker->spool;
	bool away = s && fw_spool_is_away(s);
	in->n_direct = away ? 0 : in->n_events;
	if (!s || away || in->n_events == 0 || fw_spool_is_empty(s) || !any_waits(in))
		return 0;
	return fw_spool_wait(s, &in->waiter) ? 1 : part(in);
}

/* Some on their way to the disk. */
struct holding {
	struct fw_ingest *in;
	unsigned n; /* events; 0: a letter */
};

/* Whoever cannot hold it has to send it again. */
static int is_away(int rc)
{
	return rc == FW_ENOMEM || rc == FW_EBUSY || rc == FW_EFULL || rc == 0 ? rc : FW_EAWAY;
}

static void on_held(void *ctx, int rc)
{
	struct holding *w = ctx;
	struct fw_ingest *in = w->in;
	if (rc == 0) {
		in->n_held += w->n;
		fw_count(in->worker->page, FW_COUNT_SPOOLED, w->n ? w->n : 1);
	}
	fw_ingest_leave(in, is_away(rc));
}

static void hold(struct fw_ingest *in, const struct fw_held *held, unsigned rows, unsigned events)
{
	struct holding *w = FW_NEW(&in->arena, struct holding);
	in->left++;
	if (!w || !held) {
		fw_ingest_leave(in, FW_ENOMEM);
	} else if (!fw_spool_has_room(in->worker->spool, rows)) {
		fw_ingest_leave(in, FW_EAWAY);
	} else {
		*w = (struct holding){ in, events };
		fw_held_put(in->worker->spool->store, held, rows, on_held, w);
	}
}

void fw_ingest_hold(struct fw_ingest *in, unsigned from, unsigned n)
{
	struct fw_held *held = FW_NEW_ARRAY(&in->arena, n, struct fw_held);
	for (unsigned i = 0; held && i < n; i++) {
		const struct fw_people_event *e = &in->events[from + i];
		held[i] = (struct fw_held){
			.received_us = e->event.received_us,
			.sender = in->reader.secret ? FW_STR("secret") : e->proven ? FW_STR("signed") : FW_STR("write"),
			.behaviour = e->behaviour,
			.message_hash = e->event.message_id.n ? 0 : e->event.message_hash,
			.sent_at = in->reader.frame.sent_at,
			.context = in->reader.frame.context,
			.event = in->elements[from + i],
		};
		find_ids(e, &held[i]);
		fw_ingest_unsign(held[i].event, held[i].context);
	}
	hold(in, held, n, n);
}

void fw_ingest_hold_letter(struct fw_ingest *in, const struct fw_dead *letter, const struct fw_json *element)
{
	struct fw_held *held = FW_NEW(&in->arena, struct fw_held);
	if (held)
		*held = (struct fw_held){
			.received_us = letter->at_us,
			.sender = letter->sender,
			.code = letter->code,
			.reason = letter->message,
			.bytes = letter->bytes,
			.event = letter->event.n ? element : NULL,
		};
	hold(in, held, 1, 0);
}
