/* The keys of a plugin's configuration: which there are, and what may stand there. The host's calls give a stand-in for a value of another
 * type; here that is refused, with the key, the value and what may stand there. */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <floorwalker/plugin.h>

enum { COMMON_CONFIG_KEYS = 32 };

enum common_kind {
	COMMON_TEXT,
	COMMON_NUMBER, /* from `least` to `most` */
	COMMON_WHOLE,  /* the same, without a fraction */
	COMMON_FLAG,
};

struct common_key {
	const char *name;
	enum common_kind kind;
	double least, most;
};

/* `keys` are at most COMMON_CONFIG_KEYS, ended by a name of NULL. 0, or -1 with the problem filled. */
int common_config_check(const struct fw_host *host, struct fw_plugin_text config, const struct common_key *keys,
	struct fw_plugin_problem *problem);
/* A flag, once it was checked. */
int common_config_flag(struct fw_plugin_text config, const char *key, int otherwise);

#endif
