/* A copy's course: passes, what is heard of meanwhile, which job looks after which bucket, and when it is done.
 *
 * That no notice is on its way any more of what a pass has seen: notices of a commit leave the store before an answer to what was
 * asked after it. So a comparison is handed in, and a moment is added for stores where notices come another way than answers. */
#include "store/copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/copy_own.h"
#include "store/own.h"

enum { TICK_MS = 50 };

void fw_copy_wake(struct fw_copy *c)
{
	struct timeval now = { 0, 0 };
	if (!c->over && !evtimer_pending(c->turn, NULL))
		evtimer_add(c->turn, &now);
}

static void set_over(struct fw_copy *c, enum fw_copy_phase phase)
{
	c->progress.phase = phase;
	fw_copy_end(c);
}

void fw_copy_fail(struct fw_copy *c, int rc, const struct fw_store *who)
{
	struct fw_store_health health = { 0 };
	const char *side = who == c->options.to ? "the destination" : "the source", *what;
	if (c->over)
		return;
	if (who)
		fw_store_health((struct fw_store *)(uintptr_t)who, &health);
	switch (rc) {
	case FW_EFULL: what = "it is full"; break;
	case FW_EAWAY: what = "it is out of reach"; break;
	case FW_EIO: what = who == c->options.to ? "it cannot be written or read" : "a row is damaged, or cannot be read"; break;
	case FW_ELIMIT: what = "it does not take so large a row"; break;
	default: what = "out of memory"; break;
	}
	if (who)
		fw_fail(&c->progress.err, rc, NULL, 0, "%s: %s", side, health.message[0] ? health.message : what);
	else if (!c->progress.err.message[0])
		fw_fail(&c->progress.err, rc, NULL, 0, "%s", what);
	set_over(c, FW_COPY_FAILED);
}

static void enqueue(struct fw_copy *c, struct fw_copy_key *k)
{
	struct fw_copy_bucket *b = &c->buckets[k->bucket];
	k->queued = NULL;
	if (b->last)
		b->last->queued = k;
	else
		b->first = k;
	b->last = k;
	if (!b->busy && !b->listed) {
		c->waiting[(c->waiting_at + c->waiting_n++) % FW_STORE_BUCKETS] = k->bucket;
		b->listed = true;
	}
	fw_copy_wake(c);
}

void fw_copy_note(struct fw_copy *c, uint32_t bucket, struct fw_str key)
{
	struct fw_copy_key *k = fw_copy_keys_find(&c->keys, bucket, key);
	if (k && !k->suspect)
		return;
	if (k) {
		k->suspect = false;
		c->keys.suspects--;
	} else if (c->keys.n >= FW_LIMIT_COPY_NOTED || !(k = fw_copy_keys_add(&c->keys, bucket, key))) {
		c->lost = true; /* a further pass finds it */
		return;
	}
	enqueue(c, k);
}

static void on_changed(void *ctx, uint32_t bucket, struct fw_str key, uint64_t version)
{
	struct fw_copy *c = ctx;
	(void)version;
	if (!key.p) {
		c->lost = true;
		fw_copy_wake(c);
	} else if (key.n > 0 && (unsigned char)key.p[0] != FW_STORE_OWN_KEY && bucket < FW_STORE_BUCKETS &&
			(c->progress.passes > 1 || c->buckets[bucket].begun)) { /* where the first pass has not been it comes yet */
#ifndef FW_BREAK_COPY_NOTICES
		fw_copy_note(c, bucket, key);
#endif
	}
}

static void begin_pass(struct fw_copy *c)
{
	fw_copy_keys_clear_suspects(&c->keys);
	for (uint32_t i = 0; i < FW_STORE_BUCKETS; i++)
		c->buckets[i].begun = c->buckets[i].through = false;
	c->progress.phase = c->progress.passes++ == 0 ? FW_COPY_COPYING : FW_COPY_CHECKING;
	c->progress.buckets = 0;
	c->next_bucket = 0;
	c->from = c->to = (struct fw_copy_side){ 0 };
	c->found = 0;
	c->lost = c->draining = c->begins = false;
	c->barrier = FW_COPY_UNASKED;
	fw_copy_wake(c);
}

static void on_barrier(void *ctx, int rc, uint64_t version)
{
	struct fw_copy *c = ctx;
	(void)version;
	if (c->over)
		return;
	c->settled_us = fw_monotonic_us();
	if (rc == 0)
		c->moved_us = c->settled_us;
	c->barrier = rc == 0 ? FW_COPY_SETTLED : FW_COPY_UNASKED; /* the next tick asks again */
	fw_copy_wake(c);
}

static void ask_barrier(struct fw_copy *c)
{
	const struct fw_change compares = { FW_CHANGE_EXPECT, FW_STR("-"), { 0 }, FW_VERSION_ANY };
	const struct fw_batch batch = { 0, &compares, 1 };
	int rc = fw_store_commit(c->options.from, &batch, on_barrier, c);
	if (rc == 0)
		c->barrier = FW_COPY_ASKED;
	else if (rc != FW_EBUSY)
		fw_copy_fail(c, rc, c->options.from);
}

/* Nothing stands in the destination that should not: from now on changes are heard of. */
static void begin(struct fw_copy *c)
{
	if (c->options.still) {
		begin_pass(c);
		return;
	}
	if (c->barrier == FW_COPY_UNASKED) {
		if (fw_store_watch(c->options.from, on_changed, c) < 0)
			fw_copy_fail(c, FW_ENOMEM, NULL);
		else
			ask_barrier(c);
	} else if (c->barrier == FW_COPY_SETTLED) {
		begin_pass(c);
	}
}

/* What was heard of by now is copied; what comes later is not waited for. */
static void begin_end(struct fw_copy *c)
{
	fw_store_watch(c->options.from, NULL, c);
	c->draining = true;
}

static void conclude(struct fw_copy *c, uint64_t differing)
{
	bool first = c->progress.passes == 1, clean = differing == 0 && !c->lost && !(first && !c->options.still);
	c->progress.from = c->from;
	c->progress.to = c->to;
	c->progress.differing = first ? 0 : differing;
	if (!clean) {
		if (!first && ++c->unclean >= FW_LIMIT_COPY_PASSES) {
			fw_fail(&c->progress.err, FW_ECONFLICT, NULL, 0, "the two are not the same after %u passes", c->progress.passes);
			fw_hint(&c->progress.err, c->lost ? "too much changes for the notices to be kept up with: try it at a quieter time"
				: "does somebody else write to the destination?");
			fw_copy_fail(c, FW_ECONFLICT, NULL);
			return;
		}
		begin_pass(c);
		return;
	}
	c->unclean = 0;
	if (c->options.follow)
		c->progress.phase = FW_COPY_FOLLOWING;
	else
		begin_end(c);
}

/* Every bucket was gone through. */
static void end_pass(struct fw_copy *c)
{
	if (c->options.still) {
		conclude(c, c->found);
		return;
	}
	if (c->keys.suspects == 0) {
		conclude(c, 0);
		return;
	}
	if (c->barrier == FW_COPY_UNASKED)
		ask_barrier(c);
	else if (c->barrier == FW_COPY_SETTLED && fw_monotonic_us() - c->settled_us > FW_LIMIT_COPY_SETTLE_MS * INT64_C(1000))
		conclude(c, fw_copy_keys_clear_suspects(&c->keys));
}

static bool is_resting(const struct fw_copy *c)
{
	for (unsigned i = 0; i < FW_COPY_JOBS; i++)
		if (c->jobs[i].state != FW_COPY_IDLE)
			return false;
	return true;
}

static void end_draining(struct fw_copy *c)
{
	bool drained = c->keys.n == 0 && is_resting(c);
	if (drained && c->begins)
		begin_pass(c);
	else if (c->lost && !c->begins)
		fw_copy_fail(c, FW_ENOMEM, NULL); /* what was to be read again could not be kept */
	else if (drained)
		set_over(c, FW_COPY_DONE);
}

/* Where it stands, and what follows from that. */
static void advance(struct fw_copy *c)
{
	switch (c->progress.phase) {
	case FW_COPY_LOOKING:
		if (c->progress.buckets == FW_STORE_BUCKETS && is_resting(c))
			begin(c);
		break;
	case FW_COPY_COPYING:
	case FW_COPY_CHECKING:
		if (c->draining) {
			end_draining(c);
		} else if (c->progress.buckets == FW_STORE_BUCKETS) {
			end_pass(c);
		}
		break;
	case FW_COPY_FOLLOWING:
		if (c->lost)
			begin_pass(c);
		break;
	default:
		break;
	}
}

static bool take_waiting(struct fw_copy *c, uint32_t *ret)
{
	while (c->waiting_n > 0) {
		uint32_t bucket = c->waiting[c->waiting_at];
		c->waiting_at = (c->waiting_at + 1) % FW_STORE_BUCKETS;
		c->waiting_n--;
		c->buckets[bucket].listed = false;
		if (!c->buckets[bucket].busy && c->buckets[bucket].first) {
			*ret = bucket;
			return true;
		}
	}
	return false;
}

static bool take_next(struct fw_copy *c, uint32_t *ret)
{
	if (c->progress.phase == FW_COPY_FOLLOWING || c->draining)
		return false;
	while (c->next_bucket < FW_STORE_BUCKETS && (c->buckets[c->next_bucket].busy || c->buckets[c->next_bucket].through))
		c->next_bucket++;
	if (c->next_bucket == FW_STORE_BUCKETS)
		return false;
	*ret = c->next_bucket++;
	return true;
}

/* Buckets to idle jobs: one in four goes on with the pass first, the others with what was heard of. */
static void give_out(struct fw_copy *c)
{
	for (unsigned i = 0; i < FW_COPY_JOBS; i++) {
		struct fw_copy_job *job = &c->jobs[i];
		uint32_t bucket;
		if (job->state != FW_COPY_IDLE)
			continue;
		bool some = i % 4 == 0 ? take_next(c, &bucket) || take_waiting(c, &bucket)
			: take_waiting(c, &bucket) || take_next(c, &bucket);
		if (!some)
			continue;
		job->bucket = bucket;
		job->pass = 0;
		job->reread = false;
		job->state = FW_COPY_READY;
		c->buckets[bucket].busy = true;
		fw_copy_wake(c);
	}
}

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_copy *c = ctx;
	(void)fd;
	(void)what;
	for (unsigned i = 0; i < FW_COPY_JOBS && !c->over; i++)
		if (c->jobs[i].state == FW_COPY_READY)
			fw_copy_job_step(&c->jobs[i]);
	if (!c->over)
		advance(c);
	if (!c->over)
		give_out(c);
}

/* Whether something was asked of a store. */
static bool is_waiting(const struct fw_copy *c)
{
	return c->barrier == FW_COPY_ASKED || !is_resting(c);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_copy *c = ctx;
	int64_t now = fw_monotonic_us();
	struct fw_store_health health;
	(void)fd;
	(void)what;
	for (unsigned i = 0; i < FW_COPY_JOBS; i++)
		if (c->jobs[i].state == FW_COPY_PAUSED)
			c->jobs[i].state = FW_COPY_READY;
	if (!is_waiting(c))
		c->moved_us = now;
	if (now - c->moved_us > (c->progress.passes ? FW_LIMIT_COPY_AWAY_MS : FW_LIMIT_COPY_FIRST_MS) * INT64_C(1000)) {
		fw_store_health(c->options.to, &health);
		bool looks = c->progress.phase == FW_COPY_LOOKING && c->barrier == FW_COPY_UNASKED;
		fw_copy_fail(c, FW_EAWAY, looks || !health.reachable ? c->options.to : c->options.from);
	}
	fw_copy_wake(c);
}

int fw_copy_create(const struct fw_copy_options *options, struct event_base *base, struct fw_copy **ret)
{
	struct timeval tick = { 0, TICK_MS * 1000 };
	struct fw_copy *c = calloc(1, sizeof *c);
	if (!c)
		return FW_ENOMEM;
	c->options = *options;
	c->moved_us = fw_monotonic_us();
	for (unsigned i = 0; i < FW_COPY_JOBS; i++) {
		c->jobs[i].copy = c;
		fw_arena_init(&c->jobs[i].arena, NULL, 0, 0);
	}
	c->turn = evtimer_new(base, on_turn, c);
	c->tick = event_new(base, -1, EV_PERSIST, on_tick, c);
	if (!c->turn || !c->tick || event_add(c->tick, &tick) < 0) {
		fw_copy_end(c);
		fw_copy_destroy(c);
		return FW_ENOMEM;
	}
	fw_copy_wake(c);
	*ret = c;
	return 0;
}

void fw_copy_finish(struct fw_copy *c)
{
	c->options.follow = false;
	if (c->progress.phase == FW_COPY_FOLLOWING)
		begin_pass(c);
}

void fw_copy_still(struct fw_copy *c)
{
	if (c->over)
		return;
	if (!c->options.still)
		fw_store_watch(c->options.from, NULL, c);
	c->options.still = true;
	c->options.follow = false;
	if (c->progress.passes > 0) {
		fw_copy_keys_clear_suspects(&c->keys);
		c->progress.phase = FW_COPY_CHECKING;
		c->draining = c->begins = true;
	}
	fw_copy_wake(c);
}

const struct fw_copy_progress *fw_copy_progress(const struct fw_copy *c)
{
	return &c->progress;
}

void fw_copy_end(struct fw_copy *c)
{
	if (!c || c->over)
		return;
	c->over = true;
	if (c->turn)
		event_free(c->turn);
	if (c->tick)
		event_free(c->tick);
	c->turn = c->tick = NULL;
}

void fw_copy_destroy(struct fw_copy *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < FW_COPY_JOBS; i++) {
		struct fw_copy_job *job = &c->jobs[i];
		fw_arena_finish(&job->arena);
		while (job->noted) {
			struct fw_copy_key *k = job->noted;
			job->noted = k->queued;
			free(k);
		}
	}
	fw_copy_keys_finish(&c->keys);
	free(c);
}
