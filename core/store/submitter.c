#include "store/submitter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "store/wire.h"

enum { HEAD = 20, EACH = 9, MOST = 2 * FW_LIMIT_STORE_WAITING };

struct fw_submitter *fw_submitters_find(struct fw_submitter **list, uint64_t id)
{
	for (struct fw_submitter *s = *list; s; s = s->next)
		if (s->id == id)
			return s;
	struct fw_submitter *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->id = id;
	s->next = *list;
	*list = s;
	return s;
}

void fw_submitters_destroy(struct fw_submitter **list)
{
	while (*list) {
		struct fw_submitter *next = (*list)->next;
		free((*list)->outcomes);
		free(*list);
		*list = next;
	}
}

/* Room for n more. */
static int reserve(struct fw_submitter *s, uint32_t n)
{
	if (s->n + n <= s->size)
		return 0;
	uint32_t size = s->size ? s->size : 64;
	while (size < s->n + n)
		size *= 2;
	struct fw_outcome *bigger = realloc(s->outcomes, size * sizeof *bigger);
	if (!bigger)
		return FW_ENOMEM;
	s->outcomes = bigger;
	s->size = size;
	return 0;
}

static int read_row(struct fw_submitter *s, const char *p, size_t n)
{
	uint64_t count = n < HEAD ? 0 : fw_get_number(p + 16, 4);
	if (n < HEAD || count > MOST || n != HEAD + count * EACH)
		return MDB_CORRUPTED;
	if (reserve(s, (uint32_t)count) < 0)
		return ENOMEM;
	s->first = s->answered = fw_get_number(p, 8);
	s->seen_s = (int64_t)fw_get_number(p + 8, 8);
	s->n = (uint32_t)count;
	s->stored = true;
	p += HEAD;
	for (uint32_t i = 0; i < s->n; i++, p += EACH)
		s->outcomes[i] = (struct fw_outcome){ -(int)(unsigned char)p[0], fw_get_number(p + 1, 8) };
	return 0;
}

int fw_submitters_load(struct fw_submitter **list, MDB_txn *txn, MDB_dbi dbi, uint64_t *ret_n)
{
	char buf[FW_LMDB_KEY_BYTES];
	MDB_cursor *cursor;
	MDB_val key = fw_lmdb_key(buf, FW_LMDB_OWN_BUCKET, FW_STR("s")), value;
	struct fw_row row;
	int rc = mdb_cursor_open(txn, dbi, &cursor);
	if (rc != 0)
		return rc;
	*ret_n = 0;
	for (rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE); rc == 0; rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
		const char *p = key.mv_data;
		if (fw_lmdb_key_bucket(&key) != FW_LMDB_OWN_BUCKET || key.mv_size != 11 || p[2] != 's')
			continue;
		struct fw_submitter *s = fw_submitters_find(list, fw_get_number(p + 3, 8));
		rc = !s ? ENOMEM : fw_lmdb_row(&key, &value, &row) < 0 ? MDB_CORRUPTED : read_row(s, row.value.p, row.value.n);
		if (rc != 0)
			break;
		++*ret_n;
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int fw_submitter_take(struct fw_submitter *s, uint64_t sequence, uint64_t answered, enum fw_submitted *ret)
{
	if (sequence < s->first)
		return FW_EINVAL;
	if (answered > s->answered)
		s->answered = answered;
	if (sequence < s->first + s->n) {
		*ret = FW_SUBMITTED_AGAIN;
		return 0;
	}
	if (sequence != s->first + s->n) {
		/* Those between were answered by a keeper of other data: this is older data, restored. */
		if (s->n > 0 && s->outcomes[s->n - 1].rc == FW_OUTCOME_NONE)
			return FW_EINVAL;
		s->first = sequence;
		s->n = 0;
	}
	if (s->n >= MOST)
		return FW_EINVAL;
	if (reserve(s, 1) < 0)
		return FW_ENOMEM;
	s->outcomes[s->n++] = (struct fw_outcome){ .rc = FW_OUTCOME_NONE };
	*ret = FW_SUBMITTED_NEW;
	return 0;
}

struct fw_outcome *fw_submitter_outcome(const struct fw_submitter *s, uint64_t sequence)
{
	return sequence < s->first || sequence - s->first >= s->n ? NULL : &s->outcomes[sequence - s->first];
}

void fw_submitter_trim(struct fw_submitter *s)
{
	uint64_t seen = s->answered > s->first ? s->answered - s->first : 0;
	uint32_t n = 0;
	while (n < s->n && n < seen && s->outcomes[n].rc != FW_OUTCOME_NONE)
		n++;
	if (n == 0)
		return;
	memmove(s->outcomes, s->outcomes + n, (s->n - n) * sizeof *s->outcomes);
	s->first += n;
	s->n -= n;
}

static struct fw_str row_name(const struct fw_submitter *s, char name[9])
{
	name[0] = 's';
	fw_put_number(name + 1, s->id, 8);
	return (struct fw_str){ name, 9 };
}

int fw_submitter_write(const struct fw_submitter *s, MDB_txn *txn, MDB_dbi dbi, int64_t now_s, struct fw_buf *b)
{
	char name[9];
	uint32_t n = 0;
	while (n < s->n && s->outcomes[n].rc != FW_OUTCOME_NONE)
		n++;
	fw_buf_clear(b);
	char *p = fw_buf_reserve(b, HEAD + (size_t)n * EACH);
	if (!p)
		return ENOMEM;
	fw_put_number(p, s->first, 8);
	fw_put_number(p + 8, (uint64_t)now_s, 8);
	fw_put_number(p + 16, n, 4);
	b->n = HEAD + (size_t)n * EACH;
	p += HEAD;
	for (uint32_t i = 0; i < n; i++, p += EACH) {
		p[0] = (char)(unsigned char)-s->outcomes[i].rc;
		fw_put_number(p + 1, s->outcomes[i].version, 8);
	}
	return fw_lmdb_put_own(txn, dbi, row_name(s, name), (struct fw_str){ b->data, b->n });
}

int fw_submitter_delete(const struct fw_submitter *s, MDB_txn *txn, MDB_dbi dbi)
{
	char name[9], buf[FW_LMDB_KEY_BYTES];
	MDB_val key = fw_lmdb_key(buf, FW_LMDB_OWN_BUCKET, row_name(s, name));
	int rc = mdb_del(txn, dbi, &key, NULL);
	return rc == MDB_NOTFOUND ? 0 : rc;
}
