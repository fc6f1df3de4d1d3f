/* Our words for devices: a table of user agents of today, client hints, and what is remembered. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "signal/device.h"

static struct fw_agents *agents;

static int begin(void **state)
{
	(void)state;
	struct fw_error err;
	return fw_agents_create(&agents, &err);
}

static int end(void **state)
{
	(void)state;
	fw_agents_destroy(agents);
	return 0;
}

static void check(const char *agent, const struct fw_hints *hints, const char *form, const char *os, const char *browser)
{
	struct fw_device d;
	fw_device_read(agents, fw_str(agent), hints, &d);
	if (strcmp(d.form, form) != 0 || strcmp(d.os, os) != 0 || strcmp(d.browser, browser) != 0)
		fail_msg("%s: expected %s, %s, %s, got %s, %s, %s", agent, form, os, browser, d.form, d.os, d.browser);
}

#define ANDROID "Mozilla/5.0 (Linux; Android "
#define KIT " AppleWebKit/537.36 (KHTML, like Gecko) "
#define WINDOWS "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
#define MAC "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
#define IPHONE "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "

static void test_agents(void **state)
{
	(void)state;
	static const char *const table[][4] = {
		{ IPHONE "Version/17.5 Mobile/15E148 Safari/604.1", "mobile", "iOS", "Safari" },
		{ IPHONE "CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1", "mobile", "iOS", "Chrome" },
		{ IPHONE "FxiOS/127.0 Mobile/15E148 Safari/605.1.15", "mobile", "iOS", "Firefox" },
		{ IPHONE "EdgiOS/125.0.2535.60 Version/17.0 Mobile/15E148 Safari/604.1", "mobile", "iOS", "Edge" },
		{ "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
			"Version/12.1 Mobile/15E148 Safari/604.1",
			"tablet", "iOS", "Safari" },
		{ ANDROID "10; K)" KIT "Chrome/126.0.0.0 Mobile Safari/537.36", "mobile", "Android", "Chrome" },
		{ ANDROID "10; K)" KIT "Chrome/126.0.0.0 Safari/537.36", "tablet", "Android", "Chrome" },
		{ ANDROID "13; SM-S911B)" KIT "SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
			"mobile", "Android", "Samsung Internet" },
		{ ANDROID "14; Pixel 8 Build/UQ1A; wv)" KIT "Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36",
			"mobile", "Android", "Chrome" },
		{ ANDROID "10; K)" KIT "Chrome/126.0.0.0 Mobile Safari/537.36 EdgA/126.0.0.0", "mobile", "Android", "Edge" },
		{ ANDROID "10; K)" KIT "Chrome/126.0.0.0 Mobile Safari/537.36 OPR/76.2.4027.73374", "mobile", "Android", "Opera" },
		{ "Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", "mobile", "Android", "Firefox" },
		{ "Mozilla/5.0 (Android 14; Tablet; rv:127.0) Gecko/127.0 Firefox/127.0", "tablet", "Android", "Firefox" },
		{ "Dalvik/2.1.0 (Linux; U; Android 13; SM-G991B Build/TP1A)", "mobile", "Android", "Android" },
		{ ANDROID "11; KFTRWI)" KIT "Silk/125.3.2 like Chrome/125.0.6422.112 Safari/537.36", "tablet", "Android", "Amazon Silk" },
		{ ANDROID "12; CUBOT_X50)" KIT "Chrome/126.0.0.0 Mobile Safari/537.36", "mobile", "Android", "Chrome" },
		{ WINDOWS KIT "Chrome/126.0.0.0 Safari/537.36", "desktop", "Windows", "Chrome" },
		{ WINDOWS KIT "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", "desktop", "Windows", "Edge" },
		{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0", "desktop", "Windows", "Firefox" },
		{ "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; Touch; Tablet PC 2.0; rv:11.0) like Gecko",
			"desktop", "Windows", "IE" },
		{ MAC " AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15", "desktop", "macOS", "Safari" },
		{ MAC KIT "Chrome/126.0.0.0 Safari/537.36", "desktop", "macOS", "Chrome" },
		{ "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)" KIT "Chrome/126.0.0.0 Safari/537.36", "desktop", "ChromeOS", "Chrome" },
		{ "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "desktop", "Linux", "Firefox" },
		{ "Mozilla/5.0 (X11; FreeBSD amd64; rv:127.0) Gecko/20100101 Firefox/127.0", "desktop", "FreeBSD", "Firefox" },
		{ "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 (KHTML, like Gecko) "
			"Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15254", "mobile", "Windows", "Edge" },
		{ "Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0)" KIT "SamsungBrowser/4.0 Chrome/94.0 TV Safari/537.36",
			"tv", "Tizen", "Samsung Internet" },
		{ "Mozilla/5.0 (Web0S; Linux/SmartTV)" KIT "Chrome/108.0.5359.211 Safari/537.36 WebAppManager", "tv", "webOS", "Chrome" },
		{ ANDROID "9; AFTS)" KIT "Silk/120.1.2 like Chrome/120.0.6099.230 Safari/537.36", "tv", "Android", "Amazon Silk" },
		{ "Mozilla/5.0 (PlayStation; PlayStation 5/8.00) AppleWebKit/605.1.15 (KHTML, like Gecko) "
			"Version/15.4 Safari/605.1.15", "console",
			"Other", "Safari" },
		{ WINDOWS KIT "Chrome/102.0 Safari/537.36 Edge/44.18363.8131 Xbox", "console", "Windows", "Edge" },
		{ "Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/609.4 (KHTML, like Gecko) "
			"NF/6.0.2.21.3 NintendoBrowser/5.1.0.22474",
			"console", "Other", "Other" },
		{ ANDROID "11; SM-R890)" KIT "Chrome/110.0.0.0 Mobile Safari/537.36", "wearable", "Android", "Chrome" },
		{ "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot", "Other", "Googlebot" },
		{ ANDROID "6.0.1; Nexus 5X Build/MMB29P)" KIT "Chrome/126.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; "
			"+http://www.google.com/bot.html)", "bot", "Android", "Googlebot" },
		{ "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "bot", "Other", "bingbot" },
		{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
			"bot", "Other", "GPTBot" },
		{ "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "bot", "Other", "FacebookBot" },
		{ "Mozilla/5.0 (X11; Linux x86_64)" KIT "HeadlessChrome/126.0.0.0 Safari/537.36", "bot", "Linux", "Chrome" },
		{ "curl/8.5.0", "other", "Other", "curl" },
		{ "?", "other", "Other", "Other" },
	};
	struct fw_hints none = { 0 };
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		check(table[i][0], &none, table[i][1], table[i][2], table[i][3]);
	check("", &none, "", "", "");
}

static struct fw_hints sent(const char *brands, const char *mobile, const char *platform, const char *forms)
{
	struct fw_hints h;
	fw_hints_from_headers(fw_str(brands), fw_str(mobile), fw_str(platform), fw_str(forms), &h);
	return h;
}

static void test_hints(void **state)
{
	(void)state;
	static const char reduced[] = ANDROID "10; K)" KIT "Chrome/126.0.0.0 Safari/537.36";
	static const char chrome[] = "\"Not/A)Brand\";v=\"8\", \"Chromium\";v=\"126\", \"Google Chrome\";v=\"126\"";
	struct fw_hints h = sent(chrome, "?1", "\"Android\"", NULL);
	check("", &h, "mobile", "Android", "Chrome");
	check(WINDOWS KIT "Chrome/126.0.0.0 Safari/537.36", &h, "mobile", "Android", "Chrome");
	h = sent("\"Chromium\";v=\"126\", \"Not\\\"A;Brand\";v=\"24\", \"Brave\";v=\"126\"", "?0", "\"macOS\"", NULL);
	check(WINDOWS KIT "Chrome/126.0.0.0 Safari/537.36", &h, "desktop", "macOS", "Brave");
	h = sent("\"Chromium\";v=\"126\"", "?0", "\"Android\"", NULL);
	check(reduced, &h, "tablet", "Android", "Chrome"); /* an engine alone names no browser */
	h = sent("\"Microsoft Edge\";v=\"126\"", "?0", "\"Chrome OS\"", "\"Tablet\", \"Desktop\"");
	check(reduced, &h, "tablet", "ChromeOS", "Edge");
	h = sent(NULL, NULL, NULL, "\"XR\"");
	check(reduced, &h, "wearable", "Android", "Chrome");
	h = sent(NULL, "?1", "\"Unknown\"", NULL);
	check("", &h, "mobile", "", "");
	h = sent(NULL, "1", "Android", "Tablet"); /* none of these is well-formed */
	assert_true(h.mobile == FW_MOBILE_UNTOLD && !h.os && !h.form && !h.browser);
	h = sent("\"", "?", "\"\\", "\"\"\"");
	assert_true(h.mobile == FW_MOBILE_UNTOLD && !h.os && !h.form && !h.browser);
	/* What hints do not say, a user agent may. */
	h = sent(chrome, "?1", "\"Android\"", NULL);
	check("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", &h, "bot", "Android", "Chrome");
	h = sent(chrome, "?0", "\"Linux\"", NULL);
	check("Mozilla/5.0 (Web0S; Linux/SmartTV)" KIT "Chrome/108.0.5359.211 Safari/537.36", &h, "tv", "Linux", "Chrome");
}

static void test_hints_json(void **state)
{
	(void)state;
	static const char text[] = "{\"brands\":[{\"brand\":\"Not;A=Brand\",\"version\":\"8\"},{\"brand\":\"Opera\"},7,null],"
		"\"mobile\":true,\"platform\":\"Windows\",\"formFactors\":[3,\"Desktop\"]}";
	struct fw_arena a;
	struct fw_json *v;
	struct fw_error err;
	struct fw_hints h;
	fw_arena_init(&a, NULL, 0, 0);
	assert_int_equal(fw_json_parse(&a, text, sizeof text - 1, &v, &err), 0);
	fw_hints_from_json(v, &h);
	assert_string_equal(h.browser, "Opera");
	assert_string_equal(h.os, "Windows");
	assert_string_equal(h.form, "desktop");
	assert_int_equal(h.mobile, FW_MOBILE_YES);
	fw_hints_from_json(NULL, &h);
	assert_true(h.mobile == FW_MOBILE_UNTOLD && !h.os && !h.form && !h.browser);
	fw_arena_finish(&a);
}

static void test_cache(void **state)
{
	(void)state;
	struct fw_device_cache *cache = fw_device_cache_create(NULL);
	struct fw_hints none = { 0 }, phone = { .mobile = FW_MOBILE_YES };
	uint64_t hits, calls;
	char text[2000];
	assert_non_null(cache);
	struct fw_str mac = fw_str(MAC KIT "Chrome/126.0.0.0 Safari/537.36");
	assert_string_equal(fw_device_find(cache, agents, mac, &none)->form, "desktop");
	assert_string_equal(fw_device_find(cache, agents, mac, &phone)->form, "mobile");
	assert_string_equal(fw_device_find(cache, agents, mac, &none)->form, "desktop");
	fw_device_cache_counts(cache, &hits, &calls);
	assert_true(hits == 1 && calls == 3);
	/* More user agents than there is room for: answers stay right, and one that is used all along is not forgotten. */
	for (int i = 0; i < 2 * FW_LIMIT_AGENTS_KEPT; i++) {
		snprintf(text, sizeof text, "%s/%d Firefox/%d.0", i % 2 ? "Mozilla/5.0 (iPad;)" : WINDOWS, i, i);
		assert_string_equal(fw_device_find(cache, agents, fw_str(text), &none)->form, i % 2 ? "tablet" : "desktop");
		assert_string_equal(fw_device_find(cache, agents, mac, &none)->form, "desktop");
	}
	fw_device_cache_counts(cache, &hits, &calls);
	assert_int_equal(hits, 1 + 2 * FW_LIMIT_AGENTS_KEPT);
	/* Too long to be kept, and longer than is looked at. */
	memset(text, 'x', sizeof text);
	memcpy(text, mac.p, mac.n);
	assert_string_equal(fw_device_find(cache, agents, (struct fw_str){ text, sizeof text }, &none)->os, "macOS");
	fw_device_cache_destroy(cache);
	fw_device_cache_destroy(NULL);
}

/* What one worker remembers another begins with, but for the entry that a writer died in. */
static void test_cache_handed_on(void **state)
{
	(void)state;
	struct fw_hints none = { 0 };
	uint64_t hits, calls;
	char text[100];
	void *first = calloc(1, fw_device_cache_bytes()), *second = calloc(1, fw_device_cache_bytes());
	assert_true(first && second);
	struct fw_device_cache *cache = fw_device_cache_create(first);
	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof text, "%s Firefox/%d.0", WINDOWS, i);
		fw_device_find(cache, agents, fw_str(text), &none);
	}
	fw_device_cache_destroy(cache);
	fw_device_cache_copy(second, first);
	cache = fw_device_cache_create(second);
	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof text, "%s Firefox/%d.0", WINDOWS, i);
		assert_string_equal(fw_device_find(cache, agents, fw_str(text), &none)->browser, "Firefox");
	}
	fw_device_cache_counts(cache, &hits, &calls);
	assert_true(hits == 500 && calls == 500);
	fw_device_cache_destroy(cache);
	/* Odd versions everywhere, as if a writer had died in each: nothing is taken, neither here nor by a copy. */
	size_t entry = fw_device_cache_bytes() / FW_LIMIT_AGENTS_KEPT;
	for (size_t i = 0; i < FW_LIMIT_AGENTS_KEPT; i++)
		++*(uint32_t *)(void *)((char *)first + i * entry);
	fw_device_cache_copy(second, first);
	void *memories[] = { first, second };
	for (int i = 0; i < 2; i++) {
		cache = fw_device_cache_create(memories[i]);
		assert_string_equal(fw_device_find(cache, agents, fw_str(text), &none)->browser, "Firefox");
		fw_device_cache_counts(cache, &hits, &calls);
		assert_true(hits == 0 && calls == 1);
		fw_device_cache_destroy(cache);
		free(memories[i]);
	}
}

/* A family that a pattern takes from the text is cut between characters. */
static void test_long_family(void **state)
{
	(void)state;
	struct fw_hints none = { 0 };
	struct fw_device d;
	char text[] = "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4/1 CFNetwork/1";
	fw_device_read(agents, fw_str(text), &none, &d);
	assert_int_equal(strlen(d.browser), FW_DEVICE_TEXT - 2);
	assert_true(fw_utf8_valid(fw_str(d.browser)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agents),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_hints_json),
		cmocka_unit_test(test_cache), cmocka_unit_test(test_cache_handed_on),
		cmocka_unit_test(test_long_family),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
