/* A plugin that uses every service of the host, so that a test can see each of them work. */
#include <floorwalker/plugin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fw_plugin_instance {
	const struct fw_host *host;
	struct fw_plugin_timer *ticker;
	struct fw_plugin_watch *watch;
	int pipe[2];
	int ticks, bytes, posts;
};

static const struct fw_plugin_metric metrics[] = {
	{ "ticks_total", "Ticks.", 0 },
	{ "held", "Held.", 1 },
	{ NULL, NULL, 0 },
};

static int configure(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_problem *problem)
{
	static const char *const known[] = { "greeting", "file", "number", NULL };
	(void)config;
	return host->config_only(host, known, problem);
}

static void on_tick(struct fw_plugin_instance *self, void *data)
{
	(void)data;
	self->ticks++;
	self->host->metric_add(self->host, 0, 1);
	if (self->ticks == 3) {
		self->host->timer_stop(self->ticker);
		self->ticker = NULL;
	}
}

static void on_bytes(struct fw_plugin_instance *self, void *data, int fd, int events)
{
	char bytes[16];
	(void)data;
	(void)events;
	ssize_t n = read(fd, bytes, sizeof bytes);
	self->bytes += n > 0 ? (int)n : 0;
	self->host->unwatch(self->watch);
	self->watch = NULL;
}

static void on_posted(struct fw_plugin_instance *self, void *data)
{
	(void)data;
	self->posts++;
}

static void *in_thread(void *data)
{
	struct fw_plugin_instance *self = data;
	return self->host->post(self->host, on_posted, NULL) == 0 ? self : NULL;
}

static int start(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_instance **ret_self,
	struct fw_plugin_problem *problem)
{
	struct fw_plugin_instance *self = calloc(1, sizeof *self);
	pthread_t thread;
	(void)config;
	(void)problem;
	if (!self || pipe(self->pipe) < 0)
		return -1;
	self->host = host;
	self->ticker = host->timer_start(host, 5, 1, on_tick, NULL);
	self->watch = host->watch(host, self->pipe[0], FW_PLUGIN_READABLE, on_bytes, NULL);
	if (write(self->pipe[1], "abc", 3) != 3 || pthread_create(&thread, NULL, in_thread, self) != 0)
		return -1;
	pthread_join(thread, NULL);
	host->metric_add(host, 1, 5);
	host->metric_add(host, 1, -2);
	host->log(host, FW_PLUGIN_INFO, "services has started");
	*ret_self = self;
	return 0;
}

static void stop(struct fw_plugin_instance *self)
{
	self->host->log(self->host, FW_PLUGIN_INFO, "services has stopped");
	close(self->pipe[0]);
	close(self->pipe[1]);
	free(self);
}

static void drain(struct fw_plugin_instance *self, int64_t deadline_ms)
{
	char text[64];
	snprintf(text, sizeof text, "services has %lld ms", (long long)deadline_ms);
	self->host->log(self->host, FW_PLUGIN_INFO, text);
}

static void show_state(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *h = self->host;
	char text[512];
	int n = snprintf(text, sizeof text, "{\"ticks\":%d,\"bytes\":%d,\"posts\":%d,\"greeting\":\"%s\",\"file\":\"%s\",\"number\":%g}",
		self->ticks, self->bytes, self->posts, h->config_text(h, "greeting", "-"), h->config_path(h, "file", "-"),
		h->config_number(h, "number", -1));
	h->reply(request, 200, "application/json", text, (size_t)n);
}

static void echo(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *h = self->host;
	struct fw_plugin_text rest = h->request_rest(request), body = h->request_body(request);
	struct fw_plugin_text param = h->request_param(request, "p"), header = h->request_header(request, "X-Test");
	char *text = h->request_alloc(request, 1024);
	int n = snprintf(text, 1024,
		"{\"method\":%u,\"path\":\"%s\",\"rest\":\"%s\",\"param\":\"%.*s\",\"header\":\"%.*s\",\"body\":\"%.*s\","
		"\"address\":\"%s\",\"access\":%d,\"gone\":%d}", h->request_method(request), h->request_path(request).p, rest.p,
			(int)param.n,
		param.p ? param.p : "", (int)header.n, header.p ? header.p : "", (int)body.n, body.p ? body.p : "",
			h->request_address(request),
		h->request_access(request), h->request_gone(request));
	h->reply_header(request, "X-Echo", "yes");
	h->reply(request, 201, "application/json", text, (size_t)n);
}

static void reply_late(struct fw_plugin_instance *self, void *data)
{
	self->host->reply(data, 200, "text/plain", "late", 4);
}

static void late(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	self->host->timer_start(self->host, 30, 0, reply_late, request);
}

static void fails(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	self->host->error(request, 429, "too_many", "not so fast", "slots", "wait a little");
}

/* What no request asked for: a decision of its own. */
static void on_decided(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json)
{
	self->host->reply(data, status, "application/json", json.p, json.n);
}

static void decides(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	static const char json[] = "{\"slots\":[\"s\"],\"context\":{\"page\":{\"type\":\"home\"}}}";
	self->host->decide(self->host, NULL, (struct fw_plugin_text){ json, sizeof json - 1 }, on_decided, request);
}

/* What a plugin keeps by itself, as an unsubscribed address; and what a request may. */
static void consents(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	static const char json[] = "{\"grant\":[\"email\",\"sale\"],\"source\":\"plugin\"}";
	self->host->consent(self->host, "user-of-a-plugin", (struct fw_plugin_text){ json, sizeof json - 1 }, on_decided, request);
}

static void consents_as(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	self->host->consent_as(self->host, request, "user-of-a-plugin", self->host->request_body(request), on_decided, request);
}

/* What somebody else's server answers; the body of the request is the URL. */
static void on_answer(struct fw_plugin_instance *self, void *data, const struct fw_plugin_http_answer *answer)
{
	const struct fw_host *h = self->host;
	char *text = h->request_alloc(data, answer->body.n + 1024);
	int n = snprintf(text, answer->body.n + 1024, "{\"status\":%d,\"body\":\"%.*s\",\"retry\":%lld,\"problem\":\"%s\"}", answer->status,
		(int)answer->body.n, answer->body.p ? answer->body.p : "", (long long)answer->retry_after_ms,
		answer->problem ? answer->problem : "");
	if (answer->problem)
		h->log(h, FW_PLUGIN_INFO, answer->problem);
	h->reply(data, 200, "application/json", text, (size_t)n);
}

static char *terminated(const struct fw_host *h, struct fw_plugin_request *request, struct fw_plugin_text text)
{
	char *out = h->request_alloc(request, text.n + 1);
	memcpy(out, text.p ? text.p : "", text.n);
	out[text.n] = '\0';
	return out;
}

static void asks(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *h = self->host;
	struct fw_plugin_text body = h->request_header(request, "X-Body"), header = h->request_header(request, "X-Header");
	const char *const headers[] = { header.p ? terminated(h, request, header) : NULL, NULL };
	struct fw_plugin_http_request ask = {
		.struct_size = sizeof ask,
		.url = terminated(h, request, h->request_body(request)),
		.headers = headers,
		.body = body,
		.user = body.p ? "ann" : NULL,
		.password = "s3cret",
	};
	if (h->http(h, &ask, on_answer, request) != 0)
		h->error(request, 400, "bad_request", "no URL", NULL, NULL);
}

/* 409 while the store has not told its secret yet. */
static void signs(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *h = self->host;
	unsigned char mac[32];
	char text[2 * sizeof mac + 1];
	int rc = h->sign(h, h->request_body(request), mac);
	for (size_t i = 0; i < sizeof mac && rc == 0; i++)
		snprintf(text + 2 * i, 3, "%02x", mac[i]);
	h->reply(request, rc == 0 ? 200 : 409, "text/plain", text, rc == 0 ? 2 * sizeof mac : 0);
}

/* A text in quotes, or null; no escapes: the test sends none. */
static const char *quoted(const struct fw_host *h, struct fw_plugin_request *request, struct fw_plugin_text text)
{
	if (!text.p)
		return "null";
	char *out = h->request_alloc(request, text.n + 3);
	snprintf(out, text.n + 3, "\"%s\"", text.p);
	return out;
}

static void segments(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *h = self->host;
	struct fw_plugin_text first = h->request_segment(request, 0);
	char *text = h->request_alloc(request, 1024);
	int n = snprintf(text, 1024, "{\"first\":%s,\"second\":%s,\"third\":%s,\"key\":%d,\"origin\":\"%s\"}",
		quoted(h, request, first), quoted(h, request, h->request_segment(request, 1)),
		quoted(h, request, h->request_segment(request, 2)), h->request_key(request, first), h->request_origin(request));
	h->reply(request, 200, "application/json", text, (size_t)n);
}

/* All that there is. */
static void all(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *h = self->host;
	int there = h->ingest && h->visitor && h->consent && h->consent_as && h->visitor_as && h->http && h->sign && h->stream
		&& h->request_own_key && h->kv_get && h->kv_put && h->node_timer_start && h->now_us(h) > 0 && h->monotonic_us(h) > 0;
	h->reply(request, 200, "text/plain", there ? "all" : "not", 3);
}

static const struct fw_plugin_route routes[] = {
	{ "/services/state", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, show_state },
	{ "/services/echo/", FW_PLUGIN_GET | FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, echo },
	{ "/services/segments/", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, segments },
	{ "/services/late", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, late },
	{ "/services/fails", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, fails },
	{ "/services/decides", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, decides },
	{ "/services/consents", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, consents },
	{ "/services/consents", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_ANY, consents_as },
	{ "/services/asks", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_ANY, asks },
	{ "/services/signs", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_ANY, signs },
	{ "/services/all", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, all },
	{ NULL, 0, 0, NULL },
};

FW_PLUGIN_EXPORT extern const struct fw_plugin floorwalker_plugin;
const struct fw_plugin floorwalker_plugin = {
	.magic = FW_PLUGIN_MAGIC,
	.abi_major = FW_PLUGIN_ABI_MAJOR,
	.abi_minor = 4,
	.struct_size = sizeof(struct fw_plugin),
	.name = "services",
	.build_id = "test",
	.routes = routes,
	.metrics = metrics,
	.configure = configure,
	.start = start,
	.drain = drain,
	.stop = stop,
};
