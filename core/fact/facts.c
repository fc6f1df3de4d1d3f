#include "fact/facts.h"

#include <string.h>

#include "fact/history.h"
#include "fact/products.h"
#include "fact/products_then.h"

static const struct fw_value absent = { .state = FW_ABSENT };
static const struct fw_value out_of_reach = { .state = FW_OUT_OF_REACH };

bool fw_fact_from_profile(enum fw_fact fact)
{
	unsigned uses = fw_fact_info(fact)->uses;
	if (fact == FW_FACT_LOGGED_IN)
		return false;
	return (uses & (FW_USES_BEHAVIOUR | FW_USES_PROFILE | FW_USES_SESSION | FW_USES_CONSENT)) != 0;
}

void fw_facts_init(struct fw_facts *f, struct fw_arena *arena, bool profile_in_reach)
{
	memset(f, 0, sizeof *f);
	f->arena = arena;
	f->profile_in_reach = f->behaviour_in_reach = true;
	if (!profile_in_reach)
		fw_facts_lose_profile(f);
}

void fw_facts_lose_profile(struct fw_facts *f)
{
	f->profile_in_reach = f->caps_in_reach = false;
	for (int i = 0; i < FW_FACT_SINGLE; i++)
		if (f->single[i].state == FW_ABSENT && fw_fact_from_profile((enum fw_fact)i))
			f->single[i].state = FW_OUT_OF_REACH;
}

void fw_facts_lose_behaviour(struct fw_facts *f)
{
	f->behaviour_in_reach = false;
	for (int i = FW_FACT_NEW_VISITOR; i <= FW_FACT_DAYS_SINCE_VISIT; i++)
		if (f->single[i].state == FW_ABSENT)
			f->single[i].state = FW_OUT_OF_REACH;
}

int fw_value_text(struct fw_arena *a, struct fw_str text, struct fw_value *ret)
{
	if (text.n == 0) {
		*ret = absent;
		return 0;
	}
	char *copy = fw_arena_strndup(a, text.p, text.n), *folded = copy;
	if (copy && !fw_is_folded(text) && (folded = fw_arena_strndup(a, text.p, text.n)))
		fw_fold(text, folded);
	if (!folded)
		return FW_ENOMEM;
	*ret = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_TEXT, .text = { copy, text.n }, .folded = { folded, text.n } };
	return 0;
}

int fw_facts_text(struct fw_facts *f, enum fw_fact fact, struct fw_str text)
{
	return fw_value_text(f->arena, text, &f->single[fact]);
}

void fw_facts_number(struct fw_facts *f, enum fw_fact fact, double number)
{
	f->single[fact] = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_NUMBER, .number = number };
}

void fw_facts_bool(struct fw_facts *f, enum fw_fact fact, bool b)
{
	f->single[fact] = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_BOOL, .boolean = b };
}

int fw_facts_several(struct fw_facts *f, enum fw_fact fact, const double *numbers, unsigned n)
{
	double *kept = FW_NEW_ARRAY(f->arena, n, double);
	unsigned m = 0;
	if (!kept)
		return FW_ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		unsigned j = 0;
		while (j < m && kept[j] != numbers[i])
			j++;
		if (j == m)
			kept[m++] = numbers[i];
	}
	if (m == 0)
		return 0;
	fw_facts_number(f, fact, kept[0]);
	if (m > 1) {
		f->single[fact].several = kept;
		f->single[fact].n_several = m;
	}
	return 0;
}

int fw_facts_set(struct fw_facts *f, enum fw_fact fact, const struct fw_str *items, unsigned n)
{
	struct fw_value *values = FW_NEW_ARRAY(f->arena, n, struct fw_value);
	if (!values)
		return FW_ENOMEM;
	unsigned m = 0;
	for (unsigned i = 0; i < n; i++) {
		if (fw_value_text(f->arena, items[i], &values[m]) < 0)
			return FW_ENOMEM;
		m += values[m].state == FW_KNOWN;
	}
	f->single[fact] = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_SET, .items = values, .n_items = m };
	return 0;
}

static int scalar_from_json(struct fw_arena *a, const struct fw_json *v, struct fw_value *ret)
{
	*ret = absent;
	switch (v->type) {
	case FW_JSON_STRING: return fw_value_text(a, v->string, ret);
	case FW_JSON_NUMBER: *ret = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_NUMBER, .number = v->number }; return 0;
	case FW_JSON_BOOL: *ret = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_BOOL, .boolean = v->boolean }; return 0;
	default: return 0;
	}
}

int fw_value_json(struct fw_arena *a, const struct fw_json *v, struct fw_value *ret)
{
	if (v->type != FW_JSON_ARRAY)
		return scalar_from_json(a, v, ret);
	struct fw_value *items = FW_NEW_ARRAY(a, v->count, struct fw_value);
	if (!items)
		return FW_ENOMEM;
	unsigned n = 0;
	for (const struct fw_json *e = v->child; e; e = e->next) {
		if (scalar_from_json(a, e, &items[n]) < 0)
			return FW_ENOMEM;
		n += items[n].state == FW_KNOWN;
	}
	*ret = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_SET, .items = items, .n_items = n };
	return 0;
}

const struct fw_value *fw_facts_single(const struct fw_facts *f, enum fw_fact fact)
{
	return &f->single[fact];
}

const struct fw_value *fw_facts_member(const struct fw_facts *f, enum fw_fact family, struct fw_str name)
{
	const struct fw_member *m = family == FW_FACT_TRAIT ? f->traits : family == FW_FACT_EVENT ? f->event : f->engagement;
	unsigned n = family == FW_FACT_TRAIT ? f->n_traits : family == FW_FACT_EVENT ? f->n_event : f->n_engagement;
	for (unsigned i = 0; i < n; i++)
		if (fw_str_equal(m[i].name, name))
			return &m[i].value;
	if ((family == FW_FACT_TRAIT && f->traits_withheld) || (family == FW_FACT_ENGAGEMENT && !f->behaviour_in_reach))
		return &out_of_reach;
	return f->profile_in_reach || family == FW_FACT_EVENT ? &absent : &out_of_reach;
}

static bool answers(const struct fw_query *given, const struct fw_query *asked)
{
	return given->fact == asked->fact && given->key_kind == asked->key_kind && fw_str_equal(given->key, asked->key) &&
		(given->within_s == 0 || given->within_s == asked->within_s);
}

static struct fw_value ask_product(const struct fw_facts *f, const struct fw_query *query)
{
	for (unsigned i = 0; i < f->n_product_answers; i++)
		if (f->product_answers[i].query.fact == query->fact && fw_str_equal(f->product_answers[i].query.key, query->key))
			return f->product_answers[i].value;
	if (f->then && f->then->again)
		return fw_products_then_ask(f->then, query);
	struct fw_value value = f->products ? fw_products_ask(f->products, query, f->has_clock ? f->now_us : 0, f->arena) : absent;
	if (f->asked && f->products)
		fw_products_note_asked(f->asked, fw_products_find(f->products, query->key));
	if (f->then)
		fw_products_then_note(f->then, query, &value);
	return value;
}

struct fw_value fw_facts_ask(const struct fw_facts *f, const struct fw_query *query)
{
	if (fw_fact_is_of_product(query->fact))
		return ask_product(f, query);
	for (unsigned i = 0; i < f->n_answers; i++)
		if (answers(&f->answers[i].query, query))
			return (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_NUMBER, .number = f->answers[i].number };
	if (!f->profile_in_reach || !f->behaviour_in_reach)
		return out_of_reach;
	double number;
	if (!f->history || fw_history_ask(f->history, query, f->arena, &number) < 0)
		return absent;
	return (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_NUMBER, .number = number };
}
