#include "cli/upkeep.h"

#include <stdlib.h>

struct way {
	uint32_t reason, rule, by;
};

static bool names(const struct fw_json *expected, const char *id)
{
	bool found = expected->type == FW_JSON_STRING && fw_str_equal(expected->string, fw_str(id));
	for (const struct fw_json *c = expected->child; c && !found; c = c->next)
		found = names(c, id);
	return found;
}

static bool is_tested(const struct fw_ruleset *set, const char *id)
{
	bool found = false;
	for (uint32_t i = 0; i < set->n_tests && !found; i++)
		found = names(set->tests[i].expect, id);
	return found;
}

int fw_upkeep_init(struct fw_upkeep *r, const struct fw_ruleset *set)
{
	*r = (struct fw_upkeep){ .set = set };
	fw_arena_init(&r->arena, NULL, 0, 0);
	fw_map_init(&r->ways, &r->arena);
	if (!(r->rules = FW_NEW_ARRAY(&r->arena, set->n_rules, struct fw_upkeep_rule)))
		return FW_ENOMEM;
	for (uint32_t i = 0; i < set->n_rules; i++)
		r->rules[i].tested = is_tested(set, set->rules[i].id);
	return 0;
}

void fw_upkeep_finish(struct fw_upkeep *r)
{
	free(r->times);
	fw_arena_finish(&r->arena);
}

static void count_way(struct fw_upkeep *r, const struct way *way)
{
	const struct fw_str key = { (const char *)way, sizeof *way };
	uint32_t n = fw_map_get(&r->ways, key);
	if (n == FW_MAP_NONE) {
		n = r->n_times;
		uint32_t size = r->times_size ? 2 * r->times_size : 256;
		uint64_t *more = n < r->times_size ? r->times : realloc(r->times, size * sizeof *more);
		if (more && n == r->times_size)
			r->times_size = size;
		r->times = more ? more : r->times;
		if (!more || fw_map_put(&r->ways, key, n) < 0) {
			r->failed = true;
			return;
		}
		r->times[r->n_times++] = 0;
	}
	r->times[n]++;
}

static void count_candidate(struct fw_upkeep *r, const struct fw_candidate *c, int64_t at_us)
{
	struct fw_upkeep_rule *rule = c->rule == FW_NONE ? NULL : &r->rules[c->rule];
	enum fw_reason reason = c->verdict.reason;
	if (!rule) /* a message of one that the set has no more */
		return;
	rule->asked++;
	rule->reasons[reason]++;
	if (reason == FW_REASON_WON && at_us > rule->last_won_us)
		rule->last_won_us = at_us;
	if ((reason == FW_REASON_BEATEN || reason == FW_REASON_EXCLUDED) && c->by != FW_NONE)
		count_way(r, &(struct way){ FW_REASON_BEATEN, c->rule, c->by });
	if (reason == FW_REASON_VETOED && c->verdict.guard != FW_NONE)
		count_way(r, &(struct way){ FW_REASON_VETOED, c->rule, c->verdict.guard });
}

void fw_upkeep_count(struct fw_upkeep *r, const struct fw_explanation *e)
{
	r->decisions++;
	for (uint32_t s = 0; s < e->n_slots; s++)
		for (uint32_t i = 0; i < e->slots[s].n; i++)
			count_candidate(r, &e->slots[s].candidates[i], e->at_us);
}

/* Into its place among the most frequent; of two as frequent the one whose name comes first. */
static void place(struct fw_upkeep_by *list, const char *id, uint64_t times)
{
	struct fw_upkeep_by one = { id, times };
	for (int i = 0; i < FW_UPKEEP_BY && one.id; i++) {
		struct fw_upkeep_by *at = &list[i];
		if (at->id && (at->times > one.times || (at->times == one.times && strcmp(at->id, one.id) < 0)))
			continue;
		struct fw_upkeep_by was = *at;
		*at = one;
		one = was;
	}
}

int fw_upkeep_sum(struct fw_upkeep *r)
{
	for (uint32_t i = 0; i < r->ways.size; i++) {
		const struct fw_map_entry *entry = &r->ways.entries[i];
		struct way way;
		if (!entry->key)
			continue;
		memcpy(&way, entry->key, sizeof way);
		struct fw_upkeep_rule *rule = &r->rules[way.rule];
		bool beaten = way.reason == FW_REASON_BEATEN;
		place(beaten ? rule->beaten : rule->vetoed, beaten ? r->set->rules[way.by].id : r->set->guards[way.by].id,
			r->times[entry->value]);
	}
	return r->failed ? FW_ENOMEM : 0;
}

uint64_t fw_upkeep_matched(const struct fw_upkeep_rule *rule)
{
	static const enum fw_reason met[] = { FW_REASON_WON, FW_REASON_VETOED, FW_REASON_CAPPED, FW_REASON_BEATEN, FW_REASON_EXCLUDED,
		FW_REASON_FAILED, FW_REASON_OUT_OF_STOCK, FW_REASON_DEFERRED };
	uint64_t n = 0;
	for (size_t i = 0; i < sizeof met / sizeof *met; i++)
		n += rule->reasons[met[i]];
	return n;
}
