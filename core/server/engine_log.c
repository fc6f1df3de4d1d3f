/* A decision's way into the log. Whatever takes time comes after the answer: the key by which it is sealed, which a row beside the person
 * has, and then a copy into the ring, from which a thread writes it. */
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "people/seal_key.h"
#include "server/admit.h"
#include "server/engine_own.h"
#include "trace/decision_log.h"
#include "trace/logged.h"

#define STORE_KEY "decision log" /* the name by which the store's secret makes a key of its own for it */

int fw_engine_worker_log(struct fw_engine_worker *w, _Atomic uint64_t *counts)
{
	const struct fw_config *config = w->engine->config;
	struct fw_decision_log_options options = { .rule_set = w->engine->set->hash, .timezone = config->timezone,
		.currency = config->currency, .holdout = config->holdout,
		.counts = { &counts[FW_DECISIONS_WRITTEN], &counts[FW_DECISIONS_BYTES], &counts[FW_DECISIONS_FAILED] } };
	w->log_config = w->engine->decisions;
	if (!w->log_config.log || !w->people)
		return 0;
	options.folder = w->log_config.log;
	options.keep_s = w->log_config.keep_s;
	options.bytes = w->log_config.bytes;
	options.ring_bytes = w->log_config.ring_bytes;
	w->log_counts = counts;
	w->drawn = (uint64_t)fw_now_us();
	w->log = fw_decision_log_create(&options);
	return w->log ? 0 : FW_ENOMEM;
}

void fw_engine_log_count(struct fw_engine_worker *w, enum fw_decisions_count which)
{
	uint64_t now = atomic_load_explicit(&w->log_counts[which], memory_order_relaxed);
	atomic_store_explicit(&w->log_counts[which], now + 1, memory_order_relaxed);
}

/* A visitor is wholly in it or out, by whatever id he comes; who has none is drawn each time. Crawlers are not in it. */
static bool is_in_sample(struct fw_engine_run *run)
{
	struct fw_engine_worker *w = run->worker;
	char number[8];
	if (w->log_config.sample <= 0) /* messages alone */
		return false;
	struct fw_str visitor = fw_profile_visitor(&run->arena, &run->reading);
	if (run->reading.read == FW_PROFILE_NOT_READ && visitor.n)
		return false;
	if (w->log_config.sample >= 1)
		return true;
	if (!visitor.n) {
		memcpy(number, &w->drawn, sizeof number);
		w->drawn++;
		visitor = (struct fw_str){ number, sizeof number };
	}
	return fw_rollout_point(STORE_KEY, visitor) < w->log_config.sample * 100;
}

struct fw_buf *fw_engine_log_scratch(struct fw_engine_worker *w)
{
	if (w->log_scratch.failed || !w->log_scratch.size) {
		fw_buf_finish(&w->log_scratch);
		fw_buf_init(&w->log_scratch, FW_LIMIT_LOGGED_BYTES);
	}
	fw_buf_clear(&w->log_scratch);
	return &w->log_scratch;
}

static bool keep_scratch(struct fw_engine_run *run, struct fw_str *ret)
{
	const struct fw_buf *b = &run->worker->log_scratch;
	*ret = (struct fw_str){ b->failed ? NULL : fw_arena_strndup(&run->arena, b->data, b->n), b->n };
	return ret->p;
}

/* What is logged of a decision lies in the run's arena; without room there it is not logged. */
void fw_engine_log_begin(struct fw_engine_run *run)
{
	struct fw_engine_worker *w = run->worker;
	run->logged = NULL;
	run->logged_bytes = (struct fw_str){ NULL, 0 };
	run->facts.then = NULL;
	if (!is_in_sample(run))
		return;
	if (run->reading.read == FW_PROFILE_LOST) {
		fw_engine_log_count(w, FW_DECISIONS_NO_KEY);
		return;
	}
	struct fw_logged *l = FW_NEW(&run->arena, struct fw_logged);
	fw_facts_pack(&run->facts, fw_engine_log_scratch(w));
	if (l && run->facts.products && !(run->facts.then = l->then = fw_products_then_new(&run->arena)))
		l = NULL;
	if (l && keep_scratch(run, &l->facts) && fw_logged_take_set_aside(l, &w->decider, run->facts.now_us, &run->arena) == 0)
		run->logged = l;
	else
		fw_engine_log_count(w, FW_DECISIONS_TOO_LARGE);
}

/* Of who is restricted nothing is kept. */
static void keep(struct fw_engine_run *run, const char id[37], int rc)
{
	struct fw_logged *l = run->logged;
	run->logged_bytes = (struct fw_str){ NULL, 0 };
	if (run->facts.restricted)
		return;
	l->reading = run->reading;
	l->caps_lost = run->reading.read == FW_PROFILE_READ && !run->facts.caps_in_reach;
	memcpy(run->logged_id, id, sizeof run->logged_id);
	if (l->then && l->then->lost)
		rc = FW_ELIMIT;
	if (rc == 0)
		fw_logged_write(l, fw_engine_log_scratch(run->worker));
	if (rc < 0 || !keep_scratch(run, &run->logged_bytes)) {
		run->logged_bytes = (struct fw_str){ NULL, 0 };
		fw_engine_log_count(run->worker, FW_DECISIONS_TOO_LARGE);
	}
}

void fw_engine_log_decided(struct fw_engine_run *run)
{
	int rc = fw_logged_take(run->logged, &run->worker->decider, &run->decision, &run->arena);
	keep(run, run->decision.id, rc);
}

void fw_engine_log_explained(struct fw_engine_run *run, const struct fw_explanation *e)
{
	struct fw_logged *l = run->logged;
	int rc = fw_logged_take_explained(l, &run->worker->decider, e, &run->arena);
	l->explanation = true;
	l->changes = run->q.changes;
	l->channels = run->q.channels;
	l->unreached = run->q.unreached;
	l->n_channels = run->q.n_channels;
	if (rc < 0) {
		fw_engine_log_count(run->worker, FW_DECISIONS_TOO_LARGE);
		run->logged = NULL;
	}
}

void fw_engine_log_explained_all(struct fw_engine_run *run, const struct fw_explanation *e)
{
	keep(run, e->id, 0);
}

/* Who is new comes to have a row: as many as one address may bring. */
void fw_engine_log_admit(struct fw_engine_run *run)
{
	bool is_new = run->reading.read == FW_PROFILE_READ && run->reading.record.n == 0;
	if (!is_new || fw_admit_id(run->ask->request, run->q.person.id))
		return;
	run->logged_bytes = (struct fw_str){ NULL, 0 };
	fw_engine_log_count(run->worker, FW_DECISIONS_NO_KEY);
}

static void put(struct fw_engine_run *run, const struct fw_seal_key *key)
{
	struct fw_engine_worker *w = run->worker;
	const struct fw_decision_log_item item = { .id = run->logged_id, .at_us = run->facts.now_us, .key = key, .store_key = w->log_key,
		.record = run->reading.record, .body = run->logged_bytes };
	if (!fw_decision_log_put(w->log, &item))
		fw_engine_log_count(w, FW_DECISIONS_NO_ROOM);
	fw_engine_release(run);
}

static void on_key(void *ctx, int rc, const struct fw_seal_key *key)
{
	struct fw_engine_run *run = ctx;
	if (rc == 0) {
		put(run, key);
		return;
	}
	fw_engine_log_count(run->worker, FW_DECISIONS_NO_KEY);
	fw_engine_release(run);
}

bool fw_engine_log_learn(struct fw_engine_worker *w)
{
	if (!w->has_log_key)
		w->has_log_key = fw_people_sign(w->people, FW_STR(STORE_KEY), FW_STR("v1"), w->log_key) == 0;
	return w->has_log_key;
}

void fw_engine_log_end(struct fw_engine_run *run)
{
	struct fw_engine_worker *w = run->worker;
	if (!fw_engine_log_learn(w))
		on_key(run, FW_EAWAY, NULL);
	else if (run->reading.read == FW_PROFILE_READ)
		fw_seal_key_take(w->people, &run->person.row, run->facts.now_us, &run->arena, on_key, run);
	else
		put(run, NULL);
}
