#include "trace/logged.h"

#include <string.h>

#include "base/clock.h"

enum { EXPLANATION = 1, CHANGES = 2, DEGRADED = 4, HOLDOUT = 8, CAPS_LOST = 16, WITHHOLD = 32, MESSAGES = 64, UNREACHED = 128,
	FLAGS = 255 };

static void put_slots(const struct fw_logged *l, struct fw_buf *out)
{
	fw_pack_number(out, l->n_slots);
	for (uint32_t i = 0; i < l->n_slots; i++) {
		const struct fw_logged_slot *s = &l->slots[i];
		fw_pack_number(out, s->slot);
		fw_pack_number(out, s->reason);
		fw_pack_number(out, s->n);
		for (uint32_t k = 0; k < s->n; k++)
			fw_pack_number(out, s->winners[k]);
	}
}

static void put_messages(const struct fw_logged *l, struct fw_buf *out)
{
	fw_pack_number(out, l->n_messages);
	for (uint32_t i = 0; i < l->n_messages; i++) {
		const struct fw_logged_message *m = &l->messages[i];
		fw_pack_fixed(out, m->number);
		fw_pack_number(out, m->rule == FW_NONE ? 0 : (uint64_t)m->rule + 1);
		fw_pack_number(out, m->reason);
		fw_buf_putc(out, m->suppressed);
		fw_pack_signed(out, m->until_us);
		fw_pack_bytes(out, m->by);
		fw_pack_bytes(out, m->told);
	}
}

static void put_channels(const struct fw_logged *l, struct fw_buf *out)
{
	fw_pack_number(out, l->n_channels);
	for (uint32_t i = 0; i < l->n_channels; i++)
		fw_pack_bytes(out, fw_str(l->channels[i]));
	for (uint32_t i = 0; l->unreached && i < l->n_channels; i++)
		fw_pack_number(out, l->unreached[i]);
}

void fw_logged_write(const struct fw_logged *l, struct fw_buf *out)
{
	fw_buf_putc(out, (char)((l->explanation ? EXPLANATION : 0) | (l->changes ? CHANGES : 0) | (l->degraded ? DEGRADED : 0) |
		(l->holdout ? HOLDOUT : 0) | (l->caps_lost ? CAPS_LOST : 0) | (l->reading.withhold ? WITHHOLD : 0) |
		(l->is_messages ? MESSAGES : 0) | (l->unreached ? UNREACHED : 0)));
	fw_buf_putc(out, (char)l->reading.read);
	fw_pack_bytes(out, l->reading.id);
	fw_pack_bytes(out, l->facts);
	put_slots(l, out);
	put_channels(l, out);
	fw_pack_number(out, l->n_set_aside);
	for (uint32_t i = 0; i < l->n_set_aside; i++)
		fw_pack_number(out, l->set_aside[i]);
	fw_pack_number(out, l->n_calls);
	for (uint32_t i = 0; i < l->n_calls; i++) {
		fw_pack_number(out, l->calls[i].function);
		fw_pack_number(out, l->calls[i].outcome);
	}
	for (int i = 0; i < 3; i++) /* the seed of rollouts, arm, propensity */
		fw_pack_number(out, 0);
	fw_pack_number(out, l->n_own);
	for (uint32_t i = 0; i < l->n_own; i++) {
		fw_pack_number(out, l->own[i].use);
		fw_pack_fixed(out, l->own[i].rule);
	}
	fw_buf_putc(out, l->then != NULL);
	if (l->then)
		fw_products_then_pack(l->then, out);
	if (l->is_messages)
		put_messages(l, out);
}

/* A list of at most as many as there are bytes left, since each takes one. */
static uint32_t get_count(struct fw_unpack *u)
{
	return fw_unpack_bounded(u, u->end - u->p > (ptrdiff_t)UINT32_MAX ? UINT32_MAX : (uint32_t)(u->end - u->p));
}

static uint32_t *get_numbers(struct fw_unpack *u, struct fw_arena *a, uint32_t *ret_n)
{
	*ret_n = get_count(u);
	uint32_t *numbers = fw_arena_array(a, *ret_n, sizeof *numbers);
	for (uint32_t i = 0; numbers && i < *ret_n; i++)
		numbers[i] = fw_unpack_bounded(u, UINT32_MAX);
	return numbers;
}

static int get_slots(struct fw_unpack *u, struct fw_arena *a, struct fw_logged *ret)
{
	ret->n_slots = get_count(u);
	if (!(ret->slots = FW_NEW_ARRAY(a, ret->n_slots, struct fw_logged_slot)))
		return FW_ENOMEM;
	for (uint32_t i = 0; i < ret->n_slots && !u->failed; i++) {
		struct fw_logged_slot *s = &ret->slots[i];
		s->slot = fw_unpack_bounded(u, UINT32_MAX);
		s->reason = (enum fw_slot_reason)fw_unpack_bounded(u, FW_SLOT_HOLDOUT);
		if (!(s->winners = get_numbers(u, a, &s->n)))
			return FW_ENOMEM;
	}
	return 0;
}

static int get_channels(struct fw_unpack *u, struct fw_arena *a, bool unreached, struct fw_logged *ret)
{
	ret->n_channels = get_count(u);
	if (!(ret->channels = FW_NEW_ARRAY(a, ret->n_channels, const char *)))
		return FW_ENOMEM;
	for (uint32_t i = 0; i < ret->n_channels; i++) {
		struct fw_str name = fw_unpack_bytes(u);
		if (!(ret->channels[i] = fw_arena_strndup(a, name.n ? name.p : "", name.n)))
			return FW_ENOMEM;
	}
	if (unreached && !(ret->unreached = FW_NEW_ARRAY(a, ret->n_channels, enum fw_reason)))
		return FW_ENOMEM;
	for (uint32_t i = 0; unreached && i < ret->n_channels; i++) {
		ret->unreached[i] = (enum fw_reason)fw_unpack_bounded(u, FW_REASON_NO_ADDRESS);
		u->failed |= ret->unreached[i] != FW_REASON_WON && ret->unreached[i] < FW_REASON_SUPPRESSED;
	}
	return 0;
}

static int get_calls(struct fw_unpack *u, struct fw_arena *a, struct fw_logged *ret)
{
	ret->n_calls = get_count(u);
	if (!(ret->calls = FW_NEW_ARRAY(a, ret->n_calls, struct fw_logged_call)))
		return FW_ENOMEM;
	for (uint32_t i = 0; i < ret->n_calls; i++) {
		ret->calls[i].function = fw_unpack_bounded(u, UINT32_MAX);
		ret->calls[i].outcome = (enum fw_outcome_logged)fw_unpack_bounded(u, FW_LOGGED_OUTCOMES - 1);
	}
	return 0;
}

static int get_own(struct fw_unpack *u, struct fw_arena *a, struct fw_logged *ret)
{
	ret->n_own = get_count(u);
	if (!(ret->own = FW_NEW_ARRAY(a, ret->n_own, struct fw_logged_own)))
		return FW_ENOMEM;
	for (uint32_t i = 0; i < ret->n_own; i++) {
		ret->own[i].use = fw_unpack_bounded(u, UINT32_MAX);
		ret->own[i].rule = fw_unpack_fixed(u);
	}
	return 0;
}

static int get_messages(struct fw_unpack *u, struct fw_arena *a, struct fw_logged *ret)
{
	ret->n_messages = get_count(u);
	if (!(ret->messages = FW_NEW_ARRAY(a, ret->n_messages, struct fw_logged_message)))
		return FW_ENOMEM;
	for (uint32_t i = 0; i < ret->n_messages && !u->failed; i++) {
		struct fw_logged_message *m = &ret->messages[i];
		m->number = fw_unpack_fixed(u);
		uint32_t rule = fw_unpack_bounded(u, UINT32_MAX);
		m->rule = rule ? rule - 1 : FW_NONE;
		m->reason = (enum fw_reason)fw_unpack_bounded(u, FW_REASONS - 1);
		m->suppressed = fw_unpack_byte(u) & 1;
		m->until_us = fw_unpack_signed(u);
		m->by = fw_unpack_bytes(u);
		m->told = fw_unpack_bytes(u);
	}
	return 0;
}

int fw_logged_read(struct fw_arena *a, struct fw_str bytes, struct fw_logged *ret)
{
	struct fw_unpack u;
	struct fw_logged l = { .explanation = false };
	fw_unpack_init(&u, bytes);
	unsigned flags = fw_unpack_byte(&u), read = fw_unpack_byte(&u);
	u.failed |= flags > FLAGS || read > FW_PROFILE_LOST;
	l.explanation = flags & EXPLANATION;
	l.is_messages = flags & MESSAGES;
	l.changes = flags & CHANGES;
	l.degraded = flags & DEGRADED;
	l.holdout = flags & HOLDOUT;
	l.caps_lost = flags & CAPS_LOST;
	l.reading.withhold = flags & WITHHOLD;
	l.reading.read = u.failed ? FW_PROFILE_NOT_READ : (enum fw_profile_read)read;
	l.reading.id = fw_unpack_bytes(&u);
	l.facts = fw_unpack_bytes(&u);
	if (get_slots(&u, a, &l) < 0 || get_channels(&u, a, flags & UNREACHED, &l) < 0 ||
			!(l.set_aside = get_numbers(&u, a, &l.n_set_aside)) || get_calls(&u, a, &l) < 0)
		return FW_ENOMEM;
	for (int i = 0; i < 3; i++)
		u.failed |= fw_unpack_number(&u) != 0;
	if (get_own(&u, a, &l) < 0 || (fw_unpack_bounded(&u, 1) && fw_products_then_unpack(&u, a, &l.then) < 0))
		return FW_ENOMEM;
	if (l.is_messages && get_messages(&u, a, &l) < 0)
		return FW_ENOMEM;
	if (u.failed || u.p != u.end)
		return FW_EINVAL;
	*ret = l;
	return 0;
}

static enum fw_outcome_logged outcome_of(const struct fw_called *c)
{
	static const enum fw_outcome_logged truths[] = { FW_LOGGED_FALSE, FW_LOGGED_UNKNOWN, FW_LOGGED_TRUE };
	if (c->failed)
		return c->over_budget ? FW_LOGGED_OVER_BUDGET : FW_LOGGED_FAILED;
	return c->json.n ? FW_LOGGED_CONTENT : truths[c->truth];
}

/* Functions that were called for what is being decided, or only for what is proven of it, have its epoch. */
static int take_calls(struct fw_logged *l, const struct fw_decider *d, struct fw_arena *a)
{
	const struct fw_eval *e = &d->eval;
	uint32_t n = 0;
	l->n_calls = 0;
	for (uint32_t i = 0; i < d->set->n_functions; i++)
		n += (e->called[i].epoch | 1) == (e->epoch | 1);
	if (!(l->calls = FW_NEW_ARRAY(a, n, struct fw_logged_call)))
		return FW_ENOMEM;
	for (uint32_t i = 0; i < d->set->n_functions && l->n_calls < n; i++)
		if ((e->called[i].epoch | 1) == (e->epoch | 1))
			l->calls[l->n_calls++] = (struct fw_logged_call){ i, outcome_of(&e->called[i]) };
	return 0;
}

static int take_slot(struct fw_logged_slot *to, uint32_t slot, enum fw_slot_reason reason, const struct fw_winner *winners, uint32_t n,
	struct fw_arena *a)
{
	*to = (struct fw_logged_slot){ slot, reason, FW_NEW_ARRAY(a, n, uint32_t), n };
	for (uint32_t i = 0; to->winners && i < n; i++)
		to->winners[i] = winners[i].rule;
	return to->winners ? 0 : FW_ENOMEM;
}

int fw_logged_take(struct fw_logged *l, const struct fw_decider *d, const struct fw_decision *decision, struct fw_arena *a)
{
	l->degraded = decision->degraded;
	l->holdout = decision->holdout;
	if (!(l->slots = FW_NEW_ARRAY(a, decision->n_slots, struct fw_logged_slot)))
		return FW_ENOMEM;
	for (l->n_slots = 0; l->n_slots < decision->n_slots; l->n_slots++) {
		const struct fw_slot_answer *s = &decision->slots[l->n_slots];
		if (take_slot(&l->slots[l->n_slots], s->slot, s->reason, s->winners, s->n, a) < 0)
			return FW_ENOMEM;
	}
	return take_calls(l, d, a);
}

int fw_logged_take_explained(struct fw_logged *l, const struct fw_decider *d, const struct fw_explanation *e, struct fw_arena *a)
{
	if (!(l->slots = FW_NEW_ARRAY(a, e->n_slots, struct fw_logged_slot)))
		return FW_ENOMEM;
	for (l->n_slots = 0; l->n_slots < e->n_slots && e->slots[l->n_slots].slot != FW_NONE; l->n_slots++) {
		const struct fw_explained_slot *s = &e->slots[l->n_slots];
		if (take_slot(&l->slots[l->n_slots], s->slot, s->reason, s->winners, s->n_winners, a) < 0)
			return FW_ENOMEM;
		l->holdout |= s->reason == FW_SLOT_HOLDOUT;
	}
	return take_calls(l, d, a);
}

int fw_logged_take_own(struct fw_logged *l, const struct fw_facts *f, struct fw_arena *a)
{
	uint32_t n = 0;
	for (unsigned i = 0; i < f->n_cap_uses; i++)
		n += f->cap_uses[i].own;
	l->n_own = 0;
	if (!(l->own = FW_NEW_ARRAY(a, n, struct fw_logged_own)))
		return FW_ENOMEM;
	for (uint32_t i = 0; i < f->n_cap_uses; i++)
		if (f->cap_uses[i].own)
			l->own[l->n_own++] = (struct fw_logged_own){ i, f->cap_uses[i].rule };
	return 0;
}

/* Marks them again. FW_EINVAL: there is no such place. */
static int mark_own(const struct fw_logged *l, struct fw_facts *f, struct fw_arena *a)
{
	struct fw_cap_use *uses = l->n_own ? FW_NEW_ARRAY(a, f->n_cap_uses, struct fw_cap_use) : NULL;
	if (!l->n_own)
		return 0;
	if (!uses)
		return FW_ENOMEM;
	for (unsigned i = 0; i < f->n_cap_uses; i++)
		uses[i] = f->cap_uses[i];
	f->cap_uses = uses;
	for (uint32_t i = 0; i < l->n_own; i++) {
		if (l->own[i].use >= f->n_cap_uses)
			return FW_EINVAL;
		uses[l->own[i].use].own = true;
		uses[l->own[i].use].rule = l->own[i].rule;
	}
	return 0;
}

int fw_logged_take_set_aside(struct fw_logged *l, const struct fw_decider *d, int64_t now_us, struct fw_arena *a)
{
	l->set_aside = NULL;
	l->n_set_aside = 0;
	if (!d->set_aside || !fw_set_aside_any(d->set_aside, now_us))
		return 0;
	if (!(l->set_aside = FW_NEW_ARRAY(a, d->set->n_rules, uint32_t)))
		return FW_ENOMEM;
	for (uint32_t i = 0; i < d->set->n_rules; i++)
		if (fw_set_aside_is(d->set_aside, i, now_us))
			l->set_aside[l->n_set_aside++] = i;
	return 0;
}

void fw_logged_set_aside(const struct fw_logged *l, const struct fw_ruleset *before, struct fw_decider *d)
{
	for (uint32_t i = 0; i < l->n_set_aside; i++) {
		uint32_t rule = fw_ruleset_rule(d->set, fw_str(before->rules[l->set_aside[i]].id));
		if (rule != FW_NONE)
			fw_set_aside_put(d->set_aside, rule, INT64_MAX);
	}
}

void fw_logged_clear_aside(struct fw_decider *d)
{
	if (fw_set_aside_any(d->set_aside, fw_now_us()))
		memset(d->set_aside, 0, fw_set_aside_bytes(d->set->n_rules));
}

int fw_logged_facts(const struct fw_logged *l, const struct fw_facts_names *names, struct fw_str record, struct fw_arena *a,
	struct fw_facts *ret)
{
	struct fw_profile_reading reading = l->reading;
	int rc = fw_facts_unpack(ret, a, names, l->facts);
	reading.record = record;
	if (rc == 0)
		rc = fw_profile_complete(ret, &reading);
	if (rc == 0)
		rc = mark_own(l, ret, a);
	ret->then = l->then;
	if (rc == 0 && l->caps_lost)
		ret->caps_in_reach = false;
	return rc;
}
