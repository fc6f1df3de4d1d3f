#include "server/shadow_page.h"

#include <stdio.h>

#include "server/metrics.h"

struct fw_shadow_count *fw_shadow_count_of(struct fw_shadow_count *places, unsigned n, uint64_t hash, const char *id)
{
	hash += hash == 0;
	for (unsigned i = 0; i < n; i++) {
		struct fw_shadow_count *c = &places[(hash + i) % n];
		uint64_t is = atomic_load(&c->hash);
		if (is == 0 && atomic_compare_exchange_strong(&c->hash, &is, hash)) {
			snprintf(c->id, sizeof c->id, "%s", id);
			return c;
		}
		if (is == hash) {
			if (!c->id[0]) /* whoever took it died */
				snprintf(c->id, sizeof c->id, "%s", id);
			return c;
		}
	}
	return NULL;
}

static void put_number(struct fw_json_out *o, const char *key, double n)
{
	fw_json_key(o, key);
	fw_json_number(o, n);
}

static void put_text(struct fw_json_out *o, const char *key, const char *text)
{
	fw_json_key(o, key);
	fw_json_text_value(o, text[0] ? text : NULL);
}

static void put_list(struct fw_json_out *o, const char *key, const char *what, const char *a, const char *b,
	const struct fw_shadow_count *places, unsigned n)
{
	fw_json_key(o, key);
	fw_json_open_array(o);
	for (unsigned i = 0; i < n; i++) {
		if (!atomic_load(&places[i].hash) || !places[i].id[0])
			continue;
		fw_json_open_object(o);
		put_text(o, what, places[i].id);
		put_number(o, a, (double)atomic_load(&places[i].a));
		put_number(o, b, (double)atomic_load(&places[i].b));
		fw_json_close_object(o);
	}
	fw_json_close_array(o);
}

void fw_shadow_write(const struct fw_shadow_page *page, struct fw_json_out *o)
{
	if (!page->rules[0]) {
		fw_json_null(o);
		return;
	}
	fw_json_open_object(o);
	put_text(o, "rules", page->rules);
	put_text(o, "ruleSet", page->hash);
	put_text(o, "error", page->error);
	put_number(o, "sample", page->sample);
	put_number(o, "decisions", (double)atomic_load(&page->decisions));
	put_number(o, "changed", (double)atomic_load(&page->changed));
	put_number(o, "failed", (double)atomic_load(&page->failed));
	put_number(o, "functionsFailed", (double)atomic_load(&page->functions_failed));
	put_list(o, "slots", "slot", "decisions", "changed", page->slots, FW_LIMIT_SHADOW_SLOTS);
	put_list(o, "byRule", "rule", "lost", "gained", page->by_rule, FW_LIMIT_SHADOW_RULES);
	put_number(o, "uncounted", (double)atomic_load(&page->uncounted));
	fw_json_close_object(o);
}

static void put_series(struct fw_buf *out, const char *name, const char *help, const char *label, bool second,
	const struct fw_shadow_count *places, unsigned n)
{
	fw_metrics_head(out, name, "counter", help);
	for (unsigned i = 0; i < n; i++)
		if (atomic_load(&places[i].hash) && places[i].id[0])
			fw_metrics_series(out, name, label, places[i].id, atomic_load(second ? &places[i].b : &places[i].a));
}

void fw_shadow_metrics(const struct fw_shadow_page *page, struct fw_buf *out)
{
	if (!page->rules[0])
		return;
	fw_metrics_one(out, "shadow_loaded", "gauge", "Whether the shadow's rules load.", page->hash[0] != 0);
	fw_metrics_one(out, "shadow_decisions_total", "counter",
		"Decisions made again by the shadow's rules, since the rule set was loaded.", atomic_load(&page->decisions));
	fw_metrics_one(out, "shadow_changed_total", "counter", "Those that came out differently.", atomic_load(&page->changed));
	put_series(out, "shadow_slot_decisions_total", "Of them, by slot.", "slot", false, page->slots, FW_LIMIT_SHADOW_SLOTS);
	put_series(out, "shadow_slot_changed_total", "Slots that the shadow would have filled otherwise.", "slot", true, page->slots,
		FW_LIMIT_SHADOW_SLOTS);
	put_series(out, "shadow_rule_lost_total", "Times that a rule won, and would not have by the shadow's rules.", "rule", false,
		page->by_rule, FW_LIMIT_SHADOW_RULES);
	put_series(out, "shadow_rule_gained_total", "Times that a rule did not win, and would have by the shadow's rules.", "rule", true,
		page->by_rule, FW_LIMIT_SHADOW_RULES);
}
