/* What an entry of another bucket's outbox does to the row that it is for. Pure: rows and entries in, a row and entries out;
 * delivering (post.h) reads, writes and repeats. */
#ifndef FW_PEOPLE_RECEIVE_H
#define FW_PEOPLE_RECEIVE_H

#include "people/entry.h"
#include "people/late.h"

struct fw_received {
	bool changed;         /* the row: it is to be `value`; p NULL: deleted */
	struct fw_str value;
	const struct fw_record *record; /* where `value` is one */
	bool anew;            /* which was in another row, or away, before */
	struct fw_entry *out; /* for further buckets, in the arena */
	unsigned n_out;
	struct fw_spilled spilled[FW_SPILL_MOST]; /* messages that found no room in the record: rows beside it */
	unsigned n_spilled;
	struct fw_str before; /* ABSORB that was done: the record as it was, to be kept under the seal; n 0: none */
	bool merged;
	bool buried;          /* all rows beside it go, too, and a tombstone comes */
	bool waits;           /* the row is on its way to another and may come back: `out` is the entry itself, for later */
	const char *refused;  /* why two people do not become one; NULL: nothing was refused */
	struct fw_late late;  /* who is to be erased with somebody else; person.id.n 0: nobody */
};

/* Whether what becomes of such an entry depends on the tombstone of its target: it brings two together. */
bool fw_receive_joins(enum fw_entry_kind kind);

/* `row` is the value of e->target's row (p NULL: there is none), `version` its version: where a record moves, that is the merge's
 * number. `tombstone` is that of e->target, where fw_receive_joins. 0, FW_EINVAL (the row cannot be read), FW_ENOMEM. */
int fw_receive(struct fw_arena *a, const struct fw_secret *secret, const struct fw_entry *e, struct fw_str row, uint64_t version,
	const struct fw_tombstone *tombstone, struct fw_received *ret);

/* Which of two records moves to the other, `id` to `other` if true: an order that never changes, so that no two move to each other. */
bool fw_receive_moves(const struct fw_person_id *id, const struct fw_person_id *other);

#endif
