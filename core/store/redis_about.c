/* What the nodes say of themselves, and how the store is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/redis_own.h"

enum { ASK_AGAIN_US = 5000000, TROUBLE_US = 60000000 };

struct fw_str fw_redis_info(const redisReply *reply, const char *name)
{
	size_t n = strlen(name);
	const char *line = reply && reply->type == REDIS_REPLY_STRING ? reply->str : NULL;
	for (; line; line = (line = strchr(line, '\n')) ? line + 1 : NULL)
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			return (struct fw_str){ line + n + 1, strcspn(line + n + 1, "\r\n") };
	return (struct fw_str){ NULL, 0 };
}

uint64_t fw_redis_info_number(const redisReply *reply, const char *name)
{
	struct fw_str text = fw_redis_info(reply, name);
	return text.p ? strtoull(text.p, NULL, 10) : 0;
}

static void on_info(void *ctx, const redisReply *reply)
{
	struct fw_redis_node *node = ctx;
	struct fw_redis_about *a = &node->about;
	if (!reply || reply->type != REDIS_REPLY_STRING)
		return;
	struct fw_str policy = fw_redis_info(reply, "maxmemory_policy");
	a->version = (unsigned)fw_redis_info_number(reply, "redis_version");
	a->replica = fw_str_is(fw_redis_info(reply, "role"), "slave");
	a->aof = fw_redis_info_number(reply, "aof_enabled") != 0;
	a->used_bytes = fw_redis_info_number(reply, "used_memory");
	a->most_bytes = fw_redis_info_number(reply, "maxmemory");
	a->evicts = a->most_bytes && policy.p && !fw_str_is(policy, "noeviction");
	a->known = true;
}

/* ["save", "3600 1 300 100", "appendfsync", "everysec"], or a refusal: then it may save. */
static void on_config(void *ctx, const redisReply *reply)
{
	struct fw_redis_about *a = &((struct fw_redis_node *)ctx)->about;
	a->rdb = true;
	if (!reply || reply->type != REDIS_REPLY_ARRAY)
		return;
	for (size_t i = 0; i + 1 < reply->elements; i += 2) {
		const redisReply *name = reply->element[i], *value = reply->element[i + 1];
		if (name->type != REDIS_REPLY_STRING || value->type != REDIS_REPLY_STRING)
			continue;
		if (strcmp(name->str, "save") == 0)
			a->rdb = value->len > 0;
		else if (strcmp(name->str, "appendfsync") == 0)
			snprintf(a->sync, sizeof a->sync, "%s", value->str);
	}
}

void fw_redis_about_ask(struct fw_redis_node *node)
{
	node->about.asked_us = fw_monotonic_us();
	if (fw_redis_line_say(node->reads, on_config, node, "CONFIG", "GET", "save", "appendfsync", NULL) == 0)
		fw_redis_line_say(node->reads, on_info, node, "INFO", NULL);
}

/* What a restart of Redis leaves of what was answered. */
static enum fw_store_promise promise_of(const struct fw_redis_about *a)
{
	if (a->evicts)
		return FW_PROMISE_EVICTS;
	if (a->aof)
		return strcmp(a->sync, "always") == 0 ? FW_PROMISE_ALL : strcmp(a->sync, "no") == 0 ? FW_PROMISE_AS_SYNCED
			: FW_PROMISE_ALL_BUT_A_SECOND;
	return a->rdb ? FW_PROMISE_SNAPSHOTS : FW_PROMISE_NOTHING;
}

static void write_message(struct fw_redis *r, const struct fw_store_health *h, const struct fw_redis_node *down, unsigned n_down,
	unsigned n, char *message, size_t size)
{
	bool lately = r->trouble[0] && fw_monotonic_us() - r->trouble_us < TROUBLE_US;
	if (down && n > 1)
		snprintf(message, size, "%u of %u nodes cannot be reached; %.80s: %.50s", n_down, n, down->host,
			fw_redis_line_trouble(fw_redis_line_up(down->reads) ? down->writes : down->reads));
	else if (down)
		snprintf(message, size, "Redis at %.80s: %.100s", down->host,
			fw_redis_line_trouble(fw_redis_line_up(down->reads) ? down->writes : down->reads));
	else if (r->lines.url.cluster && !r->has_map)
		snprintf(message, size, "%s", lately ? r->trouble : "no node has told the cluster's slots yet");
	else if (h->full)
		snprintf(message, size, "Redis takes no more: %.150s", r->trouble);
	else if (!h->reachable)
		snprintf(message, size, "%s", lately ? r->trouble : "Redis does not answer");
	else if (lately)
		snprintf(message, size, "%s", r->trouble);
}

void fw_redis_health(struct fw_store *s, struct fw_store_health *ret)
{
	struct fw_redis *r = (struct fw_redis *)s;
	const struct fw_redis_node *down = NULL;
	unsigned n = 0, n_down = 0;
	int64_t now = fw_monotonic_us();
	for (struct fw_redis_node *node = r->nodes; node; node = node->next) {
		if (!node->mapped)
			continue;
		n++;
		if (!fw_redis_line_up(node->reads) || !fw_redis_line_up(node->writes)) {
			down = node;
			n_down++;
			continue;
		}
		ret->used_bytes += node->about.used_bytes;
		ret->size_bytes += node->about.most_bytes;
		if (node->about.known && promise_of(&node->about) > ret->promise)
			ret->promise = promise_of(&node->about);
		if (now - node->about.asked_us > ASK_AGAIN_US)
			fw_redis_about_ask(node);
	}
	ret->waiting = r->n_batches;
	ret->oldest_us = r->batches.oldest ? (uint64_t)(now - r->batches.oldest->since_us) : 0;
	ret->full = r->full;
	ret->reachable = n > n_down && (!r->lines.url.cluster || r->has_map) && ret->oldest_us < FW_LIMIT_STORE_SILENT_MS * UINT64_C(1000);
	write_message(r, ret, down, n_down, n, ret->message, sizeof ret->message);
}
