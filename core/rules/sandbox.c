#include "rules/sandbox.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/lib.h"

/* The hook fires every so many instructions; budgets are multiples of it. */
enum { HOOK_INTERVAL = 1000, SHORT_STRING = 40, FIRST_STRING_TABLE = 128, LARGEST_BLOCK = 64 << 20 };

struct call {
	struct call *outer;
	lua_State *thread;
	int64_t instructions, bytes; /* left */
	enum fw_outcome fired;       /* FW_CALL_DONE: not yet */
};

struct fw_sandbox {
	lua_State *lua;
	struct call *call; /* the innermost one running */
	void *contexts[FW_CONTEXTS];
	uintptr_t string_table; /* Lua's table of short strings: its growth is no one call's */
	int64_t bytes;
};

const struct fw_budget fw_budget_call = { FW_LIMIT_CALL_INSTRUCTIONS, FW_LIMIT_CALL_BYTES };
const struct fw_budget fw_budget_load = { FW_LIMIT_LOAD_INSTRUCTIONS, FW_LIMIT_LOAD_BYTES };

static void hook(lua_State *L, lua_Debug *ar);

static void fire(struct call *c, enum fw_outcome why)
{
	if (c->fired != FW_CALL_DONE)
		return;
	c->fired = why;
	lua_sethook(c->thread, hook, LUA_MASKCOUNT, 1); /* the next instruction is the last */
}

static void charge_bytes(struct fw_sandbox *s, void *block, size_t old, size_t size)
{
	struct call *c = s->call;
	if (!c || (block && (uintptr_t)block == s->string_table))
		return;
	/* For a new object Lua passes its type in place of the old size. */
	if (!block && old == LUA_TSTRING && size <= SHORT_STRING + 32)
		return;
	size_t before = block ? old : 0;
	if (size <= before)
		return;
	c->bytes -= (int64_t)(size - before);
	if (c->bytes < 0)
		fire(c, FW_CALL_BYTES);
}

static __attribute__((noinline)) void *resize(void *block, size_t size)
{
	return realloc(block, size);
}

static void *allocate(void *ud, void *block, size_t old, size_t size)
{
	struct fw_sandbox *s = ud;
	size_t had = block ? old : 0;
	if (size == 0) {
		free(block);
		s->bytes -= (int64_t)had;
		return NULL;
	}
	charge_bytes(s, block, old, size);
	if (size > LARGEST_BLOCK && s->call && size > had)
		return NULL;
	bool is_string_table = block && (uintptr_t)block == s->string_table, is_new = !block;
	void *p = resize(block, size);
	if (!p)
		return NULL;
	s->bytes += (int64_t)size - (int64_t)had;
	/* While the state is made, the one vector of this size is the table of short strings. */
	bool made_now = !s->lua && !s->string_table && is_new && old == 0 && size == FIRST_STRING_TABLE * sizeof(void *);
	if (made_now || is_string_table)
		s->string_table = (uintptr_t)p;
	return p;
}

/* Ends the running call: by a yield, which nothing catches; inside a C function's callback, where Lua cannot yield, by an
 * error, and the hook then fires again at the next instruction. */
static void end_call(lua_State *L, bool in_hook)
{
	if (lua_isyieldable(L)) {
		int r = lua_yield(L, 0);
		if (in_hook)
			return;
		(void)r;
	}
	luaL_error(L, "the call's budget is used up");
}

static void hook(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	struct fw_sandbox *s = fw_sandbox_of(L);
	struct call *c = s->call;
	if (!c)
		return;
	if (c->fired == FW_CALL_DONE) {
		c->instructions -= HOOK_INTERVAL;
		if (c->instructions >= 0)
			return;
		fire(c, FW_CALL_INSTRUCTIONS);
	}
	end_call(L, true);
}

void fw_lib_charge(lua_State *L, size_t instructions)
{
	struct call *c = fw_sandbox_of(L)->call;
	if (!c)
		return;
	c->instructions -= instructions < (size_t)INT64_MAX / 2 ? (int64_t)instructions : INT64_MAX / 2;
	if (c->instructions < 0)
		fire(c, FW_CALL_INSTRUCTIONS);
	if (c->fired != FW_CALL_DONE)
		end_call(L, false);
}

static int open_library(lua_State *L)
{
	fw_lib_open(L);
	return 0;
}

struct fw_sandbox *fw_sandbox_create(void)
{
	struct fw_sandbox *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->lua = lua_newstate(allocate, s);
	if (!s->lua) {
		free(s);
		return NULL;
	}
	lua_gc(s->lua, LUA_GCSTOP);
	lua_pushcfunction(s->lua, open_library);
	if (lua_pcall(s->lua, 0, 0, 0) != LUA_OK) {
		fw_sandbox_destroy(s);
		return NULL;
	}
	return s;
}

void fw_sandbox_destroy(struct fw_sandbox *s)
{
	if (!s)
		return;
	lua_close(s->lua);
	free(s);
}

lua_State *fw_sandbox_lua(struct fw_sandbox *s)
{
	return s->lua;
}

struct fw_sandbox *fw_sandbox_of(lua_State *L)
{
	void *ud;
	lua_getallocf(L, &ud);
	return ud;
}

void fw_sandbox_set_context(struct fw_sandbox *s, enum fw_context which, void *context)
{
	s->contexts[which] = context;
}

void *fw_sandbox_context(struct fw_sandbox *s, enum fw_context which)
{
	return s->contexts[which];
}

/* "shop/winter.lua:12: text" apart into its place and the rest. */
static void split_place(const char *text, struct fw_error *err)
{
	const char *colon = strstr(text, ".lua:");
	char *end;
	long line = colon ? strtol(colon + 5, &end, 10) : 0;
	if (line > 0 && end[0] == ':' && end[1] == ' ' && (size_t)(colon + 4 - text) < sizeof err->file) {
		fw_fail(err, FW_EFAILED, NULL, (int)line, "%s", end + 2);
		memcpy(err->file, text, (size_t)(colon + 4 - text));
		err->file[colon + 4 - text] = '\0';
		return;
	}
	fw_fail(err, FW_EFAILED, NULL, 0, "%s", text);
}

static void explain(lua_State *thread, enum fw_outcome outcome, const struct fw_budget *budget, struct fw_error *err)
{
	if (outcome == FW_CALL_RAISED) {
		const char *text = lua_type(thread, -1) == LUA_TSTRING ? lua_tostring(thread, -1) : NULL;
		split_place(text ? text : "the code raised an error that is no text", err);
		return;
	}
	char where[300] = "";
	lua_Debug ar;
	int line = 0;
	for (int level = 0; line <= 0 && lua_getstack(thread, level, &ar); level++)
		if (lua_getinfo(thread, "Sl", &ar) && ar.currentline > 0) {
			line = ar.currentline;
			snprintf(where, sizeof where, "%s", ar.source[0] == '@' ? ar.source + 1 : ar.short_src);
		}
	if (outcome == FW_CALL_INSTRUCTIONS)
		fw_fail(err, FW_ELIMIT, where, line, "the code ran for more than %lld instructions", (long long)budget->instructions);
	else
		fw_fail(err, FW_ELIMIT, where, line, "the code made more than %lld bytes of values", (long long)budget->bytes);
}

enum fw_outcome fw_sandbox_call(struct fw_sandbox *s, int n_args, const struct fw_budget *budget, struct fw_error *err)
{
	lua_State *L = s->lua;
	int function = lua_gettop(L) - n_args;
	lua_checkstack(L, 4);
	lua_State *thread = lua_newthread(L);
	lua_insert(L, function);
	lua_xmove(L, thread, n_args + 1);
	struct call c = { .outer = s->call, .thread = thread, .instructions = budget->instructions, .bytes = budget->bytes };
	lua_sethook(thread, hook, LUA_MASKCOUNT, HOOK_INTERVAL);
	s->call = &c;
	int n_results = 0;
	int status = lua_resume(thread, L, n_args, &n_results);
	s->call = c.outer;
	enum fw_outcome outcome = c.fired != FW_CALL_DONE ? c.fired : status == LUA_OK ? FW_CALL_DONE : FW_CALL_RAISED;
	if (outcome == FW_CALL_DONE) {
		lua_settop(thread, n_results > 0 ? lua_gettop(thread) - n_results + 1 : lua_gettop(thread));
		if (n_results == 0)
			lua_pushnil(thread);
		lua_xmove(thread, L, 1);
		lua_remove(L, function);
	} else {
		if (err)
			explain(thread, outcome, budget, err);
		lua_settop(L, function - 1);
	}
	return outcome;
}

void fw_sandbox_collect(struct fw_sandbox *s)
{
	lua_gc(s->lua, LUA_GCRESTART);
	lua_gc(s->lua, LUA_GCSTEP, 0);
	lua_gc(s->lua, LUA_GCSTOP);
}

void fw_sandbox_settle(struct fw_sandbox *s)
{
	lua_gc(s->lua, LUA_GCCOLLECT);
	lua_gc(s->lua, LUA_GCGEN, 0, 0);
	lua_gc(s->lua, LUA_GCSTOP);
}

int64_t fw_sandbox_bytes(const struct fw_sandbox *s)
{
	return s->bytes;
}
