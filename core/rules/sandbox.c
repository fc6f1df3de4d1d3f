#include "rules/sandbox.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/lib.h"

/* The hook fires every so many instructions; budgets are multiples of it. */
enum { HOOK_INTERVAL = 1000, SHORT_STRING = 40, FIRST_STRING_TABLE = 128 };

/* What calls may leave behind before the collector is let in between two of them. */
enum { MOST_GARBAGE_BYTES = 16 << 20 };

struct call {
	struct call *outer;
	lua_State *thread;
	int depth;                   /* 1: not inside another */
	const struct fw_budget *budget;
	int64_t instructions, bytes; /* left */
	enum fw_outcome fired;       /* FW_CALL_DONE: not yet */
	const char *source;          /* where the hook ended it, or NULL */
	int line;
};

struct fw_sandbox {
	lua_State *lua;
	struct call *call; /* the innermost one running */
	void *contexts[FW_CONTEXTS];
	uintptr_t string_table; /* Lua's table of short strings: its growth is no one call's */
	char *state;            /* while it is being made: Lua's first block */
	size_t state_bytes;
	uint32_t seed;
	int64_t bytes, collected_bytes; /* in use now, and after the last collection */
};

const struct fw_budget fw_budget_call = { FW_LIMIT_CALL_INSTRUCTIONS, FW_LIMIT_CALL_BYTES };
const struct fw_budget fw_budget_load = { FW_LIMIT_LOAD_INSTRUCTIONS, FW_LIMIT_LOAD_BYTES };

static void hook(lua_State *L, lua_Debug *ar);
static void *allocate(void *ud, void *block, size_t old, size_t size);

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

/* Lua seeds its hash by addresses and the time, and has no other way to be told (lstate.c of 5.4: luai_makeseed). Between
 * the first block, which holds the global state, and the second, made for the first thread's stack, the seed is set and
 * not used yet. The layout is lstate.h's; what stands before the seed is compared first, and nothing is touched if a Lua
 * of the future has something else there. */
static void plant_seed(struct fw_sandbox *s)
{
	struct global {
		lua_Alloc allocator;
		void *ud;
		ptrdiff_t total_bytes, debt;
		size_t estimate, last_atomic;
		struct { void *hash; int used, size; } strings;
		struct { union { void *p; lua_Integer i; } value; unsigned char type; } registry, nil_value;
		unsigned int seed;
	};
	enum { NIL = 0, WHOLE = 3 };
	for (size_t at = 0; at + sizeof(struct global) <= s->state_bytes; at += sizeof(void *)) {
		struct global *g = (struct global *)(s->state + at);
		if (g->allocator != allocate || g->ud != s)
			continue;
		if ((size_t)g->total_bytes == s->state_bytes && !g->strings.hash && !g->strings.size && g->registry.type == NIL &&
		    g->nil_value.type == WHOLE && g->nil_value.value.i == 0)
			g->seed = s->seed;
		return;
	}
}

static void *allocate(void *ud, void *block, size_t old, size_t size)
{
	struct fw_sandbox *s = ud;
	if (s->state) {
		plant_seed(s);
		s->state = NULL;
	}
	size_t had = block ? old : 0;
	if (size == 0) {
		free(block);
		s->bytes -= (int64_t)had;
		return NULL;
	}
	charge_bytes(s, block, old, size);
	if (s->call && size > had && size - had > (size_t)s->call->budget->bytes)
		return NULL; /* the budget is used up already: the memory would only be touched for nothing */
	bool is_string_table = block && (uintptr_t)block == s->string_table, is_new = !block;
	void *p = resize(block, size);
	if (!p)
		return NULL;
	s->bytes += (int64_t)size - (int64_t)had;
	if (!s->lua && is_new && old == LUA_TTHREAD && !s->state_bytes) {
		s->state = p;
		s->state_bytes = size;
	}
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
	if (!c->source && lua_getinfo(L, "Sl", ar)) { /* after the yield Lua is one instruction off */
		c->source = ar->source;
		c->line = ar->currentline;
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

struct fw_sandbox *fw_sandbox_create(uint32_t seed)
{
	struct fw_sandbox *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->seed = seed;
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

/* Lua shortens a long name in its messages: the file meant is among those whose functions are running. */
static const char *whole_name(lua_State *thread, const char *name, lua_Debug *ar)
{
	for (int level = 0; lua_getstack(thread, level, ar); level++)
		if (lua_getinfo(thread, "S", ar) && ar->source[0] == '@' && strcmp(ar->short_src, name) == 0)
			return ar->source + 1;
	return name;
}

/* "shop/winter.lua:12: text\nhint" apart into its place and the rest. */
static void split_message(lua_State *thread, const char *text, struct fw_error *err)
{
	char file[sizeof err->file] = "";
	const char *colon = strstr(text, ".lua:"), *message = text;
	char *end;
	long line = colon ? strtol(colon + 5, &end, 10) : 0;
	lua_Debug ar;
	if (line > 0 && end[0] == ':' && end[1] == ' ' && (size_t)(colon + 4 - text) < sizeof file) {
		memcpy(file, text, (size_t)(colon + 4 - text));
		message = end + 2;
	} else {
		line = 0;
	}
	size_t n = strcspn(message, "\n");
	fw_fail(err, FW_EFAILED, line ? whole_name(thread, file, &ar) : NULL, (int)line, "%.*s",
		(int)(n < sizeof err->message ? n : sizeof err->message), message);
	if (message[n])
		fw_hint(err, "%s", message + n + 1);
}

/* Where the call stood when it ended. */
static int last_line(const struct call *c, lua_Debug *ar, const char **ret_file)
{
	const char *source = c->source;
	int line = c->line;
	for (int level = 0; !source && lua_getstack(c->thread, level, ar); level++)
		if (lua_getinfo(c->thread, "Sl", ar) && ar->currentline > 0) {
			source = ar->source;
			line = ar->currentline;
		}
	*ret_file = source && source[0] == '@' ? source + 1 : source;
	return line;
}

static void explain(const struct call *c, struct fw_error *err)
{
	lua_Debug ar;
	const char *file, *text = lua_type(c->thread, -1) == LUA_TSTRING ? lua_tostring(c->thread, -1)
		: "the code raised an error that is no text";
	int line = last_line(c, &ar, &file);
	switch (c->fired) {
	case FW_CALL_INSTRUCTIONS:
		fw_fail(err, FW_ELIMIT, file, line, "the code ran for more than %lld instructions", (long long)c->budget->instructions);
		break;
	case FW_CALL_BYTES:
		fw_fail(err, FW_ELIMIT, file, line, "the code made more than %lld bytes of values", (long long)c->budget->bytes);
		break;
	case FW_CALL_NESTED:
		fw_fail(err, FW_ELIMIT, file, line, "functions read segments that other functions decide, more than %d deep",
			FW_LIMIT_CALL_NESTING);
		break;
	default:
		split_message(c->thread, text, err);
		if (!err->file[0]) {
			snprintf(err->file, sizeof err->file, "%s", file ? file : "");
			err->line = line;
		}
	}
}

struct request {
	struct fw_sandbox *s;
	const struct fw_budget *budget;
	struct fw_error *err;
	enum fw_outcome outcome;
};

/* In the main thread, protected: the request, the function, its arguments. Gives one result. */
static int run_call(lua_State *L)
{
	struct request *r = lua_touserdata(L, 1);
	struct call *outer = r->s->call;
	int n_args = lua_gettop(L) - 2, n_results = 0;
	luaL_checkstack(L, 8, NULL);
	lua_State *thread = lua_newthread(L);
	lua_replace(L, 1);
	lua_xmove(L, thread, n_args + 1);
	struct call c = { .outer = outer, .thread = thread, .depth = outer ? outer->depth + 1 : 1, .budget = r->budget,
		.instructions = r->budget->instructions, .bytes = r->budget->bytes };
	lua_sethook(thread, hook, LUA_MASKCOUNT, HOOK_INTERVAL);
	r->s->call = &c;
	/* Not `from` L: how deep the C stack may still become must not hang on who calls. */
	int status = lua_resume(thread, NULL, n_args, &n_results);
	r->s->call = outer;
	r->outcome = c.fired != FW_CALL_DONE ? c.fired : status == LUA_OK ? FW_CALL_DONE : FW_CALL_RAISED;
	if (r->outcome != FW_CALL_DONE) {
		if (r->err)
			explain(&c, r->err);
		return 0;
	}
	lua_settop(thread, n_results > 0 ? lua_gettop(thread) - n_results + 1 : lua_gettop(thread));
	if (n_results == 0)
		lua_pushnil(thread);
	lua_xmove(thread, L, 1);
	return 1;
}

enum fw_outcome fw_sandbox_call(struct fw_sandbox *s, int n_args, const struct fw_budget *budget, struct fw_error *err)
{
	lua_State *L = s->lua;
	struct request r = { .s = s, .budget = budget, .err = err, .outcome = FW_CALL_RAISED };
	int function = lua_gettop(L) - n_args;
	if (!s->call && s->bytes - s->collected_bytes > MOST_GARBAGE_BYTES)
		fw_sandbox_collect(s);
	int status = LUA_ERRMEM;
	if (lua_checkstack(L, 4)) {
		lua_pushcfunction(L, run_call);
		lua_insert(L, function);
		lua_pushlightuserdata(L, &r);
		lua_insert(L, function + 1);
		status = lua_pcall(L, n_args + 2, 1, 0);
	}
	if (status != LUA_OK) {
		fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
		r.outcome = FW_CALL_RAISED;
	}
	if (r.outcome != FW_CALL_DONE)
		lua_settop(L, function - 1);
	return r.outcome;
}

int fw_sandbox_depth(const struct fw_sandbox *s)
{
	return s->call ? s->call->depth : 0;
}

bool fw_sandbox_ending(const struct fw_sandbox *s)
{
	return s->call && s->call->fired != FW_CALL_DONE;
}

void fw_sandbox_stop(struct fw_sandbox *s)
{
	for (struct call *c = s->call; c; c = c->outer)
		fire(c, FW_CALL_NESTED);
}

void fw_sandbox_collect(struct fw_sandbox *s)
{
	lua_gc(s->lua, LUA_GCRESTART);
	lua_gc(s->lua, LUA_GCSTEP, 0);
	lua_gc(s->lua, LUA_GCSTOP);
	s->collected_bytes = s->bytes;
}

void fw_sandbox_settle(struct fw_sandbox *s)
{
	lua_gc(s->lua, LUA_GCCOLLECT);
	lua_gc(s->lua, LUA_GCGEN, 0, 0);
	lua_gc(s->lua, LUA_GCSTOP);
	s->collected_bytes = s->bytes;
}

int64_t fw_sandbox_bytes(const struct fw_sandbox *s)
{
	return s->bytes;
}
