#include "cli/replay_messages.h"

#include <inttypes.h>

#include "base/clock.h"

enum { WIDEST = 48 };

static const char *const change_names[] = { [FW_REJUDGED_SAME] = "same", [FW_REJUDGED_ADDED] = "added", [FW_REJUDGED_DROPPED] = "dropped",
	[FW_REJUDGED_CHANGED] = "changed" };

size_t fw_replay_messages_bytes(const struct fw_replay_messages *m)
{
	return ((size_t)1 + m->n_rules + m->n_channels) * sizeof *m->all;
}

void fw_replay_messages_in(struct fw_replay_messages *m, void *memory)
{
	m->all = memory;
	m->by_rule = m->all + 1;
	m->by_channel = m->by_rule + m->n_rules;
}

static void add_one(_Atomic uint64_t *count)
{
	atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

static void count(struct fw_replay_message_counts *c, const struct fw_replayed_message *x)
{
	add_one(&c->judged);
	if (fw_rejudged_goes(x->before))
		add_one(&c->went);
	if (fw_rejudged_goes(x->after))
		add_one(&c->goes);
	add_one(&c->changes[x->change]);
}

/* A rule that no set has any more is counted with its channel alone. */
void fw_replay_messages_add(struct fw_replay_messages *m, const struct fw_replayed_messages *r)
{
	for (uint32_t i = 0; i < r->n; i++) {
		const struct fw_replayed_message *x = &r->items[i];
		uint32_t rule = fw_map_get(m->rules, x->before->due.rule), channel = fw_map_get(m->channels, x->before->due.channel);
		count(m->all, x);
		if (rule != FW_MAP_NONE)
			count(&m->by_rule[rule], x);
		if (channel != FW_MAP_NONE)
			count(&m->by_channel[channel], x);
	}
}

static void put_outcome(const struct fw_due_item *x, struct fw_buf *out)
{
	char until[32];
	fw_buf_puts(out, fw_reason_name(x->reason));
	if (x->by.n)
		fw_buf_printf(out, " by %.*s", (int)x->by.n, x->by.p);
	if (x->reason == FW_REASON_DEFERRED)
		fw_buf_printf(out, " until %s", fw_time_text(x->until_us, until));
}

void fw_replay_messages_sample(const struct fw_replayed_messages *r, struct fw_buf *out)
{
	for (uint32_t i = 0; i < r->n; i++) {
		const struct fw_replayed_message *x = &r->items[i];
		const struct fw_due *d = &x->before->due;
		bool content = x->before->reason == FW_REASON_WON && x->after->reason == FW_REASON_WON;
		if (x->change == FW_REJUDGED_SAME)
			continue;
		fw_buf_printf(out, "%s%.*s %.*s: ", out->n ? "\n" : "", (int)d->channel.n, d->channel.p, (int)d->rule.n, d->rule.p);
		put_outcome(x->before, out);
		fw_buf_puts(out, " → ");
		put_outcome(x->after, out);
		if (content)
			fw_buf_puts(out, ", and says something else");
	}
}

static void put_number(struct fw_json_out *o, const char *key, uint64_t n)
{
	fw_json_key(o, key);
	fw_json_number(o, (double)n);
}

static void put_counts(struct fw_json_out *o, const struct fw_replay_message_counts *c)
{
	put_number(o, "judged", c->judged);
	put_number(o, "before", c->went);
	put_number(o, "after", c->goes);
	for (int i = FW_REJUDGED_ADDED; i <= FW_REJUDGED_CHANGED; i++)
		put_number(o, change_names[i], c->changes[i]);
}

static void put_list(struct fw_json_out *o, const char *list, const char *key, const char *const *texts, const char *const *channels,
	const struct fw_replay_message_counts *counts, uint32_t n)
{
	fw_json_key(o, list);
	fw_json_open_array(o);
	for (uint32_t i = 0; i < n; i++) {
		if (!counts[i].judged)
			continue;
		fw_json_open_object(o);
		fw_json_key(o, key);
		fw_json_text_value(o, texts[i]);
		if (channels) {
			fw_json_key(o, "channel");
			fw_json_text_value(o, channels[i]);
		}
		put_counts(o, &counts[i]);
		fw_json_close_object(o);
	}
	fw_json_close_array(o);
}

void fw_replay_messages_json(const struct fw_replay_messages *m, struct fw_json_out *o)
{
	fw_json_key(o, "messages");
	fw_json_open_object(o);
	put_counts(o, m->all);
	put_list(o, "channels", "channel", m->channel_texts, NULL, m->by_channel, m->n_channels);
	put_list(o, "rules", "rule", m->rule_texts, m->rule_channels, m->by_rule, m->n_rules);
	fw_json_close_object(o);
}

static uint64_t changed(const struct fw_replay_message_counts *c)
{
	return c->judged - c->changes[FW_REJUDGED_SAME];
}

static void put_rows(struct fw_buf *out, const char *head, const char *const *texts, const char *const *channels,
	const struct fw_replay_message_counts *counts, uint32_t n)
{
	int w = 7;
	for (uint32_t i = 0; i < n; i++)
		w = (int)strlen(texts[i]) > w && counts[i].judged ? (int)strlen(texts[i]) : w;
	w = w > WIDEST ? WIDEST : w;
	fw_buf_printf(out, "\n%-*s %9s %9s %9s %9s %9s %9s%s\n", w, head, "messages", "went", "go now", "added", "dropped", "changed",
		channels ? "  channel" : "");
	for (uint32_t i = 0; i < n; i++) {
		const struct fw_replay_message_counts *c = &counts[i];
		if (channels ? !changed(c) : !c->judged)
			continue;
		fw_buf_printf(out, "%-*s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "%s%s\n", w, texts[i],
			c->judged, c->went, c->goes, c->changes[FW_REJUDGED_ADDED], c->changes[FW_REJUDGED_DROPPED],
			c->changes[FW_REJUDGED_CHANGED], channels ? "  " : "", channels ? channels[i] : "");
	}
}

void fw_replay_messages_text(const struct fw_replay_messages *m, struct fw_buf *out)
{
	if (!changed(m->all))
		return;
	put_rows(out, "channel", m->channel_texts, NULL, m->by_channel, m->n_channels);
	put_rows(out, "rule", m->rule_texts, m->rule_channels, m->by_rule, m->n_rules);
}
