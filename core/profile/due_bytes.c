/* Messages as bytes of a record, and as JSON for people. */
#include "profile/own.h"

enum { US_PER_MS = 1000, TRIED = 0x80, DECIDED = 0x40 };

static void put_time(const struct fw_record *r, struct fw_buf *out, int64_t us)
{
	fw_pack_signed(out, us / US_PER_MS - r->last_ms);
}

/* Counts of dues and of outcomes, those, then the marks until the end. */
void fw_messages_put(const struct fw_record *r, struct fw_buf *out)
{
	fw_pack_number(out, r->dues.n);
	fw_pack_number(out, r->outcomes.n);
	for (uint32_t i = 0; i < r->dues.n; i++) {
		const struct fw_due *d = &r->dues.items[i];
		fw_pack_fixed(out, d->number);
		fw_buf_putc(out, (char)(d->state | (d->person ? TRIED : 0) | (d->decision.n ? DECIDED : 0)));
		if (d->person)
			fw_pack_fixed(out, d->person);
		if (d->decision.n)
			fw_pack_text(out, d->decision);
		fw_pack_text(out, d->rule);
		fw_pack_text(out, d->channel);
		put_time(r, out, d->triggered_us);
		put_time(r, out, d->due_us);
		put_time(r, out, d->expires_us);
		fw_pack_number(out, d->attempts);
		fw_pack_number(out, d->lost);
		fw_pack_text(out, d->reason);
		fw_pack_bytes(out, d->facts);
	}
	for (uint32_t i = 0; i < r->outcomes.n; i++) {
		const struct fw_due_outcome *o = &r->outcomes.items[i];
		fw_pack_fixed(out, o->number);
		put_time(r, out, o->at_us);
		fw_pack_text(out, o->rule);
		fw_pack_text(out, o->channel);
		fw_pack_text(out, o->what);
		fw_pack_text(out, o->by);
		fw_pack_text(out, o->decision);
	}
	for (uint32_t i = 0; i < r->marks.n; i++) {
		fw_pack_text(out, r->marks.items[i].name);
		put_time(r, out, r->marks.items[i].at_us);
		fw_buf_putc(out, r->marks.items[i].in);
	}
}

static int64_t get_time(const struct fw_record *r, struct fw_unpack *u)
{
	int64_t most = INT64_C(1) << 53, on = fw_unpack_signed(u);
	if (on < -most || on > most || r->last_ms + on < 0 || r->last_ms + on > most)
		u->failed = true;
	return u->failed ? 0 : (r->last_ms + on) * US_PER_MS;
}

static bool get_due(struct fw_record *r, struct fw_unpack *u)
{
	struct fw_due d = { .number = fw_unpack_fixed(u) };
	unsigned state = fw_unpack_byte(u);
	if (state & TRIED && r->version > 3) {
		d.person = fw_unpack_fixed(u);
		state &= ~(unsigned)TRIED;
	}
	if (state & DECIDED && r->version > 4) {
		d.decision = fw_unpack_text(u, r->arena);
		state &= ~(unsigned)DECIDED;
	}
	d.state = state < FW_DUE_STATES ? (enum fw_due_state)state : FW_DUE_STATES;
	d.rule = fw_unpack_text(u, r->arena);
	d.channel = fw_unpack_text(u, r->arena);
	d.triggered_us = get_time(r, u);
	d.due_us = get_time(r, u);
	d.expires_us = get_time(r, u);
	d.attempts = fw_unpack_bounded(u, UINT32_MAX);
	d.lost = fw_unpack_bounded(u, UINT32_MAX);
	d.reason = fw_unpack_text(u, r->arena);
	d.facts = fw_unpack_bytes(u);
	bool follows = r->dues.n == 0 || r->dues.items[r->dues.n - 1].number < d.number;
	if (u->failed || d.state == FW_DUE_STATES || d.number == 0 || !follows || d.facts.n > FW_LIMIT_DUE_FACTS_BYTES ||
			!fw_record_own(r, &d.facts) || !FW_LIST_ROOM(r, r->dues))
		return false;
	r->dues.items[r->dues.n++] = d;
	return true;
}

static bool get_outcome(struct fw_record *r, struct fw_unpack *u)
{
	struct fw_due_outcome o = { .number = fw_unpack_fixed(u) };
	o.at_us = get_time(r, u);
	o.rule = fw_unpack_text(u, r->arena);
	o.channel = fw_unpack_text(u, r->arena);
	o.what = fw_unpack_text(u, r->arena);
	o.by = fw_unpack_text(u, r->arena);
	if (r->version > 4)
		o.decision = fw_unpack_text(u, r->arena);
	bool follows = r->outcomes.n == 0 || fw_outcome_compare(&r->outcomes.items[r->outcomes.n - 1], &o) < 0;
	if (u->failed || !follows || !FW_LIST_ROOM(r, r->outcomes))
		return false;
	r->outcomes.items[r->outcomes.n++] = o;
	return true;
}

static bool get_mark(struct fw_record *r, struct fw_unpack *u)
{
	struct fw_mark m = { .name = fw_unpack_text(u, r->arena) };
	m.at_us = get_time(r, u);
	m.in = fw_unpack_byte(u) & 1;
	bool follows = r->marks.n == 0 || fw_str_compare(r->marks.items[r->marks.n - 1].name, m.name) < 0;
	if (u->failed || !follows || r->marks.n >= FW_LIMIT_MARKS || !FW_LIST_ROOM(r, r->marks))
		return false;
	r->marks.items[r->marks.n++] = m;
	return true;
}

static bool remember_dues(struct fw_record *r)
{
	for (uint32_t i = 0; i < r->dues.n; i++) {
		if (!FW_LIST_ROOM(r, r->was_due))
			return false;
		r->was_due.items[r->was_due.n++] = fw_due_wake(&r->dues.items[i]);
	}
	return true;
}

bool fw_messages_get(struct fw_record *r, struct fw_unpack *u)
{
	uint32_t dues = fw_unpack_bounded(u, FW_LIMIT_DUE), outcomes = fw_unpack_bounded(u, FW_LIMIT_OUTCOMES);
	while (dues-- > 0)
		if (!get_due(r, u))
			return false;
	while (outcomes-- > 0)
		if (!get_outcome(r, u))
			return false;
	while (u->p < u->end && !u->failed)
		if (!get_mark(r, u))
			return false;
	return remember_dues(r);
}

static void put_named(struct fw_json_out *out, const char *key, struct fw_str text)
{
	if (!text.n)
		return;
	fw_json_key(out, key);
	fw_json_string(out, text);
}

/* What waits, and what became of those before it: members "waiting" and "messages". */
void fw_put_messages(struct fw_json_out *out, const struct fw_record *r)
{
	fw_json_key(out, "waiting");
	fw_json_open_array(out);
	for (uint32_t i = 0; i < r->dues.n; i++) {
		const struct fw_due *d = &r->dues.items[i];
		fw_json_open_object(out);
		put_named(out, "rule", d->rule);
		put_named(out, "channel", d->channel);
		put_named(out, "state", fw_str(fw_due_state_name(d->state)));
		fw_put_time(out, "triggered", d->triggered_us / 1000000);
		fw_put_time(out, "due", d->due_us / 1000000);
		put_named(out, "reason", d->reason);
		put_named(out, "decisionId", d->decision);
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
	fw_json_key(out, "messages");
	fw_json_open_array(out);
	for (uint32_t i = r->outcomes.n; i-- > 0; ) {
		const struct fw_due_outcome *o = &r->outcomes.items[i];
		fw_json_open_object(out);
		fw_put_time(out, "at", o->at_us / 1000000);
		put_named(out, "rule", o->rule);
		put_named(out, "channel", o->channel);
		put_named(out, "what", o->what);
		put_named(out, "by", o->by);
		put_named(out, "decisionId", o->decision);
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
}
