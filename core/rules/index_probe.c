#include <string.h>

#include "rules/column.h"

/* The column's bit set for what the visitor has. */
static void put(struct fw_probe *p, const struct fw_index *index, const struct fw_column *c, uint32_t id)
{
	p->bits[c->place] = c->bits + (size_t)id * index->words;
}

/* One more bit set of a column that has its own: only rows in both are left. */
static void put_also(struct fw_probe *p, const struct fw_index *index, const struct fw_column *c, uint32_t id)
{
	if (p->n_bits + FW_BITS_AT_ONCE + 1 < p->bits_size)
		p->bits[p->n_bits++] = c->bits + (size_t)id * index->words;
	else
		p->verify = true; /* one bit set fewer lets more rows through, never fewer */
}

static void push_list(struct fw_probe *p, const struct fw_atom *a)
{
	if (!a->list)
		return;
	for (uint32_t i = 1; i <= a->list[0]; i++)
		p->listed[a->list[i] / 64] |= (uint64_t)1 << (a->list[i] % 64);
	if (p->n_lists < p->lists_size)
		p->lists[p->n_lists++] = a->list;
	else
		p->listed_more = true;
}

/* Takes out of `listed` what the last visitor had. */
static void clear_listed(struct fw_probe *p, const struct fw_index *index)
{
	if (p->listed_more)
		memset(p->listed, 0, index->words * sizeof *p->listed);
	for (uint32_t i = 0; i < p->n_lists; i++)
		for (uint32_t k = 1; k <= p->lists[i][0]; k++)
			p->listed[p->lists[i][k] / 64] = 0;
	p->n_lists = 0;
	p->listed_more = false;
}

/* Every row comes up. */
static void list_all(struct fw_probe *p, const struct fw_index *index)
{
	for (uint32_t row = 0; row < index->n_rows; row++)
		if (index->row_rule[row] != FW_NO_ROW)
			p->listed[row / 64] |= (uint64_t)1 << (row % 64);
	p->listed_more = true;
}

/* How many break points are not above x. */
static uint32_t interval(const struct fw_source_of *s, double x)
{
	uint32_t low = 0, high = s->n_points;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (s->points[middle] <= x)
			low = middle + 1;
		else
			high = middle;
	}
	return FW_ID_FIRST + low;
}

static void probe_range(struct fw_probe *p, const struct fw_index *index, const struct fw_source_of *s, const struct fw_value *v)
{
	const struct fw_column *c = &index->columns[s->column];
	double x = v->number;
	if (v->n_several > 1) {
		put(p, index, c, interval(s, v->several[0]));
		for (unsigned i = 1; i < v->n_several; i++)
			put_also(p, index, c, interval(s, v->several[i]));
	} else if (v->kind == FW_KIND_SET) {
		p->verify = true; /* a set of numbers is in no one interval */
	} else if (v->kind == FW_KIND_NUMBER || (v->kind == FW_KIND_TEXT && fw_number_parse(v->text, &x))) {
		put(p, index, c, interval(s, x));
	} else {
		put(p, index, c, FW_ID_ABSENT); /* it cannot be read as a number */
	}
}

static void probe_dict(struct fw_probe *p, const struct fw_index *index, const struct fw_source_of *s, const struct fw_value *v)
{
	uint32_t value = fw_map_get(&s->values, v->folded);
	const struct fw_atom *a = value == FW_MAP_NONE ? NULL : &s->atoms[value];
	if (a)
		push_list(p, a);
	if (s->column != FW_NONE)
		put(p, index, &index->columns[s->column], a && a->column != FW_NONE ? a->bit : FW_ID_FIRST);
}

static void probe_bool(struct fw_probe *p, const struct fw_index *index, const struct fw_source_of *s, const struct fw_value *v)
{
	if (v->kind == FW_KIND_SET)
		p->verify = true;
	else
		put(p, index, &index->columns[s->column], v->kind == FW_KIND_BOOL ? FW_ID_FIRST + v->boolean : FW_ID_ABSENT);
}

enum { MOST_MASKS = 64 };

static void note_atom(struct fw_probe *p, const struct fw_source_of *s, const struct fw_atom *a, uint8_t *masks)
{
	if (a->column != FW_NONE)
		masks[a->column - s->column] |= (uint8_t)(1u << a->bit);
	else
		push_list(p, a);
}

static void note_text(struct fw_probe *p, const struct fw_source_of *s, const struct fw_value *v, uint8_t *masks)
{
	char buf[32];
	struct fw_str text = v->folded;
	if (v->kind == FW_KIND_NUMBER)
		text = (struct fw_str){ buf, fw_number_text(v->number, buf) };
	else if (v->kind != FW_KIND_TEXT)
		return;
	uint32_t atom = fw_map_get(&s->values, text);
	if (atom != FW_MAP_NONE)
		note_atom(p, s, &s->atoms[atom], masks);
}

/* Atoms of more than one text, of patterns and languages are tried one by one; what is unknown although there is a value
 * (a pattern on a list) leaves its column out. */
static void try_atoms(struct fw_probe *p, const struct fw_source_of *s, const struct fw_value *v, uint8_t *masks, uint64_t *wild)
{
	for (uint32_t i = 0; i < s->n_atoms; i++) {
		const struct fw_atom *a = &s->atoms[i];
		if (a->simple || (a->column == FW_NONE && !a->list))
			continue;
		enum fw_truth t = fw_literal_test(&a->literal, v);
		if (t == FW_TRUE)
			note_atom(p, s, a, masks);
		else if (t == FW_UNKNOWN && a->column != FW_NONE)
			*wild |= (uint64_t)1 << (a->column - s->column);
	}
}

static void probe_atoms(struct fw_probe *p, const struct fw_index *index, const struct fw_source_of *s, const struct fw_value *v)
{
	uint8_t masks[MOST_MASKS] = { 0 };
	uint64_t wild = 0;
	bool readable = v->kind == FW_KIND_TEXT || v->kind == FW_KIND_NUMBER || v->kind == FW_KIND_SET;
	if (v->kind == FW_KIND_SET)
		for (unsigned i = 0; i < v->n_items; i++)
			note_text(p, s, &v->items[i], masks);
	else
		note_text(p, s, v, masks);
	if (s->tried)
		try_atoms(p, s, v, masks, &wild);
	for (uint32_t i = 0; i < s->n_columns; i++) {
		if (wild >> i & 1)
			p->verify = true;
		else
			put(p, index, &index->columns[s->column + i], readable ? FW_ID_FIRST + masks[i] : FW_ID_ABSENT);
	}
}

static void probe_source(struct fw_probe *p, const struct fw_index *index, const struct fw_source_of *s, const struct fw_facts *facts)
{
	struct fw_value v = fw_ref_value(&index->set->refs[s->ref], facts);
	if (v.state != FW_KNOWN || s->kind == FW_COLUMN_STATE) {
		uint32_t id = v.state == FW_KNOWN ? FW_ID_FIRST : v.state == FW_ABSENT ? FW_ID_ABSENT : FW_ID_OUT_OF_REACH;
		for (uint32_t i = 0; i < s->n_columns; i++)
			put(p, index, &index->columns[s->column + i], id);
		return;
	}
	switch (s->kind) {
	case FW_COLUMN_RANGE: probe_range(p, index, s, &v); break;
	case FW_COLUMN_DICT: probe_dict(p, index, s, &v); break;
	case FW_COLUMN_BOOL: probe_bool(p, index, s, &v); break;
	default: probe_atoms(p, index, s, &v); break;
	}
}

/* The rows of rules that are in date now, and how long that holds. */
static void find_dated(struct fw_probe *p, const struct fw_index *index, int64_t now_us)
{
	int64_t from = INT64_MIN, until = INT64_MAX;
	memset(p->dated, 0, index->words * sizeof *p->dated);
	for (uint32_t row = 0; row < index->n_rows; row++) {
		if (index->row_rule[row] == FW_NO_ROW)
			continue;
		const struct fw_rule *r = &index->set->rules[index->row_rule[row] >> 1];
		int64_t edges[2] = { r->starts_us, r->ends_us };
		for (int i = 0; i < 2; i++)
			if (edges[i] <= now_us)
				from = edges[i] > from ? edges[i] : from;
			else
				until = edges[i] < until ? edges[i] : until;
		if (r->starts_us <= now_us && now_us < r->ends_us)
			p->dated[row / 64] |= (uint64_t)1 << (row % 64);
	}
	p->dated_from_us = from;
	p->dated_until_us = until;
}

void fw_probe_set(struct fw_probe *p, const struct fw_index *index, const struct fw_facts *facts)
{
	clear_listed(p, index);
	p->verify = false;
	if (facts->segments_given)
		list_all(p, index); /* rows are made of the segments' conditions, which do not count then */
	p->n_bits = index->n_columns ? index->n_columns : 1;
	for (uint32_t i = 0; i < p->n_bits; i++)
		p->bits[i] = index->bits;
	for (uint32_t i = 0; i < index->n_sources; i++)
		if (index->sources[i].n_columns || index->sources[i].has_lists)
			probe_source(p, index, &index->sources[i], facts);
	if (p->dated && facts->has_clock) {
		if (facts->now_us < p->dated_from_us || facts->now_us >= p->dated_until_us)
			find_dated(p, index, facts->now_us);
		p->bits[p->n_bits++] = p->dated;
	}
	while (p->n_bits % FW_BITS_AT_ONCE)
		p->bits[p->n_bits++] = p->bits[0];
}
