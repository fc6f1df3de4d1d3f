#include "rules/index.h"

#include <stdlib.h>
#include <string.h>

#include "rules/column.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

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
	*p = (struct fw_probe){ .bits_size = index->n_columns + FW_MOST_SEVERAL + FW_BITS_AT_ONCE + 1, .lists_size = FW_MOST_LISTS };
	p->bits = calloc(p->bits_size, sizeof *p->bits);
	p->lists = calloc(p->lists_size, sizeof *p->lists);
	if (index->dated && posix_memalign((void **)&p->dated, sizeof(vector), index->words * sizeof *p->dated) != 0)
		p->dated = NULL; /* judging knows the dates as well */
	if (p->bits && p->lists)
		return 0;
	fw_probe_finish(p);
	return FW_ENOMEM;
}

void fw_probe_finish(struct fw_probe *p)
{
	free(p->bits);
	free(p->lists);
	free(p->dated);
	*p = (struct fw_probe){ 0 };
}

/* Which of its words (1, 2, 4, 8) are not zero. */
typedef unsigned (*words_left)(const vector *);

/* One bit set from each column, ANDed in vector registers for one block of 256 rows (compilers of this generation do not
 * do it by themselves). */
static inline __attribute__((always_inline)) unsigned and_block(const uint64_t *const *bits, uint32_t n, size_t at, uint64_t out[4],
	words_left left)
{
	vector v = ~(vector){ 0 };
	unsigned ret = 0;
	for (const uint64_t *const *end = bits + n; bits != end; bits += FW_BITS_AT_ONCE) {
#pragma GCC unroll 8
		for (int k = 0; k < FW_BITS_AT_ONCE; k++)
			v &= *(const vector *)(bits[k] + at);
		ret = left(&v);
		if (!ret)
			return 0;
	}
	memcpy(out, &v, sizeof v);
	return ret;
}

static inline __attribute__((always_inline)) unsigned find_block(const uint64_t *const *bits, uint32_t n, uint32_t *block, uint32_t last,
	uint64_t out[4], words_left left)
{
	unsigned ret = 0;
	uint32_t at = *block;
	while (at < last && !ret)
		ret = and_block(bits, n, (size_t)at++ * 4, out, left);
	*block = at;
	return ret;
}

static inline unsigned left_any(const vector *v)
{
	return ((*v)[0] != 0) | (unsigned)((*v)[1] != 0) << 1 | (unsigned)((*v)[2] != 0) << 2 | (unsigned)((*v)[3] != 0) << 3;
}

static unsigned find_block_any(const uint64_t *const *bits, uint32_t n, uint32_t *block, uint32_t last, uint64_t out[4])
{
	return find_block(bits, n, block, last, out, left_any);
}

#ifdef __x86_64__
static inline __attribute__((target("avx2"))) unsigned left_avx2(const vector *v)
{
	__m256i zero = _mm256_cmpeq_epi64((__m256i)*v, _mm256_setzero_si256());
	return 15u ^ (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(zero));
}

static __attribute__((target("avx2"))) unsigned find_block_avx2(const uint64_t *const *bits, uint32_t n, uint32_t *block, uint32_t last,
	uint64_t out[4])
{
	return find_block(bits, n, block, last, out, left_avx2);
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

void fw_cursor_init(struct fw_cursor *c, const struct fw_index *index, uint32_t slot)
{
	c->slot_first = index->slot_first[slot];
	c->slot_end = index->slot_first[slot + 1];
	c->block = c->slot_first / FW_BLOCK_ROWS; /* slots begin on block boundaries */
	c->last_block = c->slot_end / FW_BLOCK_ROWS;
	c->words_left = 0;
	c->bit_row = c->list_row = FW_NONE;
	c->last_rule = FW_NONE;
}

/* The next row of the bit sets. */
static inline uint32_t next_bit(struct fw_cursor *c, const struct fw_index *index, const struct fw_probe *p)
{
	if (!c->words_left)
		c->words_left = index->find_block(p->bits, p->n_bits, &c->block, c->last_block, c->words);
	if (!c->words_left)
		return FW_NONE;
	unsigned w = (unsigned)__builtin_ctz(c->words_left);
	uint32_t bit = (uint32_t)__builtin_ctzll(c->words[w]);
	c->words[w] &= c->words[w] - 1;
	c->words_left ^= (unsigned)(c->words[w] == 0) << w;
	return (c->block - 1) * FW_BLOCK_ROWS + w * 64 + bit;
}

/* Row by row, when there were more lists to merge than a probe holds. */
static __attribute__((noinline)) uint32_t next_row(struct fw_cursor *c, const struct fw_index *index)
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

/* The next row of bit sets and lists together. */
static __attribute__((noinline)) uint32_t next_merged(struct fw_cursor *c, const struct fw_index *index, const struct fw_probe *p, bool *ret_listed)
{
	if (c->bit_row == FW_NONE)
		c->bit_row = next_bit(c, index, p);
	if (c->list_row == FW_NONE && c->slot_first < c->slot_end && (c->list_row = next_listed(c, p, c->slot_first)) == FW_NONE)
		c->slot_first = c->slot_end;
	uint32_t row = c->bit_row < c->list_row ? c->bit_row : c->list_row;
	*ret_listed = row == c->list_row && row != FW_NONE;
	if (*ret_listed) {
		c->slot_first = row + 1;
		c->list_row = FW_NONE;
	}
	if (row == c->bit_row)
		c->bit_row = FW_NONE;
	return row;
}

uint32_t fw_cursor_next(struct fw_cursor *c, const struct fw_index *index, const struct fw_probe *p, bool *ret_verify)
{
	for (;;) {
		bool verify = p->verify || p->all, listed = false;
		uint32_t row = p->all ? next_row(c, index) : p->n_lists ? next_merged(c, index, p, &listed) : next_bit(c, index, p);
		if (row == FW_NONE)
			return FW_NONE;
		uint32_t rule = index->row_rule[row] >> 1;
		if (rule == c->last_rule)
			continue; /* another alternative of a rule that came up already */
		*ret_verify = verify || listed || (index->row_rule[row] & 1);
		c->last_rule = rule;
		return rule;
	}
}
