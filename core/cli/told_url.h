/* Where a store is, as a command is told it. */
#ifndef FW_CLI_TOLD_URL_H
#define FW_CLI_TOLD_URL_H

#include "base/arena.h"
#include "base/error.h"

/* `told` is an argument of the command: a URL; "env:NAME", the URL stands in that variable of the environment; or "file:PATH", it is
 * the first line of that file. Everybody on a machine may read a command's arguments: a password in `told` is overwritten, which
 * leaves a moment. *ret_url is in the arena. 0; FW_EINVAL: there is no such variable, or nothing in it; FW_EIO: the file cannot be
 * read; FW_ENOMEM. */
int fw_told_url(struct fw_arena *a, char *told, const char **ret_url, struct fw_error *err);

#endif
