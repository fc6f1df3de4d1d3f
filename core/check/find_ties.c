/* Rules of one slot with equal priority and specificity that one visitor matches, while nothing stronger settles it. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "check/witness.h"

struct tie {
	struct fw_checker *c;
	uint32_t slot, first, second;
	bool clock, found, seen;
	bool broke;              /* the budget was not enough for a visitor */
	uint32_t tries;
	struct fw_str witness;
};

static const struct fw_candidate *candidate_of(const struct fw_explained_slot *slot, uint32_t rule)
{
	for (uint32_t i = 0; i < slot->n; i++)
		if (slot->candidates[i].rule == rule)
			return &slot->candidates[i];
	return NULL;
}

/* Whether, of these two, the first wins, and the second comes behind it or loses to it. */
static bool is_confirmed(struct tie *t, const struct fw_facts *facts)
{
	struct fw_explanation e;
	if (fw_explain(t->c->decider, facts, &t->slot, 1, &t->c->scratch, &e) < 0) {
		t->c->searcher.no_memory = true;
		return false;
	}
	fw_sandbox_collect(t->c->set->sandbox);
	const struct fw_candidate *a = candidate_of(&e.slots[0], t->first), *b = candidate_of(&e.slots[0], t->second);
	if (!a || !b || a->verdict.reason != FW_REASON_WON)
		return false;
	enum fw_reason r = b->verdict.reason;
	return r == FW_REASON_WON || ((r == FW_REASON_BEATEN || r == FW_REASON_EXCLUDED) && b->by == t->first);
}

static bool accept(void *ctx, const struct fw_box *part)
{
	struct tie *t = ctx;
	struct fw_witness w;
	t->seen = true;
	t->broke = !fw_cover_pay(&t->c->budget, t->c->set->slots[t->slot].n_ranked); /* `explain` tries each of them */
	if (t->broke)
		return true;
	if (!fw_witness_make(t->c, part, t->clock, &t->c->scratch, &w) || !is_confirmed(t, &w.facts))
		return ++t->tries >= FW_LIMIT_CHECK_WITNESSES;
	t->found = true;
	t->witness = (struct fw_str){ fw_arena_strndup(t->c->arena, w.json.p, w.json.n), w.json.n };
	t->c->searcher.no_memory |= !t->witness.p;
	return true;
}

static bool is_equal(const struct fw_rule *a, const struct fw_rule *b)
{
	return a->priority == b->priority && a->specificity == b->specificity;
}

/* Two that show the same: which of them it is makes no difference to anybody. */
static bool shows_same(const struct fw_rule *a, const struct fw_rule *b)
{
	return a->show.function == FW_NONE && b->show.function == FW_NONE && fw_str_equal(a->show.json, b->show.json);
}

static void report(struct fw_checker *c, const struct tie *t, enum fw_verdict_of verdict)
{
	const struct fw_rule *a = &c->set->rules[t->first], *b = &c->set->rules[t->second];
	struct fw_finding *f = fw_check_add(c, FW_FINDING_TIE, "rule", b->id, b->place);
	if (!f)
		return;
	f->verdict = verdict;
	f->witness = t->witness;
	fw_check_with(c, f, &t->first, 1);
	f->message = fw_check_text(c, "rule \"%s\" ties with \"%s\": one visitor can match both, with priority %.0f and %u fact%s "
		"named, so that "
		"only their ids say which comes first", b->id, a->id, a->priority, a->specificity, a->specificity == 1 ? "" : "s");
	f->hint = "give the one that should win a higher priority";
}

/* Looks for a visitor of both whom fewer stronger rules match than the slot shows. */
static enum fw_covered look(struct fw_checker *c, struct tie *t, const struct fw_slot *slot, struct fw_coverer *blockers, uint32_t n)
{
	struct fw_cover cover = { .maker = &c->searcher, .coverers = blockers, .n = n, .need = slot->show_up_to, .accept = accept, .ctx = t,
		.budget = &c->budget, .steps = FW_LIMIT_CHECK_STEPS };
	const struct fw_boxes *a = &c->rules[t->first].effective, *b = &c->rules[t->second].effective;
	enum fw_covered worst = FW_COVERED;
	for (uint32_t i = 0; i < a->n && !t->found; i++)
		for (uint32_t k = 0; k < b->n && !t->found; k++) {
			if (!fw_box_overlaps(&a->items[i], &b->items[k]))
				continue;
			struct fw_arena_mark mark = fw_arena_mark(&c->scratch);
			struct fw_box both;
			uint32_t conflict;
			if (fw_box_and(&c->searcher, &a->items[i], &b->items[k], &both, &conflict) &&
				fw_cover_box(&cover, &both) == FW_COVER_UNKNOWN)
				worst = FW_COVER_UNKNOWN;
			fw_arena_rewind(&c->scratch, &mark);
		}
	return t->broke ? FW_COVER_UNKNOWN : worst;
}

static void check_rule(struct fw_checker *c, const struct fw_slot *slot, uint32_t rank, uint32_t from, struct fw_coverer *blockers,
	const uint32_t *n_before, bool clock)
{
	const uint32_t *ranked = c->set->ranked + slot->first_ranked;
	struct tie possible = { .seen = false };
	bool unknown = false;
	uint32_t looked = 0;
	uint64_t meetings = 0;
	for (uint32_t i = from; i < rank && looked < FW_LIMIT_CHECK_PAIRS; i++) {
		struct tie t = { .c = c, .slot = (uint32_t)(slot - c->set->slots), .first = ranked[i], .second = ranked[rank],
			.clock = clock };
		if (!c->rules[t.first].alive || shows_same(&c->set->rules[t.first], &c->set->rules[t.second]))
			continue;
		if (c->budget == 0) {
			unknown = true;
			break;
		}
		meetings += (uint64_t)c->rules[t.first].effective.n * c->rules[t.second].effective.n;
		unknown |= look(c, &t, slot, blockers, n_before[i]) == FW_COVER_UNKNOWN && !t.found;
		looked += t.seen;
		if (t.found) {
			fw_cover_pay(&c->budget, meetings / FW_COVER_MEETINGS);
			report(c, &t, FW_CERTAIN);
			return;
		}
		if (t.seen && !possible.seen)
			possible = t;
	}
	fw_cover_pay(&c->budget, meetings / FW_COVER_MEETINGS);
	if (possible.seen || unknown) {
		const struct fw_rule *r = &c->set->rules[ranked[rank]];
		if (possible.seen)
			report(c, &possible, unknown ? FW_NOT_DETERMINED : FW_POSSIBLE);
		else
			fw_check_undetermined(c, FW_FINDING_TIE, r, "whether it ties with another");
	}
}

static bool any_dated(const struct fw_checker *c, const struct fw_slot *slot)
{
	for (uint32_t i = 0; i < slot->n_ranked; i++) {
		const struct fw_rule *r = &c->set->rules[c->set->ranked[slot->first_ranked + i]];
		if (r->starts_us != INT64_MIN || r->ends_us != INT64_MAX)
			return true;
	}
	return false;
}

static int check_slot(struct fw_checker *c, const struct fw_slot *slot)
{
	const uint32_t *ranked = c->set->ranked + slot->first_ranked;
	uint32_t n = 0, from = 0;
	for (uint32_t i = 0; i < slot->n_ranked; i++)
		n += c->rules[ranked[i]].alive ? c->rules[ranked[i]].effective.n : 0;
	struct fw_coverer *blockers = malloc((n + 1) * sizeof *blockers);
	uint32_t *n_before = malloc((slot->n_ranked + 1) * sizeof *n_before);
	int ret = blockers && n_before ? 0 : FW_ENOMEM;
	bool clock = any_dated(c, slot);
	n = 0;
	for (uint32_t i = 0; i < slot->n_ranked && ret == 0; i++) {
		const struct fw_checked *x = &c->rules[ranked[i]];
		n_before[i] = n;
		for (uint32_t k = 0; x->alive && k < x->effective.n; k++)
			blockers[n++] = (struct fw_coverer){ &x->effective.items[k], ranked[i], false };
		if (!is_equal(&c->set->rules[ranked[from]], &c->set->rules[ranked[i]]))
			from = i;
		if (x->alive && from < i)
			check_rule(c, slot, i, from, blockers, n_before, clock);
	}
	free(blockers);
	free(n_before);
	return ret;
}

int fw_check_ties(struct fw_checker *c)
{
	int ret = 0;
	for (uint32_t i = 0; i < c->set->n_slots && ret == 0; i++)
		ret = check_slot(c, &c->set->slots[i]);
	return c->searcher.no_memory ? FW_ENOMEM : ret;
}
