/* A program around the HTTP server for its system tests and benchmark. It says where it listens, then answers:
 *   /hold/ID        when /release/ID is asked
 *   /held/ID        whether /hold/ID waits: "no", "yes" or "gone"
 *   /bytes?n=N      N bytes
 *   /close          with Connection: close
 *   /counters       the server's counters as JSON
 *   /drain?ms=N     drains; the program ends when that is done
 *   /pause?ms=N     accepts nothing for N milliseconds
 *   anything else   the request's parts as JSON; /echo its body as it came
 * Arguments: name=value sets a limit; unix=PATH listens there too. */
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"
#include "http/route.h"
#include "http/server.h"

enum { HELD = 4096 };

struct echo {
	struct event_base *base;
	struct event *resume;
	struct fw_http_server *server;
	struct fw_http_limits limits;
	struct fw_http_request *held[HELD];
	unsigned n_held;
	struct fw_buf text;
	const char *unix_path;
};

static bool after(struct fw_str path, const char *prefix, struct fw_str *ret_rest)
{
	size_t n = strlen(prefix);
	if (path.n < n || memcmp(path.p, prefix, n) != 0)
		return false;
	*ret_rest = (struct fw_str){ path.p + n, path.n - n };
	return true;
}

static void reply_text(struct fw_http_request *req, const char *text)
{
	fw_http_reply(req, 200, "text/plain", text, strlen(text));
}

static int find_held(const struct echo *e, struct fw_str id)
{
	for (unsigned i = 0; i < e->n_held; i++) {
		struct fw_str rest;
		if (after(fw_http_path(e->held[i]), "/hold/", &rest) && fw_str_equal(rest, id))
			return (int)i;
	}
	return -1;
}

static void release(struct echo *e, struct fw_http_request *req, struct fw_str id)
{
	int at = find_held(e, id);
	if (at < 0) {
		fw_http_error(req, 404, "not_found", "nothing is held under this id", NULL, "ask /hold/ID first");
		return;
	}
	struct fw_http_request *held = e->held[at];
	e->held[at] = e->held[--e->n_held];
	struct fw_str body = fw_http_body(held);
	char *text = fw_arena_printf(fw_http_arena(held), "%.*s %.*s", (int)id.n, id.p, (int)body.n, body.n ? body.p : "");
	reply_text(held, text);
	reply_text(req, "released");
}

static long number_param(struct fw_http_request *req, const char *name, long otherwise)
{
	struct fw_str text = fw_http_query_param(req, name);
	return text.p ? strtol(text.p, NULL, 10) : otherwise;
}

static void reply_bytes(struct fw_http_request *req)
{
	size_t n = (size_t)number_param(req, "n", 0);
	char *bytes = malloc(n + 1);
	if (!bytes)
		abort();
	memset(bytes, 'x', n);
	fw_http_reply(req, 200, "application/octet-stream", bytes, n);
	free(bytes);
}

static void add_number(struct fw_json_out *o, const char *key, uint64_t v)
{
	fw_json_key(o, key);
	fw_json_number(o, (double)v);
}

static void reply_json(struct echo *e, struct fw_http_request *req)
{
	fw_http_reply(req, 200, "application/json", e->text.data, e->text.n);
}

static void reply_counters(struct echo *e, struct fw_http_request *req)
{
	const struct fw_http_counters *c = fw_http_server_counters(e->server);
	struct fw_json_out o;
	fw_buf_clear(&e->text);
	fw_json_out_init(&o, &e->text);
	fw_json_open_object(&o);
	add_number(&o, "accepted", c->accepted);
	add_number(&o, "open", c->open);
	add_number(&o, "inflight", c->inflight);
	add_number(&o, "requests", c->requests);
	add_number(&o, "idle_closed", c->idle_closed);
	add_number(&o, "gone", c->gone);
	add_number(&o, "bytes_in", c->bytes_in);
	add_number(&o, "bytes_out", c->bytes_out);
	fw_json_key(&o, "responses");
	fw_json_open_array(&o);
	for (int i = 0; i < 6; i++)
		fw_json_number(&o, (double)c->responses[i]);
	fw_json_close_array(&o);
	fw_json_key(&o, "refused");
	fw_json_open_object(&o);
	for (int i = 0; i < FW_HTTP_REASONS; i++)
		add_number(&o, fw_http_reason_name((enum fw_http_reason)i), c->refused[i]);
	fw_json_close_object(&o);
	fw_json_close_object(&o);
	reply_json(e, req);
}

static void reply_parts(struct echo *e, struct fw_http_request *req)
{
	struct fw_json_out o;
	unsigned n;
	const struct fw_http_field *fields = fw_http_headers(req, &n);
	fw_buf_clear(&e->text);
	fw_json_out_init(&o, &e->text);
	fw_json_open_object(&o);
	fw_json_key(&o, "method");
	fw_json_text_value(&o, fw_http_method_name(fw_http_method(req)));
	fw_json_key(&o, "path");
	fw_json_string(&o, fw_http_path(req));
	fw_json_key(&o, "query");
	fw_json_string(&o, fw_http_query(req));
	fw_json_key(&o, "q");
	fw_json_string(&o, fw_http_query_param(req, "q"));
	fw_json_key(&o, "body");
	fw_json_string(&o, fw_http_body(req));
	fw_json_key(&o, "headers");
	fw_json_open_array(&o);
	for (unsigned i = 0; i < n; i++) {
		fw_json_string(&o, fields[i].name);
		fw_json_string(&o, fields[i].value);
	}
	fw_json_close_array(&o);
	add_number(&o, "family", fw_http_peer(req)->sa_family);
	add_number(&o, "listener", (uint64_t)fw_http_listener(req));
	fw_json_close_object(&o);
	fw_http_reply_header(req, "X-Echo", "yes");
	reply_json(e, req);
}

static void pause_accepting(struct echo *e, struct fw_http_request *req)
{
	long ms = number_param(req, "ms", 0);
	struct timeval later = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	fw_http_server_pause(e->server, true);
	event_add(e->resume, &later);
	reply_text(req, "paused");
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	fw_http_server_pause(((struct echo *)arg)->server, false);
}

static void on_request(struct fw_http_request *req, void *ctx)
{
	struct echo *e = ctx;
	struct fw_str path = fw_http_path(req), id;
	if (fw_str_is(path, "/echo")) {
		struct fw_str body = fw_http_body(req);
		fw_http_reply(req, 200, "application/json", body.p, body.n);
	} else if (after(path, "/hold/", &id) && e->n_held < HELD) {
		e->held[e->n_held++] = req;
	} else if (after(path, "/release/", &id)) {
		release(e, req, id);
	} else if (after(path, "/held/", &id)) {
		int at = find_held(e, id);
		reply_text(req, at < 0 ? "no" : fw_http_gone(e->held[at]) ? "gone" : "yes");
	} else if (fw_str_is(path, "/bytes")) {
		reply_bytes(req);
	} else if (fw_str_is(path, "/close")) {
		fw_http_reply_close(req);
		reply_text(req, "closing");
	} else if (fw_str_is(path, "/counters")) {
		reply_counters(e, req);
	} else if (fw_str_is(path, "/pause")) {
		pause_accepting(e, req);
	} else if (fw_str_is(path, "/drain")) {
		fw_http_server_drain(e->server, number_param(req, "ms", 5000));
		reply_text(req, "draining");
	} else {
		reply_parts(e, req);
	}
}

static void on_drained(struct fw_http_server *server, void *ctx)
{
	struct echo *e = ctx;
	fw_http_server_destroy(server);
	event_base_loopbreak(e->base);
}

static int listen_on(const struct sockaddr *address, socklen_t n)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, address, n) < 0 || listen(fd, 1024) < 0) {
		perror("http_echo: listen");
		exit(1);
	}
	return fd;
}

static void set_limit(struct echo *e, const char *name, const char *value)
{
	struct fw_http_limits *l = &e->limits;
	const struct {
		const char *name;
		size_t *bytes;
		unsigned *count;
		int64_t *ms;
	} all[] = {
		{ "body_bytes", &l->body_bytes, NULL, NULL }, { "header_bytes", &l->header_bytes, NULL, NULL },
		{ "url_bytes", &l->url_bytes, NULL, NULL }, { "request_bytes", &l->request_bytes, NULL, NULL },
		{ "headers", NULL, &l->headers, NULL }, { "connections", NULL, &l->connections, NULL },
		{ "pipelined", NULL, &l->pipelined, NULL }, { "max_inflight", NULL, &l->max_inflight, NULL },
		{ "header_ms", NULL, NULL, &l->header_ms }, { "body_ms", NULL, NULL, &l->body_ms },
		{ "idle_ms", NULL, NULL, &l->idle_ms }, { "write_ms", NULL, NULL, &l->write_ms },
		{ "linger_ms", NULL, NULL, &l->linger_ms }, { "drain_idle_ms", NULL, NULL, &l->drain_idle_ms },
	};
	long v = strtol(value, NULL, 10);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (strcmp(all[i].name, name) != 0)
			continue;
		if (all[i].bytes)
			*all[i].bytes = (size_t)v;
		else if (all[i].count)
			*all[i].count = (unsigned)v;
		else
			*all[i].ms = v;
		return;
	}
	fprintf(stderr, "http_echo: no limit %s\n", name);
	exit(2);
}

static void read_arguments(struct echo *e, int argc, char **argv)
{
	fw_http_limits_default(&e->limits);
	for (int i = 1; i < argc; i++) {
		char *is = strchr(argv[i], '=');
		if (!is)
			exit(2);
		*is = '\0';
		if (strcmp(argv[i], "unix") == 0)
			e->unix_path = is + 1;
		else
			set_limit(e, argv[i], is + 1);
	}
	struct fw_error err;
	if (fw_http_limits_check(&e->limits, &err) < 0) {
		fprintf(stderr, "http_echo: %s\n", err.message);
		exit(2);
	}
}

static void start(struct echo *e)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof here;
	int fd = listen_on((struct sockaddr *)&here, n);
	getsockname(fd, (struct sockaddr *)&here, &n);
	struct fw_error err;
	bool ok = fw_http_server_listen(e->server, fd, &err) == 0;
	if (ok && e->unix_path) {
		struct sockaddr_un there = { .sun_family = AF_UNIX };
		snprintf(there.sun_path, sizeof there.sun_path, "%s", e->unix_path);
		ok = fw_http_server_listen(e->server, listen_on((struct sockaddr *)&there, sizeof there), &err) == 1;
	}
	if (!ok) {
		fprintf(stderr, "http_echo: %s\n", err.message);
		exit(1);
	}
	printf("%d\n", ntohs(here.sin_port));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct echo e = { .base = event_base_new() };
	struct fw_http_handlers handlers = { on_request, on_drained, &e };
	read_arguments(&e, argc, argv);
	fw_buf_init(&e.text, 0);
	e.server = fw_http_server_create(e.base, &e.limits, &handlers);
	e.resume = event_new(e.base, -1, 0, on_resume, &e);
	if (!e.server || !e.resume)
		return 1;
	start(&e);
	event_base_dispatch(e.base);
	/* What is still held has outlived the server. */
	while (e.n_held)
		reply_text(e.held[--e.n_held], "");
	event_free(e.resume);
	event_base_free(e.base);
	fw_buf_finish(&e.text);
	return 0;
}
