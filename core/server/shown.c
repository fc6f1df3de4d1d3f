#include "server/shown.h"

#include <inttypes.h>
#include <stdio.h>

enum { HASH = 16, TIME = 12, PLACE = 1 + TIME + 1 + HASH, DECISION = 36 };

/* So many lower-case hexadecimal digits. */
static bool read_hex(const char *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++) {
		char c = p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		v = v << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*ret = v;
	return true;
}

static void add(struct fw_shown *s, uint64_t at_ms, uint64_t rule)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->places[i].at_ms == (int64_t)at_ms && s->places[i].rule == rule)
			return;
	if (s->n < FW_LIMIT_SHOWN)
		s->places[s->n++] = (struct fw_cap_place){ (int64_t)at_ms, rule };
}

/* A UUID of version 7 begins with the time in milliseconds (RFC 9562, 5.7). */
static bool read_decision(struct fw_str t, struct fw_shown *s)
{
	uint64_t high, low, rest;
	if (t.n != DECISION || t.p[8] != '-' || t.p[13] != '-' || t.p[14] != '7' || t.p[18] != '-' || t.p[23] != '-')
		return false;
	if (!read_hex(t.p, 8, &high) || !read_hex(t.p + 9, 4, &low) || !read_hex(t.p + 15, 3, &rest) || !read_hex(t.p + 19, 4, &rest)
		|| !read_hex(t.p + 24, 12, &rest))
		return false;
	add(s, high << 16 | low, 0);
	return true;
}

bool fw_shown_read(struct fw_str t, struct fw_shown *shown)
{
	struct fw_shown s = *shown;
	if (t.n < HASH || (t.n - HASH) % PLACE != 0 || !read_hex(t.p, HASH, &s.hash))
		return t.n && read_decision(t, shown);
	for (size_t at = HASH; at < t.n; at += PLACE) {
		uint64_t ms, rule;
		if (t.p[at] != '.' || t.p[at + 1 + TIME] != '-' || !read_hex(t.p + at + 1, TIME, &ms)
			|| !read_hex(t.p + at + 2 + TIME, HASH, &rule))
			return false;
		add(&s, ms, rule);
	}
	if (!s.hash)
		s.hash = shown->hash;
	*shown = s;
	return true;
}

size_t fw_shown_write(const struct fw_shown *s, char text[FW_SHOWN_TEXT])
{
	size_t n = (size_t)snprintf(text, FW_SHOWN_TEXT, "%016" PRIx64, s->hash);
	for (unsigned i = 0; i < s->n; i++)
		n += (size_t)snprintf(text + n, FW_SHOWN_TEXT - n, ".%012" PRIx64 "-%016" PRIx64,
			(uint64_t)s->places[i].at_ms & 0xffffffffffff, s->places[i].rule);
	return n;
}
