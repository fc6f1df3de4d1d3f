#include <lauxlib.h>
#include <stdio.h>

#include "rules/builder.h"
#include "rules/lib.h"
#include "rules/purity.h"

/* A walk over everything that functions of declarations can reach: other functions, through their variables and through
 * tables, which are frozen on the way. The Lua table at `seen` has each function met as a key; the one at `queue` those
 * still to be looked at. */
struct walk {
	struct fw_builder *b;
	int seen, queue;
	lua_Integer n, done;
	int env; /* of the function being looked at, or 0 */
	char file[256]; /* of that function */
	int line;
};

/* What pairs and gmatch give back remembers where it is: one that is shared would carry that from visitor to visitor. */
static void refuse_iterator(struct walk *w, int index)
{
	if (!fw_lib_is_iterator(w->b->lua, index))
		return;
	struct fw_error *err = fw_errors_add(w->b->errors);
	fw_fail(err, FW_EINVAL, w->file, w->line, "the function begun on this line uses an iterator of pairs or gmatch made outside it, which remembers where it is");
	fw_hint(err, "call pairs or gmatch inside the function");
	w->b->failed = true;
}

static void enqueue(struct walk *w, int index)
{
	lua_State *L = w->b->lua;
	index = lua_absindex(L, index);
	if (lua_iscfunction(L, index)) {
		refuse_iterator(w, index);
		return;
	}
	lua_pushvalue(L, index);
	bool known = lua_rawget(L, w->seen) != LUA_TNIL;
	lua_pop(L, 1);
	if (known)
		return;
	lua_pushvalue(L, index);
	lua_pushboolean(L, 1);
	lua_rawset(L, w->seen);
	lua_pushvalue(L, index);
	lua_rawseti(L, w->queue, ++w->n);
}

static void visit(struct walk *w, int index)
{
	lua_State *L = w->b->lua;
	int type = lua_type(L, index);
	index = lua_absindex(L, index);
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

/* A global that a function reads: it must mean something, and what it means is reached too. */
static int on_global(void *ctx, const char *file, int line, const char *name, struct fw_error *err)
{
	struct walk *w = ctx;
	lua_State *L = w->b->lua;
	if (!w->env)
		return 0;
	lua_pushstring(L, name);
	if (lua_rawget(L, w->env) != LUA_TNIL) {
		visit(w, -1);
		lua_pop(L, 1);
		return 0;
	}
	lua_pop(L, 1);
	const char *const *names = fw_words_names();
	size_t n = 0;
	for (; names[n]; n++)
		if (strcmp(names[n], name) == 0)
			return 0;
	const char *nearest = fw_nearest(name, names, n);
	fw_fail(err, FW_EINVAL, file, line, "%s is not defined", name);
	fw_hint(err, nearest ? "did you mean %s?" : "did you mean \"%s\" in quotes?", nearest ? nearest : name);
	return FW_EINVAL;
}

static void visit_function(struct walk *w, int function)
{
	lua_State *L = w->b->lua;
	struct fw_error err = { .message = "" };
	const char *name;
	lua_Debug ar;
	lua_pushvalue(L, function);
	lua_getinfo(L, ">S", &ar);
	snprintf(w->file, sizeof w->file, "%s", ar.source + (ar.source[0] == '@'));
	w->line = ar.linedefined;
	w->env = 0;
	int top = lua_gettop(L);
	for (int i = 1; (name = lua_getupvalue(L, function, i)); i++) {
		if (strcmp(name, "_ENV") == 0)
			w->env = lua_gettop(L); /* only the names it reads are reached through it */
		else
			visit(w, -1);
	}
	lua_checkstack(L, 8);
	lua_pushvalue(L, function);
	if (fw_purity_check(L, on_global, w, &err) < 0) {
		*fw_errors_add(w->b->errors) = err;
		w->b->failed = true;
	}
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
	for (uint32_t i = 0; i < b->functions.n; i++) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, b->functions.items[i].lua_ref);
		visit(w, -1);
		lua_pop(L, 1);
	}
	while (w->done < w->n) {
		lua_rawgeti(L, w->queue, ++w->done);
		visit_function(w, lua_gettop(L));
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
		fw_fail(fw_errors_add(b->errors), FW_EINVAL, NULL, 0, "%s", lua_tostring(L, -1));
		lua_pop(L, 1);
		b->failed = true;
	}
	return b->failed ? FW_EINVAL : 0;
}
