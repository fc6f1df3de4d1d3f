#include "fact/given.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"

struct reader {
	struct fw_facts *facts;
	const struct fw_zone *zone;
	struct fw_error *err;
};

static const char *const key_kinds[] = { NULL, "category", "product", "brand", "term" };

enum fw_key_kind fw_key_kind_find(struct fw_str word)
{
	for (int i = FW_KEY_CATEGORY; i <= FW_KEY_TERM; i++)
		if (fw_str_is(word, key_kinds[i]))
			return (enum fw_key_kind)i;
	return FW_KEY_NONE;
}

const char *fw_key_kind_name(enum fw_key_kind kind)
{
	return key_kinds[kind];
}

bool fw_within_fits(int64_t s)
{
	enum { HOUR = 3600, DAY = 24 * HOUR };
	return s >= HOUR && s <= 400 * DAY && (s <= 3 * DAY ? s % HOUR == 0 : s % DAY == 0);
}

static int wrong(struct reader *r, const char *name, const struct fw_json *v, const char *wanted)
{
	return fw_fail(r->err, FW_EINVAL, NULL, 0, "%s: %s where %s was expected", name, fw_json_type_name(v->type), wanted);
}

/* `{}` of Lua and `[]` of JSON say the same when empty; null says nothing. */
static bool is_object(const struct fw_json *v)
{
	return v->type == FW_JSON_OBJECT || v->type == FW_JSON_NULL || (v->type == FW_JSON_ARRAY && v->count == 0);
}

static int read_text(struct reader *r, enum fw_fact fact, const struct fw_json *v)
{
	char message[512], hint[256];
	const char *name = fw_fact_info(fact)->name;
	if (v->type != FW_JSON_STRING)
		return wrong(r, name, v, "text");
	if (v->string.n && fw_fact_refuse(fact, v->string, message, sizeof message, hint, sizeof hint)) {
		fw_fail(r->err, FW_EINVAL, NULL, 0, "%s: %s", name, message);
		fw_hint(r->err, "%s", hint);
		return FW_EINVAL;
	}
	return fw_facts_text(r->facts, fact, v->string);
}

static int read_weekday(struct reader *r, const struct fw_json *v)
{
	int day = v->type == FW_JSON_STRING ? fw_weekday_find(v->string) : -1;
	if (day < 0)
		return wrong(r, "weekday", v, "one of mon tue wed thu fri sat sun");
	fw_facts_number(r->facts, FW_FACT_WEEKDAY, day);
	return 0;
}

static int read_date(struct reader *r, const struct fw_json *v)
{
	struct fw_civil c;
	if (v->type != FW_JSON_STRING || !fw_civil_parse(v->string, &c) || c.has_time)
		return wrong(r, "date", v, "an ISO date such as \"2026-11-23\"");
	fw_facts_number(r->facts, FW_FACT_DATE, (double)c.days);
	return 0;
}

static int read_duration(struct reader *r, enum fw_fact fact, const struct fw_json *v)
{
	double seconds = v->type == FW_JSON_NUMBER ? v->number : -1;
	if (v->type == FW_JSON_STRING)
		seconds = (double)fw_duration_s(v->string);
	if (seconds < 0)
		return wrong(r, fw_fact_info(fact)->name, v, "a duration such as \"30m\"");
	fw_facts_number(r->facts, fact, seconds);
	return 0;
}

static int read_set(struct reader *r, const char *name, const struct fw_json *v, struct fw_value *ret)
{
	struct fw_value *items;
	unsigned n = 0;
	if (v->type == FW_JSON_STRING) {
		items = FW_NEW(r->facts->arena, struct fw_value);
		if (!items || fw_value_text(r->facts->arena, v->string, items) < 0)
			return FW_ENOMEM;
		n = items->state == FW_KNOWN;
	} else {
		/* In Lua `{}` is an object; as a set it is the empty one. */
		if (v->type != FW_JSON_ARRAY && !(v->type == FW_JSON_OBJECT && v->count == 0))
			return wrong(r, name, v, "a list of names");
		if (!(items = FW_NEW_ARRAY(r->facts->arena, v->count, struct fw_value)))
			return FW_ENOMEM;
		for (const struct fw_json *e = v->child; e; e = e->next) {
			if (e->type != FW_JSON_STRING)
				return wrong(r, name, e, "a list of names");
			if (fw_value_text(r->facts->arena, e->string, &items[n]) < 0)
				return FW_ENOMEM;
			n += items[n].state == FW_KNOWN;
		}
	}
	*ret = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_SET, .items = items, .n_items = n };
	return 0;
}

static int read_single(struct reader *r, enum fw_fact fact, const struct fw_json *v)
{
	const struct fw_fact_info *info = fw_fact_info(fact);
	if (v->type == FW_JSON_NULL) {
		r->facts->single[fact].state = FW_ABSENT;
		return 0;
	}
	switch (info->type) {
	case FW_TYPE_TEXT: case FW_TYPE_LANGUAGE: return read_text(r, fact, v);
	case FW_TYPE_WEEKDAY: return read_weekday(r, v);
	case FW_TYPE_DATE: return read_date(r, v);
	case FW_TYPE_DURATION: return read_duration(r, fact, v);
	case FW_TYPE_SET: return read_set(r, info->name, v, &r->facts->single[fact]);
	case FW_TYPE_BOOL:
		if (v->type != FW_JSON_BOOL)
			return wrong(r, info->name, v, "true or false");
		fw_facts_bool(r->facts, fact, v->boolean);
		return 0;
	default:
		if (v->type != FW_JSON_NUMBER)
			return wrong(r, info->name, v, "a number");
		if (fact == FW_FACT_HOUR && (v->number < 0 || v->number > 23 || v->number != floor(v->number)))
			return wrong(r, info->name, v, "a whole number from 0 to 23");
		fw_facts_number(r->facts, fact, v->number);
		return 0;
	}
}

static int read_members(struct reader *r, const char *name, const struct fw_json *v, bool numbers, struct fw_member **ret, unsigned *ret_n)
{
	if (!is_object(v))
		return wrong(r, name, v, "an object");
	struct fw_member *members = FW_NEW_ARRAY(r->facts->arena, v->count, struct fw_member);
	unsigned n = 0;
	if (!members)
		return FW_ENOMEM;
	for (const struct fw_json *m = v->child; m; m = m->next, n++) {
		char path[128];
		snprintf(path, sizeof path, "%s.%.*s", name, (int)(m->key.n < 64 ? m->key.n : 64), m->key.p);
		if (numbers && m->type != FW_JSON_NUMBER && m->type != FW_JSON_NULL)
			return wrong(r, path, m, "a number");
		members[n].name = m->key;
		if (fw_value_json(r->facts->arena, m, &members[n].value) < 0)
			return FW_ENOMEM;
	}
	*ret = members;
	*ret_n = n;
	return 0;
}

static int unknown_word(struct reader *r, const char *where, struct fw_str word, const char *const *words)
{
	char copy[64];
	size_t n = 0;
	while (words[n])
		n++;
	snprintf(copy, sizeof copy, "%.*s", (int)(word.n < 63 ? word.n : 63), word.p);
	const char *nearest = fw_nearest(copy, words, n);
	fw_fail(r->err, FW_EINVAL, NULL, 0, "%s%s: there is no such fact", where, copy);
	char list[200] = "";
	for (size_t i = 0, at = 0; i < n && n <= 8 && at < sizeof list; i++)
		at += (size_t)snprintf(list + at, sizeof list - at, " %s", words[i]);
	if (nearest)
		fw_hint(r->err, "did you mean \"%s\"?", nearest);
	else if (list[0])
		fw_hint(r->err, "it has%s", list);
	return FW_EINVAL;
}

static int read_cart_contains(struct reader *r, const struct fw_json *v)
{
	static const char *const words[] = { "category", "product", "brand", NULL };
	if (!is_object(v))
		return wrong(r, "cart.contains", v, "an object");
	for (const struct fw_json *m = v->child; m; m = m->next) {
		enum fw_key_kind kind = fw_key_kind_find(m->key);
		if (kind == FW_KEY_NONE || kind == FW_KEY_TERM)
			return unknown_word(r, "cart.contains.", m->key, words);
		int ret = read_single(r, (enum fw_fact)(FW_FACT_CART_CATEGORY + (kind - FW_KEY_CATEGORY)), m);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int read_cart(struct reader *r, const struct fw_json *v)
{
	static const char *const words[] = { "items", "total", "age", "contains", NULL };
	if (!is_object(v))
		return wrong(r, "cart", v, "an object");
	for (const struct fw_json *m = v->child; m; m = m->next) {
		int ret = fw_str_is(m->key, "items") ? read_single(r, FW_FACT_CART_ITEMS, m)
			: fw_str_is(m->key, "total") ? read_single(r, FW_FACT_CART_TOTAL, m)
			: fw_str_is(m->key, "age") ? read_single(r, FW_FACT_CART_AGE, m)
			: fw_str_is(m->key, "contains") ? read_cart_contains(r, m)
			: unknown_word(r, "cart.", m->key, words);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* A known word with a value of the wrong kind, or a word that is none. */
static int refuse_answer(struct reader *r, const char *name, const struct fw_json *m)
{
	static const char *const words[] = { "category", "product", "brand", "term", "within", "total", "share", NULL };
	char where[80];
	int n = snprintf(where, sizeof where, "%s.", name);
	for (size_t i = 0; words[i]; i++)
		if (fw_str_is(m->key, words[i])) {
			snprintf(where + n, sizeof where - (size_t)n, "%s", words[i]);
			return wrong(r, where, m, i < 4 ? "one text (a query has at most one of category, product, brand and term)" : i == 4
				? "a duration such as \"7d\"" : "a number from 0");
		}
	return unknown_word(r, where, m->key, words);
}

/* One answer: { category = "boots", within = "7d", total = 3 }, or share = 0.4 for affinity. */
static int read_answer(struct reader *r, enum fw_fact fact, const struct fw_json *v)
{
	const char *name = fw_fact_info(fact)->name;
	struct fw_answer answer = { .query.fact = fact, .number = -1 };
	if (v->type != FW_JSON_OBJECT)
		return wrong(r, name, v, "{ category = …, total = … }");
	for (const struct fw_json *m = v->child; m; m = m->next) {
		enum fw_key_kind kind = fw_key_kind_find(m->key);
		if (kind != FW_KEY_NONE && m->type == FW_JSON_STRING && answer.query.key_kind == FW_KEY_NONE) {
			struct fw_value text;
			if (fw_value_text(r->facts->arena, m->string, &text) < 0)
				return FW_ENOMEM;
			answer.query.key_kind = kind;
			answer.query.key = text.folded;
		} else if (fw_str_is(m->key, "within") && m->type == FW_JSON_STRING && fw_duration_s(m->string) > 0) {
			answer.query.within_s = fw_duration_s(m->string);
		} else if ((fw_str_is(m->key, "total") || fw_str_is(m->key, "share")) && m->type == FW_JSON_NUMBER && m->number >= 0) {
			answer.number = m->number;
		} else {
			return refuse_answer(r, name, m);
		}
	}
	if (answer.number < 0)
		return fw_fail(r->err, FW_EINVAL, NULL, 0, "%s: %s is missing", name, fact == FW_FACT_AFFINITY ? "share" : "total");
	r->facts->answers[r->facts->n_answers++] = answer;
	return 0;
}

static int read_answers(struct reader *r, enum fw_fact fact, const struct fw_json *v)
{
	unsigned n = v->type == FW_JSON_ARRAY ? v->count : 1;
	if (v->type == FW_JSON_NULL)
		return 0;
	if (v->type == FW_JSON_NUMBER && v->number < 0)
		return wrong(r, fw_fact_info(fact)->name, v, "a number from 0");
	struct fw_answer *more = FW_NEW_ARRAY(r->facts->arena, r->facts->n_answers + n, struct fw_answer);
	if (!more)
		return FW_ENOMEM;
	for (unsigned i = 0; i < r->facts->n_answers; i++)
		more[i] = r->facts->answers[i];
	r->facts->answers = more;
	if (v->type == FW_JSON_NUMBER) { /* a bare count is the count of all */
		more[r->facts->n_answers++] = (struct fw_answer){ .query.fact = fact, .number = v->number };
		return 0;
	}
	if (v->type != FW_JSON_ARRAY)
		return read_answer(r, fact, v);
	for (const struct fw_json *e = v->child; e; e = e->next) {
		int ret = read_answer(r, fact, e);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* What a product is said to be: of in_stock true or false, of price a number, of category a list of names, of brand text; null: no
 * value. */
static int read_product_value(struct reader *r, enum fw_fact fact, const struct fw_json *v, struct fw_value *ret)
{
	const char *name = fw_fact_info(fact)->name;
	*ret = (struct fw_value){ .state = FW_ABSENT };
	if (v->type == FW_JSON_NULL)
		return 0;
	switch (fact) {
	case FW_FACT_CATEGORY: return read_set(r, name, v, ret);
	case FW_FACT_IN_STOCK: return v->type == FW_JSON_BOOL ? fw_value_json(r->facts->arena, v, ret) : wrong(r, name, v, "true or false");
	case FW_FACT_PRICE: return v->type == FW_JSON_NUMBER ? fw_value_json(r->facts->arena, v, ret) : wrong(r, name, v, "a number");
	default: return v->type == FW_JSON_STRING ? fw_value_json(r->facts->arena, v, ret) : wrong(r, name, v, "text");
	}
}

/* { product = "B-7", is = true } */
static int read_product(struct reader *r, enum fw_fact fact, const struct fw_json *v)
{
	static const char *const words[] = { "product", "is", NULL };
	const char *name = fw_fact_info(fact)->name;
	struct fw_product_answer answer = { .query = { .fact = fact } };
	struct fw_value id = { .state = FW_ABSENT };
	int ret = 0;
	bool told = false;
	if (v->type != FW_JSON_OBJECT)
		return wrong(r, name, v, "{ product = …, is = … }");
	for (const struct fw_json *m = v->child; m && ret == 0; m = m->next) {
		char where[80];
		snprintf(where, sizeof where, "%s.", name);
		if (fw_str_is(m->key, "product"))
			ret = m->type == FW_JSON_STRING ? fw_value_text(r->facts->arena, m->string, &id)
				: wrong(r, name, m, "a product's id");
		else if (fw_str_is(m->key, "is"))
			ret = (told = true, read_product_value(r, fact, m, &answer.value));
		else
			ret = unknown_word(r, where, m->key, words);
	}
	if (ret == 0 && (id.state != FW_KNOWN || !told))
		return fw_fail(r->err, FW_EINVAL, NULL, 0, "%s: %s is missing", name, told ? "product" : "is");
	answer.query.key_kind = FW_KEY_PRODUCT;
	answer.query.key = id.folded;
	r->facts->product_answers[r->facts->n_product_answers++] = answer;
	return ret;
}

static int read_products(struct reader *r, enum fw_fact fact, const struct fw_json *v)
{
	struct fw_facts *f = r->facts;
	unsigned n = v->type == FW_JSON_ARRAY ? v->count : 1;
	int ret = 0;
	if (v->type == FW_JSON_NULL)
		return 0;
	struct fw_product_answer *more = FW_NEW_ARRAY(f->arena, f->n_product_answers + n, struct fw_product_answer);
	if (!more)
		return FW_ENOMEM;
	for (unsigned i = 0; i < f->n_product_answers; i++)
		more[i] = f->product_answers[i];
	f->product_answers = more;
	if (v->type != FW_JSON_ARRAY)
		return read_product(r, fact, v);
	for (const struct fw_json *e = v->child; e && ret == 0; e = e->next)
		ret = read_product(r, fact, e);
	return ret;
}

static int read_at(struct reader *r, const struct fw_json *v)
{
	struct fw_civil c;
	if (v->type != FW_JSON_STRING || !fw_civil_parse(v->string, &c))
		return wrong(r, "at", v, "a time such as \"2026-11-23T22:40\"");
	int64_t at_s = c.has_offset ? c.days * 86400 + c.second - c.offset_s : fw_zone_instant(r->zone, c.days, c.second, false);
	r->facts->has_clock = true;
	r->facts->now_us = at_s * 1000000;
	return 0;
}

static int read_rollout(struct reader *r, const struct fw_json *v)
{
	if (v->type != FW_JSON_NUMBER || v->number < 0 || v->number > 100)
		return wrong(r, "rollout", v, "a number from 0 to 100");
	r->facts->point = v->number;
	return 0;
}

static int read_member(struct reader *r, const struct fw_json *m)
{
	struct fw_facts *f = r->facts;
	bool plain = fw_str_is(m->key, "at") || fw_str_is(m->key, "rollout") || fw_str_is(m->key, "segment");
	if (plain && m->type == FW_JSON_NULL)
		return 0;
	if (fw_str_is(m->key, "at"))
		return read_at(r, m);
	if (fw_str_is(m->key, "rollout"))
		return read_rollout(r, m);
	if (fw_str_is(m->key, "wait") || fw_str_is(m->key, "events")) /* profile/given.h reads those */
		return 0;
	if (fw_str_is(m->key, "cart"))
		return read_cart(r, m);
	int fact = m->key.n ? fw_fact_find(m->key) : -1;
	if (fact < 0 || memchr(m->key.p, '.', m->key.n))
		return unknown_word(r, "", m->key, fw_fact_words());
	switch ((enum fw_fact)fact) {
	case FW_FACT_TRAIT: return read_members(r, "traits", m, false, &f->traits, &f->n_traits);
	case FW_FACT_EVENT: return read_members(r, "event", m, false, &f->event, &f->n_event);
	case FW_FACT_ENGAGEMENT: return read_members(r, "engagement", m, true, &f->engagement, &f->n_engagement);
	case FW_FACT_SEGMENT: f->segments_given = true; return read_set(r, "segment", m, &f->segments);
	default: break;
	}
	if (fw_fact_is_of_product((enum fw_fact)fact))
		return read_products(r, (enum fw_fact)fact, m);
	return fact < FW_FACT_SINGLE ? read_single(r, (enum fw_fact)fact, m) : read_answers(r, (enum fw_fact)fact, m);
}

int fw_facts_given(struct fw_facts *f, struct fw_arena *a, const struct fw_json *visitor, const struct fw_zone *zone, struct fw_error *err)
{
	struct reader r = { f, zone, err };
	fw_facts_init(f, a, true);
	f->caps_in_reach = true; /* somebody who has seen nothing yet */
	f->has_point = true;
	f->point = -1; /* inside every rollout */
	if (!is_object(visitor) || visitor->type == FW_JSON_NULL)
		return wrong(&r, "visitor", visitor, "an object of facts");
	for (const struct fw_json *m = visitor->child; m; m = m->next) {
		int ret = read_member(&r, m);
		if (ret < 0)
			return ret == FW_ENOMEM ? fw_fail(err, ret, NULL, 0, "the visitor is too large") : ret;
	}
	const struct fw_json *wait = fw_json_get(visitor, "wait");
	if (wait && wait->type == FW_JSON_NULL)
		wait = NULL;
	int64_t wait_s = wait && wait->type == FW_JSON_STRING ? fw_duration_s(wait->string) : -1;
	if (wait && wait_s < 0)
		return wrong(&r, "wait", wait, "a duration such as \"1h\"");
	if (wait)
		f->now_us += wait_s * 1000000;
	return 0;
}
