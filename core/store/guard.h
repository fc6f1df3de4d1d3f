/* Looking at a file that may be anything, in a child of its own: what kills the child does not kill us. Only for core/store/. */
#ifndef FW_STORE_GUARD_H
#define FW_STORE_GUARD_H

#include <stdbool.h>

#include "base/error.h"

/* Runs `run` in a child and gives its result and error; a child that died is FW_EINVAL: the data is damaged. What `run` changes
 * in memory is lost. FW_EIO: no child could be made. */
int fw_store_guarded(int (*run)(void *ctx, struct fw_error *err), void *ctx, const char *file, struct fw_error *err);

/* The same for a data folder: opens it (making it where `create` is set and there is none) and reads the first row of every
 * bucket with its path, or with `whole` every row. */
int fw_store_look(const char *folder, bool create, bool whole, struct fw_error *err);

#endif
