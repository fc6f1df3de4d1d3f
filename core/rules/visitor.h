/* The visitor `v` that rule functions get: every fact by its name, read-only. Reading notes what was used and whether a
 * value was missing, in the frame of the evaluation that runs. */
#ifndef FW_RULES_VISITOR_H
#define FW_RULES_VISITOR_H

#include <lua.h>

#include "rules/sandbox.h"

/* Makes `v` and its parts in the sandbox, once, after the rule files have run. 0 or FW_ENOMEM. */
int fw_visitor_open(struct fw_sandbox *s);
void fw_visitor_push(lua_State *L);
/* True if the value at `index` is the visitor or a part of it (v.traits), which only answers questions. */
bool fw_visitor_is_part(lua_State *L, int index);

#endif
