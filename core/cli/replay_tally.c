#include "cli/replay_tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/clock.h"

static const char *const gap_names[FW_REPLAY_GAPS] = { "erased", "no_rules", "different", "no_products", "damaged" };
static const char *const gap_texts[FW_REPLAY_GAPS] = { "the person was erased since", "the rules that made it are gone",
	"made again it comes out differently", "the other rules ask of products what was not asked then", "it is damaged" };

int fw_replay_id(struct fw_replay_ids *ids, struct fw_arena *a, const char *text, uint32_t *ret)
{
	if (!ids->map.arena)
		fw_map_init(&ids->map, a);
	uint32_t n = fw_map_get(&ids->map, fw_str(text));
	if (n == FW_MAP_NONE) {
		if (ids->n == ids->size) {
			uint32_t size = ids->size ? 2 * ids->size : 64;
			const char **texts = fw_arena_array(a, size, sizeof *texts), **channels = fw_arena_array(a, size, sizeof *channels);
			if (!texts || !channels)
				return FW_ENOMEM;
			if (ids->n) {
				memcpy(texts, ids->texts, ids->n * sizeof *texts);
				memcpy(channels, ids->channels, ids->n * sizeof *channels);
			}
			ids->texts = texts;
			ids->channels = channels;
			ids->size = size;
		}
		n = ids->n++;
		ids->channels[n] = NULL;
		if (!(ids->texts[n] = fw_arena_strdup(a, text)) || fw_map_put(&ids->map, fw_str(text), n) < 0)
			return FW_ENOMEM;
	}
	*ret = n;
	return 0;
}

int fw_replay_tally_share(struct fw_replay_tally *t)
{
	size_t counts = (size_t)t->slots.n + t->rules.n + t->segments.n;
	t->messages = (struct fw_replay_messages){ .rules = &t->rules.map, .channels = &t->channels.map, .rule_texts = t->rules.texts,
		.rule_channels = t->rules.channels, .channel_texts = t->channels.texts, .n_rules = t->rules.n,
		.n_channels = t->channels.n };
	size_t messages = fw_replay_messages_bytes(&t->messages);
	t->bytes = sizeof *t->totals + counts * sizeof *t->by_slot + messages + t->n_samples * sizeof *t->samples;
	char *p = mmap(NULL, t->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return FW_ENOMEM;
	t->totals = (struct fw_replay_totals *)p;
	t->by_slot = (struct fw_replay_counts *)(p + sizeof *t->totals);
	t->by_rule = t->by_slot + t->slots.n;
	t->by_segment = t->by_rule + t->rules.n;
	fw_replay_messages_in(&t->messages, t->by_segment + t->segments.n);
	t->samples = (struct fw_replay_sample *)((char *)(t->by_segment + t->segments.n) + messages);
	return 0;
}

void fw_replay_tally_finish(struct fw_replay_tally *t)
{
	if (t->totals)
		munmap(t->totals, t->bytes);
	t->totals = NULL;
}

static void add_one(_Atomic uint64_t *count)
{
	atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

static void put_winners(struct fw_buf *b, const struct fw_ruleset *set, const struct fw_slot_answer *a)
{
	if (!a || !a->n)
		fw_buf_puts(b, a ? fw_slot_reason_name(a->reason) : "no such slot");
	for (uint32_t i = 0; a && i < a->n; i++)
		fw_buf_printf(b, "%s%s", i ? ", " : "", set->rules[a->winners[i].rule].id);
}

/* Room for one more, or NULL. */
static struct fw_replay_sample *begin_sample(struct fw_replay_tally *t, const char *id)
{
	uint32_t place = atomic_fetch_add_explicit(&t->totals->samples, 1, memory_order_relaxed);
	if (place >= t->n_samples) {
		atomic_fetch_sub_explicit(&t->totals->samples, 1, memory_order_relaxed);
		return NULL;
	}
	snprintf(t->samples[place].id, sizeof t->samples[place].id, "%s", id);
	return &t->samples[place];
}

static void put_sample(struct fw_replay_tally *t, const char *id, const struct fw_replayed *r, const struct fw_ruleset *before,
	const struct fw_ruleset *after)
{
	struct fw_replay_sample *s = begin_sample(t, id);
	struct fw_buf b;
	if (!s)
		return;
	fw_buf_init(&b, 0);
	for (uint32_t i = 0; i < r->n; i++) {
		if (!r->slots[i].changed)
			continue;
		fw_buf_printf(&b, "%s%s: ", b.n ? "\n" : "", before->slots[r->slots[i].before->slot].id);
		put_winners(&b, before, r->slots[i].before);
		fw_buf_puts(&b, " → ");
		put_winners(&b, after, r->slots[i].after);
	}
	snprintf(s->text, sizeof s->text, "%s", fw_buf_text(&b));
	fw_buf_finish(&b);
}

void fw_replay_tally_add(struct fw_replay_tally *t, const char *id, const struct fw_replayed *r, const struct fw_ruleset *before,
	const struct fw_replay_numbers *before_numbers, const struct fw_ruleset *after, const struct fw_replay_numbers *after_numbers)
{
	add_one(&t->totals->decisions);
	for (uint32_t i = 0; i < r->n; i++) {
		const struct fw_replayed_slot *s = &r->slots[i];
		struct fw_replay_counts *slot = &t->by_slot[before_numbers->slots[s->before->slot]];
		add_one(&slot->a);
		if (s->changed)
			add_one(&slot->b);
		for (uint32_t k = 0; k < s->before->n; k++) {
			uint32_t rule = s->before->winners[k].rule;
			struct fw_replay_counts *c = &t->by_rule[before_numbers->rules[rule]];
			add_one(&c->a);
			if (!fw_replay_wins(after, s->after, before->rules[rule].id))
				add_one(&c->c);
		}
		for (uint32_t k = 0; s->after && k < s->after->n; k++) {
			uint32_t rule = s->after->winners[k].rule;
			struct fw_replay_counts *c = &t->by_rule[after_numbers->rules[rule]];
			add_one(&c->b);
			if (!fw_replay_wins(before, s->before, after->rules[rule].id))
				add_one(&c->d);
		}
	}
	if (!r->changed)
		return;
	add_one(&t->totals->changed);
	put_sample(t, id, r, before, after);
}

void fw_replay_tally_add_messages(struct fw_replay_tally *t, const char *id, const struct fw_replayed_messages *r)
{
	add_one(&t->totals->decisions);
	fw_replay_messages_add(&t->messages, r);
	if (!r->changed)
		return;
	add_one(&t->totals->changed);
	struct fw_replay_sample *s = begin_sample(t, id);
	struct fw_buf b;
	if (!s)
		return;
	fw_buf_init(&b, 0);
	fw_replay_messages_sample(r, &b);
	snprintf(s->text, sizeof s->text, "%s", fw_buf_text(&b));
	fw_buf_finish(&b);
}

void fw_replay_tally_segment(struct fw_replay_tally *t, uint32_t segment)
{
	add_one(&t->by_segment[segment].a);
}

void fw_replay_tally_gap(struct fw_replay_tally *t, enum fw_replay_gap gap)
{
	add_one(&t->totals->gaps[gap]);
}

void fw_replay_tally_pass_over(struct fw_replay_tally *t)
{
	add_one(&t->totals->explanations);
}

double fw_replay_tally_changed(const struct fw_replay_tally *t)
{
	uint64_t n = t->totals->decisions;
	return n ? (double)t->totals->changed / (double)n * 100 : 0;
}

static uint64_t all_gaps(const struct fw_replay_tally *t)
{
	uint64_t n = 0;
	for (int i = 0; i < FW_REPLAY_GAPS; i++)
		n += t->totals->gaps[i];
	return n;
}

static void put_number(struct fw_json_out *o, const char *key, uint64_t n)
{
	fw_json_key(o, key);
	fw_json_number(o, (double)n);
}

static void put_text(struct fw_json_out *o, const char *key, const char *text)
{
	fw_json_key(o, key);
	fw_json_text_value(o, text);
}

static void put_lists(const struct fw_replay_tally *t, struct fw_json_out *o)
{
	fw_json_key(o, "slots");
	fw_json_open_array(o);
	for (uint32_t i = 0; i < t->slots.n; i++) {
		fw_json_open_object(o);
		put_text(o, "slot", t->slots.texts[i]);
		put_text(o, "channel", t->slots.channels[i]);
		put_number(o, "decisions", t->by_slot[i].a);
		put_number(o, "changed", t->by_slot[i].b);
		fw_json_close_object(o);
	}
	fw_json_close_array(o);
	fw_json_key(o, "rules");
	fw_json_open_array(o);
	for (uint32_t i = 0; i < t->rules.n; i++) {
		const struct fw_replay_counts *c = &t->by_rule[i];
		if (!c->a && !c->b)
			continue;
		fw_json_open_object(o);
		put_text(o, "rule", t->rules.texts[i]);
		put_number(o, "before", c->a);
		put_number(o, "after", c->b);
		put_number(o, "lost", c->c);
		put_number(o, "gained", c->d);
		fw_json_close_object(o);
	}
	fw_json_close_array(o);
	fw_json_key(o, "segments");
	fw_json_open_array(o);
	for (uint32_t i = 0; i < t->segments.n; i++) {
		if (!t->by_segment[i].a)
			continue;
		fw_json_open_object(o);
		put_text(o, "segment", t->segments.texts[i]);
		put_number(o, "changed", t->by_segment[i].a);
		fw_json_close_object(o);
	}
	fw_json_close_array(o);
}

static void print_json(const struct fw_replay_tally *t, struct fw_buf *out)
{
	struct fw_json_out o;
	char at[32];
	fw_json_out_init(&o, out);
	fw_json_open_object(&o);
	put_number(&o, "decisions", t->totals->decisions);
	put_number(&o, "changed", t->totals->changed);
	fw_json_key(&o, "notDetermined");
	fw_json_open_object(&o);
	for (int i = 0; i < FW_REPLAY_GAPS; i++)
		put_number(&o, gap_names[i], t->totals->gaps[i]);
	fw_json_close_object(&o);
	put_number(&o, "explanations", t->totals->explanations);
	put_text(&o, "from", t->first_us ? fw_time_text(t->first_us, at) : NULL);
	put_text(&o, "to", t->last_us ? fw_time_text(t->last_us, at) : NULL);
	put_lists(t, &o);
	fw_replay_messages_json(&t->messages, &o);
	fw_json_key(&o, "samples");
	fw_json_open_array(&o);
	for (uint32_t i = 0; i < t->totals->samples; i++) {
		fw_json_open_object(&o);
		put_text(&o, "decisionId", t->samples[i].id);
		put_text(&o, "text", t->samples[i].text);
		fw_json_close_object(&o);
	}
	fw_json_close_array(&o);
	fw_json_close_object(&o);
	fw_buf_putc(out, '\n');
}

static int widest(const struct fw_replay_ids *ids)
{
	int most = 7;
	for (uint32_t i = 0; i < ids->n; i++) {
		int n = (int)strlen(ids->texts[i]);
		most = n > most ? n : most;
	}
	return most > 48 ? 48 : most;
}

static void print_tables(const struct fw_replay_tally *t, struct fw_buf *out)
{
	int w = widest(&t->slots), r = widest(&t->rules), s = widest(&t->segments);
	fw_buf_printf(out, "\n%-*s %9s %9s  %s\n", w, "slot", "decisions", "changed", "channel");
	for (uint32_t i = 0; i < t->slots.n; i++)
		if (t->by_slot[i].a)
			fw_buf_printf(out, "%-*s %9" PRIu64 " %9" PRIu64 "  %s\n", w, t->slots.texts[i], t->by_slot[i].a, t->by_slot[i].b,
				t->slots.channels[i]);
	fw_buf_printf(out, "\n%-*s %9s %9s %9s %9s\n", r, "rule", "won", "wins now", "lost", "gained");
	for (uint32_t i = 0; i < t->rules.n; i++)
		if (t->by_rule[i].c || t->by_rule[i].d)
			fw_buf_printf(out, "%-*s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "\n", r, t->rules.texts[i],
				t->by_rule[i].a, t->by_rule[i].b, t->by_rule[i].c, t->by_rule[i].d);
	fw_buf_printf(out, "\n%-*s %9s\n", s, "segment", "changed");
	for (uint32_t i = 0; i < t->segments.n; i++)
		if (t->by_segment[i].a)
			fw_buf_printf(out, "%-*s %9" PRIu64 "\n", s, t->segments.texts[i], t->by_segment[i].a);
	fw_replay_messages_text(&t->messages, out);
}

static void print_text(const struct fw_replay_tally *t, struct fw_buf *out)
{
	char from[32], to[32];
	const struct fw_replay_totals *x = t->totals;
	fw_buf_printf(out, "%" PRIu64 " decisions", x->decisions);
	if (t->first_us)
		fw_buf_printf(out, " from %s to %s", fw_time_text(t->first_us, from), fw_time_text(t->last_us, to));
	fw_buf_printf(out, ": %" PRIu64 " would be others (%.3g %%)\n", x->changed, fw_replay_tally_changed(t));
	if (all_gaps(t))
		fw_buf_printf(out, "%" PRIu64 " could not be determined:\n", all_gaps(t));
	for (int i = 0; i < FW_REPLAY_GAPS; i++)
		if (x->gaps[i])
			fw_buf_printf(out, "  %" PRIu64 ": %s\n", x->gaps[i], gap_texts[i]);
	if (x->changed)
		print_tables(t, out);
	for (uint32_t i = 0; i < x->samples; i++)
		fw_buf_printf(out, "\n%s\n%s\n", t->samples[i].id, t->samples[i].text);
	fw_buf_puts(out, "\nThis says what would have been shown, not what visitors would have done then.\n");
	if (t->messages.all->judged)
		fw_buf_puts(out, "Of messages it says what would have become of those that were due, not which others would have come.\n");
}

void fw_replay_tally_print(const struct fw_replay_tally *t, bool json, struct fw_buf *out)
{
	if (json)
		print_json(t, out);
	else
		print_text(t, out);
}
