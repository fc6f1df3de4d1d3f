/* Two people's records become one. A pure function of the two, commutative and associative where no limit is reached: so it
 * does not matter in which order several people become one, nor on how many machines. Of the parts that are not here each has
 * it where it is applied. */
#include "profile/own.h"

#include <math.h>
#include <stdlib.h>

static int number_texts(struct merging *m)
{
	uint32_t n = m->from->texts.n, *number = FW_NEW_ARRAY(m->into->arena, n + 1, uint32_t);
	if (!number)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		if ((number[i + 1] = fw_record_text_whole(m->into, m->from->texts.items[i].text)) == 0)
			return FW_ENOMEM;
	m->number = number;
	return 0;
}

struct numbered {
	struct fw_str text;
	uint32_t number;
};

static int by_text(const void *a, const void *b)
{
	return fw_str_compare(((const struct numbered *)a)->text, ((const struct numbered *)b)->text);
}

static int rank_texts(struct merging *m)
{
	const struct fw_record *r = m->into;
	uint32_t n = r->texts.n, *rank = FW_NEW_ARRAY(r->arena, n + 1, uint32_t);
	struct numbered *texts = FW_NEW_ARRAY(r->arena, n, struct numbered);
	if (!rank || !texts)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		texts[i] = (struct numbered){ r->texts.items[i].text, i + 1 };
	qsort(texts, n, sizeof *texts, by_text);
	for (uint32_t i = 0; i < n; i++)
		rank[texts[i].number] = i + 1;
	m->rank = rank;
	return 0;
}

/* The one who was seen first gives the id by which rollouts draw. */
static int merge_head(struct merging *m)
{
	struct fw_record *r = m->into;
	int64_t first_s = r->last_ms ? r->first_s : INT64_MAX, other_s = m->from->last_ms ? m->from->first_s : INT64_MAX;
	struct fw_str id = m->from->first_id;
	if (other_s != first_s ? other_s < first_s : fw_str_compare(id, r->first_id) < 0) {
		if (!fw_record_own(r, &id))
			return FW_ENOMEM;
		r->first_id = id;
		r->first_s = m->from->first_s;
	}
	if (m->from->last_ms > r->last_ms)
		r->last_ms = m->from->last_ms;
	r->restricted |= m->from->restricted;
	if (m->from->erased_ms > r->erased_ms)
		r->erased_ms = m->from->erased_ms;
	return 0;
}

int fw_touch_compare(const struct touch *a, const struct touch *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	if (a->channel != b->channel)
		return a->channel < b->channel ? -1 : 1;
	int by_medium = fw_str_compare(a->medium, b->medium);
	return by_medium ? by_medium : fw_str_compare(a->campaign, b->campaign);
}

static int take_touch(struct fw_record *r, struct touch *into, const struct touch *t)
{
	*into = *t;
	return fw_record_own(r, &into->medium) && fw_record_own(r, &into->campaign) ? 0 : FW_ENOMEM;
}

/* The last is one that is more than a direct visit, if there is one. Which one the last visit came from is only known of the
 * latest that either knows. */
static int merge_touches(struct merging *m)
{
	struct fw_record *r = m->into;
	const struct touch *first = &m->from->first_touch, *last = &m->from->last_touch, *session = &m->from->session_touch;
	if (first->at_ms && (r->first_touch.at_ms == 0 || fw_touch_compare(first, &r->first_touch) < 0) &&
			take_touch(r, &r->first_touch, first) < 0)
		return FW_ENOMEM;
	bool direct = last->channel == 1, own_direct = r->last_touch.channel == 1;
	if (last->at_ms && (r->last_touch.at_ms == 0 ||
			(direct == own_direct ? fw_touch_compare(last, &r->last_touch) > 0 : own_direct)) &&
			take_touch(r, &r->last_touch, last) < 0)
		return FW_ENOMEM;
	return fw_touch_compare(session, &r->session_touch) > 0 ? take_touch(r, &r->session_touch, session) : 0;
}

static int compare_recent(const struct merging *m, const struct recent *a, const struct recent *b)
{
	if (a->at_s != b->at_s)
		return a->at_s < b->at_s ? -1 : 1;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->known != b->known)
		return a->known < b->known ? -1 : 1;
	if (a->name != b->name)
		return m->rank[a->name] < m->rank[b->name] ? -1 : 1;
	return a->object == b->object ? 0 : m->rank[a->object] < m->rank[b->object] ? -1 : 1;
}

static int merge_recent(struct merging *m)
{
	struct fw_record *r = m->into;
	uint32_t n = r->recent.n + m->from->recent.n, kept = 0;
	struct recent *all = FW_NEW_ARRAY(r->arena, n, struct recent);
	if (!all)
		return FW_ENOMEM;
	for (uint32_t k = 0; k < n; k++) {
		bool own = k < r->recent.n;
		struct recent e = own ? r->recent.items[k] : m->from->recent.items[k - r->recent.n];
		if (!own) {
			e.name = m->number[e.name];
			e.object = m->number[e.object];
		}
		uint32_t i = kept++;
		for (; i > 0 && compare_recent(m, &all[i - 1], &e) > 0; i--)
			all[i] = all[i - 1];
		all[i] = e;
	}
	uint32_t over = n > FW_LIMIT_RECENT_EVENTS ? n - FW_LIMIT_RECENT_EVENTS : 0;
	r->recent.items = all + over;
	r->recent.n = r->recent.size = n - over;
	return 0;
}

static int by_channel(const void *a, const void *b)
{
	return fw_str_compare(((const struct engagement *)a)->channel, ((const struct engagement *)b)->channel);
}

/* Both as of the later of the two times; so they are equal but for rounding in whatever order they are added. */
static int merge_engagements(struct merging *m)
{
	struct fw_record *r = m->into;
	for (uint32_t i = 0; i < m->from->engagements.n; i++) {
		struct engagement other = m->from->engagements.items[i], *e = NULL;
		for (uint32_t k = 0; k < r->engagements.n && !e; k++)
			if (fw_str_equal(r->engagements.items[k].channel, other.channel))
				e = &r->engagements.items[k];
		if (!e) {
			if (!fw_record_own(r, &other.channel) || !FW_LIST_ROOM(r, r->engagements))
				return FW_ENOMEM;
			r->engagements.items[r->engagements.n++] = other;
			continue;
		}
		fw_engagement_decay(other.at_ms > e->at_ms ? e : &other, other.at_ms > e->at_ms ? other.at_ms : e->at_ms);
		e->sent += other.sent;
		e->engaged += other.engaged;
	}
	if (r->engagements.n)
		qsort(r->engagements.items, r->engagements.n, sizeof *r->engagements.items, by_channel);
	return 0;
}

static int by_file(const void *x, const void *y)
{
	uint64_t a = ((const struct import *)x)->file, b = ((const struct import *)y)->file;
	return a < b ? -1 : a > b;
}

static int merge_imports(struct merging *m)
{
	struct fw_record *r = m->into;
	for (uint32_t i = 0; i < m->from->imports.n; i++) {
		const struct import *other = &m->from->imports.items[i];
		struct import *own = NULL;
		for (uint32_t k = 0; k < r->imports.n && !own; k++)
			if (r->imports.items[k].file == other->file)
				own = &r->imports.items[k];
		if (own && own->offset < other->offset)
			own->offset = other->offset;
		if (own)
			continue;
		if (!FW_LIST_ROOM(r, r->imports))
			return FW_ENOMEM;
		r->imports.items[r->imports.n++] = *other;
	}
	if (r->imports.n)
		qsort(r->imports.items, r->imports.n, sizeof *r->imports.items, by_file);
	while (r->imports.n > FW_LIMIT_IMPORTS_KEPT)
		FW_LIST_TAKE(r->imports, 0);
	return 0;
}

/* If either said no to it, it is not kept of both. */
static int drop_behaviour(struct merging *m)
{
	if (fw_consent_refuses(m->into))
		fw_record_forget_behaviour(m->into);
	return 0;
}

/* Head first: caps are pruned at the time of the last event. */
int fw_record_merge(struct fw_record *into, const struct fw_record *from, struct fw_spilled *ret_spilled, unsigned *ret_n)
{
	static int (*const parts[])(struct merging *m) = { number_texts, rank_texts, merge_head, fw_merge_ids, fw_merge_merges,
		fw_merge_sessions, fw_merge_cart, fw_merge_orders, fw_merge_caps, fw_merge_seen, merge_imports, fw_merge_traits,
		fw_merge_consents, fw_merge_messages, fw_merge_asks, fw_merge_series, merge_touches, merge_recent, merge_engagements,
		drop_behaviour };
	struct merging m = { .into = into, .from = from, .spilled = ret_spilled };
	int code = 0;
	for (size_t i = 0; i < sizeof parts / sizeof *parts && code == 0; i++)
		code = parts[i](&m);
	*ret_n = m.n_spilled;
	return code;
}
