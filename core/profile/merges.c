/* Who became part of a person, and whether somebody may. */
#include "profile/own.h"

static bool is_merge(const struct fw_merge *m, enum fw_id_kind kind, struct fw_str id, uint64_t number)
{
	return m->kind == kind && m->number == number && fw_str_equal(m->id, id);
}

static struct fw_merge *find(const struct fw_record *r, enum fw_id_kind kind, struct fw_str id, uint64_t number)
{
	for (uint32_t i = 0; i < r->merges.n; i++)
		if (is_merge(&r->merges.items[i], kind, id, number))
			return &r->merges.items[i];
	return NULL;
}

/* By time, then by what tells them apart. */
static int compare(const struct fw_merge *a, const struct fw_merge *b)
{
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	int by_id = fw_str_compare(a->id, b->id);
	return by_id ? by_id : a->number < b->number ? -1 : a->number > b->number;
}

static int add(struct fw_record *r, struct fw_merge m)
{
	m.at_us = m.at_us / 1000 * 1000;
	if (!fw_record_own(r, &m.id) || !FW_LIST_ROOM(r, r->merges))
		return FW_ENOMEM;
	uint32_t i = r->merges.n;
	while (i > 0 && compare(&r->merges.items[i - 1], &m) > 0)
		i--;
	FW_LIST_OPEN(r->merges, i);
	r->merges.items[i] = m;
	return 0;
}

bool fw_record_merge_at(const struct fw_record *r, unsigned i, struct fw_merge *ret)
{
	if (i >= r->merges.n)
		return false;
	*ret = r->merges.items[i];
	return true;
}

int fw_record_note_merge(struct fw_record *r, const struct fw_merge *m)
{
	if (find(r, m->kind, m->id, m->number))
		return 0;
	return r->merges.n >= FW_LIMIT_MERGES ? FW_ELIMIT : add(r, *m);
}

bool fw_record_forget_merge(struct fw_record *r, enum fw_id_kind kind, struct fw_str id, uint64_t number)
{
	struct fw_merge *found = find(r, kind, id, number);
	if (!found)
		return false;
	FW_LIST_TAKE(r->merges, (uint32_t)(found - r->merges.items));
	return true;
}

/* Those who became part of both, by some way, count once. The oldest beyond the limit cannot be undone any more. */
int fw_merge_merges(struct merging *m)
{
	for (uint32_t i = 0; i < m->from->merges.n; i++) {
		const struct fw_merge *e = &m->from->merges.items[i];
		if (!find(m->into, e->kind, e->id, e->number) && add(m->into, *e) < 0)
			return FW_ENOMEM;
	}
	while (m->into->merges.n > FW_LIMIT_MERGES)
		FW_LIST_TAKE(m->into->merges, 0);
	return 0;
}

static uint32_t count_merges(const struct fw_record *a, const struct fw_record *b)
{
	uint32_t n = a->merges.n;
	for (uint32_t i = 0; i < b->merges.n; i++)
		n += !find(a, b->merges.items[i].kind, b->merges.items[i].id, b->merges.items[i].number);
	return n;
}

const char *fw_record_may_not_merge(const struct fw_record *a, const struct fw_record *b)
{
	struct fw_str user = fw_record_user(a), other = fw_record_user(b);
	if (user.n && other.n && !fw_str_equal(user, other))
		return "two_users";
	if (count_merges(a, b) >= FW_LIMIT_MERGES)
		return "too_many_merges";
	return fw_ids_fit(a, b) ? NULL : "too_many_ids";
}
