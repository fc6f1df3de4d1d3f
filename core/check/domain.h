/* What visitors may be, as far as a rule set can tell them apart. Each thing asked (a fact, a member, a query) is a dimension; its
 * values fall into cells, such that every literal of the set says the same of all values of a cell. A cell that can be shown has one
 * such value, so what a literal says of it is found out by the literal itself, and not by a second reading of the language.
 *
 * Whatever is not told apart exactly has cells for more than can be: conditions may then seem to leave room where there is none,
 * never the other way round. */
#ifndef FW_CHECK_DOMAIN_H
#define FW_CHECK_DOMAIN_H

#include "rules/ruleset.h"

enum fw_dim_kind {
	FW_DIM_REF,      /* a fact's value; cells as below */
	FW_DIM_HOLDS,    /* whether a set holds one value: no, yes */
	FW_DIM_PROVEN,   /* whether a trait is proven, which only guards ask: no, yes */
	FW_DIM_FUNCTION, /* what a function says to a rule, or to a guard: the cells are enum fw_truth */
	FW_DIM_OPAQUE,   /* what a literal says whose fact is not told apart: the same */
	FW_DIM_CLOCK,    /* the time from now on, between one rule's beginning or end and the next */
};

/* The cells that every FW_DIM_REF begins with; those that its fact cannot have are in no side. */
enum {
	FW_CELL_OUT,     /* out of reach */
	FW_CELL_ABSENT,
	FW_CELL_SEVERAL, /* a time fact of which several values are possible; only a search for covers looks at it */
	FW_CELL_SET,     /* a set: what it holds is in dimensions of their own */
	FW_CELL_VALUES,  /* the first value */
};
enum { FW_CELL_NO, FW_CELL_YES };

struct fw_cell {
	struct fw_value value;
	bool shown;          /* a visitor can be written down who has it */
	bool made;           /* no value was found: `matches` says which of the patterns match it */
	uint32_t matches;
	double low, high;    /* of numbers: all values of the cell lie between, both included */
};

/* Which cells of a dimension: words of 64. */
typedef const uint64_t *fw_side;

struct fw_dim {
	enum fw_dim_kind kind;
	uint32_t subject;    /* the ref, function or literal */
	struct fw_value held; /* FW_DIM_HOLDS */
	struct fw_cell *cells;
	uint32_t n, words;
	fw_side all;
	bool opaque;         /* FW_DIM_REF: its literals have dimensions of their own */
	bool listed;         /* `values` finds every cell that a text has */
	struct fw_map values;
	uint32_t other;      /* the cell of all texts that are not named, or FW_NONE */
	const uint32_t *patterns; /* literals */
	uint32_t n_patterns;
	const uint32_t *most;     /* counts that are never smaller than this one: dimensions */
	uint32_t n_most;
};

struct fw_domain {
	const struct fw_ruleset *set;
	struct fw_arena *arena;
	int64_t now_us;
	struct fw_dim *dims; /* those of the refs first, by number */
	uint32_t n, size;
	uint32_t first_function, clock;
	uint32_t several[3], n_several; /* the dimensions of time facts */
	uint32_t *proven, *opaque; /* by ref, by literal: a dimension, or FW_NONE */
	fw_side *sides[2];         /* by literal: where it is false, where it is true; made when asked for */
	struct fw_map holds;
	const int64_t *moments;    /* FW_DIM_CLOCK: where each cell begins */
	bool no_memory;
};

/* Everything lies in the arena. 0 or FW_ENOMEM. */
int fw_domain_init(struct fw_domain *d, const struct fw_ruleset *set, int64_t now_us, struct fw_arena *arena);

/* The cells of its ref's dimension in which a literal is true, or false; sets left out. NULL: no memory. */
fw_side fw_domain_side(struct fw_domain *d, uint32_t literal, bool when_true);
/* The dimension of whether the literal's fact, a set, holds its i-th value; of a trait's being proven; of what an opaque literal says. */
uint32_t fw_domain_holds(struct fw_domain *d, uint32_t literal, uint32_t i);
uint32_t fw_domain_proven(struct fw_domain *d, uint32_t ref);
uint32_t fw_domain_opaque(struct fw_domain *d, uint32_t literal);
/* The clock's cells between two moments. */
fw_side fw_domain_between(struct fw_domain *d, int64_t from_us, int64_t until_us);
/* A side with one cell. */
fw_side fw_domain_one(struct fw_domain *d, uint32_t dim, uint32_t cell);
uint64_t *fw_domain_side_new(struct fw_domain *d, uint32_t dim);

/* Whether values of the fact can be sets; whether several values of it are possible at once. */
bool fw_domain_may_be_set(const struct fw_domain *d, uint32_t ref);
bool fw_domain_may_be_several(const struct fw_domain *d, uint32_t dim);

static inline bool fw_side_has(fw_side s, uint32_t cell)
{
	return s[cell / 64] >> (cell % 64) & 1;
}

static inline void fw_side_add(uint64_t *s, uint32_t cell)
{
	s[cell / 64] |= UINT64_C(1) << (cell % 64);
}

static inline void fw_side_drop(uint64_t *s, uint32_t cell)
{
	s[cell / 64] &= ~(UINT64_C(1) << (cell % 64));
}

/* Text cells (cells_text.c) and number cells (cells_number.c) of a ref's dimension, from the literals that ask for it. */
struct fw_asked {
	const uint32_t *literals;
	uint32_t n;
};
struct fw_cell *fw_domain_cell(struct fw_domain *d, struct fw_dim *dim);
int fw_cells_text(struct fw_domain *d, struct fw_dim *dim, const struct fw_asked *asked);
int fw_cells_number(struct fw_domain *d, struct fw_dim *dim, const struct fw_asked *asked);
/* The cell of a value that a visitor has, or FW_NONE: it is not told apart from others. */
uint32_t fw_cell_of(const struct fw_domain *d, const struct fw_dim *dim, const struct fw_value *v);
/* Of a text that is not named: the cell of those that match the same patterns, or FW_NONE. */
uint32_t fw_cells_text_of(const struct fw_domain *d, const struct fw_dim *dim, struct fw_str folded);
/* Some value, nothing more: what the literals say of it has dimensions of their own. */
int fw_domain_give_up(struct fw_domain *d, struct fw_dim *dim);
/* A further text that is none of those named, for the fact; false: none was found. */
bool fw_cells_other(struct fw_domain *d, const struct fw_dim *dim, struct fw_value *ret);

#endif
