#include "profile/due.h"

#include <string.h>

#include "base/hash.h"
#include "profile/own.h"

enum { US_PER_MS = 1000 };

static const char *const states[FW_DUE_STATES] = { [FW_DUE_WAITS] = "waits", [FW_DUE_SENDING] = "sending", [FW_DUE_DEAD] = "dead" };

const char *fw_due_state_name(enum fw_due_state state)
{
	return states[state];
}

bool fw_due_state_find(const char *name, enum fw_due_state *ret)
{
	for (unsigned i = 0; i < FW_DUE_STATES; i++)
		if (strcmp(name, states[i]) == 0) {
			*ret = (enum fw_due_state)i;
			return true;
		}
	return false;
}

static int64_t whole_ms(int64_t us)
{
	return us - us % US_PER_MS;
}

static uint32_t place_of(const struct fw_record *r, uint64_t number)
{
	uint32_t i = 0;
	while (i < r->dues.n && r->dues.items[i].number < number)
		i++;
	return i;
}

static bool is_at(const struct fw_record *r, uint32_t i, uint64_t number)
{
	return i < r->dues.n && r->dues.items[i].number == number;
}

bool fw_record_due(const struct fw_record *r, unsigned i, struct fw_due *ret)
{
	if (i >= r->dues.n)
		return false;
	*ret = r->dues.items[i];
	return true;
}

bool fw_record_find_due(const struct fw_record *r, uint64_t number, struct fw_due *ret)
{
	uint32_t i = place_of(r, number);
	if (is_at(r, i, number))
		*ret = r->dues.items[i];
	return is_at(r, i, number);
}

bool fw_record_drop_due(struct fw_record *r, uint64_t number)
{
	uint32_t i = place_of(r, number);
	if (!is_at(r, i, number))
		return false;
	FW_LIST_TAKE(r->dues, i);
	return true;
}

bool fw_record_drop_dead(struct fw_record *r, int64_t before_us)
{
	uint32_t n = r->dues.n;
	for (uint32_t i = n; i-- > 0; )
		if (r->dues.items[i].state == FW_DUE_DEAD && r->dues.items[i].due_us < before_us)
			FW_LIST_TAKE(r->dues, i);
	return r->dues.n < n;
}

/* Whether `a` is missed less than `b`: of the dead the one that has been so longest, then whoever would come last. */
static bool goes_before(const struct fw_due *a, const struct fw_due *b)
{
	bool dead = a->state == FW_DUE_DEAD, other_dead = b->state == FW_DUE_DEAD;
	if (dead != other_dead)
		return dead;
	if (a->due_us != b->due_us)
		return dead ? a->due_us < b->due_us : a->due_us > b->due_us;
	return a->number > b->number;
}

static uint32_t least_missed(const struct fw_record *r)
{
	uint32_t least = 0;
	for (uint32_t i = 1; i < r->dues.n; i++)
		if (goes_before(&r->dues.items[i], &r->dues.items[least]))
			least = i;
	return least;
}

static int own_due(struct fw_record *r, struct fw_due *d)
{
	if (d->reason.n > FW_LIMIT_DUE_REASON_BYTES)
		d->reason.n = fw_utf8_cut(d->reason, FW_LIMIT_DUE_REASON_BYTES);
	if (d->facts.n > FW_LIMIT_DUE_FACTS_BYTES)
		d->facts.n = 0;
	d->triggered_us = whole_ms(d->triggered_us);
	d->due_us = whole_ms(d->due_us);
	d->expires_us = whole_ms(d->expires_us);
	bool owned = fw_record_own(r, &d->rule) && fw_record_own(r, &d->channel) && fw_record_own(r, &d->reason)
		&& fw_record_own(r, &d->facts) && fw_record_own(r, &d->decision);
	return owned ? 0 : FW_ENOMEM;
}

/* In its place; beyond the limit if need be. */
static int insert(struct fw_record *r, struct fw_due d)
{
	uint32_t i = place_of(r, d.number);
	if (own_due(r, &d) < 0)
		return FW_ENOMEM;
	if (!is_at(r, i, d.number)) {
		if (!FW_LIST_ROOM(r, r->dues))
			return FW_ENOMEM;
		FW_LIST_OPEN(r->dues, i);
	}
	r->dues.items[i] = d;
	return 0;
}

int fw_record_put_due(struct fw_record *r, const struct fw_due *due)
{
	if (!is_at(r, place_of(r, due->number), due->number) && r->dues.n >= FW_LIMIT_DUE) {
		uint32_t least = least_missed(r);
		if (r->dues.items[least].state != FW_DUE_DEAD)
			return FW_ELIMIT;
		FW_LIST_TAKE(r->dues, least);
	}
	return insert(r, *due);
}

unsigned char fw_due_channel(struct fw_str channel)
{
	return (unsigned char)(fw_hash(channel.p, channel.n) & 0xff);
}

struct fw_wake fw_due_wake(const struct fw_due *d)
{
	return (struct fw_wake){ d->due_us, d->state == FW_DUE_DEAD, fw_due_channel(d->channel) };
}

bool fw_record_wake(const struct fw_record *r, unsigned i, struct fw_wake *ret)
{
	if (i >= r->dues.n)
		return false;
	*ret = fw_due_wake(&r->dues.items[i]);
	return true;
}

bool fw_record_was_due(const struct fw_record *r, unsigned i, struct fw_wake *ret)
{
	if (i >= r->was_due.n)
		return false;
	*ret = r->was_due.items[i];
	return true;
}

bool fw_record_outcome(const struct fw_record *r, unsigned i, struct fw_due_outcome *ret)
{
	if (i >= r->outcomes.n)
		return false;
	*ret = r->outcomes.items[i];
	return true;
}

int fw_outcome_compare(const struct fw_due_outcome *a, const struct fw_due_outcome *b)
{
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return fw_str_compare(a->what, b->what);
}

static size_t outcome_bytes(const struct fw_due_outcome *o)
{
	return o->rule.n + o->channel.n + o->what.n + o->by.n + o->decision.n / 2; /* which is packed */
}

void fw_messages_forget_outcomes(struct fw_record *r, size_t most_bytes)
{
	size_t bytes = 0;
	uint32_t kept = 0;
	while (kept < r->outcomes.n && kept < FW_LIMIT_OUTCOMES) {
		bytes += outcome_bytes(&r->outcomes.items[r->outcomes.n - 1 - kept]);
		if (bytes > most_bytes)
			break;
		kept++;
	}
	while (r->outcomes.n > kept)
		FW_LIST_TAKE(r->outcomes, 0);
}

void fw_messages_forget_facts(struct fw_record *r)
{
	for (uint32_t i = 0; i < r->dues.n; i++)
		r->dues.items[i].facts.n = 0;
}

/* Once each. */
static int add_outcome(struct fw_record *r, struct fw_due_outcome o)
{
	uint32_t i = r->outcomes.n;
	while (i > 0 && fw_outcome_compare(&r->outcomes.items[i - 1], &o) > 0)
		i--;
	if (i > 0 && fw_outcome_compare(&r->outcomes.items[i - 1], &o) == 0)
		return 0;
	bool owned = fw_record_own(r, &o.rule) && fw_record_own(r, &o.channel) && fw_record_own(r, &o.what) && fw_record_own(r, &o.by) &&
		fw_record_own(r, &o.decision);
	if (!owned || !FW_LIST_ROOM(r, r->outcomes))
		return FW_ENOMEM;
	FW_LIST_OPEN(r->outcomes, i);
	r->outcomes.items[i] = o;
	return 0;
}

int fw_record_note_outcome(struct fw_record *r, const struct fw_due_outcome *o)
{
	struct fw_due_outcome noted = *o;
	noted.at_us = whole_ms(noted.at_us);
	if (noted.by.n > FW_LIMIT_DUE_REASON_BYTES)
		noted.by.n = fw_utf8_cut(noted.by, FW_LIMIT_DUE_REASON_BYTES);
	int rc = add_outcome(r, noted);
	fw_messages_forget_outcomes(r, FW_LIMIT_OUTCOMES_BYTES);
	return rc;
}

static uint32_t mark_place(const struct fw_record *r, struct fw_str name)
{
	uint32_t i = 0;
	while (i < r->marks.n && fw_str_compare(r->marks.items[i].name, name) < 0)
		i++;
	return i;
}

static bool is_mark(const struct fw_record *r, uint32_t i, struct fw_str name)
{
	return i < r->marks.n && fw_str_equal(r->marks.items[i].name, name);
}

bool fw_record_mark(const struct fw_record *r, struct fw_str name, struct fw_mark *ret)
{
	uint32_t i = mark_place(r, name);
	if (is_mark(r, i, name))
		*ret = r->marks.items[i];
	return is_mark(r, i, name);
}

/* Those that were set longest ago make room. */
static void bound_marks(struct fw_record *r)
{
	while (r->marks.n > FW_LIMIT_MARKS) {
		uint32_t oldest = 0;
		for (uint32_t i = 1; i < r->marks.n; i++)
			if (r->marks.items[i].at_us < r->marks.items[oldest].at_us)
				oldest = i;
		FW_LIST_TAKE(r->marks, oldest);
	}
}

static int put_mark(struct fw_record *r, struct fw_mark mark)
{
	uint32_t i = mark_place(r, mark.name);
	mark.at_us = whole_ms(mark.at_us);
	if (is_mark(r, i, mark.name)) {
		mark.name = r->marks.items[i].name;
	} else {
		if (!fw_record_own(r, &mark.name) || !FW_LIST_ROOM(r, r->marks))
			return FW_ENOMEM;
		FW_LIST_OPEN(r->marks, i);
	}
	r->marks.items[i] = mark;
	return 0;
}

int fw_record_set_mark(struct fw_record *r, const struct fw_mark *mark)
{
	int rc = put_mark(r, *mark);
	bound_marks(r);
	return rc;
}

/* Of a rule a person has one that waits: that of the latest trigger, and none if a later one has gone further already. So it does not
 * matter in which order three meet. */
static bool is_replaced(const struct fw_due *a, const struct fw_due *by)
{
	if (a == by || a->state != FW_DUE_WAITS || !fw_str_equal(a->rule, by->rule))
		return false;
	return a->triggered_us != by->triggered_us ? a->triggered_us < by->triggered_us : a->number < by->number;
}

static void drop_replaced(struct fw_record *r)
{
	for (uint32_t i = r->dues.n; i-- > 0; )
		for (uint32_t k = 0; k < r->dues.n; k++)
			if (is_replaced(&r->dues.items[i], &r->dues.items[k])) {
				FW_LIST_TAKE(r->dues, i);
				break;
			}
}

/* Which of two that are one has come further; a total order, so that either way of merging keeps the same one. */
static bool is_behind(const struct fw_due *a, const struct fw_due *b)
{
	if (a->attempts != b->attempts)
		return a->attempts < b->attempts;
	if (a->state != b->state)
		return a->state < b->state;
	if (a->due_us != b->due_us)
		return a->due_us < b->due_us;
	if (a->triggered_us != b->triggered_us)
		return a->triggered_us < b->triggered_us;
	if (a->expires_us != b->expires_us)
		return a->expires_us < b->expires_us;
	if (a->lost != b->lost)
		return a->lost < b->lost;
	if (a->person != b->person)
		return a->person < b->person;
	int order = fw_str_compare(a->rule, b->rule);
	order = order ? order : fw_str_compare(a->channel, b->channel);
	order = order ? order : fw_str_compare(a->facts, b->facts);
	order = order ? order : fw_str_compare(a->decision, b->decision);
	return (order ? order : fw_str_compare(a->reason, b->reason)) < 0;
}

int fw_merge_messages(struct merging *m)
{
	struct fw_record *r = m->into;
	const struct fw_record *from = m->from;
	for (uint32_t i = 0; i < from->dues.n; i++) {
		struct fw_due own;
		if (fw_record_find_due(r, from->dues.items[i].number, &own) && !is_behind(&own, &from->dues.items[i]))
			continue;
		if (insert(r, from->dues.items[i]) < 0)
			return FW_ENOMEM;
	}
	drop_replaced(r);
	while (r->dues.n > FW_LIMIT_DUE) {
		uint32_t least = least_missed(r);
		FW_LIST_TAKE(r->dues, least);
	}
	for (uint32_t i = 0; i < from->outcomes.n; i++)
		if (add_outcome(r, from->outcomes.items[i]) < 0)
			return FW_ENOMEM;
	fw_messages_forget_outcomes(r, FW_LIMIT_OUTCOMES_BYTES);
	for (uint32_t i = 0; i < from->marks.n; i++) {
		const struct fw_mark *other = &from->marks.items[i];
		struct fw_mark own = { .at_us = INT64_MIN };
		bool later = !fw_record_mark(r, other->name, &own) || other->at_us > own.at_us || (other->at_us == own.at_us && other->in);
		if (later && put_mark(r, *other) < 0)
			return FW_ENOMEM;
	}
	bound_marks(r);
	return 0;
}

static bool same_due(const struct fw_due *a, const struct fw_due *b)
{
	return a->state == b->state && a->due_us == b->due_us && a->attempts == b->attempts && a->lost == b->lost;
}

/* Places under caps that a message held which is no more: they are free if it is known that it was not sent. What became of it long ago
 * is forgotten, and then they count. */
static void settle_places(struct fw_record *r, const struct fw_record *now, uint64_t number)
{
	bool known = false, sent = false;
	for (uint32_t i = 0; i < now->outcomes.n; i++)
		if (now->outcomes.items[i].number == number) {
			known = true;
			sent |= fw_str_is(now->outcomes.items[i].what, "sent");
		}
	if (known && !sent)
		fw_record_release_due(r, number);
	else
		fw_record_confirm_due(r, number);
}

/* What has become of messages since has become of them here, too. `came`: what came since is here. */
static int split_dues(struct fw_record *r, const struct fw_record *now, const struct fw_record *merged, bool came)
{
	for (uint32_t i = r->dues.n; i-- > 0; ) {
		uint64_t number = r->dues.items[i].number;
		if (!is_at(merged, place_of(merged, number), number) || is_at(now, place_of(now, number), number))
			continue;
		settle_places(r, now, number);
		FW_LIST_TAKE(r->dues, i);
	}
	for (uint32_t i = 0; i < now->dues.n; i++) {
		const struct fw_due *d = &now->dues.items[i];
		struct fw_due was;
		bool own = is_at(r, place_of(r, d->number), d->number), known = fw_record_find_due(merged, d->number, &was);
		if ((known && (!own || same_due(d, &was))) || (!own && (!came || r->dues.n >= FW_LIMIT_DUE)))
			continue;
		if (insert(r, *d) < 0)
			return FW_ENOMEM;
	}
	drop_replaced(r);
	return 0;
}

int fw_split_absorbed_messages(struct fw_record *absorbed, const struct fw_record *now, const struct fw_record *merged)
{
	return split_dues(absorbed, now, merged, false);
}

static bool has_outcome(const struct fw_record *r, const struct fw_due_outcome *o)
{
	for (uint32_t i = 0; i < r->outcomes.n; i++)
		if (fw_outcome_compare(&r->outcomes.items[i], o) == 0)
			return true;
	return false;
}

int fw_split_messages(struct fw_record *r, const struct fw_record *now, const struct fw_record *merged)
{
	if (split_dues(r, now, merged, true) < 0)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < now->outcomes.n; i++)
		if (!has_outcome(merged, &now->outcomes.items[i]) && add_outcome(r, now->outcomes.items[i]) < 0)
			return FW_ENOMEM;
	fw_messages_forget_outcomes(r, FW_LIMIT_OUTCOMES_BYTES);
	for (uint32_t i = 0; i < now->marks.n; i++) {
		const struct fw_mark *mark = &now->marks.items[i];
		struct fw_mark was;
		if (fw_record_mark(merged, mark->name, &was) && was.at_us == mark->at_us && was.in == mark->in)
			continue;
		if (put_mark(r, *mark) < 0)
			return FW_ENOMEM;
	}
	bound_marks(r);
	return 0;
}
