/* What a person lets be done: which answer holds, what is kept of how it came about, and what of it reaches facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "lib_arena.h"
#include "lib_profile.h"
#include "signal/consent.h"

/* What other letters than Latin ones say is not packed. */
#define BOOT "{\"product_id\":\"P-1\",\"category\":\"Boots\",\"brand\":\"марка\"}"

struct answer {
	const char *what;
	enum fw_consent_state state;
	int64_t at_us;
};

static void tell(struct fw_record *r, struct fw_arena *a, const struct answer *answer, const char *source, const char *text)
{
	const struct fw_consent_said said = { fw_str(answer->what), answer->state };
	const struct fw_consent_change change = { .said = &said, .n = 1, .source = fw_str(source), .text = fw_str(text) };
	const struct fw_event e = { .type = FW_EVENT_IDENTIFY, .at_us = answer->at_us, .received_us = answer->at_us, .consent = &change,
		.only_consent = true };
	const struct fw_profile_options options = { .currency = "EUR", .behaviour = true };
	(void)a;
	assert_int_equal(fw_profile_apply(r, &e, &options, NULL), 0);
}

static const char *described(struct fw_arena *a, const struct fw_record *r)
{
	struct fw_buf out;
	struct fw_json_out o;
	fw_buf_init(&out, 0);
	fw_json_out_init(&o, &out);
	fw_json_open_object(&o);
	assert_int_equal(fw_profile_describe(a, written(a, r), NOON, &o, NULL), 0);
	fw_json_close_object(&o);
	const char *text = fw_arena_strndup(a, out.data, out.n);
	fw_buf_finish(&out);
	return text;
}

/* The part of a description that is about consent. */
static const char *consent_of(struct fw_arena *a, const struct fw_record *r)
{
	const char *text = described(a, r), *from = strstr(text, "\"consent\":"), *to = strstr(text, ",\"traits\"");
	assert_non_null(from);
	assert_non_null(to);
	return fw_arena_strndup(a, from, (size_t)(to - from));
}

static const char *granted(struct fw_arena *a, const struct fw_record *r)
{
	struct fw_buf out;
	struct fw_json_out o;
	fw_buf_init(&out, 0);
	fw_json_out_init(&o, &out);
	assert_int_equal(fw_profile_granted(a, written(a, r), &o), 0);
	const char *text = fw_arena_strndup(a, out.data, out.n);
	fw_buf_finish(&out);
	return text;
}

/* Where two answers were of one moment, which held hung on the order in which they came. */
static void test_any_order(void **state)
{
	(void)state;
	static const struct answer answers[] = {
		{ "analytics", FW_CONSENT_GRANTED, NOON - 5 * HOUR }, { "analytics", FW_CONSENT_WITHDRAWN, NOON - 3 * HOUR },
		{ "analytics", FW_CONSENT_GRANTED, NOON - 3 * HOUR }, { "email", FW_CONSENT_GRANTED, NOON - 2 * HOUR },
		{ "sale", FW_CONSENT_DENIED, NOON - 4 * HOUR }, { "sale", FW_CONSENT_GRANTED, NOON - HOUR },
	};
	enum { N = sizeof answers / sizeof *answers };
	for (unsigned first = 0; first < N; first++)
		for (unsigned step = 1; step < N; step += 4) { /* 1 and 5: forth and back, from everywhere */
			struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
			for (unsigned i = 0; i < N; i++)
				tell(r, &arena, &answers[(first + i * step) % N], "api", NULL);
			assert_string_equal(granted(&arena, r), "[\"email\",\"sale\"]");
			assert_non_null(strstr(consent_of(&arena, r),
				"\"analytics\":{\"state\":\"withdrawn\",\"at\":\"2026-11-23T09:00:00Z\","
				"\"source\":\"api\"}"));
		}
}

static void test_log(void **state)
{
	(void)state;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	tell(r, &arena, &(struct answer){ "email", FW_CONSENT_GRANTED, NOON - 3 * HOUR }, "footer", "v1");
	tell(r, &arena, &(struct answer){ "email", FW_CONSENT_GRANTED, NOON - 2 * HOUR }, "footer", NULL); /* nothing new */
	tell(r, &arena, &(struct answer){ "email", FW_CONSENT_GRANTED, NOON - HOUR }, "account", "v2");
	tell(r, &arena, &(struct answer){ "email", FW_CONSENT_WITHDRAWN, NOON - 150 * 60 * SECOND }, "call", NULL); /* heard of late */
	assert_string_equal(consent_of(&arena, r), "\"consent\":{\"email\":{\"state\":\"granted\",\"at\":\"2026-11-23T11:00:00Z\","
		"\"source\":\"account\","
		"\"text\":\"v2\"}},\"consentLog\":["
		"{\"what\":\"email\",\"state\":\"granted\",\"at\":\"2026-11-23T11:00:00Z\",\"source\":\"account\",\"text\":\"v2\"},"
		"{\"what\":\"email\",\"state\":\"withdrawn\",\"at\":\"2026-11-23T09:30:00Z\",\"source\":\"call\"},"
		"{\"what\":\"email\",\"state\":\"granted\",\"at\":\"2026-11-23T09:00:00Z\",\"source\":\"footer\",\"text\":\"v1\"}]");
}

static unsigned count_in(const char *text, const char *what)
{
	unsigned n = 0;
	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

/* Somebody who changes his mind all day has a log that ends, and it has what holds. */
static void test_bounds(void **state)
{
	(void)state;
	struct fw_arena own;
	fw_arena_init(&own, NULL, 0, 0);
	struct fw_record *r = fw_record_new(&own, FW_STR("a-1"));
	char name[FW_LIMIT_CONSENT_NAME_BYTES + 1], text[FW_LIMIT_CONSENT_TEXT_BYTES + 1];
	memset(text, 't', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	tell(r, &own, &(struct answer){ "email", FW_CONSENT_GRANTED, NOON - DAY }, "footer", "v1");
	for (int i = 0; i < 1000; i++)
		tell(r, &own, &(struct answer){ "sms", i % 2 ? FW_CONSENT_GRANTED : FW_CONSENT_WITHDRAWN, NOON - HOUR + i * SECOND },
			"page", NULL);
	assert_int_equal(count_in(consent_of(&own, r), "\"what\""), FW_LIMIT_CONSENT_LOG);
	assert_int_equal(count_in(consent_of(&own, r), "\"source\":\"footer\",\"text\":\"v1\""), 2);
	for (int i = 0; i < 200; i++) {
		memset(name, 'n', sizeof name - 1);
		snprintf(name + sizeof name - 5, 5, "%04d", i);
		tell(r, &own, &(struct answer){ name, FW_CONSENT_GRANTED, NOON + i * SECOND }, "page", text);
	}
	tell(r, &own, &(struct answer){ "analytics", FW_CONSENT_DENIED, NOON + HOUR }, "page", NULL);
	const char *all = consent_of(&own, r), *view_end = strstr(all, "\"consentLog\"");
	assert_int_equal(count_in(all, "\"state\"") - count_in(view_end, "\"state\""), FW_LIMIT_CONSENTS);
	assert_int_equal(count_in(all, "\"analytics\":{\"state\":\"denied\""), 1); /* what the product asks for has its place */
	assert_int_equal(count_in(all, "\"email\":{\"state\":\"granted\""), 1);
	assert_true(written(&own, r).n < FW_LIMIT_RECORD_BYTES / 2 + 4096);
	struct fw_str bytes = written(&own, r), again = written(&own, read_again(&own, bytes));
	assert_true(fw_str_equal(bytes, again));
	fw_arena_finish(&own);
}

static double views(struct fw_record *r, int64_t now_us)
{
	struct fw_facts f;
	filled(&f, &arena, written(&arena, r), now_us);
	return asked(&f, FW_FACT_VIEWED, FW_KEY_CATEGORY, "boots", 0);
}

static void view_at(struct fw_record *r, int64_t at_us, const char *categories, bool place_allows)
{
	char text[400];
	snprintf(text, sizeof text, "{\"type\":\"track\",\"anonymousId\":\"a-1\",\"event\":\"Product Viewed\",\"properties\":" BOOT
		",\"context\":{\"page\":{\"url\":\"https://shop.example/?utm_campaign=акция\"},\"consent\":{%s%s}}}",
		categories ? "\"categoryPreferences\":" : "", categories ? categories : "");
	apply_with(r, &arena, text, at_us, place_allows);
}

static bool says(struct fw_str bytes, const char *text)
{
	for (size_t i = 0; i + strlen(text) <= bytes.n; i++)
		if (memcmp(bytes.p + i, text, strlen(text)) == 0)
			return true;
	return false;
}

static void test_behaviour(void **state)
{
	(void)state;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	view_at(r, NOON - 9 * HOUR, NULL, true); /* nobody said anything */
	assert_true(views(r, NOON) == 1);
	view_at(r, NOON - 8 * HOUR, "{\"analytics\":false}", true);
	assert_true(views(r, NOON) == -1); /* out of reach */
	view_at(r, NOON - 7 * HOUR, NULL, true);
	view_at(r, NOON - 6 * HOUR, "{\"analytics\":true}", false);
	assert_true(views(r, NOON) == 1); /* its own, and nothing of before */
	view_at(r, NOON - 8 * HOUR + SECOND, NULL, true); /* of a time when it was denied */
	view_at(r, NOON - 6 * HOUR - SECOND, NULL, true);
	assert_true(views(r, NOON) == 1);
	view_at(r, NOON - 9 * HOUR, NULL, true); /* it would have been dropped with the rest */
	assert_true(views(r, NOON) == 1);
	view_at(r, NOON - 5 * HOUR, NULL, false); /* what the person says outranks the place */
	view_at(r, NOON - 4 * HOUR, "{\"marketing\":true}", true); /* of this event it says no to all others */
	view_at(r, NOON - 3 * HOUR, NULL, false);
	assert_true(views(r, NOON) == 3);
	assert_true(says(written(&arena, r), "акция") && says(written(&arena, r), "марка"));
	tell(r, &arena, &(struct answer){ "analytics", FW_CONSENT_WITHDRAWN, NOON - 2 * HOUR }, "api", NULL);
	view_at(r, NOON - HOUR, NULL, true);
	view_at(r, NOON - 3 * HOUR, NULL, true);                    /* came late: it is withdrawn now */
	view_at(r, NOON - 3 * HOUR, "{\"analytics\":true}", true);
	assert_true(views(r, NOON) == -1);
	struct fw_str bytes = written(&arena, r);
	assert_false(says(bytes, "акция") || says(bytes, "марка"));
	view_at(r, NOON - HOUR / 2, "{}", true);
	assert_non_null(strstr(consent_of(&arena, r), "\"marketing\":{\"state\":\"denied\""));
	tell(r, &arena, &(struct answer){ "analytics", FW_CONSENT_GRANTED, NOON - HOUR / 4 }, "api", NULL);
	assert_true(views(r, NOON) == 0); /* nothing was kept to be had back */
}

/* The stricter holds in a merge, and what it says is done. */
static void test_merged(void **state)
{
	(void)state;
	for (int back = 0; back < 2; back++) {
		struct fw_record *refuses = fw_record_new(&arena, FW_STR("a-1")), *agrees = fw_record_new(&arena, FW_STR("a-2"));
		struct fw_spilled spilled[FW_SPILL_MOST];
		unsigned n;
		view_at(agrees, NOON - HOUR, "{\"analytics\":true}", true);
		assert_true(says(written(&arena, agrees), "акция"));
		tell(refuses, &arena, &(struct answer){ "analytics", FW_CONSENT_DENIED, NOON - 2 * HOUR }, "api", NULL);
		struct fw_record *into = back ? agrees : refuses;
		assert_int_equal(fw_record_merge(into, back ? refuses : agrees, spilled, &n), 0);
		assert_false(says(written(&arena, into), "акция"));
		assert_true(views(into, NOON) == -1);
		view_at(into, NOON - SECOND, NULL, true);
		assert_non_null(strstr(described(&arena, into), "\"viewed\":{}"));
	}
}

/* What is necessary goes on. */
static void test_necessary(void **state)
{
	(void)state;
	struct fw_facts f;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	view_at(r, NOON - HOUR, "{\"analytics\":false,\"email\":true}", true);
	track(r, &arena, "Product Added", "{\"product_id\":\"P-1\",\"price\":20}", NOON - HOUR);
	track(r, &arena, "Order Completed", "{\"order_id\":\"o-1\",\"revenue\":20}", NOON - HOUR / 2);
	track(r, &arena, "Product Added", "{\"product_id\":\"P-2\",\"price\":7}", NOON - 60 * SECOND);
	apply_with(r, &arena, "{\"type\":\"identify\",\"anonymousId\":\"a-1\",\"traits\":{\"plan\":\"pro\"}}", NOON - 60 * SECOND, true);
	filled(&f, &arena, written(&arena, r), NOON);
	assert_true(number(&f, FW_FACT_CART_TOTAL) == 7 && number(&f, FW_FACT_ORDERS) == 1 && number(&f, FW_FACT_REVENUE) == 20);
	assert_int_equal(f.n_traits, 1);
	assert_true(f.caps_in_reach && f.profile_in_reach && !f.behaviour_in_reach);
	assert_int_equal(f.single[FW_FACT_VISITS].state, FW_OUT_OF_REACH);
	assert_int_equal(f.single[FW_FACT_NEW_VISITOR].state, FW_OUT_OF_REACH);
	assert_int_equal(fw_facts_member(&f, FW_FACT_ENGAGEMENT, FW_STR("email"))->state, FW_OUT_OF_REACH);
	assert_int_equal(fw_facts_member(&f, FW_FACT_TRAIT, FW_STR("x"))->state, FW_ABSENT);
	assert_string_equal(granted(&arena, r), "[\"email\"]");
}

/* The fact, of a request that tells `categories` (NULL: none) in a place with such defaults (NULL: none anywhere). */
static const char *fact(struct fw_str bytes, const char *defaults, const char *categories, bool gpc)
{
	static char text[200];
	struct fw_consent_config config = { 0 };
	struct fw_facts f;
	fw_facts_init(&f, &arena, true);
	f.now_us = NOON;
	assert_int_equal(fw_consent_configure(&arena, defaults ? parse(&arena, defaults) : NULL, &config), 0);
	assert_int_equal(fw_consent_fill(&f, &config, categories ? parse(&arena, categories) : NULL, gpc), 0);
	assert_int_equal(fw_profile_fill(bytes, &f), 0);
	assert_int_equal(f.single[FW_FACT_CONSENT].state, FW_KNOWN);
	snprintf(text, sizeof text, "%c", f.behaviour_in_reach ? '+' : '-');
	for (unsigned i = 0; i < f.single[FW_FACT_CONSENT].n_items; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), " %s", f.single[FW_FACT_CONSENT].items[i].text.p);
	return text;
}

static void test_fact(void **state)
{
	(void)state;
	static const char opt_in[] = "{\"default\":{\"analytics\":\"denied\",\"personalization\":\"denied\"}}";
	static const char opt_out[] = "{\"default\":{\"analytics\":\"granted\",\"personalization\":\"granted\",\"ads\":\"granted\"}}";
	static const char no_gpc[] = "{\"default\":{\"personalization\":\"granted\"},\"gpc\":false}";
	const struct fw_str nobody = { 0 };
	assert_string_equal(fact(nobody, NULL, NULL, false), "+");
	assert_string_equal(fact(nobody, opt_in, NULL, false), "-");
	assert_string_equal(fact(nobody, opt_out, NULL, false), "+ analytics personalization ads");
	assert_string_equal(fact(nobody, opt_out, NULL, true), "+ analytics ads");
	assert_string_equal(fact(nobody, opt_out, "{\"ads\":true}", false), "- ads");
	/* Channels are told apart. */
	assert_string_equal(fact(nobody, NULL, "{\"Email\":true,\"sms:news\":true,\"ads\":true}", false), "- ads");

	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	tell(r, &arena, &(struct answer){ "personalization", FW_CONSENT_GRANTED, NOON - HOUR }, "api", NULL);
	tell(r, &arena, &(struct answer){ "ads", FW_CONSENT_DENIED, NOON - HOUR }, "api", NULL);
	tell(r, &arena, &(struct answer){ "email", FW_CONSENT_GRANTED, NOON - HOUR }, "api", NULL);
	tell(r, &arena, &(struct answer){ "sms", FW_CONSENT_WITHDRAWN, NOON - HOUR }, "api", NULL);
	struct fw_str bytes = written(&arena, r);
	assert_string_equal(fact(bytes, NULL, NULL, false), "+ email personalization");
	assert_string_equal(fact(bytes, NULL, NULL, true), "+ email");
	assert_string_equal(fact(bytes, no_gpc, NULL, true), "- email personalization");
	assert_string_equal(fact(bytes, opt_in, NULL, false), "- email personalization");
	assert_string_equal(fact(bytes, opt_out, NULL, false), "+ analytics email personalization");
	assert_string_equal(fact(bytes, opt_out, "{\"analytics\":true,\"sms\":true}", false), "+ analytics email");
	assert_string_equal(fact(bytes, opt_out, "{}", false), "- email");
	tell(r, &arena, &(struct answer){ "analytics", FW_CONSENT_DENIED, NOON }, "api", NULL);
	bytes = written(&arena, r);
	assert_string_equal(fact(bytes, opt_out, NULL, false), "- email personalization");
	assert_string_equal(fact(bytes, NULL, NULL, false), "- email personalization");
	assert_string_equal(fact(bytes, opt_out, "{\"analytics\":true}", false), "+ analytics email");
}

static void test_categories(void **state)
{
	(void)state;
	static const struct {
		const char *text, *view;
		bool channels;
	} cases[] = {
		{ "{\"Analytics\":true,\"ads\":false,\"x\":1,\"email\":true}", "ads-analytics+email+", true },
		{ "{\"Analytics\":true,\"email\":true,\"SMS\":false}", "analytics+", false },
		{ "{}", "ads-analytics-personalization-", false },
		{ "[]", "ads-analytics-personalization-", true },
		{ "\"CQdZmkAQdZmkAAfABBENAwFoAI2AAEIAAAAAAEEUACACAAAA\"", "advertising-analytics+personalization+", false },
		{ "\"CQdZm\"", "", false }, /* it grants nothing, and denies nothing for good */
		{ "[true]", "", true }, { "7", "", true }, { "null", "", true }, { "{\"\":true}", "", true },
	};
	struct fw_consent_config config;
	assert_int_equal(fw_consent_configure(&arena, parse(&arena, "{\"default\":{\"ads\":\"denied\",\"analytics\":\"granted\"}}"),
		&config), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[300], view[200] = "";
		struct fw_event e;
		struct fw_refusal refusal;
		const struct fw_event_frame frame = { .type = -1, .received_us = NOON };
		struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
		snprintf(text, sizeof text, "{\"type\":\"page\",\"anonymousId\":\"a\",\"context\":{\"consent\":{\"%s\":%s}}}",
			cases[i].text[0] == '"' ? "tcf" : "categoryPreferences", cases[i].text);
		assert_int_equal(fw_event_read(&arena, parse(&arena, text), &frame, &e, &refusal), 0);
		assert_int_equal(fw_event_read_consent(&arena, &config, cases[i].channels, &e), 0);
		const struct fw_profile_options options = { .currency = "EUR" };
		assert_int_equal(fw_profile_apply(r, &e, &options, NULL), 0);
		const char *all = consent_of(&arena, r);
		static const char *const names[] = { "ads", "advertising", "analytics", "email", "personalization", "sms", "x" };
		for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
			char yes[64], no[64];
			snprintf(yes, sizeof yes, "\"%s\":{\"state\":\"granted\"", names[k]);
			snprintf(no, sizeof no, "\"%s\":{\"state\":\"denied\"", names[k]);
			if (strstr(all, yes) || strstr(all, no))
				snprintf(view + strlen(view), sizeof view - strlen(view), "%s%c", names[k], strstr(all, yes) ? '+' : '-');
		}
		assert_string_equal(view, cases[i].view);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_any_order, begin, end),
		cmocka_unit_test_setup_teardown(test_log, begin, end),
		cmocka_unit_test_setup_teardown(test_bounds, begin, end),
		cmocka_unit_test_setup_teardown(test_behaviour, begin, end),
		cmocka_unit_test_setup_teardown(test_merged, begin, end),
		cmocka_unit_test_setup_teardown(test_necessary, begin, end),
		cmocka_unit_test_setup_teardown(test_fact, begin, end),
		cmocka_unit_test_setup_teardown(test_categories, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
