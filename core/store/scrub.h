/* What was deleted stays in LMDB's file: in pages that are free, between the rows of a page and behind long ones, and a key
 * also where it parts two pages. A scrub overwrites all of it with zeros, in slices between the writer's transactions, without
 * a transaction of its own and without moving anything:
 *  - free pages, by the rule by which LMDB itself would write on them: no reader sees them, nor does the last state but one, to
 *    which a power loss may return;
 *  - in pages that are in use, only bytes that belong to nothing, and of a key that parts two pages and is no row's any
 *    more, only so that it parts them at every moment.
 * So whoever reads, and a keeper that is killed in the middle, find the same rows as before.
 *
 * LMDB takes its buffers for pages from those it had before, with what was in them, and writes them whole. So there are two
 * walks through the rows: after the first no page in use has such a key of before; the environment is opened anew, with new
 * buffers, which from then on hold nothing that was deleted before; the second clears what the old ones have left meanwhile.
 * But a page that is copied between two slices takes along up to seven bytes at either end of its gap. Only for the keeper. */
#ifndef FW_STORE_SCRUB_H
#define FW_STORE_SCRUB_H

#include "store/page.h"

enum fw_scrub_stage {
	FW_SCRUB_ONCE, /* through all rows, in the order of their keys */
	FW_SCRUB_ROWS, /* and again, with new buffers */
	FW_SCRUB_LIST, /* LMDB's list of free pages, then a transaction, so that what was freed last may be overwritten */
	FW_SCRUB_FREE, /* the free pages themselves */
};

struct fw_scrub {
	enum fw_scrub_stage stage;
	char after[FW_LMDB_KEY_BYTES]; /* rows up to this key are done */
	size_t n_after;
	uint64_t walked;  /* the last transaction when the rows were done: what it and those before it freed is to be overwritten */
	uint64_t page;    /* free pages below it are done */
	uint64_t cleared; /* bytes overwritten, in all */
	size_t unsynced;  /* of them, since the file was last synced */
	uint8_t *buffers; /* pages: from the root down to the leaf in hand, and one more */
	uint8_t *is_free; /* a bit a page */
	size_t free_bytes;
};

void fw_scrub_init(struct fw_scrub *s);
void fw_scrub_finish(struct fw_scrub *s);

enum { FW_SCRUB_DONE = 0, FW_SCRUB_MORE = 1, FW_SCRUB_REOPEN = 2 };

/* One slice, of about a millisecond. FW_SCRUB_MORE; FW_SCRUB_REOPEN: more, and `l` is to be opened anew before; FW_SCRUB_DONE:
 * nothing is left that was deleted before the first slice, and that is on disk; FW_EBUSY: not as long as an older state is read;
 * FW_EFULL: not as long as the disk is full; FW_EINVAL: the file is damaged or of another form; FW_EIO, FW_ENOMEM. */
int fw_scrub_step(struct fw_scrub *s, const struct fw_lmdb *l);

/* Parts of it. scrub_rows.c: slices of a walk through the rows (1: more, 0: done), and the walk of the list. */
int fw_scrub_rows(struct fw_scrub *s, const struct fw_pages *p, MDB_txn *txn, MDB_dbi dbi, int64_t until_us);
int fw_scrub_list(struct fw_scrub *s, const struct fw_pages *p);
/* Zeros from byte `from` to `to` of a page of which `page` is the copy in hand, if they are not zeros. */
int fw_scrub_clear(struct fw_scrub *s, const struct fw_pages *p, uint64_t number, uint8_t *page, size_t from, size_t to);

#endif
