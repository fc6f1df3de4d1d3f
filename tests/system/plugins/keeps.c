/* A plugin that keeps values in the store and has a timer of the node, as a test asks it to. */
#include <floorwalker/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fw_plugin_instance {
	const struct fw_host *host;
	struct fw_plugin_timer *node;
	const char *began;  /* what the value "at start" was */
	int early;          /* it was told within the call, or before it was an instance */
	int open;           /* questions that nobody looks at the answer of */
	int ticks;
};

static const struct fw_plugin_metric metrics[] = {
	{ "ticks_total", "Ticks of the node's timer.", 0 },
	{ "forgotten_total", "Answers that nobody looked at.", 0 },
	{ NULL, NULL, 0 },
};

static int asking;

static void on_answer(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text value)
{
	self->early |= asking;
	self->host->reply(data, status, "application/octet-stream", value.p, value.n);
}

static void on_begun(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text value)
{
	(void)data;
	if (asking || !self)
		abort();
	self->began = status == 200 ? strndup(value.p, value.n) : NULL;
}

static void on_forgotten(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text value)
{
	(void)data;
	(void)status;
	(void)value;
	self->open--;
	self->host->metric_add(self->host, 1, 1);
}

static void on_tick(struct fw_plugin_instance *self, void *data)
{
	(void)data;
	self->host->metric_add(self->host, 0, 1);
	if (++self->ticks == 1000000)
		self->host->timer_stop(self->node);
}

static int start(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_instance **ret_self,
	struct fw_plugin_problem *problem)
{
	struct fw_plugin_instance *self = calloc(1, sizeof *self);
	char name[400];
	(void)config;
	(void)problem;
	if (!self)
		return -1;
	self->host = host;
	memset(name, 'n', sizeof name);
	name[sizeof name - 1] = '\0';
	/* Names and intervals that are none, and one that is stopped before it fires. */
	if (host->node_timer_start(host, "", 50, on_tick, NULL) || host->node_timer_start(host, NULL, 50, on_tick, NULL)
		|| host->node_timer_start(host, name, 50, on_tick, NULL) || host->node_timer_start(host, "none", 0, on_tick, NULL))
		return -1;
	host->timer_stop(host->node_timer_start(host, "stopped", 1, on_tick, NULL));
	self->node = host->node_timer_start(host, "tick", (int64_t)host->config_number(host, "every", 50), on_tick, NULL);
	asking = 1;
	host->kv_get(host, "at start", on_begun, NULL);
	asking = 0;
	*ret_self = self;
	return self->node ? 0 : -1;
}

static void stop(struct fw_plugin_instance *self)
{
	char text[64];
	snprintf(text, sizeof text, "keeps has stopped, open %d", self->open);
	self->host->log(self->host, FW_PLUGIN_INFO, text);
	self->host->kv_get(self->host, "nobody answers", on_answer, NULL);
	free((void *)(uintptr_t)self->began);
	free(self);
}

/* The path tells the key, and where it is none the header. */
static const char *key_of(const struct fw_host *h, struct fw_plugin_request *request)
{
	struct fw_plugin_text key = h->request_segment(request, 0);
	return key.n ? key.p : NULL;
}

static void get(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	asking = 1;
	self->host->kv_get(self->host, key_of(self->host, request), on_answer, request);
	asking = 0;
}

/* What is put is overwritten at once: the host has copied it. */
static void put(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *h = self->host;
	struct fw_plugin_text body = h->request_body(request);
	char *bytes = malloc(body.n + 1), *key = strdup(key_of(h, request) ? key_of(h, request) : "");
	if (!bytes || !key)
		abort();
	memcpy(bytes, body.p ? body.p : "", body.n);
	asking = 1;
	h->kv_put(h, key, (struct fw_plugin_text){ bytes, body.n }, on_answer, request);
	asking = 0;
	memset(bytes, '!', body.n);
	memset(key, '!', strlen(key));
	free(bytes);
	free(key);
}

static void take_away(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	self->host->kv_put(self->host, key_of(self->host, request), (struct fw_plugin_text){ NULL, 0 }, on_answer, request);
}

/* So many at once, and nobody looks at the answers; then one that is looked at. */
static void forget(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *h = self->host;
	int n = atoi(h->request_param(request, "n").p);
	for (int i = 0; i < n; i++) {
		char key[32];
		snprintf(key, sizeof key, "forgotten-%d", i);
		self->open++;
		h->kv_put(h, key, (struct fw_plugin_text){ key, strlen(key) }, on_forgotten, NULL);
	}
	h->kv_get(h, "forgotten-0", on_answer, request);
}

static void state(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	char text[256];
	int n = snprintf(text, sizeof text, "{\"pid\":%d,\"began\":\"%s\",\"early\":%d,\"open\":%d,\"ticks\":%d}", getpid(),
		self->began ? self->began : "", self->early, self->open, self->ticks);
	self->host->reply(request, 200, "application/json", text, (size_t)n);
}

static const struct fw_plugin_route routes[] = {
	{ "/" NAME "/values/", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, get },
	{ "/" NAME "/values/", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_ANY, put },
	{ "/" NAME "/values/", FW_PLUGIN_DELETE, FW_PLUGIN_ACCESS_ANY, take_away },
	{ "/" NAME "/forget", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, forget },
	{ "/" NAME "/state", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, state },
	{ NULL, 0, 0, NULL },
};

FW_PLUGIN_EXPORT extern const struct fw_plugin floorwalker_plugin;
const struct fw_plugin floorwalker_plugin = {
	.magic = FW_PLUGIN_MAGIC,
	.abi_major = FW_PLUGIN_ABI_MAJOR,
	.abi_minor = 7,
	.struct_size = sizeof(struct fw_plugin),
	.name = NAME,
	.build_id = "test",
	.routes = routes,
	.metrics = metrics,
	.start = start,
	.stop = stop,
};
