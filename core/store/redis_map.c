/* Nodes, and which of them has a bucket. A single Redis has them all; of a cluster any node tells (CLUSTER SLOTS), and every node that is
 * asked for what it does not have (MOVED). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/redis_own.h"
#include "store/redis_tag.h"

enum {
	ASK_AGAIN_MS = 100,  /* between two questions for the map */
	NO_ANSWER_MS = 500,  /* then somebody else is asked */
	LEFT_ALONE_MS = 5000 /* a node without buckets is kept so long */
};

static void on_turned(void *ctx, bool up)
{
	struct fw_redis_node *node = ctx;
	if (up && fw_redis_line_up(node->writes))
		fw_redis_about_ask(node);
	if (!up)
		fw_redis_map_doubt(node->redis);
	fw_redis_tick_soon(node->redis, 0);
}

static void destroy(struct fw_redis_node *node)
{
	fw_redis_line_destroy(node->notices);
	fw_redis_line_destroy(node->reads);
	fw_redis_line_destroy(node->writes);
	fw_redis_unconfirmed_lose(node);
	if (node->flush)
		event_free(node->flush);
	free(node->heard);
	free(node);
}

static struct fw_redis_node *create(struct fw_redis *r, const char *host, unsigned port)
{
	struct fw_redis_node *node = calloc(1, sizeof *node);
	if (!node)
		return NULL;
	node->redis = r;
	node->port = port;
	node->unmapped_us = fw_monotonic_us();
	node->unconfirmed_end = &node->unconfirmed;
	snprintf(node->host, sizeof node->host, "%s", host);
	node->flush = evtimer_new(r->lines.base, fw_redis_flush, node);
	node->reads = fw_redis_line_create(&r->lines, host, port, on_turned, NULL, node);
	node->writes = fw_redis_line_create(&r->lines, host, port, on_turned, NULL, node);
	if (!node->flush || !node->reads || !node->writes) {
		destroy(node);
		return NULL;
	}
	node->next = r->nodes;
	r->nodes = node;
	return node;
}

struct fw_redis_node *fw_redis_map_node(struct fw_redis *r, const struct fw_redis_node *told_by, const char *host, unsigned port)
{
	unsigned n = 0;
	if (!host[0] || strcmp(host, "?") == 0)
		host = told_by->host;
	for (struct fw_redis_node *node = r->nodes; node; node = node->next, n++)
		if (node->port == port && strcmp(node->host, host) == 0) {
			node->unmapped_us = fw_monotonic_us(); /* whoever asked for it is about to use it */
			return node;
		}
	return n < FW_LIMIT_REDIS_NODES ? create(r, host, port) : NULL;
}

static int add_seeds(struct fw_redis *r)
{
	for (unsigned i = 0; i < r->lines.url.n_hosts; i++) {
		const struct fw_redis_host *h = &r->lines.url.hosts[i];
		struct fw_redis_node *node = fw_redis_map_node(r, NULL, h->name, h->port);
		if (!node)
			return FW_ENOMEM;
		node->mapped = !r->lines.url.cluster || !r->has_map;
		node->unmapped_us = fw_monotonic_us();
	}
	return 0;
}

int fw_redis_map_begin(struct fw_redis *r)
{
	int rc = add_seeds(r);
	for (unsigned b = 0; rc == 0 && !r->lines.url.cluster && b < FW_STORE_BUCKETS; b++)
		r->of[b] = r->nodes;
	r->map_due = r->lines.url.cluster;
	return rc;
}

/* --- a cluster's map */

void fw_redis_map_doubt(struct fw_redis *r)
{
	if (!r->lines.url.cluster)
		return;
	r->map_due = true;
	fw_redis_tick_soon(r, ASK_AGAIN_MS);
}

static uint16_t slot_of(const struct fw_redis *r, unsigned bucket)
{
	char text[16];
	int n = snprintf(text, sizeof text, "%u", (unsigned)r->tags[bucket]);
	return fw_redis_slot((struct fw_str){ text, (size_t)n });
}

/* One entry of CLUSTER SLOTS: first slot, last slot, the primary's address and port, then replicas. False: it is no such thing. */
static bool take_range(struct fw_redis *r, const struct fw_redis_node *told_by, const redisReply *range)
{
	if (range->type != REDIS_REPLY_ARRAY || range->elements < 3 || range->element[0]->type != REDIS_REPLY_INTEGER ||
	    range->element[1]->type != REDIS_REPLY_INTEGER || range->element[2]->type != REDIS_REPLY_ARRAY ||
	    range->element[2]->elements < 2 || range->element[2]->element[1]->type != REDIS_REPLY_INTEGER)
		return false;
	const redisReply *host = range->element[2]->element[0], *port = range->element[2]->element[1];
	long long first = range->element[0]->integer, last = range->element[1]->integer;
	if (port->integer < 1 || port->integer > 65535 || first < 0 || last < first)
		return false;
	struct fw_redis_node *node = fw_redis_map_node(r, told_by, host->type == REDIS_REPLY_STRING ? host->str : "",
		(unsigned)port->integer);
	if (!node)
		return false;
	/* A bucket's slot is one of the sixteen that begin at sixteen times the bucket. */
	for (long long b = first / FW_REDIS_SLOTS_A_BUCKET; b <= last / FW_REDIS_SLOTS_A_BUCKET && b < FW_STORE_BUCKETS; b++) {
		uint16_t slot = slot_of(r, (unsigned)b);
		if (slot >= first && slot <= last) {
			r->of[b] = node;
			node->mapped = true;
		}
	}
	return true;
}

static void on_map(void *ctx, const redisReply *reply)
{
	struct fw_redis_node *told_by = ctx;
	struct fw_redis *r = told_by->redis;
	r->map_asked = false;
	if (r->closing || !reply || reply->type != REDIS_REPLY_ARRAY || reply->elements == 0) {
		if (reply && !r->closing)
			fw_redis_trouble(r, told_by, reply->type == REDIS_REPLY_ERROR ? reply->str : "it has no slots");
		fw_redis_map_doubt(r);
		return;
	}
	for (struct fw_redis_node *node = r->nodes; node; node = node->next)
		node->mapped = false;
	for (size_t i = 0; i < reply->elements; i++)
		if (!take_range(r, told_by, reply->element[i]))
			r->map_due = true;
	/* Slots that nobody serves now leave their buckets with whoever had them. */
	for (unsigned b = 0; b < FW_STORE_BUCKETS; b++)
		if (r->of[b])
			r->of[b]->mapped = true;
	for (struct fw_redis_node *node = r->nodes; node; node = node->next)
		if (node->mapped)
			node->unmapped_us = fw_monotonic_us();
	r->has_map = true;
	fw_redis_tick_soon(r, 0);
}

/* The next node that is up, in turn: one that is stopped answers nobody. */
static struct fw_redis_node *whom_to_ask(struct fw_redis *r)
{
	unsigned n = 0, k = 0;
	for (struct fw_redis_node *node = r->nodes; node; node = node->next)
		n += fw_redis_line_up(node->reads);
	if (n == 0)
		return NULL;
	unsigned turn = r->map_turn++ % n;
	for (struct fw_redis_node *node = r->nodes; node; node = node->next)
		if (fw_redis_line_up(node->reads) && k++ == turn)
			return node;
	return NULL;
}

static void ask(struct fw_redis *r)
{
	int64_t now = fw_monotonic_us(), since_ms = (now - r->map_us) / 1000;
	if (since_ms < (r->map_asked ? NO_ANSWER_MS : ASK_AGAIN_MS)) {
		fw_redis_tick_soon(r, ASK_AGAIN_MS);
		return;
	}
	struct fw_redis_node *node = whom_to_ask(r);
	if (!node && since_ms > FW_LIMIT_REDIS_AGAIN_MS)
		add_seeds(r); /* nobody of the last map is there */
	if (!node || fw_redis_line_say(node->reads, on_map, node, "CLUSTER", "SLOTS", NULL) < 0) {
		fw_redis_tick_soon(r, ASK_AGAIN_MS);
		return;
	}
	r->map_due = false;
	r->map_asked = true;
	r->map_us = now;
	fw_redis_tick_soon(r, NO_ANSWER_MS);
}

/* Somebody who has buckets cannot be reached, as far as one knows. */
static bool is_doubtful(const struct fw_redis *r)
{
	for (const struct fw_redis_node *node = r->nodes; node; node = node->next)
		if (node->mapped && (!fw_redis_line_up(node->reads) || !fw_redis_line_up(node->writes)))
			return true;
	return !r->has_map;
}

void fw_redis_map_tick(struct fw_redis *r)
{
	int64_t now = fw_monotonic_us();
	if (!r->lines.url.cluster)
		return;
	for (struct fw_redis_node **p = &r->nodes, *node; (node = *p);) {
		bool asked = r->map_asked && fw_redis_line_up(node->reads);
		if (r->has_map && !node->mapped && !asked && now - node->unmapped_us > LEFT_ALONE_MS * INT64_C(1000)) {
			*p = node->next;
			destroy(node);
		} else {
			p = &node->next;
		}
	}
	if (r->map_due || r->map_asked || is_doubtful(r))
		ask(r);
}

void fw_redis_map_close(struct fw_redis *r)
{
	for (struct fw_redis_node *node; (node = r->nodes);) {
		r->nodes = node->next;
		destroy(node);
	}
}
