/* fw_store_open for LMDB: the handle of a worker, joining its reads and its connection. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "store/client.h"

/* For how long health tells of a read that failed. */
#define TROUBLE_US INT64_C(60000000)

struct lmdb_store {
	struct fw_store store;
	struct fw_lmdb_reader reader;
	struct fw_line_state line;
	char *folder;
	char trouble[200]; /* the last read that failed, for health */
	int64_t trouble_us;
};

static struct lmdb_store *of(struct fw_store *s)
{
	return (struct lmdb_store *)s;
}

static void note_trouble(struct lmdb_store *l, int rc, uint32_t bucket, struct fw_str key)
{
	int n = key.n < 80 ? (int)key.n : 80;
	if (rc == FW_EIO)
		snprintf(l->trouble, sizeof l->trouble, "the row \"%.*s\" of bucket %u is damaged: restore a backup, or see "
			"`floorwalker store check`",
			n, key.p ? key.p : "", bucket);
	else if (rc == FW_EAWAY && !l->reader.txn && l->reader.db.env)
		snprintf(l->trouble, sizeof l->trouble, "every reader's place in the data is taken: more than %d processes read it",
			FW_LIMIT_STORE_READERS);
	else
		return;
	for (char *p = l->trouble; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = '?';
	l->trouble_us = fw_monotonic_us();
}

static void get(struct fw_store *s, uint32_t bucket, struct fw_str key, bool patient, struct fw_arena *arena, fw_store_got done,
	void *ctx)
{
	struct lmdb_store *l = of(s);
	struct fw_row row;
	(void)patient;
	int rc = fw_lmdb_read(&l->reader, bucket, key, arena, &row);
	if (rc < 0)
		note_trouble(l, rc, bucket, key);
	fw_store_give_row(s, rc, &row, done, ctx);
}

static void scan(struct fw_store *s, uint32_t bucket, struct fw_str prefix, struct fw_str after, size_t limit,
	struct fw_arena *arena, fw_store_listed done, void *ctx)
{
	struct lmdb_store *l = of(s);
	struct fw_row *rows = NULL;
	size_t n = 0;
	bool more = false;
	int rc = fw_lmdb_scan(&l->reader, bucket, prefix, after, limit, arena, &rows, &n, &more);
	if (rc < 0)
		note_trouble(l, rc, bucket, rows ? rows[0].key : (struct fw_str){ 0 });
	fw_store_give_rows(s, rc, rows, rc < 0 ? 0 : n, rc == 0 && more, done, ctx);
}

static int commit(struct fw_store *s, const struct fw_batch *batch, fw_store_committed done, void *ctx)
{
	return fw_line_commit(&of(s)->line, batch, done, ctx);
}

static int watch(struct fw_store *s, bool on)
{
	return fw_line_watch(&of(s)->line, on);
}

static int scrub(struct fw_store *s, fw_store_scrubbed done, void *ctx)
{
	return fw_line_scrub(&of(s)->line, done, ctx);
}

static void health(struct fw_store *s, struct fw_store_health *ret)
{
	struct lmdb_store *l = of(s);
	int64_t now = fw_monotonic_us();
	bool readable = fw_lmdb_usage(&l->reader, &ret->used_bytes, &ret->size_bytes, &ret->rows) == 0;
	ret->waiting = l->line.n_waiting;
	ret->oldest_us = l->line.first ? (uint64_t)(now - l->line.first->since_us) : 0;
	ret->groups = l->line.keeper.groups;
	ret->syncs = l->line.keeper.syncs;
	ret->full = l->line.keeper.full;
	ret->reachable = readable && l->line.state == FW_LINE_UP && ret->oldest_us < FW_LIMIT_STORE_SILENT_MS * UINT64_C(1000);
	if (l->trouble[0] && now - l->trouble_us < TROUBLE_US)
		snprintf(ret->message, sizeof ret->message, "%s", l->trouble);
	else if (!readable)
		snprintf(ret->message, sizeof ret->message, "the data cannot be read");
	else if (ret->full)
		snprintf(ret->message, sizeof ret->message, "the disk of the data is full");
	else if (l->line.state != FW_LINE_UP)
		snprintf(ret->message, sizeof ret->message, "the keeper does not answer: what is committed waits");
	else if (!ret->reachable)
		snprintf(ret->message, sizeof ret->message, "the keeper has not answered for %.1f s", (double)ret->oldest_us / 1e6);
}

/* A restore puts another file in the place of the one that is open. */
static void connected(struct fw_store *s)
{
	struct lmdb_store *l = of(s);
	struct fw_error err;
	if (fw_lmdb_reader_follow(&l->reader, l->folder, &err) < 0) {
		snprintf(l->trouble, sizeof l->trouble, "%.199s", err.message);
		l->trouble_us = fw_monotonic_us();
	}
}

static void close_store(struct fw_store *s)
{
	struct lmdb_store *l = of(s);
	fw_line_close(&l->line);
	fw_lmdb_reader_close(&l->reader);
	free(l->folder);
	free(l);
}

static const struct fw_store_ops ops = { get, scan, commit, watch, scrub, health, close_store };

int fw_lmdb_store_open(const struct fw_store_options *options, struct event_base *base, struct fw_store **ret, struct fw_error *err)
{
	const char *folder = fw_lmdb_folder(options->url), *durability;
	if (!folder || !options->socket) {
		fw_fail(err, FW_EINVAL, NULL, 0, "the store \"%s\" is of no known kind", options->url ? options->url : "");
		fw_hint(err, "write \"lmdb:/FOLDER\" or \"redis://HOST\"");
		return FW_EINVAL;
	}
	if (!(durability = fw_store_durability_for(options->url, options->durability)))
		return fw_fail(err, FW_EINVAL, NULL, 0, "LMDB has no durability \"%s\"", options->durability);
	struct lmdb_store *l = calloc(1, sizeof *l);
	if (!l || !(l->folder = strdup(folder))) {
		free(l);
		return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	}
	int rc = fw_store_init(&l->store, &ops, durability);
	if (rc < 0)
		fw_fail(err, rc, NULL, 0, "no random bytes");
	else
		rc = fw_lmdb_reader_open(&l->reader, folder, err);
	if (rc < 0) {
		free(l->folder);
		free(l);
		return rc;
	}
	if ((rc = fw_line_open(&l->line, &l->store, base, options->socket, connected)) < 0) {
		close_store(&l->store);
		return fw_fail(err, rc, NULL, 0, "out of memory");
	}
	*ret = &l->store;
	return 0;
}
