/* The definitions for editors are Lua, and name all that a rule file may say: nothing that is read is without its words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "fact/catalogue.h"
#include "rules/builder.h"
#include "rules/definitions.h"

static void assert_says(struct fw_buf *b, const char *text)
{
	if (!strstr(fw_buf_text(b), text))
		fail_msg("the definitions do not say: %s", text);
}

static void test_lua(void **state)
{
	(void)state;
	lua_State *L = luaL_newstate();
	struct fw_buf b;
	for (int luacheck = 0; luacheck < 2; luacheck++) {
		fw_buf_init(&b, 0);
		if (luacheck)
			fw_definitions_luacheck(&b);
		else
			fw_definitions_write(&b);
		assert_int_equal(luaL_loadbuffer(L, fw_buf_text(&b), b.n, "definitions"), LUA_OK);
		assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_OK);
		fw_buf_finish(&b);
	}
	lua_close(L);
}

/* Every field that is read, but the one that is reserved. */
static void test_fields(void **state)
{
	(void)state;
	struct fw_buf b;
	char line[200];
	fw_buf_init(&b, 0);
	fw_definitions_write(&b);
	for (int kind = 0; kind < FW_DECLARED_KINDS; kind++) {
		size_t n;
		const struct fw_field *fields = fw_declared_fields((enum fw_declared)kind, &n);
		snprintf(line, sizeof line, "\nfunction %s(id) end\n", fw_declared_words[kind]);
		assert_says(&b, line);
		for (size_t i = 0; i < n; i++) {
			bool reserved = strcmp(fields[i].name, "score") == 0;
			if (!reserved && (!fields[i].type || !fields[i].doc))
				fail_msg("%s.%s has no words for editors", fw_declared_words[kind], fields[i].name);
			snprintf(line, sizeof line, "\n---@field %s %s ", fields[i].name, reserved ? "" : fields[i].type);
			if (!reserved)
				assert_says(&b, line);
		}
	}
	fw_buf_finish(&b);
}

static void test_facts_and_words(void **state)
{
	(void)state;
	struct fw_buf b;
	char line[200];
	size_t n;
	fw_buf_init(&b, 0);
	fw_definitions_write(&b);
	for (int i = 0; i < FW_FACT_COUNT; i++) {
		const struct fw_fact_info *info = fw_fact_info((enum fw_fact)i);
		const char *dot = strrchr(info->name, '.');
		if (!info->doc || !info->doc[0])
			fail_msg("the fact %s has no words for editors", info->name);
		snprintf(line, sizeof line, "\n---@field %s ", dot ? dot + 1 : info->name);
		assert_says(&b, line);
		assert_says(&b, info->doc);
	}
	const struct fw_word *words = fw_words_matchers(&n);
	for (size_t i = 0; i < n; i++) {
		snprintf(line, sizeof line, "\nfunction %s(", words[i].name);
		assert_says(&b, line);
	}
	assert_says(&b, "\n---@param a fw.order\n---@return table\nfunction order(a) end\n");
	for (int boost = 0; boost < 2; boost++) {
		words = boost ? fw_words_of_boost(&n) : fw_words_of_order(&n);
		for (size_t i = 0; i < n; i++) {
			snprintf(line, sizeof line, "\n---@field %s %s ", words[i].name, words[i].type);
			assert_says(&b, line);
		}
	}
	fw_buf_finish(&b);
}

/* Nothing may be named that is not among the words, and the other way round. */
static void test_words_are_all(void **state)
{
	(void)state;
	size_t n_marks, n_matchers, known = 0;
	const struct fw_word *marks = fw_words_marks(&n_marks), *matchers = fw_words_matchers(&n_matchers);
	for (const char *const *name = fw_words_names(); *name; name++) {
		for (size_t i = 0; i < n_marks; i++)
			known += strcmp(*name, marks[i].name) == 0;
		for (size_t i = 0; i < n_matchers; i++)
			known += strcmp(*name, matchers[i].name) == 0;
		for (int i = 0; i < FW_DECLARED_KINDS; i++)
			known += strcmp(*name, fw_declared_words[i]) == 0;
	}
	assert_int_equal(known, n_marks + n_matchers + FW_DECLARED_KINDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lua),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_facts_and_words),
		cmocka_unit_test(test_words_are_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
