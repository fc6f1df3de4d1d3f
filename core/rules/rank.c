#include <stdlib.h>
#include <string.h>

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

/* Lists of numbers, each kept once: most rules have the same guards and caps as many others. */
struct lists {
	struct fw_arena arena;    /* of the map, while rules are ranked */
	struct fw_map map;        /* a list's bytes to its place */
	const uint32_t **items;
	uint32_t n, size;
	uint32_t *scratch;        /* room for all guards or all caps */
};

/* The one list that is as the first n numbers of the scratch; NULL when memory is used up. */
static const uint32_t *keep_list(struct fw_ruleset *set, struct lists *l, uint32_t n)
{
	struct fw_str key = { (const char *)l->scratch, n * sizeof *l->scratch };
	uint32_t at = fw_map_get(&l->map, key);
	if (at != FW_MAP_NONE)
		return l->items[at];
	if (l->n == l->size) {
		uint32_t size = l->size ? l->size * 2 : 64;
		const uint32_t **more = realloc(l->items, size * sizeof *more);
		if (!more)
			return NULL;
		l->items = more;
		l->size = size;
	}
	uint32_t *list = FW_NEW_ARRAY(&set->arena, n, uint32_t);
	if (!list || fw_map_put(&l->map, key, l->n) < 0)
		return NULL;
	if (n)
		memcpy(list, l->scratch, key.n);
	return l->items[l->n++] = list;
}

/* The guards and caps whose `applies` fits, as far as that can be known before a decision. */
static int attach(struct fw_builder *b, struct lists *l, struct fw_rule *r)
{
	struct fw_ruleset *set = b->set;
	for (uint32_t i = 0; i < set->n_guards; i++) {
		const struct fw_guard *g = &set->guards[i];
		/* Of a message the template's uses are known only later. */
		bool may_use = !g->uses || (g->uses & r->uses) || r->message || r->calls;
		if (may_use && applies(set, r, g->channels, g->slots, g->rules, g->tags))
			l->scratch[r->n_guards++] = i;
	}
	r->guards = keep_list(set, l, r->n_guards);
	for (uint32_t i = 0; i < set->n_caps; i++) {
		const struct fw_cap *c = &set->caps[i];
		if (applies(set, r, c->channels, c->slots, c->rules, c->tags))
			l->scratch[r->n_caps++] = i;
	}
	r->caps = keep_list(set, l, r->n_caps);
	r->has_caps = r->n_caps > 0;
	r->shares = r->has_caps || r->group != FW_NONE;
	set->slots_share |= r->shares && !r->message;
	set->slots_have_caps |= r->has_caps && !r->message;
	return r->guards && r->caps ? 0 : fw_build_no_memory(b);
}

static int attach_all(struct fw_builder *b)
{
	struct fw_ruleset *set = b->set;
	struct lists l = { .scratch = calloc(set->n_guards + set->n_caps + 1, sizeof *l.scratch) };
	int ret = l.scratch ? 0 : fw_build_no_memory(b);
	fw_arena_init(&l.arena, NULL, 0, 0);
	fw_map_init(&l.map, &l.arena);
	for (uint32_t i = 0; i < set->n_rules && ret == 0; i++)
		ret = attach(b, &l, &set->rules[i]);
	fw_arena_finish(&l.arena);
	free(l.items);
	free(l.scratch);
	return ret;
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

static void list_messages(struct fw_ruleset *set, struct fw_rule **order)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < set->n_rules; i++)
		if (set->rules[i].message)
			order[n++] = &set->rules[i];
	qsort(order, n, sizeof(struct fw_rule *), compare_rules);
	for (uint32_t i = 0; i < n; i++) {
		order[i]->rank = i;
		set->message_rules[i] = (uint32_t)(order[i] - set->rules);
	}
	set->n_message_rules = n;
}

int fw_rank_rules(struct fw_builder *b)
{
	struct fw_ruleset *set = b->set;
	struct fw_rule **order = calloc(set->n_rules + 1, sizeof *order);
	set->ranked = FW_NEW_ARRAY(&set->arena, set->n_rules, uint32_t);
	set->slot_rules = FW_NEW_ARRAY(&set->arena, set->n_rules, uint32_t);
	set->message_rules = FW_NEW_ARRAY(&set->arena, set->n_rules, uint32_t);
	if (!order || !set->ranked || !set->slot_rules || !set->message_rules) {
		free(order);
		return fw_build_no_memory(b);
	}
	uint32_t n = 0;
	int ret = attach_all(b);
	for (uint32_t i = 0; i < set->n_rules; i++)
		if (!set->rules[i].message)
			order[n++] = &set->rules[i];
	qsort(order, n, sizeof(struct fw_rule *), compare_rules);
	list_by_slot(set, order, n);
	list_messages(set, order);
	free(order);
	return ret;
}
