/* Messages that are due: what guards, caps and clocks make of them; and that a record keeps them through merging and being taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "decide/rehearse.h"
#include "lib_rules.h"

#define RULE "rule \"m\" { channel = \"sms\", on = \"Go\", expires = \"5d\", send = {} }\n"

/* When "m" is sent to who is given, as UTC text; "" for never. */
static const char *sent_at(const char *rules, const char *visitor, char out[32])
{
	struct rules r;
	struct fw_json *json;
	struct fw_error err = { .message = "" };
	struct fw_rehearsal rehearsal;
	rules_open(&r, rules, NULL);
	struct fw_triggers *t = fw_triggers_create(r.set);
	assert_non_null(t);
	assert_int_equal(fw_json_parse(&r.arena, visitor, strlen(visitor), &json, &err), 0);
	if (fw_rehearse(&r.decider, t, r.zones, json, &r.arena, &rehearsal, &err) < 0)
		fail_msg("%s: %s", visitor, err.message);
	out[0] = '\0';
	if (rehearsal.n) {
		time_t s = (time_t)(rehearsal.sent[0].at_us / 1000000);
		struct tm tm;
		strftime(out, 32, "%Y-%m-%dT%H:%M", gmtime_r(&s, &tm));
	}
	assert_true(rehearsal.n <= 1);
	fw_triggers_destroy(t);
	rules_finish(&r);
	return out;
}

struct clock_row {
	const char *zone, *asked, *sent; /* both UTC */
};

/* A text whose guard lets it pass at these hours of the recipient's own clock. */
static void assert_sent_at(const char *hours, const struct clock_row *rows, size_t n)
{
	char guard[300];
	snprintf(guard, sizeof guard, "%sguard \"day\" { applies = { channel = \"sms\" }, require = { hour = %s }, "
		"or_else = \"defer\", because = \"night\" }\n", RULE, hours);
	for (size_t i = 0; i < n; i++) {
		char visitor[400], at[32];
		snprintf(visitor, sizeof visitor, "{\"at\":\"%s\",\"timezone\":\"%s\",\"consent\":[\"sms\"],"
			"\"events\":[{\"event\":\"Go\"}],\"wait\":\"4d\"}",
			rows[i].asked, rows[i].zone);
		sent_at(guard, visitor, at);
		/* The event of `given` comes a thousandth of a second later, and a minute is whole. */
		if (strcmp(at, rows[i].sent) != 0)
			fail_msg("%s at %s: sent at %s, expected %s", rows[i].zone, rows[i].asked, at, rows[i].sent);
	}
}

/* A text that may go from 8 to 20:59 and is asked for at a time of UTC, in zones of every kind, on both days on which clocks change. */
static void test_every_clock(void **state)
{
	(void)state;
	static const struct clock_row table[] = {
		{ "Europe/Berlin", "2026-11-23T12:00:00Z", "2026-11-23T12:00" },
		{ "Europe/Berlin", "2026-11-23T20:30:00Z", "2026-11-24T07:00" },
		{ "Europe/Berlin", "2026-11-23T05:59:30Z", "2026-11-23T07:00" },
		/* Clocks go forward on 29 March and back on 25 October, at one o'clock UTC. */
		{ "Europe/Berlin", "2026-03-28T22:00:00Z", "2026-03-29T06:00" },
		{ "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T07:00" },
		{ "America/New_York", "2026-03-08T03:00:00Z", "2026-03-08T12:00" },
		{ "America/New_York", "2026-11-01T03:00:00Z", "2026-11-01T13:00" },
		/* Half an hour and three quarters from the full one; and a clock that changes by half an hour. */
		{ "Asia/Kolkata", "2026-11-23T20:00:00Z", "2026-11-24T02:30" },
		{ "Asia/Kathmandu", "2026-11-23T20:00:00Z", "2026-11-24T02:15" },
		{ "America/St_Johns", "2026-06-01T23:45:00Z", "2026-06-02T10:30" },
		{ "America/St_Johns", "2026-03-08T03:00:00Z", "2026-03-08T10:30" },
		{ "America/St_Johns", "2026-11-01T03:00:00Z", "2026-11-01T11:30" },
		{ "Australia/Lord_Howe", "2026-04-04T12:00:00Z", "2026-04-04T21:30" },
		{ "Australia/Lord_Howe", "2026-10-03T12:00:00Z", "2026-10-03T21:00" },
		{ "Pacific/Chatham", "2026-11-23T12:00:00Z", "2026-11-23T18:15" },
		{ "Pacific/Chatham", "2026-04-04T10:00:00Z", "2026-04-04T19:15" },
		{ "Pacific/Chatham", "2026-09-26T10:00:00Z", "2026-09-26T18:15" },
		/* Clocks that change at midnight. */
		{ "America/Havana", "2026-03-08T02:00:00Z", "2026-03-08T12:00" },
		{ "America/Havana", "2026-11-01T02:00:00Z", "2026-11-01T13:00" },
		{ "Asia/Beirut", "2026-03-28T20:00:00Z", "2026-03-29T05:00" },
		{ "Asia/Beirut", "2026-10-24T19:00:00Z", "2026-10-25T06:00" },
		/* On the other side of the day line. */
		{ "Pacific/Kiritimati", "2026-11-23T09:00:00Z", "2026-11-23T18:00" },
		{ "Pacific/Pago_Pago", "2026-11-23T09:00:00Z", "2026-11-23T19:00" },
		{ "UTC", "2026-11-23T21:00:00Z", "2026-11-24T08:00" },
	};
	assert_sent_at("between(8, 20)", table, sizeof table / sizeof *table);
}

/* The hour after midnight, where clocks change at midnight: on one of the days there is none, and it is waited for until the next; on the
 * other there are two, and both will do. */
static void test_the_hour_that_changes(void **state)
{
	(void)state;
	static const struct clock_row table[] = {
		{ "America/Havana", "2026-03-07T20:00:00Z", "2026-03-09T04:00" },
		{ "America/Havana", "2026-10-31T20:00:00Z", "2026-11-01T04:00" },
		{ "America/Havana", "2026-11-01T05:00:00Z", "2026-11-01T05:00" },
		{ "Asia/Beirut", "2026-03-28T12:00:00Z", "2026-03-29T21:00" },
		{ "Asia/Beirut", "2026-10-24T12:00:00Z", "2026-10-24T22:00" },
		{ "America/Santiago", "2026-09-05T12:00:00Z", "2026-09-07T03:00" },
		{ "America/Santiago", "2026-04-04T12:00:00Z", "2026-04-05T04:00" },
	};
	assert_sent_at("0", table, sizeof table / sizeof *table);
}

/* Where only the country is known it must be day in all of its zones; and where nothing is, a guard opens for nobody. */
static void test_unknown_clocks(void **state)
{
	(void)state;
	static const char *const guard = RULE "guard \"day\" { applies = { channel = \"sms\" }, require = { hour = between(8, 20) }, "
		"or_else = \"defer\", because = \"night\" }\n";
	char at[32];
	assert_string_equal(sent_at(guard, "{\"at\":\"2026-07-01T06:00:00Z\",\"country\":\"US\",\"consent\":[\"sms\"],"
		"\"events\":[{\"event\":\"Go\"}],"
		"\"wait\":\"4d\"}", at), "2026-07-01T18:00"); /* eight o'clock in Hawaii, and not yet nine in the evening in New York */
	assert_string_equal(sent_at(guard, "{\"at\":\"2026-07-01T12:00:00Z\",\"consent\":[\"sms\"],"
			"\"events\":[{\"event\":\"Go\"}],\"wait\":\"4d\"}", at), "");
}

static void test_guards_and_caps(void **state)
{
	(void)state;
	static const char who[] = "{\"at\":\"2026-11-23T12:00:00Z\",\"consent\":[\"sms\"],"
			"\"events\":[{\"event\":\"Go\"}],\"wait\":\"4d\"}";
	static const char nobody[] = "{\"at\":\"2026-11-23T12:00:00Z\",\"consent\":[],\"events\":[{\"event\":\"Go\"}],\"wait\":\"4d\"}";
	static const char twice[] = "{\"at\":\"2026-11-23T12:00:00Z\",\"consent\":[\"sms\"],"
		"\"events\":[{\"event\":\"Other\",\"ago\":\"1h\"},{\"event\":\"Go\"}],\"wait\":\"4d\"}";
	char at[32];
	assert_string_equal(sent_at(RULE, who, at), "2026-11-23T12:00");
	assert_string_equal(sent_at(RULE, nobody, at), "");
	assert_string_equal(sent_at("rule \"m\" { channel = \"sms\", on = \"Go\", class = \"service\", send = {} }\n", nobody, at),
		"2026-11-23T12:00");
	/* Of two guards the one that drops is heeded. */
	assert_string_equal(sent_at(RULE "guard \"a\" { applies = {}, require = { hour = 20 }, or_else = \"defer\", because = \"x\" }\n"
		"guard \"b\" { applies = {}, forbid = { consent = \"sms\" }, because = \"y\" }\n", who, at), "");
	/* A full cap puts off until it has room, or drops. */
#define OTHER "rule \"o\" { channel = \"sms\", on = \"Other\", send = {}, priority = 5 }\n" \
	"cap \"c\" { applies = { channel = \"sms\" }, limit = 1, per = \"1d\""
	assert_string_equal(sent_at(RULE OTHER ", or_else = \"defer\" }\n", twice, at), "2026-11-24T11:00");
	assert_string_equal(sent_at(RULE OTHER " }\n", twice, at), "");
	/* A receipt is not held back, and counts. */
	assert_string_equal(sent_at("rule \"m\" { channel = \"sms\", on = \"Go\", class = \"transactional\", send = {} }\n" OTHER " }\n",
		twice, at),
		"2026-11-23T12:00");
	/* What expires before a guard would let it go is dropped. */
	assert_string_equal(sent_at("rule \"m\" { channel = \"sms\", on = \"Go\", expires = \"2h\", send = {} }\n"
		"guard \"a\" { applies = {}, require = { hour = 20 }, or_else = \"defer\", because = \"x\" }\n", who, at), "");
}

/* What a guard waits for may stand in a segment, a negation, a function, or in what the person did; and where nothing of it can change by
 * waiting, nobody waits. */
static void test_what_guards_wait_for(void **state)
{
	(void)state;
#define GUARD RULE "guard \"g\" { applies = { channel = \"sms\" }, or_else = \"defer\", because = \"x\", "
	static const char who[] = "{\"at\":\"2026-11-23T06:00:00Z\",\"timezone\":\"UTC\",\"consent\":[\"sms\"],"
		"\"events\":[{\"event\":\"Order Completed\",\"properties\":{\"order_id\":\"1\"},\"ago\":\"1h\"},"
		"{\"event\":\"Go\"}],\"wait\":\"4d\"}";
	char at[32];
	assert_string_equal(sent_at("segment \"day\" { when = any { { hour = 9 }, { hour = 10 } } }\n"
		GUARD "require = { segment = \"day\" } }\n",
		who, at), "2026-11-23T09:00");
	assert_string_equal(sent_at(GUARD "forbid = none { { hour = 9 } } }\n", who, at), "2026-11-23T09:00");
	assert_string_equal(sent_at(GUARD "require = function(v) return v.hour == 9 end }\n", who, at), "2026-11-23T09:00");
	assert_string_equal(sent_at(GUARD "require = { days_since_order = at_least(2) } }\n", who, at), "2026-11-25T05:01");
	assert_string_equal(sent_at(GUARD "require = { traits = { plan = \"pro\" } } }\n", who, at), "");
}

/* Of two letters to one person the stronger cannot be written: the other is not beaten by it. */
static void test_what_cannot_be_written(void **state)
{
	(void)state;
	static const char rules_text[] =
		"rule \"a\" { channel = \"sms\", on = \"Go\", after = \"1h\", priority = 9, only_one_of = \"x\", send = {} }\n"
		"rule \"b\" { channel = \"sms\", on = \"Go\", after = \"1h\", only_one_of = \"x\", send = {} }\n"
		"cap \"c\" { applies = { channel = \"sms\" }, limit = 1, per = \"1d\" }\n";
	static const char who[] = "{\"at\":\"2026-11-23T12:00:00Z\",\"consent\":[\"sms\"],\"events\":[{\"event\":\"Go\"}]}";
	static const struct fw_consent_config no_places;
	struct rules r;
	struct fw_json *json;
	struct fw_error err;
	struct fw_rehearsal played;
	struct fw_due_judging *j;
	struct fw_due_item *items, *goes;
	uint32_t n;
	rules_open(&r, rules_text, NULL);
	struct fw_triggers *t = fw_triggers_create(r.set);
	assert_int_equal(fw_json_parse(&r.arena, who, strlen(who), &json, &err), 0);
	assert_int_equal(fw_rehearse(&r.decider, t, r.zones, json, &r.arena, &played, &err), 0);
	const struct fw_due_config config = { .zones = r.zones, .consent = &no_places, .given = json };
	int64_t now_us = INT64_C(1795440600) * 1000000; /* half past one */
	assert_int_equal(fw_due_list(r.set, played.record, now_us, &r.arena, &items, &n), 0);
	assert_int_equal(n, 2);
	items[0].address = items[1].address = FW_STR("here");
	assert_int_equal(fw_due_judge_begin(&r.decider, &config, played.record, items, n, now_us, NULL, &r.arena, &j), 0);
	assert_int_equal(fw_due_judge_next(j, &goes), 0);
	assert_ptr_equal(goes, &items[0]);
	assert_int_equal(fw_due_judge_fail(j, goes, FW_STR("no words")), 0);
	assert_int_equal(fw_due_judge_next(j, &goes), 0);
	assert_ptr_equal(goes, &items[1]);
	assert_int_equal(fw_due_judge_send(j, goes), 0);
	assert_int_equal(fw_due_judge_next(j, &goes), 0);
	assert_null(goes);
	assert_int_equal(items[0].reason, FW_REASON_FAILED);
	assert_int_equal(items[1].reason, FW_REASON_WON);
	struct fw_due d;
	assert_true(fw_record_find_due(played.record, items[0].due.number, &d));
	assert_true(d.state == FW_DUE_DEAD && d.attempts == 0 && fw_str_is(d.reason, "no words"));
	assert_true(fw_record_find_due(played.record, items[1].due.number, &d) && d.state == FW_DUE_SENDING);
	fw_triggers_destroy(t);
	rules_finish(&r);
}

/* Two attempts ended whoever made them. What the third one's channel says ends that row; that it has not had it does not. */
static void test_lost_in_a_row(void **state)
{
	static const struct { enum fw_due_told told; uint32_t lost; } rows[] = { { FW_DUE_TOLD_AGAIN, 0 }, { FW_DUE_TOLD_PUT_OFF, 2 } };
	const int64_t now_us = INT64_C(1764000000000000);
	const struct fw_due_config config = { .again_ms = 1000 };
	struct fw_arena a;
	(void)state;
	fw_arena_init(&a, NULL, 0, 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fw_record *r = fw_record_new(&a, FW_STR("a-1"));
		struct fw_due d = { .number = 7, .rule = FW_STR("hello"), .channel = FW_STR("email"), .state = FW_DUE_SENDING,
			.attempts = 3, .lost = 2, .triggered_us = now_us, .due_us = now_us, .expires_us = now_us + INT64_C(3600000000) };
		int rc = fw_record_put_due(r, &d);
		assert_int_equal(rc, 0);
		assert_true(fw_due_settle(r, &config, 7, rows[i].told, -1, FW_STR("later"), 0, now_us, &rc));
		assert_int_equal(rc, 0);
		assert_true(fw_record_find_due(r, 7, &d) && d.state == FW_DUE_WAITS && d.due_us > now_us);
		assert_int_equal(d.lost, rows[i].lost);
	}
	fw_arena_finish(&a);
}

/* When an attempt that was the so-manieth is made again, in microseconds from now; -1: not at all. */
static int64_t waits_us(struct fw_arena *a, int64_t again_ms, uint32_t attempts, int64_t after_ms, uint64_t chance)
{
	const int64_t now_us = INT64_C(1764000000000000);
	const struct fw_due_config config = { .again_ms = again_ms };
	struct fw_record *r = fw_record_new(a, FW_STR("a-1"));
	struct fw_due d = { .number = 7, .rule = FW_STR("hello"), .channel = FW_STR("email"), .state = FW_DUE_SENDING,
		.attempts = attempts, .triggered_us = now_us, .due_us = now_us, .expires_us = now_us + INT64_C(864000000000) };
	int rc = fw_record_put_due(r, &d);
	assert_int_equal(rc, 0);
	assert_true(fw_due_settle(r, &config, 7, FW_DUE_TOLD_AGAIN, after_ms, FW_STR("later"), chance, now_us, &rc));
	assert_int_equal(rc, 0);
	assert_true(fw_record_find_due(r, 7, &d));
	return d.state == FW_DUE_WAITS ? d.due_us - now_us : -1;
}

/* Twice as long each time, up to an hour; from half of it to one and a half, by chance; and no sooner than the channel asks. */
static void test_waiting_longer_each_time(void **state)
{
	static const uint64_t chances[] = { 0, 1, 4999, 7500, 14999, 15000, 123456789, UINT64_MAX / 3, UINT64_MAX - 1, UINT64_MAX };
	const int64_t again_ms = FW_LIMIT_MESSAGE_AGAIN_MS, most_ms = FW_LIMIT_MESSAGE_AGAIN_MOST_MS;
	struct fw_arena a;
	uint64_t chance = 88172645463325252;
	(void)state;
	fw_arena_init(&a, NULL, 0, 0);
	for (uint32_t attempts = 1; attempts < FW_LIMIT_MESSAGE_ATTEMPTS; attempts++) {
		int64_t ms = again_ms << (attempts - 1) < most_ms ? again_ms << (attempts - 1) : most_ms;
		int64_t least = INT64_MAX, longest = 0;
		for (unsigned i = 0; i < 400; i++) {
			chance ^= chance << 13; /* xorshift64 (G. Marsaglia, 2003) */
			chance ^= chance >> 7;
			chance ^= chance << 17;
			int64_t us = waits_us(&a, again_ms, attempts, -1, i < 10 ? chances[i] : chance);
			assert_true(us >= ms * 500 && us < ms * 1500);
			least = us < least ? us : least;
			longest = us > longest ? us : longest;
		}
		/* It makes use of all of that. */
		assert_true(least < ms * 550 && longest > ms * 1450);
		assert_int_equal(waits_us(&a, again_ms, attempts, 2 * most_ms, 0), 2 * most_ms * 1000);
		assert_int_equal(waits_us(&a, again_ms, attempts, 1, 0), ms * 500);
		fw_arena_reset(&a);
	}
	assert_int_equal(waits_us(&a, again_ms, FW_LIMIT_MESSAGE_ATTEMPTS, -1, 0), -1);
	fw_arena_finish(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_clock),
		cmocka_unit_test(test_the_hour_that_changes),
		cmocka_unit_test(test_unknown_clocks),
		cmocka_unit_test(test_guards_and_caps),
		cmocka_unit_test(test_what_guards_wait_for),
		cmocka_unit_test(test_what_cannot_be_written), cmocka_unit_test(test_lost_in_a_row),
		cmocka_unit_test(test_waiting_longer_each_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
