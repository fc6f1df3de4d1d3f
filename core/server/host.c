/* The host's services for plugins: log, configuration, metrics, clocks, the engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/plugins_own.h"
#include "server/request.h"
#include "server/streams.h"

enum { SPARE_BYTES = 1 << 20 };

static void host_log(const struct fw_host *host, int level, const char *text)
{
	static const enum fw_log_level levels[] = { FW_LOG_DEBUG, FW_LOG_INFO, FW_LOG_WARN, FW_LOG_ERROR };
	bool known = level >= FW_PLUGIN_DEBUG && level <= FW_PLUGIN_ERROR;
	fw_log(known ? levels[level] : FW_LOG_ERROR, text, "plugin", fw_loaded_of(host)->name, NULL);
}

/* Keys of every channel, that the plugin need not know. */
static bool is_hosts_own(const struct fw_loaded *p, struct fw_str key)
{
	return p->plugin->deliver && (fw_str_is(key, "rate") || fw_str_is(key, "at_once"));
}

static int host_config_only(const struct fw_host *host, const char *const *known, struct fw_plugin_problem *problem)
{
	size_t n = 0;
	while (known[n])
		n++;
	for (const struct fw_json *m = fw_loaded_of(host)->config_tree->child; m; m = m->next) {
		size_t i = 0;
		if (is_hosts_own(fw_loaded_of(host), m->key))
			continue;
		while (i < n && strcmp(known[i], m->key.p) != 0)
			i++;
		if (i < n)
			continue;
		const char *nearest = fw_nearest(m->key.p, known, n);
		snprintf(problem->message, sizeof problem->message, "there is no key \"%s\"", m->key.p);
		snprintf(problem->hint, sizeof problem->hint, nearest ? "did you mean \"%s\"?" : "%s", nearest ? nearest : "");
		return -1;
	}
	return 0;
}

static const char *host_config_text(const struct fw_host *host, const char *key, const char *otherwise)
{
	const struct fw_json *v = fw_json_get(fw_loaded_of(host)->config_tree, key);
	return v && v->type == FW_JSON_STRING ? v->string.p : otherwise;
}

static const char *host_config_path(const struct fw_host *host, const char *key, const char *otherwise)
{
	struct fw_loaded *p = fw_loaded_of(host);
	const char *path = host_config_text(host, key, otherwise);
	if (!path || path[0] == '/')
		return path;
	return fw_arena_printf(&p->arena, "%s/%s", p->config_folder, path);
}

static double host_config_number(const struct fw_host *host, const char *key, double otherwise)
{
	const struct fw_json *v = fw_json_get(fw_loaded_of(host)->config_tree, key);
	return v && v->type == FW_JSON_NUMBER ? v->number : otherwise;
}

static void host_metric_add(const struct fw_host *host, unsigned index, int64_t n)
{
	struct fw_loaded *p = fw_loaded_of(host);
	if (!p->worker || index >= p->n_metrics)
		return;
	_Atomic int64_t *at = &p->worker->page->metrics[p->metrics[index]];
	atomic_store_explicit(at, atomic_load_explicit(at, memory_order_relaxed) + n, memory_order_relaxed);
}

static int64_t host_now_us(const struct fw_host *host)
{
	(void)host;
	return fw_now_us();
}

static int64_t host_monotonic_us(const struct fw_host *host)
{
	(void)host;
	return fw_monotonic_us();
}

/* A buffer for an answer; an answer inside another one's completion gets a new one. */
static struct fw_buf take_buffer(struct fw_worker *w)
{
	struct fw_buf b = w->spare;
	fw_buf_init(&w->spare, 0);
	fw_buf_clear(&b);
	return b;
}

static void give_back(struct fw_worker *w, struct fw_buf *b)
{
	fw_buf_finish(&w->spare);
	w->spare = *b;
	if (b->failed || b->size > SPARE_BYTES)
		fw_buf_finish(&w->spare);
}

/* Hands an answer to the plugin. */
void fw_host_tell(struct fw_loaded *p, fw_plugin_done done, void *data, int status, struct fw_buf *out)
{
	static const char no_memory[] = "{\"error\":{\"code\":\"unavailable\",\"message\":\"out of memory\"}}";
	struct fw_plugin_text text = { out->data, out->n };
	if (out->failed) {
		status = 503;
		text = (struct fw_plugin_text){ no_memory, sizeof no_memory - 1 };
	}
	uint32_t before = fw_loaded_enter(p);
	done(p->self, data, status, text);
	fw_loaded_leave(p, before);
}

struct fw_worker *fw_host_worker(const struct fw_loaded *p, const char *call)
{
	if (!p->worker)
		fw_log(FW_LOG_ERROR, "a plugin that is being configured made a call that only a worker can answer", "plugin", p->name,
			"call", call, NULL);
	return p->worker;
}

/* For want of a worker, else of memory. */
static void tell_unavailable(struct fw_loaded *p, fw_plugin_done done, void *data)
{
	struct fw_buf out;
	fw_buf_init(&out, 0);
	if (p->worker)
		out.failed = true;
	else
		fw_buf_puts(&out, "{\"error\":{\"code\":\"unavailable\",\"message\":\"only a worker can answer this\"}}");
	fw_host_tell(p, done, data, 503, &out);
	fw_buf_finish(&out);
}

void *fw_host_asked(struct fw_loaded *p, const char *call, size_t n, fw_plugin_done done, void *data)
{
	struct fw_asked *a = fw_host_worker(p, call) ? calloc(1, n) : NULL;
	if (a)
		*a = (struct fw_asked){ p, done, data };
	else
		tell_unavailable(p, done, data);
	return a;
}

void fw_host_answer(void *asked, int status, struct fw_buf *out)
{
	struct fw_asked *a = asked;
	fw_host_tell(a->p, a->done, a->data, status, out);
	free(a);
}

/* Milliseconds with three decimals. */
static char *put_ms(char *at, uint64_t ns)
{
	char digits[24];
	size_t n = 0;
	uint64_t us = ns / 1000;
	for (; us || n < 4; us /= 10)
		digits[n++] = (char)('0' + us % 10);
	while (n) {
		*at++ = digits[--n];
		if (n == 3)
			*at++ = '.';
	}
	return at;
}

static char *put_text(char *at, const char *text)
{
	size_t n = strlen(text);
	memcpy(at, text, n);
	return at + n;
}

/* Every answer has it, so it is put together by hand. */
static void say_timing(struct fw_plugin_request *request, const struct fw_engine_ask *ask)
{
	char text[128], *at = put_ms(put_text(text, "facts;dur="), ask->facts_ns);
	at = put_ms(put_text(at, ", decide;dur="), ask->decide_ns);
	if (ask->store_ns)
		at = put_ms(put_text(at, ", store;dur="), ask->store_ns);
	*at = '\0';
	fw_http_reply_header(request->http, "Server-Timing", text);
}

/* What a plugin wants decided. */
struct deciding {
	struct fw_asked asked;
	struct fw_engine_ask ask;
};

static void on_decided(void *ctx, int status, struct fw_buf *out)
{
	struct deciding *a = ctx;
	struct fw_plugin_request *request = a->ask.request;
	struct fw_asked asked = a->asked; /* what it lives in ends with the request's answer */
	if (request)
		say_timing(request, &a->ask);
	else
		free(a);
	fw_host_tell(asked.p, asked.done, asked.data, status, out);
}

static void ask_engine(const struct fw_host *host, struct fw_plugin_request *request, struct fw_plugin_text json,
	bool explain, fw_plugin_done done, void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	struct deciding *a;
	if (!request) {
		a = fw_host_asked(p, explain ? "explain" : "decide", sizeof *a, done, data);
	} else if ((a = fw_arena_alloc(fw_http_arena(request->http), sizeof *a))) {
		a->asked = (struct fw_asked){ p, done, data };
	} else {
		tell_unavailable(p, done, data);
	}
	if (!a)
		return;
	a->ask = (struct fw_engine_ask){
		.request = request,
		.secret = !request || request->have == FW_PLUGIN_ACCESS_SECRET,
		.json = { json.p, json.n },
		.explain = explain,
	};
	/* A rule that hangs is not the plugin's doing. */
	uint32_t before = fw_loaded_enter(p);
	fw_loaded_leave(p, 0);
	fw_engine_decide(p->worker->engine, &a->ask, on_decided, a);
	fw_loaded_leave(p, before);
}

static void host_decide(const struct fw_host *host, struct fw_plugin_request *request, struct fw_plugin_text json,
	fw_plugin_done done, void *data)
{
	ask_engine(host, request, json, false, done, data);
}

static void host_explain(const struct fw_host *host, struct fw_plugin_request *request, struct fw_plugin_text json,
	fw_plugin_done done, void *data)
{
	ask_engine(host, request, json, true, done, data);
}

static void host_stream(const struct fw_host *host, struct fw_plugin_request *request, struct fw_plugin_text json)
{
	struct fw_loaded *p = fw_loaded_of(host);
	uint32_t before = fw_loaded_enter(p);
	fw_loaded_leave(p, 0);
	fw_streams_open(p->worker->streams, request, (struct fw_str){ json.p, json.n });
	fw_loaded_leave(p, before);
}

static void host_rules_info(const struct fw_host *host, fw_plugin_done done, void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	if (!fw_host_worker(p, "rules_info")) {
		tell_unavailable(p, done, data);
		return;
	}
	struct fw_buf out = take_buffer(p->worker);
	int status = fw_engine_rules(p->worker->engine, &out);
	fw_host_tell(p, done, data, status, &out);
	give_back(p->worker, &out);
}

void fw_host_fill(struct fw_host *host)
{
	*host = (struct fw_host){
		.abi_major = FW_PLUGIN_ABI_MAJOR,
		.abi_minor = FW_PLUGIN_ABI_MINOR,
		.struct_size = sizeof *host,
		.log = host_log,
		.config_only = host_config_only,
		.config_text = host_config_text,
		.config_path = host_config_path,
		.config_number = host_config_number,
		.metric_add = host_metric_add,
		.now_us = host_now_us,
		.monotonic_us = host_monotonic_us,
		.decide = host_decide,
		.explain = host_explain,
		.stream = host_stream,
		.rules_info = host_rules_info,
	};
	fw_host_fill_requests(host);
	fw_host_fill_people(host);
	fw_host_fill_loop(host);
	fw_host_fill_messages(host);
	fw_host_fill_http(host);
	fw_host_fill_values(host);
}
