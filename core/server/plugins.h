/* The plugin host: opens shared objects, refuses those that do not fit, and gives each the table of <floorwalker/plugin.h>.
 * Opened and configured in the loader, started in each worker. */
#ifndef FW_SERVER_PLUGINS_H
#define FW_SERVER_PLUGINS_H

#include <floorwalker/plugin.h>

#include "http/route.h"
#include "server/config.h"
#include "server/kept.h"
#include "server/report.h"
#include "server/shared.h"

struct fw_worker;
struct fw_plugins;

/* A path and who answers it. */
struct fw_endpoint {
	enum fw_plugin_access access;
	struct fw_loaded *plugin; /* NULL: the server's own */
	void (*handle)(struct fw_plugin_instance *self, struct fw_plugin_request *request);
	bool verbose_needs_access; /* /readyz: anybody without ?verbose */
};

/* Opens every plugin that the configuration names from a private copy, checks its descriptor, and configures it. With
 * `kept`, copies go there. 0, or FW_EINVAL, FW_EIO, FW_ENOMEM with the errors in `report`. */
int fw_plugins_load(const struct fw_config *config, struct fw_shared *shared, unsigned bank, struct fw_kept *kept,
	struct fw_plugins **ret, struct fw_report *report);
void fw_plugins_destroy(struct fw_plugins *plugins);
/* Claims their paths. 0 or FW_EINVAL. */
int fw_plugins_claim(struct fw_plugins *plugins, struct fw_http_routes *routes, struct fw_report *report);
/* Those that are channels, into room for FW_LIMIT_PLUGINS; in a worker, once they have started. Returns how many. */
struct fw_channel;
unsigned fw_plugins_channels(struct fw_plugins *plugins, struct fw_channel *channels);
/* An array of {"name","build","abi"}. */
void fw_plugins_describe(const struct fw_plugins *plugins, struct fw_json_out *out);

/* In a worker: 0, or -1 with the refusal in `err`; those that had started are stopped. */
int fw_plugins_start(struct fw_plugins *plugins, struct fw_worker *worker, struct fw_error *err);
void fw_plugins_drain(struct fw_plugins *plugins, int64_t deadline_ms);
/* What plugins ask of other servers ends without an answer, and they ask no more: while the engine still hears what they say of it. */
void fw_plugins_end_asks(struct fw_plugins *plugins);
void fw_plugins_stop(struct fw_plugins *plugins);

#endif
