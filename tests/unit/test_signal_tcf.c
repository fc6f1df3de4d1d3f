/* Consent strings of the TCF: two that were made by the IAB's library, each of their bits, each beginning of them, and what
 * is refused. tests/system/tcf.test.mjs holds many more against that library. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "signal/tcf.h"

#define SOME "CQdZmkAQdZmkAAfABBENAwFoALCAAEIAAAAAAEEUACACAAAA"
#define NOTHING "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"

enum { FIXED_BITS = 213, CORE_BITS = 275 };

/* Parses a copy of exactly its length, so that a sanitizer sees what is read beyond it. */
static int parse_copy(const char *text, size_t n, struct fw_tcf *ret, char **ret_copy)
{
	*ret_copy = malloc(n ? n : 1);
	assert_non_null(*ret_copy);
	memcpy(*ret_copy, text, n);
	return fw_tcf_parse((struct fw_str){ *ret_copy, n }, ret, NULL);
}

static void test_some_granted(void **state)
{
	(void)state;
	struct fw_tcf t;
	assert_int_equal(fw_tcf_parse(fw_str(SOME ".YAAAAAAAAAAA"), &t, NULL), 0);
	assert_int_equal(t.core.n, strlen(SOME));
	assert_int_equal(t.core_bits, CORE_BITS);
	assert_int_equal(t.created_us, 1767312000000000); /* 2026-01-02 */
	assert_int_equal(t.updated_us, t.created_us);
	assert_int_equal(t.cmp_id, 31);
	assert_string_equal(t.language, "EN");
	assert_int_equal(t.vendor_list_version, 48);
	assert_int_equal(t.policy_version, 5);
	assert_true(t.service_specific);
	assert_int_equal(t.special_features, 1 << 1);
	assert_int_equal(t.purposes_consent, 1 << 1 | 1 << 3 | 1 << 4 | 1 << 9);
	assert_int_equal(t.purposes_interest, 1 << 2 | 1 << 7);
	assert_int_equal(t.n_restrictions, 0);
	for (unsigned id = 0; id < 100; id++) {
		assert_int_equal(fw_tcf_has_vendor(&t, &t.vendor_consent, id), id == 2 || id == 6 || id == 8);
		assert_int_equal(fw_tcf_has_vendor(&t, &t.vendor_interest, id), id == 8);
	}
	struct fw_tcf_purposes p = fw_tcf_purposes(&t);
	assert_false(p.analytics || p.personalization || p.contextual || p.advertising);
}

static void test_nothing_granted(void **state)
{
	(void)state;
	struct fw_tcf t;
	assert_int_equal(fw_tcf_parse(fw_str(NOTHING), &t, NULL), 0);
	assert_int_equal(t.purposes_consent | t.purposes_interest | t.special_features, 0);
	assert_int_equal(t.vendor_consent.highest | t.vendor_interest.highest, 0);
}

/* Our purposes need all of theirs, and legitimate interest is none. */
static void test_purposes(void **state)
{
	(void)state;
	static const unsigned needed[4][5] = { { 1, 8, 9 }, { 1, 5, 6 }, { 11 }, { 1, 2, 3, 4, 7 } };
	struct fw_tcf t = { .purposes_interest = 0xffffffff };
	struct fw_tcf_purposes p = fw_tcf_purposes(&t);
	assert_false(p.analytics || p.personalization || p.contextual || p.advertising);
	for (uint32_t consent = 0; consent < 1 << 12; consent++) {
		t.purposes_consent = consent << 1;
		p = fw_tcf_purposes(&t);
		bool got[4] = { p.analytics, p.personalization, p.contextual, p.advertising };
		for (int i = 0; i < 4; i++) {
			bool all = true;
			for (int j = 0; j < 5; j++)
				all = all && (needed[i][j] == 0 || t.purposes_consent >> needed[i][j] & 1);
			assert_int_equal(got[i], all);
		}
	}
}

/* Each beginning of a string is refused, until only bits are missing that tell nothing. */
static void test_cut_off(void **state)
{
	(void)state;
	static const char text[] = SOME;
	for (size_t n = 0; n < sizeof text; n++) {
		struct fw_tcf t;
		char *copy;
		int r = parse_copy(text, n, &t, &copy);
		assert_int_equal(r, n * 6 >= CORE_BITS ? 0 : FW_EINVAL);
		if (r == 0)
			for (unsigned id = 0; id < 100; id++)
				fw_tcf_has_vendor(&t, &t.vendor_consent, id);
		free(copy);
	}
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void flip(char *text, size_t bit)
{
	const char *at = strchr(alphabet, text[bit / 6]);
	text[bit / 6] = alphabet[(at - alphabet) ^ 1 << (5 - bit % 6)];
}

/* Which field a bit belongs to, and the text of each field. */
static const struct field {
	size_t end;
	const char *name;
} fields[] = { { 42, "created" }, { 78, "updated" }, { 90, "cmp" }, { 102, "cmp version" }, { 108, "screen" }, { 120, "language" },
	{ 132, "list" }, { 138, "policy" }, { 139, "specific" }, { 140, "texts" }, { 152, "features" }, { 176, "consent" },
	{ 200, "interest" },
	{ 201, "treatment" }, { FIXED_BITS, "country" } };

static unsigned long long field_of(const struct fw_tcf *t, size_t field)
{
	const unsigned long long all[] = { (unsigned long long)t->created_us, (unsigned long long)t->updated_us, t->cmp_id, t->cmp_version,
		t->screen, (unsigned long long)(t->language[0] << 8 | t->language[1]), t->vendor_list_version, t->policy_version,
		t->service_specific, t->non_standard_texts, t->special_features, t->purposes_consent, t->purposes_interest,
		t->purpose_one_treatment, (unsigned long long)(t->publisher_country[0] << 8 | t->publisher_country[1]) };
	return all[field];
}

/* A bit changes the field in which it stands, and no other; among the vendors it may break the string, and nothing else. */
static void test_each_bit(void **state)
{
	(void)state;
	struct fw_tcf was, t;
	assert_int_equal(fw_tcf_parse(fw_str(SOME), &was, NULL), 0);
	for (size_t bit = 0; bit < strlen(SOME) * 6; bit++) {
		char text[] = SOME;
		flip(text, bit);
		int r = fw_tcf_parse(fw_str(text), &t, NULL);
		if (bit < 6)
			assert_int_equal(r, FW_EINVAL);
		else if (bit < FIXED_BITS || bit >= CORE_BITS)
			assert_int_equal(r, 0);
		if (r < 0)
			continue;
		size_t start = 6;
		for (size_t f = 0; f < sizeof fields / sizeof *fields; start = fields[f++].end)
			if ((field_of(&was, f) != field_of(&t, f)) != (bit >= start && bit < fields[f].end))
				fail_msg("bit %zu and the field %s", bit, fields[f].name);
	}
}

/* What a writer of bits makes: for strings that no library makes. */
struct writer {
	char text[400];
	size_t bits;
};

static void put(struct writer *w, unsigned long long value, unsigned n)
{
	while (n-- > 0) {
		if (w->bits % 6 == 0) {
			w->text[w->bits / 6] = 'A';
			w->text[w->bits / 6 + 1] = '\0';
		}
		if (value >> n & 1)
			flip(w->text, w->bits);
		w->bits++;
	}
}

static void put_range(struct writer *w, unsigned first, unsigned last)
{
	put(w, 1, 1);
	put(w, first, 16);
	put(w, last, 16);
}

/* Vendors up to `highest` in two ranges, of which the second is as told; no legitimate interest, one restriction. */
static int parse_ranges(unsigned highest, unsigned first, unsigned last, unsigned restricted, struct fw_tcf *ret, struct writer *w)
{
	*w = (struct writer){ 0 };
	put(w, 2, 6);
	for (int i = 6; i < FIXED_BITS; i++)
		put(w, 0, 1);
	put(w, highest, 16);
	put(w, 1, 1);
	put(w, 2, 12);
	put(w, 0, 1);
	put(w, 5, 16);
	put_range(w, first, last);
	put(w, 0, 17);
	put(w, 1, 12);
	put(w, 2 << 2 | 1, 8);
	put(w, 1, 12);
	put_range(w, restricted, 0xffff);
	return fw_tcf_parse(fw_str(w->text), ret, NULL);
}

static void test_ranges(void **state)
{
	(void)state;
	struct fw_tcf t;
	struct writer w;
	assert_int_equal(parse_ranges(65535, 700, 65535, 1, &t, &w), 0);
	for (unsigned id = 0; id <= 65540; id++)
		assert_int_equal(fw_tcf_has_vendor(&t, &t.vendor_consent, id), id == 5 || (id >= 700 && id <= 65535));
	assert_int_equal(t.n_restrictions, 1);
	assert_int_equal(t.core_bits, w.bits);
	assert_int_equal(parse_ranges(700, 700, 700, 65535, &t, &w), 0);
	assert_int_equal(parse_ranges(700, 700, 701, 1, &t, &w), FW_EINVAL); /* beyond the highest */
	assert_int_equal(parse_ranges(700, 9, 8, 1, &t, &w), FW_EINVAL);
	assert_int_equal(parse_ranges(700, 0, 8, 1, &t, &w), FW_EINVAL);
	assert_int_equal(parse_ranges(700, 8, 9, 0, &t, &w), FW_EINVAL);
	assert_int_equal(parse_ranges(4, 1, 2, 1, &t, &w), FW_EINVAL); /* the single one, 5, is beyond it */
}

static void check_refused(const char *text, size_t n, int code, const char *message, const char *hint)
{
	struct fw_tcf t = { .cmp_id = 77 };
	struct fw_error err = { 0 };
	assert_int_equal(fw_tcf_parse((struct fw_str){ text, n }, &t, &err), code);
	assert_string_equal(err.file, "TCF string");
	if (!strstr(err.message, message) || !strstr(err.hint, hint))
		fail_msg("\"%s\": %s; %s", text, err.message, err.hint);
	assert_int_equal(t.cmp_id, 77); /* as it was */
}

static void test_refused(void **state)
{
	(void)state;
	static const char *const table[][3] = { { "", "empty", "" }, { ".YAAA", "empty", "" },
		{ "DBABM~" SOME, "Global Privacy Platform", "begins with C" }, { "B" SOME, "version 1 ", "version 2" },
		{ "A" SOME, "version 0 ", "begins with C" }, { "_" SOME, "version 63 ", "begins with C" },
		{ SOME "==", "character 49 ", "padding" },
		{ "C+QdZmkA", "character 2 ", "without padding" }, { "C/QdZmkA", "character 2 ", "" },
		{ SOME ".\x01", "character 50 ", "" }, { " " SOME, "character 1 ", "" },
		{ "C", "too early", "" } };
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		check_refused(table[i][0], strlen(table[i][0]), FW_EINVAL, table[i][1], table[i][2]);
	check_refused("C\0A", 3, FW_EINVAL, "character 2 ", "");
	check_refused(NULL, 0, FW_EINVAL, "empty", "");

	static char longest[FW_LIMIT_TCF_BYTES + 1];
	struct fw_tcf t;
	memset(longest, 'A', sizeof longest);
	memcpy(longest, SOME ".", strlen(SOME) + 1);
	assert_int_equal(fw_tcf_parse((struct fw_str){ longest, FW_LIMIT_TCF_BYTES }, &t, NULL), 0);
	check_refused(longest, sizeof longest, FW_ELIMIT, "longer", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_some_granted),
		cmocka_unit_test(test_nothing_granted),
		cmocka_unit_test(test_purposes),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_each_bit),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
