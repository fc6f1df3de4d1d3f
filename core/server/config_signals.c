#include "server/config_signals.h"

int fw_config_signals(const struct fw_config *config, struct fw_arena *a, struct fw_signal_config *ret)
{
	*ret = (struct fw_signal_config){
		.geo_path = config->geo_database,
		.own_hosts = config->hosts.items,
		.n_own_hosts = config->hosts.n,
		.trusted = config->proxies,
		.n_trusted = config->n_proxies,
		.trust_unix = config->proxy_unix,
	};
	return fw_consent_configure(a, config->consent, &ret->consent);
}
