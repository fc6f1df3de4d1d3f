/* What is counted of rules: for /v1/rules, for /metrics, and for those who should know that a rule fails. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/engine_own.h"
#include "server/metrics.h"

enum { TELL_EVERY_US = 1000000, SERIES_MOST = 100 };

struct fw_counts fw_engine_sum(const struct fw_engine *e, struct fw_arena *arena)
{
	void *memory = fw_arena_zalloc(arena, fw_counts_bytes(e->set));
	if (!memory)
		return (struct fw_counts){ .all = NULL };
	struct fw_counts sum = fw_counts_in(e->set, memory);
	for (unsigned i = 0; i < e->workers; i++) {
		struct fw_counts one = fw_counts_in(e->set, e->counts + i * e->counts_bytes);
		fw_counts_add(e->set, &sum, &one);
	}
	return sum;
}

static void keep(struct fw_slot_page *page, const struct fw_rule *r, const char *what, int64_t until_us)
{
	struct fw_trouble *t = NULL;
	for (unsigned i = 0; i < FW_TROUBLES && !t; i++)
		if (strcmp(page->troubles[i].rule, r->id) == 0 && strcmp(page->troubles[i].what, what) == 0)
			t = &page->troubles[i];
	if (!t)
		t = &page->troubles[page->next_trouble++ % FW_TROUBLES];
	snprintf(t->rule, sizeof t->rule, "%s", r->id);
	snprintf(t->place, sizeof t->place, "%s:%d", r->place.file, r->place.line);
	snprintf(t->what, sizeof t->what, "%s", what);
	t->at_us = fw_now_us();
	t->until_us = until_us;
}

static void tell(struct fw_engine_worker *w, const struct fw_rule *r, const char *what, const char *message, uint64_t n, int64_t until_us)
{
	char line[16], count[24];
	snprintf(line, sizeof line, "%d", r->place.line);
	snprintf(count, sizeof count, "%" PRIu64, n);
	fw_log(FW_LOG_WARN, message, "rule", r->id, "file", r->place.file, "line", line, "times", count, NULL);
	keep(w->page, r, what, until_us);
}

static void tell_failures(struct fw_engine_worker *w)
{
	const struct fw_ruleset *set = w->engine->set;
	for (uint32_t i = 0; i < set->n_rules; i++) {
		uint64_t failed = w->decider.counts.rules[i].failed;
		if (failed == w->failed_seen[i])
			continue;
		tell(w, &set->rules[i], "failed", "a rule's function failed", failed - w->failed_seen[i], 0);
		w->failed_seen[i] = failed;
	}
}

static void tell_set_aside(struct fw_engine_worker *w)
{
	const struct fw_ruleset *set = w->engine->set;
	int64_t now = fw_now_us();
	for (uint32_t i = 0; i < set->n_rules; i++) {
		int64_t until = fw_set_aside_until(w->engine->set_aside, i, now);
		if (until)
			tell(w, &set->rules[i], "set_aside", "a rule is set aside for a minute: it runs over its budget", 1, until);
	}
}

void fw_engine_note(struct fw_engine_worker *w)
{
	const struct fw_decision_counts *now = w->decider.counts.all;
	struct fw_decision_counts *seen = &w->seen;
	for (unsigned i = 0; i < 4; i++)
		if (now->slots_by_reason[i] != seen->slots_by_reason[i])
			fw_count(w->page, FW_COUNT_SLOTS_RULE + i, now->slots_by_reason[i] - seen->slots_by_reason[i]);
	if (now->over_budget != seen->over_budget)
		fw_count(w->page, FW_COUNT_OVER_BUDGET, now->over_budget - seen->over_budget);
	bool aside = now->set_aside != seen->set_aside;
	if (aside)
		fw_count(w->page, FW_COUNT_SET_ASIDE, now->set_aside - seen->set_aside);
	if (now->failed != seen->failed)
		fw_count(w->page, FW_COUNT_RULE_FAILURES, now->failed - seen->failed);
	*seen = *now;
	if (aside)
		tell_set_aside(w);
	if (now->failed == w->failures_seen)
		return;
	int64_t at = fw_monotonic_us();
	if (w->told_us && at - w->told_us < TELL_EVERY_US)
		return;
	w->told_us = at;
	w->failures_seen = now->failed;
	tell_failures(w);
}

static void write_rule(const struct fw_engine *e, uint32_t i, const struct fw_rule_counts *c, struct fw_json_out *o)
{
	const struct fw_rule *r = &e->set->rules[i];
	const struct {
		const char *name;
		uint64_t n;
	} counts[] = { { "won", c->won }, { "vetoed", c->vetoed }, { "capped", c->capped }, { "failed", c->failed },
		{ "matched", c->matched }, { "beaten", c->beaten } };
	char at[32];
	int64_t until = fw_set_aside_until(e->set_aside, i, fw_now_us());
	fw_json_open_object(o);
	fw_json_key(o, "rule");
	fw_json_text_value(o, r->id);
	fw_json_key(o, "slot");
	fw_json_text_value(o, r->slot != FW_NONE ? e->set->slots[r->slot].id : NULL);
	fw_json_key(o, "file");
	fw_json_text_value(o, r->place.file);
	fw_json_key(o, "line");
	fw_json_number(o, r->place.line);
	for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
		fw_json_key(o, counts[k].name);
		fw_json_number(o, (double)counts[k].n);
	}
	fw_json_key(o, "lastWon");
	fw_json_text_value(o, c->last_us ? fw_time_text(c->last_us, at) : NULL);
	if (until) {
		fw_json_key(o, "setAsideUntil");
		fw_json_text_value(o, fw_time_text(until, at));
	}
	fw_json_close_object(o);
}

int fw_engine_rules(struct fw_engine_worker *w, struct fw_buf *out)
{
	const struct fw_engine *e = w->engine;
	struct fw_arena arena;
	struct fw_json_out o;
	char since[32];
	fw_arena_init(&arena, NULL, 0, 0);
	struct fw_counts sum = fw_engine_sum(e, &arena);
	if (!sum.all) {
		out->failed = true;
		return 503;
	}
	fw_json_out_init(&o, out);
	fw_json_open_object(&o);
	fw_json_key(&o, "ruleSet");
	fw_json_text_value(&o, e->set->hash);
	fw_json_key(&o, "since");
	fw_json_text_value(&o, fw_time_text(e->since_us, since));
	fw_json_key(&o, "decisions");
	fw_json_number(&o, (double)sum.all->decisions);
	fw_json_key(&o, "sampled");
	fw_json_number(&o, (double)sum.all->sampled);
	fw_json_key(&o, "rules");
	fw_json_open_array(&o);
	for (uint32_t i = 0; i < e->set->n_rules; i++)
		write_rule(e, i, &sum.rules[i], &o);
	fw_json_close_array(&o);
	fw_json_key(&o, "findings");
	fw_json_raw(&o, e->findings.n ? e->findings : FW_STR("null"));
	fw_json_close_object(&o);
	fw_arena_finish(&arena);
	return 200;
}

/* Only rules that have failed get a series, and only so many: there may be a hundred thousand rules. */
void fw_engine_metrics(const struct fw_engine *e, struct fw_buf *out)
{
	struct fw_arena arena;
	unsigned shown = 0;
	fw_arena_init(&arena, NULL, 0, 0);
	struct fw_counts sum = fw_engine_sum(e, &arena);
	if (sum.all) {
		fw_buf_puts(out, "# HELP floorwalker_guard_vetoes_total Candidates that a guard refused, since the rule set was loaded.\n"
			"# TYPE floorwalker_guard_vetoes_total counter\n");
		for (uint32_t i = 0; i < e->set->n_guards && i < SERIES_MOST; i++)
			fw_metrics_series(out, "guard_vetoes_total", "guard", e->set->guards[i].id, sum.vetoes[i]);
		fw_buf_puts(out, "# HELP floorwalker_cap_refusals_total Candidates that a full cap refused, since the rule set "
			"was loaded.\n"
			"# TYPE floorwalker_cap_refusals_total counter\n");
		for (uint32_t i = 0; i < e->set->n_caps && i < SERIES_MOST; i++)
			fw_metrics_series(out, "cap_refusals_total", "cap", e->set->caps[i].id, sum.refusals[i]);
		fw_buf_puts(out, "# HELP floorwalker_rule_function_failures_total Failures of a rule's functions, since the rule "
			"set was loaded.\n"
			"# TYPE floorwalker_rule_function_failures_total counter\n");
		for (uint32_t i = 0; i < e->set->n_rules && shown < SERIES_MOST; i++) {
			if (!sum.rules[i].failed)
				continue;
			fw_metrics_series(out, "rule_function_failures_total", "rule", e->set->rules[i].id, sum.rules[i].failed);
			shown++;
		}
		fw_buf_printf(out, "# HELP floorwalker_out_of_stock_total Candidates refused for a product that is out of stock, since the "
			"rule set was loaded.\n# TYPE floorwalker_out_of_stock_total counter\n"
			"floorwalker_out_of_stock_total %" PRIu64 "\n", sum.all->out_of_stock);
	}
	fw_engine_catalog_metrics(e, out);
	fw_arena_finish(&arena);
}
