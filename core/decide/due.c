#include "decide/due.h"

#include <stdlib.h>
#include <string.h>

#include "fact/given.h"
#include "signal/signal.h"

/* Those of the facts that are the triggering event's, whenever its message is judged. */
static const enum fw_fact triggers_own[] = { FW_FACT_COUNTRY, FW_FACT_REGION, FW_FACT_CITY, FW_FACT_TIMEZONE, FW_FACT_SOURCE,
	FW_FACT_MEDIUM, FW_FACT_CAMPAIGN, FW_FACT_TERM, FW_FACT_CONTENT, FW_FACT_REFERRER, FW_FACT_LANDING, FW_FACT_DEVICE, FW_FACT_OS,
	FW_FACT_BROWSER, FW_FACT_LANGUAGE, FW_FACT_PAGE, FW_FACT_PAGE_TYPE };
enum { OWN = sizeof triggers_own / sizeof *triggers_own, MOST_TEXT = 200 };

static bool is_scalar(const struct fw_json *v)
{
	return v->type == FW_JSON_STRING || v->type == FW_JSON_NUMBER || v->type == FW_JSON_BOOL;
}

static size_t size_of(const struct fw_json *v)
{
	return v->key.n + (v->type == FW_JSON_STRING ? v->string.n : sizeof "12345678.90");
}

/* `most`: larger properties are left out. */
static void put_facts(struct fw_json_out *o, const struct fw_facts *f, const struct fw_json *properties, size_t most)
{
	fw_json_open_object(o);
	for (size_t i = 0; i < OWN; i++) {
		const struct fw_value *v = &f->single[triggers_own[i]];
		if (v->state != FW_KNOWN || v->kind != FW_KIND_TEXT || v->text.n > MOST_TEXT)
			continue;
		fw_json_key(o, fw_fact_info(triggers_own[i])->name);
		fw_json_string(o, v->text);
	}
	fw_json_key(o, "event");
	fw_json_open_object(o);
	for (const struct fw_json *m = properties ? properties->child : NULL; m; m = m->next) {
		if (!is_scalar(m) || size_of(m) > most)
			continue;
		fw_json_key_str(o, m->key);
		fw_json_tree(o, m);
	}
	fw_json_close_object(o);
	fw_json_close_object(o);
}

int fw_due_pack(const struct fw_facts *f, const struct fw_json *properties, struct fw_arena *a, struct fw_str *ret)
{
	struct fw_buf b;
	fw_buf_init(&b, 0);
	for (size_t most = FW_LIMIT_DUE_FACTS_BYTES; ; most /= 2) {
		struct fw_json_out o;
		fw_buf_clear(&b);
		fw_json_out_init(&o, &b);
		put_facts(&o, f, properties, most);
		if (b.failed || b.n <= FW_LIMIT_DUE_FACTS_BYTES || most == 0)
			break;
	}
	if (b.n > FW_LIMIT_DUE_FACTS_BYTES)
		fw_buf_clear(&b); /* the facts of the request alone are too long: nobody has such */
	return fw_buf_keep(&b, a, ret);
}

static bool is_time(struct fw_str name)
{
	return fw_str_is(name, "events") || fw_str_is(name, "at") || fw_str_is(name, "wait");
}

/* The members of both; those of `given` win. */
static struct fw_json *overlay(struct fw_arena *a, const struct fw_json *given, const struct fw_json *told)
{
	struct fw_json *all = FW_NEW(a, struct fw_json), *last = NULL;
	if (!all)
		return NULL;
	*all = (struct fw_json){ .type = FW_JSON_OBJECT };
	for (int side = 0; side < 2; side++)
		for (const struct fw_json *m = side == 0 ? given->child : told ? told->child : NULL; m; m = m->next) {
			if (side == 0 ? is_time(m->key) : fw_json_get(given, m->key.p) != NULL)
				continue;
			struct fw_json *copy = FW_NEW(a, struct fw_json);
			if (!copy)
				return NULL;
			*copy = *m;
			copy->next = NULL;
			*(last ? &last->next : &all->child) = copy;
			last = copy;
			all->count++;
		}
	return all;
}

static int read_told(const struct fw_ruleset *set, const struct fw_due_config *config, struct fw_str facts, struct fw_arena *a,
	struct fw_facts *ret)
{
	struct fw_json *told = NULL;
	struct fw_error err;
	int rc = facts.n ? fw_json_parse(a, facts.p, facts.n, &told, &err) : FW_EINVAL;
	if (rc == FW_ENOMEM)
		return rc;
	if (config->given && !(told = overlay(a, config->given, told)))
		return FW_ENOMEM;
	rc = told ? fw_facts_given(ret, a, told, set->zone, &err) : FW_EINVAL;
	if (rc == FW_EINVAL) /* what was told then cannot be read now: it has no value */
		fw_facts_init(ret, a, true);
	return rc == FW_ENOMEM ? rc : 0;
}

int fw_due_facts_told(const struct fw_ruleset *set, const struct fw_due_config *config, struct fw_str facts, struct fw_arena *a,
	struct fw_facts *ret)
{
	int rc = read_told(set, config, facts, a, ret);
	ret->has_point = config->given != NULL;
	if (rc < 0 || config->given)
		return rc;
	ret->consent_basis = FW_CONSENT_BASIS_NONE;
	return fw_consent_fill(ret, config->consent, NULL, false) < 0 ? FW_ENOMEM : 0;
}

/* And the rest, to which `f` then belongs. 0, FW_EINVAL, FW_ENOMEM. */
static int complete(const struct fw_due_config *config, struct fw_str record, int64_t now_us, struct fw_facts *f)
{
	f->has_clock = !config->clockless;
	f->now_us = now_us;
	int rc = fw_profile_fill(record, f);
	return rc < 0 ? rc : fw_signal_derive(config->zones, f);
}

int fw_due_facts(const struct fw_ruleset *set, const struct fw_due_config *config, struct fw_str facts, struct fw_str record,
	int64_t now_us, struct fw_arena *a, struct fw_facts *ret)
{
	int rc = fw_due_facts_told(set, config, facts, a, ret);
	if (rc == 0 && !config->given)
		ret->products = set->products;
	return rc < 0 ? rc : complete(config, record, now_us, ret);
}

int fw_due_item_facts(const struct fw_ruleset *set, const struct fw_due_config *config, const struct fw_due_log *log,
	const struct fw_due_item *x, struct fw_str record, int64_t now_us, struct fw_arena *a, struct fw_facts *ret)
{
	int rc;
	if (log && log->names) {
		rc = fw_facts_unpack(ret, a, log->names, x->told);
		if (rc == 0)
			rc = complete(config, record, now_us, ret);
	} else {
		rc = fw_due_facts(set, config, x->due.facts, record, now_us, a, ret);
	}
	ret->then = log ? log->then : NULL;
	return rc;
}

static bool is_due(const struct fw_due *d, int64_t now_us)
{
#ifdef FW_BREAK_LOST /* whoever dies with a message takes it along */
	if (d->state == FW_DUE_SENDING)
		return false;
#endif
	return d->state != FW_DUE_DEAD && d->due_us <= now_us;
}

static int by_rank(const void *x, const void *y)
{
	const struct fw_due_item *a = x, *b = y;
	bool gone = a->rule == FW_NONE, other_gone = b->rule == FW_NONE;
	if (gone != other_gone)
		return gone ? 1 : -1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->due.number < b->due.number ? -1 : a->due.number > b->due.number;
}

int fw_due_list(const struct fw_ruleset *set, const struct fw_record *r, int64_t now_us, struct fw_arena *a, struct fw_due_item **ret,
	uint32_t *ret_n)
{
	struct fw_due d;
	uint32_t n = 0;
	for (unsigned i = 0; fw_record_due(r, i, &d); i++)
		n += is_due(&d, now_us);
	struct fw_due_item *items = FW_NEW_ARRAY(a, n + 1, struct fw_due_item);
	if (!items)
		return FW_ENOMEM;
	n = 0;
	for (unsigned i = 0; fw_record_due(r, i, &d); i++) {
		if (!is_due(&d, now_us))
			continue;
		uint32_t rule = fw_ruleset_rule(set, d.rule);
		if (rule != FW_NONE && (!set->rules[rule].message || !fw_str_is(d.channel, set->rules[rule].message->channel)))
			rule = FW_NONE; /* it has become another one */
		items[n++] = (struct fw_due_item){ .due = d, .rule = rule, .guard = FW_NONE, .cap = FW_NONE,
			.rank = rule == FW_NONE ? 0 : set->rules[rule].rank };
	}
	qsort(items, n, sizeof *items, by_rank);
	*ret = items;
	*ret_n = n;
	return 0;
}

void fw_due_count(struct fw_decider *d, const struct fw_due_item *items, uint32_t n, int64_t now_us)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct fw_due_item *x = &items[i];
		bool counts = x->reason != FW_REASON_VETOED && x->reason != FW_REASON_CAPPED;
		if (x->rule != FW_NONE && (counts || x->guard != FW_NONE || x->cap != FW_NONE))
			fw_decide_count_one(d, x->rule, x->reason, x->guard != FW_NONE ? x->guard : x->cap, now_us);
	}
}

static int64_t wait_us(int64_t ms, uint32_t attempts, int64_t after_ms, uint64_t chance)
{
	for (uint32_t i = 1; i < attempts && ms < FW_LIMIT_MESSAGE_AGAIN_MOST_MS; i++)
		ms *= 2;
	if (ms > FW_LIMIT_MESSAGE_AGAIN_MOST_MS)
		ms = FW_LIMIT_MESSAGE_AGAIN_MOST_MS;
	ms = ms / 2 + (int64_t)(chance % (uint64_t)ms); /* from half of it to one and a half */
	return (ms > after_ms ? ms : after_ms) * 1000;
}

static int note(struct fw_record *r, const struct fw_due *d, const char *what, struct fw_str by, int64_t now_us)
{
	return fw_record_note_outcome(r, &(struct fw_due_outcome){ now_us, d->number, d->rule, d->channel, fw_str(what), by,
		d->decision });
}

static int settle_again(struct fw_record *r, const struct fw_due_config *config, struct fw_due d, int64_t after_ms, uint64_t chance,
	int64_t now_us)
{
	d.due_us = now_us + wait_us(config->again_ms, d.attempts, after_ms, chance);
	d.state = d.attempts >= FW_LIMIT_MESSAGE_ATTEMPTS || d.due_us > d.expires_us ? FW_DUE_DEAD : FW_DUE_WAITS;
	if (d.state == FW_DUE_WAITS)
		return fw_record_put_due(r, &d);
	d.due_us = now_us;
	int rc = fw_record_put_due(r, &d);
	return rc < 0 ? rc : note(r, &d, "failed", d.reason, now_us);
}

bool fw_due_settle(struct fw_record *r, const struct fw_due_config *config, uint64_t number, enum fw_due_told told, int64_t after_ms,
	struct fw_str reason, uint64_t chance, int64_t now_us, int *ret_rc)
{
	struct fw_due d;
	*ret_rc = 0;
	if (!fw_record_find_due(r, number, &d) || d.state != FW_DUE_SENDING)
		return false;
	if (told != FW_DUE_TOLD_PUT_OFF)
		d.lost = 0;
	d.reason = reason;
	if (told == FW_DUE_TOLD_SENT) {
		fw_record_confirm_due(r, number);
		*ret_rc = note(r, &d, "sent", reason, now_us);
		fw_record_drop_due(r, number);
		return true;
	}
	fw_record_release_due(r, number);
	if (told == FW_DUE_TOLD_AGAIN || told == FW_DUE_TOLD_PUT_OFF) {
		*ret_rc = settle_again(r, config, d, after_ms, chance, now_us);
		return true;
	}
	d.state = FW_DUE_DEAD;
	d.due_us = now_us;
	*ret_rc = fw_record_put_due(r, &d);
	if (*ret_rc == 0)
		*ret_rc = note(r, &d, "failed", reason, now_us);
	return true;
}
