#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fact/given.h"
#include "rules/builder.h"

enum { MOST_NOTS = 8 };

/* One fact's matcher being read. */
struct matcher {
	struct fw_builder *b;
	struct fw_at *at;
	const struct fw_ref *ref;
	const struct fw_fact_info *info;
	struct fw_literal literal;
	uint32_t size;
	int nots; /* is_not in is_not */
};

static int wrong_type(struct matcher *m, int index, const char *wanted)
{
	bool negated = lua_isboolean(m->b->lua, index) && !lua_toboolean(m->b->lua, index);
	return fw_build_fail(m->b, m->at, negated ? "for \"not x\" write is_not \"x\"" : NULL, "%s is %s: %s can never match it",
		m->info->name, wanted, fw_build_type_name(m->b, index));
}

static int reserve(struct matcher *m)
{
	struct fw_literal *l = &m->literal;
	if (l->n < m->size)
		return 0;
	uint32_t size = m->size ? m->size * 2 : 4;
	struct fw_str *texts = FW_NEW_ARRAY(&m->b->set->arena, size, struct fw_str);
	struct fw_str *written = FW_NEW_ARRAY(&m->b->set->arena, size, struct fw_str);
	double *numbers = FW_NEW_ARRAY(&m->b->set->arena, size, double);
	if (!texts || !written || !numbers)
		return fw_build_no_memory(m->b);
	for (uint32_t i = 0; i < l->n; i++) {
		texts[i] = l->texts ? l->texts[i] : (struct fw_str){ 0 };
		written[i] = l->written ? l->written[i] : (struct fw_str){ 0 };
		numbers[i] = l->numbers ? l->numbers[i] : 0;
	}
	l->texts = texts;
	l->written = written;
	l->numbers = numbers;
	m->size = size;
	return 0;
}

static int set_as(struct matcher *m, enum fw_as as)
{
	if (m->literal.n && m->literal.as != as)
		return fw_build_fail(m->b, m->at, NULL, "a list holds texts, numbers or booleans, not a mixture");
	m->literal.as = as;
	return 0;
}

static int add_text(struct matcher *m, int index)
{
	size_t n;
	const char *s = lua_tolstring(m->b->lua, index, &n);
	int ret = set_as(m, m->info->type == FW_TYPE_LANGUAGE ? FW_AS_LANGUAGE : FW_AS_TEXT);
	if (ret < 0 || (ret = reserve(m)) < 0)
		return ret;
	if (n == 0)
		return fw_build_fail(m->b, m->at, "for a fact without a value write unknown()", "empty text is no value of %s",
			m->info->name);
	char *copy = fw_build_copy(m->b, s, n), *written = fw_build_copy(m->b, s, n);
	if (!copy || !written)
		return FW_ENOMEM;
	fw_fold((struct fw_str){ s, n }, copy);
	m->literal.written[m->literal.n] = (struct fw_str){ written, n };
	m->literal.texts[m->literal.n++] = (struct fw_str){ copy, n };
	return 0;
}

static int add_number(struct matcher *m, double x)
{
	int ret = set_as(m, FW_AS_NUMBER);
	if (ret < 0 || (ret = reserve(m)) < 0)
		return ret;
	m->literal.numbers[m->literal.n++] = x;
	return 0;
}

static int check_number(struct matcher *m, double x)
{
	if (isnan(x))
		return fw_build_fail(m->b, m->at, NULL, "NaN is no number");
	if (m->ref->fact == FW_FACT_HOUR && (x < 0 || x > 23 || x != floor(x)))
		return fw_build_fail(m->b, m->at, "hours are 0 to 23", "there is no hour %g", x);
	return 0;
}

static int refuse_weekday(struct matcher *m, const char *text, size_t n)
{
	char hint[64] = "days are mon tue wed thu fri sat sun";
	int day = n > 3 ? fw_weekday_find((struct fw_str){ text, 3 }) : -1;
	if (day >= 0)
		snprintf(hint, sizeof hint, "did you mean \"%s\"?", fw_weekday_name(day));
	return fw_build_fail(m->b, m->at, hint, "there is no weekday \"%s\"", text);
}

/* A number of the fact's kind, from what the rule wrote: 3, "mon", "2026-11-23", "30m". */
static int read_number(struct matcher *m, int index, double *ret)
{
	lua_State *L = m->b->lua;
	size_t n = 0;
	const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &n) : NULL;
	struct fw_civil c;
	int64_t seconds;
	switch (m->info->type) {
	case FW_TYPE_WEEKDAY:
		if (!text)
			return wrong_type(m, index, "a day such as \"mon\"");
		if ((*ret = fw_weekday_find((struct fw_str){ text, n })) < 0)
			return refuse_weekday(m, text, n);
		return 0;
	case FW_TYPE_DATE:
		if (!text || !fw_civil_parse((struct fw_str){ text, n }, &c) || c.has_time)
			return fw_build_fail(m->b, m->at, "write it as \"2026-11-23\"", "%s takes an ISO date", m->info->name);
		*ret = (double)c.days;
		return 0;
	case FW_TYPE_DURATION:
		seconds = text ? fw_duration_s((struct fw_str){ text, n }) : -1;
		if (seconds < 0)
			return fw_build_fail(m->b, m->at, "write it as \"30m\", \"1h\" or \"2d\"", "%s takes a duration", m->info->name);
		*ret = (double)seconds;
		return 0;
	default:
		if (lua_type(L, index) != LUA_TNUMBER)
			return wrong_type(m, index, "a number");
		*ret = lua_tonumber(L, index);
		return check_number(m, *ret);
	}
}

static int check_form(struct matcher *m, int index)
{
	char message[512], hint[256];
	size_t n;
	const char *s = lua_tolstring(m->b->lua, index, &n);
	if (m->ref->fact >= FW_FACT_SINGLE || !fw_fact_refuse(m->ref->fact, (struct fw_str){ s, n }, message, sizeof message, hint,
		sizeof hint))
		return 0;
	return fw_build_fail(m->b, m->at, hint, "%s", message);
}

static int add_value(struct matcher *m, int index)
{
	lua_State *L = m->b->lua;
	int type = lua_type(L, index), ret;
	double x;
	switch (m->info->type) {
	case FW_TYPE_TEXT: case FW_TYPE_LANGUAGE: case FW_TYPE_SET:
		if (type != LUA_TSTRING)
			return wrong_type(m, index, "text");
		return (ret = check_form(m, index)) < 0 ? ret : add_text(m, index);
	case FW_TYPE_BOOL:
		if (type != LUA_TBOOLEAN)
			return wrong_type(m, index, "true or false");
		break;
	case FW_TYPE_ANY:
		if (type == LUA_TSTRING)
			return add_text(m, index);
		if (type == LUA_TNUMBER)
			return (ret = check_number(m, lua_tonumber(L, index))) < 0 ? ret : add_number(m, lua_tonumber(L, index));
		if (type != LUA_TBOOLEAN)
			return fw_build_fail(m->b, m->at, NULL, "%s is no value", fw_build_type_name(m->b, index));
		break;
	default:
		return (ret = read_number(m, index, &x)) < 0 ? ret : add_number(m, x);
	}
	if ((ret = set_as(m, FW_AS_BOOL)) < 0 || (ret = reserve(m)) < 0)
		return ret;
	m->literal.numbers[m->literal.n++] = lua_toboolean(L, index);
	return 0;
}

static int add_list(struct matcher *m, int index)
{
	lua_State *L = m->b->lua;
	lua_Integer n = (lua_Integer)lua_rawlen(L, index), entries = 0;
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1), entries++)
		if (!lua_isinteger(L, -2)) {
			const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
			int ret = fw_build_fail(m->b, m->at, NULL, "%s takes a value or a list of values, not a table with \"%s\"",
				m->info->name, key);
			lua_pop(L, 2);
			return ret;
		}
	if (entries == 0)
		return fw_build_fail(m->b, m->at, "for a fact without a value write unknown()", "the list names nothing");
	if (entries != n)
		return fw_build_fail(m->b, m->at, NULL, "the list has a hole (nil)");
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(L, index, i);
		int ret = add_value(m, lua_gettop(L));
		lua_pop(L, 1);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static bool takes_ranges(const struct matcher *m)
{
	enum fw_type t = m->info->type;
	return t == FW_TYPE_NUMBER || t == FW_TYPE_WEEKDAY || t == FW_TYPE_DATE || t == FW_TYPE_DURATION || t == FW_TYPE_ANY;
}

static int never_matches(struct matcher *m, const char *tag)
{
	static const char *const types[] = { [FW_TYPE_TEXT] = "text", [FW_TYPE_LANGUAGE] = "text", [FW_TYPE_BOOL] = "true or false",
		[FW_TYPE_SET] = "a set",
		[FW_TYPE_NUMBER] = "a number", [FW_TYPE_WEEKDAY] = "a weekday", [FW_TYPE_DATE] = "a date",
			[FW_TYPE_DURATION] = "a duration" };
	return fw_build_fail(m->b, m->at, NULL, "%s is %s: %s can never match it", m->info->name, types[m->info->type], tag);
}

static int read_range(struct matcher *m, const char *tag, int index)
{
	lua_State *L = m->b->lua;
	struct fw_literal *l = &m->literal;
	double a, b = 0;
	if (!takes_ranges(m))
		return never_matches(m, tag);
	lua_rawgeti(L, index, 1);
	if (m->info->type == FW_TYPE_ANY && lua_type(L, -1) != LUA_TNUMBER)
		return fw_build_fail(m->b, m->at, "dates and durations are compared in a function", "%s takes a number, not %s", tag,
			fw_build_type_name(m->b, -1));
	int ret = read_number(m, lua_gettop(L), &a);
	lua_pop(L, 1);
	bool between = strcmp(tag, "between") == 0;
	if (ret == 0 && between) {
		lua_rawgeti(L, index, 2);
		ret = read_number(m, lua_gettop(L), &b);
		lua_pop(L, 1);
	}
	if (ret < 0)
		return ret;
	l->op = FW_OP_RANGE;
	l->as = FW_AS_NUMBER;
	l->low = -INFINITY;
	l->high = INFINITY;
	bool low = strcmp(tag, "at_least") == 0 || strcmp(tag, "more_than") == 0;
	if (low || between)
		l->low = a;
	else
		l->high = a;
	if (between)
		l->high = b;
	l->low_open = strcmp(tag, "more_than") == 0;
	l->high_open = strcmp(tag, "less_than") == 0;
	if (between && a > b) {
		l->wraps = m->ref->fact == FW_FACT_HOUR || m->info->type == FW_TYPE_WEEKDAY;
		if (!l->wraps)
			return fw_build_fail(m->b, m->at, "write the smaller one first",
				"between: the first value is greater than the second");
	}
	return 0;
}

static int read_text_match(struct matcher *m, const char *tag, int index)
{
	enum fw_type t = m->info->type;
	lua_State *L = m->b->lua;
	if (t != FW_TYPE_TEXT && t != FW_TYPE_LANGUAGE && t != FW_TYPE_ANY)
		return never_matches(m, tag);
	lua_rawgeti(L, index, 1);
	int ret = lua_type(L, -1) == LUA_TSTRING ? add_text(m, lua_gettop(L)) : fw_build_fail(m->b, m->at, NULL, "%s takes text", tag);
	lua_pop(L, 1);
	m->literal.as = FW_AS_TEXT;
	m->literal.op = strcmp(tag, "starts_with") == 0 ? FW_OP_STARTS : strcmp(tag, "ends_with") == 0 ? FW_OP_ENDS : FW_OP_CONTAINS;
	return ret;
}

static int read_all_of(struct matcher *m, int index)
{
	lua_State *L = m->b->lua;
	if (m->info->type != FW_TYPE_SET && m->info->type != FW_TYPE_ANY)
		return fw_build_fail(m->b, m->at, "write a list: one of it is enough", "%s has one value: all_of can never match it",
			m->info->name);
	lua_rawgeti(L, index, 1);
	int ret = lua_type(L, -1) == LUA_TTABLE && !fw_words_tag(L, -1) ? add_list(m, lua_gettop(L)) : fw_build_fail(m->b, m->at,
		"write all_of { \"a\", \"b\" }", "all_of takes a list");
	lua_pop(L, 1);
	m->literal.op = FW_OP_ALL_OF;
	return ret;
}

static int read_matcher(struct matcher *m, int index);

static int read_not(struct matcher *m, int index)
{
	lua_State *L = m->b->lua;
	if (++m->nots > MOST_NOTS)
		return fw_build_fail(m->b, m->at, NULL, "is_not stands in is_not more than %d deep", MOST_NOTS);
	lua_rawgeti(L, index, 1);
	int ret = read_matcher(m, lua_gettop(L));
	lua_pop(L, 1);
	if (ret < 0)
		return ret;
	enum fw_op op = m->literal.op;
	if (op == FW_OP_KNOWN)
		return fw_build_fail(m->b, m->at, "write unknown()", "is_not(known()) can never match: it asks for a value that is none");
	if (op == FW_OP_UNKNOWN)
		m->literal.op = FW_OP_KNOWN;
	else
		m->literal.negated = !m->literal.negated;
	return 0;
}

static int read_matcher(struct matcher *m, int index)
{
	const char *tag = fw_words_tag(m->b->lua, index);
	int type = lua_type(m->b->lua, index);
	if (type == LUA_TTABLE && !tag)
		return add_list(m, index);
	if (type != LUA_TTABLE)
		return type == LUA_TFUNCTION ? fw_build_fail(m->b, m->at, "write when = function(v) … end",
			"a fact is compared with a value, not a function") : add_value(m, index);
	if (strcmp(tag, "known") == 0 || strcmp(tag, "unknown") == 0) {
		m->literal.op = tag[0] == 'k' ? FW_OP_KNOWN : FW_OP_UNKNOWN;
		return 0;
	}
	if (strcmp(tag, "is_not") == 0)
		return read_not(m, index);
	if (strcmp(tag, "all_of") == 0)
		return read_all_of(m, index);
	if (strcmp(tag, "starts_with") == 0 || strcmp(tag, "ends_with") == 0 || strcmp(tag, "contains") == 0)
		return read_text_match(m, tag, index);
	if (strncmp(tag, "at_", 3) == 0 || strcmp(tag, "more_than") == 0 || strcmp(tag, "less_than") == 0 || strcmp(tag, "between") == 0)
		return read_range(m, tag, index);
	char hint[100];
	snprintf(hint, sizeof hint, "write %s = { \"a\", \"b\" } for one of several", m->info->name);
	return fw_build_fail(m->b, m->at, hint, "%s { … } does not stand after a fact", tag);
}

int fw_compile_matcher(struct fw_builder *b, struct fw_at *at, int index, const struct fw_ref *ref, uint32_t *ret_node)
{
	struct matcher m = { .b = b, .at = at, .ref = ref, .info = fw_fact_info(ref->fact) };
	int ret = read_matcher(&m, index);
	return ret < 0 ? ret : fw_build_literal(b, ref, &m.literal, ret_node);
}

int fw_compile_attribute(struct fw_builder *b, struct fw_at *at, int index, const char *name, uint32_t *ret_literal)
{
	const struct fw_ref ref = { .fact = FW_FACT_EVENT, .member = fw_str(name) };
	struct fw_fact_info info = *fw_fact_info(ref.fact);
	uint32_t node = 0;
	info.name = name;
	struct matcher m = { .b = b, .at = at, .ref = &ref, .info = &info };
	int ret = read_matcher(&m, index);
	if (ret == 0 && (ret = fw_build_literal(b, &ref, &m.literal, &node)) == 0)
		*ret_literal = b->nodes.items[node].first;
	return ret;
}

/* A query's own fields. */
struct query {
	struct fw_query query;
	bool has_low, has_high;
	double low, high;
};

static int read_within(struct fw_builder *b, struct fw_at *at, int index, struct query *q)
{
	size_t n = 0;
	const char *text = lua_type(b->lua, index) == LUA_TSTRING ? lua_tolstring(b->lua, index, &n) : "";
	int64_t s = fw_duration_s((struct fw_str){ text, n });
	if (s < 3600 || s > 400 * 86400)
		return fw_build_fail(b, at, "write it as \"12h\" or \"7d\"", "within is a duration from 1h to 400d");
	if (!fw_within_fits(s))
		return fw_build_fail(b, at, NULL, "within is in whole hours up to 3d, then in whole days");
	q->query.within_s = s;
	return 0;
}

static int read_bound(struct fw_builder *b, struct fw_at *at, int index, const char *name, bool share, struct query *q)
{
	double x = lua_type(b->lua, index) == LUA_TNUMBER ? lua_tonumber(b->lua, index) : -1;
	if (x < 0 || isnan(x) || (share ? x > 1 : x != floor(x)))
		return fw_build_fail(b, at, NULL, "%s is %s", name, share ? "a share from 0 to 1" : "a whole number");
	if (name[3] == 'l') {
		q->has_low = true;
		q->low = x;
	} else {
		q->has_high = true;
		q->high = x;
	}
	return 0;
}

static int read_key(struct fw_builder *b, struct fw_at *at, int index, enum fw_key_kind kind, struct query *q)
{
	size_t n;
	if (lua_type(b->lua, index) != LUA_TSTRING || lua_rawlen(b->lua, index) == 0)
		return fw_build_fail(b, at, NULL, "%s is named by text", fw_key_kind_name(kind));
	if (q->query.key_kind != FW_KEY_NONE)
		return fw_build_fail(b, at, NULL, "a query names at most one of category, product, brand and term");
	const char *s = lua_tolstring(b->lua, index, &n);
	char *copy = fw_build_copy(b, s, n);
	if (!copy)
		return FW_ENOMEM;
	fw_fold((struct fw_str){ s, n }, copy);
	q->query.key_kind = kind;
	q->query.key = (struct fw_str){ copy, n };
	return 0;
}

static const struct fw_word query_words[] = {
	{ "category", 0, "string?", "Of this category." },
	{ "product", 0, "string?", "This product." },
	{ "brand", 0, "string?", "Of this brand." },
	{ "term", 0, "string?", "Searched for these words." },
	{ "within", 0, "string?", "Within so long: \"7d\"; ever, where nothing is said." },
	{ "at_least", 0, "number?", "So many times or more; once, where nothing is said. Of affinity: so great a share." },
	{ "at_most", 0, "number?", "So many times or less." },
};

const struct fw_word *fw_words_of_query(size_t *ret_n)
{
	*ret_n = FW_FIELDS(query_words);
	return query_words;
}

static int read_query_field(struct fw_builder *b, struct fw_at *at, int index, const char *name, struct query *q)
{
	bool share = q->query.fact == FW_FACT_AFFINITY;
	enum fw_key_kind kind = fw_key_kind_find(fw_str(name));
	if (kind != FW_KEY_NONE)
		return read_key(b, at, index, kind, q);
	if (strcmp(name, "within") == 0 && !share)
		return read_within(b, at, index, q);
	if (strcmp(name, "at_least") == 0 || strcmp(name, "at_most") == 0)
		return read_bound(b, at, index, name, share, q);
	char hint[100] = "";
	const char *nearest = fw_nearest_in(name, &query_words[0].name, FW_FIELDS(query_words), sizeof *query_words);
	if (nearest)
		snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
	return fw_build_fail(b, at, hint, "%s has no \"%s\"", fw_fact_info(q->query.fact)->name, name);
}

int fw_build_past_nots(struct fw_builder *b, struct fw_at *at, int *index, bool *negated)
{
	const char *tag = fw_words_tag(b->lua, *index);
	for (int nots = 0; tag && strcmp(tag, "is_not") == 0; nots++) {
		if (nots == MOST_NOTS)
			return fw_build_fail(b, at, NULL, "is_not stands in is_not more than %d deep", MOST_NOTS);
		*negated = !*negated;
		lua_rawgeti(b->lua, *index, 1);
		*index = lua_gettop(b->lua);
		tag = fw_words_tag(b->lua, *index);
	}
	return 0;
}

int fw_compile_query(struct fw_builder *b, struct fw_at *at, int index, enum fw_fact fact, uint32_t *ret_node)
{
	lua_State *L = b->lua;
	struct query q = { .query.fact = fact };
	const char *name = fw_fact_info(fact)->name;
	int top = lua_gettop(L);
	bool negated = false;
	int ret = fw_build_past_nots(b, at, &index, &negated);
	if (ret < 0)
		return ret;
	if (lua_type(L, index) != LUA_TTABLE || fw_words_tag(L, index))
		ret = fw_build_fail(b, at, "write it as { category = \"boots\", at_least = 3, within = \"7d\" }",
			"%s is asked with a query", name);
	struct fw_key *keys = NULL;
	size_t n = 0;
	if (ret == 0 && (ret = fw_build_keys(b, at, index, &keys, &n)) == 0 && n == 0)
		ret = fw_build_fail(b, at, "for \"any at all\" write { at_least = 1 }", "the query names nothing");
	for (size_t i = 0; i < n && ret == 0; i++) {
		if (!keys[i].name.p) {
			ret = fw_build_fail(b, at, NULL, "%s takes named fields", name);
			break;
		}
		fw_build_push(b, index, &keys[i]);
		size_t length = fw_at_enter(at, keys[i].name.p);
		ret = read_query_field(b, at, lua_gettop(L), keys[i].name.p, &q);
		fw_at_leave(at, length);
		lua_pop(L, 1);
	}
	lua_settop(L, top);
	if (ret == 0 && fact == FW_FACT_AFFINITY && (q.query.key_kind == FW_KEY_NONE || (!q.has_low && !q.has_high)))
		ret = fw_build_fail(b, at, "write it as { category = \"boots\", at_least = 0.3 }",
			"affinity needs what it is for, and at_least or at_most");
	if (ret == 0 && q.has_low && q.has_high && q.low > q.high)
		ret = fw_build_fail(b, at, NULL, "at_least is greater than at_most");
	if (ret < 0)
		return ret;
	bool open = !q.has_low && !q.has_high;
	struct fw_literal l = { .op = FW_OP_RANGE, .as = FW_AS_NUMBER, .negated = negated,
		.low = q.has_low ? q.low : open ? 1 : -INFINITY, .high = q.has_high ? q.high : INFINITY };
	struct fw_ref ref = { .fact = fact, .query = q.query };
	return fw_build_literal(b, &ref, &l, ret_node);
}
