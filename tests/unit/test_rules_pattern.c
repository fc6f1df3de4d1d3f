/* The matcher against Lua's own, on random patterns and subjects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib_state.h"

static uint64_t seed = 20260101;

static unsigned pick(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

/* Appends up to `most` random pieces. */
static size_t join(char *to, const char *const *pieces, unsigned n, unsigned most)
{
	size_t length = 0;
	for (unsigned left = pick(most + 1); left > 0; left--) {
		const char *piece = pieces[pick(n)];
		size_t bytes = *piece ? strlen(piece) : 1; /* "" stands for a zero byte */
		memcpy(to + length, piece, bytes);
		length += bytes;
	}
	return length;
}

static size_t random_pattern(char *to)
{
	static const char *const tame[] = { "a", "b", ".", "%a", "%d", "%s", "[ab]", "[^a]", "[%w_]", "[a-c]", "(", ")", "()", "(a)",
		"(.-)", "(%w*)", "*", "+", "-", "?", "*", "?", "%1", "%2", "$", "^", "%b()", "%f[%w]", "%f[%W]", "", "%%", "%A", " " };
	static const char *const wild[] = { "%", "[", "]", "[]", "[^]", "[]]", "[%]", "[^", "%b", "%f", "%z", "%0", "%9", "%b(", "^^",
		"$$", "[a-", "[-a]", "[a-%%]", "\xff", "%\xff", "[\x80-\xff]", "%-", "%B", "%g", "%p", "%x", "%c", "%l", "%u", "%S" };
	size_t n = join(to, tame, sizeof tame / sizeof *tame, 7);
	return pick(3) ? n : n + join(to + n, wild, sizeof wild / sizeof *wild, 3);
}

static size_t random_subject(char *to)
{
	static const char *const pieces[] = { "a", "b", "c", "a", "b", "ab", "aa", "A", "1", "_", " ", "(", ")", "", "\xff", "\x80", "]",
		"^", "-", "%", "\n", "." };
	return join(to, pieces, sizeof pieces / sizeof *pieces, 14);
}

static void load_checker(lua_State *L)
{
	static const char code[] = "local s, p, i, r = ... local o = {} "
		"local function note(...) o[#o + 1] = select('#', ...) for k = 1, select('#', ...) do local v = (select(k, ...)) "
		"o[#o + 1] = type(v) .. tostring(v) end end "
		"note(pcall(string.find, s, p, i)) note(pcall(string.match, s, p, i)) "
		"note(pcall(string.gsub, s, p, r)) note(pcall(string.gsub, s, p, function(a, b) return b end, i)) "
		"note(pcall(function() local n = 0 for a, b in s:gmatch(p, i) do n = n + 1 note(a, b) end return n end)) "
		"return table.concat(o, '|')";
	assert_int_equal(luaL_loadstring(L, code), LUA_OK);
}

struct trial {
	char subject[64], pattern[128], replacement[64];
	size_t subject_n, pattern_n, replacement_n;
	int init;
};

/* Leaves the outcome on the stack. The function is below. */
static const char *outcome(lua_State *L, const struct trial *t, size_t *n)
{
	lua_pushvalue(L, 1);
	lua_pushlstring(L, t->subject, t->subject_n);
	lua_pushlstring(L, t->pattern, t->pattern_n);
	lua_pushinteger(L, t->init);
	lua_pushlstring(L, t->replacement, t->replacement_n);
	if (lua_pcall(L, 4, 1, 0) != LUA_OK)
		fail_msg("%s", lua_tostring(L, -1));
	return lua_tolstring(L, -1, n);
}

static void test_as_lua(void **state)
{
	(void)state;
	static const char *const replacements[] = { "x", "%0", "%1", "%2", "%%", "", "<%1>", "%", "%q" };
	lua_State *rules = open_rules(), *stock = open_stock();
	budget = INT64_MAX;
	load_checker(rules);
	load_checker(stock);
	int rounds = getenv("FW_LONG") ? 600000 : 60000, matched = 0;
	for (int i = 0; i < rounds; i++) {
		struct trial t;
		t.subject_n = random_subject(t.subject);
		t.pattern_n = random_pattern(t.pattern);
		t.replacement_n = join(t.replacement, replacements, sizeof replacements / sizeof *replacements, 3);
		t.init = pick(3) ? 1 : (int)pick(20) - 8;
		size_t ours_n, theirs_n;
		const char *ours = outcome(rules, &t, &ours_n), *theirs = outcome(stock, &t, &theirs_n);
		if (ours_n != theirs_n || memcmp(ours, theirs, ours_n) != 0)
			fail_msg("\"%.*s\" in \"%.*s\" from %d, \"%.*s\"\n  gave %s\n  Lua: %s", (int)t.pattern_n, t.pattern,
				(int)t.subject_n, t.subject, t.init, (int)t.replacement_n, t.replacement, ours, theirs);
		matched += strncmp(ours, "2|booleantrue|nil", 17) != 0 && strstr(ours, "|booleantrue|");
		lua_settop(rules, 1);
		lua_settop(stock, 1);
	}
	assert_true(matched > rounds / 5); /* or the patterns were too wild to show anything */
	lua_close(rules);
	lua_close(stock);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_as_lua) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
