#include "people/people.h"

#include <stdlib.h>
#include <string.h>

#include "people/flight.h"
#include "people/post.h"

struct fw_people *fw_people_create(struct fw_store *store, const struct fw_people_options *options)
{
	struct fw_people *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->store = store;
	p->options = *options;
	p->last_stalled = &p->stalled;
	return p;
}

void fw_people_destroy(struct fw_people *p)
{
	free(p);
}

void fw_people_trigger(struct fw_people *p, const struct fw_triggers *triggers, struct fw_decider *decider,
	const struct fw_due_config *due)
{
	p->triggers = triggers;
	p->decider = decider;
	p->due = due;
}

struct fw_store *fw_people_store(struct fw_people *p)
{
	return p->store;
}

const struct fw_people_counters *fw_people_counters(const struct fw_people *p)
{
	return &p->counters;
}

struct fw_ready {
	fw_people_done done;
	void *ctx;
	struct fw_ready *next;
};

static void on_secret(void *ctx, int rc)
{
	struct fw_people *p = ctx;
	struct fw_ready *ready = p->ready;
	p->ready = NULL;
	p->asks_secret = false;
	while (ready) {
		struct fw_ready *r = ready;
		ready = r->next;
		r->done(r->ctx, rc);
		free(r);
	}
}

void fw_people_ready(struct fw_people *p, fw_people_done done, void *ctx)
{
	struct fw_ready *r = p->secret.known ? NULL : malloc(sizeof *r);
	if (p->secret.known || !r) {
		done(ctx, p->secret.known ? 0 : FW_ENOMEM);
		return;
	}
	*r = (struct fw_ready){ done, ctx, p->ready };
	p->ready = r;
	if (!p->asks_secret) {
		p->asks_secret = true;
		fw_secret_load(&p->secret, p->store, on_secret, p);
	}
}

static void on_learnt(void *ctx, int rc)
{
	(void)ctx;
	(void)rc; /* whoever has it learnt asks again */
}

void fw_people_learn(struct fw_people *p)
{
	if (!p->secret.known && !p->asks_secret)
		fw_people_ready(p, on_learnt, NULL);
}

int fw_people_sign(const struct fw_people *p, struct fw_str name, struct fw_str what, unsigned char ret_mac[32])
{
	if (!p->secret.known)
		return FW_EAWAY;
	fw_secret_sign(&p->secret, name, what, ret_mac);
	return 0;
}

static int make_record(struct fw_flight *f, struct fw_str record, const struct fw_reservation *reservations, unsigned n)
{
	struct fw_error err;
	int rc = 0;
	if (record.n)
		rc = fw_record_read(&f->arena, record, &f->record, &err);
	else
		rc = fw_flight_new_record(f);
	for (unsigned i = 0; i < n && rc == 0; i++)
		rc = fw_record_reserve(f->record, &reservations[i]);
	return rc == FW_EINVAL ? FW_EIO : rc;
}

/* Two records that are becoming one: that must be done before anything is written. */
static void settle(struct fw_people *p, const struct fw_person_id *moved)
{
	struct fw_key key;
	fw_key_person(moved, &key);
	fw_post_settle(p, &key, NULL, NULL);
}

/* A place for somebody of whom there is no record: who was erased before stays so. */
struct new_place {
	struct fw_flight *flight;
	struct fw_reservation *reservations;
	unsigned n;
};

static void on_buried(void *ctx, int rc)
{
	struct new_place *w = ctx;
	struct fw_flight *f = w->flight;
	if (rc == 0)
		rc = make_record(f, (struct fw_str){ NULL, 0 }, w->reservations, w->n);
	if (rc < 0) {
		fw_flight_end(f, rc);
		return;
	}
	fw_record_set_erased(f->record, f->erased_us);
	fw_flight_reserve(f, f->reserved, f->reserved_ctx);
}

static void reserve_for_new(struct fw_flight *f, const struct fw_reservation *reservations, unsigned n, fw_people_done done, void *ctx)
{
	struct new_place *w = FW_NEW(&f->arena, struct new_place);
	struct fw_reservation *copy = FW_NEW_ARRAY(&f->arena, n, struct fw_reservation);
	if (!w || !copy) {
		fw_flight_give_up(f);
		done(ctx, FW_ENOMEM);
		return;
	}
	memcpy(copy, reservations, n * sizeof *copy);
	*w = (struct new_place){ f, copy, n };
	f->busy = true;
	f->reserved = done;
	f->reserved_ctx = ctx;
	fw_claims_find_buried(f, on_buried, w);
}

/* The flight of a round of its own, on what was read of the person; NULL: it was told why not. */
static struct fw_flight *begin_from(struct fw_people *p, const struct fw_person *person, fw_people_done done, void *ctx)
{
	struct fw_key key;
	fw_key_person(&person->row, &key);
	struct fw_flight *f = fw_flight_find(p, &key);
	if (f || person->moved.id.n) { /* what it was made from is about to change */
		if (person->moved.id.n)
			settle(p, &person->moved);
		done(ctx, FW_ECONFLICT);
		return NULL;
	}
	if (!(f = fw_flight_create(p, &key))) {
		done(ctx, FW_ENOMEM);
		return NULL;
	}
	f->version = person->version;
	return f;
}

void fw_people_reserve(struct fw_people *p, const struct fw_person *person, const struct fw_reservation *reservations, unsigned n,
	fw_people_done done, void *ctx)
{
	struct fw_flight *f = begin_from(p, person, done, ctx);
	if (!f)
		return;
	if (!person->record.n) {
		reserve_for_new(f, reservations, n, done, ctx);
		return;
	}
	int rc = make_record(f, person->record, reservations, n);
	if (rc < 0) {
		fw_flight_give_up(f);
		done(ctx, rc);
		return;
	}
	fw_flight_reserve(f, done, ctx);
}

void fw_people_replace(struct fw_people *p, const struct fw_person *person, struct fw_record *record, const struct fw_change *beside,
	unsigned n, fw_people_done done, void *ctx)
{
	struct fw_flight *f = begin_from(p, person, done, ctx);
	if (!f)
		return;
	f->record = record;
	f->beside = beside;
	f->n_beside = n;
	fw_flight_reserve(f, done, ctx);
}

/* Where an event goes first: to the row of its own id. */
static int address(struct fw_people *p, struct fw_people_event *e, struct fw_key *ret)
{
	char text[FW_KEYED_HASH_TEXT];
	struct fw_person_id row;
	fw_secret_row_id(&p->secret, &e->id, text, &row);
	fw_key_person(&row, ret);
	e->hops = 0;
	e->other_device_user = e->pointed = e->told = e->erased = false;
	e->row_text = NULL;
	return fw_people_event_send(e, &row);
}

static void row_key(struct fw_people *p, const struct fw_person_id *id, struct fw_key *ret)
{
	char text[FW_KEYED_HASH_TEXT];
	struct fw_person_id row;
	fw_secret_row_id(&p->secret, id, text, &row);
	fw_key_person(&row, ret);
}

static void hand_over(struct fw_people *p, struct fw_people_event *events, unsigned n, struct fw_people_group *group)
{
	group->left = 1; /* itself, so that nothing ends before all are handed over */
	for (unsigned i = 0; i < n; i++) {
		struct fw_people_event *e = &events[i];
		struct fw_key key;
		bool addressed = address(p, e, &key) == 0;
		struct fw_flight *f = addressed ? fw_flight_find(p, &key) : NULL;
		if (addressed && !f)
			f = fw_flight_create(p, &key);
		if (!f) {
			free(e->row_text);
			group->rc = FW_ENOMEM;
			continue;
		}
		e->group = group;
		group->left++;
		fw_flight_add(f, e);
	}
	/* Only now, so that one batch takes all events of a person. One that ends may have started, and ended, others. */
	for (unsigned i = 0; i < n; i++) {
		struct fw_key key;
		row_key(p, &events[i].id, &key);
		struct fw_flight *f = fw_flight_find(p, &key);
		if (f)
			fw_flight_start(f);
	}
	if (--group->left == 0)
		group->done(group->ctx, group->rc);
}

/* Events that wait for the store's secret. */
struct waiting_events {
	struct fw_people *people;
	struct fw_people_event *events;
	unsigned n;
	struct fw_people_group *group;
};

static void on_ready(void *ctx, int rc)
{
	struct waiting_events w = *(struct waiting_events *)ctx;
	free(ctx);
	if (rc == 0)
		hand_over(w.people, w.events, w.n, w.group);
	else
		w.group->done(w.group->ctx, rc);
}

void fw_people_apply(struct fw_people *p, struct fw_people_event *events, unsigned n, struct fw_people_group *group)
{
	group->rc = 0;
	if (p->secret.known) {
		hand_over(p, events, n, group);
		return;
	}
	struct waiting_events *w = malloc(sizeof *w);
	if (!w) {
		group->done(group->ctx, FW_ENOMEM);
		return;
	}
	*w = (struct waiting_events){ p, events, n, group };
	fw_people_ready(p, on_ready, w);
}
