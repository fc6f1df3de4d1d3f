/* A round: read the record, leave out what was applied before, apply the rest, write the record and the messages that had to
 * make room in it, all in one batch computed from one version. A conflict begins the round anew. */
#include "people/flight.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

enum { TRIES_MOST = 10000, ARENA_MOST = 16 << 20 };

static void begin(struct fw_flight *f);
static void commit_stalled(struct fw_people *p);

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
	f->id = (struct fw_str){ f->key.bytes + FW_KEY_PERSON + 2, key->n - FW_KEY_PERSON - 2 };
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
	if (rc < 0)
		g->rc = rc;
	if (--g->left == 0)
		g->done(g->ctx, g->rc);
}

/* The round has ended, well or not. Whoever is told may hand in more for the same person, so the next round begins first. */
static void end(struct fw_flight *f, int rc)
{
	struct fw_people_event *round = f->round;
	struct fw_flight_waiter *waiters = f->waiters;
	fw_people_done reserved = f->reserved;
	void *reserved_ctx = f->reserved_ctx;
	f->round = NULL;
	f->waiters = NULL;
	f->reserved = NULL;
	if (f->first)
		begin(f);
	else
		fw_flight_give_up(f);
	if (reserved)
		reserved(reserved_ctx, rc);
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
		f->people->counters.applied += !e->repeated;
		f->people->counters.repeated += e->repeated;
	}
}

static void on_committed(void *ctx, int rc, uint64_t version)
{
	struct fw_flight *f = ctx;
	struct fw_people *p = f->people;
	struct fw_people_counters *c = &p->counters;
	(void)version;
	p->committing--;
	if (rc == FW_ECONFLICT && !f->reserved && ++f->tries < TRIES_MOST) {
		c->recomputed++;
		begin(f);
		commit_stalled(p);
		return;
	}
	if (rc == 0) {
		c->batches++;
		c->reserved += f->reserved != NULL;
		count_round(f);
	}
	end(f, rc);
	commit_stalled(p);
}

/* Hands in what was written; again and again where the store has no room. */
static int try_commit(struct fw_flight *f)
{
	struct fw_change changes[1 + FW_FLIGHT_SPILLS];
	struct fw_key keys[FW_FLIGHT_SPILLS];
	changes[0] = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(&f->key), f->bytes, f->version };
	for (unsigned i = 0; i < f->n_spills; i++) {
		fw_key_message(&f->key, f->spills[i].day, f->spills[i].hash, &keys[i]);
		changes[1 + i] = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(&keys[i]), FW_STR(""), FW_VERSION_ANY };
	}
	struct fw_batch batch = { f->key.bucket, changes, 1 + f->n_spills };
	int rc = fw_store_commit(f->people->store, &batch, on_committed, f);
	f->people->committing += rc == 0;
	return rc;
}

static int write_record(struct fw_flight *f)
{
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_record_write(f->record, &b);
	f->bytes = (struct fw_str){ b.failed ? NULL : fw_arena_strndup(&f->arena, b.data, b.n), b.n };
	fw_buf_finish(&b);
	return f->bytes.p ? 0 : FW_ENOMEM;
}

/* The store takes only so many batches at once: what finds no room waits for those before it. */
static void commit(struct fw_flight *f)
{
	struct fw_people *p = f->people;
	int rc = write_record(f);
	if (rc == 0)
		rc = p->stalled ? FW_EBUSY : try_commit(f);
	if (rc == FW_EBUSY && p->committing) {
		f->stalled = NULL;
		*p->last_stalled = f;
		p->last_stalled = &f->stalled;
	} else if (rc < 0) {
		end(f, rc);
	}
}

static void commit_stalled(struct fw_people *p)
{
	while (p->stalled) {
		struct fw_flight *f = p->stalled;
		int rc = try_commit(f);
		if (rc == FW_EBUSY && p->committing)
			return;
		p->stalled = f->stalled;
		if (!p->stalled)
			p->last_stalled = &p->stalled;
		if (rc < 0)
			end(f, rc);
	}
}

/* Whether the message moved out of the record within this very round. */
static bool is_spilled_now(const struct fw_flight *f, uint64_t hash)
{
	for (unsigned i = 0; i < f->n_spills; i++)
		if (f->spills[i].hash == hash)
			return true;
	return false;
}

static void spill(struct fw_flight *f, uint64_t hash, int64_t received_us)
{
	uint64_t spilled[FW_SPILL_MOST];
	int32_t day = 0;
	unsigned n = fw_record_remember(f->record, hash, received_us, spilled, &day);
	for (unsigned i = 0; i < n; i++)
		f->spills[f->n_spills++] = (struct fw_flight_spill){ spilled[i], day };
}

static int apply(struct fw_flight *f, struct fw_people_event *e)
{
	const struct fw_people_options *o = &f->people->options;
	struct fw_profile_options options = { o->currency, e->behaviour, o->own_hosts, o->n_own_hosts };
	const struct fw_event *event = &e->event;
	if ((event->anonymous_id.n && fw_record_add_id(f->record, FW_ID_ANONYMOUS, event->anonymous_id) == FW_ENOMEM) ||
		(event->user_id.n && fw_record_add_id(f->record, FW_ID_USER, event->user_id) == FW_ENOMEM) ||
		fw_profile_apply(f->record, event, &options, NULL) < 0)
		return FW_ENOMEM;
	if (e->event.imported)
		fw_record_set_import_offset(f->record, e->import_file, e->import_offset);
	else
		spill(f, e->event.message_hash, e->event.received_us);
	f->changed = true;
	return 0;
}

static void step(struct fw_flight *f);

static void on_day(void *ctx, int rc, const struct fw_row *row)
{
	struct fw_flight *f = ctx;
	f->answered = true;
	f->asked_rc = rc;
	f->found |= rc == 0 && row->version != FW_VERSION_NONE;
	f->day++;
	if (f->resumes) {
		f->resumes = false;
		step(f);
	}
}

enum answer { FRESH, REPEATED, LATER, FAILED };

/* Asks for the rows of the message, day by day. */
static enum answer ask_days(struct fw_flight *f, const struct fw_people_event *e)
{
	if (!f->asked) {
		f->n_days = fw_record_spilled_days(f->record, e->event.received_us, f->days);
		f->day = 0;
		f->asked = true;
		f->found = false;
		f->asked_rc = 0;
	}
	while (f->day < f->n_days && !f->found && f->asked_rc == 0) {
		struct fw_key key;
		fw_key_message(&f->key, f->days[f->day], e->event.message_hash, &key);
		f->answered = f->resumes = false;
		fw_store_get(f->people->store, key.bucket, fw_key_str(&key), &f->arena, on_day, f);
		if (!f->answered) {
			f->resumes = true;
			return LATER;
		}
	}
	f->asked = false;
	return f->asked_rc < 0 ? FAILED : f->found ? REPEATED : FRESH;
}

static enum answer look(struct fw_flight *f, const struct fw_people_event *e)
{
	uint64_t hash = e->event.message_hash;
#ifdef FW_BREAK_IMPORT
	if (e->event.imported)
		return FRESH;
#endif
	if (e->event.imported)
		return e->import_offset <= fw_record_import_offset(f->record, e->import_file) ? REPEATED : FRESH;
	enum fw_message_seen seen = hash ? fw_record_seen(f->record, hash) : FW_SEEN_NO;
	if (seen != FW_SEEN_ASK)
		return seen == FW_SEEN_YES ? REPEATED : FRESH;
	return is_spilled_now(f, hash) ? REPEATED : ask_days(f, e);
}

/* What no longer fits into this batch goes first in the next. */
static void put_back(struct fw_flight *f)
{
	struct fw_people_event **link = &f->round, *rest = f->at;
	while (*link != rest)
		link = &(*link)->next;
	*link = NULL;
	struct fw_people_event **tail = &rest->next;
	while (*tail)
		tail = &(*tail)->next;
	*tail = f->first;
	if (!f->first)
		f->last = tail;
	f->first = rest;
}

static void step(struct fw_flight *f)
{
	for (; f->at; f->at = f->at->next) {
		struct fw_people_event *e = f->at;
		if (f->n_spills + FW_SPILL_MOST > FW_FLIGHT_SPILLS) {
			put_back(f);
			break;
		}
		enum answer a = look(f, e);
		if (a == LATER)
			return;
		e->repeated = a == REPEATED;
		int rc = a == FAILED ? f->asked_rc : a == FRESH ? apply(f, e) : 0;
		if (rc < 0) {
			end(f, rc);
			return;
		}
	}
	if (f->changed) {
		commit(f);
		return;
	}
	count_round(f);
	end(f, 0);
}

/* The record's own id is the first of its ids; those written before there was a list of them lack it. */
static int own_id(struct fw_flight *f)
{
	char letter = f->key.bytes[FW_KEY_PERSON + 1];
	return fw_record_add_id(f->record, letter == 'a' ? FW_ID_ANONYMOUS : FW_ID_USER, f->id);
}

static void on_record(void *ctx, int rc, const struct fw_row *row)
{
	struct fw_flight *f = ctx;
	struct fw_error err;
	if (rc == 0) {
		f->version = row->version;
		f->record = NULL;
		if (row->value.p)
			rc = fw_record_read(&f->arena, row->value, &f->record, &err);
		else if (!(f->record = fw_record_new(&f->arena, f->id)))
			rc = FW_ENOMEM;
	}
	if (rc == 0)
		rc = own_id(f);
	if (rc < 0) {
		end(f, rc == FW_EINVAL ? FW_EIO : rc);
		return;
	}
	f->at = f->round;
	step(f);
}

/* Takes what waits, after what a conflict left over, and reads the record. */
static void begin(struct fw_flight *f)
{
	struct fw_people_event **tail = &f->round;
	while (*tail)
		tail = &(*tail)->next;
	*tail = f->first;
	f->first = NULL;
	f->last = &f->first;
	f->changed = f->asked = f->resumes = false;
	f->n_spills = 0;
	fw_arena_reset(&f->arena);
	fw_store_get(f->people->store, f->key.bucket, fw_key_str(&f->key), &f->arena, on_record, f);
}

void fw_flight_add(struct fw_flight *f, struct fw_people_event *e)
{
	e->next = NULL;
	*f->last = e;
	f->last = &e->next;
}

void fw_flight_start(struct fw_flight *f)
{
	if (!f->round && !f->reserved && f->first) {
		f->tries = 0;
		begin(f);
	}
}

void fw_flight_reserve(struct fw_flight *f, fw_people_done done, void *ctx)
{
	f->reserved = done;
	f->reserved_ctx = ctx;
	commit(f);
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
