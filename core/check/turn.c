/* A visitor whose facts are turned, one by one, into what a box wants. */
#include <math.h>
#include <string.h>

#include "check/needs_own.h"
#include "check/together.h"

bool fw_turn_holds(const struct fw_value *set, const struct fw_value *held)
{
	for (unsigned i = 0; set->state == FW_KNOWN && set->kind == FW_KIND_SET && i < set->n_items; i++) {
		const struct fw_value *x = &set->items[i];
		bool same = x->kind == held->kind && (x->kind == FW_KIND_TEXT ? fw_str_equal(x->folded, held->folded)
			: x->kind == FW_KIND_BOOL ? x->boolean == held->boolean : x->number == held->number);
		if (same)
			return true;
	}
	return false;
}

static bool is_proven(const struct fw_domain *d, const struct fw_facts *f, uint32_t ref)
{
	for (unsigned i = f->n_traits - f->n_claimed; i < f->n_traits; i++)
		if (fw_str_equal(f->traits[i].name, d->set->refs[ref].member))
			return false;
	return true;
}

static struct fw_turn *turn_of(struct fw_turn *turns, uint32_t *n, uint32_t ref, const struct fw_facts *facts, const struct fw_box *box,
	const struct fw_domain *d)
{
	for (uint32_t i = 0; i < *n; i++)
		if (turns[i].ref == ref)
			return &turns[i];
	turns[*n] = (struct fw_turn){ .ref = ref, .box = box, .proof = true, .was = fw_ref_value(&d->set->refs[ref], facts) };
	return &turns[(*n)++];
}

bool fw_turn_find(const struct fw_domain *d, const struct fw_facts *facts, const struct fw_box *box, struct fw_turn *turns, uint32_t *ret_n)
{
	*ret_n = 0;
	for (uint32_t i = 0; i < box->n; i++) {
		const struct fw_limited *l = &box->dims[i];
		const struct fw_dim *dim = &d->dims[l->dim];
		struct fw_turn *t;
		struct fw_value v;
		uint32_t cell;
		switch (dim->kind) {
		case FW_DIM_REF:
			v = fw_ref_value(&d->set->refs[dim->subject], facts);
			if (dim->opaque && v.state == FW_KNOWN)
				break; /* what is asked of it has dimensions of its own */
			if ((cell = fw_cell_of(d, dim, &v)) == FW_NONE)
				return false;
			if (!fw_side_has(l->side, cell))
				turn_of(turns, ret_n, dim->subject, facts, box, d)->proof = false;
			break;
		case FW_DIM_HOLDS:
			v = fw_ref_value(&d->set->refs[dim->subject], facts);
			cell = fw_turn_holds(&v, &dim->held) ? FW_CELL_YES : FW_CELL_NO;
			if (fw_side_has(l->side, cell))
				break;
			t = turn_of(turns, ret_n, dim->subject, facts, box, d);
			t->proof = false;
			t->things++;
			break;
		case FW_DIM_PROVEN:
			if (!is_proven(d, facts, dim->subject))
				turn_of(turns, ret_n, dim->subject, facts, box, d);
			break;
		case FW_DIM_OPAQUE:
			v = fw_ref_value(&d->set->refs[d->set->literals[dim->subject].ref], facts);
			if (!fw_side_has(l->side, (uint32_t)fw_literal_test(&d->set->literals[dim->subject], &v)))
				return false;
			break;
		default:
			break; /* a function is asked when the change is tried out */
		}
	}
	for (uint32_t i = 0; i < *ret_n; i++)
		turns[i].things += turns[i].things == 0;
	return true;
}

/* How far a cell lies from what the fact is; only compared. */
static double distance(const struct fw_cell *c, const struct fw_value *was)
{
	if (c->value.state != FW_KNOWN)
		return INFINITY;
	if (was->state != FW_KNOWN || was->kind != FW_KIND_NUMBER || c->value.kind != FW_KIND_NUMBER)
		return c->value.kind == was->kind ? 0 : 1;
	return c->low > was->number ? c->low - was->number : was->number - c->high;
}

/* The value of the cell that is nearest to what it was. */
static struct fw_value nearest_in(const struct fw_cell *c, const struct fw_value *was)
{
	struct fw_value v = c->value;
	bool numbers = v.state == FW_KNOWN && v.kind == FW_KIND_NUMBER && was->state == FW_KNOWN && was->kind == FW_KIND_NUMBER;
	if (numbers && was->number > c->high && floor(c->high) == c->high && c->value.number == c->low)
		v.number = c->high; /* whole numbers, both bounds included */
	return v;
}

/* What the set becomes: what it was, and what the box wants it to hold or not. */
static bool make_set(const struct fw_domain *d, struct fw_turn *t, struct fw_arena *a)
{
	bool was_set = t->was.state == FW_KNOWN && t->was.kind == FW_KIND_SET;
	unsigned n = was_set ? t->was.n_items : 0;
	struct fw_value *items = FW_NEW_ARRAY(a, n + t->box->n + 1, struct fw_value);
	if (!items)
		return false;
	t->becomes = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_SET, .items = items };
	for (unsigned i = 0; i < n; i++)
		items[t->becomes.n_items++] = t->was.items[i];
	for (uint32_t i = 0; i < t->box->n; i++) {
		const struct fw_limited *l = &t->box->dims[i];
		const struct fw_dim *dim = &d->dims[l->dim];
		if (dim->kind != FW_DIM_HOLDS || dim->subject != t->ref)
			continue;
		bool wants = fw_side_has(l->side, FW_CELL_YES) && !fw_side_has(l->side, FW_CELL_NO);
		bool refuses = !fw_side_has(l->side, FW_CELL_YES);
		if (wants && !fw_turn_holds(&t->becomes, &dim->held))
			items[t->becomes.n_items++] = dim->held;
		for (unsigned k = 0; refuses && k < t->becomes.n_items; k++) {
			const struct fw_value one = { .state = FW_KNOWN, .kind = FW_KIND_SET, .items = &items[k], .n_items = 1 };
			if (fw_turn_holds(&one, &dim->held))
				items[k--] = items[--t->becomes.n_items];
		}
	}
	return true;
}

/* In its place among the nearer and the farther ones. */
static void add_option(const struct fw_dim *dim, struct fw_turn *t, uint32_t cell)
{
	uint32_t at = t->n_options++;
	double far = distance(&dim->cells[cell], &t->was);
	while (at > 0 && distance(&dim->cells[t->options[at - 1]], &t->was) > far) {
		t->options[at] = t->options[at - 1];
		at--;
	}
	t->options[at] = cell;
}

bool fw_turn_list(const struct fw_domain *d, struct fw_turn *t, struct fw_arena *a)
{
	const struct fw_dim *dim = &d->dims[t->ref];
	fw_side side = fw_box_side(t->box, t->ref);
	side = side ? side : dim->all;
	t->options = FW_NEW_ARRAY(a, dim->n, uint32_t);
	t->fine = FW_NEW_ARRAY(a, dim->n, bool);
	t->becomes = t->was;
	if (!t->options || !t->fine || t->proof)
		return t->proof;
	bool was_set = t->was.state == FW_KNOWN && t->was.kind == FW_KIND_SET;
	for (uint32_t i = FW_CELL_ABSENT; i < dim->n && !(was_set && fw_side_has(side, FW_CELL_SET)); i++)
		if (i != FW_CELL_SEVERAL && i != FW_CELL_SET && fw_side_has(side, i) && dim->cells[i].shown)
			add_option(dim, t, i);
	if (t->n_options == 0 && fw_side_has(side, FW_CELL_SET))
		t->options[t->n_options++] = FW_CELL_SET;
	return t->n_options > 0;
}

bool fw_turn_set(const struct fw_domain *d, struct fw_turn *t, uint32_t option, struct fw_arena *a)
{
	t->option = option;
	if (t->proof)
		return true;
	if (t->options[option] == FW_CELL_SET)
		return make_set(d, t, a);
	t->becomes = nearest_in(&d->dims[t->ref].cells[t->options[option]], &t->was);
	return true;
}

/* The cell of a fact that the box names, turned or not; FW_NONE: nothing is known of it that could fail to go with others. */
static uint32_t cell_now(const struct fw_domain *d, const struct fw_facts *facts, uint32_t dim, const struct fw_turn *turns, uint32_t n)
{
	struct fw_value v;
	uint32_t cell;
	for (uint32_t i = 0; i < n; i++)
		if (turns[i].ref == dim && !turns[i].proof)
			return turns[i].options[turns[i].option] < FW_CELL_VALUES ? FW_NONE : turns[i].options[turns[i].option];
	v = fw_ref_value(&d->set->refs[dim], facts);
	cell = fw_cell_of(d, &d->dims[dim], &v);
	return cell != FW_NONE && cell < FW_CELL_VALUES ? FW_NONE : cell;
}

bool fw_turns_go(const struct fw_domain *d, const struct fw_facts *facts, const struct fw_box *box, const struct fw_turn *turns, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < box->n; k++) {
			uint32_t dim = box->dims[k].dim;
			if (d->dims[dim].kind != FW_DIM_REF || dim == turns[i].ref || d->dims[dim].opaque || d->dims[turns[i].ref].opaque)
				continue;
			uint32_t own = cell_now(d, facts, turns[i].ref, turns, n), other = cell_now(d, facts, dim, turns, n);
			if (own != FW_NONE && other != FW_NONE && !fw_go_together(d, turns[i].ref, own, dim, other))
				return false;
		}
	return true;
}

/* A family without the member; whether it was among those that nobody has proven. */
static bool without(struct fw_member **list, unsigned *n, struct fw_str name, unsigned n_claimed, struct fw_arena *a, bool *ret_claimed)
{
	struct fw_member *less = FW_NEW_ARRAY(a, *n + 1, struct fw_member);
	unsigned kept = 0;
	*ret_claimed = false;
	if (!less)
		return false;
	for (unsigned i = 0; i < *n; i++) {
		bool same = fw_str_equal((*list)[i].name, name);
		*ret_claimed |= same && i >= *n - n_claimed;
		if (!same)
			less[1 + kept++] = (*list)[i]; /* the first place is for a new one */
	}
	*list = less + 1;
	*n = kept;
	return true;
}

static bool turn_member(const struct fw_ref *ref, const struct fw_value *v, struct fw_facts *f, struct fw_arena *a)
{
	struct fw_member **list = ref->fact == FW_FACT_TRAIT ? &f->traits : ref->fact == FW_FACT_EVENT ? &f->event : &f->engagement;
	unsigned *n = ref->fact == FW_FACT_TRAIT ? &f->n_traits : ref->fact == FW_FACT_EVENT ? &f->n_event : &f->n_engagement;
	unsigned claimed = ref->fact == FW_FACT_TRAIT ? f->n_claimed : 0;
	bool was_claimed;
	if (!without(list, n, ref->member, claimed, a, &was_claimed))
		return false;
	if (was_claimed)
		f->n_claimed--;
	if (v->state == FW_KNOWN) {
		--*list;
		(*list)[0] = (struct fw_member){ ref->member, *v };
		++*n;
	}
	return true;
}

/* A count, and all that count it, too, with as many more. What the set asks of the same thing is written down beside it. */
static bool turn_count(const struct fw_domain *d, const struct fw_turn *t, struct fw_facts *f, struct fw_arena *a)
{
	const struct fw_ruleset *s = d->set;
	const struct fw_ref *ref = &s->refs[t->ref];
	double more = t->becomes.number - (t->was.state == FW_KNOWN ? t->was.number : 0);
	struct fw_answer *answers = FW_NEW_ARRAY(a, s->n_refs + f->n_answers + 1, struct fw_answer);
	unsigned n = 0;
	if (!answers)
		return false;
	for (int ever = 0; ever < 2; ever++) /* an answer without a window would answer for every window: those come last */
		for (uint32_t i = 0; i < s->n_refs; i++) {
			const struct fw_ref *r = &s->refs[i];
			if (r->fact != ref->fact || (r->query.within_s == 0) != ever)
				continue;
			struct fw_value v = i == t->ref ? t->becomes : fw_ref_value(r, f);
			for (uint32_t k = 0; k < d->dims[t->ref].n_most && i != t->ref; k++)
				if (d->dims[t->ref].most[k] == i && v.state == FW_KNOWN && more > 0)
					v.number += more;
			if (v.state == FW_KNOWN)
				answers[n++] = (struct fw_answer){ r->query, v.number };
		}
	for (unsigned i = 0; i < f->n_answers; i++)
		answers[n++] = f->answers[i];
	f->answers = answers;
	f->n_answers = n;
	return true;
}

/* What a product is said to be, before what was said of it until then. */
static bool turn_product(const struct fw_ref *ref, const struct fw_value *v, struct fw_facts *f, struct fw_arena *a)
{
	struct fw_product_answer *answers = FW_NEW_ARRAY(a, f->n_product_answers + 1, struct fw_product_answer);
	if (!answers)
		return false;
	answers[0] = (struct fw_product_answer){ ref->query, *v };
	if (f->n_product_answers)
		memcpy(answers + 1, f->product_answers, f->n_product_answers * sizeof *answers);
	f->product_answers = answers;
	f->n_product_answers++;
	return true;
}

bool fw_turn_apply(const struct fw_domain *d, const struct fw_turn *t, struct fw_facts *f, struct fw_arena *a)
{
	const struct fw_ref *ref = &d->set->refs[t->ref];
	if (ref->fact == FW_FACT_TRAIT || ref->fact == FW_FACT_EVENT || ref->fact == FW_FACT_ENGAGEMENT)
		return turn_member(ref, &t->becomes, f, a);
	if (ref->fact < FW_FACT_SINGLE) {
		f->single[ref->fact] = t->becomes;
		return true;
	}
	if (fw_fact_is_of_product(ref->fact))
		return turn_product(ref, &t->becomes, f, a);
	return t->becomes.state == FW_KNOWN && turn_count(d, t, f, a);
}
