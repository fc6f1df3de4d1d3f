#include "trace/replay.h"

#include "decide/order.h"

static bool as_logged(const struct fw_logged_slot *l, const struct fw_slot_answer *a)
{
	bool same = l->reason == a->reason && l->n == a->n;
	for (uint32_t i = 0; same && i < a->n; i++)
		same = l->winners[i] == a->winners[i].rule;
	return same;
}

bool fw_replay_differs(const struct fw_ruleset *before, const struct fw_slot_answer *a, const struct fw_ruleset *after,
	const struct fw_slot_answer *b)
{
	if (!b)
		return true;
	bool same = a->n == b->n && fw_str_equal(a->content, b->content);
	for (uint32_t i = 0; same && i < a->n; i++)
		same = strcmp(before->rules[a->winners[i].rule].id, after->rules[b->winners[i].rule].id) == 0 &&
			fw_str_equal(a->winners[i].content, b->winners[i].content);
	return !same;
}

bool fw_replay_wins(const struct fw_ruleset *set, const struct fw_slot_answer *a, const char *id)
{
	for (uint32_t i = 0; a && i < a->n; i++)
		if (strcmp(set->rules[a->winners[i].rule].id, id) == 0)
			return true;
	return false;
}

/* The slots of then, by their ids, as far as the other rules have them. */
static uint32_t list_slots(const struct fw_logged *l, const struct fw_ruleset *before, const struct fw_ruleset *after, uint32_t *was,
	uint32_t *is)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < l->n_slots; i++) {
		was[i] = l->slots[i].slot;
		uint32_t slot = fw_ruleset_slot(after, fw_str(before->slots[was[i]].id));
		if (slot != FW_NONE)
			is[n++] = slot;
	}
	return n;
}

static void compare(const struct fw_decider *before, const struct fw_decision *x, const struct fw_decider *after,
	const struct fw_decision *y, struct fw_replayed *ret)
{
	uint32_t k = 0;
	for (uint32_t i = 0; i < x->n_slots; i++) {
		const struct fw_slot_answer *a = &x->slots[i], *b = k < y->n_slots ? &y->slots[k] : NULL;
		if (b && strcmp(before->set->slots[a->slot].id, after->set->slots[b->slot].id) != 0)
			b = NULL;
		k += b != NULL;
		ret->slots[i] = (struct fw_replayed_slot){ a, b, fw_replay_differs(before->set, a, after->set, b) };
		ret->changed |= ret->slots[i].changed;
	}
	ret->n = x->n_slots;
}

/* What a rule showed then: functions are pure. False: this one failed. */
static bool recall_content(struct fw_decider *d, uint32_t rule, struct fw_str *ret)
{
	const struct fw_content *show = &d->set->rules[rule].show;
	struct fw_ordered ordered;
	if (show->ordering) {
		bool made = fw_order_make(&d->eval, show, &ordered) == 0 && !ordered.failure && ordered.stock == FW_STOCK_FINE;
		*ret = ordered.json;
		return made;
	}
	const struct fw_called *c = show->function == FW_NONE ? NULL : fw_eval_show(&d->eval, show->function);
	*ret = c ? c->json : show->json;
	return !c || !c->failed;
}

static bool recall_slot(const struct fw_logged_slot *l, struct fw_decider *d, struct fw_arena *a, struct fw_slot_answer *ret)
{
	*ret = (struct fw_slot_answer){ .slot = l->slot, .reason = l->reason, .winners = FW_NEW_ARRAY(a, l->n, struct fw_winner),
		.n = l->n, .content = d->set->slots[l->slot].fallback.json };
	bool known = ret->winners;
	for (uint32_t i = 0; known && i < l->n; i++) {
		ret->winners[i].rule = l->winners[i];
		known = recall_content(d, l->winners[i], &ret->winners[i].content);
	}
	if (known && l->n)
		ret->content = ret->winners[0].content;
	return known;
}

/* The decision as it is logged, with what was shown. */
static bool recall(const struct fw_logged *l, struct fw_decider *d, const struct fw_facts *facts, struct fw_arena *a,
	struct fw_decision *ret)
{
	*ret = (struct fw_decision){ .slots = FW_NEW_ARRAY(a, l->n_slots, struct fw_slot_answer), .n_slots = l->n_slots };
	bool known = ret->slots;
	fw_eval_begin(&d->eval, facts, a);
	for (uint32_t i = 0; known && i < l->n_slots; i++)
		known = recall_slot(&l->slots[i], d, a, &ret->slots[i]);
	fw_eval_end(&d->eval);
	return known;
}

/* Made again by its own rules, it must come out as it did. */
static int make_again(const struct fw_logged *l, struct fw_decider *before, const struct fw_facts *facts, const uint32_t *was,
	struct fw_arena *a, struct fw_decision *ret)
{
	int rc = fw_decide(before, facts, was, l->n_slots, a, ret);
	for (uint32_t i = 0; rc == 0 && i < ret->n_slots; i++)
		if (!as_logged(&l->slots[i], &ret->slots[i]))
			rc = FW_ECONFLICT;
	return rc;
}

int fw_replay(const struct fw_logged *l, const struct fw_facts_names *names, struct fw_str record, struct fw_decider *before,
	struct fw_decider *after, bool verify, struct fw_arena *a, struct fw_replayed *ret)
{
	struct fw_decision x, y;
	uint32_t *was = FW_NEW_ARRAY(a, l->n_slots, uint32_t), *is = FW_NEW_ARRAY(a, l->n_slots, uint32_t);
	*ret = (struct fw_replayed){ .changed = false };
	if (!was || !is || !(ret->slots = FW_NEW_ARRAY(a, l->n_slots, struct fw_replayed_slot)))
		return FW_ENOMEM;
	uint32_t n = list_slots(l, before->set, after->set, was, is);
	int rc = fw_logged_facts(l, names, record, a, &ret->facts);
	if (rc < 0)
		return rc;
	fw_logged_set_aside(l, before->set, before);
	fw_logged_set_aside(l, before->set, after);
	rc = fw_decide(after, &ret->facts, is, n, a, &y);
	if (rc == 0 && ret->facts.then && ret->facts.then->lost)
		rc = FW_ENOENT;
	bool recalled = rc == 0 && !verify && recall(l, before, &ret->facts, a, &x);
	if (recalled)
		compare(before, &x, after, &y, ret);
	if (rc == 0 && (!recalled || ret->changed)) {
		ret->changed = false;
		rc = make_again(l, before, &ret->facts, was, a, &x);
		if (rc == 0)
			compare(before, &x, after, &y, ret);
	}
	fw_logged_clear_aside(before);
	fw_logged_clear_aside(after);
	return rc;
}
