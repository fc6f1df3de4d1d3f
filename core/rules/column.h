/* The index's inside, shared by the files that build it (index_build.c), look facts up (index_probe.c) and walk it
 * (index.c). Not for other rooms. */
#ifndef FW_RULES_COLUMN_H
#define FW_RULES_COLUMN_H

#include "base/map.h"
#include "rules/index.h"
#include "rules/rows.h"

/* A test builds the index with less, so that whatever happens beyond them happens. */
#ifndef FW_MOST_COLUMNS
#define FW_MOST_COLUMNS 64     /* each costs an AND a block */
#define FW_MOST_SEVERAL 256    /* bit sets beyond one a column, for facts with several possible values */
#define FW_MOST_LISTS 64
#define FW_INDEX_BYTES (4 << 20) /* bit sets up to so many bytes, or … */
#define FW_INDEX_ROW_BYTES 192   /* … so many a row */
#endif

enum {
	FW_BLOCK_ROWS = 256,
	FW_ATOMS_A_COLUMN = 4,
	FW_BITS_AT_ONCE = 8,   /* bit sets ANDed before it is asked whether anything is left; a probe has a multiple of these */
};
#define FW_NO_ROW UINT32_MAX

/* The numbers that every column begins with; a value's own numbers follow. */
enum { FW_ID_OUT_OF_REACH, FW_ID_ABSENT, FW_ID_FIRST };

enum fw_column_kind {
	FW_COLUMN_STATE, /* known or not */
	FW_COLUMN_DICT,  /* text: other, then each named value */
	FW_COLUMN_RANGE, /* number: below the first break point, then from each up to the next */
	FW_COLUMN_BOOL,
	FW_COLUMN_ATOMS, /* up to four tests of one value: 16 combinations */
	FW_COLUMN_KINDS,
};

/* A test of a value: a literal without its negation. Those of one text are found by a map, the others are tried. */
struct fw_atom {
	struct fw_literal literal;
	uint32_t usage, positive;  /* rows that name it; of these, how many ask for it to be true */
	bool simple;
	uint32_t column, bit;      /* where it is, or FW_NONE: its rows are listed or verified */
	uint32_t *list;            /* a count, then rows; or NULL */
};

/* What one fact is asked in one way: the source of a column, or of several (atoms). */
struct fw_source_of {
	uint32_t ref;
	enum fw_column_kind kind;
	uint32_t usage;
	bool any_type;             /* a trait or event property: read as the rule's type */
	uint32_t column, n_columns; /* the first of its own, or FW_NONE */
	struct fw_map values;      /* DICT: folded text to a value; ATOMS: folded text to a simple atom */
	struct fw_atom *atoms;     /* DICT: one a value; ATOMS */
	uint32_t n_atoms, size;
	double *points;            /* RANGE: break points, ascending */
	uint32_t n_points;
	bool has_lists;
	bool tried;                /* ATOMS: some atoms are not simple */
};

struct fw_column {
	uint32_t source;
	uint32_t n_ids;
	const uint64_t *bits;      /* n_ids sets, one behind the other */
	double rules_out;          /* how many rows each set of it rules out, on average */
	uint32_t place;            /* its bit set's in a probe: columns that rule out most come first */
};

/* The next block that has rows left: its words, and which of them (1, 2, 4, 8) are not zero; 0 when there is none. */
typedef unsigned (*fw_find_block)(const struct fw_probe *p, uint32_t *block, uint32_t last, uint64_t out[4]);
fw_find_block fw_index_find_block(void);

struct fw_index {
	struct fw_arena arena;
	const struct fw_ruleset *set;
	uint64_t *bits;            /* all bit sets; the first is of rows that may come from bit sets at all, and is worked
	                            * into those of the column at place 0 */
	uint32_t words;            /* a set's, a multiple of 4 */
	uint32_t n_rows;           /* padded */
	uint32_t *row_rule;        /* rule << 1 | verify; FW_NO_ROW for padding */
	uint32_t *slot_first;      /* n_slots + 1 */
	bool dated;                /* some rule has dates */
	struct fw_source_of *sources;
	uint32_t n_sources, sources_size;
	struct fw_column *columns;
	uint32_t n_columns;
	fw_find_block find_block;
	size_t bytes;
};

/* While an index is being made. */
struct fw_making {
	struct fw_index *index;
	const struct fw_ruleset *set;
	struct fw_rows rows;
	uint32_t *position;    /* of each row, padded */
	struct fw_map sources; /* ref and kind to a source */
	uint32_t *term_source, *term_atom; /* of each term */
	uint8_t *off;          /* rows that come from lists only */
	uint32_t sets_left;
};

/* The last step of making: the bit sets. */
int fw_index_fill(struct fw_making *m);

/* The kind of column a literal belongs to. */
enum fw_column_kind fw_column_kind_of(const struct fw_ruleset *set, const struct fw_literal *l);

#endif
