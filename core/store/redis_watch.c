/* Change notices: every bucket has a shard channel, which the node of the bucket serves. Whoever begins to listen, or listens again,
 * may have missed some, and is told so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/redis_own.h"
#include "store/redis_tag.h"

struct heard {
	struct fw_redis *redis;
	uint32_t bucket;
};

static void on_row(void *ctx, struct fw_str key, uint64_t version)
{
	struct heard *h = ctx;
	if (key.n > 0 && (unsigned char)key.p[0] != FW_STORE_OWN_KEY)
		fw_store_give_notice(&h->redis->store, h->bucket, key, version);
}

/* "fw:{TAG}" into its bucket; FW_STORE_BUCKETS: it is none. */
static uint32_t bucket_of(const struct fw_redis *r, const char *channel)
{
	if (strncmp(channel, "fw:{", 4) != 0)
		return FW_STORE_BUCKETS;
	struct fw_str tag = { channel + 4, strcspn(channel + 4, "}") };
	uint32_t bucket = fw_redis_slot(tag) / FW_REDIS_SLOTS_A_BUCKET;
	return strtoul(tag.p, NULL, 10) == r->tags[bucket] ? bucket : FW_STORE_BUCKETS;
}

/* The last subscription is confirmed: from now on nothing is missed. */
static void confirm(struct fw_redis_node *node)
{
	if (node->subscribing > 0 && --node->subscribing == 0)
		fw_store_give_notice(&node->redis->store, 0, (struct fw_str){ NULL, 0 }, FW_VERSION_NONE);
}

/* "MOVED SLOT PLACE", or a refusal. */
static void on_refused(struct fw_redis_node *node, const char *text)
{
	unsigned long slot = strncmp(text, "MOVED ", 6) == 0 ? strtoul(text + 6, NULL, 10) : FW_REDIS_SLOTS;
	if (slot < FW_REDIS_SLOTS)
		node->heard[slot / FW_REDIS_SLOTS_A_BUCKET] = false;
	else
		fw_redis_trouble(node->redis, node, text);
	fw_redis_map_doubt(node->redis);
	confirm(node);
}

static void on_push(void *ctx, const redisReply *reply)
{
	struct fw_redis_node *node = ctx;
	struct fw_redis *r = node->redis;
	if (!reply)
		return;
	if (reply->type == REDIS_REPLY_ERROR)
		on_refused(node, reply->str);
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 || reply->element[0]->type != REDIS_REPLY_STRING ||
	    reply->element[1]->type != REDIS_REPLY_STRING)
		return;
	const char *what = reply->element[0]->str;
	struct heard h = { r, bucket_of(r, reply->element[1]->str) };
	if (h.bucket == FW_STORE_BUCKETS)
		return;
	if (strcmp(what, "smessage") == 0 && reply->element[2]->type == REDIS_REPLY_STRING) {
		fw_redis_read_notice((struct fw_str){ reply->element[2]->str, (size_t)reply->element[2]->len }, on_row, &h);
	} else if (strcmp(what, "ssubscribe") == 0) {
		confirm(node);
	} else if (strcmp(what, "sunsubscribe") == 0) { /* the bucket leaves */
		node->heard[h.bucket] = false;
		fw_redis_map_doubt(r);
	}
}

static void on_turned(void *ctx, bool up)
{
	struct fw_redis_node *node = ctx;
	if (!up)
		memset(node->heard, 0, FW_STORE_BUCKETS * sizeof *node->heard);
	node->subscribing = 0;
	fw_redis_tick_soon(node->redis, 0);
}

static bool begin(struct fw_redis_node *node)
{
	if (!node->heard && !(node->heard = calloc(FW_STORE_BUCKETS, sizeof *node->heard)))
		return false;
	return (node->notices = fw_redis_line_create(&node->redis->lines, node->host, node->port, on_turned, on_push, node)) != NULL;
}

static void subscribe(struct fw_redis_node *node)
{
	struct fw_redis *r = node->redis;
	char channel[24];
	for (unsigned b = 0; b < FW_STORE_BUCKETS; b++) {
		if (r->of[b] != node || node->heard[b])
			continue;
		snprintf(channel, sizeof channel, "fw:{%u}", (unsigned)r->tags[b]);
		if (fw_redis_line_say(node->notices, NULL, NULL, "SSUBSCRIBE", channel, NULL) < 0)
			return; /* the line is down, or there is no memory: at the next tick */
		node->heard[b] = true;
		node->subscribing++;
	}
}

void fw_redis_watch_tick(struct fw_redis *r)
{
	for (struct fw_redis_node *node = r->nodes; node; node = node->next) {
		bool wanted = r->watched && node->mapped;
		if (node->notices && !wanted) {
			fw_redis_line_destroy(node->notices);
			node->notices = NULL;
			memset(node->heard, 0, FW_STORE_BUCKETS * sizeof *node->heard);
		} else if (!node->notices && wanted && !begin(node)) {
			fw_redis_tick_soon(r, 100);
		} else if (wanted && fw_redis_line_up(node->notices)) {
			subscribe(node);
		}
	}
}

int fw_redis_watch(struct fw_store *s, bool on)
{
	struct fw_redis *r = (struct fw_redis *)s;
	r->watched = on;
	fw_redis_tick_soon(r, 0);
	return 0;
}
