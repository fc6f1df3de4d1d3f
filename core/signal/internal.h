/* What a worker reads signals with; for this room alone. */
#ifndef FW_SIGNAL_INTERNAL_H
#define FW_SIGNAL_INTERNAL_H

#include "signal/device.h"
#include "signal/geo.h"
#include "signal/signal.h"

struct fw_signal_shared {
	const struct fw_signal_config *config;
	struct fw_agents *agents;
	struct fw_geo *geo; /* or NULL */
	struct fw_zone_set *zones;
};

struct fw_signal {
	struct fw_signal_shared *shared;
	struct fw_device_cache *devices;
};

#endif
