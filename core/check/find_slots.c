/* Slots that nothing is for, and slots that have nothing for somebody. Many a slot is meant to be empty most of the time, so that is
 * only possibly a mistake; where a rule without a condition is for everybody, somebody meant it never to be. */
#include <stdlib.h>

#include "base/limits.h"
#include "check/witness.h"

struct emptying {
	struct fw_checker *c;
	uint32_t slot;
	bool clock, found, seen;
	bool meant_full;         /* some rule is for everybody */
	uint32_t tries;
	struct fw_str witness;
};

static bool accept(void *ctx, const struct fw_box *part)
{
	struct emptying *e = ctx;
	struct fw_checker *c = e->c;
	struct fw_witness w;
	struct fw_decision decision;
	e->seen = true;
	if (!fw_witness_make(c, part, e->clock, NULL, &c->scratch, &w))
		return ++e->tries >= FW_LIMIT_CHECK_WITNESSES;
	if (fw_decide(c->decider, &w.facts, &e->slot, 1, &c->scratch, &decision) < 0) {
		c->searcher.no_memory = true;
		return true;
	}
	fw_sandbox_collect(c->set->sandbox);
	if (decision.slots[0].n)
		return ++e->tries >= FW_LIMIT_CHECK_WITNESSES;
	e->found = true;
	e->witness = (struct fw_str){ fw_arena_strndup(c->arena, w.json.p, w.json.n), w.json.n };
	c->searcher.no_memory |= !e->witness.p;
	return true;
}

static void report_empty(struct fw_checker *c, const struct fw_slot *slot, const struct emptying *e, enum fw_verdict_of verdict)
{
	struct fw_finding *f = fw_check_add(c, FW_FINDING_EMPTY_SLOT, "slot", slot->id, slot->place);
	if (!f)
		return;
	f->verdict = verdict;
	f->witness = e->witness;
	f->message = verdict == FW_NOT_DETERMINED
		? fw_check_text(c, "slot \"%s\" has no default; whether a visitor leaves it empty was not determined", slot->id)
		: fw_check_text(c, "slot \"%s\" has no default, and there are visitors who are shown nothing%s", slot->id, e->meant_full
			? ", though a rule of it is for everybody" : "");
	f->hint = "default = { … } is for them; default = {} says that nothing is meant";
}

static int check_empty(struct fw_checker *c, uint32_t number)
{
	const struct fw_slot *slot = &c->set->slots[number];
	struct emptying e = { .c = c, .slot = number };
	struct fw_cover cover = { .maker = &c->searcher, .need = 1, .accept = accept, .ctx = &e, .budget = &c->budget,
		.steps = FW_LIMIT_CHECK_STEPS };
	const uint32_t *ranked = c->set->ranked + slot->first_ranked;
	uint32_t n = 0;
	for (uint32_t i = 0; i < slot->n_ranked; i++) {
		const struct fw_rule *r = &c->set->rules[ranked[i]];
		n += c->rules[ranked[i]].effective.n;
		e.meant_full |= c->rules[ranked[i]].alive && r->when == FW_NONE && r->rollout >= 100;
		e.clock |= r->starts_us != INT64_MIN || r->ends_us != INT64_MAX;
	}
	cover.coverers = malloc((n + 1) * sizeof *cover.coverers);
	if (!cover.coverers)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < slot->n_ranked; i++) {
		const struct fw_checked *x = &c->rules[ranked[i]];
		for (uint32_t k = 0; x->alive && k < x->effective.n; k++)
			cover.coverers[cover.n++] = (struct fw_coverer){ &x->effective.items[k], ranked[i], false };
	}
	struct fw_box everybody = { 0 };
	enum fw_covered found = fw_cover_box(&cover, &everybody);
	free(cover.coverers);
	if (e.found)
		report_empty(c, slot, &e, e.meant_full ? FW_CERTAIN : FW_POSSIBLE);
	else if (found == FW_COVER_UNKNOWN)
		report_empty(c, slot, &e, FW_NOT_DETERMINED);
	else if (e.seen)
		report_empty(c, slot, &e, FW_POSSIBLE);
	return 0;
}

static void report_unused(struct fw_checker *c, const struct fw_slot *slot)
{
	struct fw_finding *f = fw_check_add(c, FW_FINDING_UNUSED_SLOT, "slot", slot->id, slot->place);
	if (!f)
		return;
	f->message = fw_check_text(c, "slot \"%s\": no rule is for it%s", slot->id, slot->fallback.given ? ", everybody sees its default"
		: ", and it has no default");
	f->hint = "take it out once no page asks for it, or give it a rule";
}

int fw_check_slots(struct fw_checker *c)
{
	int ret = 0;
	for (uint32_t i = 0; i < c->set->n_slots && ret == 0; i++) {
		const struct fw_slot *slot = &c->set->slots[i];
		if (slot->n_rules == 0)
			report_unused(c, slot);
		else if (!slot->fallback.given)
			ret = check_empty(c, i);
	}
	return c->searcher.no_memory ? FW_ENOMEM : ret;
}
