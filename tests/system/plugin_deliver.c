/* Plays the host for one plugin that is a channel: plugin_deliver FILE.so CONFIGURATION [WITHIN_MS]. Reads messages, a line each:
 * "ID ATTEMPT TO JSON"; * hands each to the plugin, waits for what becomes of it, and writes that as a line of JSON. */
#include <dlfcn.h>
#include <event2/event.h>
#include <floorwalker/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "http/client.h"

struct ask {
	void (*done)(struct fw_plugin_instance *self, void *data, const struct fw_plugin_http_answer *answer);
	void *data;
};

static struct {
	struct fw_arena arena;
	struct fw_json *config;
	struct fw_client *client;
	struct fw_plugin_instance *self;
	struct fw_client_ask *open;
	char told[64]; /* of which message, and … */
	int outcome;   /* … what; -1: not yet */
	int64_t after_ms, within_ms;
	char reason[512];
} it;

static const char *config_text(const struct fw_host *host, const char *key, const char *otherwise)
{
	const struct fw_json *v = fw_json_get(it.config, key);
	(void)host;
	return v && v->type == FW_JSON_STRING ? v->string.p : otherwise;
}

static int config_only(const struct fw_host *host, const char *const *known, struct fw_plugin_problem *problem)
{
	(void)host, (void)known, (void)problem;
	return 0;
}

static int64_t now_us(const struct fw_host *host)
{
	(void)host;
	return fw_now_us();
}

static int64_t monotonic_us(const struct fw_host *host)
{
	(void)host;
	return fw_monotonic_us();
}

static void on_answer(void *ctx, const struct fw_client_answer *got)
{
	struct ask a = *(struct ask *)ctx;
	const struct fw_plugin_http_answer answer = { sizeof answer, got->status, { got->body.p, got->body.n },
		got->retry_after_ms, got->problem };
	free(ctx);
	a.done(it.self, a.data, &answer);
}

static int http(const struct fw_host *host, const struct fw_plugin_http_request *r,
	void (*done)(struct fw_plugin_instance *self, void *data, const struct fw_plugin_http_answer *answer), void *data)
{
	const struct fw_client_request request = { r->method, r->url, r->headers, { r->body.p, r->body.n }, r->user, r->password,
		r->timeout_ms };
	struct ask *a = malloc(sizeof *a);
	(void)host;
	if (a)
		*a = (struct ask){ done, data };
	if (a && fw_client_ask(it.client, &request, on_answer, a, &it.open) == 0)
		return 0;
	free(a);
	return -1;
}

static int tell(const char *message_id, int outcome, int64_t after_ms, const char *reason)
{
	snprintf(it.told, sizeof it.told, "%s", message_id);
	snprintf(it.reason, sizeof it.reason, "%s", reason ? reason : "");
	it.outcome = outcome;
	it.after_ms = after_ms;
	return 0;
}

static int deliver_result(const struct fw_host *host, const char *message_id, int outcome, const char *reason)
{
	(void)host;
	return tell(message_id, outcome, -1, reason);
}

static int deliver_retry(const struct fw_host *host, const char *message_id, int64_t after_ms, const char *reason)
{
	(void)host;
	return tell(message_id, FW_PLUGIN_RETRY, after_ms, reason);
}

static void deliver(const struct fw_plugin *plugin, struct event_base *base, char *line)
{
	static const char *const names[] = { "delivered", "pending", "retry", "failed", "accepted" };
	char *rest = line, *id = strsep(&rest, " "), *attempt = strsep(&rest, " "), *to = strsep(&rest, " ");
	const struct fw_plugin_message message = { sizeof message, (uint32_t)strtoul(attempt, NULL, 10), id, to, { rest, strlen(rest) },
		fw_monotonic_us() + it.within_ms * 1000 };
	struct fw_plugin_problem problem = { .message = "" };
	it.outcome = -1;
	int rc = plugin->deliver(it.self, &message, &problem);
	if (rc != FW_PLUGIN_PENDING)
		tell(id, rc, -1, problem.message);
	while (it.outcome < 0 && event_base_loop(base, EVLOOP_ONCE) == 0)
		continue;
	printf("{\"id\":\"%s\",\"outcome\":\"%s\",\"after_ms\":%lld,\"reason\":\"%s\"}\n", it.told, names[it.outcome],
		(long long)it.after_ms, it.reason);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const struct fw_host host = { FW_PLUGIN_ABI_MAJOR, FW_PLUGIN_ABI_MINOR, sizeof host, .config_only = config_only,
		.config_text = config_text, .now_us = now_us, .monotonic_us = monotonic_us, .http = http,
		.deliver_result = deliver_result, .deliver_retry = deliver_retry };
	struct fw_plugin_problem problem = { .message = "" };
	void *object = argc == 3 || argc == 4 ? dlopen(argv[1], RTLD_NOW) : NULL;
	const struct fw_plugin *plugin = object ? dlsym(object, "floorwalker_plugin") : NULL;
	struct event_base *base = event_base_new();
	char line[65536];
	fw_arena_init(&it.arena, NULL, 0, 0);
	it.within_ms = argc == 4 ? strtol(argv[3], NULL, 10) : FW_LIMIT_DELIVERY_MS;
	if (!plugin || !base || !(it.client = fw_client_create(base))
		|| fw_json_parse(&it.arena, argv[2], strlen(argv[2]), &it.config, NULL) < 0) {
		fprintf(stderr, "usage: plugin_deliver FILE.so CONFIGURATION [WITHIN_MS]\n");
		return 2;
	}
	const struct fw_plugin_text config = { argv[2], strlen(argv[2]) };
	if (plugin->configure(&host, config, &problem) < 0 || plugin->start(&host, config, &it.self, &problem) < 0) {
		fprintf(stderr, "%s; %s\n", problem.message, problem.hint);
		return 1;
	}
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = '\0';
		deliver(plugin, base, line);
	}
	plugin->stop(it.self);
	fw_client_destroy(it.client);
	event_base_free(base);
	fw_arena_finish(&it.arena);
	return 0;
}
