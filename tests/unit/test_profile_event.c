/* Events of the tracking API: what is refused and why, when they happened, and that the samples of its documentation are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "lib_arena.h"
#include "lib_profile.h"
#include "profile/behaviour.h"

static int read_event(const char *text, struct fw_event_frame frame, struct fw_event *e, struct fw_refusal *refusal)
{
	if (!frame.received_us)
		frame.received_us = NOON;
	return fw_event_read(&arena, parse(&arena, text), &frame, e, refusal);
}

static const char *repeated(char c, size_t n)
{
	char *text = fw_arena_alloc(&arena, n + 1);
	memset(text, c, n);
	text[n] = '\0';
	return text;
}

static void test_refusals(void **state)
{
	(void)state;
	const struct { const char *text, *code; } refused[] = {
		{ "7", "bad_field" },
		{ "{\"userId\":\"u\"}", "no_type" },
		{ "{\"type\":\"trick\",\"userId\":\"u\"}", "bad_type" },
		{ "{\"type\":\"page\"}", "no_user_anon_id" },
		{ "{\"type\":\"page\",\"userId\":null,\"anonymousId\":\"\"}", "no_user_anon_id" },
		{ "{\"type\":\"page\",\"userId\":{}}", "bad_field" },
		{ "{\"type\":\"track\",\"userId\":\"u\"}", "no_event" },
		{ "{\"type\":\"group\",\"userId\":\"u\"}", "no_group_id" },
		{ "{\"type\":\"alias\",\"userId\":\"u\"}", "no_previous_id" },
		{ "{\"type\":\"alias\",\"previousId\":\"u\",\"anonymousId\":\"a\"}", "no_previous_id" },
		{ "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"x\",\"properties\":[1]}", "bad_field" },
		{ "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":\"x\"}", "bad_field" },
		{ "{\"type\":\"page\",\"userId\":\"u\",\"timestamp\":\"yesterday\"}", "bad_timestamp" },
		{ "{\"type\":\"page\",\"userId\":\"u\",\"timestamp\":\"2026-02-30T00:00:00Z\"}", "bad_timestamp" },
		{ "{\"type\":\"page\",\"userId\":\"u\",\"timestamp\":\"1969-01-01T00:00:00Z\"}", "bad_timestamp" },
		{ fw_arena_printf(&arena, "{\"type\":\"page\",\"userId\":\"%s\"}", repeated('u', 201)), "too_large" },
		{ fw_arena_printf(&arena, "{\"type\":\"page\",\"userId\":\"u\",\"messageId\":\"%s\"}", repeated('m', 101)), "too_large" },
		{ fw_arena_printf(&arena, "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"%s\"}", repeated('e', 201)), "too_large" },
	};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct fw_event e;
		struct fw_refusal refusal;
		assert_int_equal(read_event(refused[i].text, (struct fw_event_frame){ .type = -1 }, &e, &refusal), FW_EINVAL);
		assert_string_equal(refusal.code, refused[i].code);
		assert_true(refusal.message[0]);
	}
}

static void test_when(void **state)
{
	(void)state;
	const struct { const char *times; bool imported; int64_t at_us; } said[] = {
		{ "", false, NOON },
		{ "\"timestamp\":\"2026-11-23T11:00:00.250Z\"", false, NOON - HOUR + SECOND / 4 },
		{ "\"timestamp\":\"2026-11-23T12:00:00+01:00\"", false, NOON - HOUR },
		/* A clock that is a year behind, by the same at both times. */
		{ "\"timestamp\":\"2025-11-23T11:59:50Z\",\"sentAt\":\"2025-11-23T12:00:00Z\"", false, NOON - 10 * SECOND },
		{ "\"timestamp\":\"2027-11-23T11:59:50Z\",\"sentAt\":\"2027-11-23T12:00:00Z\"", false, NOON - 10 * SECOND },
		{ "\"timestamp\":\"2027-11-23T11:59:50Z\"", false, NOON },
		{ "\"timestamp\":\"2025-11-23T11:59:50Z\",\"sentAt\":\"2025-11-23T12:00:00Z\"", true, NOON - 365 * DAY - 10 * SECOND },
		{ "\"timestamp\":1795431600", false, NOON - HOUR },
		{ "\"timestamp\":1795431600000", false, NOON - HOUR },
		{ "\"timestamp\":\"1795431600000\"", false, NOON - HOUR },
		{ "\"originalTimestamp\":\"2026-11-23T11:00:00Z\",\"timestamp\":null", false, NOON - HOUR },
	};
	for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
		struct fw_event e;
		struct fw_refusal refusal;
		const char *text = fw_arena_printf(&arena, "{\"type\":\"page\",\"userId\":7%s%s}", said[i].times[0] ? "," : "",
			said[i].times);
		assert_int_equal(read_event(text, (struct fw_event_frame){ .type = -1, .imported = said[i].imported }, &e, &refusal), 0);
		assert_int_equal(e.at_us, said[i].at_us);
		assert_true(fw_str_is(e.user_id, "7"));
	}
	struct fw_event e;
	struct fw_refusal refusal;
	const struct fw_event_frame frame = { .type = FW_EVENT_PAGE, .sent_at = FW_STR("2026-11-23T12:00:10Z") };
	assert_int_equal(read_event("{\"userId\":\"u\",\"timestamp\":\"2026-11-23T12:00:00Z\"}", frame, &e, &refusal), 0);
	assert_int_equal(e.at_us, NOON - 10 * SECOND);
}

static void test_context(void **state)
{
	(void)state;
	struct fw_event e;
	struct fw_refusal refusal;
	struct fw_event_frame frame = { .type = -1, .context = parse(&arena, "{\"locale\":\"de\",\"ip\":\"1.2.3.4\"}") };
	assert_int_equal(read_event("{\"type\":\"track\",\"event\":\"x\",\"anonymousId\":\"a\",\"messageId\":\"m-1\","
		"\"context\":{\"locale\":\"fr\","
		"\"traits\":{\"userHash\":\"00ff\"}}}", frame, &e, &refusal), 0);
	assert_true(fw_str_is(fw_json_get(e.context, "locale")->string, "fr"));
	assert_true(fw_str_is(fw_json_get(e.context, "ip")->string, "1.2.3.4"));
	assert_null(fw_json_get(e.context, "page"));
	assert_true(fw_str_is(e.user_hash, "00ff"));
	assert_true(e.message_hash == fw_hash("m-1", 3));
}

/* Whoever is told with a number is who is told with its digits. */
static void test_ids_that_are_numbers(void **state)
{
	(void)state;
	static const char *const ids[] = { "7", "100000", "1795889923907710", "1795889923907713", "1000000000000000", "9007199254740992" };
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		struct fw_event e;
		struct fw_refusal refusal;
		const char *text = fw_arena_printf(&arena, "{\"type\":\"page\",\"userId\":%s,\"anonymousId\":\"a\"}", ids[i]);
		assert_int_equal(read_event(text, (struct fw_event_frame){ .type = -1 }, &e, &refusal), 0);
		assert_true(fw_str_is(e.user_id, ids[i]));
	}
}

static struct fw_json *sample_file(const char *name)
{
	char path[600];
	snprintf(path, sizeof path, "%s/data/segment-spec/%s", FW_TESTS, name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	char *text = fw_arena_alloc(&arena, 1 << 16);
	size_t n = fread(text, 1, (1 << 16) - 1, f);
	fclose(f);
	text[n] = '\0';
	return parse(&arena, text);
}

/* Every sample of the e-commerce specification has a name that is known, and its cart, orders and counts are read. */
static void test_samples(void **state)
{
	(void)state;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	const struct fw_profile_options options = { .currency = "USD", .behaviour = true };
	struct fw_event_frame frame = { .type = -1, .received_us = NOON };
	unsigned n = 0;
	for (struct fw_json *sample = sample_file("ecommerce-v2-examples.json")->child; sample; sample = sample->next, n++) {
		struct fw_json id = { .type = FW_JSON_STRING, .string = FW_STR("a-1"), .key = FW_STR("anonymousId"), .next =
			sample->child };
		struct fw_event e;
		struct fw_refusal refusal;
		struct fw_effects effects;
		if (!fw_json_get(sample, "anonymousId"))
			sample->child = &id;
		frame.received_us += SECOND;
		assert_int_equal(fw_event_read(&arena, sample, &frame, &e, &refusal), 0);
		assert_int_equal(fw_profile_apply(r, &e, &options, &effects), 0);
		if (!fw_behaviour_find(e.name))
			print_message("no such behaviour: %.*s\n", (int)e.name.n, e.name.p);
		assert_non_null(fw_behaviour_find(e.name));
	}
	assert_int_equal(n, 25);
	struct fw_facts f;
	filled(&f, &arena, written(&arena, r), frame.received_us);
	assert_true(number(&f, FW_FACT_ORDERS) >= 0 && asked(&f, FW_FACT_VIEWED, FW_KEY_NONE, NULL, 0) == 1);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_CATEGORY, "games", 0) == 1 &&
		asked(&f, FW_FACT_SEARCHED, FW_KEY_TERM, "blue roses", 0) == 1);
	for (struct fw_json *sample = sample_file("events.json")->child; sample; sample = sample->next) {
		struct fw_event e;
		struct fw_refusal refusal;
		if (fw_event_read(&arena, fw_json_get(sample, "payload"), &frame, &e, &refusal) < 0)
			assert_string_equal(refusal.code, "no_user_anon_id"); /* those that show one field only */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refusals, begin, end),
		cmocka_unit_test_setup_teardown(test_when, begin, end),
		cmocka_unit_test_setup_teardown(test_context, begin, end),
		cmocka_unit_test_setup_teardown(test_ids_that_are_numbers, begin, end),
		cmocka_unit_test_setup_teardown(test_samples, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
