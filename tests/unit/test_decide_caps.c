/* Caps in a decision: when one is full, what is taken, until when, and what is counted once it is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib_generate.h"
#include "lib_rules.h"

#define SLOTS "slot \"a\" { channel = \"web\", show_up_to = 3 }\nslot \"b\" { channel = \"web\" }\nslot \"mail\" { channel = \"email\" }\n"
#define AT "2026-11-25T12:00:00Z"

enum { SECOND = 1000000 };
static const int64_t now = 1795608000000000; /* AT */

/* Uses of caps, by their ids, so many seconds ago. */
struct used {
	const char *cap;
	double ago_s;
};

static void visit(struct rules *r, const struct used *used, unsigned n)
{
	assert_int_equal(rules_visit(r, "{\"at\":\"" AT "\"}"), 0);
	assert_int_equal(r->facts.now_us, now);
	struct fw_cap_use *uses = FW_NEW_ARRAY(&r->arena, n, struct fw_cap_use);
	for (unsigned i = 0; i < n; i++)
		uses[i] = (struct fw_cap_use){
			.cap = fw_hash(used[i].cap, strlen(used[i].cap)), .at_us = now - (int64_t)(used[i].ago_s * SECOND),
		};
	r->facts.cap_uses = uses;
	r->facts.n_cap_uses = n;
}

/* The winners, and what became of the rule "x" by the cap `by`, for how long (seconds; 0: not said). */
static void expect(const char *text, const struct used *used, unsigned n, const char *winners, const char *reason, const char *by,
	double until_s)
{
	struct rules r;
	char why[600];
	rules_open(&r, text, NULL);
	visit(&r, used, n);
	assert_int_equal(rules_run(&r), 0);
	const char *won = rules_winners(&r), *became = rules_reason(&r, "x", why);
	if (strcmp(won, winners) != 0)
		fail_msg("%s\n  gave     %s\n  expected %s", text, won, winners);
	if (strcmp(became, reason) != 0 || (by && strcmp(why, by) != 0))
		fail_msg("%s\n  x is     %s: %s\n  expected %s: %s", text, became, why, reason, by ? by : "");
	for (uint32_t s = 0; s < r.explanation.n_slots; s++)
		for (uint32_t i = 0; i < r.explanation.slots[s].n; i++) {
			const struct fw_candidate *c = &r.explanation.slots[s].candidates[i];
			if (strcmp(r.set->rules[c->rule].id, "x") == 0 && c->verdict.reason == FW_REASON_CAPPED)
				assert_int_equal(c->until_us, until_s > 0 ? now + (int64_t)(until_s * SECOND) : 0);
		}
	rules_finish(&r);
}

static void test_within_a_window(void **state)
{
	(void)state;
	static const char *const text = SLOTS "rule \"x\" { slot = \"b\", priority = 9, show = {} }\nrule \"y\" { slot = \"b\", "
		"show = {} }\n"
		"cap \"c\" { applies = { rule = \"x\" }, limit = 2, per = \"1h\" }\n";
	expect(text, NULL, 0, "a:; b: x{}; mail:", "won", NULL, 0);
	expect(text, (struct used[]){ { "c", 60 } }, 1, "a:; b: x{}; mail:", "won", NULL, 0);
	expect(text, (struct used[]){ { "c", 60 }, { "c", 3000 } }, 2, "a:; b: y{}; mail:", "capped", "c", 600);
	expect(text, (struct used[]){ { "c", 3000 }, { "c", 60 } }, 2, "a:; b: y{}; mail:", "capped", "c", 600);
	/* To the microsecond: what is an hour old no longer counts. */
	expect(text, (struct used[]){ { "c", 60 }, { "c", 3599.999999 } }, 2, "a:; b: y{}; mail:", "capped", "c", 0.000001);
	expect(text, (struct used[]){ { "c", 60 }, { "c", 3600 } }, 2, "a:; b: x{}; mail:", "won", NULL, 0);
	/* Another cap's use is none of its own. */
	expect(text, (struct used[]){ { "c", 60 }, { "d", 60 }, { "", 60 } }, 3, "a:; b: x{}; mail:", "won", NULL, 0);
	/* More than the limit: two must leave, and the second to do so is the one of 2,000 s ago. */
	expect(text, (struct used[]){ { "c", 10 }, { "c", 2000 }, { "c", 3000 } }, 3, "a:; b: y{}; mail:", "capped", "c", 1600);
	expect(text, (struct used[]){ { "c", 10 }, { "c", 10 }, { "c", 10 } }, 3, "a:; b: y{}; mail:", "capped", "c", 3590);
	/* Clocks of two machines differ: what was shown in the future was shown. */
	expect(text, (struct used[]){ { "c", -5 }, { "c", 3000 } }, 2, "a:; b: y{}; mail:", "capped", "c", 600);
}

/* What an earlier winner of the same decision took counts too, and the strongest takes first, whatever its slot. */
static void test_within_one_decision(void **state)
{
	(void)state;
	static const char *const text = SLOTS "rule \"x\" { slot = \"a\", priority = %d, show = {} }\n"
		"rule \"y\" { slot = \"a\", priority = 4, show = {} }\nrule \"z\" { slot = \"b\", priority = 6, show = {} }\n"
		"rule \"free\" { slot = \"b\", priority = 1, show = {} }\n"
		"cap \"c\" { applies = { rule = { \"x\", \"y\", \"z\" } }, limit = %d, per = \"1d\" }\n";
	static const struct { int priority, limit; const char *winners, *reason; } cases[] = {
		{ 9, 3, "a: x{} y{}; b: z{}; mail:", "won" }, { 9, 2, "a: x{}; b: z{}; mail:", "won" },
			{ 9, 1, "a: x{}; b: free{}; mail:", "won" },
		{ 5, 3, "a: x{} y{}; b: z{}; mail:", "won" }, { 5, 2, "a: x{}; b: z{}; mail:", "won" },
			{ 5, 1, "a:; b: z{}; mail:", "capped" },
		{ 3, 2, "a: y{}; b: z{}; mail:", "capped" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char made[1000];
		snprintf(made, sizeof made, text, cases[i].priority, cases[i].limit);
		/* What is taken now leaves in a day. */
		expect(made, NULL, 0, cases[i].winners, cases[i].reason, cases[i].reason[0] == 'c' ? "c" : NULL, 86400);
		expect(made, (struct used[]){ { "c", 86400 } }, 1, cases[i].winners, cases[i].reason, NULL, 86400);
	}
}

static void test_in_order(void **state)
{
	(void)state;
	/* A guard is asked before a cap, a cap before `show`; what fails or is excluded takes nothing. */
	static const char *const all = SLOTS "rule \"x\" { slot = \"a\", priority = 9, only_one_of = \"one\", "
		"show = function(v) error(\"made\") end }\n"
		"rule \"y\" { slot = \"a\", only_one_of = \"one\", show = {} }\ncap \"c\" { limit = 1, per = \"1h\" }\n%s";
	char made[1000];
	snprintf(made, sizeof made, all, "");
	expect(made, NULL, 0, "a: y{}; b:; mail:", "failed", NULL, 0);
	expect(made, (struct used[]){ { "c", 5 } }, 1, "a:; b:; mail:", "capped", "c", 3595);
	snprintf(made, sizeof made, all, "guard \"g\" { applies = { rule = \"x\" }, require = { country = \"CA\" }, because = \"b\" }\n");
	expect(made, (struct used[]){ { "c", 5 } }, 1, "a:; b:; mail:", "vetoed", "g", 0);
	expect(SLOTS "rule \"x\" { slot = \"a\", priority = 5, only_one_of = \"one\", show = {} }\nrule \"w\" { slot = \"b\", "
		"priority = 9, "
		"only_one_of = \"one\", show = {} }\nrule \"y\" { slot = \"a\", show = {} }\n"
		"cap \"c\" { applies = { slot = \"a\" }, limit = 1, per = \"1h\" }\n",
		NULL, 0, "a: y{}; b: w{}; mail:", "excluded", "w", 0);
	/* The first cap that is full is named; all must have room. */
	expect(SLOTS "rule \"x\" { slot = \"a\", show = {} }\ncap \"c\" { limit = 5, per = \"1h\" }\ncap \"d\" { limit = 1, per "
		"= \"2h\" }\n",
		(struct used[]){ { "c", 5 }, { "d", 5 } }, 2, "a:; b:; mail:", "capped", "d", 7195);
}

static void test_what_a_cap_applies_to(void **state)
{
	(void)state;
	static const struct { const char *cap, *rule; bool applies; } cases[] = {
		{ "", "", true }, { "applies = { channel = \"web\" },", "", true }, { "applies = { channel = \"email\" },", "", false },
		{ "applies = { slot = \"b\" },", "", true }, { "applies = { slot = \"a\" },", "", false },
		{ "applies = { tag = { \"t\", \"none\" }, slot = \"b\" },", "", true },
			{ "applies = { uses = \"behaviour\" },", "", false },
		{ "applies = { uses = \"behaviour\" },", "when = { visits = unknown() },", true },
		{ "applies = { uses = \"behaviour\" },", "when = function(v) return not v:known \"country\" or v.visits > 1 end,", false },
		{ "applies = { uses = \"behaviour\" },", "show = function(v) return { n = v.visits or 1 } end,", true },
		{ "applies = { uses = { \"device\", \"behaviour\" } },", "show = function(v) return { n = v.country or 1 } end,", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[1000];
		struct rules r;
		snprintf(text, sizeof text, SLOTS "rule \"x\" { slot = \"b\", tags = { \"t\" }, %s %s }\n"
			"rule \"y\" { slot = \"a\", tags = { \"none\" }, show = {} }\n"
			"cap \"c\" { %s limit = 1, per = \"1h\" }\n", cases[i].rule, strstr(cases[i].rule, "show") ? ""
				: "show = {}", cases[i].cap);
		rules_open(&r, text, NULL);
		visit(&r, (struct used[]){ { "c", 5 } }, 1);
		assert_int_equal(rules_run(&r), 0);
		if (r.decision.slots[1].n == cases[i].applies)
			fail_msg("%s %s: %s", cases[i].cap, cases[i].rule, rules_winners(&r));
		/* With room, it is reserved for exactly when it applies: what `show` read counts too. */
		visit(&r, NULL, 0);
		assert_int_equal(rules_run(&r), 0);
		assert_int_equal(r.decision.slots[1].n, 1);
		unsigned reserved = 0;
		for (uint32_t k = 0; k < r.decision.n_reservations; k++)
			reserved += r.decision.reservations[k].rule == fw_hash("x", 1);
		assert_int_equal(reserved, cases[i].applies);
		rules_finish(&r);
	}
}

/* Somebody who cannot be told from others has seen who knows what. */
static void test_out_of_reach(void **state)
{
	(void)state;
	struct rules r;
	char why[600];
	rules_open(&r, SLOTS "rule \"x\" { slot = \"b\", priority = 9, show = {} }\nrule \"y\" { slot = \"b\", show = {} }\n"
		"cap \"c\" { applies = { rule = \"x\" }, limit = 100, per = \"1h\" }\n", NULL);
	visit(&r, NULL, 0);
	r.facts.caps_in_reach = false;
	assert_int_equal(rules_run(&r), 0);
	assert_string_equal(rules_winners(&r), "a:; b: y{}; mail:");
	assert_string_equal(rules_reason(&r, "x", why), "capped");
	assert_string_equal(why, "c");
	assert_int_equal(r.explanation.slots[1].candidates[0].until_us, 0);
	assert_int_equal(r.decision.n_reservations, 0);
	rules_finish(&r);
}

static void test_what_is_reserved_and_counted(void **state)
{
	(void)state;
	struct rules r;
	rules_open(&r, SLOTS "rule \"x\" { slot = \"b\", priority = 9, show = {} }\nrule \"y\" { slot = \"b\", show = {} }\n"
		"rule \"v\" { slot = \"a\", priority = 5, show = {} }\nrule \"z\" { slot = \"a\", show = {} }\n"
		"rule \"f\" { slot = \"a\", show = function(v) error('f') end }\n"
		"guard \"g\" { applies = { rule = \"v\" }, require = { country = \"CA\" }, because = \"b\" }\n"
		"cap \"c\" { applies = { rule = \"x\" }, limit = 2, per = \"1h\" }\n"
		"cap \"d\" { applies = { slot = \"b\" }, limit = 7, per = \"2d\" }\n", NULL);
	uint32_t x = fw_ruleset_rule(r.set, FW_STR("x")), y = fw_ruleset_rule(r.set, FW_STR("y")), v = fw_ruleset_rule(r.set, FW_STR("v"));
	uint32_t f = fw_ruleset_rule(r.set, FW_STR("f")), z = fw_ruleset_rule(r.set, FW_STR("z"));
	const struct fw_counts *n = &r.decider.counts;
	visit(&r, (struct used[]){ { "c", 5 } }, 1);
	assert_int_equal(rules_run(&r), 0);
	assert_string_equal(rules_winners(&r), "a: z{}; b: x{}; mail:");
	assert_int_equal(r.decision.n_reservations, 2);
	assert_memory_equal(&r.decision.reservations[0], (&(struct fw_reservation){ fw_hash("c", 1), fw_hash("x", 1), now, 3600, 2 }),
		offsetof(struct fw_reservation, limit) + sizeof(uint32_t));
	assert_memory_equal(&r.decision.reservations[1], (&(struct fw_reservation){ fw_hash("d", 1), fw_hash("x", 1), now, 172800, 7 }),
		offsetof(struct fw_reservation, limit) + sizeof(uint32_t));
	/* Nothing is counted of what was not shown: the place may be lost to somebody else meanwhile. */
	struct fw_decision first = r.decision;
	assert_int_equal(n->all->decisions + n->rules[x].won + n->rules[z].won + n->rules[v].vetoed + n->rules[f].failed + n->vetoes[0], 0);
	uint32_t slots[] = { 0, 1 };
	r.facts.caps_in_reach = false;
	assert_int_equal(fw_decide(&r.decider, &r.facts, slots, 2, &r.arena, &r.decision), 0);
	assert_string_equal(rules_winners(&r), "a: z{}; b:");
	assert_int_equal(n->all->decisions, 1);
	assert_int_equal(n->rules[x].capped + n->rules[y].capped * 10 + n->rules[z].won * 100, 111);
	assert_int_equal(n->rules[v].vetoed * 10 + n->rules[f].failed, 11);
	assert_int_equal(n->vetoes[0] + n->refusals[0] * 10 + n->refusals[1] * 100, 111);
	assert_int_equal(n->all->slots_by_reason[FW_SLOT_RULE] * 10 + n->all->slots_by_reason[FW_SLOT_NONE], 11);
	/* The first, had its place been had: all of it is still there, though another decision was made meanwhile. */
	fw_decide_count(&r.decider, &first);
	assert_int_equal(n->all->decisions, 2);
	assert_int_equal(n->rules[x].won * 100 + n->rules[x].capped * 10 + n->rules[y].won, 110);
	assert_int_equal(n->rules[v].vetoed * 10 + n->rules[f].failed, 22);
	assert_int_equal(n->rules[x].last_us, now);
	assert_int_equal(n->all->slots_by_reason[FW_SLOT_RULE] * 10 + n->all->slots_by_reason[FW_SLOT_NONE], 32);
	rules_finish(&r);
}

/* What a cap left no place for was not beaten. */
static void test_sampling(void **state)
{
	(void)state;
	struct rules r;
	rules_open(&r, SLOTS "rule \"x\" { slot = \"b\", priority = 9, show = {} }\n"
		"rule \"y\" { slot = \"a\", show = {} }\nrule \"z\" { slot = \"b\", show = {} }\n"
		"cap \"c\" { applies = { rule = { \"x\", \"y\" } }, limit = 1, per = \"1h\" }\n", NULL);
	visit(&r, NULL, 0);
	assert_int_equal(rules_run(&r), 0);
	assert_string_equal(rules_winners(&r), "a:; b: x{}; mail:");
	fw_decide_sample(&r.decider, &r.facts, &r.decision, &r.arena);
	const struct fw_rule_counts *n = r.decider.counts.rules;
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(n[i].matched, 1);
	assert_int_equal(n[fw_ruleset_rule(r.set, FW_STR("x"))].beaten * 100 + n[fw_ruleset_rule(r.set, FW_STR("y"))].beaten * 10 +
		n[fw_ruleset_rule(r.set, FW_STR("z"))].beaten, 1);
	rules_finish(&r);
}

/* Random uses and caps against a count by hand; explaining finds the same winners as deciding. */
static void test_random(void **state)
{
	(void)state;
	struct generator g = { .state = 20261125 };
	fw_buf_init(&g.out, 0);
	for (int round = 0; round < 300; round++) {
		unsigned n_rules = 1 + below(&g, 8), n_caps = 1 + below(&g, 3), limits[3], n_used = below(&g, 12), left[3];
		static const char *const ids[] = { "c0", "c1", "c2" }, *const slots[] = { "a", "b", "mail" };
		bool under[8][3] = { 0 };
		unsigned slot_of[8], room[3] = { 3, 1, 1 };
		struct used used[12];
		fw_buf_clear(&g.out);
		PUT(&g, SLOTS);
		for (unsigned i = 0; i < n_rules; i++) /* in order of rank */
			PUT(&g, "rule \"r%u\" { slot = \"%s\", priority = %u, show = {} }\n", i, slots[slot_of[i] = below(&g, 3)], 100 - i);
		for (unsigned c = 0; c < n_caps; c++) {
			PUT(&g, "cap \"c%u\" { limit = %u, per = \"100s\", applies = { rule = { ", c, limits[c] = 1 + below(&g, 4));
			under[below(&g, n_rules)][c] = true;
			for (unsigned i = 0; i < n_rules; i++)
				if ((under[i][c] |= chance(&g, 40)))
					PUT(&g, "\"r%u\", ", i);
			PUT(&g, "} } }\n");
			left[c] = limits[c];
		}
		for (unsigned i = 0; i < n_used; i++) {
			unsigned c = below(&g, 3);
			used[i] = (struct used){ ids[c], below(&g, 201) };
			if (c < n_caps && used[i].ago_s < 100 && left[c])
				left[c]--;
		}
		struct fw_buf wanted[3];
		for (int s = 0; s < 3; s++)
			fw_buf_init(&wanted[s], 0);
		for (unsigned i = 0; i < n_rules; i++) {
			bool wins = room[slot_of[i]] > 0;
			for (unsigned c = 0; c < n_caps; c++)
				wins &= !under[i][c] || left[c] > 0;
			for (unsigned c = 0; wins && c < n_caps; c++)
				left[c] -= under[i][c];
			room[slot_of[i]] -= wins;
			if (wins)
				fw_buf_printf(&wanted[slot_of[i]], " r%u{}", i);
		}
		char winners[300];
		snprintf(winners, sizeof winners, "a:%s; b:%s; mail:%s", fw_buf_text(&wanted[0]), fw_buf_text(&wanted[1]),
			fw_buf_text(&wanted[2]));
		struct rules r;
		char why[600];
		rules_open(&r, fw_buf_text(&g.out), NULL);
		visit(&r, used, n_used);
		assert_int_equal(rules_run(&r), 0);
		if (strcmp(rules_winners(&r), winners) != 0)
			fail_msg("round %d\n%s  gave     %s\n  expected %s", round, fw_buf_text(&g.out), rules_winners(&r), winners);
		rules_reason(&r, "r0", why);
		for (uint32_t s = 0; s < 3; s++) {
			assert_int_equal(r.explanation.slots[s].n_winners, r.decision.slots[s].n);
			for (uint32_t i = 0; i < r.decision.slots[s].n; i++)
				assert_int_equal(r.explanation.slots[s].winners[i].rule, r.decision.slots[s].winners[i].rule);
		}
		rules_finish(&r);
		for (int s = 0; s < 3; s++)
			fw_buf_finish(&wanted[s]);
	}
	fw_buf_finish(&g.out);
}

/* A person: a record as the store has it, from one decision to the next. */
struct person {
	struct fw_arena arena;
	struct fw_buf bytes;
};

static void write_record(struct person *p, const struct fw_record *r)
{
	fw_buf_clear(&p->bytes);
	fw_record_write(r, &p->bytes);
	assert_false(p->bytes.failed);
}

/* Decides as that person, at that many seconds after `now`, reserves what is won, and says whether "x" was. */
static bool shows(struct rules *r, struct person *p, double at_s)
{
	struct fw_record *record;
	struct fw_str bytes = { p->bytes.data, p->bytes.n };
	visit(r, NULL, 0);
	r->facts.now_us = now + (int64_t)(at_s * SECOND);
	r->facts.key = FW_STR("");
	assert_int_equal(fw_profile_fill(bytes, &r->facts), 0);
	assert_int_equal(rules_run(r), 0);
	assert_int_equal(fw_record_read(&p->arena, bytes, &record, NULL), 0);
	for (uint32_t i = 0; i < r->decision.n_reservations; i++)
		assert_int_equal(fw_record_reserve(record, &r->decision.reservations[i]), 0);
	write_record(p, record);
	return strstr(rules_winners(r), "x{") != NULL;
}

/* The page says that the rule was seen. */
static void view(struct person *p, const char *rule, double at_s)
{
	static const struct fw_profile_options options = { .currency = "EUR", .behaviour = true };
	struct fw_event_frame frame = { .type = -1, .received_us = now + (int64_t)(at_s * SECOND) };
	struct fw_refusal refusal;
	struct fw_effects effects;
	struct fw_record *record;
	struct fw_json *json;
	struct fw_event event;
	const char *text = fw_arena_printf(&p->arena, "{\"type\":\"track\",\"event\":\"Promotion Viewed\",\"anonymousId\":\"a-1\","
		"\"properties\":{\"promotion_id\":\"%s\"}}", rule);
	assert_int_equal(fw_json_parse(&p->arena, text, strlen(text), &json, NULL), 0);
	assert_int_equal(fw_event_read(&p->arena, json, &frame, &event, &refusal), 0);
	assert_int_equal(fw_record_read(&p->arena, (struct fw_str){ p->bytes.data, p->bytes.n }, &record, NULL), 0);
	assert_int_equal(fw_profile_apply(record, &event, &options, &effects), 0);
	write_record(p, record);
}

/* A place that nobody confirms is free again after half an hour; one that was seen is taken until its window is over. */
static void test_lapse_and_confirmation(void **state)
{
	(void)state;
	enum { MINUTES = 60, HOURS = 3600 };
	struct rules r;
	struct person p;
	rules_open(&r, SLOTS "rule \"x\" { slot = \"b\", show = {} }\ncap \"c\" { limit = 2, per = \"1d\" }\n", NULL);
	fw_arena_init(&p.arena, NULL, 0, 0);
	fw_buf_init(&p.bytes, 0);
	write_record(&p, fw_record_new(&p.arena, FW_STR("a-1")));
	assert_true(shows(&r, &p, 0));
	assert_true(shows(&r, &p, 10));
	assert_false(shows(&r, &p, 20));
	view(&p, "x", 30); /* one of the two */
	view(&p, "y", 30);
	assert_false(shows(&r, &p, 30 * MINUTES));
	assert_true(shows(&r, &p, 30 * MINUTES + 20)); /* the other has lapsed */
	assert_false(shows(&r, &p, 31 * MINUTES));
	view(&p, "x", 40 * MINUTES);
	assert_false(shows(&r, &p, 5 * HOURS));
	assert_false(shows(&r, &p, 24 * HOURS - 1));
	assert_true(shows(&r, &p, 24 * HOURS + 1));
	assert_false(shows(&r, &p, 24 * HOURS + 2));
	fw_buf_finish(&p.bytes);
	fw_arena_finish(&p.arena);
	rules_finish(&r);
}

/* What somebody has taken, and still shows, is not taken again: by the rule it was taken for, or by any where that is not known. */
static void test_own_places(void **state)
{
	(void)state;
	static const char *const text = SLOTS "rule \"x\" { slot = \"a\", priority = 9, show = {} }\n"
		"rule \"y\" { slot = \"a\", priority = 4, show = {} }\n"
		"cap \"c\" { applies = { rule = { \"x\", \"y\" } }, limit = 1, per = \"1d\" }\n";
	const uint64_t x = fw_hash("x", 1), y = fw_hash("y", 1), cap = fw_hash("c", 1);
	const struct {
		struct fw_cap_use use;
		const char *winners;
		unsigned reservations, places;
		uint64_t rule;
	} cases[] = {
		{ { .cap = cap, .rule = x, .own = true }, "a: x{}; b:; mail:", 0, 1, x },
		{ { .cap = cap, .rule = y, .own = true }, "a: y{}; b:; mail:", 0, 1, y },
		{ { .cap = cap, .own = true }, "a: x{} y{}; b:; mail:", 0, 2, x },
		{ { .cap = cap, .rule = x, .pending = true }, "a:; b:; mail:", 0, 0, 0 },
		{ { .cap = cap + 1, .rule = x, .own = true }, "a: x{}; b:; mail:", 1, 1, x },
		{ { .cap = cap + 1, .rule = 7, .own = true, .pending = true }, "a: x{}; b:; mail:", 1, 2, x }, /* it may come back */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rules r;
		struct fw_cap_place places[4];
		struct fw_cap_use use = cases[i].use;
		use.at_us = now - 60 * SECOND;
		rules_open(&r, text, NULL);
		visit(&r, NULL, 0);
		r.facts.cap_uses = &use;
		r.facts.n_cap_uses = 1;
		assert_int_equal(rules_run(&r), 0);
		assert_string_equal(rules_winners(&r), cases[i].winners);
		assert_int_equal(r.decision.n_reservations, cases[i].reservations);
		assert_int_equal(fw_decide_places(r.set, &r.facts, &r.decision, places, 4), cases[i].places);
		if (cases[i].places) {
			assert_true(places[0].rule == cases[i].rule);
			assert_int_equal(places[0].at_ms, (cases[i].reservations ? r.decision.at_us : use.at_us) / 1000);
		}
		assert_int_equal(fw_decide_places(r.set, &r.facts, &r.decision, places, 1), cases[i].places > 0);
		rules_finish(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_within_a_window),
		cmocka_unit_test(test_within_one_decision),
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_what_a_cap_applies_to),
		cmocka_unit_test(test_out_of_reach),
		cmocka_unit_test(test_what_is_reserved_and_counted),
		cmocka_unit_test(test_sampling),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_lapse_and_confirmation),
		cmocka_unit_test(test_own_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
