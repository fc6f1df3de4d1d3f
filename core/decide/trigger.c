#include "decide/trigger.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* A rule that an event concerns. */
struct concern {
	uint32_t rule;
	bool cancels;
	uint32_t next; /* of the same event, or FW_NONE */
};

struct fw_triggers {
	const struct fw_ruleset *set;
	struct fw_arena arena;
	struct fw_map names; /* folded, to the first concern */
	struct concern *concerns;
	uint32_t n_concerns;
	uint32_t *by_segment, *by_time; /* rules on segment_entered; rules on every */
	uint32_t n_by_segment, n_by_time;
};

static struct fw_str fold(struct fw_arena *a, struct fw_str name)
{
	char *folded = fw_arena_strndup(a, name.p, name.n);
	if (folded)
		fw_fold(name, folded);
	return (struct fw_str){ folded, folded ? name.n : 0 };
}

static int add_names(struct fw_triggers *t, uint32_t rule, const char **names, bool cancels)
{
	for (; names && *names; names++) {
		struct fw_str name = fold(&t->arena, fw_str(*names));
		if (!name.p)
			return FW_ENOMEM;
		t->concerns[t->n_concerns] = (struct concern){ rule, cancels, fw_map_get(&t->names, name) };
		if (fw_map_put(&t->names, name, t->n_concerns++) < 0)
			return FW_ENOMEM;
	}
	return 0;
}

static int fill(struct fw_triggers *t)
{
	const struct fw_ruleset *set = t->set;
	uint32_t n = 0;
	for (uint32_t i = 0; i < set->n_message_rules; i++) {
		const struct fw_message *m = set->rules[set->message_rules[i]].message;
		n += fw_event_names_count(m->on) + fw_event_names_count(m->cancel_on);
	}
	t->concerns = FW_NEW_ARRAY(&t->arena, n + 1, struct concern);
	t->by_segment = FW_NEW_ARRAY(&t->arena, set->n_message_rules + 1, uint32_t);
	t->by_time = FW_NEW_ARRAY(&t->arena, set->n_message_rules + 1, uint32_t);
	if (!t->concerns || !t->by_segment || !t->by_time)
		return FW_ENOMEM;
	for (uint32_t i = set->n_message_rules; i-- > 0; ) { /* what is added last comes first: the last room is the strongest one's */
		uint32_t number = set->message_rules[i];
		const struct fw_rule *r = &set->rules[number];
		if (add_names(t, number, r->enabled ? r->message->on : NULL, false) < 0
			|| add_names(t, number, r->message->cancel_on, true) < 0)
			return FW_ENOMEM;
	}
	for (uint32_t i = 0; i < set->n_message_rules; i++) {
		const struct fw_rule *r = &set->rules[set->message_rules[i]];
		if (r->enabled && r->message->on_segment != FW_NONE)
			t->by_segment[t->n_by_segment++] = set->message_rules[i];
		if (r->enabled && r->message->every_s)
			t->by_time[t->n_by_time++] = set->message_rules[i];
	}
	return 0;
}

struct fw_triggers *fw_triggers_create(const struct fw_ruleset *set)
{
	struct fw_triggers *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->set = set;
	fw_arena_init(&t->arena, NULL, 0, 0);
	fw_map_init(&t->names, &t->arena);
	if (fill(t) == 0)
		return t;
	fw_triggers_destroy(t);
	return NULL;
}

void fw_triggers_destroy(struct fw_triggers *t)
{
	if (!t)
		return;
	fw_arena_finish(&t->arena);
	free(t);
}

bool fw_triggers_sweep(const struct fw_triggers *t)
{
	return t->n_by_segment || t->n_by_time;
}

static uint32_t first_concern(const struct fw_triggers *t, struct fw_str name)
{
	char folded[FW_LIMIT_EVENT_NAME_BYTES];
	if (name.n == 0 || name.n > sizeof folded || t->n_concerns == 0)
		return FW_NONE;
	fw_fold(name, folded);
	return fw_map_get(&t->names, (struct fw_str){ folded, name.n });
}

bool fw_triggers_concern(const struct fw_triggers *t, struct fw_str event)
{
	return t->n_by_segment || first_concern(t, event) != FW_NONE;
}

bool fw_triggers_segments(const struct fw_triggers *t)
{
	return t->n_by_segment;
}

struct triggering {
	const struct fw_triggers *t;
	struct fw_decider *d;
	const struct fw_due_config *config;
	const struct fw_trigger_event *e;
	struct fw_record *r;
	struct fw_arena *arena;
	/* The person as he was, and as he is, in the arena; made when somebody asks. What is triggered changes no fact. */
	struct { struct fw_str record; struct fw_facts *facts; } before, now;
};

static int note(const struct triggering *x, const struct fw_due *d, enum fw_reason reason, struct fw_str by)
{
	const struct fw_due_outcome o = { x->e->received_us, d->number, d->rule, d->channel, fw_str(fw_reason_name(reason)), by,
		{ NULL, 0 } };
	return fw_record_note_outcome(x->r, &o);
}

/* The one of the rule that waits and was not tried yet. */
static bool find_waiting(const struct fw_record *r, const char *rule, struct fw_due *ret)
{
	for (unsigned i = 0; fw_record_due(r, i, ret); i++)
		if (ret->state == FW_DUE_WAITS && ret->attempts == 0 && fw_str_is(ret->rule, rule))
			return true;
	return false;
}

bool fw_triggers_sets_off(const struct fw_triggers *t, struct fw_str event)
{
	uint32_t i = first_concern(t, event);
	while (i != FW_NONE && t->concerns[i].cancels)
		i = t->concerns[i].next;
	return i != FW_NONE;
}

bool fw_triggers_has_room(const struct fw_triggers *t, struct fw_str event, const struct fw_record *r)
{
	struct fw_due d;
	unsigned n = 0, alive = 0;
	for (uint32_t i = first_concern(t, event); i != FW_NONE; i = t->concerns[i].next) {
		const struct concern *c = &t->concerns[i];
		if (!c->cancels && find_waiting(r, t->set->rules[c->rule].id, &d))
			return false;
		n += !c->cancels;
	}
	for (unsigned i = 0; fw_record_due(r, i, &d); i++)
		alive += d.state != FW_DUE_DEAD;
	return n && alive + n <= FW_LIMIT_DUE;
}

static uint64_t number_of(const struct fw_rule *rule, uint64_t hash)
{
	uint64_t parts[2] = { fw_hash(rule->id, strlen(rule->id)), hash };
	uint64_t number = fw_hash(parts, sizeof parts);
	return number ? number : 1;
}

/* A new trigger starts `after` again; one that is heard of late, and is the earlier one, does not. */
static int trigger(const struct triggering *x, const struct fw_rule *rule)
{
	const struct fw_message *m = rule->message;
	struct fw_due old, d = { .number = number_of(rule, x->e->hash), .rule = fw_str(rule->id), .channel = fw_str(m->channel),
		.triggered_us = x->e->at_us, .facts = x->e->facts };
	if (x->e->received_us - x->e->at_us > m->expires_s * INT64_C(1000000))
		return 0;
	if (find_waiting(x->r, rule->id, &old)) {
		if (old.triggered_us > d.triggered_us)
			return 0;
		fw_record_drop_due(x->r, old.number);
	}
	d.due_us = d.triggered_us + m->after_s * 1000000;
	d.expires_us = d.due_us + m->expires_s * 1000000;
	int rc = fw_record_put_due(x->r, &d);
	return rc == FW_ELIMIT ? note(x, &d, FW_REASON_FAILED, FW_STR("too many messages wait for this person")) : rc;
}

static int cancel(const struct triggering *x, const struct fw_rule *rule)
{
	struct fw_due d;
	if (!find_waiting(x->r, rule->id, &d) || x->e->at_us < d.triggered_us)
		return 0;
	int rc = note(x, &d, FW_REASON_CANCELLED, x->e->name);
	fw_record_drop_due(x->r, d.number);
	return rc;
}

static int trigger_by_name(const struct triggering *x)
{
	int rc = 0;
	for (uint32_t i = first_concern(x->t, x->e->name); i != FW_NONE && rc == 0; i = x->t->concerns[i].next) {
		const struct concern *c = &x->t->concerns[i];
		const struct fw_rule *rule = &x->t->set->rules[c->rule];
		rc = c->cancels ? cancel(x, rule) : trigger(x, rule);
	}
	return rc;
}

static int facts_of(const struct triggering *x, struct fw_str record, struct fw_facts **ret)
{
	struct fw_facts *f = FW_NEW(x->arena, struct fw_facts);
	int rc = f ? fw_due_facts(x->t->set, x->config, x->e->facts, record, x->e->at_us, x->arena, f) : FW_ENOMEM;
	if (rc == 0)
		*ret = f;
	return rc;
}

/* Whether the person is in the segment, or matches the rule's `when`. */
static int holds(struct triggering *x, bool before, uint32_t segment, uint32_t when, bool *ret)
{
	struct fw_facts **f = before ? &x->before.facts : &x->now.facts;
	struct fw_seen seen = { 0 };
	int rc = *f ? 0 : facts_of(x, before ? x->before.record : x->now.record, f);
	if (rc < 0)
		return rc;
	fw_eval_begin(&x->d->eval, *f, x->arena);
	enum fw_truth t = segment != FW_NONE ? fw_eval_segment(&x->d->eval, segment, &seen) : fw_eval_condition(&x->d->eval, when, &seen);
	fw_eval_end(&x->d->eval);
	*ret = t == FW_TRUE;
	return 0;
}

/* Whoever is in the segment and was not is entering it. Where nothing is remembered, that is found out from the record as it was
 * before the event; time alone (`may_ask` false) only begins to remember. A rule's id is the name of its mark. */
static int trigger_segment(struct triggering *x, const struct fw_rule *rule, bool may_ask)
{
	uint32_t segment = rule->message->on_segment;
	struct fw_mark was = { .in = false }, mark = { .name = fw_str(rule->id), .at_us = x->e->at_us };
	int rc = holds(x, false, segment, FW_NONE, &mark.in);
	bool known = fw_record_mark(x->r, mark.name, &was);
	if (rc == 0 && !known && may_ask && x->before.record.n)
		rc = holds(x, true, segment, FW_NONE, &was.in);
	if (rc < 0 || (known && was.in == mark.in))
		return rc;
	if (mark.in && !was.in && (known || may_ask))
		rc = trigger(x, rule);
	return rc < 0 ? rc : fw_record_set_mark(x->r, &mark);
}

static int trigger_segments(struct triggering *x, bool may_ask)
{
	int rc = 0;
	for (uint32_t i = 0; i < x->t->n_by_segment && rc == 0; i++)
		rc = trigger_segment(x, &x->t->set->rules[x->t->by_segment[i]], may_ask);
	return rc;
}

int fw_trigger(const struct fw_triggers *t, struct fw_decider *d, const struct fw_due_config *config, const struct fw_trigger_event *e,
	struct fw_str before, struct fw_record *r)
{
	struct fw_arena arena;
	if (e->imported || !fw_triggers_concern(t, e->name))
		return 0;
	fw_arena_init(&arena, NULL, 0, 0);
	struct triggering x = { .t = t, .d = d, .config = config, .e = e, .r = r, .arena = &arena, .before = { .record = before } };
	int rc = t->n_by_segment ? fw_record_bytes(r, &arena, &x.now.record) : 0;
	if (rc == 0)
		rc = trigger_by_name(&x);
	if (rc == 0)
		rc = trigger_segments(&x, true);
	fw_arena_finish(&arena);
	return rc;
}

/* At most once in its interval; for whom the rule is new, at the first sweep. */
static int trigger_by_time(struct triggering *x, const struct fw_rule *rule)
{
	struct fw_mark was, mark = { .name = fw_str(rule->id), .at_us = x->e->at_us };
	if (fw_record_mark(x->r, mark.name, &was) && x->e->at_us - was.at_us < rule->message->every_s * INT64_C(1000000))
		return 0;
	int rc = holds(x, false, FW_NONE, rule->when, &mark.in);
	if (rc < 0 || !mark.in)
		return rc;
	rc = trigger(x, rule);
	return rc < 0 ? rc : fw_record_set_mark(x->r, &mark);
}

int fw_trigger_sweep(const struct fw_triggers *t, struct fw_decider *d, const struct fw_due_config *config, int64_t now_us,
	struct fw_record *r, bool *ret_changed)
{
	struct fw_arena arena;
	struct fw_str after = { NULL, 0 };
	const struct fw_trigger_event e = { .at_us = now_us, .received_us = now_us, .hash = (uint64_t)now_us };
	fw_arena_init(&arena, NULL, 0, 0);
	struct triggering x = { .t = t, .d = d, .config = config, .e = &e, .r = r, .arena = &arena };
	int rc = fw_record_bytes(r, &arena, &x.now.record);
	if (rc == 0)
		rc = trigger_segments(&x, false);
	for (uint32_t i = 0; i < t->n_by_time && rc == 0; i++)
		rc = trigger_by_time(&x, &t->set->rules[t->by_time[i]]);
	if (rc == 0)
		rc = fw_record_bytes(r, &arena, &after);
	*ret_changed = rc == 0 && !fw_str_equal(x.now.record, after);
	fw_arena_finish(&arena);
	return rc;
}
