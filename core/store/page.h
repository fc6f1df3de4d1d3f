/* The pages of LMDB's file, as they lie on the disk: LMDB gives out rows and no pages, and what was deleted stays between and
 * behind the rows of a page. Form: LMDB 0.9, data version 1 (MDB_meta, MDB_db, MDB_page and MDB_node in its mdb.c). Read with
 * the writer's own descriptor, by the writer, between its transactions. Only for core/store/. */
#ifndef FW_STORE_PAGE_H
#define FW_STORE_PAGE_H

#include "store/lmdb.h"

enum {
	FW_PAGE_HEAD = 16,
	FW_PAGE_DEPTH = 32, /* of a tree; LMDB's own limit */
};

#define FW_PAGE_NONE UINT64_MAX

/* The state that a transaction sees. */
struct fw_pages {
	int fd;
	size_t bytes;        /* of a page */
	uint64_t last;       /* number of the last one */
	uint64_t txn;
	uint64_t free_root, main_root; /* of LMDB's list of free pages, and of the rows; FW_PAGE_NONE: empty */
};

/* A node of a page: a child with the key that it begins with, or a row. */
struct fw_page_node {
	size_t key_at, key_n; /* in the page */
	uint64_t child;       /* of a branch */
	size_t data_at, data_n;
	uint64_t overflow;    /* the data lies in pages of its own, from this one on; 0: it does not */
};

/* `txn` is a read transaction of the writer that sees the latest state. 0; FW_EINVAL: the file has another form; FW_EIO. */
int fw_pages_see(const struct fw_lmdb *l, MDB_txn *txn, struct fw_pages *ret);

/* `n` bytes from byte `at` of a page on. 0, FW_EIO, or FW_EINVAL: there is no such page. */
int fw_page_read_part(const struct fw_pages *p, uint64_t number, size_t at, size_t n, uint8_t *ret);
/* A whole branch or leaf, whose head is looked at. FW_EINVAL: it is none. */
int fw_page_read(const struct fw_pages *p, uint64_t number, uint8_t *ret);
bool fw_page_is_leaf(const uint8_t *page);
unsigned fw_page_count(const uint8_t *page);
/* 0, or FW_EINVAL: it reaches out of the page. */
int fw_page_node(const struct fw_pages *p, const uint8_t *page, unsigned i, struct fw_page_node *ret);
/* The bytes of a page that belong to nothing. */
void fw_page_gap(const uint8_t *page, size_t *ret_from, size_t *ret_to);
/* How many pages data has that begins with this one: 0 or FW_EINVAL, FW_EIO. */
int fw_page_overflow(const struct fw_pages *p, uint64_t number, uint64_t *ret_pages);

/* Whether they all are; of none, yes. */
bool fw_bytes_are_zero(const uint8_t *p, size_t n);
/* Writes `n` bytes at byte `at` of a page. FW_EFULL, FW_EIO. */
int fw_page_write(const struct fw_pages *p, uint64_t number, size_t at, const uint8_t *bytes, size_t n);

#endif
