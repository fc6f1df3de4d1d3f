#include "rules/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"

/* A disjunction of conjunctions while it is being made: conjunctions are runs of terms. */
struct dnf {
	struct fw_term *terms;
	uint32_t n_terms, size;
	uint32_t ends[FW_LIMIT_ROWS_PER_RULE]; /* where each conjunction ends in terms */
	uint32_t n;
	bool loose; /* something was left out: necessary, not sufficient */
	bool no_memory;
};

struct fw_literal fw_term_literal(const struct fw_ruleset *set, struct fw_term t)
{
	struct fw_literal l = set->literals[t.literal];
	if (!t.negated)
		return l;
	if (l.op == FW_OP_KNOWN || l.op == FW_OP_UNKNOWN)
		l.op = l.op == FW_OP_KNOWN ? FW_OP_UNKNOWN : FW_OP_KNOWN;
	else
		l.negated = !l.negated;
	return l;
}

static void add_terms(struct dnf *d, const struct fw_term *terms, uint32_t n)
{
	if (d->n_terms + n > d->size) {
		uint32_t size = (d->n_terms + n) * 2;
		struct fw_term *more = realloc(d->terms, size * sizeof *more);
		if (!more) {
			d->no_memory = true;
			return;
		}
		d->terms = more;
		d->size = size;
	}
	if (n)
		memcpy(d->terms + d->n_terms, terms, n * sizeof *terms);
	d->n_terms += n;
}

static void end_conjunction(struct dnf *d)
{
	d->ends[d->n++] = d->n_terms;
}

static uint32_t begin_of(const struct dnf *d, uint32_t i)
{
	return i ? d->ends[i - 1] : 0;
}

/* True, whatever the visitor: one conjunction without terms. */
static void make_true(struct dnf *d)
{
	d->n_terms = 0;
	d->n = 0;
	end_conjunction(d);
}

static void make(const struct fw_ruleset *set, uint32_t node, bool negated, struct dnf *d);

/* d := d and e. Where the product is too large, e is left out. */
static void conjoin(struct dnf *d, const struct dnf *e)
{
	d->loose |= e->loose;
	if ((uint64_t)d->n * e->n > FW_LIMIT_ROWS_PER_RULE) {
		d->loose = true;
		return;
	}
	struct dnf product = { .loose = d->loose };
	for (uint32_t i = 0; i < d->n; i++)
		for (uint32_t k = 0; k < e->n; k++) {
			add_terms(&product, d->terms + begin_of(d, i), d->ends[i] - begin_of(d, i));
			add_terms(&product, e->terms + begin_of(e, k), e->ends[k] - begin_of(e, k));
			end_conjunction(&product);
		}
	product.no_memory |= d->no_memory || e->no_memory;
	free(d->terms);
	*d = product;
}

/* d := d or e. Where there are too many, nothing is known any more. */
static void disjoin(struct dnf *d, const struct dnf *e)
{
	d->loose |= e->loose;
	d->no_memory |= e->no_memory;
	if (d->n + e->n > FW_LIMIT_ROWS_PER_RULE) {
		d->loose = true;
		make_true(d);
		return;
	}
	for (uint32_t k = 0; k < e->n; k++) {
		add_terms(d, e->terms + begin_of(e, k), e->ends[k] - begin_of(e, k));
		end_conjunction(d);
	}
}

static void make_group(const struct fw_ruleset *set, const struct fw_node *n, bool negated, struct dnf *d)
{
	bool all = (n->kind == FW_NODE_ALL) != negated; /* De Morgan holds in three values as well */
	if (all)
		make_true(d);
	for (uint32_t i = 0; i < n->n; i++) {
		struct dnf part = { 0 };
		make(set, set->children[n->first + i], negated, &part);
		if (all)
			conjoin(d, &part);
		else
			disjoin(d, &part);
		free(part.terms);
	}
}

static void make_literal(const struct fw_ruleset *set, uint32_t literal, bool negated, struct dnf *d)
{
	const struct fw_ref *ref = &set->refs[set->literals[literal].ref];
	if (ref->fact == FW_FACT_SEGMENT) {
		make(set, set->segments[ref->segment].when, negated, d);
		return;
	}
	struct fw_term t = { literal, negated };
	add_terms(d, &t, 1);
	end_conjunction(d);
}

static void make(const struct fw_ruleset *set, uint32_t number, bool negated, struct dnf *d)
{
	if (number == FW_NONE) {
		make_true(d);
		return;
	}
	const struct fw_node *n = &set->nodes[number];
	switch (n->kind) {
	case FW_NODE_LITERAL: make_literal(set, n->first, negated, d); break;
	case FW_NODE_NOT: make(set, set->children[n->first], !negated, d); break;
	case FW_NODE_FUNCTION: make_true(d); d->loose = true; break;
	default: make_group(set, n, negated, d); break;
	}
}

static int add_row(struct fw_rows *r, struct fw_row row)
{
	if (r->n_rows == r->rows_size) {
		uint32_t size = r->rows_size ? r->rows_size * 2 : 256;
		struct fw_row *more = realloc(r->rows, size * sizeof *more);
		if (!more)
			return FW_ENOMEM;
		r->rows = more;
		r->rows_size = size;
	}
	r->rows[r->n_rows++] = row;
	return 0;
}

static int add_rule(const struct fw_ruleset *set, struct fw_rows *r, uint32_t rule)
{
	struct dnf d = { 0 };
	make(set, set->rules[rule].when, false, &d);
	int ret = d.no_memory ? FW_ENOMEM : 0;
	if (ret == 0 && r->n_terms + d.n_terms > r->terms_size) {
		uint32_t size = (r->n_terms + d.n_terms) * 2;
		struct fw_term *more = realloc(r->terms, size * sizeof *more);
		if (more) {
			r->terms = more;
			r->terms_size = size;
		} else {
			ret = FW_ENOMEM;
		}
	}
	for (uint32_t i = 0; i < d.n && ret == 0; i++)
		ret = add_row(r, (struct fw_row){ rule, r->n_terms + begin_of(&d, i), d.ends[i] - begin_of(&d, i), d.loose });
	if (ret == 0 && d.n_terms) {
		memcpy(r->terms + r->n_terms, d.terms, d.n_terms * sizeof *d.terms);
		r->n_terms += d.n_terms;
	}
	free(d.terms);
	return ret;
}

int fw_rows_make(const struct fw_ruleset *set, struct fw_rows *ret)
{
	struct fw_rows r = { 0 };
	int code = 0;
	r.slot_first = calloc(set->n_slots + 1, sizeof *r.slot_first);
	if (!r.slot_first)
		return FW_ENOMEM;
	for (uint32_t s = 0; s < set->n_slots && code == 0; s++) {
		const struct fw_slot *slot = &set->slots[s];
		r.slot_first[s] = r.n_rows;
		for (uint32_t i = 0; i < slot->n_ranked && code == 0; i++)
			code = add_rule(set, &r, set->ranked[slot->first_ranked + i]);
	}
	if (code < 0) {
		fw_rows_finish(&r);
		return code;
	}
	r.slot_first[set->n_slots] = r.n_rows;
	*ret = r;
	return 0;
}

void fw_rows_finish(struct fw_rows *r)
{
	free(r->rows);
	free(r->terms);
	free(r->slot_first);
	*r = (struct fw_rows){ 0 };
}
