#include "server/admit.h"

#include "base/clock.h"
#include "server/access.h"
#include "server/rates.h"
#include "server/worker.h"

/* One household of IPv6 has a network of 64 bits. */
bool fw_admit_client(const struct fw_plugin_request *r, struct fw_ip *ip, struct fw_str *ret)
{
	enum { V6_BYTES = 8 };
	if (!fw_access_client(r, r->worker->made->config, ip) || fw_ip_is_loopback(ip))
		return false;
	*ret = (struct fw_str){ (const char *)ip->bytes, fw_ip_is_v4(ip) ? sizeof ip->bytes : V6_BYTES };
	return true;
}

static bool is_free(const struct fw_plugin_request *r)
{
#ifdef FW_BREAK_CLAIMS
	return true;
#endif
	return !r || r->have == FW_PLUGIN_ACCESS_SECRET || !r->worker->rates;
}

static unsigned take(struct fw_plugin_request *r, enum fw_rate rate, struct fw_str who)
{
	unsigned wait_s = fw_rates_take(r->worker->rates, rate, who, fw_monotonic_us());
	if (wait_s)
		fw_count(r->worker->page, FW_COUNT_LIMITED + rate, 1);
	return wait_s;
}

unsigned fw_admit_request(struct fw_plugin_request *r)
{
	struct fw_ip ip;
	struct fw_str client;
	unsigned wait_s = 0;
	if (is_free(r))
		return 0;
	if (fw_admit_client(r, &ip, &client))
		wait_s = take(r, FW_RATE_ADDRESS, client);
	if (!wait_s && r->have == FW_PLUGIN_ACCESS_WRITE)
		wait_s = take(r, FW_RATE_KEY, r->key);
	return wait_s;
}

bool fw_admit_new(struct fw_plugin_request *r)
{
	struct fw_ip ip;
	struct fw_str client;
	return is_free(r) || !fw_admit_client(r, &ip, &client) || take(r, FW_RATE_NEW, client) == 0;
}

bool fw_admit_id(struct fw_plugin_request *r, struct fw_str id)
{
	if (is_free(r) || fw_rates_knows(r->worker->rates, id))
		return true;
	if (!fw_admit_new(r))
		return false;
	fw_rates_learn(r->worker->rates, id);
	return true;
}
