#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fact/product_names.h"
#include "rules/builder.h"
#include "rules/content.h"

static int unknown_field(struct fw_builder *b, struct fw_at *at, const char *name, const struct fw_field *fields, size_t n)
{
	char hint[160] = "";
	const char *nearest = fw_nearest_in(name, &fields[0].name, n, sizeof *fields);
	if (nearest)
		snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
	size_t length = fw_at_enter(at, name);
	int ret = fw_build_fail(b, at, hint, "a %s has no such field", fw_declared_words[at->declaration->kind]);
	fw_at_leave(at, length);
	return ret;
}

static const struct fw_field *find_field(const struct fw_field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

int fw_fields_read(struct fw_builder *b, struct fw_at *at, int table, const struct fw_field *fields, size_t n, void *into)
{
	lua_State *L = b->lua;
	struct fw_key *keys;
	size_t n_keys;
	int ret = fw_build_keys(b, at, table, &keys, &n_keys);
	for (size_t i = 0; ret != FW_ENOMEM && keys && i < n_keys; i++) {
		const char *name = keys[i].name.p;
		const struct fw_field *f = name ? find_field(fields, n, name) : NULL;
		if (!f) {
			ret = name ? unknown_field(b, at, name, fields, n) : fw_build_fail(b, at, "write name = value",
				"a value stands without a name");
			continue;
		}
		fw_build_push(b, table, &keys[i]);
		size_t length = fw_at_enter(at, name);
		if (f->read && f->read(b, at, lua_gettop(L), (char *)into + f->offset) < 0)
			ret = FW_EINVAL;
		fw_at_leave(at, length);
		lua_pop(L, 1);
	}
	return ret;
}

int fw_field_text(struct fw_builder *b, struct fw_at *at, int index, void *into)
{
	const char *text = fw_build_text_at(b, index);
	if (!text || !text[0])
		return fw_build_fail(b, at, NULL, "text was expected, not %s", text ? "empty text" : fw_build_type_name(b, index));
	*(const char **)into = text;
	return 0;
}

int fw_field_bool(struct fw_builder *b, struct fw_at *at, int index, void *into)
{
	if (lua_type(b->lua, index) != LUA_TBOOLEAN)
		return fw_build_fail(b, at, NULL, "true or false was expected, not %s", fw_build_type_name(b, index));
	*(bool *)into = lua_toboolean(b->lua, index);
	return 0;
}

/* The length of a list without holes and names. */
static int read_length(struct fw_builder *b, const struct fw_at *at, int index, size_t *ret)
{
	struct fw_key *keys;
	int code = fw_build_keys(b, at, index, &keys, ret);
	for (size_t i = 0; i < *ret && code == 0; i++) {
		if (keys[i].name.p)
			code = fw_build_fail(b, at, NULL, "a list of names was expected, not a table with \"%s\"", keys[i].name.p);
		else if (keys[i].position != (lua_Integer)i + 1)
			code = fw_build_fail(b, at, NULL, "the list has a hole (nil)");
	}
	return code;
}

int fw_field_texts(struct fw_builder *b, struct fw_at *at, int index, void *into)
{
	lua_State *L = b->lua;
	bool list = lua_type(L, index) == LUA_TTABLE && !fw_words_tag(L, index);
	size_t n = 1;
	if (list && read_length(b, at, index, &n) < 0)
		return FW_EINVAL;
	if (!list && lua_type(L, index) != LUA_TSTRING)
		return fw_build_fail(b, at, NULL, "a name or a list of names was expected, not %s", fw_build_type_name(b, index));
	if (n == 0)
		return fw_build_fail(b, at, "leave the field out for \"any\"", "the list names nothing");
	const char **texts = FW_NEW_ARRAY(&b->set->arena, n + 1, const char *);
	if (!texts)
		return fw_build_no_memory(b);
	for (size_t i = 0; i < n; i++) {
		if (list)
			lua_rawgeti(L, index, (lua_Integer)i + 1);
		else
			lua_pushvalue(L, index);
		texts[i] = fw_build_text_at(b, -1);
		lua_pop(L, 1);
		if (!texts[i] || !texts[i][0])
			return fw_build_fail(b, at, NULL, "the list holds something that is no name");
	}
	*(const char ***)into = texts;
	return 0;
}

int fw_field_duration(struct fw_builder *b, struct fw_at *at, int index, void *into)
{
	size_t n = 0;
	const char *s = lua_type(b->lua, index) == LUA_TSTRING ? lua_tolstring(b->lua, index, &n) : "";
	int64_t seconds = fw_duration_s((struct fw_str){ s, n });
	if (seconds <= 0)
		return fw_build_fail(b, at, "write it as \"90m\", \"1h\" or \"7d\"", "a duration was expected");
	*(int64_t *)into = seconds;
	return 0;
}

static int read_number(struct fw_builder *b, struct fw_at *at, int index, const char *wanted, double *ret)
{
	if (lua_type(b->lua, index) != LUA_TNUMBER)
		return fw_build_fail(b, at, NULL, "%s was expected, not %s", wanted, fw_build_type_name(b, index));
	*ret = lua_tonumber(b->lua, index);
	return isfinite(*ret) ? 0 : fw_build_fail(b, at, NULL, "%s was expected", wanted);
}

int fw_field_whole(struct fw_builder *b, struct fw_at *at, int index, void *into)
{
	double x = 0;
	int ret = read_number(b, at, index, "a whole number", &x);
	if (ret == 0 && (x != floor(x) || fabs(x) > 1e15))
		ret = fw_build_fail(b, at, NULL, "a whole number was expected, not %g", x);
	if (ret == 0)
		*(double *)into = x;
	return ret;
}

int fw_field_count(struct fw_builder *b, struct fw_at *at, int index, void *into)
{
	double x = 0;
	int ret = read_number(b, at, index, "a whole number from 1", &x);
	if (ret == 0 && (x != floor(x) || x < 1 || x > 1e9))
		ret = fw_build_fail(b, at, NULL, "a whole number from 1 was expected, not %g", x);
	if (ret == 0)
		*(uint32_t *)into = (uint32_t)x;
	return ret;
}

int fw_field_percent(struct fw_builder *b, struct fw_at *at, int index, void *into)
{
	double x = 0;
	int ret = read_number(b, at, index, "per cent of visitors", &x);
	if (ret == 0 && (x < 0 || x > 100))
		ret = fw_build_fail(b, at, "25 means a quarter of the visitors", "per cent are 0 to 100, not %g", x);
	if (ret == 0)
		*(double *)into = x;
	return ret;
}

int fw_field_any(struct fw_builder *b, struct fw_at *at, int index, void *into)
{
	(void)b;
	(void)at;
	(void)index;
	*(bool *)into = true;
	return 0;
}

static int read_content(struct fw_builder *b, struct fw_at *at, int index, struct fw_content_orders *orders, struct fw_content *content)
{
	content->given = true;
	content->function = FW_NONE;
	if (lua_type(b->lua, index) == LUA_TFUNCTION)
		return fw_build_function(b, at, index, true, &content->function);
	if (lua_type(b->lua, index) != LUA_TTABLE)
		return fw_build_fail(b, at, "write { banner = \"…\" }", "content is a table or a function, not %s",
			fw_build_type_name(b, index));
	struct fw_buf json;
	struct fw_error why;
	fw_buf_init(&json, 0);
	int ret = orders ? fw_content_write_show(b->lua, index, &json, orders, &why) : fw_content_write(b->lua, index, &json, &why);
	if (ret < 0) {
		ret = fw_build_fail(b, at, why.hint, "%s", why.message);
	} else {
		content->json.n = json.n;
		content->json.p = fw_build_copy(b, json.data, json.n);
		ret = content->json.p ? 0 : FW_ENOMEM;
		content->may_name_products = ret == 0 && fw_may_name_products(content->json);
	}
	fw_buf_finish(&json);
	if (ret == 0 && orders)
		ret = fw_order_compile(b, at, lua_gettop(b->lua), orders, content->json, &content->ordering);
	return ret;
}

int fw_field_content(struct fw_builder *b, struct fw_at *at, int index, void *into)
{
	return read_content(b, at, index, NULL, into);
}

int fw_field_show(struct fw_builder *b, struct fw_at *at, int index, void *into)
{
	struct fw_content_orders orders = { .arena = &b->scratch };
	int top = lua_gettop(b->lua);
	int ret = read_content(b, at, index, &orders, into);
	lua_settop(b->lua, top);
	return ret;
}
