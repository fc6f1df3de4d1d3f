/* What two people let be done, as one: the stricter of the two, and all of how it came about. */
#include "profile/own.h"

#include <stdlib.h>

static bool is_strict(const struct consent *c)
{
	return c->state != FW_CONSENT_GRANTED;
}

/* A denial or withdrawal outranks what was granted, whenever it was; then what was told later. */
static bool outranks(const struct consent *a, const struct consent *b)
{
	if (is_strict(a) != is_strict(b))
		return is_strict(a);
	return a->at_ms != b->at_ms ? a->at_ms > b->at_ms : a->state > b->state;
}

static int by_what(const void *a, const void *b)
{
	return fw_str_compare(((const struct consent *)a)->what, ((const struct consent *)b)->what);
}

/* Of too many that goes which says least: what was granted, longest ago. */
static uint32_t least(const struct fw_record *r)
{
	uint32_t least = 0;
	for (uint32_t i = 1; i < r->consents.n; i++)
		if (outranks(&r->consents.items[least], &r->consents.items[i]))
			least = i;
	return least;
}

static int merge_view(struct merging *m)
{
	struct fw_record *r = m->into;
	for (uint32_t i = 0; i < m->from->consents.n; i++) {
		struct consent other = m->from->consents.items[i], *own = fw_consent_find(r, other.what);
		if (own && !outranks(&other, own))
			continue;
		if (!fw_record_own(r, &other.what) || (!own && !FW_LIST_ROOM(r, r->consents)))
			return FW_ENOMEM;
		*(own ? own : &r->consents.items[r->consents.n++]) = other;
	}
	if (r->consents.n)
		qsort(r->consents.items, r->consents.n, sizeof *r->consents.items, by_what);
	while (r->consents.n > FW_LIMIT_CONSENTS) {
		uint32_t i = least(r);
		FW_LIST_TAKE(r->consents, i);
	}
	return 0;
}

int fw_consent_compare(const struct consent_entry *a, const struct consent_entry *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	int order = fw_str_compare(a->what, b->what);
	if (order == 0)
		order = a->state < b->state ? -1 : a->state > b->state;
	if (order == 0)
		order = fw_str_compare(a->source, b->source);
	return order ? order : fw_str_compare(a->text, b->text);
}

static int by_time(const void *a, const void *b)
{
	return fw_consent_compare(a, b);
}

/* What both have in the log was told once. */
static int merge_log(struct merging *m)
{
	struct fw_record *r = m->into;
	for (uint32_t i = 0; i < m->from->consent_log.n; i++) {
		struct consent_entry e = m->from->consent_log.items[i];
		if (!fw_record_own(r, &e.what) || !fw_record_own(r, &e.source) || !fw_record_own(r, &e.text) ||
				!FW_LIST_ROOM(r, r->consent_log))
			return FW_ENOMEM;
		r->consent_log.items[r->consent_log.n++] = e;
	}
	if (r->consent_log.n == 0)
		return 0;
	struct consent_entry *items = r->consent_log.items;
	uint32_t n = r->consent_log.n, kept = 1;
	qsort(items, n, sizeof *items, by_time);
	for (uint32_t i = 1; i < n; i++)
		if (fw_consent_compare(&items[i], &items[kept - 1]) != 0)
			items[kept++] = items[i];
	r->consent_log.n = kept;
	fw_consent_bound_log(r);
	return 0;
}

int fw_merge_consents(struct merging *m)
{
	return merge_view(m) < 0 ? FW_ENOMEM : merge_log(m);
}
