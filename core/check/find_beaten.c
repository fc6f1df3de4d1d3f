/* Rules that can never win, because stronger ones of their slot hold every visitor that they match. */
#include <stdlib.h>

#include "base/limits.h"
#include "check/own.h"

/* The stronger rules of a slot, as far as the walk through it has come. */
struct stronger {
	struct fw_coverer *items;
	uint32_t n, size;
};

static int add_boxes(struct stronger *s, const struct fw_boxes *boxes, uint32_t owner, bool alone)
{
	if (s->n + boxes->n > s->size) {
		uint32_t size = (s->n + boxes->n) * 2;
		struct fw_coverer *more = realloc(s->items, size * sizeof *more);
		if (!more)
			return FW_ENOMEM;
		s->items = more;
		s->size = size;
	}
	for (uint32_t i = 0; i < boxes->n; i++)
		s->items[s->n++] = (struct fw_coverer){ &boxes->items[i], owner, alone };
	return 0;
}

/* Whoever shares the rule's only_one_of and matches, wins or leaves it to one that does: the rule is out in either case. */
static int add_group(struct fw_checker *c, const struct fw_slot *slot, uint32_t rule, uint32_t rank, bool hanging, struct stronger *s)
{
	uint32_t group = c->set->rules[rule].group;
	for (uint32_t i = 0; group != FW_NONE && i < rank; i++) {
		uint32_t other = c->set->ranked[slot->first_ranked + i];
		const struct fw_checked *x = &c->rules[other];
		if (x->alive && x->unsure_group && c->set->rules[other].group == group && (hanging || !x->hangs)
			&& add_boxes(s, &x->effective, other, true) < 0)
			return FW_ENOMEM;
	}
	return 0;
}

struct proof {
	uint32_t *owners;
	uint32_t n;
};

static void list_owners(const struct fw_cover *cover, struct proof *p)
{
	p->n = 0;
	for (uint32_t i = 0; i < cover->n; i++)
		if (cover->used[i] && (p->n == 0 || p->owners[p->n - 1] != cover->coverers[i].owner))
			p->owners[p->n++] = cover->coverers[i].owner;
}

/* Whether these owners' boxes cover the rule, with one of them left out (FW_NONE: none is) or alone. */
static bool still_covered(struct fw_checker *c, const struct fw_cover *all, const struct fw_boxes *boxes, const struct proof *p,
	uint32_t without, uint32_t only)
{
	struct fw_cover some = *all;
	some.coverers = malloc((all->n + 1) * sizeof *some.coverers);
	some.n = 0;
	some.used = NULL;
	some.steps = FW_LIMIT_CHECK_STEPS;
	for (uint32_t i = 0; some.coverers && i < all->n; i++) {
		bool listed = only == all->coverers[i].owner;
		for (uint32_t k = 0; only == FW_NONE && k < p->n; k++)
			listed |= p->owners[k] == all->coverers[i].owner && p->owners[k] != without;
		if (listed)
			some.coverers[some.n++] = all->coverers[i];
	}
	c->searcher.no_memory |= !some.coverers;
	bool covered = some.coverers && fw_cover_boxes(&some, boxes) == FW_COVERED;
	free(some.coverers);
	return covered;
}

/* The fewest that are found with little work: one, if one is enough; else those that cannot be left out. */
static void shorten(struct fw_checker *c, const struct fw_cover *all, const struct fw_boxes *boxes, struct proof *p)
{
	for (uint32_t i = 0; i < p->n && i < FW_LIMIT_CHECK_SHORTEN; i++)
		if (still_covered(c, all, boxes, p, FW_NONE, p->owners[i])) {
			p->owners[0] = p->owners[i];
			p->n = 1;
			return;
		}
	for (uint32_t i = p->n; i-- > 0 && p->n <= FW_LIMIT_CHECK_SHORTEN;)
		if (still_covered(c, all, boxes, p, p->owners[i], FW_NONE)) {
			for (uint32_t k = i; k + 1 < p->n; k++)
				p->owners[k] = p->owners[k + 1];
			p->n--;
		}
}

static const char *why_stronger(const struct fw_rule *a, const struct fw_rule *b)
{
	return a->priority != b->priority ? "of higher priority" : a->specificity != b->specificity ? "more specific" : "first by its id";
}

/* Messages are beaten only where those that beat them are due with them. */
static const char *why_beaten(struct fw_checker *c, const struct fw_rule *r, const struct proof *p)
{
	const struct fw_rule *first = &c->set->rules[p->owners[0]];
	const char *due = r->message ? p->n == 1 ? ", is due whenever it is" : ", are due whenever it is" : "";
	if (p->n == 1)
		return fw_check_text(c, "\"%s\" is %s%s%s matches every visitor that it matches", first->id, why_stronger(first, r), due,
			*due ? ", and" : " and");
	const char *all = fw_check_names(c, p->owners, p->n);
	bool fills = !r->message && c->set->slots[r->slot].show_up_to > 1;
	return fw_check_text(c, "%s are stronger%s, and between them %s visitor that it matches", all, due,
		fills ? "fill the slot for every" : "match every");
}

static void report(struct fw_checker *c, uint32_t rule, const struct proof *p, bool hanging)
{
	const struct fw_rule *r = &c->set->rules[rule];
	struct fw_finding *f = fw_check_add(c, FW_FINDING_NEVER_WINS, "rule", r->id, r->place);
	if (!f)
		return;
	f->verdict = hanging ? FW_POSSIBLE : FW_CERTAIN;
	fw_check_with(c, f, p->owners, p->n);
	f->message = fw_check_text(c, "rule \"%s\" can never win: %s", r->id, p->n ? why_beaten(c, r, p) : "no visitor is left for it");
	f->hint = "give it a higher priority, make the others narrower, or take it out";
}

enum fw_covered fw_check_beaten(struct fw_checker *c, uint32_t rule, const struct fw_boxes *boxes, struct fw_coverer *s, uint32_t n,
	uint32_t room, bool hanging)
{
	struct fw_cover cover = { .maker = &c->searcher, .coverers = s, .n = n, .need = room, .several = true, .budget = &c->budget,
		.steps = FW_LIMIT_CHECK_STEPS, .used = calloc(n + 1, 1) };
	struct proof p = { .owners = malloc((n + 1) * sizeof *p.owners) };
	c->searcher.no_memory |= !p.owners || !cover.used;
	enum fw_covered found = c->searcher.no_memory ? FW_COVER_UNKNOWN : fw_cover_boxes(&cover, boxes);
	if (found == FW_COVERED) {
		list_owners(&cover, &p);
		shorten(c, &cover, boxes, &p);
		report(c, rule, &p, hanging);
	}
	free(p.owners);
	free(cover.used);
	return found;
}

/* Whether what is in `s` and the rule's own group cover it. */
static enum fw_covered look(struct fw_checker *c, const struct fw_slot *slot, uint32_t rank, struct stronger *s, bool hanging)
{
	uint32_t rule = c->set->ranked[slot->first_ranked + rank], before = s->n;
	if (add_group(c, slot, rule, rank, hanging, s) < 0)
		return FW_COVER_UNKNOWN;
	enum fw_covered found = fw_check_beaten(c, rule, &c->rules[rule].effective, s->items, s->n, slot->show_up_to, hanging);
	s->n = before;
	return found;
}

static int check_slot(struct fw_checker *c, const struct fw_slot *slot)
{
	struct stronger sure = { 0 }, all = { 0 };
	int ret = 0;
	for (uint32_t i = 0; i < slot->n_ranked && ret == 0; i++) {
		uint32_t rule = c->set->ranked[slot->first_ranked + i];
		struct fw_checked *x = &c->rules[rule];
		if (!x->alive)
			continue;
		enum fw_covered found = look(c, slot, i, &sure, false);
		if (found == FW_COVER_UNKNOWN)
			fw_check_undetermined(c, FW_FINDING_NEVER_WINS, &c->set->rules[rule], "whether it can win");
		else if (found == FW_NOT_COVERED && all.n > sure.n)
			look(c, slot, i, &all, true);
		x->alive = found != FW_COVERED;
		if (x->alive && x->sure && !x->hangs)
			ret = add_boxes(&sure, &x->effective, rule, false);
		if (x->alive && x->sure && ret == 0)
			ret = add_boxes(&all, &x->effective, rule, false);
	}
	free(sure.items);
	free(all.items);
	return ret;
}

int fw_check_rules(struct fw_checker *c)
{
	int ret = 0;
	for (uint32_t i = 0; i < c->set->n_slots && ret == 0; i++)
		ret = check_slot(c, &c->set->slots[i]);
	return c->searcher.no_memory ? FW_ENOMEM : ret;
}
