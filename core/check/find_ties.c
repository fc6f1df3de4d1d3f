/* Rules of one slot, or messages that are due together, with equal priority and specificity that one visitor matches, while nothing
 * stronger settles it. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "check/witness.h"
#include "decide/rehearse.h"

struct tie {
	struct fw_checker *c;
	const struct fw_contest *contest;
	struct fw_occasion occasion; /* of messages: with these two rules' channels */
	uint32_t first, second;
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
static bool wins_slot(struct tie *t, const struct fw_facts *facts)
{
	struct fw_explanation e;
	if (fw_explain(t->c->decider, facts, &t->contest->slot, 1, &t->c->scratch, &e) < 0) {
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

static bool has_lost(const struct tie *t, const struct fw_record *r)
{
	const char *second = t->c->set->rules[t->second].id;
	struct fw_str first = fw_str(t->c->set->rules[t->first].id);
	struct fw_due_outcome o;
	bool lost = false;
	first.n = fw_utf8_cut(first, FW_LIMIT_DUE_REASON_BYTES); /* as a record has it */
	for (unsigned i = 0; !lost && fw_record_outcome(r, i, &o); i++)
		lost = fw_str_is(o.rule, second) && fw_str_equal(o.by, first) &&
			(fw_str_is(o.what, fw_reason_name(FW_REASON_BEATEN)) || fw_str_is(o.what, fw_reason_name(FW_REASON_EXCLUDED)));
	return lost;
}

/* Whether nothing but others stands in the way of the second: of a message that is beaten nobody has asked. */
static bool could_be_sent(struct tie *t, const struct fw_facts *facts, struct fw_arena *arena)
{
	struct fw_checker *c = t->c;
	struct fw_explanation e = { .n_slots = 0 };
	if (fw_explain_channel(c->decider, facts, c->set->rules[t->second].message->channel, FW_REASON_WON, arena, &e) < 0) {
		c->searcher.no_memory = true;
		return false;
	}
	const struct fw_candidate *b = candidate_of(&e.slots[0], t->second);
	enum fw_reason r = b->verdict.reason;
	return r == FW_REASON_WON || r == FW_REASON_BEATEN || r == FW_REASON_EXCLUDED;
}

/* Whether, when the visitor's event is over and both are due, the first is sent and the second loses to it. */
static bool is_sent(struct tie *t, struct fw_str visitor)
{
	struct fw_checker *c = t->c;
	struct fw_arena arena;
	struct fw_rehearsal r = { .n = 0 };
	struct fw_json *given;
	struct fw_error err;
	bool sent = false;
	fw_arena_init(&arena, NULL, 0, 0);
	int rc = fw_json_parse(&arena, visitor.p, visitor.n, &given, &err);
	if (rc == 0)
		rc = fw_rehearse(c->decider, c->triggers, c->zones, given, &arena, &r, &err);
	c->searcher.no_memory |= rc == FW_ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < r.n && !sent; i++)
		sent = r.sent[i].rule == t->first && has_lost(t, r.record) && could_be_sent(t, &r.sent[i].facts, &arena);
	fw_sandbox_collect(c->set->sandbox);
	fw_arena_finish(&arena);
	return sent;
}

static bool is_confirmed(struct tie *t, const struct fw_witness *w)
{
	return t->contest->slot == FW_NONE ? is_sent(t, w->json) : wins_slot(t, &w->facts);
}

static bool accept(void *ctx, const struct fw_box *part)
{
	struct tie *t = ctx;
	struct fw_witness w;
	const struct fw_occasion *occasion = t->contest->slot == FW_NONE ? &t->occasion : NULL;
	t->seen = true;
	t->broke = !fw_cover_pay(&t->c->budget, t->contest->n); /* each of them is tried */
	if (t->broke)
		return true;
	if (!fw_witness_make(t->c, part, t->clock, occasion, &t->c->scratch, &w) || !is_confirmed(t, &w))
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

/* Two that show the same: which of them it is makes no difference to anybody. Two orders of one list are not looked at. */
static bool shows_same(const struct fw_rule *a, const struct fw_rule *b)
{
	if (a->show.ordering || b->show.ordering)
		return false;
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

/* Marketing needs its channel's consent: whoever has none is not looked for. */
static void limit_to_consent(struct tie *t, struct fw_boxes *both)
{
	const struct fw_ruleset *set = t->c->set;
	struct fw_domain *d = &t->c->domain;
	const uint32_t rules[2] = { t->first, t->second };
	for (int i = 0; i < 2; i++) {
		const struct fw_rule *r = &set->rules[rules[i]];
		struct fw_str channel = r->message && r->message->class == FW_CLASS_MARKETING ? fw_str(r->message->channel) : FW_STR("");
		t->occasion.channels[i] = channel.n ? channel.p : NULL;
		for (uint32_t k = 0; channel.n && k < d->n; k++) {
			const struct fw_dim *dim = &d->dims[k];
			bool asks = (dim->kind == FW_DIM_REF || dim->kind == FW_DIM_HOLDS) &&
				set->refs[dim->subject].fact == FW_FACT_CONSENT;
			if (asks && dim->kind == FW_DIM_REF)
				fw_boxes_limit(&t->c->searcher, both, k, fw_domain_one(d, k, FW_CELL_SET));
			else if (asks && fw_str_equal_fold(dim->held.text, channel))
				fw_boxes_limit(&t->c->searcher, both, k, fw_domain_one(d, k, FW_CELL_YES));
		}
	}
}

/* Looks for a visitor of both whom fewer stronger rules match than there is room for. */
static enum fw_covered look(struct fw_checker *c, struct tie *t, struct fw_coverer *blockers, uint32_t n)
{
	struct fw_cover cover = { .maker = &c->searcher, .coverers = blockers, .n = n, .need = t->contest->room, .accept = accept, .ctx = t,
		.budget = &c->budget, .steps = FW_LIMIT_CHECK_STEPS };
	const struct fw_boxes *a = &c->rules[t->first].effective, *b = &c->rules[t->second].effective;
	enum fw_covered worst = FW_COVERED;
	for (uint32_t i = 0; i < a->n && !t->found; i++)
		for (uint32_t k = 0; k < b->n && !t->found; k++) {
			if (!fw_box_overlaps(&a->items[i], &b->items[k]))
				continue;
			struct fw_arena_mark mark = fw_arena_mark(&c->scratch);
			struct fw_box both;
			struct fw_boxes one = { .items = &both, .n = 1, .size = 1, .conflict = FW_NONE };
			uint32_t conflict;
			one.n = fw_box_and(&c->searcher, &a->items[i], &b->items[k], &both, &conflict);
			if (one.n && t->contest->slot == FW_NONE)
				limit_to_consent(t, &one);
			if (one.n && fw_cover_box(&cover, &one.items[0]) == FW_COVER_UNKNOWN)
				worst = FW_COVER_UNKNOWN;
			fw_arena_rewind(&c->scratch, &mark);
		}
	return t->broke ? FW_COVER_UNKNOWN : worst;
}

/* Of slots what was seen and not shown is possible; of messages it is so only where a function decides. */
static bool may_be(const struct fw_checker *c, const struct tie *t)
{
	return t->seen && (t->contest->slot != FW_NONE || c->rules[t->first].hangs || c->rules[t->second].hangs);
}

static void check_rule(struct fw_checker *c, const struct fw_contest *x, uint32_t rank, uint32_t from, struct fw_coverer *blockers,
	const uint32_t *n_before, bool clock)
{
	struct tie possible = { .seen = false };
	bool unknown = false;
	uint32_t looked = 0;
	uint64_t meetings = 0;
	for (uint32_t i = from; i < rank && looked < FW_LIMIT_CHECK_PAIRS; i++) {
		struct tie t = { .c = c, .contest = x, .occasion = x->occasion, .first = x->rules[i], .second = x->rules[rank],
			.clock = clock };
		if (!c->rules[t.first].alive || shows_same(&c->set->rules[t.first], &c->set->rules[t.second]))
			continue;
		if (c->budget == 0) {
			unknown = true;
			break;
		}
		meetings += (uint64_t)c->rules[t.first].effective.n * c->rules[t.second].effective.n;
		unknown |= look(c, &t, blockers, n_before[i]) == FW_COVER_UNKNOWN && !t.found;
		looked += t.seen;
		if (t.found) {
			fw_cover_pay(&c->budget, meetings / FW_COVER_MEETINGS);
			c->rules[t.second].tied = true;
			report(c, &t, FW_CERTAIN);
			return;
		}
		if (may_be(c, &t) && !possible.seen)
			possible = t;
	}
	fw_cover_pay(&c->budget, meetings / FW_COVER_MEETINGS);
	if (possible.seen || unknown) {
		const struct fw_rule *r = &c->set->rules[x->rules[rank]];
		c->rules[x->rules[rank]].tied = true;
		if (possible.seen)
			report(c, &possible, unknown ? FW_NOT_DETERMINED : FW_POSSIBLE);
		else
			fw_check_undetermined(c, FW_FINDING_TIE, r, "whether it ties with another");
	}
}

static bool is_dated(const struct fw_rule *r)
{
	return r->starts_us != INT64_MIN || r->ends_us != INT64_MAX;
}

/* Without a clock rules that are over are not: of messages any that the same event sets off would be in the way. */
static bool any_dated(const struct fw_checker *c, const struct fw_contest *x)
{
	const struct fw_ruleset *s = c->set;
	for (uint32_t i = 0; i < x->n; i++)
		if (is_dated(&s->rules[x->rules[i]]))
			return true;
	for (uint32_t i = 0; x->slot == FW_NONE && i < s->n_message_rules; i++)
		if (is_dated(&s->rules[s->message_rules[i]]))
			return true;
	return false;
}

int fw_check_contest(struct fw_checker *c, const struct fw_contest *x)
{
	uint32_t n = 0, from = 0;
	for (uint32_t i = 0; i < x->n; i++)
		n += c->rules[x->rules[i]].alive ? c->rules[x->rules[i]].effective.n : 0;
	struct fw_coverer *blockers = malloc((n + 1) * sizeof *blockers);
	uint32_t *n_before = malloc((x->n + 1) * sizeof *n_before);
	int ret = blockers && n_before ? 0 : FW_ENOMEM;
	bool clock = any_dated(c, x);
	n = 0;
	if (x->slot == FW_NONE && !c->triggers && !(c->triggers = fw_triggers_create(c->set)))
		ret = FW_ENOMEM;
	for (uint32_t i = 0; i < x->n && ret == 0; i++) {
		const struct fw_checked *r = &c->rules[x->rules[i]];
		n_before[i] = n;
		for (uint32_t k = 0; r->alive && k < r->effective.n; k++)
			blockers[n++] = (struct fw_coverer){ &r->effective.items[k], x->rules[i], false };
		if (!is_equal(&c->set->rules[x->rules[from]], &c->set->rules[x->rules[i]]))
			from = i;
		if (r->alive && !r->tied && from < i)
			check_rule(c, x, i, from, blockers, n_before, clock);
	}
	free(blockers);
	free(n_before);
	return ret;
}

int fw_check_ties(struct fw_checker *c)
{
	int ret = 0;
	for (uint32_t i = 0; i < c->set->n_slots && ret == 0; i++) {
		const struct fw_slot *s = &c->set->slots[i];
		ret = fw_check_contest(c, &(struct fw_contest){ .rules = c->set->ranked + s->first_ranked, .n = s->n_ranked,
			.room = s->show_up_to, .slot = i });
	}
	return c->searcher.no_memory ? FW_ENOMEM : ret;
}
