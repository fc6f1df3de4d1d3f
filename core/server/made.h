/* What a loader makes, and its workers share by fork. */
#ifndef FW_SERVER_MADE_H
#define FW_SERVER_MADE_H

#include "server/engine.h"
#include "server/plugins.h"
#include "server/shadow.h"
#include "server/sockets.h"

struct fw_made {
	struct fw_config *config;
	struct fw_engine *engine;
	struct fw_shadow *shadow; /* or NULL */
	struct fw_plugins *plugins;
	struct fw_http_routes *routes;
	const struct fw_sockets *sockets;
	struct fw_shared *shared;
	uint32_t generation, bank;
	struct fw_slot_page *slots; /* the bank's */
};

#endif
