#include <lauxlib.h>

#include "rules/builder.h"
#include "rules/lib.h"
#include "rules/sandbox.h"

const char *const fw_declared_words[FW_DECLARED_KINDS] = { "slot", "segment", "rule", "guard", "cap", "test" };

/* Words that only mark their argument, and how many arguments the others take. */
static const struct fw_word marks[] = {
	{ "any", 1, "fw.when", "True if one of the conditions is: any { { … }, { … } }." },
	{ "all", 1, "fw.when", "True if all of the conditions are." },
	{ "none", 1, "fw.when", "True if none of the conditions is." },
	{ "list", 1, "table", "In content: a list, also where it is empty." },
	{ "order", 1, "table", "In a rule's `show`: a list, put in order for each visitor." },
};
static const struct fw_word matchers[] = {
	{ "at_least", 1, "fw.matcher", "That much or more." },
	{ "at_most", 1, "fw.matcher", "That much or less." },
	{ "more_than", 1, "fw.matcher", "More than that." },
	{ "less_than", 1, "fw.matcher", "Less than that." },
	{ "between", 2, "fw.matcher",
		"From the one to the other, both included; of hours and weekdays also over midnight and the weekend." },
	{ "is_not", 1, "fw.matcher", "Anything but that; what is not known is neither." },
	{ "starts_with", 1, "fw.matcher", "Text that begins so." },
	{ "ends_with", 1, "fw.matcher", "Text that ends so." },
	{ "contains", 1, "fw.matcher", "Text in which that stands." },
	{ "known", 0, "fw.matcher", "It has a value." },
	{ "unknown", 0, "fw.matcher", "It has no value." },
	{ "all_of", 1, "fw.matcher", "Of a set: each of these is in it." },
	{ "segment_entered", 1, "fw.trigger", "For `on`: a person comes into that segment." },
	{ "every", 1, "fw.trigger", "For `on`: so often for each person, \"1d\" for instance." },
};

const struct fw_word *fw_words_marks(size_t *ret_n)
{
	*ret_n = FW_FIELDS(marks);
	return marks;
}

const struct fw_word *fw_words_matchers(size_t *ret_n)
{
	*ret_n = FW_FIELDS(matchers);
	return matchers;
}

static const char tags_key, words_key;

const char *const *fw_words_names(void)
{
	static const char *const names[] = { "slot", "segment", "rule", "guard", "cap", "test", "any", "all", "none", "list", "order",
		"at_least",
		"at_most", "more_than", "less_than", "between", "is_not", "starts_with", "ends_with", "contains", "known", "unknown",
		"all_of", "segment_entered", "every", "string", "table", "math", "utf8", "pcall", "error", "assert", "select", "ipairs",
		"pairs", "next", "type", "tonumber", "tostring", "setmetatable", "true", "false", "nil", NULL };
	return names;
}

/* A tagged table has a locked metatable with the word under a key that no rule file can write; one metatable a word, kept
 * in the registry. */
static void push_tag(lua_State *L, const char *word)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &tags_key);
	if (lua_getfield(L, -1, word) == LUA_TNIL) {
		lua_pop(L, 1);
		lua_createtable(L, 0, 2);
		lua_pushstring(L, word);
		lua_rawsetp(L, -2, &tags_key);
		lua_pushboolean(L, 0);
		lua_setfield(L, -2, "__metatable");
		lua_pushvalue(L, -1);
		lua_setfield(L, -3, word);
	}
	lua_remove(L, -2);
}

const char *fw_words_tag(lua_State *L, int index)
{
	if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index))
		return NULL;
	lua_rawgetp(L, -1, &tags_key);
	const char *tag = lua_tostring(L, -1);
	lua_pop(L, 2);
	return tag;
}

static int mark(lua_State *L)
{
	const char *word = lua_tostring(L, lua_upvalueindex(1));
	if (lua_type(L, 1) != LUA_TTABLE)
		return luaL_error(L, "%s takes a table\nwrite %s { … }", word, word);
	if (fw_words_tag(L, 1)) {
		lua_createtable(L, 1, 0); /* any(all { … }): one condition in the other */
		lua_pushvalue(L, 1);
		lua_rawseti(L, -2, 1);
		lua_replace(L, 1);
	} else if (lua_getmetatable(L, 1)) {
		return luaL_error(L, "%s takes a plain table", word);
	}
	push_tag(L, word);
	lua_setmetatable(L, 1);
	lua_settop(L, 1);
	return 1;
}

static int matcher(lua_State *L)
{
	const char *word = lua_tostring(L, lua_upvalueindex(1));
	int wanted = (int)lua_tointeger(L, lua_upvalueindex(2));
	for (int i = 1; i <= wanted; i++)
		if (lua_isnoneornil(L, i))
			return luaL_error(L, "%s needs %s", word, wanted == 2 ? "two values" : "a value");
	if (lua_gettop(L) > wanted)
		return luaL_error(L, "%s takes %s", word, wanted == 0 ? "nothing" : wanted == 1 ? "one value" : "two values");
	lua_createtable(L, wanted, 0);
	for (int i = 1; i <= wanted; i++) {
		lua_pushvalue(L, i);
		lua_rawseti(L, -2, i);
	}
	push_tag(L, word);
	lua_setmetatable(L, -2);
	return 1;
}

static struct fw_builder *builder_of(lua_State *L)
{
	struct fw_builder *b = fw_sandbox_context(fw_sandbox_of(L), FW_CONTEXT_BUILDER);
	if (!b)
		luaL_error(L, "declarations are made while a rule file loads, not in a function");
	return b;
}

/* rule "id" { … }: the word gives back a function that takes the table. */
static int take_table(lua_State *L)
{
	struct fw_builder *b = builder_of(L);
	uint32_t number = (uint32_t)lua_tointeger(L, lua_upvalueindex(1));
	struct fw_declaration *d = &b->declarations.items[number];
	const char *word = fw_declared_words[d->kind];
	bool is_table = lua_type(L, 1) == LUA_TTABLE;
	if (!is_table || lua_getmetatable(L, 1))
		return luaL_error(L, "%s \"%s\" needs a %stable\nwrite %s \"%s\" { … }", word, d->id, is_table ? "plain " : "", word,
			d->id);
	if (d->table_ref != LUA_NOREF)
		return luaL_error(L, "%s \"%s\" is declared twice by one word", word, d->id);
	lua_settop(L, 1);
	d->table_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

static int declare(lua_State *L)
{
	struct fw_builder *b = builder_of(L);
	enum fw_declared kind = (enum fw_declared)lua_tointeger(L, lua_upvalueindex(1));
	const char *word = fw_declared_words[kind];
	size_t n;
	if (lua_type(L, 1) != LUA_TSTRING)
		return luaL_error(L, "%s needs a name in quotes\nwrite %s \"name\" { … }", word, word);
	const char *id = lua_tolstring(L, 1, &n);
	if (n == 0 || n > FW_LIMIT_ID_BYTES || memchr(id, '\0', n) || !fw_utf8_valid((struct fw_str){ id, n }))
		return luaL_error(L, "a name of a %s has 1 to %d bytes of UTF-8", word, FW_LIMIT_ID_BYTES);
	lua_Debug ar = { .currentline = 0 };
	if (lua_getstack(L, 1, &ar))
		lua_getinfo(L, "l", &ar);
	struct fw_declaration *d = FW_ADD(&b->declarations);
	char *copy = d ? fw_arena_strndup(&b->set->arena, id, n) : NULL;
	if (!copy)
		return luaL_error(L, "out of memory");
	*d = (struct fw_declaration){ kind, copy, b->running, ar.currentline, LUA_NOREF };
	lua_pushinteger(L, (lua_Integer)b->declarations.n - 1);
	lua_pushcclosure(L, take_table, 1);
	return 1;
}

const char *fw_words_type(lua_State *L, int index)
{
	switch (lua_type(L, index)) {
	case LUA_TNIL: return "nothing";
	case LUA_TBOOLEAN: return lua_toboolean(L, index) ? "true" : "false";
	case LUA_TNUMBER: return "a number";
	case LUA_TSTRING: return "text";
	case LUA_TTABLE: return "a table";
	case LUA_TFUNCTION: return "a function";
	default: return "something else";
	}
}

const char *fw_words_hint(const char *name, char *buf, size_t size)
{
	const char *const *names = fw_words_names();
	size_t n = 0;
	while (names[n])
		n++;
	const char *nearest = fw_nearest(name, names, n);
	if (nearest)
		snprintf(buf, size, "did you mean %s, or \"%.60s\" in quotes?", nearest, name);
	else
		snprintf(buf, size, "did you mean \"%.60s\" in quotes?", name);
	return buf;
}

static int undefined(lua_State *L)
{
	size_t length;
	if (lua_type(L, 2) != LUA_TSTRING)
		return 0;
	const char *name = lua_tolstring(L, 2, &length);
	fw_lib_charge(L, FW_LIB_NEAREST_INSTRUCTIONS + length);
	char hint[160];
	return luaL_error(L, "%s is not defined\n%s", name, fw_words_hint(name, hint, sizeof hint));
}

int fw_words_open(struct fw_builder *b)
{
	lua_State *L = b->lua;
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &tags_key);
	lua_newtable(L);
	fw_lib_push(L); /* the library's own names first */
	lua_pushnil(L);
	while (lua_next(L, -2)) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, -5);
	}
	lua_pop(L, 1);
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		lua_pushstring(L, marks[i].name);
		lua_pushcclosure(L, mark, 1);
		lua_setfield(L, -2, marks[i].name);
	}
	for (size_t i = 0; i < sizeof matchers / sizeof *matchers; i++) {
		lua_pushstring(L, matchers[i].name);
		lua_pushinteger(L, matchers[i].arguments);
		lua_pushcclosure(L, matcher, 2);
		lua_setfield(L, -2, matchers[i].name);
	}
	for (int i = 0; i < FW_DECLARED_KINDS; i++) {
		lua_pushinteger(L, i);
		lua_pushcclosure(L, declare, 1);
		lua_setfield(L, -2, fw_declared_words[i]);
	}
	lua_createtable(L, 0, 2);
	lua_pushcfunction(L, undefined);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &words_key);
	return 0;
}

void fw_words_push_env(struct fw_builder *b)
{
	lua_State *L = b->lua;
	lua_newtable(L);
	lua_createtable(L, 0, 2);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &words_key);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
}
