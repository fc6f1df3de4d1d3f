/* Traits: what the store told us of a person, and what is claimed of it. The latest telling counts, whatever order tellings come
 * in; what was proven outranks all claims. */
#include "profile/own.h"

#include <math.h>
#include <stdlib.h>

enum tag { NOTHING, NO, YES, WHOLE, NUMBER, TEXT, LIST };
enum { MOST_ITEMS = 50 };

/* Their numbers are part of the record's format: new ones are added at the end, none moves. */
static const char *const well_known[] = { "email", "phone", "firstName", "lastName", "first_name", "last_name", "name", "username", "title",
	"company", "birthday", "age", "gender", "createdAt", "created_at", "plan", "tier", "language", "locale", "country", "city",
	"timezone", "avatar", "website", "description", "id", "loyalty", "points", "segment", "newsletter", "store", "currency" };
enum { WELL_KNOWN = sizeof well_known / sizeof *well_known };

unsigned fw_trait_number(struct fw_str name)
{
	for (unsigned i = 0; i < WELL_KNOWN; i++)
		if (fw_str_is(name, well_known[i]))
			return i + 1;
	return 0;
}

const char *fw_trait_name(unsigned number)
{
	return number >= 1 && number <= WELL_KNOWN ? well_known[number - 1] : NULL;
}

static void pack_scalar(const struct fw_json *v, struct fw_buf *out)
{
	uint64_t bits;
	switch (v->type) {
	case FW_JSON_BOOL: fw_buf_putc(out, v->boolean ? YES : NO); return;
	case FW_JSON_NUMBER:
		if (v->number == floor(v->number) && fabs(v->number) < 9e15) {
			fw_buf_putc(out, WHOLE);
			fw_pack_signed(out, (int64_t)v->number);
			return;
		}
		memcpy(&bits, &v->number, sizeof bits);
		fw_buf_putc(out, NUMBER);
		fw_pack_fixed(out, bits);
		return;
	case FW_JSON_STRING:
		if (v->string.n) {
			fw_buf_putc(out, TEXT);
			fw_pack_text(out, v->string);
			return;
		}
		break;
	default: break;
	}
	fw_buf_putc(out, NOTHING);
}

void fw_trait_pack(const struct fw_json *v, struct fw_buf *out)
{
	if (v->type != FW_JSON_ARRAY) {
		pack_scalar(v, out);
		return;
	}
	unsigned n = v->count < MOST_ITEMS ? v->count : MOST_ITEMS;
	fw_buf_putc(out, LIST);
	fw_pack_number(out, n);
	for (const struct fw_json *e = v->child; n > 0; e = e->next, n--)
		pack_scalar(e, out);
}

static void unpack_scalar(struct fw_unpack *u, struct fw_arena *a, struct fw_value *ret)
{
	uint64_t bits;
	*ret = (struct fw_value){ .state = FW_ABSENT };
	switch ((enum tag)fw_unpack_byte(u)) {
	case NOTHING: return;
	case NO: *ret = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_BOOL }; return;
	case YES: *ret = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_BOOL, .boolean = true }; return;
	case WHOLE: *ret = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_NUMBER, .number = (double)fw_unpack_signed(u) }; return;
	case NUMBER:
		*ret = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_NUMBER };
		bits = fw_unpack_fixed(u);
		memcpy(&ret->number, &bits, sizeof bits);
		u->failed |= !isfinite(ret->number);
		return;
	case TEXT: {
		struct fw_str text = fw_unpack_text(u, a);
		char *folded = text.n ? fw_arena_alloc(a, text.n) : NULL;
		if (!folded) {
			u->failed = true;
			return;
		}
		fw_fold(text, folded);
		*ret = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_TEXT, .text = text, .folded = { folded, text.n } };
		return;
	}
	default: u->failed = true;
	}
}

static void skip_scalar(struct fw_unpack *u)
{
	switch ((enum tag)fw_unpack_byte(u)) {
	case NOTHING: case NO: case YES: return;
	case WHOLE: fw_unpack_number(u); return;
	case NUMBER: fw_unpack_fixed(u); return;
	case TEXT: fw_unpack_skip_text(u); return;
	default: u->failed = true;
	}
}

void fw_trait_skip(struct fw_unpack *u)
{
	if (u->p == u->end || *u->p != LIST) {
		skip_scalar(u);
		return;
	}
	u->p++;
	for (unsigned n = fw_unpack_bounded(u, MOST_ITEMS); n > 0 && !u->failed; n--)
		skip_scalar(u);
}

int fw_trait_unpack(struct fw_str packed, struct fw_arena *a, struct fw_value *ret)
{
	struct fw_unpack u;
	fw_unpack_init(&u, packed);
	if (packed.n == 0 || packed.p[0] != LIST) {
		unpack_scalar(&u, a, ret);
		return u.failed || u.p != u.end ? FW_EINVAL : 0;
	}
	u.p++;
	unsigned n = fw_unpack_bounded(&u, MOST_ITEMS), m = 0;
	struct fw_value *items = FW_NEW_ARRAY(a, n, struct fw_value);
	if (!items)
		return FW_ENOMEM;
	for (unsigned i = 0; i < n && !u.failed; i++) {
		unpack_scalar(&u, a, &items[m]);
		m += items[m].state == FW_KNOWN;
	}
	*ret = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_SET, .items = items, .n_items = m };
	return u.failed || u.p != u.end ? FW_EINVAL : 0;
}

int fw_trait_compare(const struct trait *a, const struct trait *b)
{
#ifndef FW_BREAK_CLAIMS
	if (a->claimed != b->claimed)
		return a->claimed ? -1 : 1;
#endif
	return a->at_ms < b->at_ms ? -1 : a->at_ms > b->at_ms;
}

/* So nobody fills a record with claims until what is known falls out of it. */
uint32_t fw_trait_oldest(const struct fw_record *r)
{
	uint32_t oldest = 0;
	for (uint32_t i = 1; i < r->traits.n; i++)
		if (fw_trait_compare(&r->traits.items[i], &r->traits.items[oldest]) < 0)
			oldest = i;
	return oldest;
}

static size_t traits_bytes(const struct fw_record *r)
{
	size_t n = 0;
	for (uint32_t i = 0; i < r->traits.n; i++)
		n += r->traits.items[i].name.n + r->traits.items[i].packed.n;
	return n;
}

static void forget_oldest(struct fw_record *r)
{
	while (r->traits.n > FW_LIMIT_TRAITS || traits_bytes(r) > FW_LIMIT_TRAITS_BYTES) {
		uint32_t oldest = fw_trait_oldest(r);
		FW_LIST_TAKE(r->traits, oldest);
	}
}

static struct trait *find(const struct fw_record *r, struct fw_str name)
{
	for (uint32_t i = 0; i < r->traits.n; i++)
		if (fw_str_equal(r->traits.items[i].name, name))
			return &r->traits.items[i];
	return NULL;
}

/* `told` is copied. */
static int tell(struct fw_record *r, const struct trait *told)
{
	struct trait *t = find(r, told->name);
	if (t && fw_trait_compare(told, t) < 0)
		return 0;
	char *value = fw_arena_strndup(r->arena, told->packed.p, told->packed.n);
	if (!value)
		return FW_ENOMEM;
	if (!t) {
		char *copy = FW_LIST_ROOM(r, r->traits) ? fw_arena_strndup(r->arena, told->name.p, told->name.n) : NULL;
		if (!copy)
			return FW_ENOMEM;
		t = &r->traits.items[r->traits.n++];
		t->name = (struct fw_str){ copy, told->name.n };
	}
	t->packed = (struct fw_str){ value, told->packed.n };
	t->at_ms = told->at_ms;
	t->claimed = told->claimed;
	forget_oldest(r);
	return 0;
}

/* An object holds no fact, and a proof of who it is is no trait. */
static bool is_trait(const struct fw_json *t)
{
	return t->type != FW_JSON_OBJECT && t->key.n && t->key.n <= FW_LIMIT_TRAIT_NAME_BYTES && !fw_str_is(t->key, "userHash");
}

/* Tells one under a name of its own. */
static int tell_json(struct fw_record *r, const struct happening *h, struct fw_str name, const struct fw_json *value)
{
	struct fw_buf packed;
	fw_buf_init(&packed, 0);
	fw_trait_pack(value, &packed);
	const struct trait told = { name, { packed.data, packed.n }, h->at_ms, !h->e->trusted };
	int ret = packed.failed ? FW_ENOMEM : packed.n <= FW_LIMIT_TRAIT_BYTES ? tell(r, &told) : 0;
	fw_buf_finish(&packed);
	return ret;
}

int fw_apply_traits(struct fw_record *r, const struct happening *h)
{
	int ret = 0;
	for (const struct fw_json *t = h->e->traits ? h->e->traits->child : NULL; t && ret == 0; t = t->next)
		if (is_trait(t))
			ret = tell_json(r, h, t->key, t);
	return ret;
}

#define OF_GROUP "group_"

/* What was told of the group before, unless it counts for more. */
static void leave_group(struct fw_record *r, const struct trait *now)
{
	const size_t n = sizeof OF_GROUP - 1;
	for (uint32_t i = r->traits.n; i-- > 0; ) {
		const struct trait *t = &r->traits.items[i];
		if (t->name.n > n && memcmp(t->name.p, OF_GROUP, n) == 0 && fw_trait_compare(now, t) > 0)
			FW_LIST_TAKE(r->traits, i);
	}
}

/* The group a person belongs to is a trait, `groupId`, and so is what is told of it: `group_plan`. There is one group: the next takes
 * the traits of the one before away. */
int fw_apply_group(struct fw_record *r, const struct happening *h)
{
	const struct fw_json id = { .type = FW_JSON_STRING, .string = h->e->group_id };
	const struct trait now = { .at_ms = h->at_ms, .claimed = !h->e->trusted }, *before = find(r, FW_STR("groupId"));
	struct fw_value value = { .state = FW_ABSENT };
	if (h->e->group_id.n == 0)
		return 0;
	if (before && fw_trait_unpack(before->packed, r->arena, &value) < 0)
		return FW_ENOMEM;
	if (before && !(value.state == FW_KNOWN && value.kind == FW_KIND_TEXT && fw_str_equal(value.text, h->e->group_id))) {
		if (fw_trait_compare(&now, before) < 0)
			return 0; /* it has left that group meanwhile */
		leave_group(r, &now);
	}
	int ret = tell_json(r, h, FW_STR("groupId"), &id);
	for (const struct fw_json *t = h->e->traits ? h->e->traits->child : NULL; t && ret == 0; t = t->next) {
		const char *name = fw_arena_printf(r->arena, OF_GROUP "%.*s", (int)t->key.n, t->key.p);
		if (!name)
			return FW_ENOMEM;
		if (is_trait(t) && t->key.n + sizeof OF_GROUP - 1 <= FW_LIMIT_TRAIT_NAME_BYTES)
			ret = tell_json(r, h, fw_str(name), t);
	}
	return ret;
}

static int by_name(const void *x, const void *y)
{
	return fw_str_compare(((const struct trait *)x)->name, ((const struct trait *)y)->name);
}

/* Of tellings at the same time one is as good as the other, but it has to be the same one whoever is asked. */
static bool outranks(const struct trait *a, const struct trait *b)
{
	int order = fw_trait_compare(a, b);
	return order ? order > 0 : fw_str_compare(a->packed, b->packed) > 0;
}

int fw_merge_traits(struct merging *m)
{
	struct fw_record *r = m->into;
	for (uint32_t i = 0; i < m->from->traits.n; i++) {
		struct trait t = m->from->traits.items[i], *found = find(r, t.name);
		if (found && !outranks(&t, found))
			continue;
		if (!fw_record_own(r, &t.name) || !fw_record_own(r, &t.packed) || (!found && !FW_LIST_ROOM(r, r->traits)))
			return FW_ENOMEM;
		*(found ? found : &r->traits.items[r->traits.n++]) = t;
	}
	if (r->traits.n)
		qsort(r->traits.items, r->traits.n, sizeof *r->traits.items, by_name);
	forget_oldest(r);
	return 0;
}
