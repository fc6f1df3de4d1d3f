#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "trace/trace.h"

/* Slots are most of what a worker writes: their JSON is put together from pieces that are JSON already. */
static char *put(char *at, struct fw_str s)
{
	memcpy(at, s.p, s.n);
	return at + s.n;
}
#define PUT(at, literal) put((at), FW_STR(literal))

static struct fw_str content_of(struct fw_str json)
{
	return json.n ? json : FW_STR("null");
}

static char *put_slot(char *at, const struct fw_ruleset *set, const struct fw_slot_answer *a, bool details)
{
	static const struct fw_str after_id[] = {
		[FW_SLOT_RULE] = FW_STR_ENTRY(":{\"reason\":\"rule\",\"content\":"),
		[FW_SLOT_DEFAULT] = FW_STR_ENTRY(":{\"reason\":\"default\",\"content\":"),
		[FW_SLOT_NONE] = FW_STR_ENTRY(":{\"reason\":\"none\",\"content\":"),
		[FW_SLOT_HOLDOUT] = FW_STR_ENTRY(":{\"reason\":\"holdout\",\"content\":"),
	};
	at = put(put(put(at, set->slots[a->slot].id_json), after_id[a->reason]), content_of(a->content));
	if (details && set->slots[a->slot].show_up_to > 1)
		at = PUT(at, ",\"list\":true");
	at = PUT(at, ",\"winners\":[");
	for (uint32_t i = 0; i < a->n; i++) {
		if (i)
			*at++ = ',';
		at = put(PUT(at, "{\"rule\":"), set->rules[a->winners[i].rule].id_json);
		if (details && set->rules[a->winners[i].rule].rollout < 100)
			at = PUT(at, ",\"split\":true");
		at = PUT(put(PUT(at, ",\"content\":"), content_of(a->winners[i].content)), "}");
	}
	return PUT(at, "]}");
}

/* The most that put_slot writes for all of them. What the winners say is all over memory: while this adds up, all of it
 * sets out for the cache. */
static size_t room_for(const struct fw_ruleset *set, const struct fw_decision *d)
{
	enum { AROUND_SLOT = 96, AROUND_WINNER = 48 }; /* more than the literals need */
	size_t most = 0;
	for (uint32_t i = 0; i < d->n_slots; i++) {
		const struct fw_slot_answer *a = &d->slots[i];
		most += set->slots[a->slot].id_json.n + a->content.n + AROUND_SLOT;
		for (uint32_t k = 0; k < a->n; k++) {
			struct fw_str rule = set->rules[a->winners[k].rule].id_json, content = a->winners[k].content;
			__builtin_prefetch(rule.p);
			__builtin_prefetch(content.p);
			most += rule.n + content.n + AROUND_WINNER;
		}
	}
	return most;
}

static void put_slots(struct fw_json_out *o, const struct fw_ruleset *set, const struct fw_decision *d, bool details)
{
	char *begin = fw_buf_reserve(o->buf, room_for(set, d)), *at = begin;
	if (!begin)
		return;
	for (uint32_t i = 0; i < d->n_slots; i++) {
		if (i)
			*at++ = ',';
		at = put_slot(at, set, &d->slots[i], details);
	}
	o->buf->n += (size_t)(at - begin);
	o->comma = d->n_slots > 0;
}

static void put_refused(struct fw_json_out *o, const struct fw_refused_slot *r)
{
	fw_json_key_str(o, r->id);
	fw_json_open_object(o);
	fw_json_key(o, "reason");
	fw_json_text_value(o, "none");
	fw_json_key(o, "content");
	fw_json_null(o);
	fw_json_key(o, "winners");
	fw_json_open_array(o);
	fw_json_close_array(o);
	fw_json_key(o, "error");
	fw_json_open_object(o);
	fw_json_key(o, "code");
	fw_json_text_value(o, r->code);
	fw_json_key(o, "message");
	fw_json_text_value(o, r->message);
	if (r->hint && r->hint[0]) {
		fw_json_key(o, "hint");
		fw_json_text_value(o, r->hint);
	}
	fw_json_close_object(o);
	fw_json_close_object(o);
}

void fw_trace_answer(struct fw_json_out *o, const struct fw_ruleset *set, const struct fw_decision *d,
	const struct fw_refused_slot *refused, uint32_t n_refused, bool details)
{
	fw_json_open_object(o);
	fw_json_key(o, "decisionId");
	fw_json_text_value(o, d->id);
	fw_json_key(o, "ruleSet");
	fw_json_text_value(o, set->hash);
	if (d->degraded) {
		fw_json_key(o, "degraded");
		fw_json_bool(o, true);
	}
	fw_json_key(o, "decisions");
	fw_json_open_object(o);
	put_slots(o, set, d, details);
	for (uint32_t i = 0; i < n_refused; i++)
		put_refused(o, &refused[i]);
	fw_json_close_object(o);
	fw_json_close_object(o);
}
