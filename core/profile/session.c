/* Visits: runs of events with less than 30 idle minutes between them; a new campaign begins one, too. Kept as spans, so
 * that an event that comes late joins the visit it belongs to, or joins two into one. */
#include "profile/own.h"

#include <stdlib.h>

#include "base/hash.h"

static bool near(int64_t earlier, int64_t later)
{
	return (later - earlier) * 1000 <= FW_LIMIT_SESSION_IDLE_MS;
}

/* Whether `b` goes on with what `a` began. */
static bool goes_on(const struct session *a, const struct session *b)
{
	return near(a->last_s, b->start_s) && (b->campaign == 0 || b->campaign == a->campaign);
}

static void join(struct fw_record *r, uint32_t i)
{
	struct session *a = &r->sessions.items[i], *b = a + 1;
	if (b->last_s > a->last_s)
		a->last_s = b->last_s;
	a->pages += b->pages;
	FW_LIST_TAKE(r->sessions, i + 1);
}

/* The oldest are only counted. */
static void count_oldest(struct fw_record *r)
{
	while (r->sessions.n > FW_LIMIT_SESSIONS) {
		if (r->lifetime.visits == 0 || r->sessions.items[0].start_s < r->lifetime.visits_since_s)
			r->lifetime.visits_since_s = r->sessions.items[0].start_s;
		r->lifetime.visits++;
		FW_LIST_TAKE(r->sessions, 0);
	}
}

/* A new campaign in the midst of a visit: what came before it is a visit of its own. */
static void split(struct fw_record *r, uint32_t i, const struct session *new)
{
	struct session *s = &r->sessions.items[i];
	struct session rest = { new->start_s, s->last_s, new->campaign, new->pages };
	s->last_s = new->start_s;
	FW_LIST_OPEN(r->sessions, i + 1);
	r->sessions.items[i + 1] = rest;
}

static int place(struct fw_record *r, const struct session *new)
{
	if (!FW_LIST_ROOM(r, r->sessions))
		return FW_ENOMEM;
	uint32_t i = r->sessions.n;
	while (i > 0 && r->sessions.items[i - 1].start_s > new->start_s)
		i--;
	struct session *before = i ? &r->sessions.items[i - 1] : NULL;
	bool within = before && new->start_s <= before->last_s;
	if (within && (new->campaign == 0 || new->campaign == before->campaign)) {
		before->pages += new->pages;
		return 0;
	}
	if (within && new->start_s > before->start_s) {
		split(r, i - 1, new);
		return 0;
	}
	FW_LIST_OPEN(r->sessions, i);
	r->sessions.items[i] = *new;
	if (i + 1 < r->sessions.n && goes_on(&r->sessions.items[i], &r->sessions.items[i + 1]))
		join(r, i);
	if (i > 0 && goes_on(&r->sessions.items[i - 1], &r->sessions.items[i]))
		join(r, i - 1);
	return 0;
}

/* Before all visits that are kept with their times: it can only be counted. */
static bool place_before(struct fw_record *r, const struct session *new)
{
	if (r->lifetime.visits == 0 || r->sessions.n < FW_LIMIT_SESSIONS || near(new->start_s, r->sessions.items[0].start_s) ||
			new->start_s > r->sessions.items[0].start_s)
		return false;
	if (!near(new->start_s, r->lifetime.visits_since_s) && new->start_s < r->lifetime.visits_since_s)
		r->lifetime.visits++;
	if (new->start_s < r->lifetime.visits_since_s)
		r->lifetime.visits_since_s = new->start_s;
	return true;
}

/* Without consent to more only the visit at hand is kept: a new one takes its place. */
static int place_at_hand(struct fw_record *r, const struct session *new)
{
	uint32_t n = r->sessions.n;
	if (n && new->start_s < r->sessions.items[n - 1].start_s && !near(new->start_s, r->sessions.items[n - 1].start_s))
		return 0;
	if (place(r, new) < 0)
		return FW_ENOMEM;
	if (n && r->sessions.n > n)
		FW_LIST_TAKE(r->sessions, r->sessions.n - 2);
	return 0;
}

int fw_apply_session(struct fw_record *r, const struct happening *h, bool *ret_new)
{
	int64_t at_s = h->at_ms / 1000;
	const struct session new = { at_s, at_s, h->campaign, h->e->type == FW_EVENT_PAGE || h->e->type == FW_EVENT_SCREEN };
	int64_t latest = r->sessions.n ? r->sessions.items[r->sessions.n - 1].start_s : -1;
	if (!h->behaviour ? place_at_hand(r, &new) < 0 : !place_before(r, &new) && place(r, &new) < 0)
		return FW_ENOMEM;
	if (h->behaviour)
		count_oldest(r);
	const struct session *last = &r->sessions.items[r->sessions.n - 1];
	*ret_new = last->start_s == at_s && latest < at_s;
	if (r->session_touch.at_ms && r->session_touch.at_ms / 1000 < last->start_s)
		r->session_touch = (struct touch){ 0 };
	if (h->touch.at_ms && at_s >= last->start_s && (r->session_touch.at_ms == 0 || h->touch.at_ms < r->session_touch.at_ms))
		r->session_touch = h->touch;
	return 0;
}

/* Of one person, or of the other. */
struct span {
	struct session s;
	bool is_other;
};

static int by_start(const void *x, const void *y)
{
	const struct session *a = &((const struct span *)x)->s, *b = &((const struct span *)y)->s;
	if (a->start_s != b->start_s)
		return a->start_s < b->start_s ? -1 : 1;
	if (a->last_s != b->last_s)
		return a->last_s < b->last_s ? -1 : 1;
	if (a->campaign != b->campaign)
		return a->campaign < b->campaign ? -1 : 1;
	return a->pages < b->pages ? -1 : a->pages > b->pages;
}

/* Where in a run of spans a visit begins: at its beginning, and where a campaign is heard of first. */
static bool begins_visit(const struct span *run, uint32_t n, uint32_t i)
{
	uint32_t campaign = run[i].s.campaign;
	for (uint32_t k = 0; k < i; k++)
		if (campaign == 0 || run[k].s.campaign == campaign)
			return false;
	for (uint32_t k = 1; k < n && campaign == 0 && run[k].s.start_s == run[0].s.start_s; k++)
		if (run[k].s.campaign)
			return false;
	return true;
}

/* What both did at one time are visits that both made: one, or one for each campaign. Nobody knows which visit pages were
 * in: they are the last one's. */
static uint32_t join_run(const struct span *run, uint32_t n, struct session *ret)
{
	uint32_t m = 0, pages = 0;
	int64_t last_s = 0;
	for (uint32_t i = 0; i < n; i++) {
		pages += run[i].s.pages;
		if (run[i].s.last_s > last_s)
			last_s = run[i].s.last_s;
		if (!begins_visit(run, n, i))
			continue;
		if (m)
			ret[m - 1].last_s = run[i].s.start_s;
		ret[m++] = (struct session){ .start_s = run[i].s.start_s, .campaign = run[i].s.campaign };
	}
	ret[m - 1].last_s = last_s;
	ret[m - 1].pages = pages;
	return m;
}

/* Spans with less than 30 idle minutes between them. */
static uint32_t length_of_run(const struct span *spans, uint32_t n, bool *ret_both)
{
	int64_t last_s = spans[0].s.last_s;
	uint32_t i = 1;
	*ret_both = false;
	for (; i < n && near(last_s, spans[i].s.start_s); i++) {
		*ret_both |= spans[i].is_other != spans[0].is_other;
		if (spans[i].s.last_s > last_s)
			last_s = spans[i].s.last_s;
	}
	return i;
}

static int merge_spans(struct fw_record *r, const struct fw_record *from)
{
	uint32_t n = r->sessions.n + from->sessions.n, length;
	struct span *spans = FW_NEW_ARRAY(r->arena, n, struct span);
	struct session *joined = FW_NEW_ARRAY(r->arena, n, struct session);
	if (!spans || !joined)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		spans[i] = i < r->sessions.n ? (struct span){ r->sessions.items[i], false }
			: (struct span){ from->sessions.items[i - r->sessions.n], true };
	qsort(spans, n, sizeof *spans, by_start);
	r->sessions.items = joined;
	r->sessions.size = n;
	r->sessions.n = 0;
	for (uint32_t i = 0; i < n; i += length) {
		bool both;
		length = length_of_run(spans + i, n - i, &both);
		if (both)
			r->sessions.n += join_run(spans + i, length, joined + r->sessions.n);
		for (uint32_t k = 0; k < length && !both; k++)
			joined[r->sessions.n++] = spans[i + k].s;
	}
	return 0;
}

int fw_merge_sessions(struct merging *m)
{
	struct lifetime *l = &m->into->lifetime;
	const struct lifetime *other = &m->from->lifetime;
	if (other->visits && (l->visits == 0 || other->visits_since_s < l->visits_since_s))
		l->visits_since_s = other->visits_since_s;
	l->visits += other->visits;
	if (m->into->sessions.n + m->from->sessions.n == 0)
		return 0;
	if (merge_spans(m->into, m->from) < 0)
		return FW_ENOMEM;
	count_oldest(m->into);
	return 0;
}
