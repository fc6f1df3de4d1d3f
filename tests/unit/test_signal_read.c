/* Whole requests to facts: what outranks what. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "signal/signal.h"

static struct fw_arena store;
static struct fw_signal_config config;
static struct fw_signal_shared *shared;
static struct fw_signal *signals;
static struct fw_network proxies[1];
static const struct fw_str hosts[] = { { "shop.example", 12 } };

static const struct fw_json *parse(struct fw_arena *a, const char *text)
{
	struct fw_json *v = NULL;
	struct fw_error err;
	if (text && fw_json_parse(a, text, strlen(text), &v, &err) != 0)
		fail_msg("%s: %s", text, err.message);
	return v;
}

static int begin(void **state)
{
	(void)state;
	struct fw_error err;
	fw_arena_init(&store, NULL, 0, 0);
	config.geo_path = FW_TESTS "/data/maxmind-db/GeoIP2-City-Test.mmdb";
	config.own_hosts = hosts;
	config.n_own_hosts = 1;
	config.trusted = proxies;
	config.n_trusted = 1;
	if (fw_network_parse(FW_STR("10.0.0.0/8"), &proxies[0], &err) < 0 || fw_signal_shared_create(&config, &shared, &err) < 0) {
		print_error("%s\n", err.message);
		return -1;
	}
	signals = fw_signal_create(shared, NULL);
	return signals ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	fw_signal_destroy(signals);
	fw_signal_destroy(NULL);
	fw_signal_shared_destroy(shared);
	fw_signal_shared_destroy(NULL);
	fw_arena_finish(&store);
	return 0;
}

struct visit {
	struct fw_arena arena;
	struct fw_facts f;
	struct fw_signal_request r;
	struct sockaddr_in peer;
};

static void start(struct visit *v, const char *peer, const char *body)
{
	memset(v, 0, sizeof *v);
	fw_arena_init(&v->arena, NULL, 0, 0);
	v->peer.sin_family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, peer, &v->peer.sin_addr), 1);
	v->r.peer = (const struct sockaddr *)&v->peer;
	v->r.body = parse(&v->arena, body);
	v->r.now_us = (int64_t)(fw_days_from_civil(2026, 11, 23) * 86400 + 22 * 3600 + 40 * 60) * 1000000; /* a Monday */
}

static void read_it(struct visit *v)
{
	fw_facts_init(&v->f, &v->arena, false);
	assert_int_equal(fw_signal_read(signals, &v->r, &v->f), 0);
}

static void finish(struct visit *v)
{
	fw_arena_finish(&v->arena);
}

/* A fact as text: "-" when absent, "?" when out of reach; sets joined by commas. */
static const char *text_of(const struct visit *v, enum fw_fact fact)
{
	static char buf[256];
	const struct fw_value *x = &v->f.single[fact];
	size_t n = 0;
	buf[0] = '\0';
	if (x->state != FW_KNOWN)
		return x->state == FW_ABSENT ? "-" : "?";
	switch (x->kind) {
	case FW_KIND_TEXT: return x->text.p;
	case FW_KIND_BOOL: return x->boolean ? "true" : "false";
	case FW_KIND_NUMBER: snprintf(buf, sizeof buf, "%g%s", x->number, x->n_several ? "…" : ""); return buf;
	default:
		for (unsigned i = 0; i < x->n_items; i++)
			n += (size_t)snprintf(buf + n, sizeof buf - n, "%s%s", i ? "," : "", x->items[i].text.p);
		return buf;
	}
}

static void expect(const struct visit *v, enum fw_fact fact, const char *expected)
{
	const char *got = text_of(v, fact);
	if (strcmp(got, expected) != 0)
		fail_msg("%s: expected %s, got %s", fw_fact_info(fact)->name, expected, got);
}

static void test_whole_request(void **state)
{
	(void)state;
	struct visit v;
	start(&v, "127.0.0.1", "{\"anonymousId\":\"a\",\"context\":{\"ip\":\"216.160.83.56\",\"userAgent\":\"Mozilla/5.0 "
		"(iPhone; CPU iPhone OS 17_5 like Mac OS X) "
		"AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1\",\"locale\":\"en_US\","
		"\"page\":{\"url\":\"https://shop.example/boots?utm_source=instagram&utm_medium=cpc&utm_campaign=fall\",\"referrer\":"
		"\"https://l.instagram.com/\",\"type\":\"category\"},"
		"\"traits\":{\"plan\":\"pro\",\"sizes\":[41,42],\"userHash\":\"ab\"}}}");
	v.r.secret = true;
	v.r.user_agent = fw_str("Mozilla/5.0 (Windows NT 10.0) Gecko Firefox/127.0");
	v.r.accept_language = fw_str("de");
	v.r.sec_ch_ua_platform = fw_str("\"Windows\""); /* of the sender, who is not the visitor */
	read_it(&v);
	expect(&v, FW_FACT_COUNTRY, "US");
	expect(&v, FW_FACT_REGION, "US-WA");
	expect(&v, FW_FACT_CITY, "Milton");
	expect(&v, FW_FACT_CONTINENT, "NA");
	expect(&v, FW_FACT_TIMEZONE, "America/Los_Angeles");
	expect(&v, FW_FACT_IN_EU, "false");
	expect(&v, FW_FACT_SOURCE, "paid_social");
	expect(&v, FW_FACT_MEDIUM, "cpc");
	expect(&v, FW_FACT_CAMPAIGN, "fall");
	expect(&v, FW_FACT_REFERRER, "l.instagram.com");
	expect(&v, FW_FACT_LANDING, "/boots");
	expect(&v, FW_FACT_DEVICE, "mobile");
	expect(&v, FW_FACT_OS, "iOS");
	expect(&v, FW_FACT_BROWSER, "Safari");
	expect(&v, FW_FACT_LANGUAGE, "en-US");
	expect(&v, FW_FACT_PAGE, "/boots");
	expect(&v, FW_FACT_PAGE_TYPE, "category");
	expect(&v, FW_FACT_HOUR, "14");
	expect(&v, FW_FACT_WEEKDAY, "0");
	expect(&v, FW_FACT_LOGGED_IN, "false");
	expect(&v, FW_FACT_CONSENT, "?");
	expect(&v, FW_FACT_VISITS, "?");
	assert_true(v.f.has_clock && v.f.now_us == v.r.now_us);
	assert_int_equal(v.f.n_traits, 2);
	assert_string_equal(fw_facts_member(&v.f, FW_FACT_TRAIT, FW_STR("plan"))->text.p, "pro");
	assert_int_equal(fw_facts_member(&v.f, FW_FACT_TRAIT, FW_STR("sizes"))->n_items, 2);
	assert_int_equal(fw_facts_member(&v.f, FW_FACT_TRAIT, FW_STR("userHash"))->state, FW_OUT_OF_REACH);
	finish(&v);
}

static void test_bare_request(void **state)
{
	(void)state;
	struct visit v;
	start(&v, "127.0.0.1", NULL);
	read_it(&v);
	for (int fact = FW_FACT_COUNTRY; fact <= FW_FACT_DATE; fact++)
		expect(&v, (enum fw_fact)fact, "-");
	finish(&v);

	start(&v, "89.160.20.112", "{\"context\":{}}");
	v.r.user_agent = fw_str("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0");
	v.r.accept_language = fw_str("fr;q=0.3, sv-se");
	v.r.referer = fw_str("https://shop.example/sale?utm_source=news&utm_medium=email");
	read_it(&v);
	expect(&v, FW_FACT_COUNTRY, "SE");
	expect(&v, FW_FACT_IN_EU, "true");
	expect(&v, FW_FACT_DEVICE, "desktop");
	expect(&v, FW_FACT_LANGUAGE, "sv-SE");
	expect(&v, FW_FACT_PAGE, "/sale");
	expect(&v, FW_FACT_SOURCE, "email");
	finish(&v);

	/* Browsers cut the Referer of other sites down to their root: that names no page. */
	start(&v, "89.160.20.112", "{}");
	v.r.referer = fw_str("https://shop.example/");
	read_it(&v);
	expect(&v, FW_FACT_PAGE, "-");
	expect(&v, FW_FACT_SOURCE, "-");
	finish(&v);

	start(&v, "89.160.20.112", "{\"context\":{\"page\":{\"path\":\"/cart\"}}}");
	read_it(&v);
	expect(&v, FW_FACT_PAGE, "/cart");
	expect(&v, FW_FACT_SOURCE, "direct");
	finish(&v);
}

/* The context may hold anything. */
static void test_wrong_types(void **state)
{
	(void)state;
	static const char *const bodies[] = { "[]", "7", "{\"context\":[]}", "{\"context\":{\"page\":[],\"campaign\":7,\"traits\":\"x\","
		"\"userAgent\":{},\"userAgentData\":[],\"locale\":[\"en\"],\"timezone\":7,\"ip\":{},\"location\":[],"
		"\"consent\":[]},\"userId\":{}}",
		"{\"context\":{\"page\":{\"url\":7,\"referrer\":[],\"type\":{}},\"campaign\":{\"source\":[],\"name\":{}},\"consent\":"
		"{\"categoryPreferences\":[true]},\"location\":{\"country\":7,\"region\":\"ON\"},\"traits\":[],"
		"\"userAgentData\":{\"brands\":{},\"mobile\":\"yes\",\"platform\":7,\"formFactors\":{}},\"timezone\":\"../../etc/passwd\","
		"\"locale\":\"!\",\"ip\":\"nowhere\"}}" };
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct visit v;
		start(&v, "127.0.0.1", bodies[i]);
		v.r.secret = true;
		read_it(&v);
		for (int fact = FW_FACT_COUNTRY; fact <= FW_FACT_DATE; fact++)
			if (fact != FW_FACT_SOURCE)
				expect(&v, (enum fw_fact)fact, "-");
		expect(&v, FW_FACT_CONSENT, "?");
		finish(&v);
	}
}

static void country_of(const char *peer, bool secret, const char *ip, const char *forwarded, const char *expected)
{
	struct visit v;
	char body[256];
	snprintf(body, sizeof body, ip ? "{\"context\":{\"ip\":\"%s\"}}" : "{}", ip);
	start(&v, peer, body);
	v.r.secret = secret;
	v.r.forwarded.x_forwarded_for = fw_str(forwarded);
	read_it(&v);
	expect(&v, FW_FACT_COUNTRY, expected);
	finish(&v);
}

static void test_whose_address(void **state)
{
	(void)state;
	country_of("216.160.83.56", false, NULL, NULL, "US");
	country_of("216.160.83.56", false, "89.160.20.112", NULL, "US"); /* a public key says nothing of the address */
	country_of("216.160.83.56", true, "89.160.20.112", NULL, "SE");
	country_of("216.160.83.56", true, NULL, NULL, "-"); /* that is a server's address, not the visitor's */
	country_of("216.160.83.56", true, "nonsense", NULL, "-");
	country_of("216.160.83.56", false, NULL, "89.160.20.112", "US");
	country_of("10.1.2.3", false, NULL, "89.160.20.112", "SE");
	country_of("10.1.2.3", false, NULL, "1.1.1.1, 216.160.83.56", "US");
	country_of("10.1.2.3", false, NULL, NULL, "-");
}

static void test_unix_peer(void **state)
{
	(void)state;
	struct sockaddr peer = { .sa_family = AF_UNIX };
	struct visit v;
	struct fw_ip ip;
	start(&v, "127.0.0.1", "{}");
	v.r.peer = &peer;
	v.r.forwarded.x_forwarded_for = fw_str("89.160.20.112");
	assert_false(fw_signal_client(signals, &v.r, &ip));
	config.trust_unix = true;
	assert_true(fw_signal_client(signals, &v.r, &ip));
	read_it(&v);
	expect(&v, FW_FACT_COUNTRY, "SE");
	config.trust_unix = false;
	finish(&v);
}

static void test_location(void **state)
{
	(void)state;
	static const char body[] = "{\"context\":{\"ip\":\"216.160.83.56\","
		"\"location\":{\"country\":\"ca\",\"region\":\"ON\",\"city\":\"Toronto\"}}}";
	struct visit v;
	start(&v, "127.0.0.1", body);
	v.r.secret = true;
	read_it(&v);
	expect(&v, FW_FACT_COUNTRY, "CA");
	expect(&v, FW_FACT_REGION, "CA-ON");
	expect(&v, FW_FACT_CITY, "Toronto");
	expect(&v, FW_FACT_CONTINENT, "NA");
	expect(&v, FW_FACT_TIMEZONE, "-"); /* not that of the address, which is elsewhere */
	assert_true(v.f.single[FW_FACT_HOUR].n_several > 1);
	finish(&v);
	start(&v, "216.160.83.56", body);
	read_it(&v);
	expect(&v, FW_FACT_COUNTRY, "US");
	finish(&v);
	start(&v, "127.0.0.1", "{\"context\":{\"ip\":\"216.160.83.56\",\"location\":{\"country\":\"US\"}}}");
	v.r.secret = true;
	read_it(&v);
	expect(&v, FW_FACT_REGION, "US-WA");
	expect(&v, FW_FACT_TIMEZONE, "America/Los_Angeles");
	finish(&v);
	start(&v, "127.0.0.1", "{\"context\":{\"ip\":\"216.160.83.56\",\"location\":{\"country\":\"United States\"}}}");
	v.r.secret = true;
	read_it(&v);
	expect(&v, FW_FACT_CITY, "Milton");
	finish(&v);
}

/* With a public key anybody could claim to be of age: what a person is like comes from servers. */
static void test_traits_need_a_secret(void **state)
{
	(void)state;
	struct visit v;
	start(&v, "216.160.83.56", "{\"context\":{\"traits\":{\"age\":30}}}");
	read_it(&v);
	assert_int_equal(v.f.n_traits, 0);
	finish(&v);
}

static void zone_of(const char *context, const char *timezone, const char *hour)
{
	struct visit v;
	char body[256];
	snprintf(body, sizeof body, "{\"context\":{\"ip\":\"216.160.83.56\"%s%s}}", context[0] ? "," : "", context);
	start(&v, "127.0.0.1", body);
	v.r.secret = true;
	read_it(&v);
	expect(&v, FW_FACT_TIMEZONE, timezone);
	expect(&v, FW_FACT_HOUR, hour);
	finish(&v);
}

static void test_time(void **state)
{
	(void)state;
	zone_of("\"timezone\":\"Europe/Berlin\"", "Europe/Berlin", "23");
	zone_of("\"timezone\":\"Europe/Berlin\",\"traits\":{\"timezone\":\"Asia/Tokyo\"}", "Europe/Berlin", "23");
	zone_of("\"timezone\":\"Mars/Base\",\"traits\":{\"timezone\":\"Asia/Tokyo\"}", "America/Los_Angeles", "7");
	zone_of("\"traits\":{\"timezone\":\"Mars/Base\"}", "America/Los_Angeles", "14");
	zone_of("", "America/Los_Angeles", "14");
}

static void test_login(void **state)
{
	(void)state;
	struct visit v;
	start(&v, "127.0.0.1", "{\"userId\":\"u\"}");
	read_it(&v);
	expect(&v, FW_FACT_LOGGED_IN, "-");
	v.r.user_is_signed = true;
	read_it(&v);
	expect(&v, FW_FACT_LOGGED_IN, "true");
	finish(&v);
}

static void consent_of(const char *defaults, const char *peer, const char *context, bool gpc, const char *expected)
{
	struct visit v;
	char body[512];
	snprintf(body, sizeof body, "{\"context\":{%s}}", context);
	start(&v, peer, body);
	assert_int_equal(fw_consent_configure(&store, parse(&store, defaults), &config.consent), 0);
	if (gpc)
		v.r.sec_gpc = FW_STR("1");
	read_it(&v);
	if (strcmp(text_of(&v, FW_FACT_CONSENT), expected) != 0)
		fail_msg("%s from %s with %s, GPC %d: expected %s, got %s", defaults ? defaults : "-", peer, context, gpc, expected,
			text_of(&v, FW_FACT_CONSENT));
	finish(&v);
	memset(&config.consent, 0, sizeof config.consent);
}

static void test_consent(void **state)
{
	(void)state;
	static const char us[] = "216.160.83.56", se[] = "89.160.20.112", nowhere[] = "127.0.0.1", none[] = "",
		told[] = "\"consent\":{\"categoryPreferences\":{\"analytics\":true,\"personalization\":true,\"sale\":false,\"x\":1}}",
		empty[] = "\"consent\":{\"categoryPreferences\":{}}", other[] = "\"consent\":{\"x\":{}}",
		opt_in[] = "{\"default\":{\"analytics\":\"denied\",\"personalization\":\"denied\"},\"region\":{"
			"\"US\":{\"analytics\":\"granted\",\"personalization\":\"granted\"}}}",
		opt_out[] = "{\"default\":{\"analytics\":\"granted\",\"sale\":\"granted\"},\"region\":{\"EU\":{\"analytics\":\"denied\"},"
			"\"SE\":{\"analytics\":\"granted\"},\"US-WA\":{\"sale\":\"denied\"}}}",
		no_gpc[] = "{\"default\":{\"personalization\":\"granted\"},\"gpc\":false}";
	consent_of(NULL, us, none, false, "?");
	consent_of(NULL, us, none, true, "?"); /* what else is granted nobody knows */
	consent_of(NULL, us, other, false, "?");
	consent_of(NULL, us, told, false, "analytics,personalization");
	consent_of(NULL, us, told, true, "analytics");
	consent_of(NULL, us, empty, false, "");
	consent_of(opt_in, us, none, false, "analytics,personalization");
	consent_of(opt_in, us, none, true, "analytics");
	consent_of(opt_in, se, none, false, "");
	consent_of(opt_in, nowhere, none, false, ""); /* denied wherever not granted */
	consent_of(opt_in, us, empty, false, "");     /* what is told outranks the default */
	consent_of(opt_in, se, told, false, "analytics,personalization");
	consent_of(opt_out, se, none, false, "analytics,sale");
	consent_of(opt_out, us, none, false, "analytics");
	consent_of(opt_out, nowhere, none, false, ""); /* it may be the Union, it may be Washington */
	consent_of(opt_out, "2.125.160.216", none, false, "analytics,sale");
	consent_of(no_gpc, us, none, true, "personalization");
	consent_of(NULL, us, "\"globalPrivacyControl\":true,\"consent\":{\"categoryPreferences\":{\"sale\":true}}", false, "");
	/* A consent string of the TCF: purposes 1, 5, 6, 8 and 9; then 1, 3, 4 and 9, which together are none of ours. */
	consent_of(opt_in, se, "\"consent\":{\"tcf\":\"CQdZmkAQdZmkAAfABBENAwFoAI2AAEIAAAAAAEEUACACAAAA\"}", false,
		"analytics,personalization");
	consent_of(opt_in, se, "\"consent\":{\"tcf\":\"CQdZmkAQdZmkAAfABBENAwFoAI2AAEIAAAAAAEEUACACAAAA\"}", true, "analytics");
	consent_of(opt_in, us, "\"consent\":{\"tcf\":\"CQdZmkAQdZmkAAfABBENAwFoALCAAEIAAAAAAEEUACACAAAA\"}", false, "");
	consent_of(opt_in, us, "\"consent\":{\"tcf\":\"CQdZm\"}", false, ""); /* what cannot be read grants nothing */
	consent_of(opt_in, us, "\"consent\":{\"tcf\":7}", false, "analytics,personalization");
	/* With categories: either denies what both speak of. */
	static const char both[] = "\"consent\":{\"tcf\":\"CQdZmkAQdZmkAAfABBENAwFoAI2AAEIAAAAAAEEUACACAAAA\",\"categoryPreferences\":%s}";
	static const char *const categories[][2] = {
		{ "{\"Analytics\":true,\"advertising\":true,\"x\":true}", "x,analytics,personalization" },
		{ "{\"ANALYTICS\":false,\"sale\":false}", "personalization" }, { "{}", "" }, { "[]", "" },
		{ "7", "analytics,personalization" },
	};
	for (size_t i = 0; i < sizeof categories / sizeof *categories; i++) {
		char context[300];
		snprintf(context, sizeof context, both, categories[i][0]);
		consent_of(opt_in, us, context, false, categories[i][1]);
	}
	consent_of(opt_in, us, "\"consent\":{\"tcf\":\"CQdZm\",\"categoryPreferences\":{\"analytics\":true,\"sale\":true}}", false, "sale");
	consent_of("{}", us, none, false, "?");
	consent_of("{\"default\":7,\"region\":[7],\"gpc\":\"x\"}", us, none, false, "?");
}

static void test_no_memory(void **state)
{
	(void)state;
	struct visit v;
	start(&v, "216.160.83.56", "{\"context\":{\"traits\":{\"a\":\"b\"},\"timezone\":\"Europe/Berlin\",\"locale\":\"en\","
		"\"page\":{\"url\":\"https://shop.example/boots?utm_source=a&utm_medium=b&utm_campaign=c&utm_term=d&utm_content=e\","
		"\"referrer\":\"https://x.example/\",\"type\":\"t\"},\"consent\":{\"categoryPreferences\":{\"x\":true}}}}");
	v.r.secret = true;
	v.r.user_agent = fw_str("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0");
	int failures = 0;
	for (size_t limit = 1;; limit += 8) {
		struct fw_arena a;
		char block[8192];
		fw_arena_init(&a, block, sizeof block, limit);
		fw_facts_init(&v.f, &a, false);
		int r = fw_signal_read(signals, &v.r, &v.f);
		fw_arena_finish(&a);
		if (r == 0)
			break;
		assert_int_equal(r, FW_ENOMEM);
		failures++;
	}
	assert_true(failures > 50);
	finish(&v);
}

static void test_bad_database(void **state)
{
	(void)state;
	struct fw_signal_config bad = { .geo_path = "/nowhere/geo.mmdb" };
	struct fw_signal_shared *none = NULL;
	struct fw_error err = { 0 };
	assert_int_equal(fw_signal_shared_create(&bad, &none, &err), FW_EIO);
	assert_null(none);
	assert_string_equal(err.file, "/nowhere/geo.mmdb");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_request),
		cmocka_unit_test(test_bare_request),
		cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_whose_address),
		cmocka_unit_test(test_unix_peer),
		cmocka_unit_test(test_location),
		cmocka_unit_test(test_time), cmocka_unit_test(test_traits_need_a_secret),
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_consent),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_bad_database),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
