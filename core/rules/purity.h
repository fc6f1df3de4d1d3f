/* Finds, in a compiled function, what would let one visitor leave something behind for the next: assignments to
 * variables outside the function; and global names that mean nothing. */
#ifndef FW_RULES_PURITY_H
#define FW_RULES_PURITY_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

/* Called for each global name that the function reads, and with NULL where it takes hold of the environment as a whole
 * (a local copy of _ENV); `upvalue` is the function's variable that holds the environment, counted from 1. May refuse it
 * by filling the error and returning FW_EINVAL. */
typedef int (*fw_purity_global)(void *ctx, int upvalue, const char *file, int line, const char *name, struct fw_error *err);

/* Looks at the Lua function on top of the stack (left there) and those written inside it. 0, FW_ENOMEM or FW_EINVAL with
 * file, line and the variable's name. Reads the chunk format of Lua 5.4 (lua_dump; source: ldump.c of 5.4) in the arena,
 * so that nothing is lost if `on_global` raises a Lua error. */
int fw_purity_check(lua_State *L, struct fw_arena *arena, fw_purity_global on_global, void *ctx, struct fw_error *err);

#endif
