/* The pure standard library that a rule's code may call: Lua's own words without files, clock, chance, coroutines,
 * loading of code or any other way to keep something from one call to the next.
 *
 * What differs from Lua 5.4 on purpose:
 * - `pairs` goes in key order: numbers ascending, text bytewise, then false and true; any other type of key is an
 *   error. It visits the keys the table had when it began and that still have a value.
 * - `next(t)` only tells whether a table is empty (nil, or the first pair in that order); `next(t, k)` is an error.
 * - `tostring` and "%s" of a table, function or userdata without __tostring is its type; "%p" is refused.
 * - `setmetatable` refuses __gc, __mode and __close.
 * - `table.sort` is stable, and raises if the comparator says true for two neighbours of the result both ways.
 *   A comparator that raises leaves the table as it was.
 * - Strings that a library function makes are at most FW_LIMIT_STRING_BYTES, patterns FW_LIMIT_PATTERN_BYTES.
 * - Upper and lower case and the character classes of patterns are ASCII's.
 * The process must stay in the C locale: Lua compares and prints through the C library. */
#ifndef FW_RULES_LIB_H
#define FW_RULES_LIB_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Where the table of globals stands in the registry. */
#define FW_LIB_KEY "floorwalker.lib"

/* Makes the library in this state, whatever its globals were, and locks the metatable of strings. Pushes nothing,
 * raises on a lack of memory (call it protected). Once a state. Returns 0. */
int fw_lib_open(lua_State *L);

/* Pushes the table of globals: string, table, math, utf8, pcall, error, assert, select, ipairs, pairs, next, type,
 * tonumber, tostring, setmetatable. The library tables in it cannot be changed by Lua code, but this table is a plain
 * one, for reading at no cost: make it the __index of an environment with a locked metatable, never an environment. */
void fw_lib_push(lua_State *L);

/* Charges the running call for work that a library function is about to do, in instructions; does not return if the
 * budget is used up. The sandbox defines it; the library calls it before or during any work that is not bounded by a
 * small constant, so that no single call runs long. Lua may be unable to yield here (in a comparator, say). */
void fw_lib_charge(lua_State *L, size_t instructions);

/* What looking for the nearest right name for a message costs. */
enum { FW_LIB_NEAREST_INSTRUCTIONS = 500 };

/* Freezes the table at `index`, in place, and every table that can be reached from it through keys, values, and
 * metatables: each keeps its identity, reads, `#`, pairs, next, ipairs and its other metamethods as before, and any
 * write raises "this table is shared between visitors and cannot be changed". Tables frozen before (library tables are)
 * are skipped; anything else is left alone. Each Lua function and each iterator (below) that is reached becomes a key,
 * with value true, of the table at `functions` (0: not wanted), so that the caller can look at its upvalues.
 *
 * How: the contents move into a hidden table that the emptied one shows through a metatable of its own. Costs about
 * 400 bytes a table, and the memory of the contents once more, since Lua does not shrink the emptied table; a read costs
 * one more look-up. Raises on a lack of memory: call it protected. Charges nothing.
 *
 * A text of more than FW_LIMIT_STRING_BYTES that is reached is an error, since Lua compares texts without being charged.
 *
 * Limits: a table in use as a metatable keeps working only for tables that are frozen themselves or given that metatable
 * afterwards by the library's setmetatable, which looks through. A metatable's __gc, __mode, __close and __newindex are
 * dropped. C code that uses raw access sees an empty table: use fw_lib_contents. */
void fw_lib_freeze(lua_State *L, int index, int functions);

/* Raises the error about texts that are too long for what functions can reach. */
void fw_lib_check_reached(lua_State *L, int index);

/* Pushes the table that raw access may read in place of the one at `index`: the hidden table of a frozen one, else the
 * table itself. True if it was frozen. Never let Lua code have what this pushes. */
bool fw_lib_contents(lua_State *L, int index);

/* True if the value at `index` is an iterator that pairs or gmatch made. It knows how far it went, so one that outlives
 * a call would tell the next caller. No other C function that Lua code can have keeps anything. */
bool fw_lib_is_iterator(lua_State *L, int index);

#endif
