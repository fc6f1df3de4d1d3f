/* Messages that stand against one another. Which are due together hangs on what somebody does and when; said is only what is so in each
 * order of events: two rules that the same events set off, put off and call off go the same way, and so the stronger one is there
 * whenever the other is judged. What is left out of this: two people who become one, a person of whom so many messages wait that a
 * further one has no room, and events that come out of their order while something is put off. */
#include <stdlib.h>
#include <string.h>

#include "check/own.h"

/* A rule under what it has in common with others. */
struct entry {
	struct fw_str key;    /* in the scratch arena */
	const char *event;    /* of ties */
	uint32_t rule;
};

struct entries {
	struct fw_checker *c;
	struct entry *items; /* as many as there may be */
	uint32_t n;
};

static int compare_entries(const void *x, const void *y, void *ctx)
{
	const struct entry *a = x, *b = y;
	const struct fw_ruleset *set = ctx;
	int order = fw_str_compare(a->key, b->key);
	uint32_t first = set->rules[a->rule].rank, second = set->rules[b->rule].rank;
	return order ? order : (first > second) - (first < second);
}

/* The key is what was written to `b`, which is emptied. */
static int add_entry(struct entries *e, struct fw_buf *b, const char *event, uint32_t rule)
{
	char *key = b->failed ? NULL : fw_arena_strndup(e->c->arena, b->data, b->n);
	if (!key)
		return FW_ENOMEM;
	e->items[e->n++] = (struct entry){ { key, b->n }, event, rule };
	fw_buf_clear(b);
	return 0;
}

static void put_folded(struct fw_buf *b, const char *name)
{
	for (; *name; name++)
		fw_buf_putc(b, fw_fold_char(*name));
	fw_buf_putc(b, '\n');
}

static int compare_names(const void *x, const void *y)
{
	struct fw_str a = fw_str(*(const char *const *)x), b = fw_str(*(const char *const *)y);
	for (size_t i = 0; i < a.n && i < b.n; i++)
		if (fw_fold_char(a.p[i]) != fw_fold_char(b.p[i]))
			return fw_fold_char(a.p[i]) < fw_fold_char(b.p[i]) ? -1 : 1;
	return (a.n > b.n) - (a.n < b.n);
}

/* Each name once, in one order. */
static int put_names(struct fw_buf *b, const char **names)
{
	uint32_t n = fw_event_names_count(names);
	const char **sorted = malloc((n + 1) * sizeof *sorted);
	if (!sorted)
		return FW_ENOMEM;
	if (n)
		memcpy(sorted, names, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, compare_names);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || compare_names(&sorted[i - 1], &sorted[i]) != 0)
			put_folded(b, sorted[i]);
	free(sorted);
	return 0;
}

/* Calls `each` for every run of entries with one key. */
static int each_lot(struct entries *e, int (*each)(struct fw_checker *c, const struct entry *items, uint32_t n))
{
	int ret = 0;
	if (e->n)
		qsort_r(e->items, e->n, sizeof *e->items, compare_entries, (void *)e->c->set);
	for (uint32_t i = 0, end; i < e->n && ret == 0; i = end) {
		for (end = i + 1; end < e->n && fw_str_equal(e->items[i].key, e->items[end].key); end++)
			;
		if (end - i > 1)
			ret = each(e->c, &e->items[i], end - i);
	}
	return ret;
}

/* What is known of a rule before a function has run: the guards, or the caps, that apply to it for certain or perhaps. */
static bool applies(const struct fw_rule *r, unsigned uses)
{
	return fw_uses_fit(uses, r->uses) || r->calls;
}

static bool is_marketing(const struct fw_rule *r)
{
	return r->message->class == FW_CLASS_MARKETING;
}

/* Caps hold back marketing alone. */
static bool may_be_put_off(const struct fw_ruleset *set, const struct fw_rule *r)
{
	for (uint32_t i = 0; i < r->n_guards; i++)
		if (set->guards[r->guards[i]].defer && applies(r, set->guards[r->guards[i]].uses))
			return true;
	for (uint32_t i = 0; is_marketing(r) && i < r->n_caps; i++)
		if (set->caps[r->caps[i]].defer && applies(r, set->caps[r->caps[i]].uses))
			return true;
	return false;
}

/* Whether no cap can hold back `a` that does not hold back `b`; of those that put off alone, if `deferring`. */
static bool caps_within(const struct fw_ruleset *set, const struct fw_rule *a, const struct fw_rule *b, bool deferring)
{
	for (uint32_t i = 0; is_marketing(a) && i < a->n_caps; i++) {
		uint32_t cap = a->caps[i];
		if (applies(a, set->caps[cap].uses) && (set->caps[cap].defer || !deferring) &&
			(!fw_uses_fit(set->caps[cap].uses, b->uses) || !fw_check_has(b->caps, b->n_caps, cap)))
			return false;
	}
	return true;
}

static bool guards_within(const struct fw_ruleset *set, const struct fw_rule *a, const struct fw_rule *b, bool deferring)
{
	for (uint32_t i = 0; i < a->n_guards; i++) {
		uint32_t guard = a->guards[i];
		if (applies(a, set->guards[guard].uses) && (set->guards[guard].defer || !deferring) &&
			(!fw_uses_fit(set->guards[guard].uses, b->uses) || !fw_check_has(b->guards, b->n_guards, guard)))
			return false;
	}
	return true;
}

static bool share_group(const struct fw_rule *a, const struct fw_rule *b)
{
	return a->group != FW_NONE && a->group == b->group;
}

/* Whether the second cannot be sent where the first is, or whatever takes the first one's place. */
static bool stands_in_the_way(const struct fw_rule *a, const struct fw_rule *b)
{
	if (share_group(a, b))
		return !is_marketing(a) || is_marketing(b);
	return is_marketing(a) && is_marketing(b) && a->group == FW_NONE;
}

/* Whether `a` is sent, or beaten by what beats `b`, too, whenever both are due, the set lets them and it holds the visitor. */
static bool beats(const struct fw_checker *c, uint32_t first, const struct fw_rule *b)
{
	const struct fw_rule *a = &c->set->rules[first];
	const struct fw_checked *x = &c->rules[first];
	if (!x->alive || a->rollout < 100 || x->effective.loose || !stands_in_the_way(a, b) || !caps_within(c->set, a, b, false))
		return false;
	for (const char **name = a->message->cancel_on; name && *name; name++)
		if (!fw_event_names_have(b->message->cancel_on, fw_str(*name)))
			return false;
	return true;
}

/* Whether a message that beats neither may be sent between the two, and take a place under a cap: one is put off until later then. */
static bool may_be_parted(const struct fw_ruleset *set, const struct fw_rule *a, const struct fw_rule *b)
{
	for (uint32_t rank = a->rank + 1; b->n_caps && rank < b->rank; rank++) {
		const struct fw_rule *r = &set->rules[set->message_rules[rank]];
		bool in_the_way = is_marketing(b) && is_marketing(r) && strcmp(r->message->channel, b->message->channel) == 0;
		if (r->enabled && r->has_caps && !in_the_way)
			return true;
	}
	return false;
}

/* Whether what puts off `b` puts off `a` until the same time. It is the first that refuses and lets nothing be dropped: what `a` has more
 * of could drop it, or come first; what `b` has more of, and does not put off, drops `b`. */
static bool is_put_off_along(const struct fw_ruleset *set, const struct fw_rule *a, const struct fw_rule *b)
{
	return a->message->class == b->message->class && a->group == b->group && guards_within(set, a, b, false) &&
		guards_within(set, b, a, true) && caps_within(set, b, a, true) && !may_be_parted(set, a, b);
}

static uint32_t add_boxes(struct fw_coverer *to, uint32_t n, const struct fw_boxes *boxes, uint32_t owner)
{
	for (uint32_t i = 0; i < boxes->n; i++)
		to[n++] = (struct fw_coverer){ &boxes->items[i], owner, false };
	return n;
}

/* One that may be put off is beaten only by another that goes along, and by one alone: of several each would have been there only where it
 * matches, before they were put off. */
static enum fw_covered look_for_one(struct fw_checker *c, const struct entry *items, uint32_t at, struct fw_coverer *room, bool hanging)
{
	const struct fw_rule *b = &c->set->rules[items[at].rule];
	for (uint32_t i = 0; i < at; i++) {
		uint32_t first = items[i].rule;
		if ((c->rules[first].hangs && !hanging) || !beats(c, first, b) || !is_put_off_along(c->set, &c->set->rules[first], b))
			continue;
		enum fw_covered found = fw_check_beaten(c, items[at].rule, &c->rules[items[at].rule].when, room,
			add_boxes(room, 0, &c->rules[first].when, first), 1, hanging);
		if (found != FW_NOT_COVERED)
			return found;
	}
	return FW_NOT_COVERED;
}

static enum fw_covered look_for_all(struct fw_checker *c, const struct entry *items, uint32_t at, struct fw_coverer *room, bool hanging)
{
	const struct fw_rule *b = &c->set->rules[items[at].rule];
	uint32_t n = 0;
	for (uint32_t i = 0; i < at; i++)
		if ((hanging || !c->rules[items[i].rule].hangs) && beats(c, items[i].rule, b))
			n = add_boxes(room, n, &c->rules[items[i].rule].effective, items[i].rule);
	return n ? fw_check_beaten(c, items[at].rule, &c->rules[items[at].rule].effective, room, n, 1, hanging) : FW_NOT_COVERED;
}

static enum fw_covered look(struct fw_checker *c, const struct entry *items, uint32_t at, struct fw_coverer *room, bool hanging)
{
	bool waits = may_be_put_off(c->set, &c->set->rules[items[at].rule]);
	return waits ? look_for_one(c, items, at, room, hanging) : look_for_all(c, items, at, room, hanging);
}

static int find_beaten(struct fw_checker *c, const struct entry *items, uint32_t n)
{
	uint32_t most = 0;
	bool any_hangs = false;
	for (uint32_t i = 0; i < n; i++)
		most += c->rules[items[i].rule].when.n + c->rules[items[i].rule].effective.n;
	struct fw_coverer *room = malloc((most + 1) * sizeof *room);
	if (!room)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct fw_checked *x = &c->rules[items[i].rule];
		if (!x->alive)
			continue;
		enum fw_covered found = look(c, items, i, room, false);
		if (found == FW_COVER_UNKNOWN)
			fw_check_undetermined(c, FW_FINDING_NEVER_WINS, &c->set->rules[items[i].rule], "whether it can win");
		else if (found == FW_NOT_COVERED && any_hangs)
			look(c, items, i, room, true);
		x->alive = found != FW_COVERED;
		any_hangs |= x->hangs;
	}
	free(room);
	return 0;
}

/* Rules that the same events set off, put off and let expire. */
static int add_companions(struct entries *e, struct fw_buf *b, uint32_t number)
{
	const struct fw_message *m = e->c->set->rules[number].message;
	if (!e->c->rules[number].alive || !m->on || m->every_s || m->on_segment != FW_NONE)
		return 0;
	fw_buf_printf(b, "%s\n%lld\n%lld\n", m->channel, (long long)m->after_s, (long long)m->expires_s);
	int ret = put_names(b, m->on);
	return ret < 0 ? ret : add_entry(e, b, NULL, number);
}

/* Whether the rule has the event a second time, further on. */
static bool comes_again(const char **name)
{
	return fw_event_names_have(name + 1, fw_str(*name));
}

/* Rules that one event sets off, of which one can be sent: the channel's marketing, and those that share an `only_one_of`. */
static int add_rivals(struct entries *e, struct fw_buf *b, uint32_t number)
{
	const struct fw_rule *r = &e->c->set->rules[number];
	int ret = 0;
	for (const char **name = e->c->rules[number].alive ? r->message->on : NULL; name && *name && ret == 0; name++) {
		if (comes_again(name))
			continue;
		if (is_marketing(r)) {
			fw_buf_printf(b, "%s\n%lld\n", r->message->channel, (long long)r->message->after_s);
			put_folded(b, *name);
			ret = add_entry(e, b, *name, number);
		}
		if (r->group != FW_NONE && ret == 0) {
			fw_buf_printf(b, "\n%u\n%lld\n", r->group, (long long)r->message->after_s);
			put_folded(b, *name);
			ret = add_entry(e, b, *name, number);
		}
	}
	return ret;
}

static int find_ties(struct fw_checker *c, const struct entry *items, uint32_t n)
{
	const struct fw_rule *first = &c->set->rules[items[0].rule];
	uint32_t *rules = malloc(n * sizeof *rules);
	if (!rules)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		rules[i] = items[i].rule;
	int ret = fw_check_contest(c, &(struct fw_contest){ .rules = rules, .n = n, .room = 1, .slot = FW_NONE,
		.occasion = { .event = items[0].event, .after_s = first->message->after_s } });
	free(rules);
	return ret;
}

static int go_through(struct fw_checker *c, int (*add)(struct entries *e, struct fw_buf *b, uint32_t number),
	int (*each)(struct fw_checker *c, const struct entry *items, uint32_t n))
{
	uint32_t most = 1;
	for (uint32_t i = 0; i < c->set->n_message_rules; i++) /* of each event that sets it off two, or of all one */
		most += 2 * fw_event_names_count(c->set->rules[c->set->message_rules[i]].message->on) + 1;
	struct entries e = { .c = c, .items = malloc(most * sizeof *e.items) };
	struct fw_buf b;
	int ret = e.items ? 0 : FW_ENOMEM;
	fw_buf_init(&b, 0);
	for (uint32_t i = 0; i < c->set->n_message_rules && ret == 0; i++)
		ret = add(&e, &b, c->set->message_rules[i]);
	if (ret == 0)
		ret = each_lot(&e, each);
	fw_buf_finish(&b);
	free(e.items);
	return c->searcher.no_memory ? FW_ENOMEM : ret;
}

int fw_check_messages(struct fw_checker *c)
{
	int ret = go_through(c, add_companions, find_beaten);
	return ret < 0 ? ret : go_through(c, add_rivals, find_ties);
}
