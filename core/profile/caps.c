/* Places under caps: a ring of the latest for each cap, so that whether one is free is exact. Reserved with the answer,
 * confirmed by a Promotion Viewed, else lapsed. */
#include "profile/own.h"

#include <stdlib.h>

#include "base/hash.h"

struct cap *fw_cap_find(const struct fw_record *r, uint64_t cap)
{
	for (uint32_t i = 0; i < r->caps.n; i++)
		if (r->caps.items[i].cap == cap)
			return &r->caps.items[i];
	return NULL;
}

/* One that lapsed by `at_ms` may still be confirmed by an event that comes late, but counts no more. */
static bool has_lapsed(const struct cap_use *u, int64_t at_ms)
{
	return u->rule && at_ms - u->at_ms > FW_LIMIT_RESERVATION_MS;
}

/* Drops what counts no more, and the oldest beyond what a ring may have. */
static void prune(struct cap *c, int64_t at_ms)
{
	enum { LATE_MS = 60 * 60000 }; /* for a confirmation that is on its way when the reservation lapses */
	uint32_t kept = 0;
	for (uint32_t i = 0; i < c->uses.n; i++) {
		const struct cap_use *u = &c->uses.items[i];
		bool over = u->at_ms + c->per_s * 1000 <= at_ms || (has_lapsed(u, at_ms) && at_ms - u->at_ms > LATE_MS);
		if (!over)
			c->uses.items[kept++] = *u;
	}
	c->uses.n = kept;
	while (c->uses.n >= FW_LIMIT_CAP_USES)
		FW_LIST_TAKE(c->uses, 0);
}

static uint32_t count_uses(const struct fw_record *r)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < r->caps.n; i++)
		n += r->caps.items[i].uses.n;
	return n;
}

/* The cap whose first (or last) place is the oldest. */
static uint32_t oldest_cap(const struct fw_record *r, bool by_last)
{
	uint32_t oldest = 0;
	int64_t oldest_ms = INT64_MAX;
	for (uint32_t i = 0; i < r->caps.n; i++) {
		const struct cap *c = &r->caps.items[i];
		int64_t at_ms = c->uses.items[by_last ? c->uses.n - 1 : 0].at_ms;
		if (at_ms < oldest_ms) {
			oldest_ms = at_ms;
			oldest = i;
		}
	}
	return oldest;
}

/* Until there are no more than so many: caps of which nothing counts go first, then the one that was used least lately, then
 * the oldest places. */
static void make_room(struct fw_record *r, int64_t at_ms, uint32_t most_caps, uint32_t most_uses)
{
	for (uint32_t i = r->caps.n; i-- > 0; ) {
		prune(&r->caps.items[i], at_ms);
		if (r->caps.items[i].uses.n == 0)
			FW_LIST_TAKE(r->caps, i);
	}
	while (r->caps.n > most_caps)
		FW_LIST_TAKE(r->caps, oldest_cap(r, true));
	while (count_uses(r) > most_uses) {
		uint32_t oldest = oldest_cap(r, false);
		FW_LIST_TAKE(r->caps.items[oldest].uses, 0);
		if (r->caps.items[oldest].uses.n == 0)
			FW_LIST_TAKE(r->caps, oldest);
	}
}

int fw_record_reserve(struct fw_record *r, const struct fw_reservation *reservation)
{
	int64_t at_ms = reservation->at_us / 1000;
	struct cap *c = fw_cap_find(r, reservation->cap);
	if (!c || count_uses(r) >= FW_LIMIT_CAPS_USES) {
		make_room(r, at_ms, FW_LIMIT_CAPS_KEPT - 1, FW_LIMIT_CAPS_USES - 1);
		c = fw_cap_find(r, reservation->cap);
	}
	if (!c) {
		if (!FW_LIST_ROOM(r, r->caps))
			return FW_ENOMEM;
		c = &r->caps.items[r->caps.n++];
		*c = (struct cap){ .cap = reservation->cap };
	}
	c->per_s = reservation->per_s;
	c->limit = reservation->limit;
	prune(c, at_ms);
	if (!FW_LIST_ROOM(r, c->uses))
		return FW_ENOMEM;
	uint32_t i = c->uses.n;
	while (i > 0 && c->uses.items[i - 1].at_ms > at_ms)
		i--;
	FW_LIST_OPEN(c->uses, i);
	c->uses.items[i] = (struct cap_use){ at_ms, reservation->rule };
	return 0;
}

bool fw_confirm_reservations(struct fw_record *r, const struct happening *h)
{
	enum { AHEAD_MS = 60000 }; /* the client's clock, once corrected, is still not ours */
	char number[32];
	const struct fw_json *id = fw_json_get(h->e->properties, "promotion_id");
	struct fw_str rule = id && id->type == FW_JSON_STRING ? id->string : (struct fw_str){ 0 };
	if (id && id->type == FW_JSON_NUMBER)
		rule = (struct fw_str){ number, fw_number_text(id->number, number) };
	if (rule.n == 0 || r->caps.n == 0)
		return false;
	uint64_t hash = fw_hash(rule.p, rule.n);
	bool confirmed = false;
	for (uint32_t i = 0; i < r->caps.n; i++)
		for (uint32_t k = 0; k < r->caps.items[i].uses.n; k++) {
			struct cap_use *u = &r->caps.items[i].uses.items[k];
			if (u->rule != hash || h->at_ms + AHEAD_MS < u->at_ms || has_lapsed(u, h->at_ms))
				continue;
			u->rule = 0;
			confirmed = true;
			break; /* one view confirms one place of each cap */
		}
	return confirmed;
}

void fw_record_confirm_due(struct fw_record *r, uint64_t number)
{
	for (uint32_t i = 0; i < r->caps.n; i++)
		for (uint32_t k = 0; k < r->caps.items[i].uses.n; k++)
			if (r->caps.items[i].uses.items[k].rule == number)
				r->caps.items[i].uses.items[k].rule = 0;
}

void fw_record_release_due(struct fw_record *r, uint64_t number)
{
	for (uint32_t i = r->caps.n; i-- > 0; ) {
		struct cap *c = &r->caps.items[i];
		for (uint32_t k = c->uses.n; k-- > 0; )
			if (c->uses.items[k].rule == number)
				FW_LIST_TAKE(c->uses, k);
		if (c->uses.n == 0)
			FW_LIST_TAKE(r->caps, i);
	}
}

static int by_id(const void *x, const void *y)
{
	uint64_t a = ((const struct cap *)x)->cap, b = ((const struct cap *)y)->cap;
	return a < b ? -1 : a > b;
}

/* What a cap is was known best when a place of it was taken last. */
static bool is_known_better(const struct cap *a, const struct cap *b)
{
	int64_t last_ms = a->uses.items[a->uses.n - 1].at_ms, other_ms = b->uses.items[b->uses.n - 1].at_ms;
	if (last_ms != other_ms)
		return last_ms > other_ms;
	return a->per_s != b->per_s ? a->per_s > b->per_s : a->limit > b->limit;
}

static int by_age(const void *x, const void *y)
{
	const struct cap_use *a = x, *b = y;
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	return a->rule < b->rule ? -1 : a->rule > b->rule;
}

/* The places of both. */
static int merge_cap(struct fw_record *r, struct cap *c, const struct cap *other)
{
	if (c->uses.n == 0 || is_known_better(other, c)) {
		c->per_s = other->per_s;
		c->limit = other->limit;
	}
	for (uint32_t k = 0; k < other->uses.n; k++) {
		if (!FW_LIST_ROOM(r, c->uses))
			return FW_ENOMEM;
		c->uses.items[c->uses.n++] = other->uses.items[k];
	}
	return 0;
}

int fw_merge_caps(struct merging *m)
{
	struct fw_record *r = m->into;
	for (uint32_t i = 0; i < m->from->caps.n; i++) {
		const struct cap *other = &m->from->caps.items[i];
		struct cap *c = fw_cap_find(r, other->cap);
		if (!c && !FW_LIST_ROOM(r, r->caps))
			return FW_ENOMEM;
		if (!c) {
			c = &r->caps.items[r->caps.n++];
			*c = (struct cap){ .cap = other->cap };
		}
		if (merge_cap(r, c, other) < 0)
			return FW_ENOMEM;
	}
	for (uint32_t i = 0; i < r->caps.n; i++) {
		struct cap *c = &r->caps.items[i];
		qsort(c->uses.items, c->uses.n, sizeof *c->uses.items, by_age);
		while (c->uses.n > FW_LIMIT_CAP_USES)
			FW_LIST_TAKE(c->uses, 0);
	}
	if (r->caps.n)
		qsort(r->caps.items, r->caps.n, sizeof *r->caps.items, by_id);
	if (r->caps.n > FW_LIMIT_CAPS_KEPT || count_uses(r) > FW_LIMIT_CAPS_USES)
		make_room(r, r->last_ms, FW_LIMIT_CAPS_KEPT, FW_LIMIT_CAPS_USES);
	return 0;
}
