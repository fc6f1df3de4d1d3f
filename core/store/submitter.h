/* What the keeper knows of a handle that submits: the outcomes of its last batches, so that one which comes again, because its
 * answer was lost, gets the first outcome and is not applied twice. They lie in one row of the store's own for each
 * submitter, written with every group that has batches of it:
 *   first sequence (8), when (8, seconds since 1970), how many (4), then each: rc (1, negated), version (8)
 * Outcomes that the submitter has seen are dropped. Only for the keeper. */
#ifndef FW_STORE_SUBMITTER_H
#define FW_STORE_SUBMITTER_H

#include "base/buf.h"
#include "store/lmdb.h"

struct fw_outcome {
	int rc; /* FW_OUTCOME_NONE: not decided yet */
	uint64_t version;
};

enum { FW_OUTCOME_NONE = 1 };

struct fw_submitter {
	struct fw_submitter *next;
	uint64_t id;
	uint64_t first;    /* the sequence of outcomes[0] */
	uint64_t answered; /* it has seen everything below */
	struct fw_outcome *outcomes;
	uint32_t n, size;
	int64_t seen_s;
	unsigned connections;
	bool stored; /* has a row */
	bool touched; /* by the group in hand */
};

enum fw_submitted {
	FW_SUBMITTED_NEW,
	FW_SUBMITTED_AGAIN, /* its outcome is there, or will be when the group in hand is done */
};

/* All that have a row. LMDB's code, or ENOMEM. */
int fw_submitters_load(struct fw_submitter **list, MDB_txn *txn, MDB_dbi dbi, uint64_t *ret_n);
void fw_submitters_destroy(struct fw_submitter **list);
/* The one of that id, made if need be; NULL: out of memory. */
struct fw_submitter *fw_submitters_find(struct fw_submitter **list, uint64_t id);

/* Takes a batch's number: 0, FW_EINVAL (it is below what is known, or too far behind its answers), FW_ENOMEM. */
int fw_submitter_take(struct fw_submitter *s, uint64_t sequence, uint64_t answered, enum fw_submitted *ret);
/* The place of an outcome that was taken; NULL when it was forgotten since. An open one never is. */
struct fw_outcome *fw_submitter_outcome(const struct fw_submitter *s, uint64_t sequence);
/* Forgets what it has seen. */
void fw_submitter_trim(struct fw_submitter *s);
/* Writes its row, up to the first outcome that is open. LMDB's code; `b` is for the bytes. */
int fw_submitter_write(const struct fw_submitter *s, MDB_txn *txn, MDB_dbi dbi, int64_t now_s, struct fw_buf *b);
int fw_submitter_delete(const struct fw_submitter *s, MDB_txn *txn, MDB_dbi dbi);

#endif
