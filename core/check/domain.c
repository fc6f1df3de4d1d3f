#include "check/domain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

#define DAY_US INT64_C(86400000000)

static uint32_t add_dim(struct fw_domain *d, enum fw_dim_kind kind, uint32_t subject)
{
	if (d->n == d->size) {
		uint32_t size = d->size ? d->size * 2 : 64;
		struct fw_dim *more = FW_NEW_ARRAY(d->arena, size, struct fw_dim);
		if (!more) {
			d->no_memory = true;
			return FW_NONE;
		}
		if (d->n)
			memcpy(more, d->dims, d->n * sizeof *more);
		d->dims = more;
		d->size = size;
	}
	d->dims[d->n] = (struct fw_dim){ .kind = kind, .subject = subject, .other = FW_NONE };
	return d->n++;
}

uint64_t *fw_domain_side_new(struct fw_domain *d, uint32_t dim)
{
	uint64_t *side = FW_NEW_ARRAY(d->arena, d->dims[dim].words, uint64_t);
	d->no_memory |= !side;
	return side;
}

/* All cells, for a dimension that has no more than a word. */
static void all_of(struct fw_domain *d, struct fw_dim *dim, uint32_t n)
{
	uint64_t *all = FW_NEW_ARRAY(d->arena, (n + 63) / 64 + !n, uint64_t);
	d->no_memory |= !all;
	dim->n = n;
	dim->words = (n + 63) / 64 + !n;
	for (uint32_t i = 0; all && i < n; i++)
		fw_side_add(all, i);
	dim->all = all;
}

fw_side fw_domain_one(struct fw_domain *d, uint32_t dim, uint32_t cell)
{
	uint64_t *side = fw_domain_side_new(d, dim);
	if (side)
		fw_side_add(side, cell);
	return side;
}

bool fw_domain_may_be_set(const struct fw_domain *d, uint32_t ref)
{
	enum fw_type type = fw_fact_info(d->set->refs[ref].fact)->type;
	return type == FW_TYPE_SET || type == FW_TYPE_ANY;
}

bool fw_domain_may_be_several(const struct fw_domain *d, uint32_t dim)
{
	const struct fw_dim *x = &d->dims[dim];
	if (x->kind != FW_DIM_REF)
		return false;
	enum fw_fact fact = d->set->refs[x->subject].fact;
	return fact == FW_FACT_HOUR || fact == FW_FACT_WEEKDAY || fact == FW_FACT_DATE;
}

struct fw_cell *fw_domain_cell(struct fw_domain *d, struct fw_dim *dim)
{
	if ((dim->n & (dim->n - 1)) == 0) {
		struct fw_cell *more = FW_NEW_ARRAY(d->arena, dim->n ? dim->n * 2 : 1, struct fw_cell);
		if (!more) {
			d->no_memory = true;
			return NULL;
		}
		if (dim->n)
			memcpy(more, dim->cells, dim->n * sizeof *more);
		dim->cells = more;
	}
	struct fw_cell *c = &dim->cells[dim->n++];
	*c = (struct fw_cell){ .low = -INFINITY, .high = INFINITY };
	return c;
}

static int add_bools(struct fw_domain *d, struct fw_dim *dim)
{
	for (int b = 0; b < 2; b++) {
		struct fw_cell *c = fw_domain_cell(d, dim);
		if (!c)
			return FW_ENOMEM;
		c->value = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_BOOL, .boolean = b };
		c->shown = true;
	}
	return 0;
}

static bool is_pattern(enum fw_op op)
{
	return op == FW_OP_STARTS || op == FW_OP_ENDS || op == FW_OP_CONTAINS;
}

/* Some value, nothing more: what literals say of it has dimensions of its own. */
int fw_domain_give_up(struct fw_domain *d, struct fw_dim *dim)
{
	struct fw_cell *c = fw_domain_cell(d, dim);
	dim->opaque = true;
	if (!c)
		return FW_ENOMEM;
	c->value.state = FW_KNOWN;
	c->made = true;
	return 0;
}

/* A trait or an event's property is read as whoever asks wants it: text and number at once is told apart where no pattern asks. */
static int add_values(struct fw_domain *d, struct fw_dim *dim, const struct fw_asked *asked)
{
	enum fw_type type = fw_fact_info(d->set->refs[dim->subject].fact)->type;
	bool patterns = false, numbers = false;
	uint32_t named = 0;
	for (uint32_t i = 0; i < asked->n; i++) {
		const struct fw_literal *l = &d->set->literals[asked->literals[i]];
		patterns |= is_pattern(l->op);
		numbers |= l->op == FW_OP_RANGE || (l->as == FW_AS_NUMBER && l->n);
		named += l->n + (l->op == FW_OP_RANGE);
	}
	bool language = type == FW_TYPE_LANGUAGE;
	if (named > FW_LIMIT_CHECK_CELLS || (language && patterns) || (type == FW_TYPE_ANY && patterns && numbers))
		return fw_domain_give_up(d, dim);
	int ret = 0;
	if (type == FW_TYPE_BOOL || type == FW_TYPE_ANY)
		ret = add_bools(d, dim);
	if (ret == 0 && (type == FW_TYPE_TEXT || language || type == FW_TYPE_ANY))
		ret = fw_cells_text(d, dim, asked);
	if (ret == 0 && type != FW_TYPE_TEXT && !language && type != FW_TYPE_BOOL && type != FW_TYPE_SET)
		ret = fw_cells_number(d, dim, asked);
	return ret;
}

static int make_ref(struct fw_domain *d, uint32_t ref, const struct fw_asked *asked)
{
	struct fw_dim *dim = &d->dims[ref];
	enum fw_fact fact = d->set->refs[ref].fact;
	if (fact == FW_FACT_SEGMENT) {
		all_of(d, dim, 1);
		return d->no_memory ? FW_ENOMEM : 0;
	}
	for (int i = 0; i < FW_CELL_VALUES; i++)
		if (!fw_domain_cell(d, dim))
			return FW_ENOMEM;
	dim->cells[FW_CELL_OUT].value.state = FW_OUT_OF_REACH;
	dim->cells[FW_CELL_SET].value = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_SET };
	dim->cells[FW_CELL_ABSENT].shown = dim->cells[FW_CELL_SET].shown = true;
	int ret = add_values(d, dim, asked);
	if (ret < 0)
		return ret;
	all_of(d, dim, dim->n);
	if (d->no_memory)
		return FW_ENOMEM;
	uint64_t *all = (uint64_t *)dim->all;
	for (uint32_t i = FW_CELL_VALUES; fact == FW_FACT_DATE && i < dim->n; i++)
		if (d->now_us != INT64_MIN && dim->cells[i].high < (double)(d->now_us / DAY_US) - 1)
			fw_side_drop(all, i); /* over for everybody, in every zone */
	fw_side_drop(all, FW_CELL_SEVERAL);
	if (!fw_domain_may_be_set(d, ref))
		fw_side_drop(all, FW_CELL_SET);
	bool from_profile = fw_fact_from_profile(fact);
#ifdef FW_BREAK_CHECK_REACH
	from_profile = false;
#endif
	if (!from_profile)
		fw_side_drop(all, FW_CELL_OUT);
	return 0;
}

/* The literals that ask for each ref, one behind the other. */
static int make_refs(struct fw_domain *d)
{
	const struct fw_ruleset *s = d->set;
	uint32_t *first = FW_NEW_ARRAY(d->arena, s->n_refs + 2, uint32_t);
	uint32_t *literals = FW_NEW_ARRAY(d->arena, s->n_literals, uint32_t);
	if (!first || !literals)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < s->n_literals; i++)
		first[s->literals[i].ref + 2]++;
	for (uint32_t i = 2; i < s->n_refs + 2; i++)
		first[i] += first[i - 1];
	for (uint32_t i = 0; i < s->n_literals; i++)
		literals[first[s->literals[i].ref + 1]++] = i;
	for (uint32_t i = 0; i < s->n_refs; i++) {
		struct fw_asked asked = { literals + first[i], first[i + 1] - first[i] };
		int ret = make_ref(d, i, &asked);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* What is counted in a window is counted in every longer one, and what is counted by a category is counted in all. */
static bool never_more(const struct fw_ref *a, const struct fw_ref *b)
{
	const struct fw_query *x = &a->query, *y = &b->query;
	if (a->fact != b->fact || a == b || a->fact < FW_FACT_VIEWED || a->fact > FW_FACT_OPENED)
		return false;
	bool key = y->key_kind == FW_KEY_NONE || (x->key_kind == y->key_kind && fw_str_equal(x->key, y->key));
	return key && (y->within_s == 0 || (x->within_s && x->within_s <= y->within_s));
}

static int relate_counts(struct fw_domain *d)
{
	const struct fw_ruleset *s = d->set;
	uint32_t n = 0, *counts = FW_NEW_ARRAY(d->arena, s->n_refs, uint32_t);
	if (!counts)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < s->n_refs; i++)
		if (s->refs[i].fact >= FW_FACT_VIEWED && s->refs[i].fact <= FW_FACT_OPENED)
			counts[n++] = i;
	if (n > FW_LIMIT_CHECK_COUNTS)
		return 0; /* taken as if they had nothing to do with one another */
	for (uint32_t i = 0; i < n; i++) {
		uint32_t m = 0, *most = FW_NEW_ARRAY(d->arena, n, uint32_t);
		if (!most)
			return FW_ENOMEM;
		for (uint32_t k = 0; k < n; k++)
			if (never_more(&s->refs[counts[i]], &s->refs[counts[k]]))
				most[m++] = counts[k];
		d->dims[counts[i]].most = most;
		d->dims[counts[i]].n_most = m;
	}
	return 0;
}

static int compare_moments(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
	return (a > b) - (a < b);
}

static int make_clock(struct fw_domain *d)
{
	const struct fw_ruleset *s = d->set;
	uint32_t n = 0, kept = 0;
	int64_t *moments = FW_NEW_ARRAY(d->arena, 2 * s->n_rules + 1, int64_t);
	d->clock = add_dim(d, FW_DIM_CLOCK, 0);
	if (!moments || d->clock == FW_NONE)
		return FW_ENOMEM;
	moments[n++] = d->now_us;
	for (uint32_t i = 0; i < s->n_rules; i++) {
		if (s->rules[i].starts_us > d->now_us)
			moments[n++] = s->rules[i].starts_us;
		if (s->rules[i].ends_us > d->now_us && s->rules[i].ends_us != INT64_MAX)
			moments[n++] = s->rules[i].ends_us;
	}
	qsort(moments, n, sizeof *moments, compare_moments);
	for (uint32_t i = 0; i < n; i++)
		if (!kept || moments[kept - 1] != moments[i])
			moments[kept++] = moments[i];
	d->moments = moments;
	all_of(d, &d->dims[d->clock], kept);
	return d->no_memory ? FW_ENOMEM : 0;
}

fw_side fw_domain_between(struct fw_domain *d, int64_t from_us, int64_t until_us)
{
	uint64_t *side = fw_domain_side_new(d, d->clock);
	for (uint32_t i = 0; side && i < d->dims[d->clock].n; i++)
		if (d->moments[i] >= from_us && d->moments[i] < until_us)
			fw_side_add(side, i);
	return side;
}

static void fill_none(uint32_t *list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		list[i] = FW_NONE;
}

int fw_domain_init(struct fw_domain *d, const struct fw_ruleset *set, int64_t now_us, struct fw_arena *arena)
{
	*d = (struct fw_domain){ .set = set, .arena = arena, .now_us = now_us };
	fw_map_init(&d->holds, arena);
	d->proven = FW_NEW_ARRAY(arena, set->n_refs, uint32_t);
	d->opaque = FW_NEW_ARRAY(arena, set->n_literals, uint32_t);
	d->sides[0] = FW_NEW_ARRAY(arena, set->n_literals, fw_side);
	d->sides[1] = FW_NEW_ARRAY(arena, set->n_literals, fw_side);
	if (!d->proven || !d->opaque || !d->sides[0] || !d->sides[1])
		return FW_ENOMEM;
	fill_none(d->proven, set->n_refs);
	fill_none(d->opaque, set->n_literals);
	for (uint32_t i = 0; i < set->n_refs; i++)
		if (add_dim(d, FW_DIM_REF, i) == FW_NONE)
			return FW_ENOMEM;
	d->first_function = d->n;
	for (uint32_t i = 0; i < 2 * set->n_functions; i++) { /* asked by a rule, asked by a guard */
		uint32_t dim = add_dim(d, FW_DIM_FUNCTION, i % set->n_functions);
		if (dim == FW_NONE)
			return FW_ENOMEM;
		all_of(d, &d->dims[dim], FW_TRUE + 1);
	}
	for (uint32_t i = 0; i < set->n_refs; i++)
		if (fw_domain_may_be_several(d, i))
			d->several[d->n_several++] = i;
	if (make_refs(d) < 0 || relate_counts(d) < 0 || make_clock(d) < 0)
		return FW_ENOMEM;
	return d->no_memory ? FW_ENOMEM : 0;
}

uint32_t fw_domain_proven(struct fw_domain *d, uint32_t ref)
{
	if (d->proven[ref] == FW_NONE && (d->proven[ref] = add_dim(d, FW_DIM_PROVEN, ref)) != FW_NONE)
		all_of(d, &d->dims[d->proven[ref]], 2);
	return d->proven[ref];
}

uint32_t fw_domain_opaque(struct fw_domain *d, uint32_t literal)
{
	if (d->opaque[literal] == FW_NONE && (d->opaque[literal] = add_dim(d, FW_DIM_OPAQUE, literal)) != FW_NONE)
		all_of(d, &d->dims[d->opaque[literal]], FW_TRUE + 1);
	return d->opaque[literal];
}

uint32_t fw_domain_holds(struct fw_domain *d, uint32_t literal, uint32_t i)
{
	const struct fw_literal *l = &d->set->literals[literal];
	char number[64];
	struct fw_buf key;
	bool text = l->as == FW_AS_TEXT || l->as == FW_AS_LANGUAGE;
	fw_buf_init(&key, 0);
	fw_buf_printf(&key, "%u|%d|", l->ref, (int)l->as);
	if (text)
		fw_buf_add(&key, l->texts[i].p, l->texts[i].n);
	else
		fw_buf_add(&key, number, fw_number_text(l->numbers[i], number));
	struct fw_str name = { key.data, key.n };
	uint32_t dim = key.failed ? FW_NONE : fw_map_get(&d->holds, name);
	if (!key.failed && dim == FW_MAP_NONE && (dim = add_dim(d, FW_DIM_HOLDS, l->ref)) != FW_NONE) {
		struct fw_value held = { .state = FW_KNOWN, .kind = l->as == FW_AS_BOOL ? FW_KIND_BOOL : FW_KIND_NUMBER };
		if (text)
			held = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_TEXT, .text = l->written[i], .folded = l->texts[i] };
		else
			held.boolean = (held.number = l->numbers[i]) != 0;
		all_of(d, &d->dims[dim], 2);
		d->dims[dim].held = held;
		d->no_memory |= fw_map_put(&d->holds, name, dim) < 0;
	}
	d->no_memory |= key.failed;
	fw_buf_finish(&key);
	return dim;
}

uint32_t fw_cell_of(const struct fw_domain *d, const struct fw_dim *dim, const struct fw_value *v)
{
	double number;
	if (v->state == FW_OUT_OF_REACH)
		return FW_CELL_OUT;
	if (v->state == FW_ABSENT)
		return FW_CELL_ABSENT;
	if (v->kind == FW_KIND_SET)
		return FW_CELL_SET;
	if (v->n_several > 1)
		return FW_CELL_SEVERAL;
	if (v->kind == FW_KIND_TEXT && fw_number_parse(v->text, &number))
		return FW_NONE; /* told as text, it may be read as either */
	if (v->kind == FW_KIND_TEXT)
		return fw_cells_text_of(d, dim, v->folded);
	for (uint32_t i = FW_CELL_VALUES; i < dim->n; i++) {
		const struct fw_cell *c = &dim->cells[i];
		if (c->value.kind != v->kind)
			continue;
		if (v->kind == FW_KIND_BOOL ? c->value.boolean == v->boolean : v->number == c->value.number ||
				(c->low < c->high && v->number > c->low && v->number < c->high) ||
				(c->value.number == c->low && v->number >= c->low && v->number <= c->high && v->number == floor(v->number)))
			return i;
	}
	return FW_NONE;
}

static enum fw_truth pattern_truth(const struct fw_domain *d, const struct fw_dim *dim, const struct fw_cell *c, uint32_t literal)
{
	const struct fw_literal *l = &d->set->literals[literal];
	bool matches = false;
	if (l->op == FW_OP_KNOWN || l->op == FW_OP_UNKNOWN)
		return fw_literal_test(l, &c->value);
	if (l->as == FW_AS_BOOL || l->as == FW_AS_NUMBER)
		return FW_UNKNOWN; /* a text that is no number */
	for (uint32_t i = 0; i < dim->n_patterns; i++) {
		const struct fw_literal *p = &d->set->literals[dim->patterns[i]];
		if (p->op == l->op && p->n == 1 && l->n == 1 && fw_str_equal(p->texts[0], l->texts[0]))
			matches = c->matches >> i & 1;
	}
	return matches != l->negated ? FW_TRUE : FW_FALSE; /* it is none of the texts that are named */
}

static bool is_text_of(const struct fw_literal *l)
{
	return l->op == FW_OP_ONE_OF && l->as == FW_AS_TEXT;
}

/* Of a list of texts, where a map knows the cell of each. */
static void fill_listed(struct fw_domain *d, const struct fw_dim *dim, const struct fw_literal *l, bool when_true, uint64_t *side)
{
	uint64_t *named = fw_domain_side_new(d, l->ref);
	for (uint32_t i = 0; named && i < l->n; i++) {
		uint32_t cell = fw_map_get(&dim->values, l->texts[i]);
		if (cell != FW_MAP_NONE)
			fw_side_add(named, cell);
	}
	for (uint32_t w = 0; named && w < dim->words; w++)
		side[w] = when_true != l->negated ? named[w] : dim->all[w] & ~named[w];
	fw_side_drop(side, FW_CELL_OUT);
	fw_side_drop(side, FW_CELL_ABSENT);
}

fw_side fw_domain_side(struct fw_domain *d, uint32_t literal, bool when_true)
{
	const struct fw_literal *l = &d->set->literals[literal];
	const struct fw_dim *dim = &d->dims[l->ref];
	if (d->sides[when_true][literal])
		return d->sides[when_true][literal];
	uint64_t *side = fw_domain_side_new(d, l->ref);
	if (!side)
		return NULL;
	bool presence = l->op == FW_OP_KNOWN || l->op == FW_OP_UNKNOWN;
	if (dim->listed && is_text_of(l)) {
		fill_listed(d, dim, l, when_true, side);
	} else {
		for (uint32_t i = 0; i < dim->n; i++) {
			const struct fw_cell *c = &dim->cells[i];
			if (!fw_side_has(dim->all, i) || (i == FW_CELL_SET && !presence))
				continue;
			enum fw_truth t = c->made ? pattern_truth(d, dim, c, literal) : fw_literal_test(l, &c->value);
			if (t == (when_true ? FW_TRUE : FW_FALSE))
				fw_side_add(side, i);
		}
	}
	d->sides[when_true][literal] = side;
	return side;
}
