/* Where the store is, by the configuration: for the master, the workers, and the commands. */
#ifndef FW_SERVER_CONFIG_STORE_H
#define FW_SERVER_CONFIG_STORE_H

#include "server/config.h"
#include "store/store.h"

/* `store` (unset: lmdb:var/data beside the configuration), with an absolute path; the keeper's socket in `run`; `durability`.
 * Texts lie in the arena. 0, or FW_EINVAL (a kind of store, or a durability, that this version does not have), FW_ENOMEM. */
int fw_config_store(const struct fw_config *config, struct fw_arena *a, struct fw_store_options *ret, struct fw_error *err);

#endif
