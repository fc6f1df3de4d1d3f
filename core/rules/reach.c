#include <lauxlib.h>
#include <stdio.h>

#include "rules/builder.h"
#include "rules/lib.h"
#include "rules/purity.h"

/* A walk over everything that functions of declarations can reach: other functions, through their variables and through
 * tables, which are frozen on the way. The Lua table at `seen` has each function met as a key; the one at `queue` those
 * still to be looked at; the one at `files` the environments of rule files. Of those only the names that functions read
 * are reached, so that a helper which only runs while its file loads may keep count. */
struct walk {
	struct fw_builder *b;
	int seen, queue, files;
	lua_Integer n, done;
	int function; /* the one being looked at, and where it is written */
	struct { const char *source; int linedefined; } place;
};

static void fail(struct walk *w, const struct fw_error *err)
{
	*fw_errors_add(w->b->errors) = *err;
	w->b->failed = true;
}

/* An iterator of pairs or gmatch knows how far it went. */
static void refuse_iterator(struct walk *w)
{
	struct fw_error err;
	fw_fail(&err, FW_EINVAL, w->place.source, w->place.linedefined,
		"a function uses what gmatch or pairs gave while the file loaded, which remembers how far it went: nothing may outlive a "
		"call");
	fw_hint(&err, "call gmatch or pairs inside the function");
	fail(w, &err);
}

static void enqueue(struct walk *w, int index)
{
	lua_State *L = w->b->lua;
	index = lua_absindex(L, index);
	lua_pushvalue(L, index);
	bool known = lua_rawget(L, w->seen) != LUA_TNIL;
	lua_pop(L, 1);
	if (known)
		return;
	lua_pushvalue(L, index);
	lua_pushboolean(L, 1);
	lua_rawset(L, w->seen);
	if (fw_lib_is_iterator(L, index))
		refuse_iterator(w);
	if (lua_iscfunction(L, index))
		return;
	lua_pushvalue(L, index);
	lua_rawseti(L, w->queue, ++w->n);
}

static void visit(struct walk *w, int index)
{
	lua_State *L = w->b->lua;
	int type = lua_type(L, index);
	index = lua_absindex(L, index);
	fw_lib_check_reached(L, index);
	if (type == LUA_TFUNCTION) {
		enqueue(w, index);
	} else if (type == LUA_TTABLE) {
		lua_newtable(L);
		int functions = lua_gettop(L);
		fw_lib_freeze(L, index, functions);
		for (lua_pushnil(L); lua_next(L, functions); lua_pop(L, 1))
			enqueue(w, -2);
		lua_pop(L, 1);
	}
}

/* Whether the value is the environment of a rule file, which holds all the file's names. */
static bool is_environment(struct walk *w, int index)
{
	lua_State *L = w->b->lua;
	lua_pushvalue(L, index);
	bool is = lua_type(L, -1) == LUA_TTABLE && lua_rawget(L, w->files) != LUA_TNIL;
	lua_pop(L, 1);
	return is;
}

static int undefined(const char *file, int line, const char *name, struct fw_error *err)
{
	const char *const *names = fw_words_names();
	for (size_t n = 0; names[n]; n++)
		if (strcmp(names[n], name) == 0)
			return 0;
	char hint[160];
	fw_fail(err, FW_EINVAL, file, line, "%s is not defined", name);
	fw_hint(err, "%s", fw_words_hint(name, hint, sizeof hint));
	return FW_EINVAL;
}

/* A global that a function reads: it must mean something, and what it means is reached too. */
static int on_global(void *ctx, int upvalue, const char *file, int line, const char *name, struct fw_error *err)
{
	struct walk *w = ctx;
	lua_State *L = w->b->lua;
	int top = lua_gettop(L), ret = 0;
	lua_getupvalue(L, w->function, upvalue);
	if (!is_environment(w, -1)) {
		ret = 0; /* some other value that the file calls _ENV: reached already, as any other */
	} else if (!name) {
		visit(w, -1);
	} else {
		fw_lib_contents(L, -1);
		lua_pushstring(L, name);
		if (lua_rawget(L, -2) != LUA_TNIL)
			visit(w, -1);
		else
			ret = undefined(file, line, name, err);
	}
	lua_settop(L, top);
	return ret;
}

static void visit_function(struct walk *w)
{
	lua_State *L = w->b->lua;
	struct fw_error err = { .message = "" };
	int top = lua_gettop(L);
	lua_Debug ar;
	lua_checkstack(L, 12);
	lua_pushvalue(L, w->function);
	lua_getinfo(L, ">S", &ar);
	w->place.source = ar.source + 1; /* behind the "@" */
	w->place.linedefined = ar.linedefined;
	for (int i = 1; lua_getupvalue(L, w->function, i); i++) {
		if (!is_environment(w, -1) || strcmp(lua_getupvalue(L, w->function, i), "_ENV") != 0)
			visit(w, top + 1);
		lua_settop(L, top);
	}
	lua_pushvalue(L, w->function);
	if (fw_purity_check(L, &w->b->scratch, on_global, w, &err) < 0)
		fail(w, &err);
	fw_arena_reset(&w->b->scratch);
	lua_settop(L, top);
}

static int walk_all(lua_State *L)
{
	struct walk *w = lua_touserdata(L, 1);
	struct fw_builder *b = w->b;
	lua_newtable(L);
	w->seen = lua_gettop(L);
	lua_newtable(L);
	w->queue = lua_gettop(L);
	lua_newtable(L);
	w->files = lua_gettop(L);
	for (uint32_t i = 0; i < b->sources.n; i++) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, b->sources.items[i].env_ref);
		lua_pushboolean(L, 1);
		lua_rawset(L, w->files);
	}
	for (uint32_t i = 0; i < b->functions.n; i++) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, b->functions.items[i].lua_ref);
		visit(w, -1);
		lua_pop(L, 1);
	}
	while (w->done < w->n) {
		lua_rawgeti(L, w->queue, ++w->done);
		w->function = lua_gettop(L);
		visit_function(w);
		lua_pop(L, 1);
	}
	for (uint32_t i = 0; i < b->sources.n; i++) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, b->sources.items[i].env_ref);
		fw_lib_freeze(L, lua_gettop(L), 0);
		lua_pop(L, 1);
	}
	return 0;
}

int fw_reach_check(struct fw_builder *b)
{
	struct walk w = { .b = b };
	lua_State *L = b->lua;
	lua_pushcfunction(L, walk_all);
	lua_pushlightuserdata(L, &w);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
		fw_fail(fw_errors_add(b->errors), FW_EINVAL, w.place.source, w.place.linedefined, "%s", lua_tostring(L, -1));
		lua_pop(L, 1);
		b->failed = true;
	}
	return b->failed ? FW_EINVAL : 0;
}
