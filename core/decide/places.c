#include "base/hash.h"
#include "decide/judge.h"

struct places {
	struct fw_cap_place *items;
	unsigned n, most;
};

static void add(struct places *p, int64_t at_us, uint64_t rule)
{
	int64_t at_ms = at_us / 1000;
	for (unsigned i = 0; i < p->n; i++)
		if (p->items[i].at_ms == at_ms && p->items[i].rule == rule)
			return;
	if (p->n < p->most)
		p->items[p->n++] = (struct fw_cap_place){ at_ms, rule };
}

static void add_kept(const struct fw_ruleset *set, const struct fw_facts *f, const struct fw_winner *w, struct places *p)
{
	const struct fw_rule *r = &set->rules[w->rule];
	uint32_t at = 0;
	for (uint32_t number; r->has_caps && (number = fw_judge_next_cap(set, r, w->uses, &at)) != FW_NONE;) {
		const struct fw_cap_use *own = fw_judge_own_place(f, &set->caps[number], r);
		if (own)
			add(p, own->at_us, fw_hash(r->id, strlen(r->id)));
	}
}

unsigned fw_decide_places(const struct fw_ruleset *set, const struct fw_facts *f, const struct fw_decision *x, struct fw_cap_place *to,
	unsigned most)
{
	struct places p = { to, 0, most };
	for (uint32_t i = 0; i < x->n_reservations; i++)
		add(&p, x->reservations[i].at_us, x->reservations[i].rule);
	bool has_own = false;
	for (unsigned i = 0; i < f->n_cap_uses; i++)
		has_own |= f->cap_uses[i].own;
	for (uint32_t s = 0; has_own && s < x->n_slots; s++)
		for (uint32_t i = 0; i < x->slots[s].n; i++)
			add_kept(set, f, &x->slots[s].winners[i], &p);
	for (unsigned i = 0; i < f->n_cap_uses; i++)
		if (f->cap_uses[i].own && f->cap_uses[i].pending)
			add(&p, f->cap_uses[i].at_us, f->cap_uses[i].rule);
	return p.n;
}
