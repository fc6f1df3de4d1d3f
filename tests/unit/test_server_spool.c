/* Events that come while the store is out of reach: held in a real spool with a real keeper, applied once and in order when the store,
 * which is one in memory, is back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib_store.h"
#include "lib_store_memory.h"
#include "people/erase.h"
#include "people/tombstone.h"
#include "server/ingest.h"
#include "server/load_steps.h"
#include "base/folder.h"
#include "server/spool_drain.h"

static const char rules[] = "slot \"hero\" { channel = \"web\" }\n";

/* Time passes as a test says; and it sees which messages people are handed, in their order. */
static int64_t clock_ahead_us;
static char handed[4000];

int64_t __real_fw_now_us(void);
int64_t __wrap_fw_now_us(void);
int64_t __wrap_fw_now_us(void)
{
	return __real_fw_now_us() + clock_ahead_us;
}

void __real_fw_people_apply(struct fw_people *p, struct fw_people_event *events, unsigned n, struct fw_people_group *group);
void __wrap_fw_people_apply(struct fw_people *p, struct fw_people_event *events, unsigned n, struct fw_people_group *group);
void __wrap_fw_people_apply(struct fw_people *p, struct fw_people_event *events, unsigned n, struct fw_people_group *group)
{
	for (unsigned i = 0; i < n; i++) {
		struct fw_str m = events[i].event.message_id;
		size_t at = strlen(handed);
		snprintf(handed + at, sizeof handed - at, "%.*s ", (int)m.n, m.n ? m.p : "");
	}
	__real_fw_people_apply(p, events, n, group);
}

struct shop {
	struct store_test t; /* the spool's */
	struct fw_store *held, *store;
	struct fw_config *config;
	struct fw_engine *engine;
	struct fw_shared *shared;
	struct fw_slot_page *page;
	struct fw_spool spool;
	struct fw_people *people;
	struct fw_engine_worker *worker;
	struct fw_drain *drain;
};

static void start_worker(struct shop *s)
{
	const struct fw_people_options people = { "EUR", NULL, 0, s->held };
	assert_int_equal(fw_spool_init(&s->spool, s->held, s->store, &s->config->spool_limits, s->shared, s->page, s->t.base), 0);
	assert_non_null(s->people = fw_people_create(s->store, &people));
	assert_non_null(s->worker = fw_engine_worker_create(s->engine, 0, s->page, NULL, s->people, &s->spool));
}

static void start_draining(struct shop *s)
{
	assert_non_null(s->drain = fw_drain_create(s->worker, s->t.base));
}

static void load(struct shop *s, const char *more)
{
	char folder[TEMPORARY_PATH], file[TEMPORARY_PATH + 16], text[400];
	struct fw_report report;
	struct fw_error err = { .line = 0 };
	fw_report_init(&report);
	temporary_folder(folder);
	snprintf(file, sizeof file, "%s/all.lua", folder);
	snprintf(text, sizeof text, "rules = \".\" compliance = false workers = 1 %s", more);
	assert_int_equal(fw_write_file(file, (struct fw_str){ rules, sizeof rules - 1 }, &err), 0);
	if (fw_config_parse(fw_str(text), "config", folder, &s->config, &err) < 0 ||
		fw_engine_load(s->config, &(struct fw_load_steps){ 0 }, &s->engine, &report) < 0)
		fail_msg("%s\n%s", err.message, fw_report_text(&report));
	fw_remove_tree(folder);
	fw_report_finish(&report);
}

static void open_shop(struct shop *s, const struct memory_options *options, const char *more)
{
	memset(s, 0, sizeof *s);
	clock_ahead_us = 0;
	handed[0] = 0;
	store_test_init(&s->t, NULL);
	store_test_start(&s->t);
	s->held = store_open(&s->t);
	s->store = memory_store_open(s->t.base, options);
	assert_non_null(s->shared = fw_shared_create());
	s->page = &s->shared->slots[0][0];
	load(s, more);
	start_worker(s);
}

static void close_shop(struct shop *s)
{
	fw_drain_close(s->drain);
	fw_spool_close(&s->spool);
	fw_store_close(s->store);
	fw_store_close(s->held);
	fw_drain_destroy(s->drain);
	fw_engine_worker_destroy(s->worker);
	fw_people_destroy(s->people);
	fw_spool_finish(&s->spool);
	fw_engine_destroy(s->engine);
	fw_config_destroy(s->config);
	store_test_finish(&s->t);
}

/* An answer, and its text. */
struct answer {
	unsigned came;
	int status;
	char text[8000];
};

static void on_answer(void *ctx, int status, struct fw_buf *out)
{
	struct answer *a = ctx;
	a->came++;
	a->status = status;
	snprintf(a->text, sizeof a->text, "%.*s", (int)out->n, out->data);
}

static struct answer send_as(struct shop *s, bool secret, const char *json)
{
	struct answer a = { 0 };
	char *copy = strdup(json);
	fw_engine_ingest(s->worker, NULL, secret, fw_str(copy), on_answer, &a);
	store_wait(&s->t, &a.came, 1);
	free(copy);
	return a;
}

static struct answer deliver(struct shop *s, const char *json)
{
	return send_as(s, true, json);
}

static struct answer ask(struct shop *s, const char *id, const char *what)
{
	struct answer a = { 0 };
	fw_engine_visitor(s->worker, id, what, on_answer, &a);
	store_wait(&s->t, &a.came, 1);
	return a;
}

static uint64_t count(const struct shop *s, unsigned which)
{
	return atomic_load(&s->page->counts[which]);
}

static void turn_until_empty(struct shop *s)
{
	int64_t end_us = fw_monotonic_us() + STORE_WAIT_MS * INT64_C(1000);
	while (!fw_spool_is_empty(&s->spool) || fw_shared_held(s->shared) > 0) {
		event_base_loop(s->t.base, EVLOOP_ONCE);
		if (fw_monotonic_us() > end_us)
			fail_msg("the spool is never empty: %d events", (int)fw_shared_held(s->shared));
	}
}

#define VIEWED "\"type\":\"track\",\"event\":\"Product Viewed\",\"properties\":{\"product_id\":\"p-1\",\"category\":\"boots\"}"
#define TRACK(id, message) "{" VIEWED ",\"userId\":\"" id "\",\"messageId\":\"" message "\"}"

/* How often the person looked at something, as its record says. */
static int times(struct shop *s, const char *id)
{
	struct answer a = ask(s, id, "export");
	const char *at = strstr(a.text, "\"viewed\":{\"total\":");
	return a.status == 404 ? 0 : at ? atoi(at + 18) : -1;
}

static void test_held_and_applied(void **state)
{
	struct shop s;
	struct answer a;
	(void)state;
	open_shop(&s, &(struct memory_options){ .seed = 1, .late_turns = 3 }, "");
	start_draining(&s);
	while (!atomic_load(&s.shared->spool_counted)) /* what is held meanwhile would be counted twice until nothing is */
		event_base_loop(s.t.base, EVLOOP_ONCE);
	a = deliver(&s, TRACK("u-1", "m0"));
	assert_int_equal(a.status, 200);
	memory_store_set_away(s.store, true);
	a = deliver(&s, "[" TRACK("u-1", "m1") "," TRACK("u-2", "m2") "," TRACK("u-1", "m1") ",{\"type\":\"track\",\"userId\":\"u-1\"}]");
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(a.text, "\"accepted\":3,\"rejected\":[{\"index\":3,\"code\":\"no_event\""));
	assert_int_equal(fw_shared_held(s.shared), 4); /* and what is to be a dead letter */
	assert_int_equal(count(&s, FW_COUNT_EVENTS_STORED), 1);
	memory_store_set_away(s.store, false);
	turn_until_empty(&s);
	assert_string_equal(handed, "m0 m1 m2 m1 ");
	assert_int_equal(times(&s, "u-1"), 2);
	assert_int_equal(times(&s, "u-2"), 1);
	assert_int_equal(count(&s, FW_COUNT_EVENTS_STORED), 3);
	assert_int_equal(count(&s, FW_COUNT_EVENTS_REPEATED), 1);
	assert_int_equal(count(&s, FW_COUNT_SPOOLED), 4);
	assert_int_equal(count(&s, FW_COUNT_LETTERS), 1);
	struct memory_store *m = (struct memory_store *)s.store;
	unsigned letters = 0;
	for (const struct memory_row *row = m->rows; row; row = row->next)
		letters += row->key.p[0] == 'D' && strstr(row->value.p, "no_event") != NULL;
	assert_int_equal(letters, 1);
	close_shop(&s);
}

/* Whoever has events that are held waits behind them, by every id: with FW_BREAK_SPOOL_ORDER later ones were the first. */
static void test_order(void **state)
{
	struct shop s;
	(void)state;
	open_shop(&s, &(struct memory_options){ .seed = 2 }, "");
	memory_store_set_away(s.store, true);
	assert_int_equal(deliver(&s, "{\"type\":\"page\",\"anonymousId\":\"a-1\",\"messageId\":\"m1\"}").status, 200);
	memory_store_set_away(s.store, false);
	struct answer a = deliver(&s, "["
		"{\"type\":\"identify\",\"anonymousId\":\"a-1\",\"userId\":\"u-1\",\"messageId\":\"m2\"},"
		TRACK("u-1", "m3") "," TRACK("u-9", "m4") "," TRACK("u-1", "m5") "]");
	assert_int_equal(a.status, 200);
	assert_string_equal(handed, "m4 ");
	assert_int_equal(fw_shared_held(s.shared), 4);
	assert_int_equal(deliver(&s, TRACK("u-1", "m6")).status, 200);
	start_draining(&s);
	turn_until_empty(&s);
	assert_string_equal(handed, "m4 m1 m2 m3 m5 m6 ");
	assert_int_equal(deliver(&s, TRACK("u-1", "m7")).status, 200);
	assert_string_equal(handed, "m4 m1 m2 m3 m5 m6 m7 ");
	while (times(&s, "anonymous:a-1") < 4) /* two become one a little later */
		event_base_loop(s.t.base, EVLOOP_ONCE);
	assert_int_equal(times(&s, "anonymous:a-1"), 4);
	assert_int_equal(times(&s, "u-1"), 4);
	close_shop(&s);
}

/* While the store answers, whoever comes again does not make more to hold, but waits a moment: people who never stop had something that
 * was held for ever. */
static void test_no_more(void **state)
{
	struct shop s;
	(void)state;
	open_shop(&s, &(struct memory_options){ .seed = 3, .late_turns = 3 }, "");
	memory_store_set_away(s.store, true);
	for (int i = 0; i < 30; i++) {
		char json[400];
		snprintf(json, sizeof json, TRACK("u-1", "m%d"), i);
		assert_int_equal(deliver(&s, json).status, 200);
	}
	memory_store_set_away(s.store, false);
	start_draining(&s);
	assert_int_equal(deliver(&s, "[" TRACK("u-1", "m30") "," TRACK("u-2", "m31") "]").status, 200);
	assert_int_equal(count(&s, FW_COUNT_SPOOLED), 30);
	assert_string_equal(strstr(handed, "m28"), "m28 m29 m30 m31 ");
	turn_until_empty(&s);
	assert_int_equal(times(&s, "u-1"), 31);
	close_shop(&s);
}

/* What was stored and whose answer was lost is held, too, and counts once all the same; also without a messageId. */
static void test_lost_answers(void **state)
{
	(void)state;
	for (unsigned lost = 1; lost <= 6; lost++) {
		struct shop s;
		open_shop(&s, &(struct memory_options){ .seed = lost, .late_turns = 2, .lose_at = lost, .lose_every = 5 }, "");
		start_draining(&s);
		for (int i = 0; i < 6; i++) {
			assert_int_equal(deliver(&s, "{" VIEWED ",\"userId\":\"u-1\"}").status, 200);
			assert_int_equal(deliver(&s, "{" VIEWED ",\"anonymousId\":\"a-1\"}").status, 200);
		}
		turn_until_empty(&s);
		assert_true(count(&s, FW_COUNT_SPOOLED) > 0);
		assert_int_equal(times(&s, "u-1"), 6);
		assert_int_equal(times(&s, "anonymous:a-1"), 6);
		assert_int_equal(count(&s, FW_COUNT_EVENTS_STORED) + count(&s, FW_COUNT_EVENTS_REPEATED), 12);
		close_shop(&s);
	}
}

/* Whether an event is too late is judged by when it came, not by when the store was back. */
static void test_received_time(void **state)
{
	struct shop s;
	char json[400], at[24];
	(void)state;
	open_shop(&s, &(struct memory_options){ .seed = 4 }, "");
	memory_store_set_away(s.store, true);
	snprintf(at, sizeof at, "%lld", (long long)(fw_now_us() / 1000 - 47 * INT64_C(3600000)));
	snprintf(json, sizeof json, "{" VIEWED ",\"userId\":\"u-1\",\"timestamp\":%s}", at);
	assert_int_equal(deliver(&s, json).status, 200);
	clock_ahead_us = INT64_C(5) * 3600 * 1000000;
	memory_store_set_away(s.store, false);
	start_draining(&s);
	turn_until_empty(&s);
	assert_int_equal(times(&s, "u-1"), 1);
	assert_int_equal(count(&s, FW_COUNT_LETTERS), 0);
	close_shop(&s);
}

/* What a write key's request proved and what was found out of it is kept; its signature is not. */
static void test_proof(void **state)
{
	static const char signed_[] = "{\"batch\":[{\"type\":\"identify\",\"userId\":\"u-1\",\"anonymousId\":\"0123456789abcdef\","
		"\"traits\":{\"plan\":\"pro\"},\"messageId\":\"m1\"}],\"context\":{\"userHash\":"
		"\"00d01e9947a7d9b071652f1faee0c6df72a8ee179ef24a1ba3322f7961270044\",\"locale\":\"de-DE\"},"
		"\"sentAt\":\"2026-11-26T08:00:00Z\"}";
	static const char unsigned_[] = "{\"type\":\"identify\",\"userId\":\"u-2\",\"anonymousId\":\"fedcba9876543210\","
		"\"traits\":{\"plan\":\"pro\"}}";
	struct shop s;
	struct fw_held h;
	struct store_outcome rows;
	(void)state;
	open_shop(&s, &(struct memory_options){ .seed = 5 }, "keys = { write = { \"w\" }, secret = { \"s\" }, identity = \"k\" }");
	memory_store_set_away(s.store, true);
	struct answer a = send_as(&s, false, signed_);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(a.text, "\"accepted\":1"));
	assert_int_equal(send_as(&s, false, unsigned_).status, 200);
	rows = store_scan(&s.t, s.held, 0, "Q", (struct fw_str){ NULL, 0 }, 10);
	assert_int_equal(rows.n, 2);
	assert_null(memmem(rows.rows[0].value.p, rows.rows[0].value.n, "00d01e99", 8));
	assert_int_equal(fw_held_read(&s.t.arena, &rows.rows[0], &h), 0);
	assert_true(fw_str_is(h.sender, "signed") && fw_str_is(h.sent_at, "2026-11-26T08:00:00Z") && h.behaviour && h.n_ids == 2);
	assert_true(fw_str_is(fw_json_text(h.context, "locale"), "de-DE"));
	assert_int_equal(fw_held_read(&s.t.arena, &rows.rows[1], &h), 0);
	assert_true(fw_str_is(h.sender, "write") && h.n_ids == 1);
	memory_store_set_away(s.store, false);
	start_draining(&s);
	turn_until_empty(&s);
	while (ask(&s, "u-1", "show").status == 404) /* the user's row is told a little later */
		event_base_loop(s.t.base, EVLOOP_ONCE);
	assert_int_equal(ask(&s, "u-2", "show").status, 404); /* nobody proved to be this one */
	close_shop(&s);
}

static void test_full(void **state)
{
	struct shop s;
	(void)state;
	open_shop(&s, &(struct memory_options){ .seed = 6 }, "limits = { spool_events = 3 }");
	memory_store_set_away(s.store, true);
	assert_int_equal(deliver(&s, "[" TRACK("u-1", "m1") "," TRACK("u-2", "m2") "]").status, 200);
	struct answer a = deliver(&s, "[" TRACK("u-1", "m3") "," TRACK("u-2", "m4") "]");
	assert_int_equal(a.status, 503);
	assert_non_null(strstr(a.text, "out of reach"));
	assert_int_equal(count(&s, FW_COUNT_SPOOL_REFUSED), 2);
	assert_int_equal(deliver(&s, TRACK("u-1", "m5")).status, 200);
	memory_store_set_away(s.store, false);
	start_draining(&s);
	turn_until_empty(&s);
	assert_string_equal(handed, "m1 m2 m5 ");
	close_shop(&s);
}

/* Deep JSON is not nested deeper by being held, and what has to be escaped comes back. */
static void test_deep(void **state)
{
	struct shop s;
	char json[1000], deep[2 * FW_LIMIT_JSON_DEPTH] = "";
	(void)state;
	open_shop(&s, &(struct memory_options){ .seed = 7 }, "");
	memset(deep, '[', FW_LIMIT_JSON_DEPTH - 2);
	memset(deep + FW_LIMIT_JSON_DEPTH - 2, ']', FW_LIMIT_JSON_DEPTH - 2);
	snprintf(json, sizeof json, "{\"type\":\"track\",\"event\":\"a\\nb\\u0001\\u2028\",\"userId\":\"u-1\",\"messageId\":\"m1\","
		"\"properties\":{\"p\":%s}}", deep);
	memory_store_set_away(s.store, true);
	assert_int_equal(deliver(&s, json).status, 200);
	memory_store_set_away(s.store, false);
	start_draining(&s);
	turn_until_empty(&s);
	assert_string_equal(handed, "m1 ");
	assert_non_null(strstr(ask(&s, "u-1", "timeline").text, "a\\nb\\u0001"));
	close_shop(&s);
}

/* A row that cannot be read holds up nobody, nor does a person whose record cannot. */
static void test_damaged(void **state)
{
	struct shop s;
	(void)state;
	open_shop(&s, &(struct memory_options){ .seed = 8 }, "");
	assert_int_equal(deliver(&s, TRACK("u-bad", "m0")).status, 200);
	struct memory_store *m = (struct memory_store *)s.store;
	for (struct memory_row *row = m->rows; row; row = row->next)
		if (row->key.p[0] == 'P' && row->value.n > 20)
			((char *)(uintptr_t)row->value.p)[0] ^= 0x55;
	memory_store_set_away(s.store, true);
	assert_int_equal(store_put(&s.t, s.held, 0, "Q0123456789abcdefghij", "{\"sender\":\"nobody\"}\n\n{}", FW_VERSION_ANY).rc, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(deliver(&s, "[" TRACK("u-1", "m1") "," TRACK("u-bad", "m2") "," TRACK("u-2", "m3") "]").status, 200);
	memory_store_set_away(s.store, false);
	start_draining(&s);
	turn_until_empty(&s);
	assert_int_equal(times(&s, "u-1"), 1);
	assert_int_equal(times(&s, "u-2"), 1);
	unsigned letters = 0;
	for (const struct memory_row *row = m->rows; row; row = row->next)
		letters += row->key.p[0] == 'D' && strstr(row->value.p, "not_applied") != NULL;
	assert_int_equal(letters, 3);
	close_shop(&s);
}

/* The keeper is killed, and a worker with it, again and again while events come, the store goes and comes, and loses answers. */
static void test_crashes(void **state)
{
	struct shop s;
	uint64_t random = 99;
	int sent = 0;
	(void)state;
	open_shop(&s, &(struct memory_options){ .seed = 9, .late_turns = 4, .lose_at = 3, .lose_every = 11 }, "");
	start_draining(&s);
	for (int round = 0; round < 60; round++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		unsigned what = (unsigned)(random >> 33) % 6;
		if (what == 0)
			memory_store_set_away(s.store, true);
		else if (what == 1)
			memory_store_set_away(s.store, false);
		else if (what == 2 && round % 4 == 0) {
			store_keeper_stop(&s.t, SIGKILL);
			store_keeper_start(&s.t);
		} else if (what == 3 && round % 3 == 0) {
			fw_drain_close(s.drain);
			fw_spool_close(&s.spool);
			memory_give_up((struct memory_store *)s.store);
			fw_store_close(s.held);
			fw_drain_destroy(s.drain);
			fw_engine_worker_destroy(s.worker);
			fw_people_destroy(s.people);
			fw_spool_finish(&s.spool);
			s.held = store_open(&s.t);
			start_worker(&s);
			start_draining(&s);
		}
		char json[400];
		snprintf(json, sizeof json, "[" TRACK("u-1", "m%d") ",{" VIEWED ",\"userId\":\"u-%d\"}]", sent, 2 + sent % 3);
		struct answer a;
		do {
			a = deliver(&s, json);
		} while (a.status != 200);
		sent++;
		for (unsigned i = 0; i < what * 5; i++)
			event_base_loop(s.t.base, EVLOOP_NONBLOCK);
	}
	memory_store_set_away(s.store, false);
	turn_until_empty(&s);
	assert_int_equal(times(&s, "u-1"), sent);
	close_shop(&s);
}

struct erased {
	unsigned came;
	int rc;
	struct fw_receipt receipt;
};

static void on_erased(void *ctx, int rc, const struct fw_receipt *receipt)
{
	struct erased *e = ctx;
	*e = (struct erased){ e->came + 1, rc, *receipt };
}

/* Whether the spool's file has the text anywhere, in what was deleted, too. */
static bool file_has(const struct shop *s, const char *text)
{
	char path[TEMPORARY_PATH + 32];
	snprintf(path, sizeof path, "%s/data.mdb", s->t.data);
	FILE *f = fopen(path, "re");
	struct stat st;
	assert_true(f && fstat(fileno(f), &st) == 0);
	char *bytes = malloc((size_t)st.st_size);
	assert_int_equal(fread(bytes, 1, (size_t)st.st_size, f), st.st_size);
	bool found = memmem(bytes, (size_t)st.st_size, text, strlen(text)) != NULL;
	free(bytes);
	fclose(f);
	return found;
}

static void on_swept(void *ctx, int rc)
{
	struct erased *e = ctx;
	e->came++;
	e->rc = rc;
}

/* Somebody is erased: what is held of the person does not bring it back, and the receipt waits until that is gone from the disk. */
static void test_erased(void **state)
{
	struct shop s;
	struct erased e = { 0 };
	struct fw_person_id who = { FW_PERSON_USER, FW_STR("u-1") };
	(void)state;
	open_shop(&s, &(struct memory_options){ .seed = 10 }, "");
	assert_int_equal(deliver(&s, TRACK("u-1", "m0")).status, 200);
	memory_store_set_away(s.store, true);
	assert_int_equal(deliver(&s, TRACK("u-1", "whispered")).status, 200);
	memory_store_set_away(s.store, false);
	fw_people_erase(s.people, &who, fw_now_us(), on_erased, &e);
	store_wait(&s.t, &e.came, 1);
	assert_int_equal(e.rc, 0);
	assert_int_equal(e.receipt.done_us, 0);
	assert_true(file_has(&s, "whispered"));
	start_draining(&s);
	turn_until_empty(&s);
	assert_int_equal(times(&s, "u-1"), 0);
	e.came = 0;
	fw_people_erase_sweep(s.people, 0, FW_STORE_BUCKETS, fw_now_us(), on_swept, &e);
	store_wait(&s.t, &e.came, 1);
	e.came = 0;
	fw_people_receipt(s.people, e.receipt.id, on_erased, &e);
	store_wait(&s.t, &e.came, 1);
	assert_true(e.receipt.done_us > 0 && e.receipt.scrubbed);
	assert_false(file_has(&s, "whispered"));
	assert_int_equal(deliver(&s, TRACK("u-1", "m9")).status, 200);
	assert_int_equal(times(&s, "u-1"), 1);
	close_shop(&s);
}

static void on_finished(void *ctx)
{
	++*(unsigned *)ctx;
}

/* A worker that ends waits until nothing is held, unless the store is out of reach or its time is up. */
static void test_finish(void **state)
{
	struct shop s;
	unsigned finished = 0;
	(void)state;
	open_shop(&s, &(struct memory_options){ .seed = 11, .late_turns = 3 }, "");
	memory_store_set_away(s.store, true);
	for (int i = 0; i < 700; i++) {
		char json[400];
		snprintf(json, sizeof json, TRACK("u-%d", "m%d"), i % 40, i);
		assert_int_equal(deliver(&s, json).status, 200);
	}
	start_draining(&s);
	int64_t hour_us = fw_monotonic_us() + INT64_C(3600000000);
	fw_drain_finish(s.drain, hour_us, on_finished, &finished);
	store_wait(&s.t, &finished, 1);
	assert_int_equal(fw_shared_held(s.shared), 700);
	assert_true(atomic_load(&s.shared->spool_oldest_us) > 0);
	memory_store_set_away(s.store, false);
	fw_drain_finish(s.drain, fw_monotonic_us() - 1, on_finished, &finished);
	store_wait(&s.t, &finished, 2);
	assert_true(fw_shared_held(s.shared) > 0);
	fw_drain_finish(s.drain, hour_us, on_finished, &finished);
	store_wait(&s.t, &finished, 3);
	assert_int_equal(fw_shared_held(s.shared), 0);
	assert_true(fw_spool_is_empty(&s.spool));
	assert_int_equal(times(&s, "u-7"), 18);
	close_shop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held_and_applied),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_no_more),
		cmocka_unit_test(test_lost_answers),
		cmocka_unit_test(test_received_time),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_crashes),
		cmocka_unit_test(test_erased),
		cmocka_unit_test(test_finish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
