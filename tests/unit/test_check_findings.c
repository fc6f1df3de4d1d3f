/* What the checker says of small rule sets: each kind of finding, with its message, its hint and the visitor it shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "check/check.h"
#include "lib_rules.h"

#define SLOT "slot \"s\" { channel = \"web\", default = {} }\n"
#define RULE(id, fields) "rule \"" id "\" { slot = \"s\", show = { r = \"" id "\" }, " fields " }\n"

static int64_t now_us(void)
{
	struct fw_civil c;
	assert_true(fw_civil_parse(FW_STR("2026-06-01T12:00Z"), &c));
	return (c.days * 86400 + c.second) * 1000000;
}

/* The findings, a line each: "line code message visitor"; a code with "?" is possible, with "!" not determined. */
static void expect(const char *text, const char *compliance, const char *wanted)
{
	static const char *const verdicts[] = { "", "?", "!" };
	struct rules r;
	struct fw_arena arena;
	struct fw_findings f;
	struct fw_buf said;
	fw_buf_init(&said, 0);
	fw_arena_init(&arena, NULL, 0, 0);
	rules_open(&r, text, compliance);
	assert_int_equal(fw_check(&r.decider, r.zones, now_us(), &arena, &f), 0);
	for (uint32_t i = 0; i < f.n; i++) {
		const struct fw_finding *x = &f.items[i];
		fw_buf_printf(&said, "%d %s%s %s", x->place.line, fw_finding_name(x->code), verdicts[x->verdict], x->message);
		if (x->witness.n)
			fw_buf_printf(&said, " %.*s", (int)x->witness.n, x->witness.p);
		fw_buf_putc(&said, '\n');
	}
	assert_string_equal(fw_buf_text(&said), wanted);
	fw_buf_finish(&said);
	rules_finish(&r);
	fw_arena_finish(&arena);
}

static void test_contradictions(void **state)
{
	(void)state;
	expect(SLOT RULE("a", "when = all { { country = \"CA\" }, { country = { \"NO\", \"SE\" } } }"), NULL,
		"2 contradiction rule \"a\": `when` contradicts itself, no visitor can match: no value of country is \"CA\" and "
		"{ \"NO\", \"SE\" } at once\n");
	expect(SLOT RULE("a", "when = all { { visits = more_than(3) }, { visits = less_than(4) } }"), NULL,
		"2 contradiction rule \"a\": `when` contradicts itself, no visitor can match: no value of visits is more_than(3) and "
		"less_than(4) at once\n");
	expect(SLOT RULE("a", "when = { viewed = { category = \"boots\", within = \"7d\", at_least = 3 }, "
		"none { viewed = { category = \"boots\", within = \"30d\" } } }"), NULL,
		"2 contradiction rule \"a\": `when` contradicts itself, no visitor can match: no value of viewed { category = "
			"\"boots\", within = "
		"\"7d\" } is at_least(3) while so little is counted in all, or in a longer time\n");
	/* A segment, used or not; a rule may do without it. */
	expect("segment \"x\" { when = all { { country = \"CA\" }, { country = \"NO\" } } }\n"
		SLOT RULE("a", "when = any { { segment = \"x\" }, { visits = 1 } }"), NULL,
		"1 contradiction segment \"x\": `when` contradicts itself, no visitor can match: no value of country is \"CA\" and "
		"\"NO\" at once\n");
	/* A list-valued trait can be both. */
	expect(SLOT RULE("a", "when = all { { traits = { plan = \"pro\" } }, { traits = { plan = \"club\" } } }"), NULL, "");
	expect(SLOT RULE("a", "when = all { { page = starts_with \"/sale\" }, { page = starts_with \"/new\" } }"), NULL,
		"2 contradiction rule \"a\": `when` contradicts itself, no visitor can match: no value of page is "
			"starts_with(\"/sale\") and "
		"starts_with(\"/new\") at once\n");
	expect(SLOT RULE("a", "when = { country = \"CA\", none { country = known() }, function(v) return true end }"), NULL,
		"2 contradiction rule \"a\": `when` contradicts itself, no visitor can match: no value of country is not known() and "
			"\"CA\" at "
		"once\n");
}

static void test_never_wins(void **state)
{
	(void)state;
	expect(SLOT RULE("a", "priority = 2, when = { country = { \"CA\", \"NO\" } }") RULE("b",
		"when = { country = \"CA\", device = \"mobile\" }"),
		NULL, "3 never_wins rule \"b\" can never win: \"a\" is of higher priority and matches every visitor that it matches\n");
	expect(SLOT RULE("a", "priority = 2, when = { device = { \"mobile\", \"tablet\" } }")
		RULE("b", "priority = 1, when = { device = is_not { \"mobile\", \"tablet\" } }") RULE("c",
			"when = { device = known() }"), NULL,
		"4 never_wins rule \"c\" can never win: \"a\" and \"b\" are stronger, and between them match every visitor that it "
			"matches\n");
	/* Whose device is not known is left for it. */
	expect(SLOT RULE("a", "priority = 2, when = { device = { \"mobile\", \"tablet\" } }")
		RULE("b", "priority = 1, when = { device = is_not { \"mobile\", \"tablet\" } }") RULE("c", "priority = -1"), NULL, "");
	/* Nor do a rollout, a cap, a group and dates that end hide anything. */
	expect(SLOT RULE("a", "priority = 9, rollout = 50") RULE("b", "priority = 8, only_one_of = \"x\"") RULE("c",
		"priority = 7, tags = { \"t\" }")
		RULE("d", "priority = 6, ends = \"2026-07-01\"") RULE("e", "") "cap \"c\" { applies = { tag = \"t\" }, limit = 1, per "
			"= \"1d\" }\n",
		NULL, "");
	/* Within one group it is hidden, and where a slot shows two it takes two. */
	expect("slot \"s\" { channel = \"web\", show_up_to = 2, default = {} }\n" RULE("a", "priority = 2, only_one_of = \"x\"")
		RULE("b", "priority = 1, only_one_of = \"x\"") RULE("c", ""), NULL,
		"3 never_wins rule \"b\" can never win: \"a\" is of higher priority and matches every visitor that it matches\n");
	expect("slot \"s\" { channel = \"web\", show_up_to = 2, default = {} }\n" RULE("a", "priority = 3") RULE("b",
		"priority = 2") RULE("c", ""),
		NULL, "4 never_wins rule \"c\" can never win: \"a\" and \"b\" are stronger, and between them fill the slot for every "
			"visitor that "
		"it matches\n");
	/* A function may fail. */
	expect(SLOT RULE("a", "priority = 2, when = { country = \"CA\", function(v) return true end }")
		RULE("b", "when = { country = \"CA\", function(v) return false end }"), NULL, "");
	expect(SLOT "rule \"a\" { slot = \"s\", priority = 2, when = { country = \"CA\" }, show = function(v) return { a = 1 } end }\n"
		RULE("b", "when = { country = \"CA\" }"), NULL,
		"3 never_wins? rule \"b\" can never win: \"a\" is of higher priority and matches every visitor that it matches\n");
}

#define TWO_SLOTS SLOT "slot \"o\" { channel = \"web\", default = {} }\nrule \"b\" { slot = \"o\", show = {} }\n"

static void test_guards(void **state)
{
	(void)state;
	expect(SLOT "guard \"g\" { require = { consent = \"email\" }, because = \"law\" }\n" RULE("a",
		"when = { consent = is_not \"email\" }"),
		NULL, "3 always_vetoed rule \"a\": guard \"g\" removes it for every visitor that it matches: law\n");
	expect(SLOT "guard \"g\" { require = { country = \"CA\" }, because = \"law\" }\n" RULE("a",
		"when = { country = \"CA\", device = \"bot\" }"),
		NULL, "2 guard_idle guard \"g\" never vetoes: whatever it applies to asks for as much by itself\n");
	expect(SLOT "guard \"g\" { require = { visits = at_least(2) }, forbid = { visits = at_least(1) }, because = \"law\" }\n"
		RULE("a", ""),
		NULL, "2 guard_closed guard \"g\" lets nobody through, whatever it applies to is never shown\n");
	expect(SLOT "guard \"g\" { applies = { tag = \"t\", slot = \"s\" }, require = { visits = 2 }, because = \"law\" }\n" RULE("a",
		"tags = { \"x\" }"),
		NULL, "2 no_such_tag guard \"g\" applies to the tag \"t\", and there is none\n3 unused_tag tag \"x\" (rule \"a\"): no "
			"guard and no cap "
		"names it\n");
	expect(SLOT RULE("a", ""), "guard \"g\" { require = { consent = { \"email\", \"sms\" } }, because = \"law\" }\n",
		"1 one_is_enough guard \"g\": `require` lists 2 purposes, and one of them is enough to get through\n");
	/* Each key fits some rule, and no rule fits all of them. The compliance folder is for every store. */
	expect(TWO_SLOTS "guard \"g\" { applies = { tag = \"t\", slot = \"o\" }, require = { visits = 2 }, because = \"law\" }\n"
		"cap \"c\" { applies = { tag = \"t\", slot = \"o\" }, limit = 1, per = \"1d\" }\n" RULE("a", "tags = { \"t\" }"), NULL,
		"4 unused_guard guard \"g\" applies to no rule\n5 unused_guard cap \"c\" applies to no rule\n");
	expect(TWO_SLOTS "guard \"g\" { applies = { tag = \"t\", slot = \"s\" }, require = { visits = 2 }, because = \"law\" }\n"
		"cap \"c\" { applies = { tag = \"t\", slot = \"s\" }, limit = 1, per = \"1d\" }\n" RULE("a", "tags = { \"t\" }"), NULL, "");
	expect(TWO_SLOTS RULE("a", "tags = { \"t\" }"),
		"guard \"g\" { applies = { tag = \"t\", slot = \"o\" }, require = { visits = 2 }, because = \"law\" }\n"
		"cap \"c\" { applies = { tag = \"t\", slot = \"o\" }, limit = 1, per = \"1d\" }\n", "");
	/* What only a browser told of a trait a guard does not believe: the one guard hides no rule whose guard asks for less. */
	expect(SLOT "guard \"g\" { applies = { rule = \"a\" }, require = { traits = { age = at_least(18) } }, because = \"law\" }\n"
		RULE("a", "priority = 1, when = { traits = { age = at_least(18) } }") RULE("b",
			"when = { traits = { age = at_least(18) } }"),
		NULL, "");
}

static void test_ties_and_slots(void **state)
{
	(void)state;
	expect(SLOT RULE("a", "when = { country = \"CA\" }") RULE("b", "when = { device = \"mobile\" }"), NULL,
		"3 tie rule \"b\" ties with \"a\": one visitor can match both, with priority 0 and 1 fact named, so that only their "
			"ids say which "
		"comes first {\"country\":\"CA\",\"device\":\"mobile\"}\n");
	/* Canada is not in the European Union; and a stronger rule settles it. */
	expect(SLOT RULE("a", "when = { country = \"CA\" }") RULE("b", "when = { in_eu = true }"), NULL,
		"3 tie? rule \"b\" ties with \"a\": one visitor can match both, with priority 0 and 1 fact named, so that only their "
			"ids say which "
		"comes first\n");
	expect(SLOT RULE("a", "when = { country = \"CA\" }") RULE("b", "when = { device = \"mobile\" }")
		RULE("c", "priority = 5, when = { country = \"CA\", device = \"mobile\" }"), NULL, "");
	expect("slot \"s\" { channel = \"web\" }\n" RULE("a", "when = { country = \"CA\" }"), NULL,
		"1 empty_slot? slot \"s\" has no default, and there are visitors who are shown nothing {}\n");
	expect("slot \"s\" { channel = \"web\" }\nguard \"g\" { forbid = { device = \"bot\" }, because = \"x\" }\n" RULE("a", ""), NULL,
		"1 empty_slot slot \"s\" has no default, and there are visitors who are shown nothing, though a rule of it is for "
			"everybody {}\n");
	expect(SLOT, NULL, "1 unused_slot slot \"s\": no rule is for it, everybody sees its default\n");
}

#define MESSAGE(id, fields) BY("email", "\"Go\"", id, "send = { r = \"" id "\" }, " fields)
#define BY(channel, on, id, fields) "rule \"" id "\" { channel = \"" channel "\", on = " on ", after = \"1h\", " fields " }\n"
#define NEVER "\" can never win: \"a\" is of higher priority, is due whenever it is, and matches every visitor that it matches\n"
#define TIE "rule \"b\" ties with \"a\": one visitor can match both, with priority 0 and "

static void test_messages(void **state)
{
	(void)state;
	/* The same events set them off, and one e-mail goes at once. */
	expect(MESSAGE("a", "priority = 2") MESSAGE("b", "when = { country = \"CA\" }"), NULL,
		"2 never_wins rule \"b" NEVER);
	expect(MESSAGE("a", "priority = 2, when = { device = \"mobile\" }")
		MESSAGE("b", "priority = 2, when = { device = is_not \"mobile\" }")
		MESSAGE("c", "when = { device = known() }"), NULL,
		"3 never_wins rule \"c\" can never win: \"a\" and \"b\" are stronger, are due whenever it is, and between them match every "
		"visitor that it matches\n");
	/* Whoever is called off by more, has a cap of its own, is of another class or comes at another time lets it go. */
	expect(MESSAGE("a", "priority = 2, cancel_on = \"Stop\"") MESSAGE("b", ""), NULL, "");
	expect(MESSAGE("a", "priority = 2, tags = { \"t\" }") MESSAGE("b", "")
		"cap \"c\" { applies = { tag = \"t\" }, limit = 1, per = \"1d\" }\n", NULL, "");
	expect(MESSAGE("a", "priority = 2, class = \"service\"") MESSAGE("b", ""), NULL, "");
	expect(MESSAGE("a", "priority = 2, expires = \"3h\"") MESSAGE("b", ""), NULL, "");
	expect(BY("email", "{ \"Go\", \"Went\" }", "a", "priority = 2, send = { r = 1 }")
		MESSAGE("b", ""), NULL, "");
	expect(BY("sms", "\"Go\"", "a", "priority = 2, send = { r = 1 }") MESSAGE("b", ""), NULL, "");
	/* What may be put off has to be put off with it. */
	expect(MESSAGE("a", "priority = 2") MESSAGE("b", "") "guard \"g\" { require = { hour = between(8, 20) }, or_else = \"defer\", "
		"because = \"night\" }\n", NULL,
		"2 never_wins rule \"b" NEVER);
	expect(MESSAGE("a", "priority = 2, when = { hour = between(8, 20) }") MESSAGE("b", "")
		"guard \"g\" { require = { hour = between(8, 20) }, or_else = \"defer\", because = \"night\" }\n", NULL, "");
	/* A product may be sold out. */
	expect(BY("email", "\"Go\"", "a", "priority = 2, send = { product = \"p\" }") MESSAGE("b", ""), NULL,
		"2 never_wins? rule \"b" NEVER);
	expect(MESSAGE("a", "when = { country = \"CA\" }") MESSAGE("b", "when = { device = \"mobile\" }"), NULL,
		"2 tie " TIE "1 fact named, so that only their ids say which comes first "
		"{\"country\":\"CA\",\"device\":\"mobile\",\"consent\":[\"email\"],\"events\":[{\"event\":\"Go\"}],\"wait\":\"1h\"}\n");
	/* A rule that is over is in nobody's way, and so the visitor has a time. */
	expect(MESSAGE("a", "when = { country = \"CA\" }") MESSAGE("b", "when = { device = \"mobile\" }")
		MESSAGE("c", "priority = 5, ends = \"2026-05-31\""), NULL,
		"2 tie " TIE "1 fact named, so that only their ids say which comes first "
		"{\"at\":\"2026-06-01T11:00:00Z\",\"country\":\"CA\",\"device\":\"mobile\",\"consent\":[\"email\"],"
		"\"events\":[{\"event\":\"Go\"}],\"wait\":\"1h\"}\n"
		"3 over rule \"c\": its time is over, it ended 2026-05-31\n");
	/* A text and an e-mail of which one may go. */
	expect(BY("sms", "{ \"Other\", \"Go\" }", "a", "only_one_of = \"x\", send = { r = 1 }")
		MESSAGE("b", "only_one_of = \"x\""), NULL,
		"2 tie " TIE "0 facts named, so that only their ids say which comes first "
		"{\"consent\":[\"sms\",\"email\"],\"events\":[{\"event\":\"Go\"}],\"wait\":\"1h\"}\n");
	expect(MESSAGE("a", "class = \"transactional\"") MESSAGE("b", "class = \"transactional\""), NULL, "");
	expect(MESSAGE("a", "") "rule \"b\" { channel = \"email\", on = \"Go\", after = \"2h\", send = { r = \"b\" } }\n", NULL, "");
}

static void test_times(void **state)
{
	(void)state;
	expect(SLOT RULE("a", "ends = \"2026-05-31\""), NULL, "2 over rule \"a\": its time is over, it ended 2026-05-31\n");
	expect(SLOT RULE("a", "when = { date = between(\"2026-03-01\", \"2026-04-01\") }"), NULL,
		"2 over rule \"a\": the days that `when` asks for are over\n");
	expect(SLOT RULE("a", "ends = \"2026-06-30\", when = { date = at_least \"2026-08-01\" }"), NULL,
		"2 never_comes rule \"a\": its time never comes: the days that `when` asks for lie outside of `starts` and `ends`\n");
	expect(SLOT RULE("a", "starts = \"2026-08-01\", when = { date = at_most \"2026-06-30\" }"), NULL,
		"2 never_comes rule \"a\": its time never comes: the days that `when` asks for lie outside of `starts` and `ends`\n");
	/* Somewhere it is another day than in the store. */
	expect(SLOT RULE("a", "ends = \"2026-06-30\", when = { date = at_least \"2026-07-01\" }"), NULL, "");
	expect(SLOT RULE("a", "starts = \"2026-07-01\", when = { date = at_most \"2026-06-30\" }"), NULL, "");
	expect("segment \"x\" { when = { date = at_most \"2026-05-01\" } }\n"
		SLOT RULE("a", "when = any { { segment = \"x\" }, { visits = 1 } }"), NULL,
		"1 over segment \"x\": the days that `when` asks for are over\n");
	expect(SLOT RULE("a", "rollout = 0"), NULL, "2 nobody rule \"a\": rollout = 0, so no visitor is in it\n");
	expect(SLOT RULE("a", "ends = \"2026-05-31\", enabled = false"), NULL, "");
}

static void test_words(void **state)
{
	(void)state;
	expect(SLOT "segment \"x\" { when = { country = \"UK\" } }\n" RULE("a", ""), NULL,
		"2 unused_segment segment \"x\": nothing uses it\n2 no_such_value segment \"x\": there is no country \"UK\" in ISO "
			"3166-1, so no "
		"visitor has it\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contradictions), cmocka_unit_test(test_never_wins), cmocka_unit_test(test_guards),
		cmocka_unit_test(test_ties_and_slots), cmocka_unit_test(test_messages),
		cmocka_unit_test(test_times), cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
