/* What is declared and nothing uses; and what is named and nothing has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "check/own.h"

static void mark_segments(const struct fw_ruleset *s, uint32_t number, bool *used)
{
	if (number == FW_NONE)
		return;
	const struct fw_node *node = &s->nodes[number];
	if (node->kind == FW_NODE_FUNCTION)
		return;
	if (node->kind == FW_NODE_LITERAL) {
		const struct fw_ref *ref = &s->refs[s->literals[node->first].ref];
		if (ref->fact == FW_FACT_SEGMENT)
			used[ref->segment] = true;
		return;
	}
	for (uint32_t i = 0; i < node->n; i++)
		mark_segments(s, s->children[node->first + i], used);
}

static void mark_boosts(const struct fw_ruleset *s, const struct fw_ordering *all, bool *used)
{
	for (uint32_t i = 0; all && i < all->n; i++)
		for (uint32_t k = 0; k < all->orders[i].n_boosts; k++)
			mark_segments(s, all->orders[i].boosts[k].when, used);
}

/* A function may ask for any segment by its name, so with functions it is only possible that nothing uses one. */
static int check_segments(struct fw_checker *c)
{
	const struct fw_ruleset *s = c->set;
	bool *used = calloc(s->n_segments + 1, 1);
	if (!used)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < s->n_segments; i++)
		mark_segments(s, s->segments[i].when, used);
	for (uint32_t i = 0; i < s->n_rules; i++) {
		mark_segments(s, s->rules[i].when, used);
		mark_boosts(s, s->rules[i].show.ordering, used);
		if (s->rules[i].message && s->rules[i].message->on_segment != FW_NONE)
			used[s->rules[i].message->on_segment] = true;
	}
	for (uint32_t i = 0; i < s->n_guards; i++) {
		mark_segments(s, s->guards[i].require, used);
		mark_segments(s, s->guards[i].forbid, used);
	}
	for (uint32_t i = 0; i < s->n_segments; i++) {
		const struct fw_segment *x = &s->segments[i];
		struct fw_finding *f = used[i] || x->compliance ? NULL : fw_check_add(c, FW_FINDING_UNUSED_SEGMENT, "segment", x->id,
			x->place);
		if (!f)
			continue;
		f->verdict = s->n_functions ? FW_POSSIBLE : FW_CERTAIN;
		f->message = fw_check_text(c, "segment \"%s\": nothing uses it", x->id);
		f->hint = s->n_functions ? "unless a function asks for it; else take it out" : "take it out, or use it: segment = \"…\"";
	}
	free(used);
	return 0;
}

static bool is_named(const char **names, const char *name)
{
	for (; names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool is_named_anywhere(const struct fw_ruleset *s, const char *tag)
{
	for (uint32_t i = 0; i < s->n_guards; i++)
		if (is_named(s->guards[i].tags, tag))
			return true;
	for (uint32_t i = 0; i < s->n_caps; i++)
		if (is_named(s->caps[i].tags, tag))
			return true;
	return false;
}

/* Tags by name, each with the first rule that has it. */
struct tags {
	struct fw_map map;
	const char **names;
	uint32_t *rules;
	uint32_t n;
};

static int gather_tags(struct fw_checker *c, struct tags *t)
{
	uint32_t most = 0;
	for (uint32_t i = 0; i < c->set->n_rules; i++)
		for (const char **tag = c->set->rules[i].tags; tag && *tag; tag++)
			most++;
	fw_map_init(&t->map, &c->scratch);
	t->names = FW_NEW_ARRAY(c->arena, most, const char *);
	t->rules = FW_NEW_ARRAY(c->arena, most, uint32_t);
	if (!t->names || !t->rules)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < c->set->n_rules; i++)
		for (const char **tag = c->set->rules[i].tags; tag && *tag; tag++) {
			if (fw_map_get(&t->map, fw_str(*tag)) != FW_MAP_NONE)
				continue;
			if (fw_map_put(&t->map, fw_str(*tag), t->n) < 0)
				return FW_ENOMEM;
			t->names[t->n] = *tag;
			t->rules[t->n++] = i;
		}
	return 0;
}

static void report_tags(struct fw_checker *c, const struct tags *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		const struct fw_rule *r = &c->set->rules[t->rules[i]];
		if (is_named_anywhere(c->set, t->names[i]))
			continue;
		struct fw_finding *f = fw_check_add(c, FW_FINDING_UNUSED_TAG, "tag", t->names[i], r->place);
		if (!f)
			return;
		f->message = fw_check_text(c, "tag \"%s\" (rule \"%s\"): no guard and no cap names it", t->names[i], r->id);
		f->hint = "take it out, or name it: applies = { tag = \"…\" }";
	}
}

/* What a guard or a cap says that it applies to. */
struct applying {
	const char *kind, *id;
	struct fw_place place;
	bool compliance, applies;
	const char **slots, **rules, **tags;
};

static bool no_such(struct fw_checker *c, const struct applying *a, const char *what, const char *name, const char *nearest)
{
	struct fw_finding *f = fw_check_add(c, FW_FINDING_NO_SUCH_TAG, a->kind, a->id, a->place);
	if (!f)
		return true;
	f->message = fw_check_text(c, "%s \"%s\" applies to the %s \"%s\", and there is none", a->kind, a->id, what, name);
	f->hint = nearest ? fw_check_text(c, "did you mean \"%s\"?", nearest) : "see how the rules that it is for are called";
	return true;
}

/* The compliance folder is for every store: what it names and this one does not have is worth saying only where it looks like a
 * mistake in writing. */
static bool check_names(struct fw_checker *c, const struct applying *a, const struct tags *t)
{
	const struct fw_ruleset *s = c->set;
	bool wrong = false;
	for (const char **name = a->tags; name && *name; name++) {
		const char *nearest = t->n ? fw_nearest(*name, t->names, t->n) : NULL;
		if (fw_map_get(&t->map, fw_str(*name)) == FW_MAP_NONE && (!a->compliance || nearest))
			wrong |= no_such(c, a, "tag", *name, nearest);
	}
	for (const char **name = a->rules; name && *name; name++)
		if (fw_ruleset_rule(s, fw_str(*name)) == FW_MAP_NONE)
			wrong |= no_such(c, a, "rule", *name, s->n_rules ? fw_nearest_in(*name, &s->rules[0].id, s->n_rules,
				sizeof *s->rules)
				: NULL);
	for (const char **name = a->slots; name && *name; name++)
		if (fw_ruleset_slot(s, fw_str(*name)) == FW_MAP_NONE)
			wrong |= no_such(c, a, "slot", *name, s->n_slots ? fw_nearest_in(*name, &s->slots[0].id, s->n_slots,
				sizeof *s->slots)
				: NULL);
	return wrong;
}

static void check_applying(struct fw_checker *c, const struct applying *a, const struct tags *t)
{
	if (check_names(c, a, t) || a->applies || a->compliance)
		return;
	struct fw_finding *f = fw_check_add(c, FW_FINDING_UNUSED_GUARD, a->kind, a->id, a->place);
	if (!f)
		return;
	f->message = fw_check_text(c, "%s \"%s\" applies to no rule", a->kind, a->id);
	f->hint = "take it out, or see that `applies` says what it is for: several keys must all fit";
}

static void check_all_applying(struct fw_checker *c, const struct tags *t)
{
	const struct fw_ruleset *s = c->set;
	for (uint32_t i = 0; i < s->n_guards; i++) {
		const struct fw_guard *g = &s->guards[i];
		struct applying a = { "guard", g->id, g->place, g->compliance, false, g->slots, g->rules, g->tags };
		for (uint32_t k = 0; k < s->n_rules && !a.applies; k++)
			a.applies = fw_check_has(s->rules[k].guards, s->rules[k].n_guards, i);
		check_applying(c, &a, t);
	}
	for (uint32_t i = 0; i < s->n_caps; i++) {
		const struct fw_cap *p = &s->caps[i];
		struct applying a = { "cap", p->id, p->place, p->compliance, false, p->slots, p->rules, p->tags };
		for (uint32_t k = 0; k < s->n_rules && !a.applies; k++)
			a.applies = fw_check_has(s->rules[k].caps, s->rules[k].n_caps, i);
		check_applying(c, &a, t);
	}
}

int fw_check_unused(struct fw_checker *c)
{
	struct tags t = { .n = 0 };
	if (check_segments(c) < 0 || gather_tags(c, &t) < 0)
		return FW_ENOMEM;
	report_tags(c, &t);
	check_all_applying(c, &t);
	return 0;
}
