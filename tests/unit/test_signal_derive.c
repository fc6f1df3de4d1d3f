/* What follows from facts that are there: place from country, local time from clock and zone. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "signal/country.h"
#include "signal/signal.h"

struct bench {
	struct fw_arena arena;
	struct fw_zone_set *zones;
	struct fw_facts f;
};

static int begin(void **state)
{
	struct bench *b = calloc(1, sizeof *b);
	fw_arena_init(&b->arena, NULL, 0, 0);
	b->zones = fw_zone_set_create();
	fw_facts_init(&b->f, &b->arena, true);
	*state = b;
	return b->zones ? 0 : -1;
}

static int end(void **state)
{
	struct bench *b = *state;
	fw_zone_set_destroy(b->zones);
	fw_arena_finish(&b->arena);
	free(b);
	return 0;
}

static void set_clock(struct fw_facts *f, const char *utc)
{
	struct fw_civil c;
	assert_true(fw_civil_parse(fw_str(utc), &c));
	f->has_clock = true;
	f->now_us = (c.days * 86400 + c.second) * 1000000;
}

static void assert_date(const struct fw_facts *f, const char *date)
{
	char buf[16];
	assert_int_equal(f->single[FW_FACT_DATE].state, FW_KNOWN);
	assert_string_equal(fw_date_text((int64_t)f->single[FW_FACT_DATE].number, buf), date);
}

static void test_place(void **state)
{
	struct bench *b = *state;
	assert_int_equal(fw_facts_text(&b->f, FW_FACT_COUNTRY, FW_STR("de")), 0);
	assert_int_equal(fw_signal_derive(b->zones, &b->f), 0);
	assert_string_equal(b->f.single[FW_FACT_CONTINENT].text.p, "EU");
	assert_true(b->f.single[FW_FACT_IN_EU].boolean);
	assert_int_equal(b->f.single[FW_FACT_HOUR].state, FW_ABSENT);
}

static void test_given_wins(void **state)
{
	struct bench *b = *state;
	assert_int_equal(fw_facts_text(&b->f, FW_FACT_COUNTRY, FW_STR("DE")), 0);
	assert_int_equal(fw_facts_text(&b->f, FW_FACT_CONTINENT, FW_STR("OC")), 0);
	assert_int_equal(fw_facts_text(&b->f, FW_FACT_TIMEZONE, FW_STR("Asia/Tokyo")), 0);
	fw_facts_bool(&b->f, FW_FACT_IN_EU, false);
	fw_facts_number(&b->f, FW_FACT_HOUR, 3);
	set_clock(&b->f, "2026-11-23T22:40");
	assert_int_equal(fw_signal_derive(b->zones, &b->f), 0);
	assert_string_equal(b->f.single[FW_FACT_CONTINENT].text.p, "OC");
	assert_false(b->f.single[FW_FACT_IN_EU].boolean);
	assert_true(b->f.single[FW_FACT_HOUR].number == 3);
	assert_date(&b->f, "2026-11-24");
	assert_string_equal(fw_weekday_name((int)b->f.single[FW_FACT_WEEKDAY].number), "tue");
}

static void test_unknown_country(void **state)
{
	struct bench *b = *state;
	assert_int_equal(fw_facts_text(&b->f, FW_FACT_COUNTRY, FW_STR("UK")), 0);
	set_clock(&b->f, "2026-11-23T22:40");
	assert_int_equal(fw_signal_derive(b->zones, &b->f), 0);
	assert_int_equal(b->f.single[FW_FACT_CONTINENT].state, FW_ABSENT);
	assert_int_equal(b->f.single[FW_FACT_IN_EU].state, FW_ABSENT);
	assert_int_equal(b->f.single[FW_FACT_HOUR].state, FW_ABSENT);
}

static void test_trait_zone(void **state)
{
	struct bench *b = *state;
	struct fw_member trait = { .name = FW_STR("timezone") };
	assert_int_equal(fw_value_text(&b->arena, FW_STR("America/New_York"), &trait.value), 0);
	b->f.traits = &trait;
	b->f.n_traits = 1;
	assert_int_equal(fw_facts_text(&b->f, FW_FACT_COUNTRY, FW_STR("DE")), 0);
	assert_int_equal(fw_facts_text(&b->f, FW_FACT_TIMEZONE, FW_STR("Mars/Olympus_Mons")), 0);
	set_clock(&b->f, "2026-11-23T02:40");
	assert_int_equal(fw_signal_derive(b->zones, &b->f), 0);
	assert_true(b->f.single[FW_FACT_HOUR].number == 21);
	assert_date(&b->f, "2026-11-22");
	assert_string_equal(fw_weekday_name((int)b->f.single[FW_FACT_WEEKDAY].number), "sun");
}

static void test_country_of_one_time(void **state)
{
	struct bench *b = *state;
	assert_int_equal(fw_facts_text(&b->f, FW_FACT_COUNTRY, FW_STR("DE")), 0); /* two zones, always equal today */
	set_clock(&b->f, "2026-07-01T22:40");
	assert_int_equal(fw_signal_derive(b->zones, &b->f), 0);
	assert_true(b->f.single[FW_FACT_HOUR].number == 0);
	assert_int_equal(b->f.single[FW_FACT_HOUR].n_several, 0);
	assert_date(&b->f, "2026-07-02");
}

static void test_country_of_several(void **state)
{
	struct bench *b = *state;
	assert_int_equal(fw_facts_text(&b->f, FW_FACT_COUNTRY, FW_STR("CA")), 0);
	set_clock(&b->f, "2026-01-15T12:00");
	assert_int_equal(fw_signal_derive(b->zones, &b->f), 0);
	const struct fw_value *hour = &b->f.single[FW_FACT_HOUR];
	bool seen[24] = { false };
	assert_true(hour->n_several > 4);
	for (unsigned i = 0; i < hour->n_several; i++)
		seen[(int)hour->several[i]] = true;
	for (int h = 0; h < 24; h++)
		assert_int_equal(seen[h], h >= 4 && h <= 8); /* Vancouver 4 … Halifax 8, and 8 (:30) in St John's */
	assert_int_equal(b->f.single[FW_FACT_DATE].n_several, 0);
}

static void test_before_1970(void **state)
{
	struct bench *b = *state;
	assert_int_equal(fw_facts_text(&b->f, FW_FACT_TIMEZONE, FW_STR("UTC")), 0);
	b->f.has_clock = true;
	b->f.now_us = -1;
	assert_int_equal(fw_signal_derive(b->zones, &b->f), 0);
	assert_true(b->f.single[FW_FACT_HOUR].number == 23);
	assert_date(&b->f, "1969-12-31");
}

/* Every country that tzdata lists has a continent, and the Union has as many codes as it should. */
static void test_all_countries(void **state)
{
	(void)state;
	FILE *f = fopen("/usr/share/zoneinfo/iso3166.tab", "re");
	assert_non_null(f);
	char line[256];
	int countries = 0, members = 0;
	while (fgets(line, sizeof line, f)) {
		if (line[0] == '#')
			continue;
		struct fw_str code = { line, 2 }, continent = fw_country_continent(code);
		if (continent.n != 2)
			fail_msg("%.2s has no continent", line);
		countries++;
		members += fw_country_in_eu(code);
	}
	fclose(f);
	assert_true(countries >= 249);
	assert_int_equal(members, 27 + 7);
	assert_false(fw_country_in_eu(FW_STR("GB")));
	assert_true(fw_country_in_eu(FW_STR("ie")));
	assert_int_equal(fw_country_continent(FW_STR("A")).n, 0);
	assert_int_equal(fw_country_continent(FW_STR("A1")).n, 0);
	assert_int_equal(fw_country_continent((struct fw_str){ 0 }).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_place, begin, end),
		cmocka_unit_test_setup_teardown(test_given_wins, begin, end),
		cmocka_unit_test_setup_teardown(test_unknown_country, begin, end),
		cmocka_unit_test_setup_teardown(test_trait_zone, begin, end),
		cmocka_unit_test_setup_teardown(test_country_of_one_time, begin, end),
		cmocka_unit_test_setup_teardown(test_country_of_several, begin, end),
		cmocka_unit_test_setup_teardown(test_before_1970, begin, end),
		cmocka_unit_test(test_all_countries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
