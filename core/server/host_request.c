/* The host's services for plugins: a request and its answer. */
#include "http/uri.h"
#include "server/access.h"
#include "server/plugins_own.h"
#include "server/request.h"

_Static_assert((int)FW_PLUGIN_GET == 1 << FW_HTTP_GET && (int)FW_PLUGIN_HEAD == 1 << FW_HTTP_HEAD
	&& (int)FW_PLUGIN_POST == 1 << FW_HTTP_POST && (int)FW_PLUGIN_PUT == 1 << FW_HTTP_PUT
	&& (int)FW_PLUGIN_PATCH == 1 << FW_HTTP_PATCH && (int)FW_PLUGIN_DELETE == 1 << FW_HTTP_DELETE, "methods have the same bits");

static struct fw_plugin_text text_of(struct fw_str s)
{
	return (struct fw_plugin_text){ s.p, s.n };
}

static unsigned request_method(const struct fw_plugin_request *request)
{
	return FW_HTTP_MASK(fw_http_method(request->http));
}

static struct fw_plugin_text request_path(const struct fw_plugin_request *request)
{
	return text_of(fw_http_path(request->http));
}

static struct fw_plugin_text request_rest(const struct fw_plugin_request *request)
{
	return text_of(request->rest);
}

/* Decoding keeps the number of slashes, so the decoded path tells where the rest begins in the raw one. */
static struct fw_plugin_text request_segment(struct fw_plugin_request *request, unsigned index)
{
	struct fw_plugin_text none = { NULL, 0 };
	struct fw_str path = fw_http_path(request->http), raw = fw_http_raw_path(request->http);
	size_t skip = index, n = 0;
	for (const char *p = path.p; p < request->rest.p; p++)
		skip += *p == '/';
	for (; skip > 0; skip--) {
		const char *slash = raw.n ? memchr(raw.p, '/', raw.n) : NULL;
		if (!slash)
			return none;
		raw.n -= (size_t)(slash + 1 - raw.p);
		raw.p = slash + 1;
	}
	const char *end = raw.n ? memchr(raw.p, '/', raw.n) : NULL;
	if (end)
		raw.n = (size_t)(end - raw.p);
	char *text = fw_arena_alloc(fw_http_arena(request->http), raw.n + 1);
	if (!text || !fw_uri_decode(raw, false, text, &n))
		return none;
	text[n] = '\0';
	return (struct fw_plugin_text){ text, n };
}

static struct fw_plugin_text request_param(struct fw_plugin_request *request, const char *name)
{
	return text_of(fw_http_query_param(request->http, name));
}

static struct fw_plugin_text request_header(const struct fw_plugin_request *request, const char *name)
{
	return text_of(fw_http_header(request->http, name));
}

static struct fw_plugin_text request_body(const struct fw_plugin_request *request)
{
	return text_of(fw_http_body(request->http));
}

static const char *request_address(struct fw_plugin_request *request)
{
	return fw_access_address(request, request->worker->made->config);
}

static int request_access(const struct fw_plugin_request *request)
{
	return (int)request->have;
}

static int request_key(const struct fw_plugin_request *request, struct fw_plugin_text key)
{
	return (int)fw_access_of_key(request, request->worker->made->config, (struct fw_str){ key.p, key.n });
}

static struct fw_plugin_text request_own_key(const struct fw_plugin_request *request)
{
	return text_of(request->key);
}

static const char *request_origin(struct fw_plugin_request *request)
{
	return fw_access_origin(request, request->worker->made->config);
}

static int request_gone(const struct fw_plugin_request *request)
{
	return fw_http_gone(request->http);
}

static void *request_alloc(struct fw_plugin_request *request, size_t n)
{
	return fw_arena_alloc(fw_http_arena(request->http), n);
}

static int reply_header(struct fw_plugin_request *request, const char *name, const char *value)
{
	return fw_http_reply_header(request->http, name, value) < 0 ? -1 : 0;
}

static void reply(struct fw_plugin_request *request, int status, const char *content_type, const void *body, size_t n)
{
	fw_http_reply(request->http, status, content_type, body, n);
}

static void error(struct fw_plugin_request *request, int status, const char *code, const char *message, const char *path,
	const char *hint)
{
	fw_http_error(request->http, status, code, message, path, hint);
}

void fw_host_fill_requests(struct fw_host *host)
{
	host->request_method = request_method;
	host->request_path = request_path;
	host->request_rest = request_rest;
	host->request_segment = request_segment;
	host->request_param = request_param;
	host->request_header = request_header;
	host->request_body = request_body;
	host->request_address = request_address;
	host->request_access = request_access;
	host->request_key = request_key;
	host->request_own_key = request_own_key;
	host->request_origin = request_origin;
	host->request_gone = request_gone;
	host->request_alloc = request_alloc;
	host->reply_header = reply_header;
	host->reply = reply;
	host->error = error;
}
