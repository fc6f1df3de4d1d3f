#include "store/own.h"

#include <endian.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/limits.h"

int fw_store_init(struct fw_store *s, const struct fw_store_ops *ops, const char *durability)
{
	*s = (struct fw_store){ .ops = ops, .durability = durability };
	return getrandom(&s->id, sizeof s->id, 0) == sizeof s->id ? 0 : FW_EIO;
}

void fw_store_get(struct fw_store *s, uint32_t bucket, struct fw_str key, struct fw_arena *arena, fw_store_got done, void *ctx)
{
	s->counters.gets++;
	s->ops->get(s, bucket, key, false, arena, done, ctx);
}

void fw_store_get_for_batch(struct fw_store *s, uint32_t bucket, struct fw_str key, struct fw_arena *arena, fw_store_got done,
	void *ctx)
{
	s->counters.gets++;
	s->ops->get(s, bucket, key, true, arena, done, ctx);
}

void fw_store_scan(struct fw_store *s, uint32_t bucket, struct fw_str prefix, struct fw_str after, size_t limit,
	struct fw_arena *arena, fw_store_listed done, void *ctx)
{
	s->counters.scans++;
	s->ops->scan(s, bucket, prefix, after, limit < FW_LIMIT_STORE_SCAN_ROWS ? limit : FW_LIMIT_STORE_SCAN_ROWS, arena, done, ctx);
}

static int check_batch(const struct fw_batch *b)
{
	size_t bytes = 0;
	if (b->bucket >= FW_STORE_BUCKETS)
		return FW_EINVAL;
	if (b->n == 0 || b->n > FW_LIMIT_STORE_CHANGES)
		return FW_ELIMIT;
	for (unsigned i = 0; i < b->n; i++) {
		const struct fw_change *c = &b->changes[i];
		if (c->key.n == 0 || (unsigned char)c->key.p[0] == FW_STORE_OWN_KEY)
			return FW_EINVAL;
		if (c->key.n > FW_LIMIT_STORE_KEY_BYTES || c->value.n > FW_LIMIT_STORE_VALUE_BYTES)
			return FW_ELIMIT;
		bytes += c->key.n + c->value.n;
	}
	if (!fw_store_counts_well(b->changes, b->n))
		return FW_EINVAL;
	return bytes > FW_LIMIT_STORE_BATCH_BYTES ? FW_ELIMIT : 0;
}

int fw_store_commit(struct fw_store *s, const struct fw_batch *batch, fw_store_committed done, void *ctx)
{
	int rc = check_batch(batch);
	if (rc == 0)
		rc = s->ops->commit(s, batch, done, ctx);
	if (rc == 0)
		s->counters.batches++;
	else if (rc == FW_EBUSY)
		s->counters.busy++;
	return rc;
}

int fw_store_watch(struct fw_store *s, fw_store_changed changed, void *ctx)
{
	struct fw_store_watcher *at = NULL;
	bool watched = s->n_watchers > 0;
	for (unsigned i = 0; i < FW_STORE_WATCHERS; i++) {
		struct fw_store_watcher *w = &s->watchers[i];
		if (w->changed ? w->ctx == ctx : !at && changed)
			at = w;
		if (w->changed && w->ctx == ctx)
			break;
	}
	if (!at)
		return changed ? FW_ELIMIT : 0;
	if (at->changed)
		s->n_watchers--;
	if (changed)
		s->n_watchers++;
	*at = (struct fw_store_watcher){ changed, ctx };
	return watched == (s->n_watchers > 0) ? 0 : s->ops->watch(s, !watched);
}

int fw_store_scrub(struct fw_store *s, fw_store_scrubbed done, void *ctx)
{
	return s->ops->scrub(s, done, ctx);
}

void fw_store_health(struct fw_store *s, struct fw_store_health *ret)
{
	*ret = (struct fw_store_health){ 0 };
	s->ops->health(s, ret);
}

const struct fw_store_counters *fw_store_counters(const struct fw_store *s)
{
	return &s->counters;
}

const char *fw_store_promise_text(enum fw_store_promise promise)
{
	static const char *const texts[] = {
		[FW_PROMISE_ALL] = "Redis syncs its append-only file before it answers",
		[FW_PROMISE_ALL_BUT_A_SECOND] =
			"Redis syncs its append-only file every second: a power loss, or its death, takes the last two",
		[FW_PROMISE_AS_SYNCED] = "Redis leaves it to the system when its append-only file is synced",
		[FW_PROMISE_SNAPSHOTS] = "Redis has no append-only file: a restart of it loses what came after its last snapshot",
		[FW_PROMISE_NOTHING] = "Redis has no persistence: a restart of it loses everything",
		[FW_PROMISE_EVICTS] = "Redis drops rows when its memory is full: set its maxmemory-policy to noeviction",
	};
	return texts[promise];
}

const char *fw_store_durability(const struct fw_store *s)
{
	return s->durability;
}

void fw_store_close(struct fw_store *s)
{
	if (s)
		s->ops->close(s);
}

void fw_store_give_row(struct fw_store *s, int rc, const struct fw_row *row, fw_store_got done, void *ctx)
{
	if (rc < 0)
		s->counters.failures++;
	else if (row->value.p)
		s->counters.found++;
	done(ctx, rc, row);
}

void fw_store_give_rows(struct fw_store *s, int rc, const struct fw_row *rows, size_t n, bool more, fw_store_listed done, void *ctx)
{
	if (rc < 0)
		s->counters.failures++;
	done(ctx, rc, rows, n, more);
}

unsigned fw_store_rows_of(const struct fw_batch *batch)
{
	unsigned n = 0;
	for (unsigned i = 0; i < batch->n; i++)
		n += batch->changes[i].kind != FW_CHANGE_EXPECT;
	return n;
}

bool fw_store_counts_well(const struct fw_change *changes, unsigned n)
{
	bool counts = false;
	for (unsigned i = 0; i < n; i++) {
		const struct fw_change *c = &changes[i];
		bool appends = c->kind == FW_CHANGE_APPEND;
		if (c->kind != FW_CHANGE_COUNT && !appends)
			continue;
		if (c->expected != FW_VERSION_ANY || counts != appends
			|| (appends && c->key.n > FW_LIMIT_STORE_KEY_BYTES - FW_STORE_NUMBER))
			return false;
		counts = true;
	}
	return true;
}

uint64_t fw_store_count_of(struct fw_str value)
{
	uint64_t count = 0;
	if (value.n == sizeof count)
		memcpy(&count, value.p, sizeof count);
	return be64toh(count);
}

void fw_store_put_count(char to[FW_STORE_NUMBER], uint64_t count)
{
	count = htobe64(count);
	memcpy(to, &count, sizeof count);
}

void fw_store_give_outcome(struct fw_store *s, int rc, uint64_t version, unsigned rows, int64_t since_us, fw_store_committed done,
	void *ctx)
{
	s->counters.commit_us += (uint64_t)(fw_monotonic_us() - since_us);
	if (rc == FW_ECONFLICT)
		s->counters.conflicts++;
	else if (rc < 0)
		s->counters.failures++;
	else
		s->counters.rows_written += rows;
	done(ctx, rc, version);
}

void fw_store_give_notice(struct fw_store *s, uint32_t bucket, struct fw_str key, uint64_t version)
{
	s->counters.notices += s->n_watchers > 0;
	for (unsigned i = 0; i < FW_STORE_WATCHERS; i++)
		if (s->watchers[i].changed)
			s->watchers[i].changed(s->watchers[i].ctx, bucket, key, version);
}
