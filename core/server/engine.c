#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "check/check.h"
#include "message/template.h"
#include "server/config_signals.h"
#include "server/engine_own.h"
#include "server/ingest.h"
#include "server/load_steps.h"
#include "trace/decision_log.h"
#include "trace/log_sets.h"

static int refuse(struct fw_report *report, int rc, const struct fw_error *err)
{
	fw_report_add(report, err);
	return rc;
}

static int no_memory(struct fw_report *report)
{
	struct fw_error err;
	fw_fail(&err, FW_ENOMEM, NULL, 0, "out of memory");
	return refuse(report, FW_ENOMEM, &err);
}

static int load_signals(struct fw_engine *e, struct fw_report *report)
{
	const struct fw_config *c = e->config;
	struct fw_error err;
	if (fw_config_signals(c, &e->arena, &e->signal_config) < 0)
		return no_memory(report);
	int rc = fw_signal_shared_create(&e->signal_config, &e->signals, &err);
	return rc < 0 ? refuse(report, rc, &err) : 0;
}

static int load_rules(struct fw_engine *e, struct fw_report *report)
{
	struct fw_errors errors;
	struct fw_ruleset_options options = {
		.rules = e->config->rules,
		.compliance = e->config->compliance,
		.timezone = e->config->timezone,
		.currency = e->config->currency,
		.zones = fw_signal_zones(e->signals),
	};
	fw_errors_init(&errors);
	int rc = fw_ruleset_load(&options, &e->set, &errors);
	if (rc == 0)
		rc = fw_templates_open(e->set, &errors, &e->templates);
	for (uint32_t i = 0; i < errors.n; i++)
		fw_report_add(report, &errors.items[i]);
	report->dropped += errors.dropped;
	fw_errors_finish(&errors);
	return rc;
}

/* What was found for certain: an error of the load, or a line of the log. That something could not be found out is a line, too. */
static bool tell_findings(const struct fw_findings *found, bool is_error, struct fw_report *report)
{
	for (uint32_t i = 0; i < found->n; i++) {
		const struct fw_finding *f = &found->items[i];
		struct fw_error err;
		if (f->verdict != FW_CERTAIN)
			continue;
		fw_fail(&err, FW_EFAILED, f->place.file, f->place.line, "%s [%s]", f->message, fw_finding_name(f->code));
		fw_hint(&err, "%s", f->hint);
		if (is_error)
			fw_report_add(report, &err);
		else
			fw_log_error(FW_LOG_WARN, "check", &err);
	}
	if (found->not_determined) {
		char number[16];
		snprintf(number, sizeof number, "%u", found->not_determined);
		fw_log(FW_LOG_WARN, "check could not find out everything, there are too many cases; floorwalker check --all says what",
			"not_determined", number, NULL);
	}
	return is_error && found->certain;
}

/* What was found for certain, for /v1/rules. */
static int keep_findings(struct fw_engine *e, const struct fw_findings *found)
{
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_open_array(&o);
	for (uint32_t i = 0; i < found->n; i++)
		if (found->items[i].verdict == FW_CERTAIN)
			fw_finding_write(&o, &found->items[i]);
	fw_json_close_array(&o);
	return fw_buf_keep(&b, &e->arena, &e->findings);
}

static int run_check(struct fw_engine *e, struct fw_decider *decider, struct fw_load_steps *steps, struct fw_report *report)
{
	struct fw_arena arena;
	struct fw_findings found;
	if (!e->config->check) {
		fw_steps_skip(steps, FW_STEP_CHECK, "the configuration asks for none");
		return 0;
	}
	fw_steps_begin(steps, FW_STEP_CHECK);
	fw_arena_init(&arena, NULL, 0, 0);
	int rc = fw_check(decider, fw_signal_zones(e->signals), fw_now_us(), &arena, &found);
	if (rc == 0)
		rc = keep_findings(e, &found);
	bool refused = rc == 0 && tell_findings(&found, fw_str_is(e->config->check->string, "error"), report);
	fw_arena_finish(&arena);
	fw_steps_end(steps, FW_STEP_CHECK, rc < 0 ? rc : refused ? FW_EFAILED : 0);
	fw_steps_note(steps, FW_STEP_CHECK, "%u found for certain, %u not determined", rc == 0 ? found.certain : 0,
		rc == 0 ? found.not_determined : 0);
	if (rc < 0)
		return no_memory(report);
	return refused ? FW_EFAILED : 0;
}

static int run_tests(struct fw_engine *e, struct fw_decider *decider, struct fw_report *report)
{
	struct fw_errors errors;
	fw_errors_init(&errors);
	int failed = fw_selftest_run(decider, fw_signal_zones(e->signals), NULL, &errors, &e->tests);
	for (uint32_t i = 0; i < errors.n; i++)
		fw_report_add(report, &errors.items[i]);
	report->dropped += errors.dropped;
	fw_errors_finish(&errors);
	if (failed < 0)
		return no_memory(report);
	return failed > 0 ? FW_EFAILED : 0;
}

/* The rule set's own tests, and the checker if the configuration wants it; with counts of their own. */
static int try_rules(struct fw_engine *e, struct fw_load_steps *steps, struct fw_report *report)
{
	struct fw_decider decider;
	void *counts = calloc(1, fw_counts_bytes(e->set));
	if (!counts || fw_decider_init(&decider, e->set, counts, NULL) < 0) {
		free(counts);
		return no_memory(report);
	}
	fw_steps_begin(steps, FW_STEP_TESTS);
	int rc = run_tests(e, &decider, report);
	fw_steps_end(steps, FW_STEP_TESTS, rc);
	fw_steps_note(steps, FW_STEP_TESTS, "%u of them", e->tests);
	if (rc == 0)
		rc = run_check(e, &decider, steps, report);
	fw_decider_finish(&decider);
	free(counts);
	return rc;
}

static int read_catalog(struct fw_engine *e, struct fw_load_steps *steps, struct fw_report *report)
{
	if (!e->config->catalog) {
		fw_steps_skip(steps, FW_STEP_CATALOG, "the configuration names none");
		return 0;
	}
	fw_steps_begin(steps, FW_STEP_CATALOG);
	int rc = fw_engine_load_catalog(e, report);
	fw_steps_end(steps, FW_STEP_CATALOG, rc);
	return rc;
}

static void *map_shared(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

static int map_counts(struct fw_engine *e, struct fw_report *report)
{
	/* A page of its own for each worker, so that counting in one does not slow another. */
	e->counts_bytes = (fw_counts_bytes(e->set) + 4095) & ~(size_t)4095;
	e->set_aside_bytes = fw_set_aside_bytes(e->set->n_rules);
	e->workers = e->config->workers;
	e->counts = map_shared(e->counts_bytes * e->workers);
	e->set_aside = map_shared(e->set_aside_bytes);
	return e->counts && e->set_aside ? 0 : no_memory(report);
}

int fw_engine_load(const struct fw_config *config, struct fw_load_steps *steps, struct fw_engine **ret, struct fw_report *report)
{
	struct fw_engine *e = calloc(1, sizeof *e);
	if (!e)
		return no_memory(report);
	e->config = config;
	e->since_us = fw_now_us();
	fw_arena_init(&e->arena, NULL, 0, 0);
	struct fw_error err;
	int rc = fw_config_decisions(config, &e->arena, &e->decisions, &err);
	if (rc < 0)
		refuse(report, rc, &err);
	if (rc == 0)
		rc = load_signals(e, report);
	if (rc == 0) {
		fw_steps_begin(steps, FW_STEP_RULES);
		rc = load_rules(e, report);
		fw_steps_end(steps, FW_STEP_RULES, rc);
	}
	if (rc == 0 && !(e->triggers = fw_triggers_create(e->set)))
		rc = no_memory(report);
	e->due = (struct fw_due_config){ .zones = e->signals ? fw_signal_zones(e->signals) : NULL, .consent = &e->signal_config.consent,
		.delivery_ms = config->process.delivery_ms, .again_ms = config->process.message_again_ms };
	if (rc == 0)
		rc = try_rules(e, steps, report);
	if (rc == 0)
		rc = read_catalog(e, steps, report);
	if (rc == 0)
		rc = map_counts(e, report);
	if (rc < 0)
		fw_engine_destroy(e);
	else
		*ret = e;
	return rc;
}

int fw_engine_keep(struct fw_engine *e, struct fw_kept *kept, struct fw_error *err)
{
	int rc = 0;
	if (e->decisions.log && fw_log_sets_keep(e->decisions.log, e->set->hash, &e->set->files, err) < 0)
		fw_log_error(FW_LOG_ERROR, "the rule set cannot be kept for the decision log: what it decides cannot be explained later",
			err);
	for (uint32_t i = 0; kept && i < e->set->files.n && rc == 0; i++) {
		const struct fw_file *f = &e->set->files.items[i];
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", f->compliance ? "compliance" : "rules", f->name);
		rc = fw_kept_add(kept, path, (struct fw_str){ f->text, f->n }, err);
	}
	fw_ruleset_forget_files(e->set);
	return rc;
}

void fw_engine_destroy(struct fw_engine *e)
{
	if (!e)
		return;
	if (e->counts)
		munmap(e->counts, e->counts_bytes * e->workers);
	if (e->set_aside)
		munmap(e->set_aside, e->set_aside_bytes);
	fw_catalog_destroy(e->catalog);
	fw_triggers_destroy(e->triggers);
	fw_ruleset_destroy(e->set);
	fw_signal_shared_destroy(e->signals);
	fw_arena_finish(&e->arena);
	free(e);
}

const char *fw_engine_hash(const struct fw_engine *engine)
{
	return engine->set->hash;
}

struct fw_zone_set *fw_engine_zones(const struct fw_engine *engine)
{
	return fw_signal_zones(engine->signals);
}

void fw_engine_describe(const struct fw_engine *engine, struct fw_json_out *out)
{
	const struct fw_ruleset *set = engine->set;
	const struct {
		const char *name;
		uint32_t n;
	} members[] = { { "rules", set->n_rules }, { "slots", set->n_slots }, { "segments", set->n_segments },
		{ "guards", set->n_guards }, { "caps", set->n_caps }, { "tests", engine->tests } };
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		fw_json_key(out, members[i].name);
		fw_json_number(out, members[i].n);
	}
	fw_json_key(out, "compliance");
	fw_json_bool(out, engine->config->compliance != NULL);
	fw_json_key(out, "decisionLog");
	fw_json_text_value(out, engine->decisions.log);
	fw_json_key(out, "decisionSample");
	fw_json_number(out, engine->decisions.log ? engine->decisions.sample : 0);
	fw_engine_describe_catalog(engine, out);
}

struct fw_engine_worker *fw_engine_worker_create(struct fw_engine *engine, unsigned number, struct fw_slot_page *page,
	void *remembered, struct fw_people *people, struct fw_spool *spool)
{
	struct fw_engine_worker *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->engine = engine;
	w->page = page;
	w->people = people;
	w->spool = spool;
	w->until_sample = FW_SAMPLE_EVERY;
	w->failed_seen = calloc(engine->set->n_rules + 1, sizeof *w->failed_seen);
	void *counts = engine->counts + number * engine->counts_bytes;
	w->signals = fw_signal_create(engine->signals, remembered);
	w->decides = fw_decider_init(&w->decider, engine->set, counts, engine->set_aside) == 0;
	bool random = true;
	if ((w->ingester = calloc(1, sizeof *w->ingester))) {
		fw_arena_init(&w->ingester->scratch, NULL, 0, FW_LIMIT_REQUEST_BYTES);
		random = getrandom(w->ingester->chance, sizeof w->ingester->chance, 0) == sizeof w->ingester->chance;
	}
	if (!random || !w->signals || !w->ingester || !w->decides || !w->failed_seen) {
		fw_engine_worker_destroy(w);
		return NULL;
	}
	w->decider.holdout = engine->config->holdout;
	if (people)
		fw_people_trigger(people, engine->triggers, &w->decider, &engine->due);
	/* Another worker may have had these counts before: what it counted is on the page already. */
	w->seen = *w->decider.counts.all;
	for (uint32_t i = 0; i < engine->set->n_rules; i++) {
		w->failed_seen[i] = w->decider.counts.rules[i].failed;
		w->failures_seen += w->failed_seen[i];
	}
	return w;
}

int fw_engine_worker_shadow(struct fw_engine_worker *w, struct fw_shadow *shadow)
{
	w->shadow = fw_shadow_worker_create(shadow, w->engine->set, w->engine->config->holdout);
	return w->shadow ? 0 : FW_ENOMEM;
}

void fw_engine_worker_destroy(struct fw_engine_worker *w)
{
	if (!w)
		return;
	if (w->decides)
		fw_decider_finish(&w->decider);
	if (w->ingester)
		fw_arena_finish(&w->ingester->scratch);
	free(w->ingester);
	free(w->quiet_memory);
	fw_signal_destroy(w->signals);
	fw_engine_free_runs(w);
	fw_shadow_worker_destroy(w->shadow);
	fw_decision_log_destroy(w->log);
	fw_buf_finish(&w->log_scratch);
	free(w->failed_seen);
	free(w);
}
