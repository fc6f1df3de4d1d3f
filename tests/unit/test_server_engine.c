/* Questions that wait for the store: for the person's record, and for a place under a cap. The store's side is played by this
 * test, which answers at once or when it likes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "lib_temporary.h"
#include "server/engine_own.h"
#include "server/load_steps.h"
#include "base/folder.h"

static const char rules[] =
	"slot \"hero\" { channel = \"web\", default = { d = 1 } }\n"
	"slot \"strip\" { channel = \"web\" }\n"
	"rule \"ask\" { slot = \"hero\", priority = 9, show = { a = 1 } }\n"
	"rule \"half\" { slot = \"strip\", rollout = 50, show = { h = 1 } }\n"
	"rule \"often\" { slot = \"strip\", priority = 5, when = { visits = at_least(3) }, show = { o = 1 } }\n"
	"rule \"allowed\" { slot = \"strip\", priority = 4, when = { consent = \"ads\" }, show = { c = 1 } }\n"
	"slot \"plan\" { channel = \"web\" }\n"
	"rule \"pro\" { slot = \"plan\", when = { traits = { plan = \"pro\" } }, show = { p = 1 } }\n"
	"cap \"c\" { applies = { rule = \"ask\" }, limit = 2, per = \"1h\" }\n";

enum { MANY = 200 };

/* The store, played. A record is "CAP USES VISITS", of a known customer with a "k" behind; or "!" when it is damaged. */
struct call {
	fw_people_loaded loaded;
	fw_people_done done;
	void *ctx;
	struct fw_arena *arena;
};

static struct store {
	bool late;
	int load_rc, reserve_rcs[200];  /* of the reservations to come; 0 beyond */
	char record[64];
	struct call waiting[MANY];
	unsigned n_waiting, n_loads, n_settled, n_reserves;
	struct fw_person_id asked;
	struct fw_str asked_user;
	struct fw_reservation reserved;
	unsigned n_reserved;
	int64_t taken_ms; /* when the last of the uses was, if not 1 s ago */
} store;

static void keep_record(const char *text)
{
	snprintf(store.record, sizeof store.record, "%s", text);
}

static void answer_load(const struct call *c)
{
	struct fw_str copy = { NULL, strlen(store.record) };
	if (store.load_rc == 0 && copy.n)
		copy.p = fw_arena_strndup(c->arena, store.record, copy.n);
	bool known = copy.n && store.record[copy.n - 1] == 'k';
	const struct fw_person person = { .row = store.asked, .record = copy, .version = store.n_loads,
		.whose = { .is_open = !known || fw_str_is(store.asked_user, "u-k") } };
	c->loaded(c->ctx, store.load_rc, &person);
}

void __wrap_fw_people_load(struct fw_people *p, const struct fw_person_id *id, struct fw_str user, bool settled,
	struct fw_arena *arena, fw_people_loaded done, void *ctx);
void __wrap_fw_people_load(struct fw_people *p, const struct fw_person_id *id, struct fw_str user, bool settled,
	struct fw_arena *arena, fw_people_loaded done, void *ctx)
{
	struct call c = { .loaded = done, .ctx = ctx, .arena = arena };
	assert_ptr_equal(p, &store);
	store.n_loads++;
	store.n_settled += settled;
	store.asked = *id;
	store.asked_user = user;
	if (store.late)
		store.waiting[store.n_waiting++] = c;
	else
		answer_load(&c);
}

void __wrap_fw_people_reserve(struct fw_people *p, const struct fw_person *person, const struct fw_reservation *reservations, unsigned n,
	fw_people_done done, void *ctx);
void __wrap_fw_people_reserve(struct fw_people *p, const struct fw_person *person, const struct fw_reservation *reservations, unsigned n,
	fw_people_done done, void *ctx)
{
	int rc = store.n_reserves < 200 ? store.reserve_rcs[store.n_reserves] : 0;
	assert_ptr_equal(p, &store);
	assert_true(person->row.id.n > 0);
	assert_true(fw_str_equal(person->record, fw_str(store.record)));
	store.n_reserves++;
	store.reserved = reservations[0];
	store.n_reserved = n;
	if (store.late)
		store.waiting[store.n_waiting++] = (struct call){ .done = done, .ctx = ctx };
	else
		done(ctx, rc);
}

int __wrap_fw_profile_fill(struct fw_str bytes, struct fw_facts *f);
int __wrap_fw_profile_fill(struct fw_str bytes, struct fw_facts *f)
{
	unsigned uses, visits;
	if (bytes.n && bytes.p[0] == '!') {
		fw_facts_number(f, FW_FACT_VISITS, 100); /* half of it was read */
		return FW_EINVAL;
	}
	if (!bytes.n)
		return 0;
	assert_int_equal(sscanf(bytes.p, "%u %u", &uses, &visits), 2);
	struct fw_cap_use *at = fw_arena_alloc(f->arena, uses * sizeof *at);
	for (unsigned i = 0; at && i < uses; i++)
		at[i] = (struct fw_cap_use){ .cap = fw_hash("c", 1), .at_us = store.taken_ms && i + 1 == uses ? store.taken_ms * 1000
			: f->now_us - 1000000 };
	f->cap_uses = at;
	f->n_cap_uses = uses;
	fw_facts_number(f, FW_FACT_VISITS, visits);
	f->key = FW_STR("first");
	f->traits = FW_NEW(f->arena, struct fw_member);
	f->n_traits = 1;
	f->traits[0].name = FW_STR("plan");
	return at ? fw_value_text(f->arena, FW_STR("pro"), &f->traits[0].value) : FW_ENOMEM;
}

struct engine {
	struct fw_config *config;
	struct fw_engine *shared;
	struct fw_engine_worker *worker;
	struct fw_slot_page *page;
};

static void open_engine(struct engine *e, bool people, const char *more)
{
	char folder[TEMPORARY_PATH], file[TEMPORARY_PATH + 16], text[200];
	struct fw_report report;
	struct fw_error err = { .line = 0 };
	store = (struct store){ .late = false };
	fw_report_init(&report);
	temporary_folder(folder);
	snprintf(file, sizeof file, "%s/all.lua", folder);
	snprintf(text, sizeof text, "rules = \".\" compliance = false workers = 1 %s", more);
	assert_int_equal(fw_write_file(file, (struct fw_str){ rules, sizeof rules - 1 }, &err), 0);
	if (fw_config_parse(fw_str(text), "config", folder, &e->config, &err) < 0 ||
		fw_engine_load(e->config, &(struct fw_load_steps){ 0 }, &e->shared, &report) < 0)
		fail_msg("%s\n%s", err.message, fw_report_text(&report));
	fw_remove_tree(folder);
	fw_report_finish(&report);
	e->page = calloc(1, sizeof *e->page);
	e->worker = fw_engine_worker_create(e->shared, 0, e->page, NULL, people ? (struct fw_people *)&store : NULL, NULL);
	assert_non_null(e->worker);
}

static void close_engine(struct engine *e)
{
	assert_int_equal(e->worker->n_runs, e->worker->n_idle + (e->worker->sample != NULL)); /* all were answered */
	fw_engine_worker_destroy(e->worker);
	fw_engine_destroy(e->shared);
	fw_config_destroy(e->config);
	free(e->page);
}

static const struct fw_rule_counts *counts_of(const struct engine *e, const char *rule)
{
	return &e->worker->decider.counts.rules[fw_ruleset_rule(e->shared->set, fw_str(rule))];
}

/* One question and what came of it: "STATUS hero:RULE strip:RULE", and "degraded". */
struct question {
	struct fw_engine_ask ask;
	char said[200];
	unsigned answers;
};

static void put_winner(struct question *q, const struct fw_json *decisions, const char *slot)
{
	const struct fw_json *winners = fw_json_get(fw_json_get(decisions, slot), "winners");
	struct fw_str rule = winners && winners->child ? fw_json_text(winners->child, "rule") : FW_STR("-");
	snprintf(q->said + strlen(q->said), sizeof q->said - strlen(q->said), " %s:%.*s", slot, (int)rule.n, rule.p);
}

static void on_answer(void *ctx, int status, struct fw_buf *out)
{
	struct question *q = ctx;
	struct fw_arena a;
	struct fw_json *tree = NULL;
	fw_arena_init(&a, NULL, 0, 0);
	assert_false(out->failed);
	assert_int_equal(fw_json_parse(&a, out->data, out->n, &tree, NULL), 0);
	q->answers++;
	snprintf(q->said, sizeof q->said, "%d", status);
	const struct fw_json *decisions = fw_json_get(tree, "decisions");
	if (decisions) {
		put_winner(q, decisions, "hero");
		put_winner(q, decisions, "strip");
	} else {
		struct fw_str code = fw_json_text(fw_json_get(tree, "error"), "code");
		snprintf(q->said + strlen(q->said), sizeof q->said - strlen(q->said), " %.*s", (int)code.n, code.p ? code.p : "");
	}
	if (fw_json_get(tree, "degraded"))
		snprintf(q->said + strlen(q->said), sizeof q->said - strlen(q->said), " degraded");
	fw_arena_finish(&a);
}

static void ask(struct engine *e, struct question *q, const char *json)
{
	*q = (struct question){ .ask = { .secret = true, .json = fw_str(json) } };
	fw_engine_decide(e->worker, &q->ask, on_answer, q);
}

/* Asks, and is answered at once. */
static void expect(struct engine *e, const char *json, const char *said)
{
	struct question q;
	ask(e, &q, json);
	assert_int_equal(q.answers, 1);
	assert_string_equal(q.said, said);
}

static const char *const somebody = "{\"anonymousId\":\"a-2\"}"; /* whom half of the visitors do not include */

static void test_who_is_asked_for(void **state)
{
	(void)state;
	struct engine e;
	for (int i = 0; i < 3; i++)
		assert_int_equal(fw_rollout_point("half", fw_str((const char *[]){ "a-2", "u-7", "first" }[i])) < 50, i == 2);
	open_engine(&e, false, "");
	expect(&e, somebody, "200 hero:- strip:-"); /* without a store nobody is known, and nothing is amiss */
	close_engine(&e);

	open_engine(&e, true, "");
	expect(&e, "{}", "200 hero:- strip:-");
	expect(&e, "{\"anonymousId\":\"a-2\",\"context\":{\"userAgent\":\"Googlebot/2.1 (+http://www.google.com/bot.html)\"}}",
		"200 hero:- strip:-");
	assert_int_equal(store.n_loads, 0);
	expect(&e, somebody, "200 hero:ask strip:-");
	assert_int_equal(store.n_loads * 10 + store.n_reserves, 11);
	assert_int_equal(store.asked.kind, FW_PERSON_ANONYMOUS);
	assert_true(fw_str_is(store.asked.id, "a-2"));
	expect(&e, "{\"userId\":\"u-7\"}", "200 hero:ask strip:-");
	assert_int_equal(store.asked.kind, FW_PERSON_USER);
	expect(&e, "{\"anonymousId\":\"a-2\",\"userId\":\"u-7\"}", "200 hero:ask strip:-");
	assert_int_equal(store.asked.kind, FW_PERSON_ANONYMOUS);
	struct question q = { .ask = { .json = FW_STR("{\"userId\":\"u-7\"}") } }; /* only claims to be that user */
	fw_engine_decide(e.worker, &q.ask, on_answer, &q);
	assert_string_equal(q.said, "200 hero:- strip:-");
	assert_int_equal(store.n_loads, 3);
	/* The record has the key of rollouts, the facts, and what was used up. */
	keep_record("0 1");
	expect(&e, somebody, "200 hero:ask strip:half");
	keep_record("1 3");
	expect(&e, somebody, "200 hero:ask strip:often");
	keep_record("2 3");
	expect(&e, somebody, "200 hero:- strip:often");
	assert_int_equal(store.n_reserves, 5);
	assert_true(store.reserved.cap == fw_hash("c", 1) && store.reserved.rule == fw_hash("ask", 3));
	assert_int_equal(store.reserved.limit * 10000 + store.reserved.per_s, 23600);
	assert_int_equal(store.n_reserved, 1);
	assert_true(llabs(store.reserved.at_us - fw_now_us()) < 60000000);
	assert_int_equal(counts_of(&e, "ask")->won * 100 + counts_of(&e, "ask")->capped, 504);
	close_engine(&e);
}

/* Traits of a known customer are for those who prove to speak for him; an anonymous visitor's are his own. */
static void test_traits_of_a_customer(void **state)
{
	(void)state;
	static const struct { const char *record; bool secret, shown; } cases[] = {
		{ "0 3", false, true }, { "0 3k", false, false }, { "0 3k", true, true }, { "0 3", true, true },
	};
	struct engine e;
	open_engine(&e, true, "");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct question q = { .ask = { .secret = cases[i].secret, .json = FW_STR("{\"anonymousId\":\"a-2-0123456789abcdef\"}") } };
		keep_record(cases[i].record);
		uint64_t before = counts_of(&e, "pro")->won;
		fw_engine_decide(e.worker, &q.ask, on_answer, &q);
		assert_string_equal(q.said, "200 hero:ask strip:often"); /* behaviour is read in any case */
		assert_int_equal(counts_of(&e, "pro")->won - before, cases[i].shown);
	}
	close_engine(&e);
}

static void test_what_cannot_be_read(void **state)
{
	(void)state;
	struct engine e;
	open_engine(&e, true, "");
	keep_record("0 3");
	static const int troubles[] = { FW_EAWAY, FW_EIO };
	for (size_t i = 0; i < 2; i++) {
		store.load_rc = troubles[i];
		expect(&e, somebody, "200 hero:- strip:- degraded");
	}
	store.load_rc = FW_ENOMEM;
	expect(&e, somebody, "413 too_large");
	store.load_rc = 0;
	keep_record("!");
	expect(&e, somebody, "200 hero:- strip:- degraded"); /* no half of a record either */
	keep_record("0 3");
	expect(&e, somebody, "200 hero:ask strip:often");
	close_engine(&e);
}

/* What a place allows, somebody whose record cannot be read may have refused. */
static void test_consent_that_cannot_be_read(void **state)
{
	(void)state;
	static const char told[] = "{\"anonymousId\":\"a-2\",\"context\":{\"consent\":{\"categoryPreferences\":{\"ads\":true}}}}";
	struct engine e;
	open_engine(&e, true, "consent = { default = { ads = 'granted' } }");
	expect(&e, somebody, "200 hero:ask strip:allowed");
	expect(&e, "{}", "200 hero:- strip:allowed"); /* nobody refused anything */
	store.load_rc = FW_EAWAY;
	expect(&e, somebody, "200 hero:- strip:- degraded");
	expect(&e, told, "200 hero:- strip:allowed degraded");
	store.load_rc = 0;
	keep_record("!");
	expect(&e, somebody, "200 hero:- strip:- degraded");
	close_engine(&e);
}

static void test_what_cannot_be_reserved(void **state)
{
	(void)state;
	struct engine e;
	static const int troubles[] = { FW_EAWAY, FW_EFULL, FW_EBUSY, FW_EIO, FW_ENOMEM };
	open_engine(&e, true, "");
	keep_record("0 3");
	memcpy(store.reserve_rcs, troubles, sizeof troubles);
	for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++)
		expect(&e, somebody, "200 hero:- strip:often"); /* the rest is shown, and nothing was out of reach */
	assert_int_equal(store.n_loads, 5);
	assert_int_equal(e.worker->decider.counts.all->decisions, 5);
	assert_int_equal(counts_of(&e, "ask")->won * 100 + counts_of(&e, "ask")->capped, 5);
	assert_int_equal(counts_of(&e, "often")->won, 5); /* once each, though decided twice */
	expect(&e, somebody, "200 hero:ask strip:often");
	close_engine(&e);
}

static void test_conflicts(void **state)
{
	(void)state;
	struct engine e;
	open_engine(&e, true, "");
	keep_record("1 3");
	store.reserve_rcs[0] = store.reserve_rcs[1] = FW_ECONFLICT;
	expect(&e, somebody, "200 hero:ask strip:often");
	assert_int_equal(store.n_loads * 100 + store.n_settled * 10 + store.n_reserves, 323);
	assert_int_equal(counts_of(&e, "ask")->won, 1);
	/* Meanwhile somebody else took the last place. */
	struct question q;
	store.late = true;
	ask(&e, &q, somebody);
	assert_int_equal(store.n_waiting, 1);
	store.n_waiting = 0;
	answer_load(&store.waiting[0]);
	assert_int_equal(store.n_waiting, 1);
	keep_record("2 3");
	store.late = false;
	store.waiting[0].done(store.waiting[0].ctx, FW_ECONFLICT);
	assert_string_equal(q.said, "200 hero:- strip:often");
	assert_int_equal(counts_of(&e, "ask")->won * 100 + counts_of(&e, "ask")->capped, 101);
	assert_int_equal(counts_of(&e, "often")->won, 2);
	/* Without an end it ends. */
	keep_record("0 3");
	store.n_reserves = store.n_loads = 0;
	for (int i = 0; i < 200; i++)
		store.reserve_rcs[i] = FW_ECONFLICT;
	expect(&e, somebody, "200 hero:- strip:often");
	assert_int_equal(store.n_reserves, FW_LIMIT_RESERVE_TRIES);
	assert_int_equal(store.n_loads, FW_LIMIT_RESERVE_TRIES);
	close_engine(&e);
}

/* Many at once, answered in any order; each gets its own answer, and the memory is that of the fewest. */
static void test_many_at_once(void **state)
{
	(void)state;
	static struct question qs[MANY];
	struct engine e;
	uint64_t random = 20261125;
	open_engine(&e, true, "limits = { max_inflight = 100 }");
	for (int round = 0; round < 20; round++) {
		unsigned refused = 0;
		store.late = true;
		store.n_waiting = 0;
		keep_record(round % 2 ? "0 3" : "2 1");
		for (unsigned i = 0; i < 120; i++) {
			char json[200];
			snprintf(json, sizeof json, "{\"anonymousId\":\"a-%u\",\"slots\":[\"%s\",\"none-%u\"]}", i, i % 3 ? "hero"
				: "strip", i);
			char *kept = strdup(json);
			ask(&e, &qs[i], kept);
			if (qs[i].answers) {
				assert_string_equal(qs[i].said, "503 unavailable");
				refused++;
			}
			free(kept); /* read before anything waits */
		}
		assert_in_range(refused, 19, 20);
		while (store.n_waiting) {
			random = random * 6364136223846793005 + 1442695040888963407;
			unsigned i = (unsigned)(random >> 33) % store.n_waiting;
			struct call c = store.waiting[i];
			store.waiting[i] = store.waiting[--store.n_waiting];
			if (c.loaded)
				answer_load(&c);
			else
				c.done(c.ctx, 0);
		}
		for (unsigned i = 0; i < 120; i++) {
			assert_int_equal(qs[i].answers, 1);
			if (qs[i].said[0] == '2')
				assert_string_equal(qs[i].said, i % 3 ? round % 2 ? "200 hero:ask strip:-" : "200 hero:- strip:-"
					: round % 2 ? "200 hero:- strip:often" : "200 hero:- strip:half");
		}
		fw_engine_turned(e.worker);
		assert_in_range(e.worker->n_idle, 1, 64);
	}
	close_engine(&e);
}

/* What is looked at more closely is what was shown, even when its answer had to wait. */
static void test_sampling(void **state)
{
	(void)state;
	struct engine e;
	open_engine(&e, true, "");
	keep_record("0 3");
	for (int i = 0; i < 2 * FW_SAMPLE_EVERY; i++) {
		struct question q;
		store.late = true;
		ask(&e, &q, somebody);
		while (store.n_waiting) {
			struct call c = store.waiting[--store.n_waiting];
			if (c.loaded)
				answer_load(&c);
			else
				c.done(c.ctx, 0);
		}
		assert_string_equal(q.said, "200 hero:ask strip:often");
		assert_int_equal(e.worker->sample != NULL, i % FW_SAMPLE_EVERY == FW_SAMPLE_EVERY - 1);
		fw_engine_turned(e.worker);
	}
	assert_int_equal(e.worker->decider.counts.all->sampled, 2);
	assert_int_equal(counts_of(&e, "ask")->matched * 100 + counts_of(&e, "ask")->beaten, 200);
	assert_int_equal(counts_of(&e, "half")->matched * 100 + counts_of(&e, "half")->beaten, 202);
	assert_int_equal(e.worker->n_runs, 1); /* given back before the next question */
	close_engine(&e);
}

/* Every allocation of core/ goes through here. */
static unsigned allocations;
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
	allocations++;
	return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	allocations++;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	allocations++;
	return __real_realloc(p, n);
}

static void ignore(void *ctx, int status, struct fw_buf *out)
{
	(void)out;
	*(int *)ctx = status;
}

static void test_no_heap_once_warm(void **state)
{
	(void)state;
	struct engine e;
	open_engine(&e, true, "");
	keep_record("1 3");
	unsigned before = 0;
	for (int i = 0; i < 1000; i++) {
		struct fw_engine_ask question = { .secret = true, .json = fw_str(somebody) };
		int status = 0;
		if (i == 600) /* the sample's run is there, and its buffers */
			before = allocations;
		fw_engine_decide(e.worker, &question, ignore, &status);
		assert_int_equal(status, 200);
		fw_engine_turned(e.worker);
	}
	assert_int_equal(allocations - before, 0);
	close_engine(&e);
}

/* Of one who watches: what he shows is told in answers alone that are others. */
static const char *watch(struct engine *e, struct fw_engine_watch *w, const char *json)
{
	static struct question q;
	q = (struct question){ .ask = { .secret = true, .json = fw_str(json), .watch = w } };
	fw_engine_decide(e->worker, &q.ask, on_answer, &q);
	assert_int_equal(q.answers, 1);
	w->asked_before = true;
	return w->same ? w->moved ? "moved" : "same" : q.said;
}

static void test_watching(void **state)
{
	(void)state;
	struct engine e;
	struct fw_engine_watch w = { .n_rows = 0 };
	char tag[FW_SHOWN_TEXT];
	open_engine(&e, true, "");
	keep_record("1 1");
	assert_string_equal(watch(&e, &w, somebody), "200 hero:ask strip:half");
	assert_int_equal(w.knew + store.n_reserves * 10 + w.shown.n * 100 + w.n_rows * 1000, 1110);
	assert_true(w.rows[0] == fw_people_row_hash(&(struct fw_person_id){ FW_PERSON_ANONYMOUS, FW_STR("a-2") }));
	assert_int_equal(counts_of(&e, "ask")->won, 1);
	/* A place that was taken for him counts as one of two that are gone; he does not need another. */
	struct fw_shown first = w.shown;
	store.taken_ms = first.places[0].at_ms;
	keep_record("2 1");
	assert_string_equal(watch(&e, &w, somebody), "same");
	assert_string_equal(watch(&e, &w, somebody), "same");
	assert_int_equal(store.n_reserves, 1);
	assert_int_equal(counts_of(&e, "ask")->won, 1);
	assert_int_equal(e.worker->decider.counts.all->decisions, 1);
	expect(&e, somebody, "200 hero:- strip:half");
	/* Something else is new. */
	keep_record("2 3");
	assert_string_equal(watch(&e, &w, somebody), "200 hero:ask strip:often");
	assert_int_equal(w.knew + store.n_reserves * 10, 11);
	/* What is out of reach replaces nothing. */
	store.load_rc = FW_EAWAY;
	assert_string_equal(watch(&e, &w, somebody), "same");
	store.load_rc = 0;
	/* As somebody who comes back tells it, in another process; and as a page tells the decision that it was made with. */
	fw_shown_write(&w.shown, tag);
	struct fw_engine_watch back = { .n_rows = 0 };
	assert_true(fw_shown_read(fw_str(tag), &back.shown));
	assert_string_equal(watch(&e, &back, somebody), "same");
	char json[400];
	snprintf(json, sizeof json, "{\"anonymousId\":\"a-2\",\"shown\":[\"%08llx-%04llx-7000-8000-000000000000\"]}",
		(unsigned long long)first.places[0].at_ms >> 16, (unsigned long long)first.places[0].at_ms & 0xffff);
	struct fw_engine_watch page = { .n_rows = 0 };
	assert_string_equal(watch(&e, &page, json), "200 hero:ask strip:often");
	assert_int_equal(page.knew * 10 + (page.shown.places[0].rule == fw_hash("ask", 3)), 1);
	expect(&e, json, "200 hero:ask strip:often"); /* and so may anybody who decides */
	assert_int_equal(store.n_reserves, 1);
	/* A notice takes nothing. */
	store.taken_ms = 0;
	keep_record("1 3");
	struct fw_engine_watch notice = { .only_notice = true };
	assert_string_equal(watch(&e, &notice, somebody), "200 hero:ask strip:often");
	assert_string_equal(watch(&e, &notice, somebody), "same");
	keep_record("2 3");
	assert_string_equal(watch(&e, &notice, somebody), "200 hero:- strip:often");
	assert_int_equal(store.n_reserves, 1);
	/* What is no decision and no tag. */
	expect(&e, "{\"anonymousId\":\"a-2\",\"shown\":[\"x\"]}", "400 bad_request");
	expect(&e, "{\"anonymousId\":\"a-2\",\"shown\":7}", "400 bad_request");
	expect(&e, "{\"anonymousId\":\"a-2\",\"shown\":null}", "200 hero:- strip:often");
	close_engine(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_asked_for),
		cmocka_unit_test(test_traits_of_a_customer),
		cmocka_unit_test(test_what_cannot_be_read),
		cmocka_unit_test(test_consent_that_cannot_be_read),
		cmocka_unit_test(test_what_cannot_be_reserved),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_sampling),
		cmocka_unit_test(test_no_heap_once_warm),
		cmocka_unit_test(test_watching),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
