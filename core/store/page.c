#include "store/page.h"

#include <errno.h>
#include <unistd.h>

#include "store/wire.h"

enum {
	MAGIC_AT = FW_PAGE_HEAD, VERSION_AT = MAGIC_AT + 4,
	TREES_AT = MAGIC_AT + 24, TREE_BYTES = 48, TREE_ENTRIES_AT = 32, TREE_ROOT_AT = 40,
	LAST_AT = TREES_AT + 2 * TREE_BYTES, TXN_AT = LAST_AT + 8, META_BYTES = TXN_AT + 8,
	DATA_VERSION = 1,
	FLAGS_AT = 10, LOWER_AT = 12, UPPER_AT = 14, PAGES_AT = 12,
	BRANCH = 1, LEAF = 2, OVERFLOW = 4, KIND = 7,
	NODE_HEAD = 8, NODE_BIG = 1,
};

static const uint32_t magic = 0xbeefc0de;

bool fw_bytes_are_zero(const uint8_t *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static int read_at(int fd, uint64_t at, uint8_t *ret, size_t n)
{
	while (n > 0) {
		ssize_t m = pread(fd, ret, n, (off_t)at);
		if (m < 0 && errno == EINTR)
			continue;
		if (m < 0)
			return FW_EIO;
		/* LMDB never wrote a last page that was taken and given back: that is zeros. */
		if (m == 0) {
			memset(ret, 0, n);
			return 0;
		}
		ret += m;
		at += (uint64_t)m;
		n -= (size_t)m;
	}
	return 0;
}

int fw_page_read_part(const struct fw_pages *p, uint64_t number, size_t at, size_t n, uint8_t *ret)
{
	if (number < 2 || number > p->last || at + n > p->bytes)
		return FW_EINVAL;
	return read_at(p->fd, number * p->bytes + at, ret, n);
}

int fw_page_write(const struct fw_pages *p, uint64_t number, size_t at, const uint8_t *bytes, size_t n)
{
	uint64_t to = number * p->bytes + at;
	if (number < 2 || number > p->last)
		return FW_EINVAL;
	while (n > 0) {
		ssize_t m = pwrite(p->fd, bytes, n, (off_t)to);
		if (m < 0 && errno == EINTR)
			continue;
		if (m < 0)
			return errno == ENOSPC || errno == EDQUOT ? FW_EFULL : FW_EIO;
		bytes += m;
		to += (uint64_t)m;
		n -= (size_t)m;
	}
	return 0;
}

/* The meta page of this transaction, if it is one of ours. */
static bool is_meta(const uint8_t *meta, uint64_t txn, const MDB_stat *stat_)
{
	return fw_get_number(meta + MAGIC_AT, 4) == magic && fw_get_number(meta + VERSION_AT, 4) == DATA_VERSION &&
		fw_get_number(meta + TXN_AT, 8) == txn && fw_get_number(meta + TREES_AT, 4) == stat_->ms_psize &&
		fw_get_number(meta + TREES_AT + TREE_BYTES + TREE_ENTRIES_AT, 8) == stat_->ms_entries;
}

int fw_pages_see(const struct fw_lmdb *l, MDB_txn *txn, struct fw_pages *ret)
{
	uint8_t meta[META_BYTES];
	MDB_stat stat_;
	mdb_filehandle_t fd;
	if (mdb_env_get_fd(l->env, &fd) != 0 || mdb_stat(txn, l->dbi, &stat_) != 0)
		return FW_EIO;
	uint64_t id = mdb_txn_id(txn);
	if (read_at(fd, (id & 1) * stat_.ms_psize, meta, sizeof meta) < 0)
		return FW_EIO;
	if (!is_meta(meta, id, &stat_))
		return FW_EINVAL;
	*ret = (struct fw_pages){ .fd = fd, .bytes = stat_.ms_psize, .last = fw_get_number(meta + LAST_AT, 8), .txn = id,
		.free_root = fw_get_number(meta + TREES_AT + TREE_ROOT_AT, 8),
		.main_root = fw_get_number(meta + TREES_AT + TREE_BYTES + TREE_ROOT_AT, 8) };
	return 0;
}

static unsigned field(const uint8_t *page, size_t at)
{
	return (unsigned)fw_get_number(page + at, 2);
}

bool fw_page_is_leaf(const uint8_t *page)
{
	return (field(page, FLAGS_AT) & KIND) == LEAF;
}

void fw_page_gap(const uint8_t *page, size_t *ret_from, size_t *ret_to)
{
	*ret_from = field(page, LOWER_AT);
	*ret_to = field(page, UPPER_AT);
}

unsigned fw_page_count(const uint8_t *page)
{
	return (field(page, LOWER_AT) - FW_PAGE_HEAD) / 2;
}

int fw_page_read(const struct fw_pages *p, uint64_t number, uint8_t *ret)
{
	size_t from, to;
	int rc = fw_page_read_part(p, number, 0, p->bytes, ret);
	if (rc < 0)
		return rc;
	unsigned kind = field(ret, FLAGS_AT) & KIND;
	fw_page_gap(ret, &from, &to);
	bool ok = fw_get_number(ret, 8) == number && (kind == BRANCH || kind == LEAF) && from > FW_PAGE_HEAD && from % 2 == 0 &&
		from <= to && to <= p->bytes;
	return ok ? 0 : FW_EINVAL;
}

int fw_page_node(const struct fw_pages *p, const uint8_t *page, unsigned i, struct fw_page_node *ret)
{
	size_t at = field(page, FW_PAGE_HEAD + 2 * i), from, to;
	fw_page_gap(page, &from, &to);
	if (at < to || at + NODE_HEAD > p->bytes)
		return FW_EINVAL;
	uint64_t low = fw_get_number(page + at, 4);
	unsigned flags = field(page, at + 4);
	*ret = (struct fw_page_node){ .key_at = at + NODE_HEAD, .key_n = field(page, at + 6) };
	ret->data_at = ret->key_at + ret->key_n;
	if (ret->data_at > p->bytes || ret->key_n > FW_LMDB_KEY_BYTES)
		return FW_EINVAL;
	if (!fw_page_is_leaf(page)) {
		ret->child = low | (uint64_t)flags << 32;
		return 0;
	}
	ret->data_n = low;
	if (!(flags & NODE_BIG))
		return ret->data_at + ret->data_n <= p->bytes ? 0 : FW_EINVAL;
	if (ret->data_at + 8 > p->bytes)
		return FW_EINVAL;
	ret->overflow = fw_get_number(page + ret->data_at, 8);
	return ret->overflow >= 2 ? 0 : FW_EINVAL;
}

int fw_page_overflow(const struct fw_pages *p, uint64_t number, uint64_t *ret_pages)
{
	uint8_t head[FW_PAGE_HEAD];
	int rc = fw_page_read_part(p, number, 0, sizeof head, head);
	if (rc < 0)
		return rc;
	*ret_pages = fw_get_number(head + PAGES_AT, 4);
	bool ok = fw_get_number(head, 8) == number && (field(head, FLAGS_AT) & KIND) == OVERFLOW && *ret_pages > 0 &&
		*ret_pages - 1 <= p->last - number;
	return ok ? 0 : FW_EINVAL;
}
