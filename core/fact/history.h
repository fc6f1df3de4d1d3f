/* What a person did, counted: how often each thing was viewed, searched, added, bought, clicked or opened, by the hour for
 * the last three days, by the day for the last 400, and in total. Data alone, as a person's record has it packed; it is
 * unpacked when the first question comes.
 *
 * A series is a thing: a product with its category and brand, a category, a search; whatever of these is not known, or was
 * forgotten, is 0. What a series has is asked for by any of its labels, so a view is stored once and counts for the product,
 * the category and the brand. Cells are its counts. */
#ifndef FW_FACT_HISTORY_H
#define FW_FACT_HISTORY_H

#include "base/pack.h"
#include "fact/facts.h"

/* A text of the record; series name texts by number, from 1. */
struct fw_history_text {
	struct fw_packed packed;
	uint32_t next; /* the number of the next one in the same list; 0: none */
};

struct fw_cell {
	uint32_t hour; /* since 1970; of a day its first; 0: before all that */
	uint8_t kind;  /* 0 viewed … 5 opened, in the order of their facts */
	bool hourly;
	uint32_t count;
};

enum { FW_LABELS = 4 }; /* category, product, brand, term: enum fw_key_kind less 1 */

struct fw_series {
	uint32_t labels[FW_LABELS];
	struct fw_cell *cells; /* newest first, then by kind */
	uint32_t n, size;
};

enum { FW_HISTORY_LIST_BITS = 6, FW_HISTORY_LISTS = 1 << FW_HISTORY_LIST_BITS };

struct fw_history {
	struct fw_arena *arena;                    /* of what is unpacked: whoever asks may have one that ends before */
	struct fw_str packed_texts, packed_series; /* as the record has them; n 0: nothing */
	struct fw_history_text *texts;             /* NULL: not looked for yet */
	struct fw_series *series;
	uint32_t n_texts, n_series;
	uint32_t first[FW_HISTORY_LISTS]; /* of texts whose packed form ends alike, their numbers */
	bool has_series, broken;
	int64_t now_us;              /* at which it is asked */
	double interest[FW_LABELS];  /* all of a label together, for shares; negative: not added up yet */
};

/* A key as the texts have it, in the arena: it is found among them without unpacking any. No letters: nobody can have such a
 * key. 0 or FW_ENOMEM. */
int fw_history_pack_key(struct fw_arena *a, struct fw_str key, struct fw_packed *ret);

/* Unpacks all but what the texts say, once. 0, or FW_EINVAL: the bytes are no history, or memory ran out. */
int fw_history_unpack(struct fw_history *h);
/* A text by its number, in the arena given; p NULL: there is none of this number, the bytes are no text, or memory ran out. */
struct fw_str fw_history_text(struct fw_history *h, uint32_t number, struct fw_arena *a);
/* Packs series; `renumber` (may be NULL) has the new number of each text. */
void fw_history_pack(const struct fw_series *series, uint32_t n, const uint32_t *renumber, struct fw_buf *out);

/* A query's count, or the share of recency-weighted interest (a view weighs 1, an addition 3, a purchase 8; half of it is
 * gone after FW_INTEREST_DAYS). 0 for what never happened. A window reaches back to the beginning of the hour (up to three
 * days) or day in which it begins. Unpacks no more than the question needs; `a` is for the question alone. 0, FW_EINVAL, as
 * above, or FW_ENOMEM. */
enum { FW_INTEREST_DAYS = 30 };
int fw_history_ask(struct fw_history *h, const struct fw_query *query, struct fw_arena *a, double *ret);
/* The share of one text in all interest by a label, of an unpacked history. */
double fw_history_share(struct fw_history *h, enum fw_key_kind kind, uint32_t text);

#endif
