/* Records for unit tests: events as JSON, applied; facts asked; random shoppers. */
#ifndef FW_TEST_LIB_PROFILE_H
#define FW_TEST_LIB_PROFILE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "fact/history.h"
#include "profile/event.h"
#include "profile/record.h"

/* 2026-11-23T12:00:00Z */
#define NOON INT64_C(1795435200000000)
#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

static inline struct fw_json *parse(struct fw_arena *a, const char *text)
{
	struct fw_json *json;
	struct fw_error err;
	if (fw_json_parse(a, text, strlen(text), &json, &err) == 0)
		return json;
	fprintf(stderr, "%s\n%s\n", text, err.message);
	abort();
}

/* Reads an event that happens at `at_us`, or ends the test. */
static inline struct fw_event event_at(struct fw_arena *a, const char *text, int64_t at_us)
{
	struct fw_event e;
	struct fw_refusal refusal;
	const struct fw_event_frame frame = { .type = -1, .received_us = at_us };
	if (fw_event_read(a, parse(a, text), &frame, &e, &refusal) == 0 && fw_event_read_consent(a, NULL, true, &e) == 0) {
		e.trusted = true;
		return e;
	}
	fprintf(stderr, "%s\n%s\n", text, refusal.message);
	abort();
}

static inline void apply_with(struct fw_record *r, struct fw_arena *a, const char *text, int64_t at_us, bool behaviour)
{
	const struct fw_profile_options options = { .currency = "EUR", .behaviour = behaviour };
	struct fw_event e = event_at(a, text, at_us);
	struct fw_effects effects;
	if (fw_profile_apply(r, &e, &options, &effects) < 0)
		abort();
}

/* {"event":NAME,"properties":PROPERTIES} of anonymous a-1. */
static inline void track(struct fw_record *r, struct fw_arena *a, const char *name, const char *properties, int64_t at_us)
{
	char text[4000];
	snprintf(text, sizeof text, "{\"type\":\"track\",\"anonymousId\":\"a-1\",\"event\":\"%s\",\"properties\":%s}", name, properties);
	apply_with(r, a, text, at_us, true);
}

static inline struct fw_str written(struct fw_arena *a, const struct fw_record *r)
{
	struct fw_buf out;
	fw_buf_init(&out, 0);
	fw_record_write(r, &out);
	if (out.failed)
		abort();
	struct fw_str bytes = { fw_arena_strndup(a, out.data, out.n), out.n };
	fw_buf_finish(&out);
	return bytes;
}

static inline struct fw_record *read_again(struct fw_arena *a, struct fw_str bytes)
{
	struct fw_record *r;
	struct fw_error err;
	if (fw_record_read(a, bytes, &r, &err) == 0)
		return r;
	fprintf(stderr, "%s\n", err.message);
	abort();
}

static inline void filled(struct fw_facts *f, struct fw_arena *a, struct fw_str bytes, int64_t now_us)
{
	fw_facts_init(f, a, true);
	f->has_clock = true;
	f->now_us = now_us;
	if (fw_profile_fill(bytes, f) < 0)
		abort();
}

/* A count or a share; `key` folded, NULL for all. The same for a key packed beforehand, as rules ask, and as functions do. */
static inline double asked(const struct fw_facts *f, enum fw_fact fact, enum fw_key_kind kind, const char *key, int64_t within_s)
{
	struct fw_query q = { .fact = fact, .key_kind = kind, .key = fw_str(key), .within_s = within_s };
	if (key && fw_history_pack_key(f->arena, q.key, &q.packed) < 0)
		abort();
	struct fw_value v = fw_facts_ask(f, &q);
	q.packed = (struct fw_packed){ .number = 0 };
	struct fw_value again = fw_facts_ask(f, &q);
	if (again.state != v.state || (v.state == FW_KNOWN && again.number != v.number))
		abort();
	return v.state == FW_KNOWN ? v.number : -1;
}

/* A number that is known, or -1. */
static inline double number(const struct fw_facts *f, enum fw_fact fact)
{
	return f->single[fact].state == FW_KNOWN ? f->single[fact].number : -1;
}

#endif
