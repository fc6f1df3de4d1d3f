#include "signal/signal.h"

#include <stdlib.h>

#include "signal/internal.h"

int fw_signal_shared_create(const struct fw_signal_config *config, struct fw_signal_shared **ret_shared, struct fw_error *err)
{
	const struct fw_zone *const *zones;
	struct fw_signal_shared *shared = calloc(1, sizeof *shared);
	if (shared)
		shared->zones = fw_zone_set_create();
	if (!shared || !shared->zones) {
		fw_signal_shared_destroy(shared);
		return fw_fail(err, FW_ENOMEM, NULL, 0, "no memory for reading signals");
	}
	shared->config = config;
	fw_zone_of_country(shared->zones, FW_STR("DE"), &zones); /* reads every country's zones before a request needs them */
	int r = fw_agents_create(&shared->agents, err);
	if (r == 0 && config->geo_path)
		r = fw_geo_open(config->geo_path, &shared->geo, err);
	if (r < 0)
		fw_signal_shared_destroy(shared);
	else
		*ret_shared = shared;
	return r;
}

void fw_signal_shared_destroy(struct fw_signal_shared *shared)
{
	if (!shared)
		return;
	fw_geo_destroy(shared->geo);
	fw_agents_destroy(shared->agents);
	fw_zone_set_destroy(shared->zones);
	free(shared);
}

struct fw_zone_set *fw_signal_zones(struct fw_signal_shared *shared)
{
	return shared->zones;
}

size_t fw_signal_memory_bytes(void)
{
	return fw_device_cache_bytes();
}

void fw_signal_memory_copy(void *memory, const void *from)
{
	fw_device_cache_copy(memory, from);
}

struct fw_signal *fw_signal_create(struct fw_signal_shared *shared, void *memory)
{
	struct fw_signal *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->shared = shared;
	s->devices = fw_device_cache_create(memory);
	if (!s->devices) {
		free(s);
		return NULL;
	}
	return s;
}

void fw_signal_destroy(struct fw_signal *s)
{
	if (!s)
		return;
	fw_device_cache_destroy(s->devices);
	free(s);
}

void fw_signal_device_counts(const struct fw_signal *s, uint64_t *ret_hits, uint64_t *ret_calls)
{
	fw_device_cache_counts(s->devices, ret_hits, ret_calls);
}

bool fw_signal_client(const struct fw_signal *s, const struct fw_signal_request *r, struct fw_ip *ret)
{
	const struct fw_signal_config *config = s->shared->config;
	struct fw_ip peer;
	if (fw_ip_of(r->peer, &peer))
		return fw_ip_client(&peer, &r->forwarded, config->trusted, config->n_trusted, ret);
	return config->trust_unix && fw_ip_client(NULL, &r->forwarded, config->trusted, config->n_trusted, ret);
}
