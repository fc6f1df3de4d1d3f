#include "check/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "check/together.h"
#include "profile/given.h"
#include "rules/condition.h"
#include "signal/signal.h"

/* A cell being chosen for each fact that the box limits. */
struct choice {
	uint32_t dim, cell;
	fw_side side;
};

struct choosing {
	struct fw_checker *c;
	struct choice *choices;
	uint32_t n, tries;
	uint32_t absent_last;   /* 1: of what comes to be known with an event; else 0 */
};

static bool goes(const struct choosing *x, uint32_t at)
{
	const struct fw_domain *d = &x->c->domain;
	for (uint32_t i = 0; i < at; i++)
		if (!fw_go_together(d, x->choices[i].dim, x->choices[i].cell, x->choices[at].dim, x->choices[at].cell))
			return false;
	return true;
}

static bool choose(struct choosing *x, uint32_t at)
{
	if (at == x->n)
		return true;
	struct choice *ch = &x->choices[at];
	const struct fw_dim *dim = &x->c->domain.dims[ch->dim];
	uint32_t seen = 0;
	for (uint32_t k = FW_CELL_ABSENT; k < dim->n && seen < FW_LIMIT_CHECK_WITNESS_VALUES && x->tries; k++) {
		uint32_t i = k + x->absent_last < dim->n ? k + x->absent_last : FW_CELL_ABSENT;
		if (!fw_side_has(ch->side, i) || !dim->cells[i].shown)
			continue;
		seen++;
		x->tries--;
		ch->cell = i;
		if (goes(x, at) && choose(x, at + 1))
			return true;
	}
	return false;
}

static bool put_member(struct fw_facts *f, struct fw_member **list, unsigned *n, struct fw_str name, const struct fw_value *v)
{
	struct fw_member *more = FW_NEW_ARRAY(f->arena, *n + 1, struct fw_member);
	if (!more)
		return false;
	if (*n)
		memcpy(more, *list, *n * sizeof *more);
	more[*n] = (struct fw_member){ name, *v };
	*list = more;
	++*n;
	return true;
}

/* An answer without a window answers for every window: it comes last. */
static bool put_answer(struct fw_facts *f, const struct fw_query *q, double number)
{
	struct fw_answer *more = FW_NEW_ARRAY(f->arena, f->n_answers + 1, struct fw_answer);
	unsigned at = 0;
	if (!more)
		return false;
	while (q->within_s && at < f->n_answers && f->answers[at].query.within_s)
		at++;
	if (!q->within_s)
		at = f->n_answers;
	for (unsigned i = 0; i < f->n_answers; i++)
		more[i + (i >= at)] = f->answers[i];
	more[at] = (struct fw_answer){ *q, number };
	f->answers = more;
	f->n_answers++;
	return true;
}

static bool put_product(struct fw_facts *f, const struct fw_query *q, const struct fw_value *v)
{
	struct fw_product_answer *more = FW_NEW_ARRAY(f->arena, f->n_product_answers + 1, struct fw_product_answer);
	if (!more)
		return false;
	if (f->n_product_answers)
		memcpy(more, f->product_answers, f->n_product_answers * sizeof *more);
	more[f->n_product_answers++] = (struct fw_product_answer){ *q, *v };
	f->product_answers = more;
	return true;
}

/* What the set holds: of each value that the box asks about, what it asks. */
static bool fill_set(const struct fw_domain *d, const struct fw_box *box, uint32_t ref, struct fw_arena *a, struct fw_value *v)
{
	struct fw_value *items = FW_NEW_ARRAY(a, box->n, struct fw_value);
	unsigned n = 0;
	if (!items)
		return false;
	for (uint32_t i = 0; i < box->n; i++) {
		const struct fw_dim *x = &d->dims[box->dims[i].dim];
		if (x->kind == FW_DIM_HOLDS && x->subject == ref && !fw_side_has(box->dims[i].side, FW_CELL_NO))
			items[n++] = x->held;
	}
	v->items = items;
	v->n_items = n;
	return true;
}

static bool put_fact(const struct fw_domain *d, const struct fw_box *box, const struct choice *ch, struct fw_facts *f)
{
	const struct fw_ref *ref = &d->set->refs[d->dims[ch->dim].subject];
	struct fw_value v = d->dims[ch->dim].cells[ch->cell].value;
	if (v.state != FW_KNOWN)
		return true;
	if (ch->cell == FW_CELL_SET && !fill_set(d, box, ch->dim, f->arena, &v))
		return false;
	switch (ref->fact) {
	case FW_FACT_TRAIT: return put_member(f, &f->traits, &f->n_traits, ref->member, &v);
	case FW_FACT_EVENT: return put_member(f, &f->event, &f->n_event, ref->member, &v);
	case FW_FACT_ENGAGEMENT: return put_member(f, &f->engagement, &f->n_engagement, ref->member, &v);
	default: break;
	}
	if (fw_fact_is_of_product(ref->fact))
		return put_product(f, &ref->query, &v);
	if (ref->fact > FW_FACT_SEGMENT)
		return put_answer(f, &ref->query, v.number);
	f->single[ref->fact] = v;
	return true;
}

/* The first whole second of the box's time; or so long before, that what is done then is due at it. */
static void put_clock(const struct fw_checker *c, const struct fw_box *box, int64_t before_s, struct fw_buf *out)
{
	fw_side side = fw_box_side(box, c->domain.clock);
	uint32_t i = 0;
	char day[16];
	while (side && i + 1 < c->domain.dims[c->domain.clock].n && !fw_side_has(side, i))
		i++;
	int64_t s = (c->domain.moments[i] + 999999) / 1000000 - before_s, second = s % 86400;
	fw_buf_printf(out, "\"at\":\"%sT%02d:%02d:%02dZ\"", fw_date_text(s / 86400, day), (int)(second / 3600), (int)(second / 60 % 60),
		(int)(second % 60));
}

/* Consent to the occasion's channels, beside what the box asks. */
static bool agree(struct fw_facts *f, const struct fw_occasion *occasion)
{
	const struct fw_value *was = &f->single[FW_FACT_CONSENT];
	struct fw_str *names = FW_NEW_ARRAY(f->arena, was->n_items + 2, struct fw_str);
	unsigned n = 0;
	if (!names)
		return false;
	for (unsigned i = 0; i < was->n_items; i++)
		names[n++] = was->items[i].text;
	for (int i = 0; i < 2; i++) {
		bool has = !occasion->channels[i];
		for (unsigned k = 0; k < n && !has; k++)
			has = fw_str_equal_fold(names[k], fw_str(occasion->channels[i]));
		if (!has)
			names[n++] = fw_str(occasion->channels[i]);
	}
	return n == 0 || fw_facts_set(f, FW_FACT_CONSENT, names, n) == 0;
}

static void put_occasion(const struct fw_occasion *occasion, bool first, struct fw_buf *out)
{
	struct fw_json_out o;
	fw_json_out_init(&o, out);
	fw_buf_puts(out, first ? "\"events\":[{\"event\":" : ",\"events\":[{\"event\":");
	fw_json_text_value(&o, occasion->event);
	fw_buf_puts(out, "}]");
	if (!occasion->after_s)
		return;
	fw_buf_puts(out, ",\"wait\":\"");
	fw_duration_text(occasion->after_s, out);
	fw_buf_putc(out, '"');
}

static bool write(struct fw_checker *c, const struct fw_box *box, const struct choosing *x, bool clock,
	const struct fw_occasion *occasion, struct fw_arena *a, struct fw_str *ret)
{
	struct fw_facts f;
	struct fw_json_out o;
	struct fw_buf facts, json;
	fw_facts_init(&f, a, true);
	for (uint32_t i = 0; i < x->n; i++)
		if (!put_fact(&c->domain, box, &x->choices[i], &f))
			return false;
	if (occasion && !agree(&f, occasion))
		return false;
	fw_buf_init(&facts, 0);
	fw_buf_init(&json, 0);
	fw_json_out_init(&o, &facts);
	fw_facts_write(&o, &f);
	fw_buf_putc(&json, '{');
	if (clock)
		put_clock(c, box, occasion ? occasion->after_s : 0, &json);
	if (clock && facts.n > 2)
		fw_buf_putc(&json, ',');
	if (facts.n > 2)
		fw_buf_add(&json, facts.data + 1, facts.n - 2); /* within its braces */
	if (occasion)
		put_occasion(occasion, !clock && facts.n <= 2, &json);
	fw_buf_putc(&json, '}');
	bool failed = facts.failed;
	fw_buf_finish(&facts);
	return fw_buf_keep(&json, a, ret) == 0 && !failed;
}

static bool read_back(struct fw_checker *c, struct fw_arena *a, struct fw_witness *w)
{
	struct fw_json *visitor;
	struct fw_error err;
	return fw_json_parse(a, w->json.p, w->json.n, &visitor, &err) == 0 &&
		fw_profile_given(&w->facts, a, visitor, c->set->zone, c->set->currency, &err) == 0 &&
		fw_signal_derive(c->zones, &w->facts) == 0;
}

bool fw_witness_make(struct fw_checker *c, const struct fw_box *box, bool clock, const struct fw_occasion *occasion, struct fw_arena *a,
	struct fw_witness *ret)
{
	const struct fw_domain *d = &c->domain;
	struct choosing x = { .c = c, .choices = FW_NEW_ARRAY(a, box->n, struct choice), .tries = FW_LIMIT_CHECK_WITNESS_TRIES,
		.absent_last = occasion != NULL };
	if (!x.choices)
		return false;
	for (uint32_t i = 0; i < box->n; i++) {
		const struct fw_limited *l = &box->dims[i];
		if (d->dims[l->dim].kind == FW_DIM_PROVEN && !fw_side_has(l->side, FW_CELL_YES))
			return false; /* whoever is written down proves what he says */
		if (d->dims[l->dim].kind == FW_DIM_REF)
			x.choices[x.n++] = (struct choice){ l->dim, 0, l->side };
	}
	bool chosen = choose(&x, 0);
	fw_cover_pay(&c->budget, FW_LIMIT_CHECK_WITNESS_TRIES - x.tries);
	return chosen && write(c, box, &x, clock, occasion, a, &ret->json) && read_back(c, a, ret);
}
