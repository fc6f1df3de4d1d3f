/* The index: which rules of a slot match a visitor, strongest first, without looking at those that do not.
 *
 * Every alternative of a rule is a row; rows lie slot after slot, strongest first. A *column* maps what a visitor has for
 * one fact to a small number, and for each such number there is a bit set over all rows: those that this value does not
 * rule out. A decision ANDs one bit set a column, block by block, and stops at the first row that survives (bit-vector
 * packet classification: T. V. Lakshman, D. Stiliadis, SIGCOMM 1998). Values that few rows name have no bit set, so that
 * memory stays bounded; each keeps a list of those rows, which come up as well, in their place, and are verified. */
#ifndef FW_RULES_INDEX_H
#define FW_RULES_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/eval.h"

struct fw_index;

/* Makes the index of a ranked set, whose slots, rules and conditions it goes on using. 0 or FW_ENOMEM. */
int fw_index_create(const struct fw_ruleset *set, struct fw_index **ret);
/* Gives the index back; NULL is fine. */
void fw_index_destroy(struct fw_index *index);
/* Bytes of all bit sets. */
size_t fw_index_bytes(const struct fw_index *index);

/* A visitor's facts, looked up: which bit sets and which lists a decision needs. The arrays belong to the probe's owner
 * (a worker), are made by init and used again. */
struct fw_probe {
	const uint64_t **bits;
	uint32_t n_bits, bits_size;
	uint64_t *listed;       /* the rows of this visitor's lists */
	const uint32_t **lists; /* those lists, each a count, then rows: what to take out of `listed` next time */
	uint32_t n_lists, lists_size;
	bool listed_more;       /* there are rows in `listed` that no list here has */
	bool verify;            /* some value could not be mapped exactly: every row that comes up is verified */
	uint64_t *dated;        /* the rows of rules in date, from one moment up to another; NULL when no rule has dates */
	int64_t dated_from_us, dated_until_us;
};

int fw_probe_init(struct fw_probe *p, const struct fw_index *index);
void fw_probe_finish(struct fw_probe *p);
/* Looks the facts up. After it the candidates of every slot can be asked for. Where the facts have a clock, rules out of
 * date do not come up; it costs a look at every row when a rule began or ended since the last time. */
void fw_probe_set(struct fw_probe *p, const struct fw_index *index, const struct fw_facts *facts);

/* Walks one slot's candidates. */
struct fw_cursor {
	uint64_t words[4];           /* what is left of the last block found */
	unsigned words_left;         /* those of them (1, 2, 4, 8) that are not zero */
	uint32_t block, last_block;  /* the next to look at, of 256 rows, and where the slot's end */
	uint32_t last_rule;
};

void fw_cursor_init(struct fw_cursor *c, const struct fw_index *index, uint32_t slot);
/* The next rule whose table conditions may all be true, strongest first, each once; FW_NONE at the end. `ret_verify`:
 * the condition must still be evaluated (else it is known to be true). */
uint32_t fw_cursor_next(struct fw_cursor *c, const struct fw_index *index, const struct fw_probe *p, bool *ret_verify);

#endif
