/* Where a Redis is, from the URL of a store:
 *
 *   redis://[[USER:]PASSWORD@]HOST[:6379][/DATABASE]        rediss:// with TLS
 *   redis+unix:/PATH[?db=DATABASE]                          a Unix socket
 *   redis-cluster://[[USER:]PASSWORD@]HOST:PORT[,HOST:PORT…] rediss-cluster:// with TLS
 *
 * With TLS, ?ca=FILE names who is believed (the system's authorities if not), ?cert=FILE and &key=FILE what the client shows.
 * What is no letter, digit or one of -._~ in a user or a password is written %XX. */
#ifndef FW_STORE_REDIS_URL_H
#define FW_STORE_REDIS_URL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/limits.h"

struct fw_redis_host {
	const char *name; /* an address or a name; or the path of a Unix socket */
	unsigned port;    /* 0: a Unix socket */
};

struct fw_redis_url {
	bool cluster, tls;
	const char *user, *password; /* or NULL */
	const char *ca, *cert, *key; /* files, or NULL */
	unsigned database;
	struct fw_redis_host hosts[FW_LIMIT_REDIS_SEEDS];
	unsigned n_hosts;
};

/* Whether the URL's scheme is one of the above. */
bool fw_redis_url_is(const char *url);
/* Whether it is, and of a cluster. */
bool fw_redis_url_is_cluster(const char *url);
/* Texts are in the arena. 0; FW_EINVAL: it is no such URL, which `err` tells without the password; FW_ENOMEM. */
int fw_redis_url_parse(struct fw_arena *a, const char *url, struct fw_redis_url *ret, struct fw_error *err);

#endif
