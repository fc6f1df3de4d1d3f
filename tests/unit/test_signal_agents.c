/* ua-parser's own cases, as its Debian package has them, and what hostile user agents cost. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "signal/agents.h"

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

/* The text of "key: 'it''s'" or "key: "it's"", unquoted in place; NULL when the line has another key. */
static char *value_of(char *line, const char *key)
{
	char *at = strstr(line, key);
	if (!at)
		return NULL;
	at += strlen(key);
	at += strspn(at, " ");
	char quote = *at++, *out = at;
	if (quote != '\'' && quote != '"')
		return NULL;
	for (char *p = at; *p; p++) {
		if (*p == quote && p[1] != quote)
			break;
		if (*p == quote)
			p++;
		*out++ = *p;
	}
	*out = '\0';
	return at;
}

static void compare(const char *path, size_t field, unsigned least)
{
	FILE *f = fopen(path, "re");
	char line[4096], agent[4096] = "";
	unsigned right = 0, wrong = 0;
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		char *text = value_of(line, "user_agent_string:"), *family = text ? NULL : value_of(line, " family:");
		struct fw_agent got;
		if (text)
			snprintf(agent, sizeof agent, "%s", text);
		if (!family)
			continue;
		fw_agents_read(agents, fw_str(agent), &got);
		if (strcmp((char *)&got + field, family) == 0) {
			right++;
		} else {
			wrong++;
			print_message("%s: %s: expected %s, got %s\n", path, agent, family, (char *)&got + field);
		}
	}
	fclose(f);
	assert_true(right >= least);
	assert_true(wrong * 1000 <= right + wrong);
}

static void test_browsers(void **state)
{
	(void)state;
	compare("/usr/share/uap-core/tests/test_ua.yaml", offsetof(struct fw_agent, browser), 1400);
}

static void test_systems(void **state)
{
	(void)state;
	compare("/usr/share/uap-core/tests/test_os.yaml", offsetof(struct fw_agent, os), 450);
}

static void test_devices(void **state)
{
	(void)state;
	compare("/usr/share/uap-core/tests/test_device.yaml", offsetof(struct fw_agent, device), 16000);
}

static void assert_bounded(const char *what, struct fw_str text)
{
	struct fw_agent got;
	int64_t least = INT64_MAX;
	for (int i = 0; i < 3; i++) {
		int64_t before = fw_monotonic_us();
		fw_agents_read(agents, text, &got);
		int64_t took = fw_monotonic_us() - before;
		least = took < least ? took : least;
	}
	if (least >= 50000)
		fail_msg("%s took %lld us", what, (long long)least);
}

/* Fills a text with repetitions of a part. */
static struct fw_str repeat(char *buf, size_t size, const char *head, const char *part)
{
	size_t n = (size_t)snprintf(buf, size, "%s", head), m = strlen(part);
	while (n + m < size) {
		memcpy(buf + n, part, m);
		n += m;
	}
	buf[n] = '\0';
	return (struct fw_str){ buf, n };
}

static void test_hostile(void **state)
{
	(void)state;
	static const char *const parts[] = { "a", "(", "; ", "Android ", "; Android Build ", "Mozilla/5.0 (Linux; Android 4.",
		"Build/", "1.1.1.1.", "Windows NT; Linux; Mac OS X; ", "bot ", "CFNetwork/1 ", "HbbTV/1.1.1 (;;;;;) ",
		"Opera/9.80 (Linux; U; ", "Nokia", "SAMSUNG-SGH-", "; LG-", "Mobile Safari/ Version/ ", "LAVA A3 ; ", "HTC Desire Build/ ",
		"iPhone; CPU OS " };
	char buf[8192];
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		assert_bounded(parts[i], repeat(buf, sizeof buf, "", parts[i]));
		assert_bounded(parts[i], repeat(buf, sizeof buf, "Mozilla/5.0 (Linux; Android 9; ", parts[i]));
	}
	uint64_t seed = 1;
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < sizeof buf; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			buf[i] = (char)(round % 2 ? seed >> 56 : ' ' + (seed >> 56) % 95);
		}
		assert_bounded("random", (struct fw_str){ buf, sizeof buf });
	}
	assert_bounded("empty", (struct fw_str){ 0 });
}

static void test_cut(void **state)
{
	(void)state;
	struct fw_agent got;
	char buf[3000];
	memset(buf, 'x', sizeof buf);
	memcpy(buf + 2000, "Firefox/99.0", 12);
	fw_agents_read(agents, (struct fw_str){ buf, sizeof buf }, &got);
	assert_string_equal(got.browser, "Other");
	/* The longest family that a pattern takes from the text, and one that is cut within a character. */
	memset(buf, 'y', 200);
	memcpy(buf + 200, "/1 CFNetwork/1", 14);
	fw_agents_read(agents, (struct fw_str){ buf, 214 }, &got);
	assert_int_equal(strlen(got.browser), 200);
	memcpy(buf, "\xff", 1);
	fw_agents_read(agents, (struct fw_str){ buf, 214 }, &got);
	assert_string_equal(got.browser, "Other");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_browsers),
		cmocka_unit_test(test_systems),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_cut),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
