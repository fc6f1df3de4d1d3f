/* Two workers of one store, and requests that are handed in again until they are answered with success. */
#ifndef FW_TESTS_LIB_PEOPLE_H
#define FW_TESTS_LIB_PEOPLE_H

#include "lib_store.h"
#include "lib_store_memory.h"
#include "people/people.h"
#include "profile/identify.h"

enum { WORKERS = 2 };

struct client {
	struct store_test t;
	struct fw_store *store;
	struct fw_people *workers[WORKERS];
	struct memory_store *memory;
	unsigned answered, sent, failed;
	/* What events set off; NULL: nothing. */
	const struct fw_triggers *triggers;
	struct fw_decider *decider;
	const struct fw_due_config *due;
};

/* A request of some events, sent again until it is answered with success. */
struct request {
	struct client *c;
	struct fw_arena arena;
	struct fw_people_group group;
	struct fw_people_event *events;
	unsigned n;
	struct request *next;
};

static inline void hand_in(struct request *r);

static inline void on_answer(void *ctx, int rc)
{
	struct request *r = ctx;
	if (rc == 0) {
		r->c->answered++;
		return;
	}
	r->c->failed++;
	hand_in(r);
}

static inline void hand_in_later(evutil_socket_t fd, short what, void *ctx)
{
	struct request *r = ctx;
	(void)fd;
	(void)what;
	r->group = (struct fw_people_group){ .done = on_answer, .ctx = r };
	fw_people_apply(r->c->workers[memory_random(r->c->memory, WORKERS)], r->events, r->n, &r->group);
}

static inline void hand_in(struct request *r)
{
	struct timeval now = { 0, 0 };
	event_base_once(r->c->t.base, -1, EV_TIMEOUT, hand_in_later, r, &now);
}

/* Room for n events. */
static inline struct request *request_create(struct client *c, unsigned n)
{
	struct request *r = calloc(1, sizeof *r);
	if (!r)
		abort();
	r->c = c;
	fw_arena_init(&r->arena, NULL, 0, 0);
	r->events = FW_NEW_ARRAY(&r->arena, n, struct fw_people_event);
	return r;
}

/* With everything that it tells proven, as with a secret key. */
static inline void request_add(struct request *r, const char *json, int64_t received_us)
{
	struct fw_json *element;
	struct fw_refusal refusal;
	struct fw_people_event *e = &r->events[r->n++];
	struct fw_event_frame frame = { .type = -1, .received_us = received_us };
	unsigned blocked;
	char *copy = fw_arena_strndup(&r->arena, json, strlen(json));
	struct fw_claim *claims = FW_NEW_ARRAY(&r->arena, FW_CLAIMS_MOST, struct fw_claim);
	if (!copy || !claims || fw_json_parse(&r->arena, copy, strlen(copy), &element, NULL) < 0 ||
			fw_event_read(&r->arena, element, &frame, &e->event, &refusal) < 0 ||
			fw_identify(&r->arena, &e->event, true, true, claims, &e->n_claims, &blocked) < 0)
		abort();
	e->claims = claims;
	e->id = (struct fw_person_id){ (enum fw_person_kind)claims[0].kind, claims[0].text };
	e->behaviour = e->proven = true;
}

static inline void request_destroy(struct request *r)
{
	fw_arena_finish(&r->arena);
	free(r);
}

static inline void client_trigger(struct client *c)
{
	for (int i = 0; c->triggers && i < WORKERS; i++)
		fw_people_trigger(c->workers[i], c->triggers, c->decider, c->due);
}

static inline void client_start_workers(struct client *c)
{
	static const struct fw_people_options people = { "EUR", NULL, 0, NULL };
	for (int i = 0; i < WORKERS; i++)
		if (!(c->workers[i] = fw_people_create(c->store, &people)))
			abort();
	client_trigger(c);
}

static inline void client_init(struct client *c, const struct memory_options *options)
{
	memset(c, 0, sizeof *c);
	store_test_init(&c->t, NULL);
	c->store = memory_store_open(c->t.base, options);
	c->memory = (struct memory_store *)c->store;
	client_start_workers(c);
}

/* Everybody dies at once and begins anew on the rows that there are: what waits is told that it failed, and changes nothing. */
static inline void client_crash(struct client *c)
{
	memory_give_up(c->memory);
	for (int i = 0; i < WORKERS; i++)
		fw_people_destroy(c->workers[i]);
	client_start_workers(c);
}

static inline void client_finish(struct client *c)
{
	fw_store_close(c->store);
	for (int i = 0; i < WORKERS; i++)
		fw_people_destroy(c->workers[i]);
	store_test_finish(&c->t);
}

struct loaded {
	unsigned came;
	int rc;
	struct fw_str record;
	uint64_t version;
};

static inline void on_loaded(void *ctx, int rc, const struct fw_person *person)
{
	struct loaded *l = ctx;
	*l = (struct loaded){ l->came + 1, rc, person->record, person->version };
}


#endif
