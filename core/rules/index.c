#include "rules/index.h"

#include <stdlib.h>
#include <string.h>

#include "rules/column.h"

typedef uint64_t vector __attribute__((vector_size(32), aligned(32)));

size_t fw_index_bytes(const struct fw_index *index)
{
	return index->bytes;
}

void fw_index_destroy(struct fw_index *index)
{
	if (!index)
		return;
	fw_arena_finish(&index->arena);
	free(index->bits);
	free(index->row_rule);
	free(index);
}

int fw_probe_init(struct fw_probe *p, const struct fw_index *index)
{
	*p = (struct fw_probe){ .bits_size = index->n_columns + FW_MOST_SEVERAL, .lists_size = FW_MOST_LISTS };
	p->bits = calloc(p->bits_size, sizeof *p->bits);
	p->lists = calloc(p->lists_size, sizeof *p->lists);
	if (p->bits && p->lists)
		return 0;
	fw_probe_finish(p);
	return FW_ENOMEM;
}

void fw_probe_finish(struct fw_probe *p)
{
	free(p->bits);
	free(p->lists);
	*p = (struct fw_probe){ 0 };
}

/* One bit set from each column, ANDed in vector registers for one block of 256 rows (compilers of this generation do not
 * do it by themselves). True if any row is left. */
static inline __attribute__((always_inline)) bool and_block(const uint64_t *const *bits, uint32_t n, size_t block, uint64_t out[4])
{
	vector v = *(const vector *)(bits[0] + block * 4);
	for (uint32_t i = 1; i < n; i++)
		v &= *(const vector *)(bits[i] + block * 4);
	memcpy(out, &v, sizeof v);
	return (out[0] | out[1] | out[2] | out[3]) != 0;
}

static inline __attribute__((always_inline)) bool find_block(const uint64_t *const *bits, uint32_t n, uint32_t *block, uint32_t last, uint64_t out[4])
{
	for (; *block < last; (*block)++)
		if (and_block(bits, n, *block, out))
			return true;
	return false;
}

static bool find_block_any(const uint64_t *const *bits, uint32_t n, uint32_t *block, uint32_t last, uint64_t out[4])
{
	return find_block(bits, n, block, last, out);
}

#ifdef __x86_64__
static __attribute__((target("avx2"))) bool find_block_avx2(const uint64_t *const *bits, uint32_t n, uint32_t *block, uint32_t last, uint64_t out[4])
{
	return find_block(bits, n, block, last, out);
}
#endif

fw_find_block fw_index_find_block(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return find_block_avx2;
#endif
	return find_block_any;
}

void fw_cursor_init(struct fw_cursor *c, const struct fw_index *index, const struct fw_probe *p, uint32_t slot)
{
	uint32_t first = index->slot_first[slot], end = index->slot_first[slot + 1];
	c->every_row = p->all;
	c->block = first / FW_BLOCK_ROWS;
	c->last_block = end / FW_BLOCK_ROWS; /* slots begin on block boundaries */
	c->slot_first = first;
	c->slot_end = end;
	c->bit_row = c->list_row = FW_NONE;
	c->last_rule = FW_NONE;
	memset(c->words, 0, sizeof c->words);
	c->base = first;
	c->bits_done = first == end;
}

/* The next row of the bit sets. */
static uint32_t next_bit(struct fw_cursor *c, const struct fw_index *index, const struct fw_probe *p)
{
	for (;;) {
		for (uint32_t w = 0; w < 4; w++)
			if (c->words[w]) {
				uint32_t bit = (uint32_t)__builtin_ctzll(c->words[w]);
				c->words[w] &= c->words[w] - 1;
				return c->base + w * 64 + bit;
			}
		if (c->bits_done || !index->find_block(p->bits, p->n_bits, &c->block, c->last_block, c->words)) {
			c->bits_done = true;
			return FW_NONE;
		}
		c->base = c->block * FW_BLOCK_ROWS;
		c->block++;
	}
}

/* Row by row, when there were more lists to merge than a probe holds. */
static uint32_t next_row(struct fw_cursor *c, const struct fw_index *index)
{
	while (c->slot_first < c->slot_end && index->row_rule[c->slot_first] == FW_NO_ROW)
		c->slot_first++;
	return c->slot_first < c->slot_end ? c->slot_first++ : FW_NONE;
}

/* The smallest row of all lists that is at least `from` and within the slot. */
static uint32_t next_listed(const struct fw_cursor *c, const struct fw_probe *p, uint32_t from)
{
	uint32_t best = FW_NONE;
	for (uint32_t i = 0; i < p->n_lists; i++) {
		const uint32_t *rows = p->lists[i] + 1;
		uint32_t low = 0, high = p->lists[i][0];
		while (low < high) {
			uint32_t middle = (low + high) / 2;
			if (rows[middle] < from)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < p->lists[i][0] && rows[low] < c->slot_end && rows[low] < best)
			best = rows[low];
	}
	return best;
}

uint32_t fw_cursor_next(struct fw_cursor *c, const struct fw_index *index, const struct fw_probe *p, bool *ret_verify)
{
	for (;;) {
		if (c->bit_row == FW_NONE)
			c->bit_row = c->every_row ? next_row(c, index) : next_bit(c, index, p);
		if (p->n_lists && c->list_row == FW_NONE && !c->every_row)
			c->list_row = next_listed(c, p, c->slot_first);
		uint32_t row = c->bit_row < c->list_row ? c->bit_row : c->list_row;
		if (row == FW_NONE)
			return FW_NONE;
		bool listed = row == c->list_row;
		if (listed) {
			c->slot_first = row + 1;
			c->list_row = FW_NONE;
		}
		if (row == c->bit_row)
			c->bit_row = FW_NONE;
		uint32_t rule = index->row_rule[row] >> 1;
		if (rule == c->last_rule)
			continue; /* another alternative of a rule that came up already */
		*ret_verify = listed || p->verify || c->every_row || (index->row_rule[row] & 1);
		c->last_rule = rule;
		return rule;
	}
}
