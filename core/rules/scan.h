/* Reads a rule file's source for what Lua passes over in silence or says badly: keys written twice in one table, curly
 * quotes, missing commas; and remembers the line of every key, so that an error about a value names its own line. */
#ifndef FW_RULES_SCAN_H
#define FW_RULES_SCAN_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

struct fw_scan;

/* `name` and `text` (terminated) must outlive the scan, which lives in the arena. Returns 0, FW_ENOMEM, or FW_EINVAL with
 * the first mistake found. Text that is no Lua at all gives a scan without positions: Lua's own parser reports it. */
int fw_scan_create(struct fw_arena *a, const char *name, const char *text, struct fw_scan **ret_scan, struct fw_error *err);

/* The line of the value under a dotted path ("when.cart.total") of the declaration written on `line` with `id`; the
 * nearest known line above it when the path is not written out there. */
int fw_scan_line(const struct fw_scan *scan, int line, const char *id, const char *path);

#endif
