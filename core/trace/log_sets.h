/* The folder of the decision log, as a whole: its files by age, and the rule sets that they need, each once, by its hash:
 * sets/HASH/rules/… and sets/HASH/compliance/…, as they were read. */
#ifndef FW_TRACE_LOG_SETS_H
#define FW_TRACE_LOG_SETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "rules/files.h"

/* Keeps the files of a rule set of that hash, unless they are there. In a loader, before its files' text is forgotten. 0, FW_EIO or
 * FW_EFULL. */
int fw_log_sets_keep(const char *folder, const char *hash, const struct fw_files *files, struct fw_error *err);
/* Says that it is in use: whoever writes decisions of it does so at each file it begins, and each minute. */
void fw_log_sets_touch(const char *folder, const char *hash);
/* The folders of its files, in buf of so many bytes; `ret_compliance` NULL: it has none. False: the set is not there. */
bool fw_log_sets_find(const char *folder, const char *hash, char *rules, char *compliance, size_t size, bool *ret_compliance);

/* Drops files that nobody has written to for `keep_s`, the oldest beyond `bytes`, and rule sets that none of those left needs. Any number
 * of processes may do so at once. */
void fw_log_sets_tidy(const char *folder, int64_t keep_s, uint64_t bytes, int64_t now_us);

#endif
