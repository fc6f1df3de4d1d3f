/* The store of a URL. */
#include <stdio.h>
#include <string.h>

#include "store/client.h"
#include "store/redis_own.h"
#include "store/redis_url.h"

int fw_store_open(const struct fw_store_options *options, struct event_base *base, struct fw_store **ret, struct fw_error *err)
{
	if (fw_redis_url_is(options->url))
		return fw_redis_open(options, base, ret, err);
	return fw_lmdb_store_open(options, base, ret, err);
}
