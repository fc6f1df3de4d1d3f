/* The work of a copy on one bucket: what a step reads, what follows from it, what it writes. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/copy_own.h"

static void on_step_read(struct fw_copy_job *job);
static void on_step_written(struct fw_copy_job *job);

/* One answer has come. */
static void arrive(struct fw_copy_job *job, int rc, struct fw_store *who)
{
	struct fw_copy *c = job->copy;
	if (rc == 0 && who)
		c->moved_us = fw_monotonic_us();
	if (rc < 0 && job->rc == 0) {
		job->rc = rc;
		job->who = who;
	}
	if (--job->left || c->over)
		return;
	if (job->state == FW_COPY_READING)
		on_step_read(job);
	else
		on_step_written(job);
}

static void set_ready(struct fw_copy_job *job)
{
	job->state = FW_COPY_READY;
	fw_copy_wake(job->copy);
}

/* What was to be read again and was not copied is to be read again. */
static void give_back(struct fw_copy_job *job)
{
	while (job->noted) {
		struct fw_copy_key *k = job->noted;
		job->noted = k->queued;
		fw_copy_note(job->copy, k->bucket, (struct fw_str){ k->bytes, k->n });
		free(k);
	}
}

static void on_trouble(struct fw_copy_job *job)
{
	give_back(job);
	if (job->rc == FW_EBUSY || job->rc == FW_EAWAY)
		job->state = FW_COPY_PAUSED;
	else
		fw_copy_fail(job->copy, job->rc, job->who);
}

static void on_looked(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct fw_copy_job *job = ctx;
	struct fw_copy *c = job->copy;
	(void)rows;
	if (rc == 0 && (n > 0 || more) && !c->options.into_existing && !c->over) {
		fw_fail(&c->progress.err, FW_EINVAL, NULL, 0, "the destination is not empty");
		fw_hint(&c->progress.err, "--into-existing makes it like the source: what the source does not have is deleted from it");
		fw_copy_fail(c, FW_EINVAL, NULL);
	}
	job->through = true;
	arrive(job, rc, c->options.to);
}

static void on_page(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct fw_copy_page *page = ctx;
	struct fw_copy_job *job = page->job;
	page->n = n;
	page->more = more;
	page->rows = rc == 0 && n > 0 ? fw_arena_alloc(&job->arena, n * sizeof *rows) : NULL;
	if (page->rows)
		memcpy(page->rows, rows, n * sizeof *rows);
	else if (rc == 0 && (n > 0 || more))
		rc = n > 0 ? FW_ENOMEM : FW_EIO; /* it would be asked for ever */
	arrive(job, rc, page == &job->from ? job->copy->options.from : job->copy->options.to);
}

static void read_page(struct fw_copy_job *job)
{
	struct fw_copy *c = job->copy;
	struct fw_str all = FW_STR(""), after = { job->after, job->after_n };
	if (job->pass != c->progress.passes) {
		job->pass = c->progress.passes;
		job->after_n = after.n = 0;
		c->buckets[job->bucket].begun = true;
	}
	job->from = (struct fw_copy_page){ .job = job };
	job->to = (struct fw_copy_page){ .job = job };
	job->left = 3;
	fw_store_scan(c->options.from, job->bucket, all, after, FW_COPY_PAGE_ROWS, &job->arena, on_page, &job->from);
	fw_store_scan(c->options.to, job->bucket, all, after, FW_COPY_PAGE_ROWS, &job->arena, on_page, &job->to);
}

static void on_again(void *ctx, int rc, const struct fw_row *row)
{
	struct fw_copy_again *again = ctx;
	if (rc == 0)
		again->row.value = row->value;
	arrive(again->job, rc, again->job->copy->options.from);
}

static void read_noted(struct fw_copy_job *job)
{
	struct fw_copy *c = job->copy;
	struct fw_copy_bucket *b = &c->buckets[job->bucket];
	size_t n = 0;
	job->n_again = 0;
	job->again = FW_NEW_ARRAY(&job->arena, FW_COPY_NOTED_ROWS, struct fw_copy_again);
	if (!job->again) {
		job->rc = FW_ENOMEM;
		return;
	}
	for (; b->first && n < FW_COPY_NOTED_ROWS; n++) {
		struct fw_copy_key *k = b->first;
		if (!(b->first = k->queued))
			b->last = NULL;
		fw_copy_keys_remove(&c->keys, k);
		k->queued = job->noted;
		job->noted = k;
		job->again[n] = (struct fw_copy_again){ job, { .key = { k->bytes, k->n } } };
	}
	job->n_again = n;
	job->left += (unsigned)n;
	for (size_t i = 0; i < n; i++)
		fw_store_get(c->options.from, job->bucket, job->again[i].row.key, &job->arena, on_again, &job->again[i]);
}

static void change(struct fw_copy_job *job, enum fw_change_kind kind, const struct fw_row *row)
{
	job->changes[job->n_changes++] = (struct fw_change){ kind, row->key, row->value, FW_VERSION_ANY };
}

/* What a page found different. Where a notice has spoken of the row it will be read again anyway; of a check it is a suspect
 * until one does. */
static void differ(struct fw_copy_job *job, enum fw_change_kind kind, const struct fw_row *row)
{
	struct fw_copy *c = job->copy;
	struct fw_copy_key *k = fw_copy_keys_find(&c->keys, job->bucket, row->key);
	if (k && !k->suspect)
		return;
	if (!k && c->progress.phase == FW_COPY_CHECKING && !c->options.still) {
		if (!(k = fw_copy_keys_add(&c->keys, job->bucket, row->key))) {
			job->rc = FW_ENOMEM;
			return;
		}
		k->suspect = true;
		c->keys.suspects++;
	}
	change(job, kind, row);
}

static bool is_same(const struct fw_row *a, const struct fw_row *b)
{
	return a->value.n == b->value.n && (a->value.n == 0 || memcmp(a->value.p, b->value.p, a->value.n) == 0);
}

static void tell(struct fw_copy_page *page, const struct fw_row *row)
{
	page->told.rows++;
	page->told.bytes += row->key.n + row->value.n;
}

/* The last key up to which both sides are known; p NULL: both to their ends. */
static struct fw_str known_to(const struct fw_copy_job *job)
{
	struct fw_str from = job->from.more ? job->from.rows[job->from.n - 1].key : (struct fw_str){ 0 };
	struct fw_str to = job->to.more ? job->to.rows[job->to.n - 1].key : (struct fw_str){ 0 };
	if (!from.p || !to.p)
		return from.p ? from : to;
	return fw_str_compare(from, to) < 0 ? from : to;
}

static void compare(struct fw_copy_job *job)
{
	struct fw_copy_page *from = &job->from, *to = &job->to;
	struct fw_str end = known_to(job);
	size_t i = 0, j = 0;
	while (job->rc == 0 && (i < from->n || j < to->n)) {
		int order = i == from->n ? 1 : j == to->n ? -1 : fw_str_compare(from->rows[i].key, to->rows[j].key);
		const struct fw_row *a = order <= 0 ? &from->rows[i] : NULL, *b = order >= 0 ? &to->rows[j] : NULL;
		if (end.p && fw_str_compare(a ? a->key : b->key, end) > 0)
			break;
		if (a)
			tell(from, a);
		if (b)
			tell(to, b);
		if (!a)
			differ(job, FW_CHANGE_DELETE, &(struct fw_row){ .key = b->key });
		else if (!b || !is_same(a, b))
			differ(job, FW_CHANGE_PUT, a);
		i += a != NULL;
		j += b != NULL;
	}
	job->through = !end.p;
	if (end.p) {
		memcpy(job->after, end.p, end.n);
		job->after_n = end.n;
	}
}

static void on_batch(void *ctx, int rc, uint64_t version)
{
	struct fw_copy_job *job = ctx;
	(void)version;
	arrive(job, rc, job->copy->options.to);
}

/* In batches that hold no store up for long. */
static void write_changes(struct fw_copy_job *job)
{
	struct fw_store *to = job->copy->options.to;
	job->state = FW_COPY_WRITING;
	job->left = 1;
	for (size_t i = 0, n; i < job->n_changes && job->rc == 0; i += n) {
		size_t bytes = 0;
		for (n = 0; i + n < job->n_changes && n < FW_LIMIT_STORE_CHANGES; n++) {
			bytes += job->changes[i + n].key.n + job->changes[i + n].value.n;
			if (n > 0 && bytes > FW_COPY_BATCH_BYTES)
				break;
		}
		struct fw_batch batch = { job->bucket, job->changes + i, (unsigned)n };
		job->left++;
		int rc = fw_store_commit(to, &batch, on_batch, job);
		if (rc < 0)
			arrive(job, rc, to);
	}
	arrive(job, 0, NULL);
}

static void on_step_read(struct fw_copy_job *job)
{
	struct fw_copy *c = job->copy;
	bool stale = !job->rereads && job->pass != c->progress.passes; /* of a pass that was begun anew meanwhile */
	if (job->rc == 0 && c->progress.phase != FW_COPY_LOOKING && !stale) {
		size_t most = job->rereads ? job->n_again : job->from.n + job->to.n;
		job->changes = FW_NEW_ARRAY(&job->arena, most + 1, struct fw_change);
		if (!job->changes)
			job->rc = FW_ENOMEM;
		else if (job->rereads)
			for (size_t i = 0; i < job->n_again; i++)
				change(job, job->again[i].row.value.p ? FW_CHANGE_PUT : FW_CHANGE_DELETE, &job->again[i].row);
		else
			compare(job);
	}
	if (job->rc < 0)
		on_trouble(job);
	else if (stale)
		set_ready(job);
	else
		write_changes(job);
}

static void count(struct fw_copy_job *job)
{
	struct fw_copy *c = job->copy;
	for (size_t i = 0; i < job->n_changes; i++)
		if (job->changes[i].kind == FW_CHANGE_PUT)
			c->progress.written++;
		else
			c->progress.deleted++;
}

/* The page is done with: it counts, and so does its bucket if that was the last. */
static void count_page(struct fw_copy_job *job)
{
	struct fw_copy *c = job->copy;
	if (c->progress.phase != FW_COPY_LOOKING && job->pass != c->progress.passes)
		return;
	c->from.rows += job->from.told.rows;
	c->from.bytes += job->from.told.bytes;
	c->to.rows += job->to.told.rows;
	c->to.bytes += job->to.told.bytes;
	c->found += job->n_changes;
	if (job->through) {
		c->buckets[job->bucket].through = true;
		c->progress.buckets++;
	}
}

static void on_step_written(struct fw_copy_job *job)
{
	if (job->rc < 0) {
		on_trouble(job);
		return;
	}
	count(job);
	if (!job->rereads)
		count_page(job);
	while (job->noted) {
		struct fw_copy_key *k = job->noted;
		job->noted = k->queued;
		free(k);
	}
	set_ready(job);
}

/* The bucket is left to others. */
static void leave(struct fw_copy_job *job)
{
	job->copy->buckets[job->bucket].busy = false;
	job->state = FW_COPY_IDLE;
	job->left = 0;
}

void fw_copy_job_step(struct fw_copy_job *job)
{
	struct fw_copy *c = job->copy;
	const struct fw_copy_bucket *b = &c->buckets[job->bucket];
	bool looks = c->progress.phase == FW_COPY_LOOKING, goes = c->progress.phase != FW_COPY_FOLLOWING && !c->draining && !b->through;
	fw_arena_reset(&job->arena);
	job->n_changes = 0;
	job->rc = 0;
	job->left = 1;
	job->state = FW_COPY_READING;
	/* In turn, where there is both to do: neither is to wait for the other for ever. */
	job->rereads = b->first && !(goes && job->reread);
	job->reread = job->rereads;
	if (job->rereads) {
		read_noted(job);
	} else if (!goes) {
		leave(job);
		return;
	} else if (looks) {
		job->left = 2;
		job->from = job->to = (struct fw_copy_page){ 0 };
		fw_store_scan(c->options.to, job->bucket, FW_STR(""), FW_STR(""), 1, &job->arena, on_looked, job);
	} else {
		read_page(job);
	}
	arrive(job, 0, NULL);
}
