#include "rules/eval.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/content.h"
#include "rules/visitor.h"

enum { RUNNING = 3 }; /* a segment's truth while it is being found out */

int fw_eval_init(struct fw_eval *e, const struct fw_ruleset *set)
{
	*e = (struct fw_eval){ .set = set };
	e->called = calloc(set->n_functions + 1, sizeof *e->called);
	e->segments = calloc(set->n_segments + 1, sizeof *e->segments);
	fw_buf_init(&e->json, 0);
	if (e->called && e->segments)
		return 0;
	fw_eval_finish(e);
	return FW_ENOMEM;
}

void fw_eval_finish(struct fw_eval *e)
{
	free(e->called);
	free(e->segments);
	fw_buf_finish(&e->json);
	*e = (struct fw_eval){ 0 };
}

void fw_eval_begin(struct fw_eval *e, const struct fw_facts *facts, struct fw_arena *arena)
{
	e->facts = facts;
	e->arena = arena;
	if (++e->epoch == 0) { /* after four billion decisions the marks would lie */
		memset(e->called, 0, e->set->n_functions * sizeof *e->called);
		memset(e->segments, 0, e->set->n_segments * sizeof *e->segments);
		e->epoch = 1;
	}
	fw_sandbox_set_context(e->set->sandbox, FW_CONTEXT_EVAL, e);
}

void fw_eval_end(struct fw_eval *e)
{
	fw_sandbox_set_context(e->set->sandbox, FW_CONTEXT_EVAL, NULL);
	e->facts = NULL;
	e->arena = NULL;
}

static void keep_error(struct fw_eval *e, struct fw_called *c, const struct fw_error *err)
{
	static const struct fw_error no_memory = { .message = "out of memory" };
	struct fw_error *copy = fw_arena_alloc(e->arena, sizeof *copy);
	if (copy)
		*copy = *err;
	c->failed = true;
	c->error = copy ? copy : &no_memory;
}

/* Calls the function with the visitor; the result is left on the Lua stack when it is done. */
static enum fw_outcome call(struct fw_eval *e, const struct fw_function *f, struct fw_frame *frame, struct fw_error *err)
{
	lua_State *L = fw_sandbox_lua(e->set->sandbox);
	struct fw_frame *outer = e->frame;
	if (!lua_checkstack(L, 16)) {
		fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
		return FW_CALL_RAISED;
	}
	lua_rawgeti(L, LUA_REGISTRYINDEX, f->lua_ref);
	fw_visitor_push(L);
	e->frame = frame;
	enum fw_outcome outcome = fw_sandbox_call(e->set->sandbox, 1, &fw_budget_call, err);
	e->frame = outer;
	if (outcome != FW_CALL_DONE && !err->file[0]) { /* Lua did not say where: at least which function it was */
		snprintf(err->file, sizeof err->file, "%s", f->place.file);
		err->line = f->place.line;
	}
	return outcome;
}

static void begin_called(struct fw_eval *e, struct fw_called *c)
{
	*c = (struct fw_called){ .epoch = e->epoch, .truth = FW_UNKNOWN };
}

static void answer(struct fw_eval *e, struct fw_called *c, const struct fw_function *f)
{
	lua_State *L = fw_sandbox_lua(e->set->sandbox);
	struct fw_error err;
	if (lua_isnil(L, -1) || lua_isboolean(L, -1)) {
		c->truth = lua_toboolean(L, -1) ? FW_TRUE : FW_FALSE;
		return;
	}
	fw_fail(&err, FW_EFAILED, f->place.file, f->place.line, "the function answered %s %s, not true or false",
		lua_isnumber(L, -1) ? "the number" : "a", lua_isnumber(L, -1) ? luaL_tolstring(L, -1, NULL) : luaL_typename(L, -1));
	fw_hint(&err, lua_isnumber(L, -1) ? "compare it: v:viewed { … } > 0" : "end it with a comparison");
	keep_error(e, c, &err);
}

static const struct fw_called *call_condition(struct fw_eval *e, uint32_t function)
{
	struct fw_called *c = &e->called[function];
	const struct fw_function *f = &e->set->functions[function];
	lua_State *L = fw_sandbox_lua(e->set->sandbox);
	if (c->epoch == e->epoch)
		return c;
	struct fw_frame frame = { 0 };
	struct fw_error err = { .message = "" };
	int top = lua_gettop(L);
	enum fw_outcome outcome = call(e, f, &frame, &err);
	begin_called(e, c);
	c->reads = frame.reads;
	c->over_budget = outcome == FW_CALL_INSTRUCTIONS || outcome == FW_CALL_BYTES;
	if (c->over_budget)
		keep_error(e, c, &err);
	else if (frame.unknown)
		c->truth = FW_UNKNOWN; /* whatever it returned or raised */
	else if (outcome == FW_CALL_RAISED)
		keep_error(e, c, &err);
	else
		answer(e, c, f);
	lua_settop(L, top);
	return c;
}

const struct fw_called *fw_eval_show(struct fw_eval *e, uint32_t function)
{
	struct fw_called *c = &e->called[function];
	const struct fw_function *f = &e->set->functions[function];
	lua_State *L = fw_sandbox_lua(e->set->sandbox);
	if (c->epoch == e->epoch)
		return c;
	struct fw_frame frame = { 0 };
	struct fw_error err = { .message = "" };
	int top = lua_gettop(L);
	enum fw_outcome outcome = call(e, f, &frame, &err);
	begin_called(e, c);
	c->reads = frame.reads;
	c->over_budget = outcome == FW_CALL_INSTRUCTIONS || outcome == FW_CALL_BYTES;
	if (outcome != FW_CALL_DONE) {
		keep_error(e, c, &err);
	} else if (!lua_istable(L, -1)) {
		fw_fail(&err, FW_EFAILED, f->place.file, f->place.line, "show answered %s, not a table", luaL_typename(L, -1));
		fw_hint(&err, "return { banner = \"…\" }");
		keep_error(e, c, &err);
	} else {
		fw_buf_clear(&e->json);
		if (fw_content_write(L, lua_gettop(L), &e->json, &err) < 0) {
			err.line = f->place.line;
			memcpy(err.file, f->place.file, strnlen(f->place.file, sizeof err.file - 1) + 1);
			keep_error(e, c, &err);
		} else {
			c->json = (struct fw_str){ fw_arena_strndup(e->arena, e->json.data, e->json.n), e->json.n };
			if (!c->json.p)
				keep_error(e, c, &(struct fw_error){ .message = "the answer's memory is used up" });
		}
	}
	lua_settop(L, top);
	return c;
}

static void see(struct fw_seen *seen, unsigned reads, const struct fw_called *failure)
{
	seen->reads |= reads;
	if (failure && !seen->failure)
		seen->failure = failure;
}

static enum fw_truth given_segment(const struct fw_eval *e, uint32_t segment)
{
	struct fw_str id = fw_str(e->set->segments[segment].id);
	for (unsigned i = 0; i < e->facts->segments.n_items; i++)
		if (fw_str_equal_fold(e->facts->segments.items[i].text, id))
			return FW_TRUE;
	return FW_FALSE;
}

enum fw_truth fw_eval_segment(struct fw_eval *e, uint32_t segment, struct fw_seen *seen)
{
	struct fw_called *memo = &e->segments[segment];
	if (e->facts->segments_given)
		return given_segment(e, segment);
	if (memo->epoch != e->epoch) {
		struct fw_seen inner = { 0 };
		begin_called(e, memo);
		memo->truth = (enum fw_truth)RUNNING;
		enum fw_truth t = fw_eval_condition(e, e->set->segments[segment].when, &inner);
		memo->truth = t;
		memo->reads = inner.reads;
		memo->failed = inner.failure != NULL;
		memo->over_budget = inner.failure && inner.failure->over_budget;
		memo->error = inner.failure ? inner.failure->error : NULL;
	} else if (memo->truth == (enum fw_truth)RUNNING) {
		return FW_UNKNOWN; /* functions that ask for one another's segments: nobody knows */
	}
	see(seen, memo->reads, memo->failed ? memo : NULL);
	return memo->truth;
}

enum fw_truth fw_eval_literal(struct fw_eval *e, const struct fw_literal *l, struct fw_seen *seen)
{
	const struct fw_ref *ref = &e->set->refs[l->ref];
	if (ref->fact == FW_FACT_SEGMENT)
		return fw_eval_segment(e, ref->segment, seen);
	struct fw_value v = fw_ref_value(ref, e->facts);
	return fw_literal_test(l, &v);
}

enum fw_truth fw_eval_condition(struct fw_eval *e, uint32_t number, struct fw_seen *seen)
{
	if (number == FW_NONE)
		return FW_TRUE;
	const struct fw_node *n = &e->set->nodes[number];
	const uint32_t *children = e->set->children + n->first;
	enum fw_truth t;
	switch (n->kind) {
	case FW_NODE_LITERAL:
		return fw_eval_literal(e, &e->set->literals[n->first], seen);
	case FW_NODE_FUNCTION: {
		const struct fw_called *c = call_condition(e, n->first);
		see(seen, c->reads, c->failed ? c : NULL);
		return c->truth;
	}
	case FW_NODE_NOT:
		return fw_not(fw_eval_condition(e, children[0], seen));
	case FW_NODE_ALL:
		t = FW_TRUE;
		for (uint32_t i = 0; i < n->n && t != FW_FALSE; i++)
			t = fw_and(t, fw_eval_condition(e, children[i], seen));
		return t;
	default:
		t = FW_FALSE;
		for (uint32_t i = 0; i < n->n && t != FW_TRUE; i++)
			t = fw_or(t, fw_eval_condition(e, children[i], seen));
		return t;
	}
}
