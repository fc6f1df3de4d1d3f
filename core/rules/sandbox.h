/* The sandbox: one Lua state whose calls are bounded in instructions and bytes, exactly and the same everywhere.
 *
 * Each call runs in a Lua thread of its own and is ended, when its budget is used up, by a yield from the count hook,
 * which no pcall can catch. Bytes are counted as allocated, whatever the collector does; short strings, which Lua
 * shares between all who make the same one, are not, since whether one exists already depends on who came before. When a
 * table from which entries were removed is made anew hangs on how its keys hash: texts hash by a seed that is given, so
 * that all workers and machines agree; only for keys that are tables or functions do addresses decide. */
#ifndef FW_RULES_SANDBOX_H
#define FW_RULES_SANDBOX_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"

struct fw_sandbox;

struct fw_budget {
	int64_t instructions, bytes;
};

enum fw_outcome {
	FW_CALL_DONE,
	FW_CALL_RAISED,       /* the code raised an error */
	FW_CALL_INSTRUCTIONS, /* the instruction budget was used up */
	FW_CALL_BYTES,        /* the byte budget was used up */
	FW_CALL_NESTED,       /* the call led to others, more than FW_LIMIT_CALL_NESTING deep */
};

/* A state with the pure library and nothing else, whose texts hash by `seed`: the same for the same rules, and not to be
 * guessed by who does not know them, since he could send facts that all hash alike. NULL: out of memory. */
struct fw_sandbox *fw_sandbox_create(uint32_t seed);
void fw_sandbox_destroy(struct fw_sandbox *s);

/* The main Lua thread, for building and reading values outside of calls. */
lua_State *fw_sandbox_lua(struct fw_sandbox *s);
/* The sandbox of a running Lua thread. */
struct fw_sandbox *fw_sandbox_of(lua_State *L);

/* What the language's words (while files load) and the visitor (while a decision runs) work on; the caller's. */
enum fw_context { FW_CONTEXT_BUILDER, FW_CONTEXT_EVAL, FW_CONTEXTS };
void fw_sandbox_set_context(struct fw_sandbox *s, enum fw_context which, void *context);
void *fw_sandbox_context(struct fw_sandbox *s, enum fw_context which);

/* Calls the function on top of the main thread's stack below `n_args` arguments; all are popped. On FW_CALL_DONE one
 * result is pushed; otherwise nothing, and `err` has what went wrong, with file and line when Lua knew them. Calls may
 * nest (a segment read by a function); each has a budget of its own, and all have the same room on the C stack. */
enum fw_outcome fw_sandbox_call(struct fw_sandbox *s, int n_args, const struct fw_budget *budget, struct fw_error *err);
/* How many calls are running now, one in the other; and whether the innermost is at its end for having used up something. */
int fw_sandbox_depth(const struct fw_sandbox *s);
bool fw_sandbox_ending(const struct fw_sandbox *s);
/* Ends all of them with FW_CALL_NESTED, each as soon as it runs its next instruction or is charged. */
void fw_sandbox_stop(struct fw_sandbox *s);

/* Between requests: lets the collector work off what calls left behind, a bounded step at a time. */
void fw_sandbox_collect(struct fw_sandbox *s);
/* After loading: a full collection, then generational mode, so that what was loaded is left alone and stays shared. */
void fw_sandbox_settle(struct fw_sandbox *s);
int64_t fw_sandbox_bytes(const struct fw_sandbox *s); /* in use now */

extern const struct fw_budget fw_budget_call; /* of a function of a rule */
extern const struct fw_budget fw_budget_load; /* of a whole rule file */

#endif
