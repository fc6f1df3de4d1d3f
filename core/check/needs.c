#include "check/needs.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "check/needs_own.h"
#include "decide/due.h"

struct finding_needs {
	struct fw_decider *d;
	const struct fw_facts *facts;
	const uint32_t *slots;
	uint32_t n_slots;
	struct fw_arena *arena;   /* of what is found */
	struct fw_arena told;     /* of the domain, which learns more with every question */
	struct fw_arena scratch;  /* of what is tried out for one candidate */
	struct fw_domain domain;
	struct fw_maker maker;
	uint32_t judged;          /* rules, so far */
	bool holdout;
};

/* One candidate, and the best that was found for it. */
struct wanting {
	struct finding_needs *f;
	const struct fw_explained_slot *slot;
	const struct fw_candidate *c;
	const struct fw_rule *r;
	struct fw_facts facts;      /* as they are; of a message with leave to write to the person, in the scratch arena */
	struct fw_need *rule_needs; /* what is needed in any case */
	uint32_t n_rule_needs;
	uint32_t tried;
	bool tried_all; /* … that might have been less than the best */
	bool takes_back; /* each of them: the leave that the message needs */
	struct fw_needs best;
};

/* A way that may do: a box, and what it turns. */
struct way {
	const struct fw_box *box;
	struct fw_turn *turns;
	uint32_t n, things;
};

const char *fw_need_name(enum fw_need_kind kind)
{
	static const char *const names[FW_NEEDS] = { "fact", "proof", "consent", "address", "enabled", "dates", "rollout", "holdout",
		"priority", "cap" };
	return names[kind];
}

static void add_need(struct wanting *w, enum fw_need_kind kind, double number, const char *text)
{
	w->f->maker.no_memory |= !text;
	w->rule_needs[w->n_rule_needs++] = (struct fw_need){ kind, FW_NONE, number, text };
}

static void need_dates(struct wanting *w)
{
	const struct fw_facts *facts = w->f->facts;
	char time[32];
	if (!facts->has_clock)
		return;
	if (facts->now_us < w->r->starts_us)
		add_need(w, FW_NEED_DATES, 0, fw_arena_printf(w->f->arena, "`starts` no later than now: it is %s",
			fw_time_text(w->r->starts_us, time)));
	else if (facts->now_us >= w->r->ends_us)
		add_need(w, FW_NEED_DATES, 0, fw_arena_printf(w->f->arena, "`ends` later than now: it was %s",
			fw_time_text(w->r->ends_us, time)));
}

static void need_rollout(struct wanting *w)
{
	const struct fw_facts *facts = w->f->facts;
	if (fw_rollout_has(w->r, facts))
		return;
	if (!facts->has_point && !facts->key.n) {
		add_need(w, FW_NEED_ROLLOUT, 100, "a visitor with an id, or `rollout` of 100: without an id nobody is drawn");
		return;
	}
	double point = facts->has_point ? facts->point : fw_rollout_point(w->r->id, facts->key);
	add_need(w, FW_NEED_ROLLOUT, point, fw_arena_printf(w->f->arena, "`rollout` above %.4g: it is %.4g", point, w->r->rollout));
}

/* Who may be written to may get stronger messages of the channel, too, and what else asks for that consent has it. */
static void give_consent(struct wanting *w, const char *channel)
{
	const struct fw_value *v = &w->facts.single[FW_FACT_CONSENT];
	uint32_t n = v->state == FW_KNOWN ? v->n_items : 0;
	struct fw_str *all = FW_NEW_ARRAY(&w->f->scratch, n + 1, struct fw_str);
	for (uint32_t i = 0; all && i < n; i++)
		all[i] = v->items[i].text;
	if (all)
		all[n] = fw_str(channel);
	w->f->maker.no_memory |= !all || fw_facts_set(&w->facts, FW_FACT_CONSENT, all, n + 1) < 0;
}

/* That the person can be reached, may be written to at all, and on that channel: also of a rule that rests now. From here on it is so. */
static void need_leave(struct wanting *w)
{
	const char *channel = w->r->message->channel, *by;
	enum fw_reason unreached = w->slot->unreached;
	if (unreached != FW_REASON_WON)
		add_need(w, FW_NEED_ADDRESS, 0, fw_arena_printf(w->f->arena, unreached == FW_REASON_SUPPRESSED
			? "an address for %s that is not suppressed" : "an address for %s", channel));
	if (w->facts.restricted)
		add_need(w, FW_NEED_CONSENT, 0, "a person who is not restricted");
	w->facts.restricted = false;
	if (fw_due_refusal(w->f->d, w->r, &w->facts, &by) != FW_REASON_VETOED)
		return;
	add_need(w, FW_NEED_CONSENT, 0, fw_arena_printf(w->f->arena, "consent for %s", channel));
	give_consent(w, channel);
}

/* What is needed whatever the visitor is. */
static void find_rule_needs(struct wanting *w)
{
	bool marketing = w->r->message && w->r->message->class == FW_CLASS_MARKETING;
	if (!w->r->enabled)
		add_need(w, FW_NEED_ENABLED, 0, "`enabled` true");
	need_dates(w);
	need_rollout(w);
	if (w->f->holdout && (!w->r->message || marketing))
		add_need(w, FW_NEED_HOLDOUT, 0, "a visitor outside of the holdout");
	if (w->r->message)
		need_leave(w);
}

/* The guards that apply whatever the rule's functions read, and `further`. */
static void make_boxes(struct wanting *w, uint32_t further, struct fw_boxes *ret)
{
	struct fw_maker *m = &w->f->maker;
	const struct fw_ruleset *set = w->f->d->set;
	fw_boxes_make(m, w->r->when, true, ret);
	for (uint32_t i = 0; i < w->r->n_guards && !m->no_memory; i++) {
		const struct fw_guard *g = &set->guards[w->r->guards[i]];
		struct fw_boxes opens;
		if (!fw_uses_fit(g->uses, w->r->uses) && w->r->guards[i] != further)
			continue;
		fw_boxes_guard(m, g, &opens);
		fw_boxes_and(m, ret, &opens);
	}
}

static int compare_ways(const void *x, const void *y)
{
	const struct way *a = x, *b = y;
	return a->things != b->things ? (a->things > b->things) - (a->things < b->things) : (a->box > b->box) - (a->box < b->box);
}

/* The ways that facts can be turned, the shortest first. */
static struct way *list_ways(struct wanting *w, const struct fw_boxes *boxes, uint32_t *ret_n)
{
	struct fw_arena *a = &w->f->scratch;
	struct way *ways = FW_NEW_ARRAY(a, boxes->n, struct way);
	*ret_n = 0;
	for (uint32_t i = 0; ways && i < boxes->n; i++) {
		struct way *way = &ways[*ret_n];
		*way = (struct way){ &boxes->items[i], FW_NEW_ARRAY(a, boxes->items[i].n, struct fw_turn), 0, 0 };
		if (!way->turns)
			return NULL;
		bool found = fw_turn_find(&w->f->domain, &w->facts, way->box, way->turns, &way->n);
		for (uint32_t k = 0; found && k < way->n; k++) {
			found = fw_turn_list(&w->f->domain, &way->turns[k], a);
			way->things += way->turns[k].things;
		}
		*ret_n += found;
		w->tried_all &= found;
	}
	if (ways && *ret_n)
		qsort(ways, *ret_n, sizeof *ways, compare_ways);
	return ways;
}

static bool explain_turned(struct wanting *w, const struct fw_facts *facts, struct fw_explanation *e)
{
	struct finding_needs *f = w->f;
	struct fw_decider *d = f->d;
	double holdout = d->holdout;
	d->as_if = w->c->rule;
	d->holdout = 0;
	*e = (struct fw_explanation){ .n_slots = 0 };
	int rc = w->slot->channel ? fw_explain_channel(d, facts, w->slot->channel, FW_REASON_WON, &f->scratch, e)
		: fw_explain(d, facts, f->slots, f->n_slots, &f->scratch, e);
	d->as_if = FW_NONE;
	d->holdout = holdout;
	f->maker.no_memory |= rc < 0;
	for (uint32_t i = 0; rc == 0 && i < e->n_slots; i++)
		f->judged += e->slots[i].n;
	return rc == 0;
}

static const struct fw_candidate *candidate_in(const struct fw_explanation *e, uint32_t rule)
{
	for (uint32_t s = 0; s < e->n_slots; s++)
		for (uint32_t i = 0; i < e->slots[s].n; i++)
			if (e->slots[s].candidates[i].rule == rule)
				return &e->slots[s].candidates[i];
	return NULL;
}

/* Whether, at equal priority, the first comes before the second. */
static bool is_before(const struct fw_rule *a, const struct fw_rule *b)
{
	return a->specificity != b->specificity ? a->specificity > b->specificity : strcmp(a->id, b->id) < 0;
}

/* The priority with which the rule is tried before all that stand in its way: who takes its place in the slot, and, of all stronger than
 * it would be then, who takes its group. */
static struct fw_need need_priority(const struct wanting *w, const struct fw_explanation *e, uint32_t by)
{
	const struct fw_ruleset *set = w->f->d->set;
	const struct fw_rule *in_the_way = &set->rules[by];
	for (uint32_t s = 0; s < e->n_slots && w->r->group != FW_NONE; s++)
		for (uint32_t i = 0; i < e->slots[s].n_winners; i++) {
			const struct fw_rule *other = &set->rules[e->slots[s].winners[i].rule];
			if (other->group == w->r->group && other->rank < in_the_way->rank)
				in_the_way = other;
		}
	double least = in_the_way->priority + !is_before(w->r, in_the_way);
	const char *text = fw_arena_printf(w->f->arena, "`priority` %.0f or more: \"%s\" has %.0f", least, in_the_way->id,
		in_the_way->priority);
	return (struct fw_need){ FW_NEED_PRIORITY, FW_NONE, least, text };
}

static struct fw_need need_cap(const struct wanting *w, const struct fw_candidate *c)
{
	const char *id = w->f->d->set->caps[c->verdict.cap].id;
	char time[32];
	bool known = w->f->facts->caps_in_reach;
	const char *text = !known ? fw_arena_printf(w->f->arena, "a visitor who is known: \"%s\" counts for somebody", id)
		: c->until_us ? fw_arena_printf(w->f->arena, "a place under \"%s\": the next is free %s", id,
			fw_time_text(c->until_us, time))
		: fw_arena_printf(w->f->arena, "a place under \"%s\"", id);
	return (struct fw_need){ FW_NEED_CAP, FW_NONE, 0, text };
}

/* What becomes of the rule with the way's facts as they are set; NULL: they cannot be, or there is no memory, or they take back what a
 * message needs: as if it were on, it goes whatever stands against it. */
static const struct fw_candidate *try_out(struct wanting *w, const struct way *way, struct fw_explanation *e)
{
	struct finding_needs *f = w->f;
	struct fw_facts facts = w->facts;
	const char *by;
	bool took_back = w->takes_back;
	w->tried++;
	w->takes_back = false;
	if (!fw_turns_go(&f->domain, &w->facts, way->box, way->turns, way->n))
		return NULL;
	for (uint32_t i = 0; i < way->n; i++)
		if (!fw_turn_apply(&f->domain, &way->turns[i], &facts, &f->scratch)) {
			w->tried_all = false;
			return NULL;
		}
	if (w->r->message && fw_due_refusal(f->d, w->r, &facts, &by) == FW_REASON_VETOED) {
		w->takes_back = took_back;
		return NULL;
	}
	return explain_turned(w, &facts, e) ? candidate_in(e, w->c->rule) : NULL;
}

static bool may_try(const struct wanting *w)
{
	return w->tried < FW_LIMIT_NEEDS_TRIED && w->f->judged < FW_LIMIT_NEEDS_JUDGED && !w->f->maker.no_memory;
}

/* Which other values of each turned fact do as well as the one that was found. */
static void widen(struct wanting *w, struct way *way, const struct fw_candidate *found)
{
	struct fw_explanation e;
	const enum fw_reason reason = found->verdict.reason;
	const uint32_t by = found->by;
	for (uint32_t i = 0; i < way->n; i++) {
		struct fw_turn *t = &way->turns[i];
		uint32_t option = t->option;
		if (t->proof)
			continue;
		memset(t->fine, 0, t->n_options * sizeof *t->fine);
		t->fine[option] = true;
		for (uint32_t k = 0, tried = 0; k < t->n_options && tried < FW_LIMIT_NEEDS_VALUES && may_try(w); k++) {
			if (k == option || t->options[k] < FW_CELL_VALUES)
				continue;
			tried++;
			if (!fw_turn_set(&w->f->domain, t, k, &w->f->scratch))
				break;
			const struct fw_candidate *c = try_out(w, way, &e);
			t->fine[k] = c && c->verdict.reason == reason && c->by == by;
		}
		fw_turn_set(&w->f->domain, t, option, &w->f->scratch);
	}
}

/* Keeps the way: what the rule needs, what is turned, and what stood in the way last. */
static void keep(struct wanting *w, struct way *way, const struct fw_candidate *c, const struct fw_need *last)
{
	struct fw_need *items = FW_NEW_ARRAY(w->f->arena, w->n_rule_needs + way->things + 1, struct fw_need);
	if (!items) {
		w->f->maker.no_memory = true;
		return;
	}
	widen(w, way, c);
	w->best = (struct fw_needs){ .items = items, .determined = true };
	for (uint32_t i = 0; i < way->n; i++)
		for (uint32_t k = 0; k < way->turns[i].things; k++) {
			const char *text = fw_turn_text(&w->f->domain, &way->turns[i], k, w->f->arena);
			items[w->best.n++] = (struct fw_need){ way->turns[i].proof ? FW_NEED_PROOF : FW_NEED_FACT, way->turns[i].ref, 0,
				text };
			w->f->maker.no_memory |= !text;
		}
	for (uint32_t i = 0; i < w->n_rule_needs; i++)
		items[w->best.n++] = w->rule_needs[i];
	if (last)
		items[w->best.n++] = *last;
	w->f->maker.no_memory |= last && !last->text;
}

/* Tries the way as it is set. False: nothing better will be found on it; `ret_guard` has the guard that turned up. */
static bool try_setting(struct wanting *w, struct way *way, uint32_t *ret_guard)
{
	struct fw_explanation e;
	struct fw_need last;
	uint32_t n = w->n_rule_needs + way->things;
	const struct fw_candidate *c = try_out(w, way, &e);
	if (!c)
		return true;
	switch (c->verdict.reason) {
	case FW_REASON_WON:
		keep(w, way, c, NULL);
		return false;
	case FW_REASON_BEATEN: case FW_REASON_EXCLUDED: case FW_REASON_CAPPED:
		if (w->best.n && n + 1 >= w->best.n)
			return true;
		last = c->verdict.reason == FW_REASON_CAPPED ? need_cap(w, c) : need_priority(w, &e, c->by);
		keep(w, way, c, &last);
		return true;
	case FW_REASON_VETOED:
		*ret_guard = c->verdict.guard;
		return false;
	default:
		w->tried_all = false; /* a function says no */
		return true;
	}
}

/* Tries a way with all values that its facts may have, the nearest first. The guard that turned up, or FW_NONE. */
static uint32_t try_way(struct wanting *w, struct way *way)
{
	uint32_t guard = FW_NONE, at = 0;
	for (uint32_t i = 0; i < way->n; i++)
		if (!fw_turn_set(&w->f->domain, &way->turns[i], 0, &w->f->scratch))
			return FW_NONE;
	while (at < way->n || way->n == 0) {
		w->tried_all &= may_try(w);
		if (!may_try(w) || !try_setting(w, way, &guard) || way->n == 0)
			break;
		/* The next values: as an odometer turns. */
		for (at = 0; at < way->n; at++) {
			struct fw_turn *t = &way->turns[at];
			bool more = !t->proof && t->option + 1 < t->n_options;
			if (!fw_turn_set(&w->f->domain, t, more ? t->option + 1 : 0, &w->f->scratch))
				return FW_NONE;
			if (more)
				break;
		}
	}
	return guard;
}

/* Tries ways, the shortest first, until none that is left can be shorter than what was found. A guard that only turns up on the way is
 * worked in, once. */
static void try_ways(struct wanting *w, uint32_t further)
{
	struct fw_boxes boxes;
	uint32_t n = 0, guard = FW_NONE;
	make_boxes(w, further, &boxes);
	w->best.never = boxes.n == 0 && !boxes.loose;
	struct way *ways = list_ways(w, &boxes, &n);
	w->f->maker.no_memory |= !ways;
	for (uint32_t i = 0; i < n && !w->f->maker.no_memory && guard == FW_NONE; i++) {
		if (w->best.n && w->n_rule_needs + ways[i].things >= w->best.n)
			return;
		guard = try_way(w, &ways[i]);
	}
	w->best.never |= n && w->takes_back && !boxes.loose;
	if (guard != FW_NONE && further == FW_NONE && !w->f->maker.no_memory)
		try_ways(w, guard);
	else if (guard != FW_NONE)
		w->tried_all = false;
}

/* When the tries are used up: nothing is worked out any more for those that come after. */
static const struct fw_needs not_tried = { .determined = false };

static int find_one(struct finding_needs *f, const struct fw_explained_slot *slot, struct fw_candidate *c)
{
	struct wanting w = { .f = f, .slot = slot, .c = c, .r = &f->d->set->rules[c->rule], .facts = *f->facts,
		.tried_all = true, .takes_back = true };
	struct fw_needs *needs;
	if (f->judged >= FW_LIMIT_NEEDS_JUDGED) {
		c->needs = &not_tried;
		return 0;
	}
	needs = FW_NEW(f->arena, struct fw_needs);
	w.rule_needs = FW_NEW_ARRAY(f->arena, FW_NEEDS, struct fw_need);
	if (!needs || !w.rule_needs)
		return FW_ENOMEM;
	w.facts.arena = &f->scratch;
	find_rule_needs(&w);
	if (!f->facts->segments_given && c->verdict.reason != FW_REASON_SET_ASIDE)
		try_ways(&w, FW_NONE);
	else
		w.tried_all = false;
	*needs = w.best;
	needs->never &= w.tried_all;
	needs->determined = w.best.n || needs->never;
	needs->smallest = w.tried_all;
	c->needs = needs;
	fw_sandbox_collect(f->d->set->sandbox);
	fw_arena_reset(&f->scratch);
	return f->maker.no_memory || f->domain.no_memory ? FW_ENOMEM : 0;
}

int fw_needs_find(struct fw_decider *d, const struct fw_facts *facts, const uint32_t *slots, uint32_t n_slots, struct fw_arena *arena,
	struct fw_explanation *e)
{
	struct finding_needs f = { .d = d, .facts = facts, .slots = slots, .n_slots = n_slots, .arena = arena,
		.holdout = fw_decide_in_holdout(d, facts) };
	fw_arena_init(&f.scratch, NULL, 0, 0);
	fw_arena_init(&f.told, NULL, 0, 0);
	f.maker = (struct fw_maker){ .domain = &f.domain, .arena = &f.scratch };
	int rc = fw_domain_init(&f.domain, d->set, INT64_MIN, &f.told);
	for (uint32_t s = 0; s < e->n_slots && rc == 0; s++)
		for (uint32_t i = 0; i < e->slots[s].n && rc == 0; i++)
			if (e->slots[s].candidates[i].verdict.reason != FW_REASON_WON)
				rc = find_one(&f, &e->slots[s], &e->slots[s].candidates[i]);
	fw_arena_finish(&f.scratch);
	fw_arena_finish(&f.told);
	return rc;
}
