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

/* An empty set of rows, or NULL. */
static uint64_t *new_set(const struct fw_index *index)
{
	void *set;
	size_t n = index->words * sizeof(uint64_t);
	if (posix_memalign(&set, sizeof(vector), n ? n : sizeof(vector)) != 0)
		return NULL;
	return memset(set, 0, n);
}

int fw_probe_init(struct fw_probe *p, const struct fw_index *index)
{
	*p = (struct fw_probe){ .bits_size = index->n_columns + FW_MOST_SEVERAL + FW_BITS_AT_ONCE + 1, .lists_size = FW_MOST_LISTS };
	p->bits = calloc(p->bits_size, sizeof *p->bits);
	p->lists = calloc(p->lists_size, sizeof *p->lists);
	p->listed = new_set(index);
	if (index->dated)
		p->dated = new_set(index); /* or not: judging knows the dates as well */
	if (p->bits && p->lists && p->listed)
		return 0;
	fw_probe_finish(p);
	return FW_ENOMEM;
}

void fw_probe_finish(struct fw_probe *p)
{
	free(p->bits);
	free(p->lists);
	free(p->listed);
	free(p->dated);
	*p = (struct fw_probe){ 0 };
}

/* Which of its words (1, 2, 4, 8) are not zero. */
typedef unsigned (*words_left)(const vector *);

/* One bit set from each column, ANDed in vector registers for one block of 256 rows (compilers of this generation do not
 * do it by themselves), and the rows of lists. */
static inline __attribute__((always_inline)) unsigned and_block(const struct fw_probe *p, size_t at, uint64_t out[4], words_left left)
{
	vector v = ~(vector){ 0 };
	const uint64_t *const *bits = p->bits, *const *end = bits + p->n_bits;
	do {
#pragma GCC unroll 8
		for (int k = 0; k < FW_BITS_AT_ONCE; k++)
			v &= *(const vector *)(bits[k] + at);
		bits += FW_BITS_AT_ONCE;
	} while (bits != end && left(&v));
	v |= *(const vector *)(p->listed + at);
	memcpy(out, &v, sizeof v);
	return left(&v);
}

static inline __attribute__((always_inline)) unsigned find_block(const struct fw_probe *p, uint32_t *block, uint32_t last, uint64_t out[4],
	words_left left)
{
	unsigned ret = 0;
	uint32_t at = *block;
	while (at < last && !ret)
		ret = and_block(p, (size_t)at++ * 4, out, left);
	*block = at;
	return ret;
}

static inline unsigned left_any(const vector *v)
{
	return ((*v)[0] != 0) | (unsigned)((*v)[1] != 0) << 1 | (unsigned)((*v)[2] != 0) << 2 | (unsigned)((*v)[3] != 0) << 3;
}

static unsigned find_block_any(const struct fw_probe *p, uint32_t *block, uint32_t last, uint64_t out[4])
{
	return find_block(p, block, last, out, left_any);
}

#ifdef __x86_64__
static inline __attribute__((target("avx2"))) unsigned left_avx2(const vector *v)
{
	__m256i zero = _mm256_cmpeq_epi64((__m256i)*v, _mm256_setzero_si256());
	return 15u ^ (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(zero));
}

static __attribute__((target("avx2"))) unsigned find_block_avx2(const struct fw_probe *p, uint32_t *block, uint32_t last, uint64_t out[4])
{
	return find_block(p, block, last, out, left_avx2);
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
	c->block = index->slot_first[slot] / FW_BLOCK_ROWS; /* slots begin on block boundaries */
	c->last_block = index->slot_first[slot + 1] / FW_BLOCK_ROWS;
	c->words_left = 0;
	c->last_rule = FW_NONE;
}

uint32_t fw_cursor_next(struct fw_cursor *c, const struct fw_index *index, const struct fw_probe *p, bool *ret_verify)
{
	for (;;) {
		if (!c->words_left && !(c->words_left = index->find_block(p, &c->block, c->last_block, c->words)))
			return FW_NONE;
		uint32_t w = (uint32_t)__builtin_ctz(c->words_left), bit = (uint32_t)__builtin_ctzll(c->words[w]);
		uint32_t word = (c->block - 1) * (FW_BLOCK_ROWS / 64) + w, row_rule = index->row_rule[word * 64 + bit];
		c->words[w] &= c->words[w] - 1;
		c->words_left ^= (unsigned)(c->words[w] == 0) << w;
		if (row_rule >> 1 == c->last_rule)
			continue; /* another alternative of a rule that came up already */
		*ret_verify = p->verify | (row_rule & 1) | (p->listed[word] >> bit & 1);
		c->last_rule = row_rule >> 1;
		return c->last_rule;
	}
}
