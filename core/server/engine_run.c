/* A question on its way to its answer. It may wait twice: until the person's record is read, and until what a decision
 * takes under a cap is written, or what an explanation of messages asks of addresses. Everything else happens at once. */
#include <stdlib.h>
#include <time.h>

#include "check/needs.h"
#include "server/admit.h"
#include "server/engine_own.h"
#include "trace/logged.h"

enum { IDLE_MOST = 64, SHADOWED_MOST = 32, SPARE_BYTES = 1 << 20 };

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* What has passed since the last time it was asked for. */
static uint64_t lap(struct fw_engine_run *run)
{
	uint64_t now = now_ns(), took = now - run->since_ns;
	run->since_ns = now;
	return took;
}

static struct fw_engine_run *take_run(struct fw_engine_worker *w)
{
	struct fw_engine_run *run = w->idle;
	if (run) {
		w->idle = run->next;
		w->n_idle--;
		return run;
	}
	if (w->n_runs > w->engine->config->http.max_inflight || !(run = malloc(sizeof *run)))
		return NULL;
	run->worker = w;
	fw_buf_init(&run->out, 0);
	fw_arena_init(&run->arena, run->first, sizeof run->first, FW_LIMIT_REQUEST_BYTES);
	w->n_runs++;
	return run;
}

static void free_run(struct fw_engine_run *run)
{
	fw_buf_finish(&run->out);
	fw_arena_finish(&run->arena);
	run->worker->n_runs--;
	free(run);
}

static void give_back(struct fw_engine_run *run)
{
	struct fw_engine_worker *w = run->worker;
	if (w->n_idle >= IDLE_MOST) {
		free_run(run);
		return;
	}
	fw_arena_reset(&run->arena);
	if (run->out.failed || run->out.size > SPARE_BYTES)
		fw_buf_finish(&run->out);
	run->next = w->idle;
	w->idle = run;
	w->n_idle++;
}

void fw_engine_free_runs(struct fw_engine_worker *w)
{
	if (w->sample)
		free_run(w->sample);
	while (w->shadowed) {
		struct fw_engine_run *run = w->shadowed;
		w->shadowed = run->next;
		free_run(run);
	}
	while (w->idle) {
		struct fw_engine_run *run = w->idle;
		w->idle = run->next;
		free_run(run);
	}
}

static void finish(struct fw_engine_run *run, int status)
{
	struct fw_engine_worker *w = run->worker;
	struct fw_engine_ask *ask = run->ask;
	ask->decide_ns += lap(run);
	if (status == 200 && !ask->explain && !(ask->watch && ask->watch->same))
		fw_count_duration(w->page, ask->facts_ns + ask->store_ns + ask->decide_ns);
	fw_engine_note(w);
	run->status = status;
	if (run->logged_bytes.p)
		fw_engine_log_admit(run);
	run->done(run->data, status, &run->out);
	if (run->logged_bytes.p && status == 200)
		fw_engine_log_end(run);
	else
		fw_engine_release(run);
}

static void shadow(struct fw_engine_run *run)
{
	fw_shadow_compare(run->worker->shadow, &run->facts, &run->decision, &run->arena);
	give_back(run);
}

/* Until nobody waits for an answer; or at once, where many are answered in one turn. */
static void wait_for_shadow(struct fw_engine_run *run)
{
	struct fw_engine_worker *w = run->worker;
	if (w->n_shadowed >= SHADOWED_MOST) {
		shadow(run);
		return;
	}
	run->next = w->shadowed;
	w->shadowed = run;
	w->n_shadowed++;
}

static void shadow_all(struct fw_engine_worker *w)
{
	while (w->shadowed) {
		struct fw_engine_run *run = w->shadowed;
		w->shadowed = run->next;
		w->n_shadowed--;
		shadow(run);
	}
}

void fw_engine_release(struct fw_engine_run *run)
{
	struct fw_engine_worker *w = run->worker;
	if (run->sampled && run->status == 200 && !w->sample)
		w->sample = run;
	else if (run->shadowed && run->status == 200)
		wait_for_shadow(run);
	else
		give_back(run);
}

static void answer(struct fw_engine_run *run)
{
	struct fw_engine_worker *w = run->worker;
	fw_engine_write(run);
	if (run->ask->watch)
		fw_engine_watched(run);
	fw_count(w->page, FW_COUNT_DECISIONS, 1);
	if (run->decision.degraded)
		fw_count(w->page, FW_COUNT_DEGRADED, 1);
	finish(run, 200);
}

void fw_engine_explain(struct fw_engine_run *run, int rc)
{
	struct fw_engine_worker *w = run->worker;
	const struct fw_engine_question *q = &run->q;
	struct fw_explanation e;
	struct fw_json_out o;
	if (rc < 0) {
		finish(run, rc == FW_ENOMEM ? fw_engine_no_memory(&run->out) : fw_engine_error(&run->out, 503, "unavailable",
			"the store cannot be asked whether anything may go to the person", NULL, NULL));
		return;
	}
	if (fw_explain(&w->decider, &run->facts, q->slots, q->n, &run->arena, &e) < 0) {
		finish(run, fw_engine_no_memory(&run->out));
		return;
	}
	if (run->logged)
		fw_engine_log_explained(run, &e);
	for (uint32_t i = 0; i < q->n_channels; i++)
		if (fw_explain_channel(&w->decider, &run->facts, q->channels[i], q->unreached ? q->unreached[i] : FW_REASON_WON,
				&run->arena, &e) < 0) {
			finish(run, fw_engine_no_memory(&run->out));
			return;
		}
	if (q->changes && fw_needs_find(&w->decider, &run->facts, q->slots, q->n, &run->arena, &e) < 0) {
		finish(run, fw_engine_no_memory(&run->out));
		return;
	}
	if (run->logged)
		fw_engine_log_explained_all(run, &e);
	e.orders = q->orders;
	fw_json_out_init(&o, &run->out);
	fw_trace_explanation(&o, w->engine->set, &run->facts, &e);
	fw_count(w->page, FW_COUNT_EXPLANATIONS, 1);
	finish(run, 200);
}

static void on_reserved(void *ctx, int rc);
static void decide(struct fw_engine_run *run);

/* What cannot be written down is not shown. */
static void do_without(struct fw_engine_run *run)
{
	fw_count(run->worker->page, FW_COUNT_CAP_FAILURES, 1);
	run->facts.caps_in_reach = false;
	decide(run);
}

static void decide(struct fw_engine_run *run)
{
	struct fw_engine_worker *w = run->worker;
	struct fw_decision *d = &run->decision;
	if (run->ask->explain) {
		fw_engine_reach(run);
		return;
	}
	bool same = false;
	if (run->ask->watch && fw_engine_look(run, &same) < 0) {
		finish(run, fw_engine_no_memory(&run->out));
		return;
	}
	if (same) {
		finish(run, 200);
		return;
	}
	if (fw_decide(&w->decider, &run->facts, run->q.slots, run->q.n, &run->arena, d) < 0) {
		finish(run, fw_engine_no_memory(&run->out));
		return;
	}
	if (run->logged)
		fw_engine_log_decided(run);
	if (!d->n_reservations) {
		answer(run);
		return;
	}
	if (!run->person.record.n && !fw_admit_new(run->ask->request)) {
		do_without(run);
		return;
	}
	run->ask->decide_ns += lap(run);
	fw_people_reserve(w->people, &run->person, d->reservations, d->n_reservations, on_reserved, run);
}

static void load(struct fw_engine_run *run, bool settled);

/* Back to what the request alone says. So seldom that keeping a copy of it for every decision would cost more. False: it has been
 * answered. */
static bool read_again(struct fw_engine_run *run)
{
	run->logged = NULL;
	run->logged_bytes = (struct fw_str){ NULL, 0 };
	fw_arena_reset(&run->arena);
	int status = fw_engine_read(run);
	if (status)
		finish(run, status);
	return status == 0;
}

static void on_reserved(void *ctx, int rc)
{
	struct fw_engine_run *run = ctx;
	run->ask->store_ns += lap(run);
#ifdef FW_BREAK_CAPS /* what was taken by others meanwhile is shown nonetheless */
	rc = 0;
#endif
	/* What sold out while it waited is decided anew; the place that was taken lapses. */
	bool sold_out = rc == 0 && !fw_decide_still_fine(&run->facts, &run->decision, &run->arena);
#ifdef FW_BREAK_SOLD_OUT /* what sold out while it waited is shown */
	sold_out = false;
#endif
	if (sold_out && ++run->tries < FW_LIMIT_RESERVE_TRIES) {
		if (read_again(run))
			load(run, true);
		return;
	}
	if (rc == 0 && !sold_out) {
		fw_decide_count(&run->worker->decider, &run->decision);
		answer(run);
		return;
	}
	if (rc == FW_ECONFLICT && ++run->tries < FW_LIMIT_RESERVE_TRIES) {
		fw_count(run->worker->page, FW_COUNT_CAP_CONFLICTS, 1);
		if (read_again(run))
			load(run, true);
		return;
	}
	do_without(run);
}

/* The facts of the person whose record was read, or of nobody. False: it has been answered. */
static bool complete(struct fw_engine_run *run)
{
	if (run->worker->log)
		fw_engine_log_begin(run);
	int rc = fw_profile_complete(&run->facts, &run->reading);
	if (rc == FW_EINVAL) { /* the record is damaged: then nothing is known of the person */
		if (!read_again(run))
			return false;
		run->reading.read = FW_PROFILE_LOST;
		run->reading.id = run->q.person.id;
		run->logged = NULL;
		rc = fw_profile_complete(&run->facts, &run->reading);
	}
	if (rc == 0)
		rc = fw_engine_mark_own(run);
	if (rc == 0 && run->logged)
		rc = fw_logged_take_own(run->logged, &run->facts, &run->arena);
	if (rc < 0)
		finish(run, fw_engine_no_memory(&run->out));
	return rc == 0;
}

static void on_loaded(void *ctx, int rc, const struct fw_person *person)
{
	struct fw_engine_run *run = ctx;
	run->ask->store_ns += lap(run);
	run->person = *person;
	if (rc == FW_ENOMEM) {
		finish(run, fw_engine_no_memory(&run->out));
		return;
	}
	run->reading = (struct fw_profile_reading){ rc == 0 ? FW_PROFILE_READ : FW_PROFILE_LOST, person->record, run->q.person.id,
		!run->ask->secret && !person->whose.is_open };
	if (run->ask->watch)
		fw_engine_note_rows(run);
	if (!complete(run))
		return;
	run->ask->facts_ns += lap(run);
	decide(run);
}

static void load(struct fw_engine_run *run, bool settled)
{
	fw_people_load(run->worker->people, &run->q.person, run->q.user, settled, &run->arena, on_loaded, run);
}

/* Crawlers are nobody: they get no record. */
static bool is_bot(const struct fw_facts *f)
{
	const struct fw_value *device = fw_facts_single(f, FW_FACT_DEVICE);
	return device->state == FW_KNOWN && fw_str_is(device->folded, "bot");
}

static void begin(struct fw_engine_run *run)
{
	struct fw_facts *f = &run->facts;
	run->tries = 0;
	run->logged = NULL;
	run->logged_bytes = (struct fw_str){ NULL, 0 };
	run->ask->facts_ns = run->ask->decide_ns = run->ask->store_ns = 0;
	run->since_ns = now_ns();
	fw_buf_clear(&run->out);
	int status = fw_engine_read(run);
	if (!status && run->ask->explain && run->q.n_refused)
		status = fw_engine_error(&run->out, 400, "unknown_slot", "there is no such slot", "slots", run->q.refused[0].hint);
	run->ask->facts_ns = lap(run);
	if (status) {
		finish(run, status);
		return;
	}
	if (f->profile_in_reach && !is_bot(f)) {
		load(run, false);
		return;
	}
	run->reading = (struct fw_profile_reading){ .read = FW_PROFILE_NOT_READ, .id = run->q.person.id };
	if (complete(run))
		decide(run);
}

static void refuse(fw_engine_done done, void *data)
{
	struct fw_buf out;
	fw_buf_init(&out, 0);
	int status = fw_engine_error(&out, 503, "unavailable", "too many questions wait for the store", NULL, NULL);
	done(data, status, &out);
	fw_buf_finish(&out);
}

void fw_engine_decide(struct fw_engine_worker *w, struct fw_engine_ask *ask, fw_engine_done done, void *data)
{
	struct fw_engine_run *run = take_run(w);
	if (!run) {
		refuse(done, data);
		return;
	}
	run->ask = ask;
	run->done = done;
	run->data = data;
	run->sampled = false;
	run->shadowed = w->shadow && !ask->explain && !ask->watch && fw_shadow_draw(w->shadow);
	if (!ask->explain && !ask->watch && !w->sample && --w->until_sample == 0) {
		w->until_sample = FW_SAMPLE_EVERY;
		run->sampled = true;
	}
	begin(run);
}

void fw_engine_turned(struct fw_engine_worker *w)
{
	struct fw_engine_run *run = w->sample;
	if (run) {
		w->sample = NULL;
		fw_decide_sample(&w->decider, &run->facts, &run->decision, &run->arena);
		if (run->shadowed)
			shadow(run);
		else
			give_back(run);
	}
	if (w->shadow) {
		shadow_all(w);
		fw_shadow_turned(w->shadow);
	}
	if (w->engine->set->n_functions)
		fw_sandbox_collect(w->engine->set->sandbox);
}
