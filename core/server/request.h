/* A request on its way through the server: who asks, with which key, and who answers. */
#ifndef FW_SERVER_REQUEST_H
#define FW_SERVER_REQUEST_H

#include "http/server.h"
#include "server/plugins.h"
#include "signal/ip.h"

/* What a plugin knows as its request; lives in the request's arena. */
struct fw_plugin_request {
	struct fw_http_request *http;
	struct fw_worker *worker;
	const struct fw_endpoint *endpoint;
	struct fw_str rest;
	struct fw_str key;             /* the key that it came with; n 0: none */
	enum fw_plugin_access have; /* with what it came; FW_PLUGIN_ACCESS_ANY: nothing */
	struct fw_forwarded forwarded; /* what proxies, trusted or not, say of the client */
};

/* The HTTP server's callback: route, CORS, access, answer. `ctx` is the worker. */
void fw_request_dispatch(struct fw_http_request *http, void *ctx);

/* Claims the server's own paths: /livez, /readyz, /metrics. 0, or FW_EINVAL, FW_ENOMEM. */
int fw_request_claim(struct fw_http_routes *routes, struct fw_error *err);

#endif
