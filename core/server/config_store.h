/* Where the store is, by the configuration: for the master, the workers, and the commands. */
#ifndef FW_SERVER_CONFIG_STORE_H
#define FW_SERVER_CONFIG_STORE_H

#include "server/config.h"
#include "store/store.h"

/* The configured store, the keeper's socket in `run`. Texts are the configuration's, or lie in the arena. 0 or FW_ENOMEM. */
int fw_config_store(const struct fw_config *config, struct fw_arena *a, struct fw_store_options *ret, struct fw_error *err);
/* The spool, an LMDB store in a folder of this node. FW_ENOENT: none is configured. */
int fw_config_spool(const struct fw_config *config, struct fw_arena *a, struct fw_store_options *ret, struct fw_error *err);
/* What the node's keeper keeps: the data, or where that lies elsewhere the spool. FW_ENOENT: there is nothing to keep. */
int fw_config_kept(const struct fw_config *config, struct fw_arena *a, struct fw_store_options *ret, struct fw_error *err);

#endif
