/* Copying every row of one store into another, while others go on changing the first. It works over store.h alone, and so between
 * any two stores; the store's own rows (leases) stay where they are.
 *
 * A *pass* goes through all buckets. It reads a page of each side, compares key by key and byte by byte, and puts what is
 * missing or different, and deletes what the source has not. So the first pass copies, a later one checks, and one after an
 * interruption writes only what is left to do; and what a pass that found nothing says is no estimate. Rows that change meanwhile
 * are heard of by notices and read again. Of what a checking pass finds different, what a notice speaks of, be it by the
 * pass's end, was only on its way; the rest is *differing*: notices were lost, and another pass follows.
 *
 * One bucket is one job's at a time, so that its rows are written in the order in which they were read. */
#ifndef FW_STORE_COPY_H
#define FW_STORE_COPY_H

#include "store/store.h"

struct fw_copy;

struct fw_copy_options {
	struct fw_store *from, *to; /* the caller's; both on its loop */
	bool into_existing; /* rows of `to` that `from` lacks are deleted; otherwise `to` has to be empty */
	bool still;         /* nobody changes `from`: there are no notices, and every difference counts */
	bool follow;        /* after the check, until fw_copy_finish or fw_copy_still */
};

enum fw_copy_phase {
	FW_COPY_LOOKING,   /* at whether the destination is empty */
	FW_COPY_COPYING,   /* the first pass */
	FW_COPY_CHECKING,  /* further ones */
	FW_COPY_FOLLOWING, /* a check found nothing; changes are copied as they come */
	FW_COPY_DONE,      /* a check found nothing, and every change heard of by then is copied */
	FW_COPY_FAILED,    /* `err` says why; the copy is not complete */
};

struct fw_copy_side {
	uint64_t rows, bytes; /* keys and values, as this side told them in the last pass */
};

struct fw_copy_progress {
	enum fw_copy_phase phase;
	unsigned passes;      /* begun */
	unsigned buckets;     /* of this pass that are through */
	struct fw_copy_side from, to;
	uint64_t written, deleted; /* in `to`, since the beginning */
	uint64_t noted;       /* rows heard of that wait to be read again */
	uint64_t differing;   /* found by the last whole pass after the first, and copied again */
	struct fw_error err;
};

/* Begins; it goes on as the loop turns. 0 or FW_ENOMEM. */
int fw_copy_create(const struct fw_copy_options *options, struct event_base *base, struct fw_copy **ret);
/* Goes through the buckets once more, and then ends instead of following. */
void fw_copy_finish(struct fw_copy *c);
/* From now on nobody changes the source (its keeper is gone, and its place is taken): what changed last is found by passes,
 * until one finds nothing; then it ends. */
void fw_copy_still(struct fw_copy *c);
const struct fw_copy_progress *fw_copy_progress(const struct fw_copy *c);
static inline bool fw_copy_is_over(const struct fw_copy *c)
{
	return fw_copy_progress(c)->phase >= FW_COPY_DONE;
}
/* Begins nothing more: before both stores are closed, which gives up what is under way. Then fw_copy_destroy. NULL is fine for
 * both. */
void fw_copy_end(struct fw_copy *c);
void fw_copy_destroy(struct fw_copy *c);

#endif
