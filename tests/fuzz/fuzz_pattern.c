/* Any pattern on any subject ends within its budget and gives what Lua's own matcher gives.
 * Bytes: length of the pattern, where to begin, the pattern, the subject. */
#include "../unit/lib_state.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { BUDGET = 20000, LONGEST_SUBJECT = 1000 };

/* Everything the pattern functions say, as one text. */
static const char checker[] = "local s, p, i = ... local o = {} "
	"local function note(...) o[#o + 1] = select('#', ...) for k = 1, select('#', ...) do local v = (select(k, ...)) "
	"o[#o + 1] = type(v) .. tostring(v) end end "
	"note(pcall(string.find, s, p, i)) note(pcall(string.match, s, p, i)) note(pcall(string.gsub, s, p, '<%1>')) "
	"note(pcall(string.gsub, s, p, function(a, b) return b end, i)) "
	"note(pcall(function() local n = 0 for a, b in s:gmatch(p, i) do n = n + 1 note(a, b) end return n end)) "
	"return table.concat(o, '|')";

/* A state with the checker at stack index 1. */
static lua_State *prepare(lua_State *L)
{
	if (luaL_loadbufferx(L, checker, sizeof checker - 1, "=checker", "t") != LUA_OK)
		abort();
	return L;
}

static struct fw_str check(lua_State *L, struct fw_str subject, struct fw_str pattern, int init)
{
	struct fw_str said;
	lua_pushvalue(L, 1);
	lua_pushlstring(L, subject.p, subject.n);
	lua_pushlstring(L, pattern.p, pattern.n);
	lua_pushinteger(L, init);
	lua_pcall(L, 3, 1, 0);
	said.p = lua_tolstring(L, -1, &said.n);
	return said;
}

static bool says(struct fw_str text, const char *what)
{
	return memmem(text.p, text.n, what, strlen(what)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static lua_State *rules, *stock;
	if (!rules) {
		rules = prepare(open_rules());
		stock = prepare(open_stock());
	}
	if (n < 2 || n - 2 < data[0] || n - 2 - data[0] > LONGEST_SUBJECT)
		return 0;
	struct fw_str pattern = { (const char *)data + 2, data[0] };
	struct fw_str subject = { pattern.p + pattern.n, n - 2 - data[0] };
	budget = BUDGET;
	struct fw_str ours = check(rules, subject, pattern, (int8_t)data[1]);
	/* Lua's matcher has no budget, and gives up where items nest in hundreds. */
	if (budget > 0) {
		struct fw_str theirs = check(stock, subject, pattern, (int8_t)data[1]);
		bool gave_up = says(theirs, "pattern too complex") || says(theirs, "stack overflow");
		if (!gave_up && (ours.n != theirs.n || memcmp(ours.p, theirs.p, ours.n) != 0))
			abort();
	}
	lua_settop(rules, 1);
	lua_settop(stock, 1);
	return 0;
}
