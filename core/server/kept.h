/* The files of a set, as they were read: a copy in the run folder, which stays as the last good one while it serves.
 * run/sets/<hash>/ holds config.lua, rules/, compliance/, plugins/ and a note of where the files came from;
 * run/sets/current points to the one in service, run/sets/former to the one that served before. */
#ifndef FW_SERVER_KEPT_H
#define FW_SERVER_KEPT_H

#include "server/config.h"

struct fw_kept {
	char folder[512];
	char hash[17]; /* of all files in it, hexadecimal */
	unsigned files;
};

/* A new folder with the configuration's text; what else was read comes with fw_kept_add. 0 or FW_EIO. */
int fw_kept_begin(struct fw_kept *kept, const struct fw_config *config, struct fw_error *err);
/* Adds a file under a relative path. */
int fw_kept_add(struct fw_kept *kept, const char *path, struct fw_str bytes, struct fw_error *err);
/* Gives the folder its lasting name. */
int fw_kept_finish(struct fw_kept *kept, const struct fw_config *config, struct fw_error *err);
/* Removes what fw_kept_begin made, after a failure. */
void fw_kept_drop(struct fw_kept *kept);

/* The path of the copy in service, or NULL when there is none; in buf of 512. */
const char *fw_kept_current(const char *run, char *buf);
/* The same for the set that served before the one in service. */
const char *fw_kept_former(const char *run, char *buf);
/* Makes `folder` the copy in service, and the one that was the former one. Removes all others, and what loaders that died have left. */
int fw_kept_commit(const char *run, const char *folder, struct fw_error *err);

/* The configuration of a copy, with its rules, compliance and plugin paths in the copy. */
int fw_kept_load(const char *folder, struct fw_config **ret, struct fw_error *err);

#endif
