/* Content: a Lua value as JSON. A table with keys 1…n is an array, with text keys an object, `{}` an object, `list {}` an
 * array; objects are written in key order, whole numbers without a point. */
#ifndef FW_RULES_CONTENT_H
#define FW_RULES_CONTENT_H

#include <lua.h>

#include "base/buf.h"
#include "base/error.h"

/* Appends the value at `index` of the stack. 0, or FW_EINVAL / FW_ELIMIT with what JSON cannot say: a function, a
 * cycle (nesting beyond FW_LIMIT_CONTENT_DEPTH), NaN, mixed keys, more than FW_LIMIT_CONTENT_BYTES; or FW_ENOMEM. Raises
 * nothing. */
int fw_content_write(lua_State *L, int index, struct fw_buf *out, struct fw_error *err);
/* A visitor's: its `events` may have Lua's shape, a name and beside it `ago` and properties; they are written as JSON has them. */
int fw_content_write_given(lua_State *L, int index, struct fw_buf *out, struct fw_error *err);

#endif
