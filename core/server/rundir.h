/* The run folder: floorwalker.pid, control.sock, and sets/ with copies of the files in service. And who may do what in
 * it: dropping privileges. */
#ifndef FW_SERVER_RUNDIR_H
#define FW_SERVER_RUNDIR_H

#include "server/config.h"

/* Makes the folder (and those above it), and locks floorwalker.pid with this process' id in it. The descriptor holds the
 * lock; children close it. Returns it, FW_EBUSY when another floorwalker runs there, or FW_EIO. */
int fw_rundir_open(const struct fw_config *config, struct fw_error *err);

/* The configured user and group take over the folder, and this process becomes them; without any, only "no new
 * privileges" is set. `data` is the folder that the keeper writes, or NULL. 0, FW_EINVAL, FW_EIO. */
int fw_rundir_drop_privileges(const struct fw_config *config, const char *data, struct fw_error *err);

#endif
