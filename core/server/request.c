#include "server/request.h"

#include <stdio.h>

#include "server/access.h"
#include "server/admit.h"
#include "server/living.h"
#include "server/metrics.h"
#include "server/plugins_own.h"
#include "server/stock.h"
#include "server/worker.h"

static void answer_livez(struct fw_plugin_instance *self, struct fw_plugin_request *r)
{
	(void)self;
	fw_http_reply(r->http, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

static void write_ready(const struct fw_made *made, struct fw_living *living, bool ready, struct fw_buf *out)
{
	struct fw_json_out o;
	char outcome[FW_OUTCOME_BYTES];
	fw_json_out_init(&o, out);
	fw_json_open_object(&o);
	fw_json_key(&o, "ready");
	fw_json_bool(&o, ready);
	fw_json_key(&o, "ruleSet");
	fw_json_text_value(&o, fw_engine_hash(made->engine));
	fw_json_key(&o, "generation");
	fw_json_number(&o, made->generation);
	fw_json_key(&o, "stopping");
	fw_json_bool(&o, !ready);
	fw_json_key(&o, "kept");
	fw_json_bool(&o, atomic_load(&made->shared->kept));
	fw_json_key(&o, "lastLoad");
	fw_shared_outcome(made->shared, outcome);
	fw_json_raw(&o, fw_str(outcome[0] ? outcome : "null"));
	fw_json_key(&o, "store");
	fw_living_write_health(living, &o);
	if (fw_living_spool(living)) {
		fw_json_key(&o, "spool");
		fw_spool_write(made->shared, &o);
	}
	fw_json_close_object(&o);
}

static void answer_readyz(struct fw_plugin_instance *self, struct fw_plugin_request *r)
{
	const struct fw_made *made = r->worker->made;
	bool ready = !atomic_load(&made->shared->stopping);
	struct fw_buf b;
	(void)self;
	fw_buf_init(&b, 0);
	const char *type = "text/plain; charset=utf-8";
	if (fw_http_query_param(r->http, "verbose").p) {
		type = "application/json";
		write_ready(made, r->worker->living, ready, &b);
	} else {
		fw_buf_puts(&b, ready ? "ok\n" : "stopping\n");
	}
	fw_http_reply(r->http, ready ? 200 : 503, type, b.data, b.n);
	fw_buf_finish(&b);
}

static void answer_metrics(struct fw_plugin_instance *self, struct fw_plugin_request *r)
{
	struct fw_buf b;
	(void)self;
	fw_worker_turned(r->worker);
	fw_buf_init(&b, 0);
	fw_living_publish(r->worker->living);
	fw_metrics_write(r->worker->made, &b);
	fw_living_metrics(r->worker->living, &b);
	fw_http_reply(r->http, 200, "text/plain; version=0.0.4; charset=utf-8", b.data, b.n);
	fw_buf_finish(&b);
}

static void take_products(struct fw_plugin_instance *self, struct fw_plugin_request *r)
{
	(void)self;
	fw_stock_post(r->worker->stock, r->http);
}

static void answer_product(struct fw_plugin_instance *self, struct fw_plugin_request *r)
{
	(void)self;
	fw_stock_get(r->worker->stock, r->http, r->rest);
}

static const struct {
	const char *path;
	struct fw_endpoint endpoint;
	enum fw_http_method method;
	enum fw_http_route_kind kind;
} own[] = {
	{ "/livez", { FW_PLUGIN_ACCESS_ANY, NULL, answer_livez, false }, FW_HTTP_GET, FW_HTTP_ROUTE_EXACT },
	{ "/readyz", { FW_PLUGIN_ACCESS_ANY, NULL, answer_readyz, true }, FW_HTTP_GET, FW_HTTP_ROUTE_EXACT },
	{ "/metrics", { FW_PLUGIN_ACCESS_LOOPBACK, NULL, answer_metrics, false }, FW_HTTP_GET, FW_HTTP_ROUTE_EXACT },
	{ "/v1/products", { FW_PLUGIN_ACCESS_SECRET, NULL, take_products, false }, FW_HTTP_POST, FW_HTTP_ROUTE_EXACT },
	{ "/v1/products/", { FW_PLUGIN_ACCESS_SECRET, NULL, answer_product, false }, FW_HTTP_GET, FW_HTTP_ROUTE_PREFIX },
};

int fw_request_claim(struct fw_http_routes *routes, struct fw_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < sizeof own / sizeof *own && rc == 0; i++)
		rc = fw_http_route_add(routes, FW_HTTP_MASK(own[i].method), own[i].path, own[i].kind, "the server",
			(void *)(uintptr_t)&own[i].endpoint, err);
	return rc;
}

static enum fw_plugin_access access_needed(const struct fw_endpoint *e, struct fw_http_request *http)
{
	if (e->verbose_needs_access && fw_http_query_param(http, "verbose").p)
		return FW_PLUGIN_ACCESS_LOOPBACK;
	return e->access;
}

static void refuse(struct fw_worker *w, struct fw_http_request *http, int status, const char *message, const char *hint)
{
	fw_count(w->page, FW_COUNT_UNAUTHORIZED, 1);
	if (status == 401)
		fw_http_reply_header(http, "WWW-Authenticate", "Bearer");
	fw_http_error(http, status, status == 401 ? "unauthorized" : "forbidden", message, NULL, hint);
}

static void put_off(struct fw_http_request *http, unsigned wait_s)
{
	char text[16];
	snprintf(text, sizeof text, "%u", wait_s);
	fw_http_reply_header(http, "Retry-After", text);
	fw_http_error(http, 429, "too_many", "too many requests from this address or with this key", NULL,
		"send it again after Retry-After");
}

static void hand_over(const struct fw_endpoint *e, struct fw_plugin_request *r)
{
	if (!e->plugin) {
		e->handle(NULL, r);
		return;
	}
	uint32_t before = fw_loaded_enter(e->plugin);
	e->handle(e->plugin->self, r);
	fw_loaded_leave(e->plugin, before);
}

/* What a preflight asks for: the endpoint of the method that is to follow. */
static const struct fw_endpoint *preflight_of(const struct fw_worker *w, struct fw_http_request *http, unsigned allowed)
{
	struct fw_str method = fw_http_header(http, "Access-Control-Request-Method");
	for (unsigned i = 0; method.p && i < FW_HTTP_OPTIONS; i++)
		if (allowed & FW_HTTP_MASK(i) && fw_str_is(method, fw_http_method_name((enum fw_http_method)i)))
			return fw_http_route_find(w->made->routes, (enum fw_http_method)i, fw_http_path(http)).target;
	return NULL;
}

/* Whether a browser's page may ask this: a secret key has no business in one. */
static bool for_browsers(const struct fw_worker *w, struct fw_http_request *http, const struct fw_http_route_match *match)
{
	const struct fw_endpoint *e = match->target;
	if (!e && match->status == 405 && fw_http_method(http) == FW_HTTP_OPTIONS)
		e = preflight_of(w, http, match->allowed);
	return e && e->access >= FW_PLUGIN_ACCESS_WRITE;
}

void fw_request_dispatch(struct fw_http_request *http, void *ctx)
{
	struct fw_worker *w = ctx;
	const struct fw_config *config = w->made->config;
	struct fw_http_route_match match = fw_http_route_find(w->made->routes, fw_http_method(http), fw_http_path(http));
	const struct fw_endpoint *e = match.target;
	const char *message = NULL, *hint = NULL;
	fw_worker_turned(w);
	if (config->cors.n && for_browsers(w, http, &match) && fw_access_cors(http, config, match.allowed))
		return;
	if (match.status != 200) {
		fw_http_route_refuse(http, &match);
		return;
	}
	struct fw_plugin_request *r = FW_NEW(fw_http_arena(http), struct fw_plugin_request);
	if (!r) {
		fw_http_error(http, 503, "unavailable", "out of memory", NULL, NULL);
		return;
	}
	*r = (struct fw_plugin_request){ .http = http, .worker = w, .endpoint = e, .rest = match.rest };
	int status = fw_access_check(r, config, access_needed(e, http), &message, &hint);
	unsigned wait_s = e->plugin ? fw_admit_request(r) : 0;
	if (wait_s)
		put_off(http, wait_s);
	else if (status)
		refuse(w, http, status, message, hint);
	else
		hand_over(e, r);
}
