/* Evaluating the configuration file: Lua text into a JSON tree. Only for config.c. */
#ifndef FW_SERVER_CONFIG_LUA_H
#define FW_SERVER_CONFIG_LUA_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

/* A global that the file set: where it was set (the line on which the statement ends). */
struct fw_config_set {
	struct fw_json *value; /* value->key is its name */
	int line;
	struct fw_config_set *next; /* in the order of the file */
};

/* Runs the text with the names env, ipairs, pairs, tonumber, tostring, type, select, assert and error, within the limits
 * of base/limits.h. 0, FW_EINVAL (file and line in `err`) or FW_ENOMEM. */
int fw_config_eval(struct fw_arena *a, struct fw_str text, const char *file, struct fw_config_set **ret_first,
	struct fw_error *err);

#endif
