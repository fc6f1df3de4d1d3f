/* Guards that let nobody through, and guards that no candidate can trip. Those of the compliance folder are for every store, so that
 * it is no mistake if one of them has nothing to do in this one. */
#include <stdlib.h>

#include "base/limits.h"
#include "check/own.h"

static void report_closed(struct fw_checker *c, const struct fw_guard *g, const struct fw_boxes *opens)
{
	struct fw_finding *f = fw_check_add(c, FW_FINDING_GUARD_CLOSED, "guard", g->id, g->place);
	if (!f)
		return;
	uint32_t node = g->require != FW_NONE ? g->require : g->forbid;
	bool one = g->require == FW_NONE || g->forbid == FW_NONE;
	f->message = fw_check_text(c, "guard \"%s\" lets nobody through, whatever it applies to is never shown%s%s", g->id, one ? ": " : "",
		one ? fw_check_conflict(c, node, opens->conflict) : "");
	f->hint = "a guard lets through whom `require` matches and `forbid` does not";
}

static void report_idle(struct fw_checker *c, const struct fw_guard *g)
{
	struct fw_finding *f = fw_check_add(c, FW_FINDING_GUARD_IDLE, "guard", g->id, g->place);
	if (!f)
		return;
	f->message = fw_check_text(c, "guard \"%s\" never vetoes: whatever it applies to asks for as much by itself", g->id);
	f->hint = "take it out, or see that it applies to what it is for";
}

/* Whether wherever the rule matches the guard opens. */
static enum fw_covered never_trips(struct fw_checker *c, uint32_t guard, uint32_t rule)
{
	const struct fw_boxes *opens = &c->guards[guard];
	struct fw_cover cover = { .maker = &c->searcher, .need = 1, .several = true, .budget = &c->budget, .steps = FW_LIMIT_CHECK_STEPS };
	cover.coverers = malloc((opens->n + 1) * sizeof *cover.coverers);
	c->searcher.no_memory |= !cover.coverers;
	for (uint32_t i = 0; cover.coverers && i < opens->n; i++)
		cover.coverers[cover.n++] = (struct fw_coverer){ &opens->items[i], i, false };
	enum fw_covered found = cover.coverers ? fw_cover_boxes(&cover, &c->rules[rule].when) : FW_COVER_UNKNOWN;
	free(cover.coverers);
	return found;
}

static void check_guard(struct fw_checker *c, uint32_t number)
{
	const struct fw_guard *g = &c->set->guards[number];
	bool applies = false, idle = true;
	for (uint32_t i = 0; i < c->set->n_rules && idle; i++) {
		const struct fw_rule *r = &c->set->rules[i];
		if (!r->enabled || !fw_check_has(r->guards, r->n_guards, number))
			continue;
		applies = true;
		idle = !c->guards[number].loose && never_trips(c, number, i) == FW_COVERED;
	}
	if (applies && idle)
		report_idle(c, g);
}

int fw_check_guards(struct fw_checker *c)
{
	for (uint32_t i = 0; i < c->set->n_guards; i++) {
		if (c->guards[i].n == 0)
			report_closed(c, &c->set->guards[i], &c->guards[i]);
		else if (!c->set->guards[i].compliance)
			check_guard(c, i);
	}
	return c->searcher.no_memory ? FW_ENOMEM : 0;
}
