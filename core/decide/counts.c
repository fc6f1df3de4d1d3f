#include "decide/counts.h"

#include "rules/ruleset.h"

size_t fw_counts_bytes(const struct fw_ruleset *set)
{
	return sizeof(struct fw_decision_counts) + set->n_rules * sizeof(struct fw_rule_counts) +
		((size_t)set->n_guards + set->n_caps) * sizeof(uint64_t);
}

struct fw_counts fw_counts_in(const struct fw_ruleset *set, void *memory)
{
	struct fw_counts c;
	c.all = memory;
	c.rules = (struct fw_rule_counts *)(c.all + 1);
	c.vetoes = (uint64_t *)(c.rules + set->n_rules);
	c.refusals = c.vetoes + set->n_guards;
	return c;
}

void fw_counts_add(const struct fw_ruleset *set, struct fw_counts *sum, const struct fw_counts *more)
{
	sum->all->decisions += more->all->decisions;
	for (int i = 0; i < 4; i++)
		sum->all->slots_by_reason[i] += more->all->slots_by_reason[i];
	sum->all->sampled += more->all->sampled;
	sum->all->degraded += more->all->degraded;
	sum->all->failed += more->all->failed;
	sum->all->over_budget += more->all->over_budget;
	sum->all->set_aside += more->all->set_aside;
	sum->all->out_of_stock += more->all->out_of_stock;
	for (uint32_t i = 0; i < set->n_rules; i++) {
		struct fw_rule_counts *s = &sum->rules[i];
		const struct fw_rule_counts *m = &more->rules[i];
		s->won += m->won;
		s->vetoed += m->vetoed;
		s->capped += m->capped;
		s->failed += m->failed;
		s->matched += m->matched;
		s->beaten += m->beaten;
		s->last_us = m->last_us > s->last_us ? m->last_us : s->last_us;
	}
	for (uint32_t i = 0; i < set->n_guards; i++)
		sum->vetoes[i] += more->vetoes[i];
	for (uint32_t i = 0; i < set->n_caps; i++)
		sum->refusals[i] += more->refusals[i];
}
