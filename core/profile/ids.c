/* What a person goes by. The rows of the ids are people's business; here is only the list, and what may be in it. */
#include "profile/own.h"

#include <stdlib.h>

static struct fw_id *find(const struct fw_record *r, enum fw_id_kind kind, struct fw_str text)
{
	for (uint32_t i = 0; i < r->ids.n; i++)
		if (r->ids.items[i].kind == kind && fw_str_equal(r->ids.items[i].text, text))
			return &r->ids.items[i];
	return NULL;
}

bool fw_record_has_id(const struct fw_record *r, enum fw_id_kind kind, struct fw_str text)
{
	return find(r, kind, text) != NULL;
}

/* Ids of other systems are counted by system: what stands before the colon. */
static bool same_system(struct fw_str a, struct fw_str b)
{
	const char *end = memchr(a.p, ':', a.n);
	size_t n = end ? (size_t)(end - a.p) + 1 : a.n;
	return b.n >= n && memcmp(a.p, b.p, n) == 0;
}

static unsigned count_alike(const struct fw_record *r, enum fw_id_kind kind, struct fw_str text)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < r->ids.n; i++)
		n += r->ids.items[i].kind == kind && (kind != FW_ID_OTHER || same_system(text, r->ids.items[i].text));
	return n;
}

static unsigned most_alike(enum fw_id_kind kind)
{
	return kind == FW_ID_USER ? 1 : kind == FW_ID_ANONYMOUS ? FW_LIMIT_MERGES : FW_LIMIT_IDS_OF_A_KIND;
}

static bool is_listed(const struct fw_record *r, struct fw_str text)
{
	for (uint32_t i = 0; i < r->ids.n; i++)
		if (fw_str_equal(r->ids.items[i].text, text))
			return true;
	return false;
}

/* Of the ids, and of those whom `merged` absorbed and who go by none of these. */
static size_t count_bytes(const struct fw_record *ids, const struct fw_record *merged)
{
	size_t n = 0;
	for (uint32_t i = 0; i < ids->ids.n; i++)
		n += ids->ids.items[i].text.n;
	for (uint32_t i = 0; i < merged->merges.n; i++)
		n += is_listed(ids, merged->merges.items[i].id) ? 0 : merged->merges.items[i].id.n;
	return n;
}

static bool fits(const struct fw_record *r, enum fw_id_kind kind, struct fw_str text)
{
	return r->ids.n < FW_LIMIT_RECORD_IDS && count_alike(r, kind, text) < most_alike(kind);
}

static int add(struct fw_record *r, struct fw_id id)
{
	if (!fw_record_own(r, &id.text) || !FW_LIST_ROOM(r, r->ids))
		return FW_ENOMEM;
	r->ids.items[r->ids.n++] = id;
	return 0;
}

int fw_record_add_id(struct fw_record *r, enum fw_id_kind kind, struct fw_str text)
{
	if (find(r, kind, text))
		return 0;
	bool fits_too = fits(r, kind, text) && count_bytes(r, r) + text.n <= FW_LIMIT_IDS_BYTES;
	return fits_too ? add(r, (struct fw_id){ .kind = kind, .text = text }) : FW_ELIMIT;
}

static int by_kind(const void *x, const void *y)
{
	const struct fw_id *a = x, *b = y;
	return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1) : fw_str_compare(a->text, b->text);
}

int fw_merge_ids(struct merging *m)
{
	struct fw_record *into = m->into;
	const struct fw_record *from = m->from;
	for (uint32_t i = 0; i < from->ids.n; i++) {
		const struct fw_id *id = &from->ids.items[i];
		struct fw_id *found = find(into, id->kind, id->text);
		if (found)
			found->shared |= id->shared;
		else if (into->ids.n < FW_LIMIT_RECORD_IDS && add(into, *id) < 0)
			return FW_ENOMEM;
	}
	if (into->ids.n)
		qsort(into->ids.items, into->ids.n, sizeof *into->ids.items, by_kind);
	return 0;
}

bool fw_ids_fit(const struct fw_record *a, const struct fw_record *b)
{
	struct fw_id room[FW_LIMIT_RECORD_IDS];
	const struct fw_record none = { .ids = { 0 } };
	struct fw_record both = { .ids = { room, a->ids.n, FW_LIMIT_RECORD_IDS } };
	if (a->ids.n)
		memcpy(room, a->ids.items, a->ids.n * sizeof *room);
	for (uint32_t i = 0; i < b->ids.n; i++) {
		const struct fw_id *id = &b->ids.items[i];
		if (find(&both, id->kind, id->text))
			continue;
		if (!fits(&both, id->kind, id->text))
			return false;
		room[both.ids.n++] = *id;
	}
	return count_bytes(&both, a) + count_bytes(&both, b) - count_bytes(&both, &none) <= FW_LIMIT_IDS_BYTES;
}

void fw_record_remove_id(struct fw_record *r, enum fw_id_kind kind, struct fw_str text)
{
	struct fw_id *found = find(r, kind, text);
	if (found)
		FW_LIST_TAKE(r->ids, (uint32_t)(found - r->ids.items));
}

bool fw_record_id(const struct fw_record *r, unsigned i, struct fw_id *ret)
{
	if (i < r->ids.n)
		*ret = r->ids.items[i];
	return i < r->ids.n;
}

bool fw_record_find_id(const struct fw_record *r, enum fw_id_kind kind, struct fw_str text, struct fw_id *ret)
{
	const struct fw_id *found = find(r, kind, text);
	if (found)
		*ret = *found;
	return found != NULL;
}

void fw_record_share_id(struct fw_record *r, enum fw_id_kind kind, struct fw_str text)
{
	struct fw_id *found = find(r, kind, text);
	if (found)
		found->shared = true;
}

struct fw_str fw_record_user(const struct fw_record *r)
{
	for (uint32_t i = 0; i < r->ids.n; i++)
		if (r->ids.items[i].kind == FW_ID_USER)
			return r->ids.items[i].text;
	return (struct fw_str){ NULL, 0 };
}

/* 0; FW_ENOMEM. */
static int proven_trait(const struct fw_record *r, const char *name, struct fw_str *ret)
{
	struct fw_value v;
	for (uint32_t i = 0; i < r->traits.n; i++) {
		const struct trait *t = &r->traits.items[i];
		bool proven = !t->claimed;
#ifdef FW_BREAK_CLAIMS_ADDRESS /* where somebody says that he is, letters go */
		proven = true;
#endif
		if (!proven || !fw_str_is(t->name, name))
			continue;
		int rc = fw_trait_unpack(t->packed, r->arena, &v);
		if (rc == 0 && v.state == FW_KNOWN && v.kind == FW_KIND_TEXT)
			*ret = v.text;
		return rc;
	}
	return 0;
}

static struct fw_str latest_of(const struct fw_record *r, enum fw_id_kind kind)
{
	struct fw_str latest = { NULL, 0 };
	for (uint32_t i = 0; i < r->ids.n; i++)
		if (r->ids.items[i].kind == kind && !r->ids.items[i].shared)
			latest = r->ids.items[i].text;
	return latest;
}

int fw_record_address(const struct fw_record *r, struct fw_str channel, struct fw_str *ret)
{
	bool email = fw_str_is(channel, "email"), sms = fw_str_is(channel, "sms");
	*ret = (struct fw_str){ NULL, 0 };
	if (!email && !sms) {
		*ret = fw_record_user(r).n ? fw_record_user(r) : r->first_id;
		return 0;
	}
	int rc = proven_trait(r, email ? "email" : "phone", ret);
	if (rc == 0 && !ret->n)
		*ret = latest_of(r, email ? FW_ID_EMAIL : FW_ID_PHONE);
	return rc;
}
