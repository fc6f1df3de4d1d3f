/* Content: a Lua value as JSON. A table with keys 1…n is an array, with text keys an object, `{}` an object, `list {}` an
 * array; objects are written in key order, whole numbers without a point. */
#ifndef FW_RULES_CONTENT_H
#define FW_RULES_CONTENT_H

#include <lua.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/limits.h"

/* Appends the value at `index` of the stack. 0, or FW_EINVAL / FW_ELIMIT with what JSON cannot say: a function, a
 * cycle (nesting beyond FW_LIMIT_CONTENT_DEPTH), NaN, mixed keys, more than FW_LIMIT_CONTENT_BYTES; or FW_ENOMEM. Raises
 * nothing. */
int fw_content_write(lua_State *L, int index, struct fw_buf *out, struct fw_error *err);
/* A visitor's: its `events` may have Lua's shape, a name and beside it `ago` and properties; they are written as JSON has them. */
int fw_content_write_given(lua_State *L, int index, struct fw_buf *out, struct fw_error *err);

/* A list of the content that is to be put in order, as it was written. */
struct fw_content_order {
	const char *path;  /* where it stands: "stories", "rows.#2.products" */
	size_t from, to;   /* the same in what was appended, brackets included */
	size_t *items;     /* where each item begins; after the last one: where it ends, and a comma */
	uint32_t n;
};
struct fw_content_orders {
	struct fw_arena *arena; /* the caller's: of the paths and the lists */
	struct fw_content_order items[FW_LIMIT_ORDER_LISTS];
	uint32_t n;
};
/* A rule's `show`: `order { items = { … } }` may stand in it where a list does, and the list is written. On success a table of the tables
 * that `order` was given, 1…n, is left on the stack; else nothing is. */
int fw_content_write_show(lua_State *L, int index, struct fw_buf *out, struct fw_content_orders *ret, struct fw_error *err);

#endif
