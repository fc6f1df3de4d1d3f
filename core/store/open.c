/* What a store's URL says. */
#include <string.h>

#include "store/client.h"
#include "store/redis_own.h"
#include "store/redis_url.h"

const char *fw_store_folder(const char *url)
{
	return url && strncmp(url, "lmdb:", 5) == 0 && url[5] ? url + 5 : NULL;
}

const char *fw_store_durability_for(const char *url, const char *asked)
{
	/* Of each kind the usual one first. */
	static const char *const lmdb[] = { "commit", "interval" }, *const redis[] = { "server", "replicated" },
		*const cluster[] = { "replicated", "server" };
	const char *const *known = fw_redis_url_is_cluster(url) ? cluster : fw_redis_url_is(url) ? redis : lmdb;
	for (int i = 0; i < 2; i++)
		if (!asked || strcmp(asked, known[i]) == 0)
			return known[i];
	return NULL;
}

int fw_store_open(const struct fw_store_options *options, struct event_base *base, struct fw_store **ret, struct fw_error *err)
{
	if (fw_redis_url_is(options->url))
		return fw_redis_open(options, base, ret, err);
	return fw_lmdb_store_open(options, base, ret, err);
}
