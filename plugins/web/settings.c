/* What the browser client of Segment asks before it starts: where events go, and that nothing else is to be loaded. */
#include "web.h"

#include <stdio.h>
#include <string.h>

#include "common/escape.h"

static const char format[] =
	"{\"integrations\":{\"Segment.io\":{\"apiKey\":\"%s\",\"apiHost\":\"%s/v1\",\"protocol\":\"%.*s\","
	"\"unbundledIntegrations\":[],\"addBundledMetadata\":true,\"maybeBundledConfigIds\":{},"
	"\"versionSettings\":{\"version\":\"4.4.7\",\"componentTypes\":[\"browser\"]}}},"
	"\"plan\":{\"track\":{\"__default\":{\"enabled\":true,\"integrations\":{}}},"
	"\"identify\":{\"__default\":{\"enabled\":true}},\"group\":{\"__default\":{\"enabled\":true}}},"
	"\"edgeFunction\":{},\"analyticsNextEnabled\":true,\"middlewareSettings\":{},\"enabledMiddleware\":{},"
	"\"metrics\":{\"sampleRate\":0},\"legacyVideoPluginsEnabled\":false,\"remotePlugins\":[]}";

/* As the inside of a JSON string. */
static const char *escaped(const struct fw_host *host, struct fw_plugin_request *request, struct fw_plugin_text text)
{
	char *out = host->request_alloc(request, COMMON_ESCAPED_BYTES * text.n + 1);
	if (out)
		common_json_escape(text.p, text.n, out);
	return out;
}

static void answer(const struct fw_host *host, struct fw_plugin_request *request, struct fw_plugin_text key,
	const char *origin)
{
	const char *apart = strstr(origin, "://");
	const char *name = escaped(host, request, key);
	if (!apart) {
		host->error(request, 400, "bad_request", "a Host header is needed", NULL, "settings say where events go");
		return;
	}
	size_t room = sizeof format + (name ? strlen(name) : 0) + strlen(origin);
	char *text = name ? host->request_alloc(request, room) : NULL;
	if (!text) {
		host->error(request, 413, "too_large", "the request takes more memory than one may", NULL, NULL);
		return;
	}
	int n = snprintf(text, room, format, name, apart + 3, (int)(apart - origin), origin);
	host->reply_header(request, "Cache-Control", "private, max-age=300");
	host->reply(request, 200, "application/json", text, (size_t)n);
}

void web_settings(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	struct fw_plugin_text key = host->request_segment(request, 0), what = host->request_segment(request, 1);
	host->metric_add(host, WEB_METRIC_SETTINGS, 1);
	if (!key.n || !what.p || strcmp(what.p, "settings") != 0 || host->request_segment(request, 2).p) {
		host->error(request, 404, "not_found", "there is nothing here", NULL, "/v1/projects/KEY/settings");
		return;
	}
	int opens = host->request_key(request, key);
	if (opens != FW_PLUGIN_ACCESS_WRITE && opens != FW_PLUGIN_ACCESS_SECRET) {
		host->error(request, 404, "not_found", "the key is not known", NULL, "use a write key of the configuration");
		return;
	}
	answer(host, request, key, host->request_origin(request));
}
