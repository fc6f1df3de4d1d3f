/* The keys of the configuration, one reader each. Only for config.c. */
#ifndef FW_SERVER_CONFIG_KEYS_H
#define FW_SERVER_CONFIG_KEYS_H

#include "server/config.h"

/* What holds where the file says nothing. 0 or FW_ENOMEM. */
int fw_config_set_defaults(struct fw_config *c);
/* Checks one value and keeps it: 0; FW_ENOENT when there is no such key; FW_EINVAL with message and hint, without a
 * place; FW_ENOMEM. */
int fw_config_set_key(struct fw_config *c, const struct fw_json *value, struct fw_error *err);
/* After the last key: defaults that depend on others, and what must fit together. */
int fw_config_set_rest(struct fw_config *c, struct fw_error *err);

#endif
