/* A host for the plugin email alone: loads the .so that is named, does what lines of JSON say, and writes what the plugin says as
 * lines of JSON. The loop is libevent's, as the worker's is; what only a store knows is played.
 *
 *     {"do":"configure","config":{…}} {"do":"start",…} {"do":"drain"} {"do":"stop"}
 *     {"do":"deliver","id":"m1","to":"a@b.example","json":"{…}","within_ms":60000}
 *     {"do":"ask","method":"GET","path":"/email/u/…","headers":{},"body":""}
 *     {"do":"store","status":503,"times":2}   what message_event answers, for so often
 *     {"do":"clock","ahead_s":60} {"do":"sign","known":false} */
#include <dlfcn.h>
#include <event2/event.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "floorwalker/plugin.h"

enum { MEMORY = 64 << 20 };

struct fw_plugin_timer {
	struct event *event;
	int repeats;
	fw_plugin_call fire;
	void *data;
	struct fw_plugin_timer *next, **back;
};

struct fw_plugin_watch {
	struct event *event;
	void (*ready)(struct fw_plugin_instance *self, void *data, int fd, int events);
	void *data;
	struct fw_plugin_watch *next, **back;
};

struct fw_plugin_request {
	struct fw_arena arena;
	struct fw_str path, rest, body;
	const struct fw_json *headers;
	unsigned method;
	struct fw_buf said; /* members of the answer's headers */
};

static struct event_base *base;
static struct fw_plugin_timer *timers;
static struct fw_plugin_watch *watches;
static const struct fw_plugin *plugin;
static struct fw_plugin_instance *self;
static struct fw_arena config_arena;
static struct fw_json *config;
static int64_t ahead_us;
static int store_status = 200, store_times, sign_known = 1;

static struct fw_str str_of(struct fw_plugin_text t)
{
	return (struct fw_str){ t.p, t.n };
}

static struct fw_plugin_text text_of(struct fw_str s)
{
	return (struct fw_plugin_text){ s.p, s.n };
}

/* One line: {"what":…, members}. */
static void say(const char *what, const char *const *names, const struct fw_str *values, size_t n, double number)
{
	struct fw_buf buf;
	struct fw_json_out out;
	fw_buf_init(&buf, MEMORY);
	fw_json_out_init(&out, &buf);
	fw_json_open_object(&out);
	fw_json_key(&out, "what");
	fw_json_text_value(&out, what);
	fw_json_key(&out, "number");
	fw_json_number(&out, number);
	for (size_t i = 0; i < n; i++) {
		fw_json_key(&out, names[i]);
		if (values[i].p)
			fw_json_string(&out, values[i]);
		else
			fw_json_null(&out);
	}
	fw_json_close_object(&out);
	puts(fw_buf_text(&buf));
	fw_buf_finish(&buf);
}

static void host_log(const struct fw_host *host, int level, const char *text)
{
	(void)host;
	say("log", (const char *const[]){ "text" }, (struct fw_str[]){ fw_str(text) }, 1, level);
}

static int config_only(const struct fw_host *host, const char *const *known, struct fw_plugin_problem *problem)
{
	(void)host;
	for (const struct fw_json *m = config->child; m; m = m->next) {
		size_t n = 0;
		while (known[n] && !fw_str_is(m->key, known[n]))
			n++;
		if (!known[n]) {
			snprintf(problem->message, sizeof problem->message, "%s is no key", m->key.p);
			return -1;
		}
	}
	return 0;
}

static const char *config_text(const struct fw_host *host, const char *key, const char *otherwise)
{
	const struct fw_json *v = fw_json_get(config, key);
	(void)host;
	return v && v->type == FW_JSON_STRING ? v->string.p : otherwise;
}

static double config_number(const struct fw_host *host, const char *key, double otherwise)
{
	const struct fw_json *v = fw_json_get(config, key);
	(void)host;
	return v && v->type == FW_JSON_NUMBER ? v->number : otherwise;
}

static void metric_add(const struct fw_host *host, unsigned index, int64_t n)
{
	(void)host;
	if (n)
		say("metric", (const char *const[]){ "name" }, (struct fw_str[]){ fw_str(plugin->metrics[index].name) }, 1, (double)n);
}

static int64_t host_now_us(const struct fw_host *host)
{
	(void)host;
	return fw_now_us() + ahead_us;
}

static int64_t host_monotonic_us(const struct fw_host *host)
{
	(void)host;
	return fw_monotonic_us();
}

static void timer_stop(struct fw_plugin_timer *t)
{
	if (!t)
		return;
	*t->back = t->next;
	if (t->next)
		t->next->back = t->back;
	event_free(t->event);
	free(t);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_plugin_timer *t = ctx, was = *t;
	(void)fd;
	(void)what;
	if (!t->repeats)
		timer_stop(t);
	was.fire(self, was.data);
}

static struct fw_plugin_timer *timer_start(const struct fw_host *host, int64_t ms, int repeat, fw_plugin_call fire, void *data)
{
	struct fw_plugin_timer *t = calloc(1, sizeof *t);
	struct timeval wait = { ms / 1000, ms % 1000 * 1000 };
	(void)host;
	if (!t)
		return NULL;
	*t = (struct fw_plugin_timer){ event_new(base, -1, repeat ? EV_PERSIST : 0, on_timer, t), repeat, fire, data, timers, &timers };
	if (t->next)
		t->next->back = &t->next;
	timers = t;
	event_add(t->event, &wait);
	return t;
}

static void unwatch(struct fw_plugin_watch *w)
{
	if (!w)
		return;
	*w->back = w->next;
	if (w->next)
		w->next->back = w->back;
	event_free(w->event);
	free(w);
}

static void on_ready(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_plugin_watch *w = ctx;
	w->ready(self, w->data, fd, (what & EV_READ ? FW_PLUGIN_READABLE : 0) | (what & EV_WRITE ? FW_PLUGIN_WRITABLE : 0));
}

static struct fw_plugin_watch *watch(const struct fw_host *host, int fd, int events,
	void (*ready)(struct fw_plugin_instance *self, void *data, int fd, int events), void *data)
{
	struct fw_plugin_watch *w = calloc(1, sizeof *w);
	short what = (short)((events & FW_PLUGIN_READABLE ? EV_READ : 0) | (events & FW_PLUGIN_WRITABLE ? EV_WRITE : 0));
	(void)host;
	if (!w)
		return NULL;
	*w = (struct fw_plugin_watch){ event_new(base, fd, (short)(what | EV_PERSIST), on_ready, w), ready, data, watches, &watches };
	if (w->next)
		w->next->back = &w->next;
	watches = w;
	event_add(w->event, NULL);
	return w;
}

static unsigned request_method(const struct fw_plugin_request *request)
{
	return request->method;
}

static struct fw_plugin_text request_segment(struct fw_plugin_request *request, unsigned index)
{
	struct fw_str rest = request->rest;
	for (;; index--) {
		const char *slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
		if (index == 0)
			return (struct fw_plugin_text){ rest.p, slash ? (size_t)(slash - rest.p) : rest.n };
		if (!slash)
			return (struct fw_plugin_text){ NULL, 0 };
		rest.n -= (size_t)(slash + 1 - rest.p);
		rest.p = slash + 1;
	}
}

static struct fw_plugin_text request_header(const struct fw_plugin_request *request, const char *name)
{
	return text_of(fw_json_text(request->headers, name));
}

static struct fw_plugin_text request_body(const struct fw_plugin_request *request)
{
	return text_of(request->body);
}

static void *request_alloc(struct fw_plugin_request *request, size_t n)
{
	return fw_arena_alloc(&request->arena, n);
}

static int reply_header(struct fw_plugin_request *request, const char *name, const char *value)
{
	fw_buf_printf(&request->said, "%s: %s\n", name, value);
	return 0;
}

static void reply(struct fw_plugin_request *request, int status, const char *content_type, const void *body, size_t n)
{
	fw_buf_printf(&request->said, "Content-Type: %s\n", content_type ? content_type : "");
	say("reply", (const char *const[]){ "headers", "body" }, (struct fw_str[]){ fw_str(fw_buf_text(&request->said)), { body, n } },
		2, status);
	fw_buf_finish(&request->said);
	fw_arena_finish(&request->arena);
	free(request);
}

static void error(struct fw_plugin_request *request, int status, const char *code, const char *message, const char *path, const char *hint)
{
	(void)code;
	(void)path;
	(void)hint;
	reply(request, status, "application/json", message, strlen(message));
}

static int deliver_result(const struct fw_host *host, const char *message_id, int outcome, const char *reason)
{
	(void)host;
	say("result", (const char *const[]){ "id", "reason" }, (struct fw_str[]){ fw_str(message_id), fw_str(reason) }, 2, outcome);
	return 0;
}

static void message_event(const struct fw_host *host, const char *message_id, const char *name, struct fw_plugin_text json,
	fw_plugin_done done, void *data)
{
	int status = store_times > 0 ? store_times--, store_status : 200;
	(void)host;
	say("event", (const char *const[]){ "id", "name", "json" }, (struct fw_str[]){ fw_str(message_id), fw_str(name), str_of(json) },
		3, status);
	done(self, data, status, (struct fw_plugin_text){ "{\"changed\":true}", 16 });
}

static int sign(const struct fw_host *host, struct fw_plugin_text what, unsigned char ret_mac[32])
{
	unsigned n = 32;
	(void)host;
	return sign_known && HMAC(EVP_sha256(), "driver", 6, (const unsigned char *)what.p, what.n, ret_mac, &n) ? 0 : -1;
}

static const struct fw_host host = {
	.abi_major = FW_PLUGIN_ABI_MAJOR, .abi_minor = FW_PLUGIN_ABI_MINOR, .struct_size = sizeof(struct fw_host), .log = host_log,
	.config_only = config_only, .config_text = config_text, .config_path = config_text, .config_number = config_number,
	.metric_add = metric_add, .now_us = host_now_us, .monotonic_us = host_monotonic_us, .timer_start = timer_start,
	.timer_stop = timer_stop,
	.watch = watch, .unwatch = unwatch, .request_method = request_method, .request_segment = request_segment,
	.request_header = request_header, .request_body = request_body, .request_alloc = request_alloc, .reply_header = reply_header,
	.reply = reply,
	.error = error, .deliver_result = deliver_result, .message_event = message_event, .sign = sign,
};

static void configure(const struct fw_json *line, int start)
{
	struct fw_plugin_problem problem = { .message = "" };
	struct fw_buf buf;
	struct fw_json_out out;
	struct fw_error err;
	fw_buf_init(&buf, MEMORY);
	fw_json_out_init(&out, &buf);
	fw_json_tree(&out, fw_json_get(line, "config"));
	struct fw_plugin_text text = { fw_buf_text(&buf), buf.n };
	if (fw_json_parse(&config_arena, text.p, text.n, &config, &err) < 0)
		abort();
	int rc = start ? plugin->start(&host, text, &self, &problem) : plugin->configure(&host, text, &problem);
	say(start ? "started" : "configured", (const char *const[]){ "message", "hint" }, (struct fw_str[]){ fw_str(problem.message),
		fw_str(problem.hint) }, 2, rc);
	fw_buf_finish(&buf);
}

static void deliver(const struct fw_json *line)
{
	struct fw_plugin_problem problem = { .message = "" };
	const struct fw_json *within = fw_json_get(line, "within_ms");
	struct fw_plugin_message message = { sizeof message, 1, fw_json_text(line, "id").p, fw_json_text(line, "to").p,
		text_of(fw_json_text(line, "json")), fw_monotonic_us() + (within ? (int64_t)within->number : FW_LIMIT_DELIVERY_MS) * 1000 };
	int outcome = plugin->deliver(self, &message, &problem);
	say("delivering", (const char *const[]){ "id", "reason" }, (struct fw_str[]){ fw_str(message.id), fw_str(problem.message) }, 2,
		outcome);
}

static void ask(const struct fw_json *line)
{
	struct fw_plugin_request *request = calloc(1, sizeof *request);
	struct fw_str path = fw_json_text(line, "path"), method = fw_json_text(line, "method"), body = fw_json_text(line, "body");
	if (!request)
		abort();
	fw_arena_init(&request->arena, NULL, 0, MEMORY);
	fw_buf_init(&request->said, MEMORY);
	request->path = path;
	request->body = body;
	request->headers = fw_json_get(line, "headers");
	request->method = fw_str_is(method, "POST") ? FW_PLUGIN_POST : fw_str_is(method, "HEAD") ? FW_PLUGIN_HEAD : FW_PLUGIN_GET;
	for (const struct fw_plugin_route *r = plugin->routes; r->path; r++) {
		size_t n = strlen(r->path);
		int below = r->path[n - 1] == '/';
		if (below ? path.n < n || memcmp(path.p, r->path, n) != 0 : !fw_str_is(path, r->path))
			continue;
		request->rest = (struct fw_str){ path.p + n, path.n - n };
		r->handle(self, request);
		return;
	}
	abort();
}

static void obey(const struct fw_json *line)
{
	struct fw_str what = fw_json_text(line, "do");
	const struct fw_json *status = fw_json_get(line, "status"), *times = fw_json_get(line, "times"), *ahead = fw_json_get(line,
		"ahead_s");
	if (fw_str_is(what, "configure") || fw_str_is(what, "start"))
		configure(line, fw_str_is(what, "start"));
	else if (fw_str_is(what, "deliver"))
		deliver(line);
	else if (fw_str_is(what, "ask"))
		ask(line);
	else if (fw_str_is(what, "drain"))
		plugin->drain(self, 1000);
	else if (fw_str_is(what, "stop"))
		event_base_loopbreak(base);
	else if (fw_str_is(what, "sign"))
		sign_known = fw_json_get(line, "known")->boolean;
	else if (ahead)
		ahead_us = (int64_t)ahead->number * 1000000;
	else if (status && times)
		store_status = (int)status->number, store_times = (int)times->number;
	else
		abort();
}

/* What came of standard input: whole lines are done. */
static void on_input(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_buf *input = ctx;
	char bytes[65536];
	ssize_t n = read(fd, bytes, sizeof bytes);
	(void)what;
	if (n <= 0) {
		event_base_loopbreak(base);
		return;
	}
	fw_buf_add(input, bytes, (size_t)n);
	char *begin = input->data, *end;
	while ((end = memchr(begin, '\n', input->n - (size_t)(begin - input->data)))) {
		struct fw_arena arena;
		struct fw_json *line;
		struct fw_error err;
		fw_arena_init(&arena, NULL, 0, MEMORY);
		if (fw_json_parse(&arena, begin, (size_t)(end - begin), &line, &err) < 0) {
			fprintf(stderr, "%s\n", err.message);
			abort();
		}
		obey(line);
		fw_arena_finish(&arena);
		begin = end + 1;
	}
	input->n -= (size_t)(begin - input->data);
	memmove(input->data, begin, input->n);
}

int main(int argc, char **argv)
{
	struct fw_buf input;
	void *object = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	if (!object) {
		fprintf(stderr, "%s\n", argc == 2 ? dlerror() : "usage: email_driver PLUGIN");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	plugin = dlsym(object, "floorwalker_plugin");
	base = event_base_new();
	fw_arena_init(&config_arena, NULL, 0, MEMORY);
	fw_buf_init(&input, MEMORY);
	struct event *on_stdin = event_new(base, 0, EV_READ | EV_PERSIST, on_input, &input);
	event_add(on_stdin, NULL);
	event_base_dispatch(base);
	/* As in the worker: what the plugin left is ended before its `stop`; the process ends with it. */
	while (timers)
		timer_stop(timers);
	while (watches)
		unwatch(watches);
	event_free(on_stdin);
	event_base_free(base);
	if (self)
		plugin->stop(self);
	fw_buf_finish(&input);
	fw_arena_finish(&config_arena);
	return 0;
}
