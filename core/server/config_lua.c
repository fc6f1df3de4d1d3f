#include "server/config_lua.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <math.h>
#include <stdlib.h>

#include "base/limits.h"

enum { DEPTH = 32 };

struct eval {
	struct fw_arena *arena;
	struct fw_config_set *first, **last;
	size_t bytes;
	long instructions;
};

static const char *const words[] = { "env", "ipairs", "pairs", "tonumber", "tostring", "type", "select", "assert", "error" };

static struct eval *eval_of(lua_State *L)
{
	return *(struct eval **)lua_getextraspace(L);
}

static void *bounded(void *ud, void *block, size_t before, size_t after)
{
	struct eval *e = ud;
	size_t held = block ? before : 0;
	if (after > held && e->bytes + (after - held) > FW_LIMIT_CONFIG_BYTES)
		return NULL;
	if (after == 0) {
		free(block);
		e->bytes -= held;
		return NULL;
	}
	void *moved = realloc(block, after);
	if (moved)
		e->bytes += after - held;
	return moved;
}

static void count(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	struct eval *e = eval_of(L);
	e->instructions += 1000;
	if (e->instructions > FW_LIMIT_CONFIG_INSTRUCTIONS)
		luaL_error(L, "the configuration runs too long");
}

/* Appends what is wrong to the names that lead to it; `path` is for messages. */
static struct fw_json *convert(lua_State *L, int index, const char *path, int depth);

static struct fw_json *new_value(lua_State *L, enum fw_json_type type)
{
	struct fw_json *v = FW_NEW(eval_of(L)->arena, struct fw_json);
	if (!v)
		luaL_error(L, "not enough memory");
	else
		v->type = type;
	return v;
}

static struct fw_str copy_text(lua_State *L, int index)
{
	size_t n;
	const char *s = lua_tolstring(L, index, &n);
	char *copy = fw_arena_strndup(eval_of(L)->arena, s, n);
	if (!copy)
		luaL_error(L, "not enough memory");
	return (struct fw_str){ copy, n };
}

static void convert_list(lua_State *L, int index, const char *path, int depth, struct fw_json *list)
{
	struct fw_json **last = &list->child;
	lua_Integer n = (lua_Integer)lua_rawlen(L, index);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(L, index, i);
		*last = convert(L, lua_gettop(L), path, depth + 1);
		last = &(*last)->next;
		list->count++;
		lua_pop(L, 1);
	}
}

static void insert_sorted(struct fw_json *object, struct fw_json *member)
{
	struct fw_json **at = &object->child;
	while (*at && fw_str_compare((*at)->key, member->key) < 0)
		at = &(*at)->next;
	member->next = *at;
	*at = member;
	object->count++;
}

static void convert_object(lua_State *L, int index, const char *path, int depth, struct fw_json *object)
{
	lua_pushnil(L);
	while (lua_next(L, index)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L, "%s mixes a list and named values", path);
		const char *inner = lua_pushfstring(L, "%s.%s", path, lua_tostring(L, -2));
		struct fw_json *member = convert(L, lua_gettop(L) - 1, inner, depth + 1);
		member->key = copy_text(L, -3);
		insert_sorted(object, member);
		lua_pop(L, 2);
	}
}

static struct fw_json *convert_table(lua_State *L, int index, const char *path, int depth)
{
	bool list = lua_rawlen(L, index) > 0;
	if (depth > DEPTH)
		luaL_error(L, "%s is nested too deeply", path);
	luaL_checkstack(L, 8, path);
	struct fw_json *v = new_value(L, list ? FW_JSON_ARRAY : FW_JSON_OBJECT);
	if (!list) {
		convert_object(L, index, path, depth, v);
		return v;
	}
	lua_pushnil(L);
	while (lua_next(L, index)) {
		if (!lua_isinteger(L, -2))
			luaL_error(L, "%s mixes a list and named values", path);
		lua_pop(L, 1);
	}
	convert_list(L, index, path, depth, v);
	return v;
}

static struct fw_json *convert(lua_State *L, int index, const char *path, int depth)
{
	struct fw_json *v;
	switch (lua_type(L, index)) {
	case LUA_TSTRING:
		v = new_value(L, FW_JSON_STRING);
		v->string = copy_text(L, index);
		return v;
	case LUA_TNUMBER:
		v = new_value(L, FW_JSON_NUMBER);
		v->number = lua_tonumber(L, index);
		if (!isfinite(v->number))
			luaL_error(L, "%s is no finite number", path);
		return v;
	case LUA_TBOOLEAN:
		v = new_value(L, FW_JSON_BOOL);
		v->boolean = lua_toboolean(L, index);
		return v;
	case LUA_TTABLE:
		return convert_table(L, index, path, depth);
	default:
		luaL_error(L, "%s is a %s; text, numbers, true, false and tables can be configured", path, luaL_typename(L, index));
		return NULL;
	}
}

static int line_of_caller(lua_State *L)
{
	lua_Debug ar;
	return lua_getstack(L, 1, &ar) && lua_getinfo(L, "l", &ar) ? ar.currentline : 0;
}

/* _ENV.__newindex(env, name, value): _ENV stays empty, so every assignment to a global comes here. */
static int on_set(lua_State *L)
{
	struct eval *e = eval_of(L);
	const char *name = luaL_checkstring(L, 2);
	for (const struct fw_config_set *set = e->first; set; set = set->next)
		if (fw_str_is(set->value->key, name))
			return luaL_error(L, "%s is set twice", name);
	if (lua_isnil(L, 3))
		return 0; /* env "NAME" of a variable that is not set */
	struct fw_config_set *set = FW_NEW(e->arena, struct fw_config_set);
	if (!set)
		return luaL_error(L, "not enough memory");
	set->value = convert(L, 3, name, 0);
	set->value->key = copy_text(L, 2);
	set->line = line_of_caller(L);
	*e->last = set;
	e->last = &set->next;
	return 0;
}

/* _ENV.__index(env, name) */
static int on_get(lua_State *L)
{
	const char *name = luaL_checkstring(L, 2);
	lua_pushvalue(L, 2);
	lua_rawget(L, lua_upvalueindex(1));
	if (!lua_isnil(L, -1))
		return 1;
	const char *nearest = fw_nearest(name, words, sizeof words / sizeof *words);
	if (nearest)
		return luaL_error(L, "%s is not defined; did you mean %s?", name, nearest);
	return luaL_error(L, "%s is not defined; did you mean \"%s\" in quotes?", name, name);
}

static int on_env(lua_State *L)
{
	const char *value = getenv(luaL_checkstring(L, 1));
	if (value && *value)
		lua_pushstring(L, value);
	else
		lua_pushnil(L);
	return 1;
}

static void push_words(lua_State *L)
{
	luaL_requiref(L, "_G", luaopen_base, 0);
	lua_newtable(L);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(words[i], "env") == 0)
			lua_pushcfunction(L, on_env);
		else
			lua_getfield(L, -2, words[i]);
		lua_setfield(L, -2, words[i]);
	}
	lua_remove(L, -2);
}

/* In protected mode; argument 1 is the text as a light pointer. */
static int run(lua_State *L)
{
	const struct fw_str *text = lua_touserdata(L, 1);
	if (luaL_loadbufferx(L, text->p, text->n, "=config", "t") != LUA_OK)
		return lua_error(L);
	lua_newtable(L); /* _ENV */
	lua_newtable(L);
	push_words(L);
	lua_pushcclosure(L, on_get, 1);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, on_set);
	lua_setfield(L, -2, "__newindex");
	lua_setmetatable(L, -2);
	lua_setupvalue(L, -2, 1);
	lua_sethook(L, count, LUA_MASKCOUNT, 1000);
	lua_call(L, 0, 0);
	return 0;
}

/* "config:12: what" apart into line and what. */
static int fail(lua_State *L, const char *file, struct fw_error *err)
{
	const char *message = lua_tostring(L, -1);
	int line = 0;
	if (message && strncmp(message, "config:", 7) == 0) {
		char *end;
		line = (int)strtol(message + 7, &end, 10);
		message = *end == ':' ? end + 1 : end;
		message += *message == ' ';
	}
	if (!message)
		message = "the configuration raised an error";
	if (strstr(message, "not enough memory"))
		return fw_fail(err, FW_EINVAL, file, line, "the configuration takes too much memory");
	return fw_fail(err, FW_EINVAL, file, line, "%s", message);
}

int fw_config_eval(struct fw_arena *a, struct fw_str text, const char *file, struct fw_config_set **ret_first,
	struct fw_error *err)
{
	struct eval e = { .arena = a };
	e.last = &e.first;
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		text = (struct fw_str){ text.p + 3, text.n - 3 };
	lua_State *L = lua_newstate(bounded, &e);
	if (!L)
		return fw_fail(err, FW_ENOMEM, file, 0, "out of memory");
	*(struct eval **)lua_getextraspace(L) = &e;
	int rc = 0;
	lua_pushcfunction(L, run);
	lua_pushlightuserdata(L, &text);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK)
		rc = fail(L, file, err);
	lua_close(L);
	if (rc == 0)
		*ret_first = e.first;
	return rc;
}
