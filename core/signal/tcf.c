#include "signal/tcf.h"

#include "base/limits.h"

enum {
	VERSION = 2, VERSION_1 = 1, GPP = 3,
	CHARACTER_BITS = 6,
	PURPOSES = 24,
	SPECIAL_FEATURES = 12,
	HIGHEST_VENDOR = 0xffff,
};

/* Bits in the order in which they stand. Reading past the end gives zeros, and is remembered. */
struct bits {
	struct fw_str text; /* of the alphabet, all of it */
	size_t at;
	bool ended;
};

/* What a character of base64url stands for, -1 for others. */
static int value_of(char c)
{
	return c == '+' || c == '/' ? -1 : fw_base64_digit(c);
}

static bool bit_at(struct fw_str text, size_t bit)
{
	return (unsigned)value_of(text.p[bit / CHARACTER_BITS]) >> (CHARACTER_BITS - 1 - bit % CHARACTER_BITS) & 1;
}

static bool skip(struct bits *b, size_t n)
{
	size_t left = b->text.n * CHARACTER_BITS - b->at;
	b->ended = b->ended || n > left;
	b->at += n > left ? left : n;
	return !b->ended;
}

static uint64_t take(struct bits *b, unsigned n)
{
	size_t from = b->at;
	uint64_t value = 0;
	if (!skip(b, n))
		return 0;
	for (size_t i = from; i < from + n; i++)
		value = value << 1 | bit_at(b->text, i);
	return value;
}

static unsigned take_number(struct bits *b, unsigned n)
{
	return (unsigned)take(b, n);
}

static bool take_flag(struct bits *b)
{
	return take(b, 1) != 0;
}

/* Tenths of a second since 1970. */
static int64_t take_time(struct bits *b)
{
	return (int64_t)take(b, 36) * 100000;
}

/* The first bit is number 1. */
static uint32_t take_set(struct bits *b, unsigned n)
{
	uint32_t set = 0;
	for (unsigned i = 1; i <= n; i++)
		set |= (uint32_t)take_flag(b) << i;
	return set;
}

static void take_letters(struct bits *b, char ret[3])
{
	for (int i = 0; i < 2; i++) {
		unsigned letter = take_number(b, CHARACTER_BITS);
		ret[i] = letter < 26 ? (char)('A' + letter) : '?';
	}
	ret[2] = '\0';
}

/* One id is a range of itself. False when it is none of ids from 1 to `highest`. */
static bool take_range(struct bits *b, unsigned highest, unsigned *ret_first, unsigned *ret_last)
{
	bool several = take_flag(b);
	*ret_first = take_number(b, 16);
	*ret_last = several ? take_number(b, 16) : *ret_first;
	return *ret_first > 0 && *ret_first <= *ret_last && *ret_last <= highest;
}

static int fail_range(const struct bits *b, struct fw_error *err)
{
	return fw_fail(err, FW_EINVAL, "TCF string", 0, "the range of vendors that ends with bit %zu is none", b->at);
}

static int fail_end(struct fw_error *err)
{
	return fw_fail(err, FW_EINVAL, "TCF string", 0, "the core segment ends too early");
}

/* Reads the ranges over, to see that they are ones. */
static int check_ranges(struct bits *b, unsigned n, unsigned highest, struct fw_error *err)
{
	unsigned first, last;
	for (unsigned i = 0; i < n; i++) {
		bool ok = take_range(b, highest, &first, &last);
		if (b->ended)
			return fail_end(err);
		if (!ok)
			return fail_range(b, err);
	}
	return 0;
}

static int take_vendors(struct bits *b, struct fw_tcf_vendors *ret, struct fw_error *err)
{
	*ret = (struct fw_tcf_vendors){ .highest = take_number(b, 16), .in_ranges = take_flag(b) };
	if (ret->in_ranges)
		ret->n_ranges = take_number(b, 12);
	ret->at_bit = b->at;
	if (ret->in_ranges)
		return check_ranges(b, ret->n_ranges, ret->highest, err);
	return skip(b, ret->highest) ? 0 : fail_end(err);
}

/* Restrictions tell on what ground vendors may act for a purpose. We are none of them. */
static int skip_restrictions(struct bits *b, unsigned *ret_n, struct fw_error *err)
{
	*ret_n = take_number(b, 12);
	for (unsigned i = 0; i < *ret_n && !b->ended; i++) {
		skip(b, 6 + 2);
		int r = check_ranges(b, take_number(b, 12), HIGHEST_VENDOR, err);
		if (r < 0)
			return r;
	}
	return b->ended ? fail_end(err) : 0;
}

static int check_version(int version, struct fw_error *err)
{
	if (version == VERSION)
		return 0;
	if (version == GPP) {
		fw_fail(err, FW_EINVAL, "TCF string", 0, "this is a string of the Global Privacy Platform");
		fw_hint(err, "send its section 2 (tcfeuv2) alone: it begins with C");
		return FW_EINVAL;
	}
	fw_fail(err, FW_EINVAL, "TCF string", 0, "version %d is not known", version);
	fw_hint(err, version == VERSION_1 ? "version 1 ended in 2020; ask the consent platform for a string of version 2" :
		"a string of version 2 begins with C");
	return FW_EINVAL;
}

/* Cuts off the core segment, and sees that all characters are of the alphabet. */
static int find_core(struct fw_str text, struct fw_str *ret_core, struct fw_error *err)
{
	if (text.n > FW_LIMIT_TCF_BYTES)
		return fw_fail(err, FW_ELIMIT, "TCF string", 0, "it is longer than %d bytes", FW_LIMIT_TCF_BYTES);
	const char *dot = text.n ? memchr(text.p, '.', text.n) : NULL;
	*ret_core = (struct fw_str){ text.p, dot ? (size_t)(dot - text.p) : text.n };
	if (ret_core->n == 0)
		return fw_fail(err, FW_EINVAL, "TCF string", 0, "it is empty");
	int version = value_of(text.p[0]), r = version < 0 ? 0 : check_version(version, err);
	for (size_t i = 0; i < text.n && r == 0; i++)
		if (text.p[i] != '.' && value_of(text.p[i]) < 0) {
			r = fw_fail(err, FW_EINVAL, "TCF string", 0, "character %zu is not of base64url", i + 1);
			fw_hint(err, "letters, digits, - and _, without padding; segments are parted by dots");
		}
	return r;
}

int fw_tcf_parse(struct fw_str text, struct fw_tcf *ret, struct fw_error *err)
{
	struct fw_tcf t = { 0 };
	int r = find_core(text, &t.core, err);
	if (r < 0)
		return r;
	struct bits b = { .text = t.core, .at = CHARACTER_BITS };
	t.created_us = take_time(&b);
	t.updated_us = take_time(&b);
	t.cmp_id = take_number(&b, 12);
	t.cmp_version = take_number(&b, 12);
	t.screen = take_number(&b, 6);
	take_letters(&b, t.language);
	t.vendor_list_version = take_number(&b, 12);
	t.policy_version = take_number(&b, 6);
	t.service_specific = take_flag(&b);
	t.non_standard_texts = take_flag(&b);
	t.special_features = take_set(&b, SPECIAL_FEATURES);
	t.purposes_consent = take_set(&b, PURPOSES);
	t.purposes_interest = take_set(&b, PURPOSES);
	t.purpose_one_treatment = take_flag(&b);
	take_letters(&b, t.publisher_country);
	if ((r = take_vendors(&b, &t.vendor_consent, err)) < 0 || (r = take_vendors(&b, &t.vendor_interest, err)) < 0 ||
			(r = skip_restrictions(&b, &t.n_restrictions, err)) < 0)
		return r;
	t.core_bits = b.at;
	*ret = t;
	return 0;
}

bool fw_tcf_has_vendor(const struct fw_tcf *t, const struct fw_tcf_vendors *v, unsigned id)
{
	if (id == 0 || id > v->highest)
		return false;
	if (!v->in_ranges)
		return bit_at(t->core, v->at_bit + id - 1);
	struct bits b = { .text = t->core, .at = v->at_bit };
	for (unsigned i = 0, first, last; i < v->n_ranges; i++)
		if (take_range(&b, v->highest, &first, &last) && first <= id && id <= last)
			return true;
	return false;
}

struct fw_tcf_purposes fw_tcf_purposes(const struct fw_tcf *t)
{
	enum {
		ANALYTICS = 1 << 1 | 1 << 8 | 1 << 9,
		PERSONALIZATION = 1 << 1 | 1 << 5 | 1 << 6,
		CONTEXTUAL = 1 << 11,
		ADVERTISING = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 7,
	};
	uint32_t c = t->purposes_consent;
	return (struct fw_tcf_purposes){
		.analytics = (c & ANALYTICS) == ANALYTICS,
		.personalization = (c & PERSONALIZATION) == PERSONALIZATION,
		.contextual = (c & CONTEXTUAL) == CONTEXTUAL,
		.advertising = (c & ADVERTISING) == ADVERTISING,
	};
}
