/* Each rule's boxes; and what they show by themselves: contradictions, dates that are over or never come, guards that always veto. */
#include "base/clock.h"
#include "check/own.h"

#define DAY_US INT64_C(86400000000)

/* A date of a rule goes by the store's zone and `date` by the visitor's: they differ by a day at most. */
static bool day_may_be(const struct fw_cell *cell, const struct fw_rule *r)
{
	if (r->starts_us != INT64_MIN && cell->high < (double)(r->starts_us / DAY_US) - 1)
		return false;
	return r->ends_us == INT64_MAX || cell->low <= (double)(r->ends_us / DAY_US) + 1;
}

/* The days on which the rule's dates let it run, for boxes that ask for the day. */
static void limit_days(struct fw_checker *c, const struct fw_rule *r, struct fw_boxes *b)
{
	struct fw_domain *d = &c->domain;
	for (uint32_t k = 0; k < d->n_several; k++) {
		uint32_t dim = d->several[k];
		bool asked = false;
		for (uint32_t i = 0; i < b->n; i++)
			asked |= fw_box_side(&b->items[i], dim) != NULL;
		if (c->set->refs[dim].fact != FW_FACT_DATE || !asked)
			continue;
		uint64_t *days = fw_domain_side_new(d, dim);
		for (uint32_t i = 0; days && i < d->dims[dim].n; i++)
			if (fw_side_has(d->dims[dim].all, i) && (i < FW_CELL_VALUES || day_may_be(&d->dims[dim].cells[i], r)))
				fw_side_add(days, i);
		fw_boxes_limit(&c->maker, b, dim, days);
	}
}

static bool is_dated(const struct fw_rule *r)
{
	return r->starts_us != INT64_MIN || r->ends_us != INT64_MAX;
}

/* Whether the condition only fails because its days are past: with all days it is met. */
static bool was_met(struct fw_checker *c, uint32_t node)
{
	struct fw_boxes boxes = { .conflict = FW_NONE };
	if (!c->ever) {
		c->ever = FW_NEW(c->arena, struct fw_domain);
		c->maker.no_memory |= !c->ever || fw_domain_init(c->ever, c->set, INT64_MIN, c->arena) < 0;
	}
	struct fw_maker m = { .domain = c->ever, .arena = &c->scratch };
	if (!c->maker.no_memory)
		fw_boxes_make(&m, node, true, &boxes);
	c->maker.no_memory |= m.no_memory;
	fw_arena_reset(&c->scratch);
	return boxes.n > 0;
}

static bool is_date(const struct fw_checker *c, uint32_t dim)
{
	return dim != FW_NONE && c->domain.dims[dim].kind == FW_DIM_REF && c->set->refs[dim].fact == FW_FACT_DATE;
}

static void report_empty(struct fw_checker *c, const char *kind, const char *id, struct fw_place place, uint32_t node, uint32_t conflict,
	const char *field)
{
	bool over = is_date(c, conflict) && was_met(c, node);
	struct fw_finding *f = fw_check_add(c, over ? FW_FINDING_OVER : FW_FINDING_CONTRADICTION, kind, id, place);
	if (!f)
		return;
	if (over) {
		f->message = fw_check_text(c, "%s \"%s\": the days that %s asks for are over", kind, id, field);
		f->hint = "take it out, or give it days to come";
		return;
	}
	f->message = fw_check_text(c, "%s \"%s\": %s contradicts itself, no visitor can match: %s", kind, id, field,
		fw_check_conflict(c, node, conflict));
	f->hint = "any { … } takes one or the other, where all of it is asked for now";
}

static void report_over(struct fw_checker *c, const struct fw_rule *r)
{
	char day[16];
	struct fw_finding *f = fw_check_add(c, FW_FINDING_OVER, "rule", r->id, r->place);
	if (!f)
		return;
	f->message = fw_check_text(c, "rule \"%s\": its time is over, it ended %s", r->id, fw_date_text((r->ends_us - 1) / DAY_US, day));
	f->hint = "take it out, or give it a new `ends`";
}

static void report_never_comes(struct fw_checker *c, const struct fw_rule *r)
{
	struct fw_finding *f = fw_check_add(c, FW_FINDING_NEVER_COMES, "rule", r->id, r->place);
	if (!f)
		return;
	f->message = fw_check_text(c, "rule \"%s\": its time never comes: the days that `when` asks for lie outside of `starts` and `ends`",
		r->id);
	f->hint = "say the days in one of the two places";
}

static void report_nobody(struct fw_checker *c, const struct fw_rule *r)
{
	struct fw_finding *f = fw_check_add(c, FW_FINDING_NOBODY, "rule", r->id, r->place);
	if (!f)
		return;
	f->message = fw_check_text(c, "rule \"%s\": rollout = 0, so no visitor is in it", r->id);
	f->hint = "write enabled = false while it rests, or a rollout above 0";
}

/* The guard that alone vetoes all that the rule matches, or FW_NONE: only several of them together do. */
static uint32_t culprit(struct fw_checker *c, const struct fw_rule *r, const struct fw_boxes *when)
{
	for (uint32_t i = 0; i < r->n_guards; i++) {
		struct fw_boxes both = *when;
		if (!fw_uses_fit(c->set->guards[r->guards[i]].uses, r->uses))
			continue;
		fw_boxes_and(&c->maker, &both, &c->guards[r->guards[i]]);
		if (both.n == 0)
			return r->guards[i];
	}
	return FW_NONE;
}

static void report_vetoed(struct fw_checker *c, const struct fw_rule *r, const struct fw_checked *x)
{
	uint32_t guard = culprit(c, r, &x->when);
	if (guard != FW_NONE && c->guards[guard].n == 0)
		return; /* the guard is to blame, and said to be */
	struct fw_finding *f = fw_check_add(c, FW_FINDING_ALWAYS_VETOED, "rule", r->id, r->place);
	if (!f)
		return;
	if (guard == FW_NONE) {
		f->message = fw_check_text(c, "rule \"%s\": its guards together remove it for every visitor that it matches", r->id);
		f->hint = "explain shows for one visitor which guard it is";
		return;
	}
	f->with = FW_NEW_ARRAY(c->arena, 1, const char *);
	if (f->with)
		f->with[f->n_with++] = c->set->guards[guard].id;
	f->message = fw_check_text(c, "rule \"%s\": guard \"%s\" removes it for every visitor that it matches: %s", r->id,
		c->set->guards[guard].id, c->set->guards[guard].because);
	f->hint = "change what the rule asks for, or take it out; the guard holds";
}

static void add_guards(struct fw_checker *c, const struct fw_rule *r, struct fw_checked *x)
{
	x->effective = x->when;
	for (uint32_t i = 0; i < r->n_guards; i++) {
		uint32_t guard = r->guards[i];
		if (fw_uses_fit(c->set->guards[guard].uses, r->uses))
			fw_boxes_and(&c->maker, &x->effective, &c->guards[guard]);
	}
}

static void prepare_rule(struct fw_checker *c, const struct fw_rule *r, struct fw_checked *x)
{
	fw_boxes_make(&c->maker, r->when, true, &x->when);
	x->effective = x->when;
	if (!r->enabled)
		return;
	if (r->ends_us <= c->now_us) {
		report_over(c, r);
		return;
	}
	if (x->when.n == 0) {
		report_empty(c, "rule", r->id, r->place, r->when, x->when.conflict, "`when`");
		return;
	}
	if (is_dated(r)) {
		limit_days(c, r, &x->when);
		if (x->when.n == 0) {
			report_never_comes(c, r);
			return;
		}
		int64_t from = r->starts_us > c->now_us ? r->starts_us : c->now_us;
		fw_boxes_limit(&c->maker, &x->when, c->domain.clock, fw_domain_between(&c->domain, from, r->ends_us));
	}
	if (r->rollout <= 0) {
		report_nobody(c, r);
		return;
	}
	add_guards(c, r, x);
	if (x->effective.n == 0) {
		report_vetoed(c, r, x);
		return;
	}
	x->alive = true;
	x->hangs = r->calls || r->show.may_name_products /* what is sold out is not shown */ || fw_boxes_hang(&c->domain, &x->effective);
	bool wins = r->rollout >= 100 && !r->has_caps && !x->effective.loose;
	x->sure = wins && r->group == FW_NONE;
	x->unsure_group = wins && r->group != FW_NONE;
}

int fw_check_prepare(struct fw_checker *c)
{
	const struct fw_ruleset *s = c->set;
	c->rules = FW_NEW_ARRAY(c->arena, s->n_rules, struct fw_checked);
	c->guards = FW_NEW_ARRAY(c->arena, s->n_guards, struct fw_boxes);
	if (!c->rules || !c->guards)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < s->n_segments; i++) {
		struct fw_boxes boxes;
		fw_boxes_make(&c->maker, s->segments[i].when, true, &boxes);
		if (boxes.n == 0)
			report_empty(c, "segment", s->segments[i].id, s->segments[i].place, s->segments[i].when, boxes.conflict, "`when`");
	}
	for (uint32_t i = 0; i < s->n_guards; i++)
		fw_boxes_guard(&c->maker, &s->guards[i], &c->guards[i]);
	for (uint32_t i = 0; i < s->n_rules; i++)
		prepare_rule(c, &s->rules[i], &c->rules[i]);
	return c->maker.no_memory ? FW_ENOMEM : 0;
}
