/* The tracking paths: Segment's HTTP API, under its long names and under the short ones of the browser client. */
#include "web.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *type;
} paths[] = {
	{ "track", "track" }, { "t", "track" }, { "identify", "identify" }, { "i", "identify" }, { "page", "page" },
	{ "p", "page" }, { "screen", "screen" }, { "s", "screen" }, { "group", "group" }, { "g", "group" },
	{ "alias", "alias" }, { "a", "alias" },
};

/* The type that the path names; NULL: a batch's, each event says its own. */
static const char *type_of(struct fw_plugin_text path)
{
	const char *name = path.p + strlen("/v1/");
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (strcmp(paths[i].name, name) == 0)
			return paths[i].type;
	return NULL;
}

static int is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The body with the path's type as its last member: of two of one name the last counts, and what the engine says of a byte
 * stays true. What is no object passes as it is, for the engine to refuse. p NULL: out of memory. */
static struct fw_plugin_text typed(const struct fw_host *host, struct fw_plugin_request *request, struct fw_plugin_text body,
	const char *type)
{
	size_t end = body.n, last;
	while (end > 0 && is_space(body.p[end - 1]))
		end--;
	if (end == 0 || body.p[end - 1] != '}')
		return body;
	for (last = end - 1; last > 0 && is_space(body.p[last - 1]);)
		last--;
	const char *comma = last > 0 && body.p[last - 1] == '{' ? "" : ",";
	size_t room = sizeof ",\"type\":\"\"}" + strlen(type);
	char *text = host->request_alloc(request, end + room);
	if (!text)
		return (struct fw_plugin_text){ NULL, 0 };
	memcpy(text, body.p, end - 1);
	int n = snprintf(text + end - 1, room, "%s\"type\":\"%s\"}", comma, type);
	return (struct fw_plugin_text){ text, end - 1 + (size_t)n };
}

static int is_list(struct fw_plugin_text body)
{
	size_t at = 0;
	while (at < body.n && is_space(body.p[at]))
		at++;
	return at < body.n && body.p[at] == '[';
}

void web_track(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	struct fw_plugin_text body = host->request_body(request);
	const char *type = type_of(host->request_path(request));
	host->metric_add(host, WEB_METRIC_TRACK, 1);
	if (type && is_list(body)) {
		host->error(request, 400, "bad_request", "one event is an object", NULL, "a list of events goes to /v1/batch");
		return;
	}
	if (type && body.n) {
		body = typed(host, request, body, type);
		if (!body.p) {
			host->error(request, 413, "too_large", "the request takes more memory than one may", NULL, NULL);
			return;
		}
	}
	host->ingest(host, request, body, web_answer, request);
}
