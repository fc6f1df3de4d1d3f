/* A round: read the row, leave out what was applied before, apply the rest (round.c), write the record, the messages that had
 * to make room in it and what follows for other buckets, all in one batch computed from one version. A conflict begins the
 * round anew. */
#include "people/flight.h"

#include <stdlib.h>
#include <string.h>

#include "people/asked.h"
#include "people/post.h"
#include "people/row.h"
#include "people/wake.h"

enum { TRIES_MOST = 10000, ARENA_MOST = 16 << 20 };

static struct fw_flight **chain_of(struct fw_people *p, const struct fw_key *key)
{
	return &p->chains[fw_key_read(key->bytes + 1, 8) % FW_FLIGHT_CHAINS];
}

struct fw_flight *fw_flight_find(struct fw_people *p, const struct fw_key *key)
{
	for (struct fw_flight *f = *chain_of(p, key); f; f = f->next)
		if (f->key.n == key->n && memcmp(f->key.bytes, key->bytes, key->n) == 0)
			return f;
	return NULL;
}

struct fw_flight *fw_flight_create(struct fw_people *p, const struct fw_key *key)
{
	struct fw_flight *f = malloc(sizeof *f);
	if (!f)
		return NULL;
	memset(f, 0, sizeof *f);
	f->people = p;
	f->key = *key;
	f->id = fw_key_id(&f->key);
	f->last = &f->first;
	fw_arena_init(&f->arena, NULL, 0, ARENA_MOST);
	struct fw_flight **chain = chain_of(p, key);
	f->next = *chain;
	*chain = f;
	return f;
}

void fw_flight_give_up(struct fw_flight *f)
{
	struct fw_flight **at = chain_of(f->people, &f->key);
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	fw_arena_finish(&f->arena);
	free(f);
}

static void complete(struct fw_people_event *e, int rc)
{
	struct fw_people_group *g = e->group;
	free(e->row_text);
	e->row_text = NULL;
	if (rc < 0)
		g->rc = rc;
	if (--g->left == 0)
		g->done(g->ctx, g->rc);
}

int fw_flight_take(struct fw_people *p, struct fw_people_event *e)
{
	struct fw_key key;
	fw_key_person(&e->row, &key);
	struct fw_flight *f = fw_flight_find(p, &key);
	if (!f && !(f = fw_flight_create(p, &key)))
		return FW_ENOMEM;
	fw_flight_add(f, e);
	fw_flight_start(f);
	return 0;
}

static void send_on(struct fw_people *p, struct fw_people_event *events, int rc)
{
	while (events) {
		struct fw_people_event *e = events;
		events = e->next;
		int sent = rc < 0 ? rc : ++e->hops > FW_FLIGHT_HOPS ? FW_EIO : fw_flight_take(p, e);
		if (sent < 0)
			complete(e, sent);
	}
}

/* Whoever is told may hand in more for the same person, so the next round begins first. */
void fw_flight_end(struct fw_flight *f, int rc)
{
	struct fw_people *p = f->people;
	struct fw_people_event *round = f->round, *elsewhere = f->elsewhere;
	struct fw_flight_waiter *waiters = f->waiters;
	fw_people_done reserved = f->reserved;
	void *reserved_ctx = f->reserved_ctx;
	f->round = f->elsewhere = NULL;
	f->waiters = NULL;
	f->reserved = NULL;
	f->beside = NULL;
	f->n_beside = 0;
	f->busy = false;
	if (f->first)
		fw_flight_begin(f);
	else
		fw_flight_give_up(f);
	if (reserved)
		reserved(reserved_ctx, rc);
	send_on(p, elsewhere, rc);
	while (round) {
		struct fw_people_event *e = round;
		round = e->next;
		complete(e, rc);
	}
	while (waiters) {
		struct fw_flight_waiter *w = waiters;
		waiters = w->next;
		w->arrived(w->ctx);
		free(w);
	}
}

static void count_round(struct fw_flight *f)
{
	for (const struct fw_people_event *e = f->round; e; e = e->next) {
		bool fresh = !e->repeated && !e->erased && !e->restricted && !e->waits;
		f->people->counters.applied += fresh && !e->restocked;
		f->people->counters.restocked += fresh && e->restocked;
		f->people->counters.repeated += e->repeated && !e->restocked;
	}
}

static void on_committed(void *ctx, int rc, uint64_t version)
{
	struct fw_flight *f = ctx;
	struct fw_people *p = f->people;
	struct fw_people_counters *c = &p->counters;
	(void)version;
	if (rc == FW_ECONFLICT && !f->reserved && ++f->tries < TRIES_MOST) {
		c->recomputed++;
		fw_flight_begin(f);
		return;
	}
	if (rc == 0) {
		c->batches++;
		c->reserved += f->reserved != NULL;
		count_round(f);
		fw_post_deliver_all(p, f->key.bucket, f->entries, f->n_entries);
	}
	fw_flight_end(f, rc);
}

/* What the person asks for now, or no more, follows the round's own entries. */
static int add_asked(struct fw_flight *f)
{
	struct fw_entry asked[FW_ASKED_ENTRIES], *all;
	unsigned n = fw_asked_changes(&f->id, f->record, false, asked);
	if (!n)
		return 0;
	if (!(all = FW_NEW_ARRAY(&f->arena, f->n_entries + n, struct fw_entry)))
		return FW_ENOMEM;
	if (f->n_entries)
		memcpy(all, f->entries, f->n_entries * sizeof *all);
	memcpy(all + f->n_entries, asked, n * sizeof *all);
	f->entries = all;
	f->n_entries += n;
	return 0;
}

/* The record, the messages beside it and the entries, in the arena. 0 or FW_ENOMEM. */
static int write(struct fw_flight *f, struct fw_batch *ret)
{
	if (add_asked(f) < 0)
		return FW_ENOMEM;
	struct fw_change *changes = FW_NEW_ARRAY(&f->arena, 3 + f->n_spills + f->n_entries + f->n_beside + FW_WAKE_CHANGES,
		struct fw_change);
	struct fw_key *keys = FW_NEW_ARRAY(&f->arena, f->n_spills + 1, struct fw_key);
	unsigned n = 0;
	if (!changes || !keys)
		return FW_ENOMEM;
	changes[n++] = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(&f->key), f->bytes, f->version };
	if (f->is_new)
		changes[n++] = (struct fw_change){ FW_CHANGE_EXPECT, fw_key_str(&f->tombstone), { NULL, 0 }, f->tombstone_version };
	for (unsigned i = 0; i < f->n_spills; i++) {
		fw_key_message(&f->key, f->spills[i].day, f->spills[i].hash, &keys[i]);
		changes[n++] = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(&keys[i]), FW_STR(""), FW_VERSION_ANY };
	}
	for (unsigned i = 0; i < f->n_beside; i++)
		changes[n++] = f->beside[i];
	const struct fw_outgoing outgoing = { f->key.bucket, f->entries, f->n_entries };
	int rc = fw_wake_write(&f->key, f->record, false, &f->arena, changes + n);
	n += rc > 0 ? (unsigned)rc : 0;
	if (rc >= 0)
		rc = f->n_entries ? fw_outgoing_write(&outgoing, &f->arena, changes + n) : 0;
	*ret = (struct fw_batch){ f->key.bucket, changes, n + (rc > 0 ? (unsigned)rc : 0) };
	return rc < 0 ? rc : 0;
}

/* The merge goes by the version that the record had as it moved: no other time that it moves has the same. */
static int move_away(struct fw_flight *f)
{
	struct fw_entry *absorb = &f->entries[0];
	absorb->merge = f->version;
	return fw_moved_bytes(&(struct fw_moved){ .to = absorb->target, .number = absorb->merge, .record = f->bytes }, &f->arena,
		&f->bytes);
}

void fw_flight_commit(struct fw_flight *f)
{
	struct fw_batch batch;
	int rc = fw_record_bytes(f->record, &f->arena, &f->bytes);
	if (rc == 0 && f->moves)
		rc = move_away(f);
	if (rc == 0)
		rc = write(f, &batch);
	if (rc == 0)
		rc = fw_commit(&f->commit, f->people, &batch, on_committed, f);
	if (rc < 0)
		fw_flight_end(f, rc);
}

void fw_flight_applied(struct fw_flight *f)
{
	if (!f->changed) {
		count_round(f);
		fw_flight_end(f, 0);
	} else if (f->n_entries) {
		fw_flight_meet(f);
	} else {
		fw_flight_commit(f);
	}
}

static void on_settled(void *ctx, int rc)
{
	struct fw_flight *f = ctx;
	if (rc < 0)
		fw_flight_end(f, rc == FW_EBUSY ? FW_EAWAY : rc); /* on its way to and fro: whoever sends it again finds it arrived */
	else
		fw_flight_begin(f);
}

/* This id's person has a row elsewhere: there go all of the events. */
static void move_on(struct fw_flight *f, const struct fw_row *row)
{
	struct fw_moved m;
	if (fw_moved_read(&f->arena, row->value, &m) < 0) {
		fw_flight_end(f, FW_EIO);
		return;
	}
	if (m.record.n) { /* what was applied here must be known there first */
		fw_post_settle(f->people, &f->key, on_settled, f);
		return;
	}
	fw_flight_move(f, &m.to);
}

void fw_flight_move(struct fw_flight *f, const struct fw_person_id *to)
{
	int rc = 0;
	for (struct fw_people_event *e = f->round; e && rc == 0; e = e->next) {
		rc = fw_people_event_send(e, to);
		e->pointed = f->points;
	}
	if (rc == 0) {
		struct fw_people_event **tail = &f->elsewhere;
		while (*tail)
			tail = &(*tail)->next;
		*tail = f->round;
		f->round = NULL;
	}
	fw_flight_end(f, rc);
}

static void on_pointed(void *ctx, int rc, uint64_t version)
{
	struct fw_flight *f = ctx;
	(void)version;
	if (rc == 0) {
		f->points = true;
		fw_flight_move(f, &f->to);
	} else if (rc == FW_ECONFLICT && ++f->tries < TRIES_MOST) {
		fw_flight_begin(f);
	} else {
		fw_flight_end(f, rc);
	}
}

void fw_flight_point(struct fw_flight *f, const struct fw_person_id *to)
{
	struct fw_change *change = FW_NEW(&f->arena, struct fw_change);
	struct fw_str bytes = { NULL, 0 };
	f->to = *to;
	int rc = change ? fw_moved_bytes(&(struct fw_moved){ .to = *to }, &f->arena, &bytes) : FW_ENOMEM;
	if (rc == 0) {
		*change = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(&f->key), bytes, FW_VERSION_NONE };
		rc = fw_commit(&f->commit, f->people, &(struct fw_batch){ f->key.bucket, change, 1 }, on_pointed, f);
	}
	if (rc < 0)
		fw_flight_end(f, rc);
}

static void on_row(void *ctx, int rc, const struct fw_row *row)
{
	struct fw_flight *f = ctx;
	if (rc < 0) {
		fw_flight_end(f, rc);
		return;
	}
	f->version = row->version;
	if (row->value.p && fw_row_is_moved(row->value))
		move_on(f, row);
	else
		fw_round_run(f, row);
}

/* Takes what waits, after what a conflict left over, and reads the row. */
void fw_flight_begin(struct fw_flight *f)
{
	struct fw_people_event **tail = &f->round;
	f->busy = true;
	while (*tail)
		tail = &(*tail)->next;
	for (*tail = f->elsewhere; *tail; tail = &(*tail)->next)
		;
	*tail = f->first;
	f->elsewhere = f->first = NULL;
	f->last = &f->first;
	f->changed = f->told = f->asked = f->resumes = f->is_new = f->points = f->moves = false;
	f->n_spills = f->n_entries = 0;
	f->entries = NULL;
	f->days = NULL;
	fw_arena_reset(&f->arena);
	fw_store_get_for_batch(f->people->store, f->key.bucket, fw_key_str(&f->key), &f->arena, on_row, f);
}

void fw_flight_add(struct fw_flight *f, struct fw_people_event *e)
{
	e->next = NULL;
	*f->last = e;
	f->last = &e->next;
}

void fw_flight_start(struct fw_flight *f)
{
	if (!f->busy && f->first) {
		f->tries = 0;
		fw_flight_begin(f);
	}
}

void fw_flight_reserve(struct fw_flight *f, fw_people_done done, void *ctx)
{
	f->busy = true;
	f->reserved = done;
	f->reserved_ctx = ctx;
	fw_flight_commit(f);
}

int fw_flight_wait(struct fw_flight *f, void (*arrived)(void *ctx), void *ctx)
{
	struct fw_flight_waiter *w = malloc(sizeof *w);
	if (!w)
		return FW_ENOMEM;
	*w = (struct fw_flight_waiter){ arrived, ctx, f->waiters };
	f->waiters = w;
	return 0;
}
