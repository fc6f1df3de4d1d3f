/* The pages in use: the gaps between their nodes, what lies behind long data, and keys that part two pages and are no row's. */
#include "store/scrub.h"

#include "base/clock.h"
#include "store/wire.h"

/* From the root to a leaf. */
struct path {
	unsigned depth;
	uint64_t number[FW_PAGE_DEPTH];
	unsigned index[FW_PAGE_DEPTH]; /* of the child that is the next page */
};

/* What a walk of a tree needs. */
struct walk {
	struct fw_scrub *s;
	const struct fw_pages *p;
	MDB_txn *txn; /* NULL: the tree of free pages, whose keys say nothing of anybody */
	MDB_dbi dbi;
	struct path path;
};

static uint8_t *buffer(const struct walk *w, unsigned level)
{
	return w->s->buffers + level * w->p->bytes;
}

int fw_scrub_clear(struct fw_scrub *s, const struct fw_pages *p, uint64_t number, uint8_t *page, size_t from, size_t to)
{
	if (from >= to || fw_bytes_are_zero(page + from, to - from))
		return 0;
	memset(page + from, 0, to - from);
	s->cleared += to - from;
	s->unsynced += to - from;
	return fw_page_write(p, number, from, page + from, to - from);
}

/* What lies behind the first `used` bytes of data that has pages of its own. */
static int clear_tail(struct walk *w, uint64_t number, size_t used)
{
	uint8_t *page = buffer(w, FW_PAGE_DEPTH);
	uint64_t pages;
	int rc = fw_page_overflow(w->p, number, &pages);
	if (rc == 0 && used + FW_PAGE_HEAD > pages * w->p->bytes)
		rc = FW_EINVAL;
	for (uint64_t i = (used + FW_PAGE_HEAD) / w->p->bytes; rc == 0 && i < pages; i++) {
		size_t begins = (size_t)i * w->p->bytes, from = used + FW_PAGE_HEAD > begins ? used + FW_PAGE_HEAD - begins : 0;
		rc = fw_page_read_part(w->p, number + i, 0, w->p->bytes, page);
		if (rc == 0)
			rc = fw_scrub_clear(w->s, w->p, number + i, page, from, w->p->bytes);
	}
	return rc;
}

/* A list of free pages tells how many it has; room that is left says nothing. */
static int list_bytes(struct walk *w, const uint8_t *page, const struct fw_page_node *node, size_t *ret)
{
	uint8_t count[8];
	if (node->data_n < sizeof count)
		return FW_EINVAL;
	int rc = 0;
	if (node->overflow)
		rc = fw_page_read_part(w->p, node->overflow, FW_PAGE_HEAD, sizeof count, count);
	else
		memcpy(count, page + node->data_at, sizeof count);
	uint64_t n = fw_get_number(count, 8);
	*ret = (size_t)(n + 1) * 8;
	return rc < 0 ? rc : n < node->data_n / 8 ? 0 : FW_EINVAL;
}

static int clear_leaf(struct walk *w, uint64_t number, uint8_t *page)
{
	for (unsigned i = 0; i < fw_page_count(page); i++) {
		struct fw_page_node node;
		int rc = fw_page_node(w->p, page, i, &node);
		size_t used = node.data_n;
		if (rc == 0 && !w->txn)
			rc = list_bytes(w, page, &node, &used);
		if (rc == 0 && node.overflow)
			rc = clear_tail(w, node.overflow, used);
		else if (rc == 0)
			rc = fw_scrub_clear(w->s, w->p, number, page, node.data_at + used, node.data_at + node.data_n);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The last key below a page, into `key`. */
static int find_last_key(struct walk *w, uint64_t number, uint8_t key[FW_LMDB_KEY_BYTES], size_t *ret_n)
{
	uint8_t *page = buffer(w, FW_PAGE_DEPTH);
	for (unsigned depth = 0; depth < FW_PAGE_DEPTH; depth++) {
		struct fw_page_node node;
		int rc = fw_page_read(w->p, number, page);
		if (rc == 0)
			rc = fw_page_node(w->p, page, fw_page_count(page) - 1, &node);
		if (rc < 0)
			return rc;
		if (fw_page_is_leaf(page)) {
			memcpy(key, page + node.key_at, node.key_n);
			*ret_n = node.key_n;
			return 0;
		}
		number = node.child;
	}
	return FW_EINVAL;
}

/* A key K that parts two pages has to be greater than the last key A before it. Where the two differ first, the byte of K becomes
 * that of A and one more, and zeros follow: it stays greater than A and does not become greater than it was, whichever of these
 * bytes are written already. What is left tells of A alone. */
static int blur_key(struct walk *w, uint64_t number, uint8_t *page, const struct fw_page_node *node, uint64_t before)
{
	uint8_t last[FW_LMDB_KEY_BYTES], *key = page + node->key_at;
	size_t n = 0, same = 0;
	int rc = find_last_key(w, before, last, &n);
	if (rc < 0)
		return rc;
	while (same < n && same < node->key_n && key[same] == last[same])
		same++;
	if (same == node->key_n || (same < n && key[same] < last[same]))
		return FW_EINVAL;
	if (same == n)
		return fw_scrub_clear(w->s, w->p, number, page, node->key_at + same, node->key_at + node->key_n);
	if (key[same] == last[same] + 1 && fw_bytes_are_zero(key + same + 1, node->key_n - same - 1))
		return 0;
	key[same] = (uint8_t)(last[same] + 1);
	memset(key + same + 1, 0, node->key_n - same - 1);
	w->s->cleared += node->key_n - same;
	w->s->unsynced += node->key_n - same;
	return fw_page_write(w->p, number, node->key_at + same, key + same, node->key_n - same);
}

static int clear_keys(struct walk *w, uint64_t number, uint8_t *page)
{
	uint64_t before = 0;
	for (unsigned i = 0; i < fw_page_count(page); i++) {
		struct fw_page_node node;
		MDB_val value;
		int rc = fw_page_node(w->p, page, i, &node);
		if (rc < 0)
			return rc;
		MDB_val key = { node.key_n, page + node.key_at };
		int code = node.key_n ? mdb_get(w->txn, w->dbi, &key, &value) : 0;
		if (code != 0 && code != MDB_NOTFOUND)
			return FW_EIO;
		/* The first one's is never looked at. */
		if (code == MDB_NOTFOUND && i == 0)
			rc = fw_scrub_clear(w->s, w->p, number, page, node.key_at, node.key_at + node.key_n);
		else if (code == MDB_NOTFOUND)
			rc = blur_key(w, number, page, &node, before);
		if (rc < 0)
			return rc;
		before = node.child;
	}
	return 0;
}

static int clear_page(struct walk *w, uint64_t number, uint8_t *page)
{
	size_t from, to;
	int rc = 0;
	fw_page_gap(page, &from, &to);
#ifndef FW_BREAK_SCRUB_GAPS
	rc = fw_scrub_clear(w->s, w->p, number, page, from, to);
#endif
	if (rc < 0)
		return rc;
	if (fw_page_is_leaf(page))
		return clear_leaf(w, number, page);
#ifdef FW_BREAK_SCRUB_KEYS
	return 0;
#endif
	return w->txn ? clear_keys(w, number, page) : 0;
}

/* The child of a branch below which the key is, or would be. */
static unsigned find_child(const struct walk *w, const uint8_t *page, const char *key, size_t n)
{
	struct fw_page_node node;
	unsigned i = fw_page_count(page) - 1;
	for (; i > 0 && n > 0; i--)
		if (fw_page_node(w->p, page, i, &node) == 0 &&
				fw_str_compare((struct fw_str){ (const char *)page + node.key_at, node.key_n },
					(struct fw_str){ key, n }) <= 0)
			return i;
	return 0;
}

/* From a page down to the leaf where the key is, clearing what it passes. n 0: to the first leaf. */
static int go_down(struct walk *w, uint64_t number, const char *key, size_t n)
{
	for (; w->path.depth < FW_PAGE_DEPTH; w->path.depth++) {
		unsigned level = w->path.depth;
		uint8_t *page = buffer(w, level);
		struct fw_page_node node;
		int rc = fw_page_read(w->p, number, page);
		if (rc == 0)
			rc = clear_page(w, number, page);
		if (rc < 0)
			return rc;
		w->path.number[level] = number;
		w->path.index[level] = 0;
		if (fw_page_is_leaf(page)) {
			w->path.depth++;
			return 0;
		}
		w->path.index[level] = find_child(w, page, key, n);
		if ((rc = fw_page_node(w->p, page, w->path.index[level], &node)) < 0)
			return rc;
		number = node.child;
	}
	return FW_EINVAL;
}

/* To the next leaf: 1; 0: there is none. */
static int go_on(struct walk *w)
{
	while (--w->path.depth > 0) {
		unsigned level = w->path.depth - 1;
		const uint8_t *page = buffer(w, level);
		struct fw_page_node node;
		if (++w->path.index[level] >= fw_page_count(page))
			continue;
		int rc = fw_page_node(w->p, page, w->path.index[level], &node);
		if (rc == 0)
			rc = go_down(w, node.child, NULL, 0);
		return rc < 0 ? rc : 1;
	}
	return 0;
}

int fw_scrub_rows(struct fw_scrub *s, const struct fw_pages *p, MDB_txn *txn, MDB_dbi dbi, int64_t until_us)
{
	struct walk w = { .s = s, .p = p, .txn = txn, .dbi = dbi };
	if (p->main_root == FW_PAGE_NONE)
		return 0;
	int rc = go_down(&w, p->main_root, s->after, s->n_after);
	/* The first leaf may be the last one of the slice before. */
	for (int leaves = 1; rc >= 0; leaves++) {
		const uint8_t *page = buffer(&w, w.path.depth - 1);
		struct fw_page_node node;
		if ((rc = fw_page_node(p, page, fw_page_count(page) - 1, &node)) < 0)
			return rc;
		memcpy(s->after, page + node.key_at, node.key_n);
		s->n_after = node.key_n;
		if (leaves > 1 && fw_monotonic_us() >= until_us)
			return 1;
		if ((rc = go_on(&w)) == 0)
			return 0;
	}
	return rc;
}

int fw_scrub_list(struct fw_scrub *s, const struct fw_pages *p)
{
	struct walk w = { .s = s, .p = p };
	if (p->free_root == FW_PAGE_NONE)
		return 0;
	int rc = go_down(&w, p->free_root, NULL, 0);
	if (rc == 0)
		rc = 1;
	while (rc == 1)
		rc = go_on(&w);
	return rc;
}
