/* Time zones held against the C library's, and the clock's small parsers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/zone.h"

static struct fw_zone_set *zones;

static int begin(void **state)
{
	(void)state;
	zones = fw_zone_set_create();
	return zones ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	fw_zone_set_destroy(zones);
	fw_zone_set_destroy(NULL);
	return 0;
}

static uint64_t seed = 20261123;

static uint64_t random_below(uint64_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % n;
}

static void use_zone(const char *name)
{
	char value[128];
	snprintf(value, sizeof value, ":%s", name);
	setenv("TZ", value, 1);
	tzset();
}

static long libc_offset(time_t at)
{
	struct tm tm;
	assert_non_null(localtime_r(&at, &tm));
	return tm.tm_gmtoff;
}

static void compare_zone(const char *name, int rounds)
{
	static const int64_t last_s = (int64_t)2840140800; /* 2060-01-01 */
	const struct fw_zone *zone = fw_zone_find(zones, fw_str(name));
	if (!zone)
		fail_msg("%s is not found", name);
	assert_string_equal(fw_zone_name(zone), name);
	use_zone(name);
	for (int i = 0; i < rounds; i++) {
		int64_t at = (int64_t)random_below((uint64_t)last_s);
		if (fw_zone_offset(zone, at) != libc_offset(at))
			fail_msg("%s at %lld: expected %ld, got %d", name, (long long)at, libc_offset(at), fw_zone_offset(zone, at));
	}
	/* The seconds around each change of a few years, before and after the end of the file's table. */
	static const int years[] = { 1985, 2007, 2026, 2037, 2038, 2055 };
	for (size_t y = 0; y < sizeof years / sizeof *years; y++)
		for (int64_t day = fw_days_from_civil(years[y], 1, 1), n = 0; n < 366; n++, day++) {
			int64_t low = day * 86400, high = low + 86400;
			if (libc_offset(low) == libc_offset(high))
				continue;
			while (low + 1 < high) {
				int64_t middle = (low + high) / 2;
				if (libc_offset(middle) == libc_offset(day * 86400))
					low = middle;
				else
					high = middle;
			}
			if (fw_zone_offset(zone, low) != libc_offset(low) || fw_zone_offset(zone, high) != libc_offset(high))
				fail_msg("%s changes at %lld: got %d, %d", name, (long long)high,
					fw_zone_offset(zone, low), fw_zone_offset(zone, high));
		}
}

/* Every zone of zone.tab, and older names. */
static void test_offsets(void **state)
{
	(void)state;
	static const char *const more[] = { "UTC", "GMT", "EST5EDT", "US/Pacific", "Asia/Calcutta", "Etc/GMT+12", "Etc/GMT-14", "CET",
		"Europe/Dublin", "Africa/Casablanca", "America/Nuuk", "Antarctica/Troll", "Australia/Lord_Howe", "Pacific/Apia",
		"Asia/Gaza" };
	int n = 0, rounds = getenv("FW_LONG") ? 2000 : 60;
	FILE *f = fopen("/usr/share/zoneinfo/zone.tab", "re");
	char line[512], name[128];
	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		if (line[0] != '#' && sscanf(line, "%*s %*s %127s", name) == 1) {
			compare_zone(name, rounds);
			n++;
		}
	fclose(f);
	assert_true(n > 400);
	for (size_t i = 0; i < sizeof more / sizeof *more; i++)
		compare_zone(more[i], rounds);
}

static void test_names(void **state)
{
	(void)state;
	static const char *const refused[] = { "", "/", "../../etc/passwd", "Europe/../Europe/Berlin", "./Europe/Berlin", "/etc/localtime",
		"Europe", "Europe/", "Europe//Berlin", "europe/berlin", "zone.tab", "tzdata.zi", "Europe/Berlin ", "Europe/\xc3\x84",
		"Mars/Base", "posixrules/x", "A", "leapseconds",
		"Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (fw_zone_find(zones, fw_str(refused[i])))
			fail_msg("\"%s\" is a zone", refused[i]);
	assert_null(fw_zone_find(zones, (struct fw_str){ 0 }));
	assert_null(fw_zone_find(zones, (struct fw_str){ "UTC\0x", 5 }));
	/* More unknown names than are remembered do no harm. */
	for (int i = 0; i < 6000; i++) {
		char name[32];
		snprintf(name, sizeof name, "Nowhere/N%d", i);
		assert_null(fw_zone_find(zones, fw_str(name)));
	}
	const struct fw_zone *utc = fw_zone_find(zones, FW_STR("UTC"));
	assert_non_null(utc);
	assert_ptr_equal(utc, fw_zone_find(zones, FW_STR("UTC")));
}

static int64_t seconds_of(const char *text)
{
	struct fw_civil c;
	assert_true(fw_civil_parse(fw_str(text), &c));
	return c.days * 86400 + c.second - c.offset_s;
}

/* The instant of a local time, written in UTC. */
static void check_instant(const char *zone_name, const char *local, bool last, const char *utc)
{
	struct fw_civil c;
	const struct fw_zone *zone = fw_zone_find(zones, fw_str(zone_name));
	assert_non_null(zone);
	assert_true(fw_civil_parse(fw_str(local), &c));
	int64_t got = fw_zone_instant(zone, c.days, c.second, last), expected = seconds_of(utc);
	if (got != expected)
		fail_msg("%s %s, %s: off by %lld s", zone_name, local, last ? "last" : "first", (long long)(got - expected));
}

static void test_instants(void **state)
{
	(void)state;
	for (int last = 0; last < 2; last++) {
		check_instant("Europe/Berlin", "2026-11-23T22:40", last, "2026-11-23T21:40Z");
		check_instant("Europe/Berlin", "2026-07-01T00:00", last, "2026-06-30T22:00Z");
		check_instant("UTC", "2026-07-01T00:00", last, "2026-07-01T00:00Z");
		/* Skipped: the moment after. */
		check_instant("Europe/Berlin", "2026-03-29T02:00", last, "2026-03-29T01:00Z");
		check_instant("Europe/Berlin", "2026-03-29T02:30", last, "2026-03-29T01:00Z");
		check_instant("Europe/Berlin", "2026-03-29T03:00", last, "2026-03-29T01:00Z");
		check_instant("America/New_York", "2026-03-08T02:59:59", last, "2026-03-08T07:00Z");
		check_instant("America/Santiago", "2026-09-06T00:30", last, "2026-09-06T04:00Z"); /* at midnight */
		check_instant("Australia/Lord_Howe", "2026-10-04T02:15", last, "2026-10-03T15:30Z"); /* by half an hour */
		check_instant("Pacific/Apia", "2011-12-30T12:00", last, "2011-12-30T10:00Z"); /* a whole day */
	}
	/* Repeated. */
	check_instant("Europe/Berlin", "2026-10-25T02:30", false, "2026-10-25T00:30Z");
	check_instant("Europe/Berlin", "2026-10-25T02:30", true, "2026-10-25T01:30Z");
	check_instant("Europe/Berlin", "2026-10-25T01:59:59", true, "2026-10-24T23:59:59Z");
	check_instant("Europe/Berlin", "2026-10-25T03:00", false, "2026-10-25T02:00Z");
	check_instant("America/New_York", "2050-11-06T01:30", false, "2050-11-06T05:30Z");
	check_instant("America/New_York", "2050-11-06T01:30", true, "2050-11-06T06:30Z");
	check_instant("Europe/Dublin", "2026-10-25T01:30", false, "2026-10-25T00:30Z"); /* its winter time is the exception */
	check_instant("Europe/Dublin", "2026-10-25T01:30", true, "2026-10-25T01:30Z");
	check_instant("Australia/Lord_Howe", "2026-04-05T01:45", false, "2026-04-04T14:45Z");
	check_instant("Australia/Lord_Howe", "2026-04-05T01:45", true, "2026-04-04T15:15Z");
}

/* Back and forth: an instant's local time is one of at most two instants, and the instant is among them. */
static void test_round_trip(void **state)
{
	(void)state;
	static const char *const names[] = { "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca",
		"America/Santiago", "Asia/Tehran", "Pacific/Auckland", "Europe/Dublin" };
	for (size_t z = 0; z < sizeof names / sizeof *names; z++) {
		const struct fw_zone *zone = fw_zone_find(zones, fw_str(names[z]));
		assert_non_null(zone);
		for (int i = 0; i < 3000; i++) {
			int64_t at = (int64_t)random_below(2840140800u), local = at + fw_zone_offset(zone, at);
			int64_t first = fw_zone_instant(zone, local / 86400, (int32_t)(local % 86400), false);
			int64_t last = fw_zone_instant(zone, local / 86400, (int32_t)(local % 86400), true);
			if (at != first && at != last)
				fail_msg("%s: %lld became %lld or %lld", names[z], (long long)at, (long long)first, (long long)last);
			assert_true(first <= last);
		}
	}
}

static void test_countries(void **state)
{
	(void)state;
	const struct fw_zone *const *list = NULL;
	assert_int_equal(fw_zone_of_country(zones, FW_STR("JP"), &list), 1);
	assert_string_equal(fw_zone_name(list[0]), "Asia/Tokyo");
	assert_int_equal(fw_zone_of_country(zones, FW_STR("jp"), &list), 1);
	assert_true(fw_zone_of_country(zones, FW_STR("US"), &list) > 20);
	assert_int_equal(fw_zone_of_country(zones, FW_STR("UK"), &list), 0);
	assert_int_equal(fw_zone_of_country(zones, FW_STR("JPN"), &list), 0);
	assert_int_equal(fw_zone_of_country(zones, (struct fw_str){ 0 }, &list), 0);
}

static void test_civil(void **state)
{
	(void)state;
	struct fw_civil c;
	char buf[16];
	static const char *const refused[] = { "", "2026", "2026-11", "2026-13-01", "2026-00-10", "2026-02-29", "2026-11-31", "26-11-23",
		"2026-11-23T", "2026-11-23T24:00", "2026-11-23T22", "2026-11-23T22:60", "2026-11-23T22:40:60", "2026-11-23T22:40+",
		"2026-11-23T22:40+1", "2026-11-23Z", "2026-11-23T22:40Zx", "2026-11-23 ", " 2026-11-23", "2026/11/23",
		"2026-11-23T22:40+25:00", "+026-11-23" };
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (fw_civil_parse(fw_str(refused[i]), &c))
			fail_msg("\"%s\" is a date", refused[i]);
	assert_true(fw_civil_parse(FW_STR("2024-02-29"), &c));
	assert_false(c.has_time || c.has_offset);
	assert_string_equal(fw_date_text(c.days, buf), "2024-02-29");
	assert_true(fw_civil_parse(FW_STR("2026-11-23 22:40"), &c));
	assert_true(c.has_time && !c.has_offset && c.second == 22 * 3600 + 40 * 60);
	assert_true(fw_civil_parse(FW_STR("2026-11-23T22:40:05-03:30"), &c));
	assert_true(c.has_offset && c.offset_s == -(3 * 3600 + 1800) && c.second == 22 * 3600 + 40 * 60 + 5);
	for (int64_t days = -200000; days < 200000; days += 37) {
		int year, month, day;
		fw_civil_from_days(days, &year, &month, &day);
		assert_int_equal(fw_days_from_civil(year, month, day), days);
	}
	assert_int_equal(fw_weekday(0), 3); /* 1970-01-01 was a Thursday */
	assert_int_equal(fw_weekday(-1), 2);
	assert_int_equal(fw_weekday(fw_days_from_civil(2026, 11, 23)), 0);
}

static void test_durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds;
	} table[] = { { "90s", 90 }, { "90m", 5400 }, { "1h", 3600 }, { "7d", 604800 }, { "2w", 1209600 }, { "0s", 0 }, { "", -1 },
		{ "h", -1 }, { "1", -1 }, { "1.5h", -1 }, { "-1h", -1 }, { "1 h", -1 }, { "1hh", -1 }, { "1y", -1 }, { "1H", -1 },
		{ "99999999999999999999w", -1 }, { " 1h", -1 } };
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (fw_duration_s(fw_str(table[i].text)) != table[i].seconds)
			fail_msg("\"%s\": got %lld", table[i].text, (long long)fw_duration_s(fw_str(table[i].text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_instants),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_countries),
		cmocka_unit_test(test_civil),
		cmocka_unit_test(test_durations),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
