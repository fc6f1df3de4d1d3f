/* A loader: makes a generation, says READY or what is wrong, and forks its workers; forks again those that die. */
#ifndef FW_SERVER_LOADER_H
#define FW_SERVER_LOADER_H

#include "server/sockets.h"
#include "server/shared.h"

struct fw_loader_options {
	const struct fw_config *started_with; /* the master's */
	const char *kept;                     /* a copy's folder, or NULL: the files */
	const struct fw_sockets *sockets;
	struct fw_shared *shared;
	uint32_t generation, bank;
	int channel; /* towards the master */
};

/* Runs in the process that the master forked for it, and exits it. */
_Noreturn void fw_loader_run(const struct fw_loader_options *options);

#endif
