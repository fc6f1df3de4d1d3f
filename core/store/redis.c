/* fw_store_open for Redis. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/redis_own.h"
#include "store/redis_tag.h"

void fw_redis_tick_soon(struct fw_redis *r, int64_t ms)
{
	const struct timeval t = { ms / 1000, ms % 1000 * 1000 };
	int64_t at_us = fw_monotonic_us() + ms * 1000;
	if (r->closing || (r->tick_us && r->tick_us <= at_us))
		return;
	r->tick_us = at_us;
	evtimer_add(r->tick, &t);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_redis *r = ctx;
	(void)fd;
	(void)what;
	r->tick_us = 0;
	fw_redis_map_tick(r);
	fw_redis_watch_tick(r);
	fw_redis_asks_tick(r);
	fw_redis_scrub_tick(r);
}

void fw_redis_trouble(struct fw_redis *r, const struct fw_redis_node *node, const char *what)
{
	if (node && node->port)
		snprintf(r->trouble, sizeof r->trouble, "Redis at %.60s:%u: %.110s", node->host, node->port, what);
	else
		snprintf(r->trouble, sizeof r->trouble, "Redis: %.150s", what);
	for (char *p = r->trouble; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	r->trouble_us = fw_monotonic_us();
}

static void close_store(struct fw_store *s)
{
	struct fw_redis *r = (struct fw_redis *)s;
	r->closing = true;
	fw_redis_scrub_close(r);
	fw_redis_asks_close(r);
	fw_redis_map_close(r);
	fw_redis_lines_finish(&r->lines);
	if (r->tick)
		event_free(r->tick);
	fw_arena_finish(&r->arena);
	free(r);
}

static int begin(struct fw_redis *r, const struct fw_store_options *options, struct event_base *base, struct fw_error *err)
{
	int rc = fw_redis_url_parse(&r->arena, options->url, &r->lines.url, err);
	if (rc < 0)
		return rc;
	r->lines.base = base;
	if ((rc = fw_redis_lines_init(&r->lines, err)) < 0)
		return rc;
	if (!(r->store.durability = fw_store_durability_for(options->url, options->durability)))
		return fw_fail(err, FW_EINVAL, NULL, 0, "Redis has no durability \"%s\"", options->durability);
	r->replicated = strcmp(r->store.durability, "replicated") == 0;
	r->again_end = &r->again;
	fw_redis_tags(r->tags);
	if (fw_redis_scripts_init(&r->scripts) < 0)
		return fw_fail(err, FW_EIO, NULL, 0, "OpenSSL has no SHA-1");
	if (!(r->tick = evtimer_new(base, on_tick, r)) || fw_redis_map_begin(r) < 0)
		return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	fw_redis_tick_soon(r, 0);
	return 0;
}

int fw_redis_open(const struct fw_store_options *options, struct event_base *base, struct fw_store **ret, struct fw_error *err)
{
	static const struct fw_store_ops ops = { fw_redis_get, fw_redis_scan, fw_redis_commit, fw_redis_watch, fw_redis_scrub,
		fw_redis_health, close_store };
	struct fw_redis *r = calloc(1, sizeof *r);
	if (!r)
		return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	fw_arena_init(&r->arena, NULL, 0, 0);
	int rc = fw_store_init(&r->store, &ops, NULL);
	if (rc < 0)
		fw_fail(err, rc, NULL, 0, "no random bytes");
	else
		rc = begin(r, options, base, err);
	if (rc < 0)
		close_store(&r->store);
	else
		*ret = &r->store;
	return rc;
}
