/* Ids that turn out to be the same people's: telling them, waiting until all is said that one bucket has to say to another, and
 * finding who is whom. The store may die meanwhile (client_crash): then everybody begins anew. */
#ifndef FW_TESTS_LIB_JOINS_H
#define FW_TESTS_LIB_JOINS_H

#include <inttypes.h>

#include "lib_people.h"
#include "people/post.h"
#include "people/sweep.h"

#define NOON INT64_C(1790000000000000)

static inline void joins_turn(struct client *c)
{
	event_base_loop(c->t.base, EVLOOP_ONCE);
	if (c->memory->closing)
		client_crash(c);
}

/* As store_wait. */
static inline void joins_wait(struct client *c, const unsigned *count, unsigned n)
{
	struct timeval most = { STORE_WAIT_MS / 1000, 0 };
	struct event *watchdog = evtimer_new(c->t.base, store_on_time, NULL);
	evtimer_add(watchdog, &most);
	if (c->memory->closing)
		client_crash(c);
	while (*count < n)
		joins_turn(c);
	event_free(watchdog);
}

struct swept {
	unsigned came;
	int rc;
};

static inline void on_swept(void *ctx, int rc)
{
	struct swept *s = ctx;
	*s = (struct swept){ s->came + 1, rc };
}

static inline bool outboxes_are_empty(const struct client *c)
{
	for (const struct memory_row *row = c->memory->rows; row; row = row->next)
		if (row->key.p[0] == 'O')
			return false;
	return true;
}

/* All that one bucket has to say to another is said. */
static inline void deliver_all(struct client *c)
{
	uint32_t from = 0;
	for (unsigned tries = 0; !outboxes_are_empty(c); tries++) {
		struct swept s = { 0 };
		const struct memory_row *row = c->memory->rows;
		while (row && (row->key.p[0] != 'O' || row->bucket < from))
			row = row->next;
		from = row ? row->bucket + 1 : 0;
		fw_post_sweep(c->workers[tries % WORKERS], row ? row->bucket : 0, 1, on_swept, &s);
		joins_wait(c, &s.came, 1);
		if (tries > 10000)
			fail_msg("the outboxes do not get empty");
	}
}

struct found {
	unsigned came;
	int rc;
	struct fw_person person;
	char row[FW_LIMIT_EVENT_ID_BYTES + 1];
};

static inline void on_found(void *ctx, int rc, const struct fw_person *person)
{
	struct found *f = ctx;
	f->came++;
	f->rc = rc;
	f->person = *person;
	snprintf(f->row, sizeof f->row, "%d:%.*s", (int)person->row.kind, (int)person->row.id.n, person->row.id.p);
}

/* `id` as a path of visitors has it; `user` a proven one beside it, or NULL. */
static inline struct found find_as(struct client *c, const char *id, const char *user)
{
	struct found f;
	struct fw_person_id who;
	assert_int_equal(fw_person_id_parse(&c->t.arena, fw_str(id), &who, NULL), 0);
	do {
		f = (struct found){ 0 };
		fw_people_load(c->workers[0], &who, user ? fw_str(user) : (struct fw_str){ NULL, 0 }, true, &c->t.arena, on_found, &f);
		joins_wait(c, &f.came, 1);
	} while (f.rc < 0);
	return f;
}

static inline struct found find(struct client *c, const char *id)
{
	return find_as(c, id, NULL);
}

static inline double views(struct client *c, const struct found *found)
{
	struct fw_facts f;
	struct fw_query query = { .fact = FW_FACT_VIEWED };
	fw_facts_init(&f, &c->t.arena, true);
	f.has_clock = true;
	f.now_us = NOON + INT64_C(86400000000);
	assert_int_equal(fw_profile_fill(found->person.record, &f), 0);
	return fw_facts_ask(&f, &query).number;
}

/* A row that still has the record which it handed over; false: there is none. */
static inline bool find_unsettled(struct client *c, struct fw_key *ret)
{
	struct fw_moved m;
	for (const struct memory_row *row = c->memory->rows; row; row = row->next) {
		if (row->key.p[0] != 'P' || row->key.n <= FW_KEY_PERSON || row->key.p[FW_KEY_PERSON] != 'r' || !fw_row_is_moved(row->value))
			continue;
		assert_int_equal(fw_moved_read(&c->t.arena, row->value, &m), 0);
		if (!m.record.n)
			continue;
		*ret = (struct fw_key){ .bucket = row->bucket, .n = (unsigned)row->key.n };
		memcpy(ret->bytes, row->key.p, row->key.n);
		return true;
	}
	return false;
}

static inline void settle_down(struct client *c)
{
	struct fw_key key;
	deliver_all(c);
	/* It drops it when somebody comes by. */
	for (unsigned tries = 0; find_unsettled(c, &key); tries++) {
		struct swept s = { 0 };
		fw_post_settle(c->workers[tries % WORKERS], &key, on_swept, &s);
		joins_wait(c, &s.came, 1);
		deliver_all(c);
		if (tries > 2000)
			fail_msg("a row does not let go of its record");
	}
}

/* What has had its time by then is dropped: once through all buckets. */
static inline void sweep_all(struct client *c, const struct fw_sweep_options *options, int64_t now_us)
{
	struct fw_sweep *s = fw_sweep_create(c->workers[0], options);
	assert_non_null(s);
	while (fw_sweep_counts(s)->buckets < FW_STORE_BUCKETS) {
		struct swept step = { 0 };
		fw_sweep_step(s, now_us, on_swept, &step);
		joins_wait(c, &step.came, 1);
		assert_int_equal(step.rc, 0);
	}
	fw_sweep_destroy(s);
}

/* The same, and people stay. */
static inline void sweep_at(struct client *c, int64_t now_us)
{
	sweep_all(c, &(struct fw_sweep_options){ 0 }, now_us);
}

/* Somebody views a product; `ids` are members of the event as JSON has them. */
static inline void tell(struct request *r, unsigned message, const char *ids)
{
	char json[600];
	snprintf(json, sizeof json, "{\"type\":\"track\",\"event\":\"Product Viewed\",\"messageId\":\"m-%u\",%s,"
		"\"properties\":{\"product_id\":\"p-%u\",\"category\":\"Boots\"}}", message, ids, message);
	request_add(r, json, NOON + message * INT64_C(1000000));
}

#endif
