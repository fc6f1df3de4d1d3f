/* Where the items of a winner's lists stand, and why. */
#include "trace/order.h"

#include <math.h>
#include <stdio.h>

#include "decide/order.h"

enum { WIDEST = 40 }; /* of an id, in a table */

static const char *const names[] = { [FW_STANDS] = "shown", [FW_STANDS_PINNED] = "pinned", [FW_OVER_LIMIT] = "over_limit",
	[FW_SOLD_OUT] = "out_of_stock" };

static const struct fw_lineup *lineups_of(const struct fw_ruleset *set, const struct fw_candidate *c, uint32_t *ret_n)
{
	bool won = c->verdict.reason == FW_REASON_WON && c->verdict.lineups;
	*ret_n = won ? set->rules[c->rule].show.ordering->n : 0;
	return c->verdict.lineups;
}

/* The keys, one after the other: what each part adds; null: it has no value. */
static void put_keys(struct fw_json_out *o, const struct fw_order *order, const struct fw_standing *s)
{
	uint32_t part = 0;
	fw_json_key(o, "by");
	fw_json_open_array(o);
	for (uint32_t k = 0; k < order->n_keys; k++) {
		fw_json_open_object(o);
		for (uint32_t i = 0; i < order->keys[k].n; i++, part++) {
			fw_json_key(o, order->attributes[order->keys[k].parts[i].attribute].name);
			fw_json_number(o, s->parts[part]); /* null where it is none */
		}
		fw_json_close_object(o);
	}
	fw_json_close_array(o);
}

static void put_boosts(struct fw_json_out *o, const struct fw_order *order, const struct fw_standing *s)
{
	fw_json_key(o, "boosts");
	fw_json_open_array(o);
	for (uint32_t k = 0; k < order->n_boosts; k++) {
		if (!(s->boosts >> k & 1))
			continue;
		fw_json_open_object(o);
		fw_json_key(o, "boost");
		fw_json_number(o, k + 1);
		fw_json_key(o, "by");
		fw_json_number(o, order->boosts[k].by);
		fw_json_close_object(o);
	}
	fw_json_close_array(o);
}

static void put_standing(struct fw_json_out *o, const struct fw_lineup *l, uint32_t at)
{
	const struct fw_standing *s = &l->standings[at];
	struct fw_str id = l->order->items[s->item].id;
	fw_json_open_object(o);
	fw_json_key(o, "item");
	if (id.n)
		fw_json_string(o, id);
	else
		fw_json_null(o);
	fw_json_key(o, "as");
	fw_json_text_value(o, names[s->as]);
	if (at < l->n_shown) {
		fw_json_key(o, "place");
		fw_json_number(o, at + 1);
	}
	fw_json_key(o, "written");
	fw_json_number(o, s->item + 1);
	if (s->as != FW_SOLD_OUT) {
		fw_json_key(o, "score");
		fw_json_number(o, s->scores[0]);
		put_keys(o, l->order, s);
		put_boosts(o, l->order, s);
	}
	fw_json_close_object(o);
}

void fw_trace_orders(struct fw_json_out *o, const struct fw_ruleset *set, const struct fw_candidate *c)
{
	uint32_t n;
	const struct fw_lineup *l = lineups_of(set, c, &n);
	if (n == 0)
		return;
	fw_json_key(o, "order");
	fw_json_open_array(o);
	for (; n; n--, l++) {
		fw_json_open_object(o);
		fw_json_key(o, "list");
		fw_json_text_value(o, l->order->name);
		fw_json_key(o, "items");
		fw_json_open_array(o);
		for (uint32_t i = 0; i < l->order->n; i++)
			put_standing(o, l, i);
		fw_json_close_array(o);
		fw_json_close_object(o);
	}
	fw_json_close_array(o);
}

/* "0.7: affinity 0.5, boost 2 +0.2; then price 0.3" */
static void put_why(struct fw_buf *out, const struct fw_order *order, const struct fw_standing *s)
{
	uint32_t part = 0;
	fw_buf_printf(out, "%.4g", s->scores[0]);
	const char *between = ": ";
	for (uint32_t k = 0; k == 0 || k < order->n_keys; k++) {
		for (uint32_t i = 0; k < order->n_keys && i < order->keys[k].n; i++, part++) {
			fw_buf_printf(out, "%s%s ", between, order->attributes[order->keys[k].parts[i].attribute].name);
			if (isnan(s->parts[part]))
				fw_buf_puts(out, "not known");
			else
				fw_buf_printf(out, "%.4g", s->parts[part]);
			between = ", ";
		}
		for (uint32_t b = 0; k == 0 && b < order->n_boosts; b++)
			if (s->boosts >> b & 1) {
				fw_buf_printf(out, "%sboost %u", between, b + 1);
				if (order->boosts[b].by != 0)
					fw_buf_printf(out, " %+.4g", order->boosts[b].by);
				between = ", ";
			}
		between = "; then ";
	}
}

static void put_line(struct fw_buf *out, const struct fw_lineup *l, uint32_t at, int indent, int widest)
{
	const struct fw_standing *s = &l->standings[at];
	struct fw_str id = l->order->items[s->item].id;
	char number[24];
	snprintf(number, sizeof number, "item %u", s->item + 1);
	if (!id.n)
		id = fw_str(number);
	if (at < l->n_shown)
		fw_buf_printf(out, "  %*s%3u  ", indent, "", at + 1);
	else
		fw_buf_printf(out, "  %*s  -  ", indent, "");
	fw_buf_printf(out, "%-*.*s  ", widest, (int)fw_utf8_cut(id, WIDEST), id.p);
	if (s->as == FW_SOLD_OUT || s->as == FW_STANDS_PINNED)
		fw_buf_puts(out, s->as == FW_SOLD_OUT ? "out of stock" : "pinned");
	else
		put_why(out, l->order, s);
	fw_buf_puts(out, s->as == FW_OVER_LIMIT ? "; over the limit\n" : "\n");
}

void fw_trace_order_lines(struct fw_buf *out, const struct fw_ruleset *set, const struct fw_candidate *c, int indent)
{
	uint32_t n;
	const struct fw_lineup *l = lineups_of(set, c, &n);
	for (; n; n--, l++) {
		int widest = 4;
		fw_buf_printf(out, "  %*s%s: %u of %u\n", indent, "", l->order->name, l->n_shown, l->order->n);
		for (uint32_t i = 0; i < l->order->n; i++)
			widest = (int)l->order->items[i].id.n > widest ? (int)l->order->items[i].id.n : widest;
		for (uint32_t i = 0; i < l->order->n; i++)
			put_line(out, l, i, indent, widest > WIDEST ? WIDEST : widest);
	}
}
