/* `floorwalker store copy`: all rows of the configured store into another, while the daemon serves. */
#ifndef FW_CLI_STORE_COPY_H
#define FW_CLI_STORE_COPY_H

#include <stdbool.h>

struct fw_store_copy {
	const char *config; /* as given, or NULL */
	char *to;           /* the destination, as the command was told it (told_url.h) */
	bool json, follow, into_existing;
};

/* Runs it, and returns an exit status. */
int fw_store_copy(const struct fw_store_copy *asked);

#endif
