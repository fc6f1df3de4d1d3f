/* Finding a decision in the folder of the log, and opening it. */
#ifndef FW_TRACE_LOG_FIND_H
#define FW_TRACE_LOG_FIND_H

#include "base/hash.h"
#include "trace/log_file.h"
#include "trace/logged.h"

struct fw_log_found {
	struct fw_str bytes; /* of the file, mapped */
	char name[256];      /* of the file, in the folder */
	struct fw_log_decision decision;
	struct fw_log_set set;
	unsigned files;      /* that were looked through */
	uint64_t lost;       /* bytes in them that were no whole entry */
};

/* The decision of that id. Lists lie in the arena. 0; FW_ENOENT: it is in none of the files; FW_EINVAL: it is there, but what it hangs on
 * cannot be read; FW_EIO: there is no such folder; FW_ENOMEM. `err` says which. To be finished in any case. */
int fw_log_find(const char *folder, const unsigned char id[FW_LOG_ID], struct fw_arena *a, struct fw_log_found *ret, struct fw_error *err);
void fw_log_found_finish(struct fw_log_found *f);

/* All files of the folder, mapped, the oldest first; their list lies in the arena, each to be finished. 0, FW_EIO or FW_ENOMEM. */
int fw_log_map_all(const char *folder, struct fw_arena *a, struct fw_log_found **ret, uint32_t *ret_n, struct fw_error *err);

/* Opens what is sealed with the key that seals it (the store's where nobody in particular asked): what was decided, and the record of the
 * person as it was read (n 0: there was none). In the arena. 0; FW_EINVAL: another key, or it is damaged; FW_EIO; FW_ENOMEM. */
int fw_log_unseal(const struct fw_log_found *f, const unsigned char key[FW_SEAL_KEY], struct fw_arena *a, struct fw_logged *ret,
	struct fw_str *ret_record);

#endif
