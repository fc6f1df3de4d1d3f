#include "trace/rejudge.h"

#include "message/compose.h"
#include "message/id.h"

/* What the ids of messages are made with is not asked for: both sides are written with this. */
static const char any_id[] = "00000000000000000000000000000000";
_Static_assert(sizeof any_id == FW_MESSAGE_ID + 1, "an id like any other");

/* What the log says of each, beside the record. FW_EINVAL: one was not logged. */
static int prepare(const struct fw_logged *l, const struct fw_record *r, struct fw_due_item *items, uint32_t n)
{
	int rc = n == l->n_messages ? 0 : FW_EINVAL;
	for (uint32_t i = 0; i < n && rc == 0; i++) {
		const struct fw_logged_message *m = NULL;
		for (uint32_t k = 0; k < l->n_messages && !m; k++)
			if (l->messages[k].number == items[i].due.number)
				m = &l->messages[k];
		if (!m)
			return FW_EINVAL;
		items[i].suppressed = m->suppressed;
		items[i].told = m->told;
		rc = fw_record_address(r, items[i].due.channel, &items[i].address);
	}
	return rc;
}

/* For what was refused before anybody asked for facts. */
static int complete(const struct fw_rejudge_rules *rules, const struct fw_due_config *config, const struct fw_due_log *log,
	struct fw_str record, int64_t at_us, struct fw_arena *a, struct fw_rejudged *x)
{
	int rc = 0;
	for (uint32_t i = 0; i < x->n && rc == 0; i++)
		if (!x->items[i].has_facts) {
			rc = fw_due_item_facts(rules->decider->set, config, log, &x->items[i], record, at_us, a, &x->items[i].facts);
			x->items[i].has_facts = rc == 0;
		}
	return rc;
}

static int judge(const struct fw_logged *l, const struct fw_facts_names *names, struct fw_str record, int64_t at_us,
	const struct fw_rejudge_rules *rules, struct fw_arena *a, struct fw_rejudged *ret)
{
	static const struct fw_consent_config no_places; /* what these say is in the facts */
	const struct fw_due_config config = { .zones = rules->zones, .consent = &no_places, .delivery_ms = FW_LIMIT_DELIVERY_MS,
		.again_ms = FW_LIMIT_MESSAGE_AGAIN_MS };
	const struct fw_due_log log = { .then = l->then, .names = names };
	const struct fw_to_compose what = { .set = rules->decider->set, .templates = rules->templates, .id = any_id };
	struct fw_due_judging *j;
	struct fw_due_item *goes = NULL;
	struct fw_record *r;
	int rc = fw_record_read(a, record, &r, NULL);
	if (rc == 0)
		rc = fw_due_list(rules->decider->set, r, at_us, a, &ret->items, &ret->n);
	if (rc == 0)
		rc = prepare(l, r, ret->items, ret->n);
	if (rc == 0)
		rc = fw_due_judge_begin(rules->decider, &config, r, ret->items, ret->n, at_us, &log, a, &j);
	while (rc == 0 && (rc = fw_due_judge_next(j, &goes)) == 0 && goes)
		rc = fw_compose_due(j, goes, what, a);
	return rc < 0 ? rc : complete(rules, &config, &log, record, at_us, a, ret);
}

int fw_rejudge(const struct fw_logged *l, const struct fw_facts_names *names, struct fw_str record, int64_t at_us,
	const struct fw_ruleset *before, const struct fw_rejudge_rules *rules, struct fw_arena *a, struct fw_rejudged *ret)
{
	*ret = (struct fw_rejudged){ .n = 0 };
	if (l->then)
		l->then->lost = false;
	fw_logged_set_aside(l, before, rules->decider);
	int rc = judge(l, names, record, at_us, rules, a, ret);
	fw_logged_clear_aside(rules->decider);
	return rc == 0 && l->then && l->then->lost ? FW_ENOENT : rc;
}

const struct fw_due_item *fw_rejudged_find(const struct fw_rejudged *r, uint64_t number)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (r->items[i].due.number == number)
			return &r->items[i];
	return NULL;
}

bool fw_rejudged_is(const struct fw_logged *l, const struct fw_rejudged *r)
{
	bool same = l->n_messages == r->n;
	for (uint32_t i = 0; same && i < l->n_messages; i++) {
		const struct fw_logged_message *then = &l->messages[i];
		const struct fw_due_item *now = fw_rejudged_find(r, then->number);
		same = now && now->rule == then->rule && now->reason == then->reason &&
			(now->reason == FW_REASON_FAILED || fw_str_equal(now->by, then->by)) &&
			(now->reason != FW_REASON_DEFERRED || now->until_us == then->until_us);
	}
	return same;
}

static bool is_first_of_channel(const struct fw_rejudged *r, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (fw_str_equal(r->items[i].due.channel, r->items[n].due.channel))
			return false;
	return true;
}

static int explain_channel(struct fw_decider *d, const struct fw_rejudged *r, uint32_t first, struct fw_arena *a,
	struct fw_explained_slot *ret)
{
	struct fw_str channel = r->items[first].due.channel;
	*ret = (struct fw_explained_slot){ .slot = FW_NONE, .channel = fw_arena_strndup(a, channel.p, channel.n), .reason = FW_SLOT_NONE,
		.candidates = FW_NEW_ARRAY(a, r->n, struct fw_candidate), .winners = FW_NEW_ARRAY(a, r->n, struct fw_winner) };
	if (!ret->channel || !ret->candidates || !ret->winners)
		return FW_ENOMEM;
	for (uint32_t i = first; i < r->n; i++) {
		const struct fw_due_item *x = &r->items[i];
		if (!fw_str_equal(x->due.channel, channel))
			continue;
		fw_explain_due(d, x, a, &ret->candidates[ret->n++]);
		if (x->reason != FW_REASON_WON)
			continue;
		ret->winners[ret->n_winners++] = (struct fw_winner){ x->rule, x->uses, x->content };
		ret->reason = FW_SLOT_RULE;
	}
	return 0;
}

int fw_rejudged_explain(struct fw_decider *d, const struct fw_rejudged *r, struct fw_arena *a, struct fw_explanation *ret)
{
	int rc = 0;
	*ret = (struct fw_explanation){ .slots = FW_NEW_ARRAY(a, r->n, struct fw_explained_slot) };
	if (!ret->slots)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < r->n && rc == 0; i++)
		if (is_first_of_channel(r, i))
			rc = explain_channel(d, r, i, a, &ret->slots[ret->n_slots++]);
	return rc;
}

bool fw_rejudged_goes(const struct fw_due_item *x)
{
	return x->reason == FW_REASON_WON || x->reason == FW_REASON_DEFERRED;
}

enum fw_rejudged_change fw_rejudged_change(const struct fw_due_item *before, const struct fw_due_item *after)
{
	bool went = fw_rejudged_goes(before), goes = fw_rejudged_goes(after);
	if (went != goes)
		return goes ? FW_REJUDGED_ADDED : FW_REJUDGED_DROPPED;
	if (!goes)
		return FW_REJUDGED_SAME;
	bool same = before->reason == after->reason && (before->reason == FW_REASON_WON ? fw_str_equal(before->content, after->content)
		: before->until_us == after->until_us);
	return same ? FW_REJUDGED_SAME : FW_REJUDGED_CHANGED;
}

int fw_replay_messages(const struct fw_logged *l, const struct fw_facts_names *names, struct fw_str record, int64_t at_us,
	const struct fw_rejudge_rules *before, const struct fw_rejudge_rules *after, struct fw_arena *a, struct fw_replayed_messages *ret)
{
	struct fw_rejudged x, y;
	*ret = (struct fw_replayed_messages){ .items = FW_NEW_ARRAY(a, l->n_messages, struct fw_replayed_message), .n = l->n_messages };
	if (!ret->items)
		return FW_ENOMEM;
	int rc = fw_rejudge(l, names, record, at_us, before->decider->set, before, a, &x);
	if (rc == FW_ENOENT || (rc == 0 && !fw_rejudged_is(l, &x)))
		rc = FW_ECONFLICT;
	if (rc == 0)
		rc = fw_rejudge(l, names, record, at_us, before->decider->set, after, a, &y);
	for (uint32_t i = 0; rc == 0 && i < l->n_messages; i++) {
		struct fw_replayed_message *m = &ret->items[i];
		m->before = fw_rejudged_find(&x, l->messages[i].number);
		m->after = fw_rejudged_find(&y, l->messages[i].number);
		m->change = fw_rejudged_change(m->before, m->after);
		ret->changed |= m->change != FW_REJUDGED_SAME;
	}
	return rc;
}
