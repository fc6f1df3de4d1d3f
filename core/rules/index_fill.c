#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "rules/column.h"

static void clear_row(struct fw_making *m, uint64_t *bits, uint32_t id, uint32_t row)
{
	uint32_t at = m->position[row];
	bits[(size_t)id * m->index->words + at / 64] &= ~((uint64_t)1 << (at % 64));
}

/* A value that stands for an interval of a RANGE column. */
static double sample(const struct fw_source_of *s, uint32_t id)
{
	uint32_t k = id - FW_ID_FIRST;
	if (k)
		return s->points[k - 1];
	return s->n_points ? nextafter(s->points[0], -INFINITY) : 0;
}

/* Which of the column's numbers the literal is true for. */
static void allow(const struct fw_source_of *s, const struct fw_atom *atom, const struct fw_literal *l, uint32_t n_ids, uint8_t *allowed)
{
	allowed[FW_ID_OUT_OF_REACH] = 0;
	allowed[FW_ID_ABSENT] &= l->op == FW_OP_UNKNOWN;
	for (uint32_t id = FW_ID_FIRST; id < n_ids; id++) {
		struct fw_value v = { .state = FW_KNOWN, .kind = FW_KIND_NUMBER };
		bool yes;
		if (s->kind == FW_COLUMN_ATOMS) {
			yes = ((id - FW_ID_FIRST) >> atom->bit & 1) != l->negated;
		} else if (s->kind == FW_COLUMN_DICT) {
			yes = l->negated;
		} else if (s->kind == FW_COLUMN_STATE) {
			yes = l->op == FW_OP_KNOWN;
		} else if (s->kind == FW_COLUMN_BOOL) {
			v.kind = FW_KIND_BOOL;
			v.boolean = id == FW_ID_FIRST + 1;
			yes = fw_literal_test(l, &v) == FW_TRUE;
		} else {
			v.number = sample(s, id);
			yes = fw_literal_test(l, &v) == FW_TRUE;
		}
		allowed[id] &= yes;
	}
}

/* In a dictionary only the literal's own values differ from all others. */
static void allow_values(const struct fw_source_of *s, const struct fw_literal *l, uint32_t n_ids, uint8_t *allowed)
{
	uint8_t own[FW_ID_FIRST];
	memcpy(own, allowed, sizeof own);
	for (uint32_t id = FW_ID_FIRST; id < n_ids; id++)
		allowed[id] = (uint8_t)(l->negated ? allowed[id] : allowed[id] << 1); /* 2: was allowed, not yet named */
	for (uint32_t i = 0; i < l->n; i++) {
		const struct fw_atom *a = &s->atoms[fw_map_get(&s->values, l->texts[i])];
		if (a->column != FW_NONE)
			allowed[a->bit] = !l->negated && allowed[a->bit]; /* it may be named twice */
	}
	for (uint32_t id = FW_ID_FIRST; id < n_ids; id++)
		allowed[id] &= 1;
	allowed[FW_ID_OUT_OF_REACH] = allowed[FW_ID_ABSENT] = 0;
}

static void fill_row(struct fw_making *m, uint32_t row, uint8_t *allowed)
{
	struct fw_index *x = m->index;
	const struct fw_row *r = &m->rows.rows[row];
	for (uint32_t t = r->first; t < r->first + r->n; t++) {
		const struct fw_source_of *s = &x->sources[m->term_source[t]];
		const struct fw_atom *atom = m->term_atom[t] == FW_NONE ? NULL : &s->atoms[m->term_atom[t]];
		uint32_t column = atom ? atom->column : s->column;
		if (column == FW_NONE)
			continue;
		struct fw_column *c = &x->columns[column];
		struct fw_literal l = fw_term_literal(m->set, m->rows.terms[t]);
		uint32_t refused = 0;
		memset(allowed, 1, c->n_ids);
		if (s->kind == FW_COLUMN_DICT)
			allow_values(s, &l, c->n_ids, allowed);
		else
			allow(s, atom, &l, c->n_ids, allowed);
		for (uint32_t id = 0; id < c->n_ids; id++)
			if (!allowed[id]) {
				clear_row(m, x->bits + (c->bits - x->bits), id, row);
				refused++;
			}
		c->rules_out += (double)refused / c->n_ids;
	}
}

static int by_rules_out(const void *x, const void *y)
{
	const struct fw_column *a = *(struct fw_column *const *)x, *b = *(struct fw_column *const *)y;
	if (a->rules_out != b->rules_out)
		return a->rules_out > b->rules_out ? -1 : 1;
	return (a > b) - (a < b);
}

/* Columns that rule out most come first, so that a block without a match is left early. The set of rows that may come
 * from bit sets at all need not be read where the first column's sets know it. */
static void place_columns(struct fw_index *x)
{
	struct fw_column *order[FW_MOST_COLUMNS];
	for (uint32_t i = 0; i < x->n_columns; i++)
		order[i] = &x->columns[i];
	qsort(order, x->n_columns, sizeof *order, by_rules_out);
	for (uint32_t i = 0; i < x->n_columns; i++)
		order[i]->place = i;
	for (uint32_t id = 0; x->n_columns && id < order[0]->n_ids; id++) {
		uint64_t *bits = x->bits + (order[0]->bits - x->bits) + (size_t)id * x->words;
		for (uint32_t w = 0; w < x->words; w++)
			bits[w] &= x->bits[w];
	}
}

/* Memory for the bit sets; much of it in large pages, which spares a large index misses of the address cache. */
static int allocate(struct fw_index *x)
{
	enum { LARGE_PAGE = 2 << 20 };
	bool large = x->bytes >= 2 * LARGE_PAGE;
	if (posix_memalign((void **)&x->bits, large ? LARGE_PAGE : 32, x->bytes + 32) != 0) {
		x->bits = NULL;
		return FW_ENOMEM;
	}
	if (large)
		madvise(x->bits, x->bytes, MADV_HUGEPAGE);
	return 0;
}

int fw_index_fill(struct fw_making *m)
{
	struct fw_index *x = m->index;
	size_t n_sets = 1;
	uint32_t most_ids = FW_ID_FIRST;
	for (uint32_t c = 0; c < x->n_columns; c++) {
		n_sets += x->columns[c].n_ids;
		most_ids = x->columns[c].n_ids > most_ids ? x->columns[c].n_ids : most_ids;
	}
	x->bytes = n_sets * x->words * sizeof *x->bits;
	uint8_t *allowed = malloc(most_ids);
	if (!allowed || allocate(x) < 0) {
		free(allowed);
		return FW_ENOMEM;
	}
	memset(x->bits, 0xff, x->bytes);
	memset(x->bits, 0, (size_t)x->words * sizeof *x->bits);
	uint64_t *at = x->bits + x->words;
	for (uint32_t c = 0; c < x->n_columns; c++) {
		x->columns[c].bits = at;
		at += (size_t)x->columns[c].n_ids * x->words;
	}
	for (uint32_t row = 0; row < m->rows.n_rows; row++) {
		if (!m->off[row])
			x->bits[m->position[row] / 64] |= (uint64_t)1 << (m->position[row] % 64);
		fill_row(m, row, allowed);
	}
	free(allowed);
	place_columns(x);
	return 0;
}
