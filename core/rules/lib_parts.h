/* What the files of the standard library share; lib.h is what others see. */
#ifndef FW_RULES_LIB_PARTS_H
#define FW_RULES_LIB_PARTS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* How much work costs as much as one instruction. */
enum { FW_LIB_BYTES_PER_INSTRUCTION = 16 };

/* Each pushes a library table, a plain one yet. */
void fw_lib_make_string(lua_State *L); /* and sets the metatable of strings */
void fw_lib_make_table(lua_State *L);
void fw_lib_make_math(lua_State *L);
void fw_lib_make_utf8(lua_State *L);

/* Makes the plain table on top of the stack a library table: hidden, and an error "<name> is read-only" on a write. */
void fw_lib_seal(lua_State *L, const char *name);

/* Sets functions of the table on top. `from` is a table of Lua's own library whose functions of these names (ended by
 * NULL) are taken as they are; `charged` wraps them so that the length of text arguments and the number of arguments
 * are charged first. */
void fw_lib_take(lua_State *L, int from, const char *const *names, bool charged);

/* Charges for n bytes of text read or made. */
void fw_lib_charge_bytes(lua_State *L, size_t n);

/* Raises if a string of n bytes would be longer than the library makes, else charges for it. */
void fw_lib_check_size(lua_State *L, size_t n);

/* A whole-number argument as Lua reads it, the conversion of a text charged. */
lua_Integer fw_lib_integer(lua_State *L, int arg);
lua_Integer fw_lib_opt_integer(lua_State *L, int arg, lua_Integer otherwise);
/* A text argument. */
struct fw_str fw_lib_text(lua_State *L, int arg);

/* A position as string functions take it: negative ones count from the end. Gives 1 for what is before the text. */
size_t fw_lib_begin(lua_Integer position, size_t n);
/* The same for an end: at most n, 0 for what is before the text. */
size_t fw_lib_end(lua_Integer position, size_t n);

/* Raises unless the argument is a table, or has the metamethods to be used like one in these ways. */
enum { FW_LIB_READ = 1, FW_LIB_WRITE = 2, FW_LIB_LENGTH = 4 };
void fw_lib_check_table(lua_State *L, int arg, int use);

/* The functions `pairs` and `next`, and the iterators of pairs and gmatch. */
int fw_lib_pairs(lua_State *L);
int fw_lib_next(lua_State *L);
int fw_lib_next_pair(lua_State *L);
int fw_lib_next_match(lua_State *L);

/* Pushes what tostring makes of a value. */
void fw_lib_tostring(lua_State *L, int index);

/* Functions of the string library that have a file of their own. */
int fw_lib_find(lua_State *L);
int fw_lib_match(lua_State *L);
int fw_lib_gmatch(lua_State *L);
int fw_lib_gsub(lua_State *L);
int fw_lib_format(lua_State *L); /* upvalue 1: Lua's own string.format, which quotes for %q */
int fw_lib_sort(lua_State *L);

#endif
