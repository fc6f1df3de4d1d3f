/* The report on rules, for people and for programs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/upkeep.h"

enum { WIDEST = 44, DAY_S = 86400, SOON_DAYS = 7 };
#define DAY_US (DAY_S * INT64_C(1000000))

static bool is_over(const struct fw_upkeep *r, const struct fw_rule *rule)
{
	return rule->ends_us <= r->now_us;
}

static bool ends_soon(const struct fw_upkeep *r, const struct fw_rule *rule)
{
	return !is_over(r, rule) && rule->ends_us - r->now_us <= SOON_DAYS * DAY_US;
}

static bool is_to_come(const struct fw_upkeep *r, const struct fw_rule *rule)
{
	return rule->starts_us > r->now_us;
}

static double share(const struct fw_upkeep_rule *c)
{
	return c->asked ? (double)c->reasons[FW_REASON_WON] / (double)c->asked : 0;
}

/* --- for people */

static void put_by(struct fw_buf *out, const char *what, const struct fw_upkeep_by *list)
{
	for (int i = 0; i < FW_UPKEEP_BY && list[i].id; i++)
		fw_buf_printf(out, "%s%s (%" PRIu64 ")", i ? ", " : what, list[i].id, list[i].times);
}

/* What mostly became of it where it did not win: of all, or of what it matched. */
static void put_fate(const struct fw_upkeep *r, uint32_t i, bool of_all, struct fw_buf *out)
{
	static const enum fw_reason refused[] = { FW_REASON_CAPPED, FW_REASON_OUT_OF_STOCK, FW_REASON_FAILED, FW_REASON_DEFERRED };
	const struct fw_upkeep_rule *c = &r->rules[i];
	enum fw_reason most = FW_REASON_CAPPED;
	for (size_t k = 0; k < sizeof refused / sizeof *refused; k++)
		if (c->reasons[refused[k]] > c->reasons[most])
			most = refused[k];
	for (int k = 0; of_all && k < FW_REASONS; k++)
		if (k != FW_REASON_WON && c->reasons[k] > c->reasons[most])
			most = (enum fw_reason)k;
	if (!c->asked)
		fw_buf_puts(out, r->set->rules[i].message ? "it was never due" : "its slot was not asked for");
	else if (c->beaten[0].id)
		put_by(out, "beaten by ", c->beaten);
	else if (c->vetoed[0].id)
		put_by(out, "vetoed by ", c->vetoed);
	else if (c->reasons[most])
		fw_buf_printf(out, "%s (%" PRIu64 ")", fw_reason_name(most), c->reasons[most]);
}

/* The most shown first. */
static int compare(const void *a, const void *b, void *ctx)
{
	const struct fw_upkeep *r = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct fw_upkeep_rule *p = &r->rules[x], *q = &r->rules[y];
	uint64_t won[2] = { p->reasons[FW_REASON_WON], q->reasons[FW_REASON_WON] };
	uint64_t matched[2] = { fw_upkeep_matched(p), fw_upkeep_matched(q) };
	if (won[0] != won[1])
		return won[0] > won[1] ? -1 : 1;
	if (matched[0] != matched[1])
		return matched[0] > matched[1] ? -1 : 1;
	return strcmp(r->set->rules[x].id, r->set->rules[y].id);
}

static void put_counted_rule(const struct fw_upkeep *r, uint32_t i, int w, struct fw_buf *out)
{
	const struct fw_upkeep_rule *c = &r->rules[i];
	char day[32] = "never";
	if (c->last_won_us)
		fw_date_text(c->last_won_us / DAY_US, day);
	fw_buf_printf(out, "%-*s %9" PRIu64 " %6.1f%% %9" PRIu64 "  %-10s  ", w, r->set->rules[i].id, c->reasons[FW_REASON_WON],
		share(c) * 100, fw_upkeep_matched(c), day);
	put_fate(r, i, false, out);
	while (out->n && out->data[out->n - 1] == ' ')
		out->n--;
	fw_buf_putc(out, '\n');
}

/* Of the rules whose condition was met. */
static void put_counts(const struct fw_upkeep *r, int w, struct fw_buf *out)
{
	uint32_t *order = malloc((r->set->n_rules + 1) * sizeof *order), n = 0;
	if (!order) {
		out->failed = true;
		return;
	}
	for (uint32_t i = 0; i < r->set->n_rules; i++)
		if (fw_upkeep_matched(&r->rules[i]))
			order[n++] = i;
	qsort_r(order, n, sizeof *order, compare, (void *)(uintptr_t)r);
	fw_buf_printf(out, "\n%-*s %9s %7s %9s  %-10s  %s\n", w, "rule", "won", "share", "matched", "last", "else");
	for (uint32_t i = 0; i < n; i++)
		put_counted_rule(r, order[i], w, out);
	free(order);
}

/* A list with a heading, unless nothing is in it. */
struct section {
	struct fw_buf *out;
	const char *heading;
	unsigned n;
};

static void put_line(struct section *s, const struct fw_rule *rule, const char *more)
{
	if (s->n++ == 0)
		fw_buf_printf(s->out, "\n%s\n", s->heading);
	fw_buf_printf(s->out, "  %s%s%s (%s:%d)\n", rule->id, more[0] ? ": " : "", more, rule->place.file, rule->place.line);
}

/* Those that are off, over or to come have lists of their own. */
static void put_never_matched(const struct fw_upkeep *r, struct fw_buf *out)
{
	struct section s = { out, "Matched nobody", 0 };
	for (uint32_t i = 0; i < r->set->n_rules; i++) {
		const struct fw_rule *rule = &r->set->rules[i];
		struct fw_buf why;
		if (fw_upkeep_matched(&r->rules[i]) || !rule->enabled || is_over(r, rule) || is_to_come(r, rule))
			continue;
		fw_buf_init(&why, 0);
		put_fate(r, i, true, &why);
		put_line(&s, rule, fw_buf_text(&why));
		fw_buf_finish(&why);
	}
}

static void put_always_beaten(const struct fw_upkeep *r, struct fw_buf *out)
{
	struct section s = { out, "Beaten each time that it matched", 0 };
	for (uint32_t i = 0; i < r->set->n_rules; i++) {
		const struct fw_upkeep_rule *c = &r->rules[i];
		uint64_t matched = fw_upkeep_matched(c);
		struct fw_buf by;
		if (!matched || c->reasons[FW_REASON_BEATEN] + c->reasons[FW_REASON_EXCLUDED] < matched)
			continue;
		fw_buf_init(&by, 0);
		put_by(&by, "by ", c->beaten);
		put_line(&s, &r->set->rules[i], fw_buf_text(&by));
		fw_buf_finish(&by);
	}
}

static void put_times(const struct fw_upkeep *r, struct fw_buf *out, const char *heading,
	bool (*is)(const struct fw_upkeep *r, const struct fw_rule *rule), bool starts)
{
	struct section s = { out, heading, 0 };
	for (uint32_t i = 0; i < r->set->n_rules; i++) {
		const struct fw_rule *rule = &r->set->rules[i];
		char at[32];
		if (rule->enabled && is(r, rule))
			put_line(&s, rule, fw_time_text(starts ? rule->starts_us : rule->ends_us, at));
	}
}

static bool has_no_owner(const struct fw_upkeep *r, uint32_t i)
{
	return !r->set->rules[i].owner;
}

static bool has_no_test(const struct fw_upkeep *r, uint32_t i)
{
	return !r->rules[i].tested;
}

/* Names alone, as many as fit into a line. */
static void put_ids(const struct fw_upkeep *r, struct fw_buf *out, const char *heading, bool (*is)(const struct fw_upkeep *r, uint32_t i))
{
	enum { LINE = 110 };
	size_t at = 0, n = 0;
	for (uint32_t i = 0; i < r->set->n_rules; i++) {
		const char *id = r->set->rules[i].id;
		if (!is(r, i))
			continue;
		if (n++ == 0)
			fw_buf_printf(out, "\n%s\n", heading);
		bool fits = at && at + 2 + strlen(id) <= LINE;
		fw_buf_printf(out, "%s%s", fits ? ", " : at ? ",\n  " : "  ", id);
		at = fits ? at + 2 + strlen(id) : 2 + strlen(id);
	}
	if (n)
		fw_buf_putc(out, '\n');
}

static void put_upkeep(const struct fw_upkeep *r, struct fw_buf *out)
{
	put_times(r, out, "Ends within a week", ends_soon, false);
	put_times(r, out, "Its time is over", is_over, false);
	put_times(r, out, "Its time is to come", is_to_come, true);
	struct section disabled = { out, "Not enabled", 0 };
	for (uint32_t i = 0; i < r->set->n_rules; i++)
		if (!r->set->rules[i].enabled)
			put_line(&disabled, &r->set->rules[i], "");
	put_ids(r, out, "Without an owner", has_no_owner);
	put_ids(r, out, "Expected by no test", has_no_test);
}

void fw_upkeep_text(const struct fw_upkeep *r, struct fw_buf *out)
{
	char from[32], to[32];
	int w = 4;
	for (uint32_t i = 0; i < r->set->n_rules; i++) {
		int n = (int)strlen(r->set->rules[i].id);
		w = n > w ? n : w;
	}
	if (!r->has_log)
		fw_buf_puts(out, "No decisions are logged, so nothing is counted (decisions = { log = … } in the configuration).\n");
	else if (!r->decisions && !r->gaps)
		fw_buf_puts(out, "No decisions are logged of that time.\n");
	else
		fw_buf_printf(out, "%" PRIu64 " decisions from %s to %s, made again by these rules\n", r->decisions,
			fw_time_text(r->from_us, from), fw_time_text(r->to_us, to));
	if (r->gaps)
		fw_buf_printf(out, "%" PRIu64 " could not be made again: \"floorwalker replay\" says why\n", r->gaps);
	if (r->decisions) {
		put_counts(r, w > WIDEST ? WIDEST : w, out);
		put_always_beaten(r, out);
		put_never_matched(r, out);
	}
	put_upkeep(r, out);
}

/* --- for programs */

static void put_text(struct fw_json_out *o, const char *key, const char *text)
{
	fw_json_key(o, key);
	fw_json_text_value(o, text);
}

static void put_number(struct fw_json_out *o, const char *key, double n)
{
	fw_json_key(o, key);
	fw_json_number(o, n);
}

static void put_bool(struct fw_json_out *o, const char *key, bool is)
{
	fw_json_key(o, key);
	fw_json_bool(o, is);
}

static void put_time(struct fw_json_out *o, const char *key, int64_t at_us, bool is_there)
{
	char at[32];
	put_text(o, key, is_there ? fw_time_text(at_us, at) : NULL);
}

static void put_list(struct fw_json_out *o, const char *key, const char *what, const struct fw_upkeep_by *list)
{
	fw_json_key(o, key);
	fw_json_open_array(o);
	for (int i = 0; i < FW_UPKEEP_BY && list[i].id; i++) {
		fw_json_open_object(o);
		put_text(o, what, list[i].id);
		put_number(o, "times", (double)list[i].times);
		fw_json_close_object(o);
	}
	fw_json_close_array(o);
}

static void put_counted(struct fw_json_out *o, const struct fw_upkeep_rule *c)
{
	put_number(o, "asked", (double)c->asked);
	put_number(o, "matched", (double)fw_upkeep_matched(c));
	put_number(o, "won", (double)c->reasons[FW_REASON_WON]);
	put_number(o, "share", share(c));
	put_time(o, "lastWon", c->last_won_us, c->last_won_us != 0);
	put_list(o, "beatenBy", "rule", c->beaten);
	put_list(o, "vetoedBy", "guard", c->vetoed);
	fw_json_key(o, "reasons");
	fw_json_open_object(o);
	for (int k = 0; k < FW_REASONS; k++)
		if (c->reasons[k])
			put_number(o, fw_reason_name((enum fw_reason)k), (double)c->reasons[k]);
	fw_json_close_object(o);
}

static void put_rule(struct fw_json_out *o, const struct fw_upkeep *r, uint32_t i)
{
	const struct fw_rule *rule = &r->set->rules[i];
	fw_json_open_object(o);
	put_text(o, "rule", rule->id);
	if (rule->slot != FW_NONE)
		put_text(o, "slot", r->set->slots[rule->slot].id);
	else
		put_text(o, "channel", rule->message->channel);
	put_text(o, "file", rule->place.file);
	put_number(o, "line", rule->place.line);
	put_text(o, "owner", rule->owner);
	put_bool(o, "tested", r->rules[i].tested);
	put_bool(o, "enabled", rule->enabled);
	put_time(o, "starts", rule->starts_us, rule->starts_us != INT64_MIN);
	put_time(o, "ends", rule->ends_us, rule->ends_us != INT64_MAX);
	put_bool(o, "over", is_over(r, rule));
	put_bool(o, "endsSoon", ends_soon(r, rule));
	if (r->has_log)
		put_counted(o, &r->rules[i]);
	fw_json_close_object(o);
}

void fw_upkeep_json(const struct fw_upkeep *r, struct fw_buf *out)
{
	struct fw_json_out o;
	fw_json_out_init(&o, out);
	fw_json_open_object(&o);
	put_text(&o, "ruleSet", r->set->hash);
	put_bool(&o, "log", r->has_log);
	put_number(&o, "decisions", (double)r->decisions);
	put_number(&o, "notDetermined", (double)r->gaps);
	put_number(&o, "explanations", (double)r->explanations);
	put_time(&o, "from", r->from_us, r->decisions != 0);
	put_time(&o, "to", r->to_us, r->decisions != 0);
	fw_json_key(&o, "rules");
	fw_json_open_array(&o);
	for (uint32_t i = 0; i < r->set->n_rules; i++)
		put_rule(&o, r, i);
	fw_json_close_array(&o);
	fw_json_close_object(&o);
	fw_buf_putc(out, '\n');
}
