/* What the configuration says of the decision log. */
#ifndef FW_SERVER_CONFIG_DECISIONS_H
#define FW_SERVER_CONFIG_DECISIONS_H

#include "server/config.h"

struct fw_config_decisions {
	const char *log;    /* the folder, the configuration's text or in the arena; NULL: nothing is logged */
	double sample;      /* of the visitors, 0 to 1 */
	int64_t keep_s;
	uint64_t bytes;     /* of all files together */
	size_t ring_bytes;  /* of a worker */
};

/* 0, FW_EINVAL with the error, or FW_ENOMEM. What was checked when it was read is not refused again. */
int fw_config_decisions(const struct fw_config *config, struct fw_arena *a, struct fw_config_decisions *ret, struct fw_error *err);

#endif
