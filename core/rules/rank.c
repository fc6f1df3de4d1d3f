#include <stdlib.h>

#include "rules/builder.h"

static int compare_rules(const void *x, const void *y)
{
	const struct fw_rule *a = *(const struct fw_rule *const *)x, *b = *(const struct fw_rule *const *)y;
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	if (a->specificity != b->specificity)
		return a->specificity > b->specificity ? -1 : 1;
	return strcmp(a->id, b->id);
}

static bool names_one(const char **names, const char *name)
{
	if (!names)
		return true;
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool names_one_of(const char **names, const char **own)
{
	if (!names)
		return true;
	for (; own && *own; own++)
		if (names_one(names, *own))
			return true;
	return false;
}

static bool applies(const struct fw_ruleset *set, const struct fw_rule *r, const char **channels, const char **slots, const char **rules,
	const char **tags)
{
	const char *channel = r->message ? r->message->channel : set->slots[r->slot].channel;
	bool slot = !slots || (!r->message && names_one(slots, set->slots[r->slot].id));
	return slot && names_one(channels, channel) && names_one(rules, r->id) && names_one_of(tags, r->tags);
}

/* The guards and caps whose `applies` fits, as far as that can be known before a decision. */
static int attach(struct fw_builder *b, struct fw_rule *r)
{
	struct fw_ruleset *set = b->set;
	r->guards = FW_NEW_ARRAY(&set->arena, set->n_guards, uint32_t);
	r->caps = FW_NEW_ARRAY(&set->arena, set->n_caps, uint32_t);
	if (!r->guards || !r->caps)
		return fw_build_no_memory(b);
	for (uint32_t i = 0; i < set->n_guards; i++) {
		const struct fw_guard *g = &set->guards[i];
		bool may_use = !g->uses || (g->uses & r->uses) || r->has_functions || r->show.function != FW_NONE;
		if (may_use && applies(set, r, g->channels, g->slots, g->rules, g->tags))
			r->guards[r->n_guards++] = i;
	}
	for (uint32_t i = 0; i < set->n_caps; i++) {
		const struct fw_cap *c = &set->caps[i];
		if (applies(set, r, c->channels, c->slots, c->rules, c->tags))
			r->caps[r->n_caps++] = i;
	}
	return 0;
}

/* Each slot's rules stand together, in order of rank. */
static void list_by_slot(struct fw_ruleset *set, struct fw_rule **order, uint32_t n)
{
	uint32_t ranked = 0, all = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct fw_slot *slot = &set->slots[order[i]->slot];
		order[i]->rank = i;
		slot->n_rules++;
		slot->n_ranked += order[i]->enabled;
	}
	for (uint32_t s = 0; s < set->n_slots; s++) {
		set->slots[s].first_ranked = ranked;
		set->slots[s].first_rule = all;
		ranked += set->slots[s].n_ranked;
		all += set->slots[s].n_rules;
		set->slots[s].n_ranked = set->slots[s].n_rules = 0;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct fw_slot *slot = &set->slots[order[i]->slot];
		uint32_t number = (uint32_t)(order[i] - set->rules);
		set->slot_rules[slot->first_rule + slot->n_rules++] = number;
		if (order[i]->enabled)
			set->ranked[slot->first_ranked + slot->n_ranked++] = number;
	}
}

int fw_rank_rules(struct fw_builder *b)
{
	struct fw_ruleset *set = b->set;
	struct fw_rule **order = calloc(set->n_rules + 1, sizeof *order);
	set->ranked = FW_NEW_ARRAY(&set->arena, set->n_rules, uint32_t);
	set->slot_rules = FW_NEW_ARRAY(&set->arena, set->n_rules, uint32_t);
	if (!order || !set->ranked || !set->slot_rules) {
		free(order);
		return fw_build_no_memory(b);
	}
	uint32_t n = 0;
	int ret = 0;
	for (uint32_t i = 0; i < set->n_rules && ret == 0; i++) {
		ret = attach(b, &set->rules[i]);
		if (!set->rules[i].message)
			order[n++] = &set->rules[i];
	}
	qsort(order, n, sizeof(struct fw_rule *), compare_rules);
	list_by_slot(set, order, n);
	free(order);
	return ret;
}
