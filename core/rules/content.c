#include "rules/content.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "rules/builder.h"
#include "rules/lib.h"
#include "rules/visitor.h"

/* Where in the content it is: a key, or a position. */
struct step {
	const char *key; /* NULL: a position */
	lua_Integer at;
	const struct step *outer;
};

struct writer {
	lua_State *L;
	struct fw_json_out out;
	struct fw_error *err;
	size_t begin; /* where this content starts in the buffer */
	bool given;   /* a visitor, whose `events` may stand as { "Product Viewed", category = "boots", ago = "2d" } */
	struct fw_content_orders *orders; /* where `order` may stand, or NULL; its tables go into the one on the stack at … */
	int specs;                        /* … this place */
	bool in_order;
	const struct step *step;
};

static void put_path(const struct step *s, struct fw_buf *out)
{
	if (!s)
		return;
	put_path(s->outer, out);
	fw_buf_puts(out, s->outer ? "." : " at ");
	if (s->key)
		fw_buf_puts(out, s->key);
	else
		fw_buf_printf(out, "%lld", (long long)s->at);
}

static int refuse(struct writer *w, const char *hint, const char *what)
{
	struct fw_buf path;
	fw_buf_init(&path, 0);
	put_path(w->step, &path);
	fw_fail(w->err, FW_EINVAL, NULL, 0, "content%.200s: %s", fw_buf_text(&path), what);
	fw_buf_finish(&path);
	if (hint)
		fw_hint(w->err, "%s", hint);
	return FW_EINVAL;
}

static int refuse_word(struct writer *w, const char *word)
{
	char what[60];
	bool order = strcmp(word, "order") == 0;
	snprintf(what, sizeof what, "%s is no content", word);
	return refuse(w, !order ? NULL : w->orders ? "an order has no other in its items"
		: "order { … } stands in a rule's `show`; what a function makes it can put in order by table.sort", what);
}

static int write_value(struct writer *w, int index, int depth);

static int compare_keys(const void *x, const void *y)
{
	return fw_str_compare(*(const struct fw_str *)x, *(const struct fw_str *)y);
}

/* Writes what lies on top of the stack, and takes it from there. */
static int write_part(struct writer *w, const char *key, lua_Integer at, int depth)
{
	const struct step step = { key, at, w->step };
	w->step = &step;
	int ret = write_value(w, lua_gettop(w->L), depth + 1);
	w->step = step.outer;
	lua_pop(w->L, 1);
	return ret;
}

static int write_array(struct writer *w, int table, lua_Integer n, int depth)
{
	int ret = 0;
	fw_json_open_array(&w->out);
	for (lua_Integer i = 1; i <= n && ret == 0; i++) {
		lua_rawgeti(w->L, table, i);
		ret = write_part(w, NULL, i, depth);
	}
	fw_json_close_array(&w->out);
	return ret;
}

/* The members with text keys, without the one named `but` (or NULL). */
static int write_object(struct writer *w, int table, size_t n, const char *but, int depth)
{
	lua_State *L = w->L;
	struct fw_str *keys = lua_newuserdatauv(L, n * sizeof *keys, 0);
	size_t k = 0;
	int ret = 0;
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
		size_t length;
		if (lua_type(L, -2) != LUA_TSTRING || (but && strcmp(lua_tostring(L, -2), but) == 0))
			continue;
		keys[k].p = lua_tolstring(L, -2, &length);
		keys[k++].n = length;
	}
	qsort(keys, k, sizeof *keys, compare_keys);
	fw_json_open_object(&w->out);
	for (size_t i = 0; i < k && ret == 0; i++) {
		fw_json_key_str(&w->out, keys[i]);
		lua_pushlstring(L, keys[i].p, keys[i].n);
		lua_rawget(L, table);
		ret = write_part(w, keys[i].p, 0, depth);
	}
	fw_json_close_object(&w->out);
	lua_pop(L, 1);
	return ret;
}

static bool is_event(const struct writer *w)
{
	const struct step *s = w->step, *outer = s ? s->outer : NULL;
	return w->given && outer && !outer->outer && outer->key && strcmp(outer->key, "events") == 0;
}

/* { "Product Viewed", category = "boots", ago = "2d" } as JSON has it: what has a name is a property, but for `ago`. */
static int write_event(struct writer *w, int table, size_t texts, int depth)
{
	int ret = 0;
	fw_json_open_object(&w->out);
	lua_pushliteral(w->L, "ago");
	if (lua_rawget(w->L, table) != LUA_TNIL) {
		fw_json_key(&w->out, "ago");
		ret = write_value(w, lua_gettop(w->L), depth + 1);
	}
	lua_pop(w->L, 1);
	fw_json_key(&w->out, "event");
	lua_rawgeti(w->L, table, 1);
	if (ret == 0)
		ret = write_value(w, lua_gettop(w->L), depth + 1);
	lua_pop(w->L, 1);
	fw_json_key(&w->out, "properties");
	if (ret == 0)
		ret = write_object(w, table, texts, "ago", depth);
	fw_json_close_object(&w->out);
	return ret;
}

/* The path as errors about a declaration have it: positions with a "#". */
static void put_place(const struct step *s, struct fw_buf *out)
{
	if (!s)
		return;
	put_place(s->outer, out);
	if (s->outer)
		fw_buf_putc(out, '.');
	if (s->key)
		fw_buf_puts(out, s->key);
	else
		fw_buf_printf(out, "#%lld", (long long)s->at);
}

static int name_order(struct writer *w, struct fw_content_order *o)
{
	struct fw_buf path;
	struct fw_str kept;
	fw_buf_init(&path, 0);
	put_place(w->step, &path);
	fw_buf_putc(&path, '\0');
	int ret = fw_buf_keep(&path, w->orders->arena, &kept);
	o->path = kept.p;
	return ret < 0 ? refuse(w, NULL, "out of memory") : 0;
}

/* The items, in the array that stands at `table`; each one's place is noted. */
static int write_items(struct writer *w, int table, struct fw_content_order *o, int depth)
{
	int ret = 0;
	o->from = w->out.buf->n + w->out.comma - w->begin;
	fw_json_open_array(&w->out);
	for (uint32_t i = 0; i < o->n && ret == 0; i++) {
		o->items[i] = w->out.buf->n + w->out.comma - w->begin;
		lua_rawgeti(w->L, table, (lua_Integer)i + 1);
		ret = write_part(w, NULL, (lua_Integer)i + 1, depth + 1);
	}
	o->items[o->n] = w->out.buf->n + 1 - w->begin;
	fw_json_close_array(&w->out);
	o->to = w->out.buf->n - w->begin;
	return ret;
}

/* `order { items = { … }, … }`: its list, as it is written. What else it says is for rules/order.c. */
static int write_order(struct writer *w, int index, int depth)
{
	lua_State *L = w->L;
	struct fw_content_order *o = &w->orders->items[w->orders->n];
	if (w->in_order)
		return refuse_word(w, "order");
	if (!w->step)
		return refuse(w, "write show = { stories = order { … } }", "the list has no name");
	if (w->orders->n == FW_LIMIT_ORDER_LISTS)
		return refuse(w, NULL, "there are too many orders for one rule");
	lua_pushvalue(L, index);
	lua_rawseti(L, w->specs, (lua_Integer)w->orders->n + 1);
	lua_pushliteral(L, "items");
	lua_rawget(L, index);
	int table = lua_gettop(L);
	if (lua_type(L, table) != LUA_TTABLE || (fw_words_tag(L, table) && strcmp(fw_words_tag(L, table), "list") != 0))
		return refuse(w, "write items = { … }", "an order has a list of items");
	fw_lib_contents(L, table);
	table = lua_gettop(L);
	o->n = (uint32_t)lua_rawlen(L, table);
	if (o->n == 0)
		return refuse(w, "items are ids of products, or tables: items = { { id = \"a\", category = \"boots\" }, … }",
			"an order has a list of items, and this has none");
	if (o->n > FW_LIMIT_ORDER_ITEMS)
		return refuse(w, NULL, "there are more items than an order may have");
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
		if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 1 || lua_tointeger(L, -2) > (lua_Integer)o->n)
			return refuse(w, "write items = { …, … }", "the items are no list");
	o->items = FW_NEW_ARRAY(w->orders->arena, o->n + 1, size_t);
	if (!o->items || name_order(w, o) < 0)
		return refuse(w, NULL, "out of memory");
	w->orders->n++;
	w->in_order = true;
	int ret = write_items(w, table, o, depth);
	w->in_order = false;
	return ret;
}

static int write_table(struct writer *w, int index, int depth)
{
	lua_State *L = w->L;
	const char *tag = fw_words_tag(L, index);
	if (depth > FW_LIMIT_CONTENT_DEPTH || !lua_checkstack(L, 8))
		return refuse(w, "a table that holds itself cannot be written", "nested too deep");
	if (tag && strcmp(tag, "order") == 0 && w->orders) {
		int ret = write_order(w, index, depth);
		lua_settop(L, index);
		return ret;
	}
	if (tag && strcmp(tag, "list") != 0)
		return refuse_word(w, tag);
	if (fw_visitor_is_part(L, index))
		return refuse(w, "name what is wanted of it: { name = v.traits.first_name }", "the visitor is no content");
	fw_lib_contents(L, index);
	int table = lua_gettop(L), ret;
	size_t texts = 0, positions = 0, others = 0;
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
		if (texts + positions > FW_LIMIT_CONTENT_BYTES) { /* each takes a byte at least */
			lua_settop(L, table - 1);
			return refuse(w, NULL, "it is larger than the limit for one winner");
		}
		texts += lua_type(L, -2) == LUA_TSTRING;
		positions += lua_isinteger(L, -2) != 0;
		others += lua_type(L, -2) != LUA_TSTRING && !lua_isinteger(L, -2);
	}
	size_t n = lua_rawlen(L, table);
	if (!others && texts && positions == 1 && n == 1 && !tag && is_event(w))
		ret = write_event(w, table, texts, depth);
	else if (others || (texts && (positions || tag)))
		ret = refuse(w, "an array has the keys 1…n, an object has text keys", "a table with both kinds of keys");
	else if (positions && positions != n)
		ret = refuse(w, NULL, "an array with a hole");
	else if (positions || tag)
		ret = write_array(w, table, (lua_Integer)n, depth);
	else
		ret = write_object(w, table, texts, NULL, depth);
	lua_settop(L, table - 1);
	return ret;
}

static int write_value(struct writer *w, int index, int depth)
{
	lua_State *L = w->L;
	size_t n;
	if (w->out.buf->n - w->begin > FW_LIMIT_CONTENT_BYTES || w->out.buf->failed)
		return refuse(w, NULL, "it is larger than the limit for one winner");
	switch (lua_type(L, index)) {
	case LUA_TNIL: fw_json_null(&w->out); return 0;
	case LUA_TBOOLEAN: fw_json_bool(&w->out, lua_toboolean(L, index)); return 0;
	case LUA_TNUMBER:
		if (!isfinite(lua_tonumber(L, index)))
			return refuse(w, NULL, "a number that is not finite");
		if (lua_isinteger(L, index)) {
			char text[24];
			fw_json_raw(&w->out, (struct fw_str){ text, fw_whole_text(lua_tointeger(L, index), text) });
		} else {
			fw_json_number(&w->out, lua_tonumber(L, index));
		}
		return 0;
	case LUA_TSTRING: {
		const char *s = lua_tolstring(L, index, &n);
		fw_json_string(&w->out, (struct fw_str){ s, n });
		return 0;
	}
	case LUA_TTABLE: return write_table(w, index, depth);
	default: return refuse(w, "content is what JSON can say", lua_type(L, index) == LUA_TFUNCTION ? "a function"
		: "a value that JSON has no word for");
	}
}

/* Protected: the writer, the value. Gives the table of orders, and the outcome. */
static int write_protected(lua_State *L)
{
	struct writer *w = lua_touserdata(L, 1);
	lua_newtable(L);
	w->specs = 3;
	lua_pushinteger(L, write_value(w, 2, 0));
	return 2;
}

static int write_content(lua_State *L, int index, bool given, struct fw_content_orders *orders, struct fw_buf *out, struct fw_error *err)
{
	struct writer w = { .L = L, .err = err, .begin = out->n, .given = given, .orders = orders };
	index = lua_absindex(L, index);
	fw_json_out_init(&w.out, out);
	if (!lua_checkstack(L, 4))
		return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	lua_pushcfunction(L, write_protected);
	lua_pushlightuserdata(L, &w);
	lua_pushvalue(L, index);
	int top = lua_gettop(L) - 3;
	int status = lua_pcall(L, 2, 2, 0);
	int ret = status == LUA_OK ? (int)lua_tointeger(L, -1) : fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	if (ret == 0 && (out->failed || out->n - w.begin > FW_LIMIT_CONTENT_BYTES))
		ret = refuse(&w, NULL, "it is larger than the limit for one winner");
	lua_settop(L, ret == 0 && orders ? top + 1 : top);
	return ret;
}

int fw_content_write(lua_State *L, int index, struct fw_buf *out, struct fw_error *err)
{
	return write_content(L, index, false, NULL, out, err);
}

int fw_content_write_given(lua_State *L, int index, struct fw_buf *out, struct fw_error *err)
{
	return write_content(L, index, true, NULL, out, err);
}

int fw_content_write_show(lua_State *L, int index, struct fw_buf *out, struct fw_content_orders *ret, struct fw_error *err)
{
	return write_content(L, index, false, ret, out, err);
}
