/* Events of few people, handed in by two workers, repeated, late, out of order, with a store that is busy and fails: each
 * message counts exactly once, and a limit under a cap holds. Seeds are printed when something is wrong. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib_store.h"
#include "lib_store_memory.h"
#include "people/people.h"

enum { PEOPLE = 5, MESSAGES = 200, WORKERS = 2 };

struct client {
	struct store_test t;
	struct fw_store *store;
	struct fw_people *workers[WORKERS];
	struct memory_store *memory;
	unsigned answered, sent, failed;
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

static void hand_in(struct request *r);

static void on_answer(void *ctx, int rc)
{
	struct request *r = ctx;
	if (rc == 0) {
		r->c->answered++;
		return;
	}
	r->c->failed++;
	hand_in(r);
}

static void hand_in_later(evutil_socket_t fd, short what, void *ctx)
{
	struct request *r = ctx;
	(void)fd;
	(void)what;
	r->group = (struct fw_people_group){ .done = on_answer, .ctx = r };
	fw_people_apply(r->c->workers[memory_random(r->c->memory, WORKERS)], r->events, r->n, &r->group);
}

static void hand_in(struct request *r)
{
	struct timeval now = { 0, 0 };
	event_base_once(r->c->t.base, -1, EV_TIMEOUT, hand_in_later, r, &now);
}

static struct request *make_request(struct client *c, const unsigned *messages, unsigned n)
{
	struct request *r = calloc(1, sizeof *r);
	assert_non_null(r);
	r->c = c;
	r->n = n;
	fw_arena_init(&r->arena, NULL, 0, 0);
	r->events = FW_NEW_ARRAY(&r->arena, n, struct fw_people_event);
	for (unsigned i = 0; i < n; i++) {
		struct fw_json *element;
		struct fw_refusal refusal;
		char *json = fw_arena_printf(&r->arena, "{\"type\":\"track\",\"event\":\"Product Viewed\",\"messageId\":\"m-%u\","
			"\"anonymousId\":\"a-%u\","
			"\"properties\":{\"product_id\":\"p\",\"category\":\"Boots\"}}", messages[i], messages[i] % PEOPLE);
		struct fw_event_frame frame = { .type = -1, .received_us = INT64_C(1790000000000000) + messages[i] * INT64_C(100000000) };
		assert_int_equal(fw_json_parse(&r->arena, json, strlen(json), &element, NULL), 0);
		assert_int_equal(fw_event_read(&r->arena, element, &frame, &r->events[i].event, &refusal), 0);
		r->events[i].id = (struct fw_person_id){ FW_PERSON_ANONYMOUS, r->events[i].event.anonymous_id };
		r->events[i].behaviour = true;
	}
	return r;
}

static void client_init(struct client *c, const struct memory_options *options)
{
	static const struct fw_people_options people = { "EUR", NULL, 0 };
	memset(c, 0, sizeof *c);
	store_test_init(&c->t, NULL);
	c->store = memory_store_open(c->t.base, options);
	c->memory = (struct memory_store *)c->store;
	for (int i = 0; i < WORKERS; i++)
		assert_non_null(c->workers[i] = fw_people_create(c->store, &people));
}

static void client_finish(struct client *c)
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

static void on_loaded(void *ctx, int rc, struct fw_str record, uint64_t version)
{
	struct loaded *l = ctx;
	*l = (struct loaded){ l->came + 1, rc, record, version };
}

/* How often a person viewed something, as a rule would see it. */
static double viewed(struct client *c, unsigned person)
{
	char id[16];
	struct loaded l = { 0 };
	struct fw_facts f;
	struct fw_query query = { .fact = FW_FACT_VIEWED };
	snprintf(id, sizeof id, "a-%u", person);
	struct fw_person_id who = { FW_PERSON_ANONYMOUS, fw_str(id) };
	do { /* the store may fail: it is asked again */
		fw_people_load(c->workers[0], &who, true, &c->t.arena, on_loaded, &l);
		store_wait(&c->t, &l.came, 1);
		l.came = 0;
	} while (l.rc < 0);
	fw_facts_init(&f, &c->t.arena, true);
	f.has_clock = true;
	f.now_us = INT64_C(1790100000000000);
	assert_int_equal(fw_profile_fill(l.record, &f), 0);
	return fw_facts_ask(&f, &query).number;
}

static void each_message_counts_once(const struct memory_options *options, unsigned n_messages)
{
	struct client c;
	client_init(&c, options);
	unsigned n_requests = 0;
	struct request **requests = calloc(n_messages * 2, sizeof *requests);
	assert_non_null(requests);
	/* Every message once, then every second one again, in batches of random length. */
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned at = 0; at < n_messages;) {
			unsigned messages[32], n = 0, most = 1 + (unsigned)memory_random(c.memory, 30);
			for (; at < n_messages && n < most; at += pass + 1)
				messages[n++] = at;
			requests[n_requests++] = make_request(&c, messages, n);
		}
	for (unsigned i = 0; i < n_requests; i++)
		hand_in(requests[i]);
	store_wait(&c.t, &c.answered, n_requests);
	for (unsigned person = 0; person < PEOPLE; person++) {
		unsigned expected = n_messages / PEOPLE + (person < n_messages % PEOPLE);
		double found = viewed(&c, person);
		if (found != expected)
			fail_msg("seed %" PRIu64 ": person %u viewed %g times, not %u", options->seed, person, found, expected);
	}
	for (unsigned i = 0; i < n_requests; i++) {
		fw_arena_finish(&requests[i]->arena);
		free(requests[i]);
	}
	free(requests);
	client_finish(&c);
}

/* Seen failing with FW_BREAK_DEDUPE. */
static void test_once(void **state)
{
	(void)state;
	unsigned rounds = getenv("FW_LONG") ? 200 : 2;
	for (unsigned seed = 1; seed <= rounds; seed++) {
		each_message_counts_once(&(struct memory_options){ .seed = seed }, MESSAGES);
		each_message_counts_once(&(struct memory_options){ .seed = seed, .late_turns = 5 }, MESSAGES);
		each_message_counts_once(&(struct memory_options){ .seed = seed, .late_turns = 9, .fail_percent = 10, .busy_percent =
			10 }, MESSAGES);
	}
}

struct reserving {
	struct client *c;
	unsigned worker, attempts;
	unsigned *shown, *over;
	struct fw_arena arena;
	enum { LIMIT = 3 } limit;
};

static void decide(struct reserving *r);

static void on_reserved(void *ctx, int rc)
{
	struct reserving *r = ctx;
	if (rc < 0) {
		r->attempts++;
		decide(r);
		return;
	}
	++*r->shown;
	++*r->over;
}

static void on_person(void *ctx, int rc, struct fw_str record, uint64_t version)
{
	struct reserving *r = ctx;
	struct fw_facts f;
	struct fw_person_id who = { FW_PERSON_ANONYMOUS, FW_STR("a-0") };
	struct fw_reservation reservation = { .cap = 7, .rule = 9, .at_us = INT64_C(1790000000000000), .per_s = 86400, .limit = LIMIT };
	if (rc < 0) {
		decide(r);
		return;
	}
	fw_facts_init(&f, &r->arena, true);
	f.has_clock = true;
	f.now_us = reservation.at_us;
	assert_int_equal(fw_profile_fill(record, &f), 0);
	if (f.n_cap_uses >= LIMIT) {
		++*r->over;
		return;
	}
	fw_people_reserve(r->c->workers[r->worker], &who, record, version, &reservation, 1, on_reserved, r);
}

static void decide_later(evutil_socket_t fd, short what, void *ctx)
{
	struct reserving *r = ctx;
	struct fw_person_id who = { FW_PERSON_ANONYMOUS, FW_STR("a-0") };
	(void)fd;
	(void)what;
	fw_arena_reset(&r->arena);
	fw_people_load(r->c->workers[r->worker], &who, r->attempts > 0, &r->arena, on_person, r);
}

static void decide(struct reserving *r)
{
	struct timeval now = { 0, 0 };
	event_base_once(r->c->t.base, -1, EV_TIMEOUT, decide_later, r, &now);
}

static void test_limit(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 6; seed++) {
		struct client c;
		struct reserving all[40];
		unsigned shown = 0, over = 0, n = sizeof all / sizeof *all;
		client_init(&c, &(struct memory_options){ .seed = seed, .late_turns = seed % 4 * 3, .fail_percent = seed % 3 * 10 });
		for (unsigned i = 0; i < n; i++) {
			all[i] = (struct reserving){ .c = &c, .worker = i % WORKERS, .shown = &shown, .over = &over };
			fw_arena_init(&all[i].arena, NULL, 0, 0);
			decide(&all[i]);
		}
		store_wait(&c.t, &over, n);
		if (shown != LIMIT)
			fail_msg("seed %u: shown %u times under a cap of %d", seed, shown, LIMIT);
		for (unsigned i = 0; i < n; i++)
			fw_arena_finish(&all[i].arena);
		client_finish(&c);
	}
}

static void test_ids(void **state)
{
	struct fw_person_id id;
	struct fw_error err;
	(void)state;
	assert_int_equal(fw_person_id_parse(FW_STR("u-7"), &id, &err), 0);
	assert_int_equal(id.kind, FW_PERSON_USER);
	assert_int_equal(fw_person_id_parse(FW_STR("anonymous:a:b"), &id, &err), 0);
	assert_int_equal(id.kind, FW_PERSON_ANONYMOUS);
	assert_true(fw_str_is(id.id, "a:b"));
	assert_int_equal(fw_person_id_parse(FW_STR("anonymous:"), &id, &err), FW_EINVAL);
	assert_int_equal(fw_person_id_parse(FW_STR(""), &id, &err), FW_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
