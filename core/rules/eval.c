#include "rules/eval.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/builder.h"
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
	e->proven = NULL;
	e->epoch = (e->epoch | 1) + 1;
	fw_sandbox_set_context(e->set->sandbox, FW_CONTEXT_EVAL, e);
}

void fw_eval_end(struct fw_eval *e)
{
	fw_sandbox_set_context(e->set->sandbox, FW_CONTEXT_EVAL, NULL);
	e->facts = NULL;
	e->arena = NULL;
}

static int make_proven(struct fw_eval *e)
{
	const struct fw_facts *f = e->facts;
	struct fw_facts *proven = fw_arena_alloc(e->arena, sizeof *proven);
	struct fw_member *traits = fw_arena_array(e->arena, f->n_traits, sizeof *traits);
	if (!proven || !traits)
		return FW_ENOMEM;
	memcpy(traits, f->traits, f->n_traits * sizeof *traits);
	for (unsigned i = f->n_traits - f->n_claimed; i < f->n_traits; i++)
		traits[i].value = (struct fw_value){ .state = FW_OUT_OF_REACH };
	*proven = *f;
	proven->traits = traits;
	e->proven = proven;
	return 0;
}

int fw_eval_distrust(struct fw_eval *e)
{
	if (e->facts->n_claimed == 0)
		return 0;
	if (!e->proven && make_proven(e) < 0)
		return FW_ENOMEM;
	e->told = e->facts;
	e->facts = e->proven;
	e->epoch |= 1;
	return 0;
}

void fw_eval_trust(struct fw_eval *e)
{
	if (!e->told)
		return;
	e->facts = e->told;
	e->told = NULL;
	e->epoch &= ~UINT64_C(1);
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
	if (fw_sandbox_depth(e->set->sandbox) >= FW_LIMIT_CALL_NESTING)
		fw_sandbox_stop(e->set->sandbox);
	if (fw_sandbox_ending(e->set->sandbox))
		return FW_CALL_NESTED; /* nobody waits for the answer any more */
	lua_rawgeti(L, LUA_REGISTRYINDEX, f->lua_ref);
	fw_visitor_push(L);
	frame->compliance = f->compliance;
	e->frame = frame;
	enum fw_outcome outcome = fw_sandbox_call(e->set->sandbox, 1, &fw_budget_call, err);
	e->frame = outer;
	if (outcome != FW_CALL_DONE && !err->file[0]) { /* Lua did not say where: at least which function it was */
		snprintf(err->file, sizeof err->file, "%s", f->place.file);
		err->line = f->place.line;
	}
	return outcome;
}

/* What one call or look-up leaves behind for the rest of the decision. An inner call that ended because the outermost led
 * too deep leaves nothing: by itself it might not have been too deep. */
static void remember(struct fw_eval *e, struct fw_called *c, const struct fw_frame *frame, enum fw_outcome outcome)
{
	bool cut_short = outcome == FW_CALL_NESTED && fw_sandbox_depth(e->set->sandbox) > 0;
	*c = (struct fw_called){ .epoch = cut_short ? 0 : e->epoch, .truth = FW_UNKNOWN, .reads = frame->reads,
		.over_budget = outcome == FW_CALL_INSTRUCTIONS || outcome == FW_CALL_BYTES,
		.height = outcome == FW_CALL_NESTED ? FW_LIMIT_CALL_NESTING + 1 : frame->height + 1 };
}

static void answer(struct fw_eval *e, struct fw_called *c, const struct fw_function *f)
{
	lua_State *L = fw_sandbox_lua(e->set->sandbox);
	struct fw_error err;
	if (lua_isnil(L, -1) || lua_isboolean(L, -1)) {
		c->truth = lua_toboolean(L, -1) ? FW_TRUE : FW_FALSE;
		return;
	}
	char number[32];
	bool is_number = lua_type(L, -1) == LUA_TNUMBER;
	if (is_number)
		fw_number_text(lua_tonumber(L, -1), number);
	fw_fail(&err, FW_EFAILED, f->place.file, f->place.line, "the function answered %s%s, not true or false", is_number ? "the number "
		: "",
		is_number ? number : fw_words_type(L, -1));
	fw_hint(&err, is_number ? "compare it: v:viewed { … } > 0" : "end it with a comparison");
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
	remember(e, c, &frame, outcome);
	if (outcome != FW_CALL_DONE && outcome != FW_CALL_RAISED)
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
	remember(e, c, &frame, outcome);
	if (outcome != FW_CALL_DONE) {
		keep_error(e, c, &err);
	} else if (!lua_istable(L, -1)) {
		fw_fail(&err, FW_EFAILED, f->place.file, f->place.line, "show answered %s, not a table", fw_words_type(L, -1));
		fw_hint(&err, "return { banner = \"…\" }");
		keep_error(e, c, &err);
	} else {
		fw_buf_clear(&e->json);
		if (fw_content_write(L, lua_gettop(L), &e->json, &err) < 0) {
			err.line = f->place.line;
			snprintf(err.file, sizeof err.file, "%s", f->place.file); /* terminated, however long the name */
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

static void see(struct fw_seen *seen, const struct fw_called *c)
{
	seen->reads |= c->reads;
	if (c->failed && !seen->failure)
		seen->failure = c;
	if (c->height > seen->height)
		seen->height = c->height;
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
		*memo = (struct fw_called){ .epoch = e->epoch, .truth = (enum fw_truth)RUNNING };
		enum fw_truth t = fw_eval_condition(e, e->set->segments[segment].when, &inner);
		bool cut_short = inner.height > FW_LIMIT_CALL_NESTING && fw_sandbox_depth(e->set->sandbox) > 0;
		*memo = (struct fw_called){ .epoch = cut_short ? 0 : e->epoch, .truth = t, .reads = inner.reads, .height = inner.height,
			.failed = inner.failure != NULL, .over_budget = inner.failure && inner.failure->over_budget,
			.error = inner.failure ? inner.failure->error : NULL };
	} else if (memo->truth == (enum fw_truth)RUNNING) {
		return FW_UNKNOWN; /* functions that ask for one another's segments: nobody knows */
	}
	see(seen, memo);
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
		see(seen, c);
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
