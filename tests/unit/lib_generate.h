/* Random rule sets and visitors that together visit every corner of conditions. Seeded: one number, one rule set. */
#ifndef FW_TEST_LIB_GENERATE_H
#define FW_TEST_LIB_GENERATE_H

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

struct generator {
	uint64_t state;
	struct fw_buf out;
	unsigned values;    /* how many different texts a fact may have */
	unsigned traits;    /* how many different traits there are */
	unsigned segments;  /* declared so far */
	bool functions;
};

/* SplitMix64 (G. Steele, D. Lea, C. Flood, 2014). */
static inline uint64_t draw(struct generator *g)
{
	uint64_t z = g->state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline unsigned below(struct generator *g, unsigned n)
{
	return (unsigned)(draw(g) % n);
}

static inline bool chance(struct generator *g, unsigned percent)
{
	return below(g, 100) < percent;
}

#define PICK(g, list) ((list)[below((g), sizeof(list) / sizeof *(list))])
#define PUT(g, ...) fw_buf_printf(&(g)->out, __VA_ARGS__)

static const char *const some_countries[] = { "CA", "NO", "US", "DE", "RU", "BR", "FR", "AU" };
static const char *const some_languages[] = { "en", "en-CA", "en-GB", "de", "de-AT", "fr", "zh-Hant-TW", "zh-Hant", "enm" };
static const char *const some_devices[] = { "desktop", "mobile", "tablet", "bot" };
static const char *const some_channels[] = { "email", "sms", "personalization", "sale" };
static const char *const some_days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
static const char *const some_dates[] = { "2026-11-01", "2026-11-23", "2026-11-24", "2026-12-24", "2027-01-01" };
static const char *const some_durations[] = { "5m", "30m", "1h", "12h", "2d", "1w" };
static const char *const some_windows[] = { "1h", "3d", "7d", "30d" };
static const char *const some_words[] = { "alpha", "alphabet", "beta", "Beta max", "bet", "gamma", "3", "3.5", "-1", "true", "alp",
	"ALPHA" };
static const double some_numbers[] = { 0, 1, 2, 2.5, 3, 3.5, 5, 10, -1, 100, 1e6, 0.1 };
static const char *const number_facts[] = { "visits", "orders", "revenue", "pages_this_visit", "days_since_order" };
static const char *const bool_facts[] = { "in_eu", "logged_in", "new_visitor" };
static const char *const text_facts[] = { "city", "campaign", "referrer", "os" };
static const char *const set_facts[] = { "category", "brand", "product" };

static inline void put_text(struct generator *g)
{
	if (g->values > 20 && chance(g, 80))
		PUT(g, "\"%s%u\"", PICK(g, some_words), below(g, g->values));
	else
		PUT(g, "\"%s\"", PICK(g, some_words));
}

static inline void put_list(struct generator *g, void (*put)(struct generator *g))
{
	unsigned n = 1 + below(g, 4);
	PUT(g, "{ ");
	for (unsigned i = 0; i < n; i++) {
		put(g);
		PUT(g, ", ");
	}
	PUT(g, "}");
}

static inline void put_country(struct generator *g)
{
	PUT(g, "\"%s\"", PICK(g, some_countries));
}

static inline void put_language(struct generator *g)
{
	PUT(g, "\"%s\"", PICK(g, some_languages));
}

static inline void put_device(struct generator *g)
{
	PUT(g, "\"%s\"", PICK(g, some_devices));
}

static inline void put_channel(struct generator *g)
{
	PUT(g, "\"%s\"", PICK(g, some_channels));
}

static inline void put_day(struct generator *g)
{
	PUT(g, "\"%s\"", PICK(g, some_days));
}

static inline void put_date(struct generator *g)
{
	PUT(g, "\"%s\"", PICK(g, some_dates));
}

static inline void put_duration(struct generator *g)
{
	PUT(g, "\"%s\"", PICK(g, some_durations));
}

static inline void put_number(struct generator *g)
{
	PUT(g, "%.17g", PICK(g, some_numbers));
}

static inline void put_hour(struct generator *g)
{
	PUT(g, "%u", below(g, 24));
}

static inline void put_bool(struct generator *g)
{
	PUT(g, chance(g, 50) ? "true" : "false");
}

static inline void put_segment(struct generator *g)
{
	PUT(g, "\"s%u\"", below(g, g->segments));
}

/* One of several, or one; perhaps known, unknown or negated. */
static inline void put_matcher(struct generator *g, void (*put)(struct generator *g),
	void (*other)(struct generator *g, void (*put)(struct generator *g)))
{
	unsigned kind = below(g, 20);
	if (kind == 0) {
		PUT(g, "known()");
	} else if (kind == 1) {
		PUT(g, "unknown()");
	} else if (kind == 2) {
		PUT(g, "is_not(is_not(");
		put_list(g, put);
		PUT(g, "))");
	} else if (kind < 6) {
		PUT(g, "is_not(");
		if (other && chance(g, 50))
			other(g, put);
		else if (chance(g, 50))
			put_list(g, put);
		else
			put(g);
		PUT(g, ")");
	} else if (kind < 11 && other) {
		other(g, put);
	} else if (kind < 16) {
		put_list(g, put);
	} else {
		put(g);
	}
}

static inline void put_pattern(struct generator *g, void (*put)(struct generator *g))
{
	static const char *const words[] = { "starts_with", "ends_with", "contains" };
	PUT(g, "%s(", PICK(g, words));
	put(g);
	PUT(g, ")");
}

static inline void put_all_of(struct generator *g, void (*put)(struct generator *g))
{
	PUT(g, "all_of ");
	put_list(g, put);
}

static inline void put_range(struct generator *g, void (*put)(struct generator *g))
{
	static const char *const words[] = { "at_least", "at_most", "more_than", "less_than" };
	PUT(g, "%s(", PICK(g, words));
	put(g);
	PUT(g, ")");
}

static inline void put_between(struct generator *g)
{
	double a = PICK(g, some_numbers), b = PICK(g, some_numbers);
	PUT(g, "between(%.17g, %.17g)", a < b ? a : b, a < b ? b : a);
}

static inline void put_wrapping(struct generator *g, void (*put)(struct generator *g))
{
	PUT(g, "between(");
	put(g);
	PUT(g, ", ");
	put(g);
	PUT(g, ")");
}

static inline void put_trait(struct generator *g)
{
	PUT(g, "traits = { t%u = ", below(g, g->traits));
	switch (below(g, 4)) {
	case 0: put_matcher(g, put_number, put_range); break;
	case 1: put_matcher(g, put_bool, NULL); break;
	case 2: put_matcher(g, put_text, put_pattern); break;
	default: put_matcher(g, put_text, put_all_of); break;
	}
	PUT(g, " }");
}

static inline void put_query(struct generator *g)
{
	static const char *const facts[] = { "viewed", "bought", "searched" };
	static const char *const keys[] = { "category", "brand" };
	bool negated = chance(g, 20);
	PUT(g, "%s = %s{ %s = \"%s\"", PICK(g, facts), negated ? "is_not " : "", PICK(g, keys), some_words[below(g, 3)]);
	if (chance(g, 50))
		PUT(g, ", within = \"%s\"", PICK(g, some_windows));
	if (chance(g, 50))
		PUT(g, ", at_least = %u", below(g, 4));
	else if (chance(g, 30))
		PUT(g, ", at_most = %u", below(g, 4));
	PUT(g, " }");
}

static inline void put_fact(struct generator *g)
{
	switch (below(g, 16)) {
	case 0: PUT(g, "country = "); put_matcher(g, put_country, put_pattern); break;
	case 1: PUT(g, "language = "); put_matcher(g, put_language, NULL); break;
	case 2: PUT(g, "device = "); put_matcher(g, put_device, NULL); break;
	case 3: PUT(g, "consent = "); put_matcher(g, put_channel, put_all_of); break;
	case 4: PUT(g, "weekday = "); put_matcher(g, put_day, put_wrapping); break;
	case 5: PUT(g, "hour = "); put_matcher(g, put_hour, put_wrapping); break;
	case 6: PUT(g, "date = "); put_matcher(g, put_date, put_range); break;
	case 7: PUT(g, "cart = { age = "); put_matcher(g, put_duration, put_range); PUT(g, " }"); break;
	case 8: PUT(g, "cart = { contains = { %s = ", PICK(g, set_facts)); put_matcher(g, put_text, put_all_of); PUT(g, " } }"); break;
	case 9: PUT(g, "%s = ", PICK(g, bool_facts)); put_matcher(g, put_bool, NULL); break;
	case 10: PUT(g, "%s = ", PICK(g, number_facts)); put_matcher(g, put_number, put_range); break;
	case 11: PUT(g, "%s = ", PICK(g, number_facts)); put_between(g); break;
	case 12: put_trait(g); break;
	case 13: put_query(g); break;
	case 14:
		if (g->segments) {
			PUT(g, "segment = ");
			switch (below(g, 4)) {
			case 0: put_segment(g); break;
			case 1: put_list(g, put_segment); break;
			case 2: put_all_of(g, put_segment); break;
			default: PUT(g, "is_not "); put_list(g, put_segment); break;
			}
			break;
		}
		__attribute__((fallthrough));
	default: PUT(g, "%s = ", PICK(g, text_facts)); put_matcher(g, put_text, put_pattern); break;
	}
}

/* Entries of a condition, each a fact or, in brackets of its own, a group of more. */
static inline void put_condition(struct generator *g, unsigned depth)
{
	static const char *const groups[] = { "any", "all", "none" };
	unsigned n = 1 + below(g, 3);
	for (unsigned i = 0; i < n; i++) {
		unsigned kind = depth ? below(g, 10) : 9;
		if (kind < 2) {
			PUT(g, "%s { ", PICK(g, groups));
			unsigned members = 1 + below(g, 3);
			for (unsigned k = 0; k < members; k++) {
				PUT(g, "all { ");
				put_condition(g, depth - 1);
				PUT(g, "}, ");
			}
			PUT(g, "}, ");
		} else if (kind == 2 && g->functions && chance(g, 30)) {
			PUT(g, "function(v) return v.%s > %u end, ", PICK(g, number_facts), below(g, 4));
		} else {
			PUT(g, "all { "); /* so that no key stands twice */
			put_fact(g);
			PUT(g, " }, ");
		}
	}
}

/* A product of alternatives that the index does not take apart. */
static inline void put_wide(struct generator *g)
{
	for (int k = 0; k < 2; k++) {
		PUT(g, "any { ");
		for (int i = 0; i < 9; i++) {
			PUT(g, "all { ");
			put_fact(g);
			PUT(g, " }, ");
		}
		PUT(g, "}, ");
	}
}

/* A condition of facts that `put_one` writes, and of groups of up to `most` of them; in so many of a hundred a function beside. */
static inline void put_groups(struct generator *g, void (*put_one)(struct generator *g, const void *ctx), const void *ctx, unsigned most,
	unsigned functions)
{
	static const char *const groups[] = { "any", "none", "all" };
	PUT(g, "all { ");
	for (unsigned i = 1 + below(g, 2); i; i--) {
		if (chance(g, 65)) {
			put_one(g, ctx);
			continue;
		}
		PUT(g, "%s { ", PICK(g, groups));
		for (unsigned k = 1 + below(g, most); k; k--)
			put_one(g, ctx);
		PUT(g, "}, ");
	}
	if (functions && chance(g, functions))
		PUT(g, "function(v) return v.visits ~= nil and v.visits > 1 end, ");
	PUT(g, "}");
}

enum { GENERATED_SLOTS = 3 };

/* A rule set, a line each. */
static inline const char *generate_rules(struct generator *g, unsigned n_segments, unsigned n_rules)
{
	fw_buf_clear(&g->out);
	g->segments = 0;
	for (int i = 0; i < GENERATED_SLOTS; i++)
		PUT(g, "slot \"slot%d\" { channel = \"web\", show_up_to = %d }\n", i, i + 1);
	for (unsigned i = 0; i < n_segments; i++) {
		PUT(g, "segment \"s%u\" { when = { ", i);
		put_condition(g, 2);
		PUT(g, "} }\n");
		g->segments = i + 1;
	}
	for (unsigned i = 0; i < n_rules; i++) {
		PUT(g, "rule \"r%u\" { slot = \"slot%u\", priority = %u, show = { n = %u }, ", i, below(g, GENERATED_SLOTS), below(g, 4),
			i);
		if (chance(g, 97)) {
			PUT(g, "when = { ");
			if (chance(g, 4))
				put_wide(g);
			else
				put_condition(g, 3);
			PUT(g, "}, ");
		}
		PUT(g, "}\n");
	}
	return fw_buf_text(&g->out);
}

static inline void put_json_value(struct generator *g, unsigned depth)
{
	unsigned kind = below(g, depth ? 10 : 8);
	if (kind < 2)
		put_number(g);
	else if (kind == 2)
		put_bool(g);
	else if (kind == 3)
		PUT(g, "null");
	else if (kind < 8)
		put_text(g);
	else {
		unsigned n = below(g, 4);
		PUT(g, "[");
		for (unsigned i = 0; i < n; i++) {
			PUT(g, i ? "," : "");
			put_json_value(g, 0);
		}
		PUT(g, "]");
	}
}

static inline void put_json_set(struct generator *g, void (*put)(struct generator *g))
{
	unsigned n = below(g, 4);
	PUT(g, "[");
	for (unsigned i = 0; i < n; i++) {
		PUT(g, i ? "," : "");
		put(g);
	}
	PUT(g, "]");
}

static inline void put_json_fact(struct generator *g, const char *name, void (*put)(struct generator *g))
{
	if (!chance(g, 70))
		return;
	PUT(g, "\"%s\":", name);
	put(g);
	PUT(g, ",");
}

/* A visitor, as JSON that a rule test's `given` may have. */
static inline const char *generate_visitor(struct generator *g)
{
	fw_buf_clear(&g->out);
	PUT(g, "{");
	put_json_fact(g, "country", put_country);
	put_json_fact(g, "language", put_language);
	put_json_fact(g, "device", put_device);
	if (chance(g, 50)) { /* with a country alone: several times of day at once */
		PUT(g, "\"at\":\"2026-11-%02uT%02u:30Z\",", 22 + below(g, 3), below(g, 24));
		if (chance(g, 30))
			PUT(g, "\"timezone\":\"Asia/Tokyo\",");
	} else {
		put_json_fact(g, "weekday", put_day);
		put_json_fact(g, "hour", put_hour);
		put_json_fact(g, "date", put_date);
	}
	for (size_t i = 0; i < sizeof number_facts / sizeof *number_facts; i++)
		put_json_fact(g, number_facts[i], put_number);
	for (size_t i = 0; i < sizeof bool_facts / sizeof *bool_facts; i++)
		put_json_fact(g, bool_facts[i], put_bool);
	for (size_t i = 0; i < sizeof text_facts / sizeof *text_facts; i++)
		put_json_fact(g, text_facts[i], put_text);
	if (chance(g, 60)) {
		PUT(g, "\"consent\":");
		put_json_set(g, put_channel);
		PUT(g, ",");
	}
	if (chance(g, 70)) {
		PUT(g, "\"cart\":{\"contains\":{");
		for (size_t i = 0; i < 3; i++) {
			PUT(g, "%s\"%s\":", i ? "," : "", set_facts[i]);
			put_json_set(g, put_text);
		}
		PUT(g, "}");
		if (chance(g, 60)) {
			PUT(g, ",\"age\":");
			put_duration(g);
		}
		PUT(g, "},");
	}
	if (chance(g, 80)) {
		PUT(g, "\"traits\":{");
		for (unsigned i = 0; i < g->traits; i++) {
			PUT(g, "%s\"t%u\":", i ? "," : "", i);
			put_json_value(g, 1);
		}
		PUT(g, "},");
	}
	for (unsigned i = 0; i < 3; i++) {
		PUT(g, "\"%s\":[", i == 0 ? "viewed" : i == 1 ? "bought" : "searched");
		for (unsigned k = below(g, 4); k; k--)
			PUT(g, "{\"%s\":\"%s\",\"total\":%u%s%s%s}%s", chance(g, 50) ? "category" : "brand", some_words[below(g, 3)],
				below(g, 5),
				k % 2 ? ",\"within\":\"" : "", k % 2 ? PICK(g, some_windows) : "", k % 2 ? "\"" : "", k > 1 ? "," : "");
		PUT(g, "],");
	}
	if (g->segments && chance(g, 5)) {
		PUT(g, "\"segment\":");
		put_json_set(g, put_segment);
		PUT(g, ",");
	}
	PUT(g, "\"rollout\":%u}", below(g, 101));
	return fw_buf_text(&g->out);
}

#endif
