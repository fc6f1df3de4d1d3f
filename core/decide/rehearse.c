#include "decide/rehearse.h"

#include <string.h>

#include "base/hash.h"
#include "fact/given.h"
#include "profile/given.h"

enum { MOST_SENT = 1000, MOST_LOOKS = 100000 };
#define DAY_US INT64_C(86400000000)

struct rehearsing {
	struct fw_decider *d;
	const struct fw_triggers *t;
	struct fw_due_config config;
	struct fw_given given;
	struct fw_facts facts; /* that were given by name */
	struct fw_rehearsal *ret;
	int64_t swept_us; /* when time alone was last looked at; 0: not yet */
	unsigned looks;
};

/* When somebody has to look at the record next; false: never. */
static bool next_due(const struct fw_record *r, int64_t *ret_us)
{
	struct fw_due d;
	bool any = false;
	for (unsigned i = 0; fw_record_due(r, i, &d); i++)
		if (d.state == FW_DUE_WAITS && (!any || d.due_us < *ret_us)) {
			*ret_us = d.due_us;
			any = true;
		}
	return any;
}

static int note_sent(struct rehearsing *x, const struct fw_due_item *item, int64_t now_us)
{
	int rc;
	fw_due_settle(x->given.record, &x->config, item->due.number, FW_DUE_TOLD_SENT, -1, (struct fw_str){ NULL, 0 }, 0, now_us, &rc);
	if (rc == 0 && now_us >= x->given.base_us && x->ret->n < MOST_SENT)
		x->ret->sent[x->ret->n++] = (struct fw_rehearsed){ item->rule, now_us, item->content, item->facts };
	return rc;
}

static int judge(struct rehearsing *x, int64_t now_us)
{
	struct fw_due_item *items, *goes = NULL;
	struct fw_due_judging *j;
	uint32_t n;
	int rc = fw_due_list(x->d->set, x->given.record, now_us, x->given.arena, &items, &n);
	for (uint32_t i = 0; rc == 0 && i < n; i++)
		items[i].address = FW_STR("given");
	if (rc == 0)
		rc = fw_due_judge_begin(x->d, &x->config, x->given.record, items, n, now_us, NULL, x->given.arena, &j);
	while (rc == 0 && (rc = fw_due_judge_next(j, &goes)) == 0 && goes)
		rc = fw_due_judge_send(j, goes);
	for (uint32_t i = 0; rc == 0 && i < n; i++)
		if (items[i].reason == FW_REASON_WON)
			rc = note_sent(x, &items[i], now_us);
	return rc;
}

/* What is due by then, one time after the other; and what time alone triggers, day by day. */
static int advance(struct rehearsing *x, int64_t until_us)
{
	bool sweeps = fw_triggers_sweep(x->t), changed;
	int rc = 0;
	if (x->swept_us == 0)
		x->swept_us = until_us;
	while (rc == 0 && x->looks++ < MOST_LOOKS) {
		int64_t due_us = INT64_MAX, sweep_us = sweeps ? x->swept_us + DAY_US : INT64_MAX;
		if (!next_due(x->given.record, &due_us))
			due_us = INT64_MAX;
		if (due_us > until_us && sweep_us > until_us)
			break;
		if (due_us <= sweep_us) {
			rc = judge(x, due_us);
		} else {
			x->swept_us = sweep_us;
			rc = fw_trigger_sweep(x->t, x->d, &x->config, sweep_us, x->given.record, &changed);
		}
	}
	return rc;
}

static int happen(struct rehearsing *x)
{
	const struct fw_event *e = &x->given.event;
	struct fw_trigger_event trigger = { .name = e->type == FW_EVENT_TRACK ? e->name : (struct fw_str){ NULL, 0 }, .at_us = e->at_us,
		.received_us = e->at_us, .hash = fw_hash(&x->given.number, sizeof x->given.number) };
	struct fw_str before;
	int rc = advance(x, e->at_us);
	if (rc == 0)
		rc = fw_record_bytes(x->given.record, x->given.arena, &before);
	if (rc == 0)
		rc = fw_due_pack(&x->facts, e->properties, x->given.arena, &trigger.facts);
	if (rc == 0)
		rc = fw_given_apply(&x->given);
	return rc < 0 ? rc : fw_trigger(x->t, x->d, &x->config, &trigger, before, x->given.record);
}

int fw_rehearse(struct fw_decider *d, const struct fw_triggers *t, struct fw_zone_set *zones, const struct fw_json *visitor,
	struct fw_arena *a, struct fw_rehearsal *ret, struct fw_error *err)
{
	static const struct fw_consent_config no_places;
	struct rehearsing x = { .d = d, .t = t, .config = { .zones = zones, .consent = &no_places, .given = visitor,
		.delivery_ms = FW_LIMIT_DELIVERY_MS, .again_ms = FW_LIMIT_MESSAGE_AGAIN_MS }, .ret = ret };
	*ret = (struct fw_rehearsal){ .sent = FW_NEW_ARRAY(a, MOST_SENT, struct fw_rehearsed) };
	int rc = ret->sent ? fw_facts_given(&x.facts, a, visitor, d->set->zone, err) : FW_ENOMEM;
	if (rc == 0)
		rc = fw_given_begin(&x.given, a, &x.facts, visitor, d->set->currency, err);
	x.config.clockless = !x.facts.has_clock;
	while (rc == 0 && (rc = fw_given_next(&x.given)) > 0)
		rc = happen(&x);
	if (rc == 0)
		rc = advance(&x, x.given.end_us);
	ret->record = x.given.record;
	return rc == FW_ENOMEM ? fw_fail(err, rc, NULL, 0, "the visitor is too large") : rc;
}
