#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "rules/column.h"

/* A column or value that hardly any row names is not worth one. */
enum { RARE_SHARE = 512 };

enum fw_column_kind fw_column_kind_of(const struct fw_ruleset *set, const struct fw_literal *l)
{
	enum fw_type type = fw_fact_info(set->refs[l->ref].fact)->type;
	if (l->op == FW_OP_KNOWN || l->op == FW_OP_UNKNOWN)
		return FW_COLUMN_STATE;
	if (l->as == FW_AS_BOOL)
		return FW_COLUMN_BOOL;
	if (l->as == FW_AS_NUMBER)
		return FW_COLUMN_RANGE;
	return type == FW_TYPE_TEXT && l->op == FW_OP_ONE_OF ? FW_COLUMN_DICT : FW_COLUMN_ATOMS;
}

/* Rows move to positions such that each slot begins on a block of its own. */
static int place_rows(struct fw_making *m)
{
	struct fw_index *x = m->index;
	uint32_t n_slots = m->set->n_slots, at = 0;
	x->slot_first = FW_NEW_ARRAY(&x->arena, n_slots + 1, uint32_t);
	m->position = calloc(m->rows.n_rows + 1, sizeof *m->position);
	if (!x->slot_first || !m->position)
		return FW_ENOMEM;
	for (uint32_t s = 0; s < n_slots; s++) {
		x->slot_first[s] = at;
		for (uint32_t r = m->rows.slot_first[s]; r < m->rows.slot_first[s + 1]; r++)
			m->position[r] = at++;
		at = (at + FW_BLOCK_ROWS - 1) / FW_BLOCK_ROWS * FW_BLOCK_ROWS;
	}
	x->slot_first[n_slots] = at;
	x->n_rows = at;
	x->words = at / 64;
	x->row_rule = malloc((at + 1) * sizeof *x->row_rule);
	if (!x->row_rule)
		return FW_ENOMEM;
	memset(x->row_rule, 0xff, at * sizeof *x->row_rule);
	for (uint32_t r = 0; r < m->rows.n_rows; r++) {
		const struct fw_rule *rule = &m->set->rules[m->rows.rows[r].rule];
		x->row_rule[m->position[r]] = m->rows.rows[r].rule << 1 | m->rows.rows[r].verify;
		x->dated |= rule->starts_us != INT64_MIN || rule->ends_us != INT64_MAX;
	}
	return 0;
}

static int add_source(struct fw_making *m, const struct fw_literal *l, uint32_t *ret)
{
	struct fw_index *x = m->index;
	enum fw_column_kind kind = fw_column_kind_of(m->set, l);
	uint32_t key[2] = { l->ref, kind };
	struct fw_str text = { (const char *)key, sizeof key };
	*ret = fw_map_get(&m->sources, text);
	if (*ret != FW_MAP_NONE)
		return 0;
	if (x->n_sources == x->sources_size) {
		uint32_t size = x->sources_size ? x->sources_size * 2 : 32;
		struct fw_source_of *more = FW_NEW_ARRAY(&x->arena, size, struct fw_source_of);
		if (!more)
			return FW_ENOMEM;
		if (x->n_sources)
			memcpy(more, x->sources, x->n_sources * sizeof *more);
		x->sources = more;
		x->sources_size = size;
	}
	struct fw_source_of *s = &x->sources[x->n_sources];
	*s = (struct fw_source_of){ .ref = l->ref, .kind = kind, .column = FW_NONE };
	s->any_type = fw_fact_info(m->set->refs[l->ref].fact)->type == FW_TYPE_ANY;
	fw_map_init(&s->values, &x->arena);
	*ret = x->n_sources++;
	return fw_map_put(&m->sources, text, *ret);
}

static int add_atom(struct fw_making *m, struct fw_source_of *s, struct fw_str key, const struct fw_literal *l, bool simple, uint32_t *ret)
{
	*ret = fw_map_get(&s->values, key);
	if (*ret != FW_MAP_NONE)
		return 0;
	if (s->n_atoms == s->size) {
		uint32_t size = s->size ? s->size * 2 : 8;
		struct fw_atom *more = FW_NEW_ARRAY(&m->index->arena, size, struct fw_atom);
		if (!more)
			return FW_ENOMEM;
		if (s->n_atoms)
			memcpy(more, s->atoms, s->n_atoms * sizeof *more);
		s->atoms = more;
		s->size = size;
	}
	s->atoms[s->n_atoms] = (struct fw_atom){ .literal = *l, .simple = simple, .column = FW_NONE };
	s->tried |= !simple;
	*ret = s->n_atoms++;
	return fw_map_put(&s->values, key, *ret);
}

/* A key for a test that is not of one text; begins with a byte that no text begins with. */
static int composite_key(struct fw_making *m, const struct fw_literal *l, struct fw_str *ret)
{
	size_t n = 3;
	for (uint32_t i = 0; i < l->n; i++)
		n += l->texts[i].n + 1;
	char *key = fw_arena_alloc(&m->index->arena, n);
	if (!key)
		return FW_ENOMEM;
	*ret = (struct fw_str){ key, n };
	*key++ = '\xff';
	*key++ = (char)('0' + l->op);
	*key++ = (char)('0' + l->as);
	for (uint32_t i = 0; i < l->n; i++) {
		memcpy(key, l->texts[i].p, l->texts[i].n);
		key += l->texts[i].n;
		*key++ = '\0';
	}
	return 0;
}

static int note_atom(struct fw_making *m, struct fw_source_of *s, const struct fw_literal *l, uint32_t *ret)
{
	struct fw_literal positive = *l;
	struct fw_str key;
	bool simple = l->op == FW_OP_ONE_OF && l->n == 1 && l->as == FW_AS_TEXT;
	positive.negated = false;
	if (simple)
		key = l->texts[0];
	else if (composite_key(m, l, &key) < 0)
		return FW_ENOMEM;
	int code = add_atom(m, s, key, &positive, simple, ret);
	if (code < 0)
		return code;
	s->atoms[*ret].usage++;
	s->atoms[*ret].positive += !l->negated;
	return 0;
}

static int note_values(struct fw_making *m, struct fw_source_of *s, const struct fw_literal *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		uint32_t value;
		int code = add_atom(m, s, l->texts[i], l, true, &value);
		if (code < 0)
			return code;
		s->atoms[value].usage++;
		s->atoms[value].positive += !l->negated;
	}
	return 0;
}

static int add_point(struct fw_making *m, struct fw_source_of *s, double x)
{
	uint32_t i = s->n_points;
	while (i && s->points[i - 1] >= x)
		i--;
	if (!isfinite(x) || (i < s->n_points && s->points[i] == x))
		return 0;
	if ((s->n_points & (s->n_points + 1)) == 0) { /* full at 0, 1, 3, 7 … */
		double *more = FW_NEW_ARRAY(&m->index->arena, s->n_points * 2 + 1, double);
		if (!more)
			return FW_ENOMEM;
		if (s->n_points)
			memcpy(more, s->points, s->n_points * sizeof *more);
		s->points = more;
	}
	memmove(s->points + i + 1, s->points + i, (s->n_points - i) * sizeof *s->points);
	s->points[i] = x;
	s->n_points++;
	return 0;
}

/* A break point belongs to what is above it; one for what is above a number is the next number there is. */
static int add_points(struct fw_making *m, struct fw_source_of *s, double x, bool at, bool after)
{
	if (!isfinite(x))
		return 0;
	if ((at && add_point(m, s, x) < 0) || (after && add_point(m, s, nextafter(x, INFINITY)) < 0))
		return FW_ENOMEM;
	return 0;
}

static int note_points(struct fw_making *m, struct fw_source_of *s, const struct fw_literal *l)
{
	int code = 0;
	if (l->op == FW_OP_RANGE) {
		code = add_points(m, s, l->low, !l->low_open, l->low_open);
		return code < 0 ? code : add_points(m, s, l->high, l->high_open, !l->high_open);
	}
	for (uint32_t i = 0; i < l->n && code == 0; i++)
		code = add_points(m, s, l->numbers[i], true, true);
	return code;
}

static int note_terms(struct fw_making *m)
{
	m->term_source = calloc(m->rows.n_terms + 1, sizeof *m->term_source);
	m->term_atom = calloc(m->rows.n_terms + 1, sizeof *m->term_atom);
	if (!m->term_source || !m->term_atom)
		return FW_ENOMEM;
	int code = 0;
	for (uint32_t t = 0; t < m->rows.n_terms && code == 0; t++) {
		struct fw_literal l = fw_term_literal(m->set, m->rows.terms[t]);
		if ((code = add_source(m, &l, &m->term_source[t])) < 0)
			break;
		struct fw_source_of *s = &m->index->sources[m->term_source[t]];
		s->usage++;
		m->term_atom[t] = FW_NONE;
		if (s->kind == FW_COLUMN_ATOMS)
			code = note_atom(m, s, &l, &m->term_atom[t]);
		else if (s->kind == FW_COLUMN_DICT)
			code = note_values(m, s, &l);
		else if (s->kind == FW_COLUMN_RANGE)
			code = note_points(m, s, &l);
	}
	return code;
}

static int by_usage(const void *x, const void *y)
{
	const struct fw_source_of *a = *(struct fw_source_of *const *)x, *b = *(struct fw_source_of *const *)y;
	if (a->usage != b->usage)
		return a->usage > b->usage ? -1 : 1;
	return (a > b) - (a < b);
}

static int atom_by_usage(const void *x, const void *y)
{
	const struct fw_atom *a = *(struct fw_atom *const *)x, *b = *(struct fw_atom *const *)y;
	if (a->usage != b->usage)
		return a->usage > b->usage ? -1 : 1;
	return (a > b) - (a < b);
}

static struct fw_column *add_column(struct fw_making *m, struct fw_source_of *s, uint32_t n_ids)
{
	struct fw_index *x = m->index;
	struct fw_column *c = &x->columns[x->n_columns];
	*c = (struct fw_column){ .source = (uint32_t)(s - x->sources), .n_ids = n_ids };
	if (s->column == FW_NONE)
		s->column = x->n_columns;
	x->n_columns++;
	s->n_columns++;
	m->sets_left -= n_ids;
	return c;
}

/* The most named atoms get places, four a column. */
static int choose_atoms(struct fw_making *m, struct fw_source_of *s, uint32_t rare)
{
	struct fw_atom **order = calloc(s->n_atoms + 1, sizeof *order);
	struct fw_column *c = NULL;
	if (!order)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < s->n_atoms; i++)
		order[i] = &s->atoms[i];
	qsort(order, s->n_atoms, sizeof(struct fw_atom *), atom_by_usage);
	for (uint32_t i = 0; i < s->n_atoms && order[i]->usage >= rare; i++) {
		if (i % FW_ATOMS_A_COLUMN == 0) {
			if (m->sets_left < FW_ID_FIRST + 16 || m->index->n_columns >= FW_MOST_COLUMNS)
				break;
			c = add_column(m, s, FW_ID_FIRST + 16);
		}
		order[i]->column = (uint32_t)(c - m->index->columns);
		order[i]->bit = i % FW_ATOMS_A_COLUMN;
	}
	free(order);
	return 0;
}

static int choose_column(struct fw_making *m, struct fw_source_of *s, uint32_t rare)
{
	if (s->kind == FW_COLUMN_ATOMS)
		return choose_atoms(m, s, rare);
	uint32_t n = FW_ID_FIRST + 1; /* what a dictionary begins with; its values follow */
	if (s->kind == FW_COLUMN_BOOL)
		n++;
	else if (s->kind == FW_COLUMN_RANGE)
		n += s->n_points;
	if (s->usage >= rare && n <= m->sets_left && m->index->n_columns < FW_MOST_COLUMNS)
		add_column(m, s, n);
	return 0;
}

/* What is left goes to the values of dictionaries, the most named first. */
static int choose_values(struct fw_making *m)
{
	struct fw_index *x = m->index;
	size_t most = 1, n = 0;
	for (uint32_t i = 0; i < x->n_sources; i++)
		most += x->sources[i].n_atoms;
	struct fw_atom **order = calloc(most, sizeof *order);
	if (!order)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < x->n_sources; i++) {
		struct fw_source_of *s = &x->sources[i];
		if (s->kind != FW_COLUMN_DICT || s->column == FW_NONE)
			continue;
		for (uint32_t k = 0; k < s->n_atoms; k++) {
			s->atoms[k].column = s->column;
			order[n++] = &s->atoms[k];
		}
	}
	qsort(order, n, sizeof(struct fw_atom *), atom_by_usage);
	for (size_t i = 0; i < n; i++) {
		struct fw_column *c = &x->columns[order[i]->column];
		if (m->sets_left) {
			order[i]->bit = c->n_ids++;
			m->sets_left--;
		} else {
			order[i]->column = FW_NONE;
		}
	}
	free(order);
	return 0;
}

static int choose_columns(struct fw_making *m)
{
	struct fw_index *x = m->index;
	size_t set_bytes = (size_t)x->words * 8 + 1, budget = (size_t)m->rows.n_rows * FW_INDEX_ROW_BYTES;
	budget = budget > (size_t)FW_INDEX_BYTES ? budget : (size_t)FW_INDEX_BYTES;
	m->sets_left = budget / set_bytes < UINT32_MAX ? (uint32_t)(budget / set_bytes) : UINT32_MAX;
	uint32_t rare = m->rows.n_rows / RARE_SHARE + 1;
	struct fw_source_of **order = calloc(x->n_sources + 1, sizeof *order);
	x->columns = FW_NEW_ARRAY(&x->arena, FW_MOST_COLUMNS, struct fw_column);
	int code = order && x->columns ? 0 : FW_ENOMEM;
	for (uint32_t i = 0; i < x->n_sources && code == 0; i++)
		order[i] = &x->sources[i];
	if (code == 0)
		qsort(order, x->n_sources, sizeof(struct fw_source_of *), by_usage);
	for (uint32_t i = 0; i < x->n_sources && code == 0; i++)
		code = choose_column(m, order[i], rare);
	free(order);
	return code < 0 ? code : choose_values(m);
}

static int list_row(struct fw_making *m, struct fw_source_of *s, struct fw_atom *a, uint32_t row)
{
	s->has_lists = true;
	if (!a->list) { /* as many as could ever come */
		a->list = FW_NEW_ARRAY(&m->index->arena, a->usage + 1, uint32_t);
		if (!a->list)
			return FW_ENOMEM;
	}
	if (a->list[0] == 0 || a->list[a->list[0]] != m->position[row])
		a->list[++a->list[0]] = m->position[row];
	return 0;
}

/* Values without a bit set keep lists; a row all of whose ways in are lists is taken out of the bit sets. */
static int list_values(struct fw_making *m, struct fw_source_of *s, const struct fw_literal *l, uint32_t row)
{
	for (uint32_t i = 0; i < l->n; i++) {
		struct fw_atom *a = &s->atoms[fw_map_get(&s->values, l->texts[i])];
		if (a->column == FW_NONE && list_row(m, s, a, row) < 0)
			return FW_ENOMEM;
	}
	return 0;
}

/* What becomes of a row whose terms are not all exact in the bit sets. */
static int file_row(struct fw_making *m, uint32_t row)
{
	const struct fw_row *r = &m->rows.rows[row];
	uint32_t *flag = &m->index->row_rule[m->position[row]];
	for (uint32_t t = r->first; t < r->first + r->n; t++) {
		struct fw_literal l = fw_term_literal(m->set, m->rows.terms[t]);
		struct fw_source_of *s = &m->index->sources[m->term_source[t]];
		if (s->kind == FW_COLUMN_ATOMS) {
			struct fw_atom *a = &s->atoms[m->term_atom[t]];
			if (a->column != FW_NONE)
				continue;
			*flag |= 1;
			if (!l.negated && !m->off[row]) {
				m->off[row] = 1;
				if (list_row(m, s, a, row) < 0)
					return FW_ENOMEM;
			}
		} else if (s->kind == FW_COLUMN_DICT) {
			bool inside = true;
			for (uint32_t i = 0; i < l.n; i++)
				inside &= s->atoms[fw_map_get(&s->values, l.texts[i])].column != FW_NONE;
			if (inside)
				continue;
			*flag |= 1;
			if (!l.negated && list_values(m, s, &l, row) < 0)
				return FW_ENOMEM;
			if (!l.negated && s->column == FW_NONE)
				m->off[row] = 1;
		} else if (s->column == FW_NONE) {
			*flag |= 1;
		}
	}
	return 0;
}

int fw_index_create(const struct fw_ruleset *set, struct fw_index **ret)
{
	struct fw_index *x = calloc(1, sizeof *x);
	struct fw_making m = { .index = x, .set = set };
	if (!x)
		return FW_ENOMEM;
	fw_arena_init(&x->arena, NULL, 0, 0);
	fw_map_init(&m.sources, &x->arena);
	x->set = set;
	x->find_block = fw_index_find_block();
	int code = fw_rows_make(set, &m.rows);
	if (code == 0)
		code = place_rows(&m);
	if (code == 0)
		code = note_terms(&m);
	if (code == 0)
		code = choose_columns(&m);
	m.off = calloc(m.rows.n_rows + 1, 1);
	if (code == 0 && !m.off)
		code = FW_ENOMEM;
	for (uint32_t row = 0; row < m.rows.n_rows && code == 0; row++)
		code = file_row(&m, row);
	if (code == 0)
		code = fw_index_fill(&m);
	fw_rows_finish(&m.rows);
	free(m.position);
	free(m.term_source);
	free(m.term_atom);
	free(m.off);
	if (code < 0) {
		fw_index_destroy(x);
		return code;
	}
	*ret = x;
	return 0;
}
