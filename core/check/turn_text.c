/* A turned fact as people say it. */
#include <math.h>
#include <string.h>

#include "check/needs_own.h"

/* One of a count, and several. */
static const char *const counted[][2] = {
	[FW_FACT_VIEWED - FW_FACT_VIEWED] = { "view", "views" },
	[FW_FACT_SEARCHED - FW_FACT_VIEWED] = { "search", "searches" },
	[FW_FACT_ADDED - FW_FACT_VIEWED] = { "addition to the cart", "additions to the cart" },
	[FW_FACT_BOUGHT - FW_FACT_VIEWED] = { "purchase", "purchases" },
	[FW_FACT_CLICKED - FW_FACT_VIEWED] = { "click", "clicks" },
	[FW_FACT_OPENED - FW_FACT_VIEWED] = { "opened message", "opened messages" },
};

struct bounds {
	double low, high;
	bool low_open, high_open;
};

static bool is_number(const struct fw_cell *c)
{
	return c->value.state == FW_KNOWN && c->value.kind == FW_KIND_NUMBER;
}

/* Whether a cell is all numbers between its bounds, neither included; else both are. */
static bool is_open(const struct fw_cell *c)
{
	return c->low < c->high && c->value.number != c->low && c->value.number != c->high;
}

static bool is_fine(const struct fw_turn *t, uint32_t cell)
{
	for (uint32_t i = 0; i < t->n_options; i++)
		if (t->options[i] == cell)
			return t->fine[i];
	return false;
}

/* All numbers around the chosen one that will do as well. Cells ascend; between them lie texts that read as the same number. */
static struct bounds bounds_of(const struct fw_dim *dim, const struct fw_turn *t)
{
	uint32_t cell = t->options[t->option];
	const struct fw_cell *first = &dim->cells[cell], *last = first;
	for (uint32_t i = cell; i-- > FW_CELL_VALUES && (!is_number(&dim->cells[i]) || is_fine(t, i));)
		first = is_number(&dim->cells[i]) ? &dim->cells[i] : first;
	for (uint32_t i = cell + 1; i < dim->n && (!is_number(&dim->cells[i]) || is_fine(t, i)); i++)
		last = is_number(&dim->cells[i]) ? &dim->cells[i] : last;
	return (struct bounds){ first->low, last->high, is_open(first), is_open(last) };
}

static void put_value(const struct fw_ref *ref, struct fw_value v, double number, struct fw_buf *out)
{
	v.number = number;
	v.n_several = 0;
	fw_value_text_for(ref, &v, out);
}

/* "3 or more", "less than 5", "from 3 to 5", "2". */
static void put_bounds(const struct fw_ref *ref, const struct fw_turn *t, const struct bounds *b, double least, struct fw_buf *out)
{
	bool low = isfinite(b->low) && b->low > least, high = isfinite(b->high);
	if (low && high && b->low == b->high) {
		put_value(ref, t->becomes, b->low, out);
	} else if (low && high) {
		fw_buf_puts(out, b->low_open ? "above " : "from ");
		put_value(ref, t->becomes, b->low, out);
		fw_buf_puts(out, b->high_open ? ", below " : " to ");
		put_value(ref, t->becomes, b->high, out);
	} else if (low) {
		fw_buf_puts(out, b->low_open ? "more than " : "");
		put_value(ref, t->becomes, b->low, out);
		fw_buf_puts(out, b->low_open ? "" : " or more");
	} else if (high) {
		fw_buf_puts(out, b->high_open ? "less than " : "");
		put_value(ref, t->becomes, b->high, out);
		fw_buf_puts(out, b->high_open || b->high == least ? "" : " or less");
	} else {
		fw_buf_puts(out, "known");
	}
}

static void put_key(const struct fw_query *q, struct fw_buf *out)
{
	static const char *const of[] = { [FW_KEY_NONE] = "", [FW_KEY_CATEGORY] = " of ", [FW_KEY_PRODUCT] = " of product ",
		[FW_KEY_BRAND] = " of brand ", [FW_KEY_TERM] = " for " };
	fw_buf_puts(out, of[q->key_kind]);
	if (q->key_kind != FW_KEY_NONE)
		fw_buf_printf(out, "\"%.*s\"", (int)q->key.n, q->key.p);
}

/* "1 more view of \"boots\" within 7d". */
static void put_count(const struct fw_ref *ref, const struct fw_turn *t, const struct bounds *b, struct fw_buf *out)
{
	const char *const *words = counted[ref->fact - FW_FACT_VIEWED];
	bool was = t->was.state == FW_KNOWN && t->was.kind == FW_KIND_NUMBER;
	char number[32];
	if (was && t->becomes.number > t->was.number) {
		double more = t->becomes.number - t->was.number;
		fw_buf_add(out, number, fw_number_text(more, number));
		fw_buf_printf(out, " more %s", words[more != 1]);
	} else if (was) {
		double fewer = t->was.number - t->becomes.number;
		fw_buf_add(out, number, fw_number_text(fewer, number));
		fw_buf_printf(out, " fewer %s", words[fewer != 1]);
	} else {
		put_bounds(ref, t, b, 0, out);
		fw_buf_printf(out, " %s", words[t->becomes.number != 1]);
	}
	put_key(&ref->query, out);
	if (ref->query.within_s) {
		fw_buf_puts(out, " within ");
		fw_duration_text(ref->query.within_s, out);
	}
}

/* The `thing`th that the set has to hold and did not, or no longer. */
static void put_set(const struct fw_ref *ref, const struct fw_turn *t, uint32_t thing, struct fw_buf *out)
{
	bool consent = ref->fact == FW_FACT_CONSENT;
	uint32_t n = 0;
	for (int gone = 0; gone < 2; gone++) {
		const struct fw_value *from = gone ? &t->was : &t->becomes, *in = gone ? &t->becomes : &t->was;
		for (unsigned i = 0; from->state == FW_KNOWN && from->kind == FW_KIND_SET && i < from->n_items; i++) {
			if (fw_turn_holds(in, &from->items[i]) || n++ != thing)
				continue;
			fw_buf_puts(out, consent ? gone ? "no consent for " : "consent for " : gone ? "without " : "with ");
			if (consent)
				fw_buf_add(out, from->items[i].text.p, from->items[i].text.n);
			else
				fw_value_text_for(ref, &from->items[i], out);
			return;
		}
	}
	fw_buf_puts(out, consent ? "consent known" : "known");
}

/* "\"CA\"", "\"CA\" or \"NO\"", "other than \"DE\"". */
static void put_texts(const struct fw_dim *dim, const struct fw_ref *ref, const struct fw_turn *t, struct fw_buf *out)
{
	enum { MOST = 3 };
	uint32_t n = 0, shown = 0, all = 0;
	bool other = false;
	for (uint32_t i = 0; i < t->n_options; i++) {
		n += t->fine[i];
		other |= t->fine[i] && t->options[i] == dim->other;
	}
	for (uint32_t i = FW_CELL_VALUES; i < dim->n; i++)
		all += fw_side_has(dim->all, i);
	if (other && t->was.state == FW_KNOWN && n + 1 == all) { /* any but the own */
		fw_buf_puts(out, "other than ");
		fw_value_text_for(ref, &t->was, out);
		return;
	}
	if (other && n == all) {
		fw_buf_puts(out, "known");
		return;
	}
	fw_value_text_for(ref, &t->becomes, out);
	for (uint32_t i = 0; i < t->n_options && n > 1; i++) {
		if (i == t->option || !t->fine[i])
			continue;
		if (n > MOST) {
			fw_buf_printf(out, " or one of %u others", n - 1);
			return;
		}
		fw_buf_puts(out, ++shown + 1 == n ? " or " : ", ");
		fw_value_text_for(ref, &dim->cells[t->options[i]].value, out);
	}
	if (other && n == 1)
		fw_buf_puts(out, ", for one");
}

static void put_fact(const struct fw_domain *d, const struct fw_turn *t, uint32_t thing, struct fw_buf *out)
{
	const struct fw_ref *ref = &d->set->refs[t->ref];
	const struct fw_dim *dim = &d->dims[t->ref];
	const struct fw_value *v = &t->becomes;
	bool number = !t->proof && v->state == FW_KNOWN && v->kind == FW_KIND_NUMBER;
	struct bounds b = { -INFINITY, INFINITY, false, false };
	if (number)
		b = bounds_of(dim, t);
	if (number && ref->fact >= FW_FACT_VIEWED && ref->fact <= FW_FACT_OPENED) {
		put_count(ref, t, &b, out);
		return;
	}
	if (v->state == FW_KNOWN && v->kind == FW_KIND_SET && ref->fact == FW_FACT_CONSENT) {
		put_set(ref, t, thing, out);
		return;
	}
	fw_ref_text(d->set, ref, out);
	fw_buf_putc(out, ' ');
	if (t->proof)
		fw_buf_puts(out, "proven: told with a secret key");
	else if (v->state != FW_KNOWN)
		fw_buf_puts(out, "not known");
	else if (v->kind == FW_KIND_SET)
		put_set(ref, t, thing, out);
	else if (number)
		put_bounds(ref, t, &b, -INFINITY, out);
	else if (v->kind == FW_KIND_TEXT)
		put_texts(dim, ref, t, out);
	else
		fw_value_text_for(ref, v, out);
}

const char *fw_turn_text(const struct fw_domain *d, const struct fw_turn *t, uint32_t thing, struct fw_arena *a)
{
	struct fw_buf out;
	fw_buf_init(&out, 0);
	put_fact(d, t, thing, &out);
	const char *text = out.failed ? NULL : fw_arena_strdup(a, fw_buf_text(&out));
	fw_buf_finish(&out);
	return text;
}
