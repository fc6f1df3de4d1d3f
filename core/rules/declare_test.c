/* A test of a rule set: the visitor, who wins, and what comes first in lists. */
#include <lauxlib.h>
#include <stdio.h>

#include "base/json.h"
#include "profile/given.h"
#include "rules/builder.h"
#include "rules/content.h"

typedef int write_table(lua_State *L, int index, struct fw_buf *out, struct fw_error *err);

/* A table of a test as JSON: what a person writes here and on a command line has one reader. */
static int read_object(struct fw_builder *b, struct fw_at *at, int table, const char *name, const char *hint, write_table *write,
	struct fw_json **ret)
{
	lua_State *L = b->lua;
	struct fw_buf text;
	struct fw_error why;
	int result = 0;
	fw_buf_init(&text, 0);
	size_t length = fw_at_enter(at, name);
	if (lua_getfield(L, table, name) != LUA_TTABLE)
		result = fw_build_fail(b, at, hint, lua_isnil(L, -1) ? "it is missing" : "a table was expected, not %s",
			fw_build_type_name(b, lua_gettop(L)));
	else if (write(L, lua_gettop(L), &text, &why) < 0 || fw_json_parse(&b->set->arena, text.data, text.n, ret, &why) < 0)
		result = fw_build_fail(b, at, why.hint, "%s", why.message);
	lua_pop(L, 1);
	fw_at_leave(at, length);
	fw_buf_finish(&text);
	return result;
}

static int check_winner(struct fw_builder *b, struct fw_at *at, const struct fw_json *id)
{
	struct fw_ruleset *set = b->set;
	if (id->type != FW_JSON_STRING)
		return fw_build_fail(b, at, NULL, "the winner's id, a list of ids, or \"default\" was expected");
	if (fw_str_is(id->string, "default") || fw_map_get(&set->rule_ids, id->string) != FW_MAP_NONE)
		return 0;
	if (fw_in_compliance(b, at->declaration))
		return 0; /* other people's rules may have gone: a finding of `check`, not an error */
	return fw_build_no_such(b, at, "rule", id->string.p, &set->rules[0].id, set->n_rules, sizeof *set->rules);
}

static bool is_channel_of_messages(const struct fw_ruleset *set, struct fw_str name)
{
	for (uint32_t i = 0; i < set->n_rules; i++)
		if (set->rules[i].message && fw_str_is(name, set->rules[i].message->channel))
			return true;
	return false;
}

static int check_expect(struct fw_builder *b, struct fw_at *at, const struct fw_json *expect)
{
	struct fw_ruleset *set = b->set;
	if (expect->count == 0 || expect->type != FW_JSON_OBJECT)
		return fw_build_fail_in(b, at, "expect", "write expect = { [\"home.hero\"] = \"rule-id\" }", "it names no slot");
	for (const struct fw_json *m = expect->child; m; m = m->next) {
		size_t length = fw_at_enter(at, "expect");
		fw_at_enter(at, m->key.p);
		int ret = 0;
		if (fw_map_get(&set->slot_ids, m->key) == FW_MAP_NONE && !is_channel_of_messages(set, m->key) && !fw_in_compliance(b,
			at->declaration))
			ret = fw_build_no_such(b, at, "slot", m->key.p, &set->slots[0].id, set->n_slots, sizeof *set->slots);
		if (m->type == FW_JSON_ARRAY)
			for (const struct fw_json *e = m->child; e && ret == 0; e = e->next)
				ret = check_winner(b, at, e);
		else if (ret == 0)
			ret = check_winner(b, at, m);
		fw_at_leave(at, length);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* The first items of lists, by the slots that show them. */
static int check_order(struct fw_builder *b, struct fw_at *at, const struct fw_test *t)
{
	size_t length = fw_at_enter(at, "order");
	int ret = 0;
	for (const struct fw_json *m = t->order->child; m && ret == 0; m = m->next) {
		bool texts = m->type == FW_JSON_ARRAY && m->count;
		for (const struct fw_json *e = texts ? m->child : NULL; e; e = e->next)
			texts &= e->type == FW_JSON_STRING;
		if (!fw_json_member(t->expect, m->key) || fw_map_get(&b->set->slot_ids, m->key) == FW_MAP_NONE)
			ret = fw_build_fail_in(b, at, m->key.p, "name the rule that wins there in expect", "expect names no such slot");
		else if (!texts)
			ret = fw_build_fail_in(b, at, m->key.p, "write { \"ID\", \"ID\" }",
				"the ids of the first items were expected, in their order");
	}
	fw_at_leave(at, length);
	return ret;
}

/* What the reader of visitors says begins with the fact's name; here that is where the mistake is. */
static int refuse_given(struct fw_builder *b, struct fw_at *at, const struct fw_error *why)
{
	char fact[64] = "";
	size_t n = strspn(why->message, "abcdefghijklmnopqrstuvwxyz_."), skip = 0;
	size_t length = fw_at_enter(at, "given");
	if (n && n < sizeof fact && strncmp(why->message + n, ": ", 2) == 0) {
		memcpy(fact, why->message, n);
		fw_at_enter(at, fact);
		skip = n + 2;
	}
	int ret = fw_build_fail(b, at, why->hint, "%s", why->message + skip);
	fw_at_leave(at, length);
	return ret;
}

/* A test's fields that may be left out. */
struct fields {
	bool order;
};

static const struct fw_field test_fields[] = {
	{ "given", NULL, 0, "fw.given",
		"The visitor: facts by name, what happened as `events`, the time as `at`, and `wait`." },
	{ "expect", NULL, 0, "table<string, string|string[]|false>",
		"By slot or channel: the rule that wins, several in their order, or \"default\"." },
	{ "order", fw_field_any, offsetof(struct fields, order), "table<string, string[]>?",
		"By slot: the ids of the first items of the list that is put in order there." },
};

int fw_declare_test(struct fw_builder *b, struct fw_at *at, int table, struct fw_test *t)
{
	struct fields f = { .order = false };
	t->compliance = fw_in_compliance(b, at->declaration);
	int ret = fw_fields_read(b, at, table, test_fields, FW_FIELDS(test_fields), &f);
	if (ret == 0)
		ret = read_object(b, at, table, "given", "write given = { country = \"CA\" }: the visitor",
			fw_content_write_given, &t->given);
	if (ret == 0)
		ret = read_object(b, at, table, "expect", "write expect = { [\"home.hero\"] = \"rule-id\" }", fw_content_write, &t->expect);
	if (ret == 0)
		ret = check_expect(b, at, t->expect);
	if (ret == 0 && f.order)
		ret = read_object(b, at, table, "order", "write order = { [\"home.row\"] = { \"ID\", \"ID\" } }",
			fw_content_write, &t->order);
	if (ret == 0 && f.order)
		ret = check_order(b, at, t);
	if (ret < 0)
		return ret;
	struct fw_arena arena;
	struct fw_facts facts;
	struct fw_error why;
	fw_arena_init(&arena, NULL, 0, 0);
	if (fw_profile_given(&facts, &arena, t->given, b->set->zone, b->set->currency, &why) < 0)
		ret = refuse_given(b, at, &why);
	fw_arena_finish(&arena);
	return ret;
}

const struct fw_field *fw_declared_test_fields(size_t *ret_n)
{
	*ret_n = FW_FIELDS(test_fields);
	return test_fields;
}
