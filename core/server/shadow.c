#include "server/shadow.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "server/config_values.h"
#include "trace/replay.h"

static const double usual_sample = 0.1;

struct fw_shadow {
	struct fw_ruleset *set;
	struct fw_shadow_page *page;
};

struct fw_shadow_worker {
	struct fw_shadow *shadow;
	const struct fw_ruleset *live;
	struct fw_decider decider;
	bool decides;
	void *counts, *set_aside;
	uint32_t *slots;        /* of the live set's slots those of the shadow, or FW_NONE */
	uint64_t *slot_hashes;  /* of the live set's */
	uint64_t functions_failed;
	double due;             /* what has gathered towards the next one of the sample */
};

int fw_config_shadow(const struct fw_config *c, struct fw_arena *a, struct fw_config_shadow *ret, struct fw_error *err)
{
	static const char *const known[] = { "rules", "sample", NULL };
	const struct fw_json *v = c->shadow, *rules = v, *sample = NULL;
	int rc = 0;
	*ret = (struct fw_config_shadow){ .sample = usual_sample };
	if (v && v->type == FW_JSON_OBJECT) {
		rc = fw_config_only(v, known, err);
		rules = fw_json_get(v, "rules");
		sample = fw_json_get(v, "sample");
		if (rc == 0 && !rules) {
			fw_fail(err, FW_EINVAL, NULL, 0, "shadow wants the folder of its rules");
			fw_hint(err, "write shadow = { rules = \"rules-next\" }");
			return FW_EINVAL;
		}
	}
	if (rc == 0 && rules && (rc = fw_config_text(rules, &ret->rules, err)) == 0 && ret->rules[0] != '/')
		ret->rules = fw_arena_printf(a, "%s/%s", c->folder, ret->rules);
	if (rc == 0 && rules && !ret->rules)
		rc = fw_config_no_memory(err);
	return rc == 0 && sample ? fw_config_number(sample, 0, 1, false, &ret->sample, err) : rc;
}

static void say_why(struct fw_shadow_page *page, const struct fw_error *err)
{
	char text[1200];
	snprintf(page->error, sizeof page->error, "%s", fw_error_text(err, text, sizeof text));
	fw_log_error(FW_LOG_WARN, "the shadow's rules do not load: nothing is decided by them", err);
}

static int load_rules(struct fw_shadow *s, const struct fw_config *c, const char *rules, struct fw_zone_set *zones)
{
	struct fw_errors errors;
	const struct fw_ruleset_options options = { .rules = rules, .compliance = c->compliance, .timezone = c->timezone,
		.currency = c->currency, .zones = zones };
	fw_errors_init(&errors);
	int rc = fw_ruleset_load(&options, &s->set, &errors);
	if (rc < 0 && errors.n)
		say_why(s->page, &errors.items[0]);
	fw_errors_finish(&errors);
	return rc;
}

struct fw_shadow *fw_shadow_load(const struct fw_config *c, struct fw_zone_set *zones, struct fw_shadow_page *page)
{
	struct fw_arena a;
	struct fw_config_shadow config;
	struct fw_error err;
	memset(page, 0, sizeof *page);
	fw_arena_init(&a, NULL, 0, 0);
	struct fw_shadow *s = NULL;
	if (fw_config_shadow(c, &a, &config, &err) == 0 && config.rules && (s = calloc(1, sizeof *s))) {
		s->page = page;
		page->sample = config.sample;
		snprintf(page->rules, sizeof page->rules, "%s", config.rules);
		if (load_rules(s, c, config.rules, zones) < 0) {
			fw_shadow_destroy(s);
			s = NULL;
		} else {
			fw_ruleset_forget_files(s->set);
			snprintf(page->hash, sizeof page->hash, "%s", s->set->hash);
		}
	}
	fw_arena_finish(&a);
	return s;
}

void fw_shadow_destroy(struct fw_shadow *s)
{
	if (!s)
		return;
	fw_ruleset_destroy(s->set);
	free(s);
}

struct fw_shadow_worker *fw_shadow_worker_create(struct fw_shadow *shadow, const struct fw_ruleset *live, double holdout)
{
	struct fw_shadow_worker *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->shadow = shadow;
	w->live = live;
	w->counts = calloc(1, fw_counts_bytes(shadow->set));
	w->set_aside = calloc(1, fw_set_aside_bytes(shadow->set->n_rules));
	w->slots = calloc(live->n_slots + 1, sizeof *w->slots);
	w->slot_hashes = calloc(live->n_slots + 1, sizeof *w->slot_hashes);
	w->decides = w->counts && w->set_aside && w->slots && w->slot_hashes &&
		fw_decider_init(&w->decider, shadow->set, w->counts, w->set_aside) == 0;
	if (!w->decides) {
		fw_shadow_worker_destroy(w);
		return NULL;
	}
	w->decider.holdout = holdout;
	for (uint32_t i = 0; i < live->n_slots; i++) {
		w->slots[i] = fw_ruleset_slot(shadow->set, fw_str(live->slots[i].id));
		w->slot_hashes[i] = fw_hash(live->slots[i].id, strlen(live->slots[i].id));
	}
	return w;
}

void fw_shadow_worker_destroy(struct fw_shadow_worker *w)
{
	if (!w)
		return;
	if (w->decides)
		fw_decider_finish(&w->decider);
	free(w->counts);
	free(w->set_aside);
	free(w->slots);
	free(w->slot_hashes);
	free(w);
}

bool fw_shadow_draw(struct fw_shadow_worker *w)
{
	w->due += w->shadow->page->sample;
	if (w->due < 1)
		return false;
	w->due -= 1;
	return true;
}

static void add(_Atomic uint64_t *count, uint64_t n)
{
	atomic_fetch_add_explicit(count, n, memory_order_relaxed);
}

static void count_slot(struct fw_shadow_worker *w, uint32_t slot, bool changed)
{
	struct fw_shadow_page *page = w->shadow->page;
	struct fw_shadow_count *c = fw_shadow_count_of(page->slots, FW_LIMIT_SHADOW_SLOTS, w->slot_hashes[slot], w->live->slots[slot].id);
	if (!c) {
		add(&page->uncounted, 1);
		return;
	}
	add(&c->a, 1);
	if (changed)
		add(&c->b, 1);
}

/* Winners of one that do not win in the other. */
static void count_rules(struct fw_shadow_page *page, const struct fw_ruleset *set, const struct fw_slot_answer *a,
	const struct fw_ruleset *other, const struct fw_slot_answer *b, bool gained)
{
	for (uint32_t i = 0; a && i < a->n; i++) {
		const char *id = set->rules[a->winners[i].rule].id;
		if (fw_replay_wins(other, b, id))
			continue;
		struct fw_shadow_count *c = fw_shadow_count_of(page->by_rule, FW_LIMIT_SHADOW_RULES, fw_hash(id, strlen(id)), id);
		add(c ? gained ? &c->b : &c->a : &page->uncounted, 1);
	}
}

static bool compare_slot(struct fw_shadow_worker *w, const struct fw_slot_answer *was, const struct fw_slot_answer *is)
{
	const struct fw_ruleset *set = w->shadow->set;
	bool changed = fw_replay_differs(w->live, was, set, is);
	count_slot(w, was->slot, changed);
	if (changed) {
		count_rules(w->shadow->page, w->live, was, set, is, false);
		count_rules(w->shadow->page, set, is, w->live, was, true);
	}
	return changed;
}

/* Whether its rules' functions fail is for those to know who write them. */
static void count_failures(struct fw_shadow_worker *w)
{
	uint64_t failed = w->decider.counts.all->failed;
	if (failed != w->functions_failed)
		add(&w->shadow->page->functions_failed, failed - w->functions_failed);
	w->functions_failed = failed;
}

void fw_shadow_compare(struct fw_shadow_worker *w, const struct fw_facts *facts, const struct fw_decision *decision, struct fw_arena *arena)
{
	struct fw_shadow_page *page = w->shadow->page;
	struct fw_decision other;
	uint32_t *slots = FW_NEW_ARRAY(arena, decision->n_slots + 1, uint32_t), n = 0, k = 0;
	bool changed = false;
	for (uint32_t i = 0; slots && i < decision->n_slots; i++)
		if (w->slots[decision->slots[i].slot] != FW_NONE)
			slots[n++] = w->slots[decision->slots[i].slot];
	if (!slots || fw_decide(&w->decider, facts, slots, n, arena, &other) < 0) {
		add(&page->failed, 1);
		return;
	}
	if (other.n_reservations)
		fw_decide_count(&w->decider, &other); /* in its own counts, as if it were shown */
	for (uint32_t i = 0; i < decision->n_slots; i++) {
		bool there = w->slots[decision->slots[i].slot] != FW_NONE;
		changed |= compare_slot(w, &decision->slots[i], there ? &other.slots[k] : NULL);
		k += there;
	}
	add(&page->decisions, 1);
	if (changed)
		add(&page->changed, 1);
	count_failures(w);
}

void fw_shadow_turned(struct fw_shadow_worker *w)
{
	if (w->shadow->set->n_functions)
		fw_sandbox_collect(w->shadow->set->sandbox);
}
