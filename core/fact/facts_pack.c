#include "fact/facts_pack.h"

#include <math.h>

enum { IN_REACH = 1, BEHAVIOUR = 2, OBJECTS = 4, CLOCK = 8, FLAGS = 15 };
enum { STATE = 3, KIND_SHIFT = 2, KIND = 3, TRUE = 16, WHOLE = 32, SEVERAL = 64 };
enum { DEPTH = 2, ITEMS_MOST = 1 << 20 }; /* a set holds no sets */

static bool is_whole(double x)
{
	const double most = 9007199254740992; /* 2^53 */
	return x >= -most && x <= most && x == floor(x) && !(x == 0 && signbit(x));
}

static void put_double(struct fw_buf *out, double x)
{
	uint64_t bits;
	memcpy(&bits, &x, sizeof bits);
	fw_pack_fixed(out, bits);
}

static void put_value(struct fw_buf *out, const struct fw_value *v)
{
	if (v->state != FW_KNOWN) {
		fw_buf_putc(out, (char)v->state);
		return;
	}
	bool number = v->kind == FW_KIND_NUMBER, whole = number && is_whole(v->number), several = number && v->n_several > 1;
	fw_buf_putc(out, (char)((unsigned)v->state | (unsigned)v->kind << KIND_SHIFT | (v->kind == FW_KIND_BOOL && v->boolean ? TRUE : 0u) |
		(whole ? WHOLE : 0u) | (several ? SEVERAL : 0u)));
	switch (v->kind) {
	case FW_KIND_TEXT: fw_pack_bytes(out, v->text); break;
	case FW_KIND_BOOL: break;
	case FW_KIND_NUMBER:
		if (whole)
			fw_pack_signed(out, (int64_t)v->number);
		else
			put_double(out, v->number);
		break;
	case FW_KIND_SET:
		fw_pack_number(out, v->n_items);
		for (unsigned i = 0; i < v->n_items; i++)
			put_value(out, &v->items[i]);
		break;
	}
	if (!several)
		return;
	fw_pack_number(out, v->n_several);
	for (unsigned i = 0; i < v->n_several; i++)
		put_double(out, v->several[i]);
}

static void put_members(struct fw_buf *out, const struct fw_member *members, unsigned n)
{
	fw_pack_number(out, n);
	for (unsigned i = 0; i < n; i++) {
		fw_pack_bytes(out, members[i].name);
		put_value(out, &members[i].value);
	}
}

void fw_facts_pack(const struct fw_facts *f, struct fw_buf *out)
{
	fw_buf_putc(out, (char)((f->profile_in_reach ? IN_REACH : 0) | (f->behaviour_in_reach ? BEHAVIOUR : 0) |
		(f->objects ? OBJECTS : 0) | (f->has_clock ? CLOCK : 0)));
	fw_buf_putc(out, (char)f->consent_basis);
	if (f->has_clock)
		fw_pack_signed(out, f->now_us);
	for (int i = 0; i < FW_FACT_SINGLE; i++)
		put_value(out, &f->single[i]);
	put_members(out, f->traits, f->n_traits);
	put_members(out, f->event, f->n_event);
}

void fw_facts_pack_names(struct fw_buf *out)
{
	fw_pack_number(out, FW_FACT_SINGLE);
	for (int i = 0; i < FW_FACT_SINGLE; i++)
		fw_pack_text(out, fw_str(fw_fact_info((enum fw_fact)i)->name));
}

static int find_single(struct fw_str name)
{
	for (int i = 0; i < FW_FACT_SINGLE; i++)
		if (fw_str_is(name, fw_fact_info((enum fw_fact)i)->name))
			return i;
	return -1;
}

int fw_facts_unpack_names(struct fw_unpack *u, struct fw_arena *scratch, struct fw_facts_names *ret)
{
	ret->n = fw_unpack_bounded(u, sizeof ret->facts / sizeof *ret->facts);
	for (unsigned i = 0; i < ret->n && !u->failed; i++) {
		struct fw_str name = fw_unpack_text(u, scratch);
		ret->facts[i] = u->failed ? -1 : find_single(name);
	}
	return u->failed ? FW_EINVAL : 0;
}

/* What is being read; `rc` stays at the first failure. */
struct reading {
	struct fw_unpack u;
	struct fw_arena *arena;
	int rc;
};

static void *array(struct reading *r, size_t n, size_t size)
{
	/* Each element takes a byte at least: whoever says that there are more has made it up. */
	void *p = n > (size_t)(r->u.end - r->u.p) ? NULL : fw_arena_array(r->arena, n, size);
	if (!p)
		r->rc = n > (size_t)(r->u.end - r->u.p) ? FW_EINVAL : FW_ENOMEM;
	return p;
}

static double get_double(struct reading *r)
{
	uint64_t bits = fw_unpack_fixed(&r->u);
	double x;
	memcpy(&x, &bits, sizeof x);
	if (!isfinite(x))
		r->u.failed = true;
	return r->u.failed ? 0 : x;
}

static void get_value(struct reading *r, struct fw_value *ret, int depth);

static void get_set(struct reading *r, struct fw_value *ret, int depth)
{
	unsigned n = fw_unpack_bounded(&r->u, ITEMS_MOST);
	struct fw_value *items = depth < DEPTH ? array(r, n, sizeof *items) : NULL;
	if (depth >= DEPTH)
		r->rc = FW_EINVAL;
	for (unsigned i = 0; i < n && items && r->rc == 0 && !r->u.failed; i++) {
		get_value(r, &items[i], depth + 1);
		if (items[i].state != FW_KNOWN)
			r->rc = FW_EINVAL;
	}
	*ret = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_SET, .items = items, .n_items = n };
}

static void get_several(struct reading *r, struct fw_value *v)
{
	unsigned n = fw_unpack_bounded(&r->u, ITEMS_MOST);
	double *several = array(r, n, sizeof *several);
	for (unsigned i = 0; several && i < n; i++)
		several[i] = get_double(r);
	if (n < 2)
		r->u.failed = true;
	v->several = several;
	v->n_several = n;
}

static void get_value(struct reading *r, struct fw_value *ret, int depth)
{
	unsigned head = fw_unpack_byte(&r->u), state = head & STATE;
	*ret = (struct fw_value){ .state = state < STATE ? (enum fw_state)state : FW_ABSENT };
	if (state == STATE || (state != FW_KNOWN && head != state)) {
		r->u.failed = true;
		return;
	}
	if (state != FW_KNOWN)
		return;
	switch ((enum fw_kind)(head >> KIND_SHIFT & KIND)) {
	case FW_KIND_TEXT: {
		struct fw_str text = fw_unpack_bytes(&r->u);
		if (r->rc == 0 && !r->u.failed)
			r->rc = text.n ? fw_value_text(r->arena, text, ret) : FW_EINVAL;
		return;
	}
	case FW_KIND_BOOL:
		ret->kind = FW_KIND_BOOL;
		ret->boolean = head & TRUE;
		return;
	case FW_KIND_SET:
		get_set(r, ret, depth);
		return;
	default:
		ret->kind = FW_KIND_NUMBER;
		ret->number = head & WHOLE ? (double)fw_unpack_signed(&r->u) : get_double(r);
		if (head & SEVERAL)
			get_several(r, ret);
	}
}

void fw_value_pack(const struct fw_value *v, struct fw_buf *out)
{
	put_value(out, v);
}

int fw_value_unpack(struct fw_unpack *u, struct fw_arena *a, struct fw_value *ret)
{
	struct reading r = { .u = *u, .arena = a };
	get_value(&r, ret, 0);
	*u = r.u;
	u->failed |= r.rc == FW_EINVAL;
	return r.rc == FW_ENOMEM ? FW_ENOMEM : 0;
}

static struct fw_member *get_members(struct reading *r, unsigned *ret_n)
{
	unsigned n = fw_unpack_bounded(&r->u, ITEMS_MOST);
	struct fw_member *members = r->rc == 0 ? array(r, n, sizeof *members) : NULL;
	for (unsigned i = 0; members && i < n && r->rc == 0 && !r->u.failed; i++) {
		struct fw_str name = fw_unpack_bytes(&r->u);
		members[i].name = (struct fw_str){ fw_arena_strndup(r->arena, name.n ? name.p : "", name.n), name.n };
		if (!members[i].name.p)
			r->rc = FW_ENOMEM;
		get_value(r, &members[i].value, 0);
	}
	*ret_n = members ? n : 0;
	return n ? members : NULL;
}

static bool suits_number(enum fw_type type, double x)
{
	const double most = 1e7; /* days, 27 thousand years */
	return type == FW_TYPE_WEEKDAY ? x >= 0 && x <= 6 && is_whole(x) : type != FW_TYPE_DATE || (fabs(x) <= most && is_whole(x));
}

/* Whether the fact can have such a value: whoever reads it looks only at what its type says. */
static bool suits(enum fw_fact fact, const struct fw_value *v)
{
	static const enum fw_kind kinds[] = { [FW_TYPE_TEXT] = FW_KIND_TEXT, [FW_TYPE_NUMBER] = FW_KIND_NUMBER,
		[FW_TYPE_BOOL] = FW_KIND_BOOL,
		[FW_TYPE_SET] = FW_KIND_SET, [FW_TYPE_WEEKDAY] = FW_KIND_NUMBER, [FW_TYPE_DATE] = FW_KIND_NUMBER,
		[FW_TYPE_DURATION] = FW_KIND_NUMBER, [FW_TYPE_LANGUAGE] = FW_KIND_TEXT };
	enum fw_type type = fw_fact_info(fact)->type;
	if (v->state != FW_KNOWN || type >= FW_TYPE_ANY)
		return true;
	bool fine = v->kind == kinds[type] && (v->kind != FW_KIND_NUMBER || suits_number(type, v->number));
	for (unsigned i = 0; fine && i < v->n_several; i++)
		fine = suits_number(type, v->several[i]);
	return fine;
}

static void get_values(struct reading *r, const struct fw_facts_names *names, struct fw_facts *f)
{
	for (unsigned i = 0; i < names->n; i++) {
		struct fw_value v;
		get_value(r, &v, 0);
		if (r->rc < 0 || r->u.failed)
			return;
		if (names->facts[i] >= 0 && suits((enum fw_fact)names->facts[i], &v))
			f->single[names->facts[i]] = v;
		else if (v.state == FW_KNOWN)
			r->rc = FW_EINVAL;
	}
}

int fw_facts_unpack(struct fw_facts *f, struct fw_arena *a, const struct fw_facts_names *names, struct fw_str bytes)
{
	struct reading r = { .arena = a };
	fw_facts_init(f, a, true);
	fw_unpack_init(&r.u, bytes);
	unsigned flags = fw_unpack_byte(&r.u), basis = fw_unpack_byte(&r.u);
	f->profile_in_reach = flags & IN_REACH;
	f->behaviour_in_reach = flags & BEHAVIOUR;
	f->objects = flags & OBJECTS;
	f->has_clock = flags & CLOCK;
	f->now_us = f->has_clock ? fw_unpack_signed(&r.u) : 0;
	r.u.failed |= flags > FLAGS || basis > FW_CONSENT_BASIS_TOLD;
	f->consent_basis = r.u.failed ? FW_CONSENT_BASIS_GIVEN : (enum fw_consent_basis)basis;
	get_values(&r, names, f);
	f->traits = get_members(&r, &f->n_traits);
	f->event = get_members(&r, &f->n_event);
	if (r.rc == FW_ENOMEM)
		return FW_ENOMEM;
	return r.rc < 0 || r.u.failed || r.u.p != r.u.end ? FW_EINVAL : 0;
}
