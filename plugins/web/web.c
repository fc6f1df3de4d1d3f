/* The web channel: the descriptor, and what its resources share. */
#include "web.h"

#include <stdlib.h>

#include "common/problem.h"

static const struct fw_plugin_route routes[] = {
	{ "/fw.js", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, web_page },
	{ "/fw.js.map", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, web_page },
	{ "/fw.d.ts", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, web_page },
	{ "/v1/decide", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_decide },
	{ "/ofrep/v1/evaluate/flags", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_ofrep_flags },
	{ "/ofrep/v1/evaluate/flags/", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_ofrep_flag },
	{ "/ofrep/v1/stream", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_WRITE, web_ofrep_stream },
	{ "/v1/stream", FW_PLUGIN_GET | FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_stream },
	{ "/v1/explain", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_SECRET, web_explain },
	{ "/v1/rules", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_LOOPBACK, web_rules },
	{ "/v1/track", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_track },
	{ "/v1/identify", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_track },
	{ "/v1/page", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_track },
	{ "/v1/screen", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_track },
	{ "/v1/group", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_track },
	{ "/v1/alias", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_track },
	{ "/v1/batch", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_track },
	{ "/v1/t", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_track },
	{ "/v1/i", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_track },
	{ "/v1/p", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_track },
	{ "/v1/s", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_track },
	{ "/v1/g", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_track },
	{ "/v1/a", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_track },
	{ "/v1/b", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_track },
	{ "/v1/projects/", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, web_settings },
	{ "/v1/visitors/", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_SECRET, web_visitors },
	{ "/v1/visitors/", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_WRITE, web_tell_visitor },
	{ "/v1/visitors/", FW_PLUGIN_DELETE, FW_PLUGIN_ACCESS_SECRET, web_erase },
	{ "/v1/erasures/", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_SECRET, web_receipt },
	{ NULL, 0, 0, NULL },
};

static const struct fw_plugin_metric metrics[] = {
	[WEB_METRIC_DECIDE] = { "decide_requests_total", "Requests to /v1/decide.", 0 },
	[WEB_METRIC_EXPLAIN] = { "explain_requests_total", "Requests to /v1/explain.", 0 },
	[WEB_METRIC_RULES] = { "rules_requests_total", "Requests to /v1/rules.", 0 },
	[WEB_METRIC_TRACK] = { "track_requests_total", "Requests to the tracking paths.", 0 },
	[WEB_METRIC_SETTINGS] = { "settings_requests_total", "Requests to /v1/projects/.", 0 },
	[WEB_METRIC_VISITORS] = { "visitors_requests_total", "Requests to /v1/visitors/.", 0 },
	[WEB_METRIC_CONSENT] = { "consent_requests_total", "Requests to /v1/visitors/…/consent.", 0 },
	[WEB_METRIC_RIGHTS] = { "rights_requests_total", "Requests to erase or restrict a visitor, to undo a merge, or for a receipt.", 0 },
	[WEB_METRIC_PAGE] = { "page_requests_total", "Requests for fw.js and what lies beside it.", 0 },
	[WEB_METRIC_OFREP] = { "ofrep_requests_total", "Requests to /ofrep/ for flags.", 0 },
	[WEB_METRIC_STREAM] = { "stream_requests_total", "Requests to /v1/stream and /ofrep/v1/stream.", 0 },
	{ NULL, NULL, 0 },
};

void web_say_again(const struct fw_host *host, struct fw_plugin_request *request, int status)
{
	if (status == 429 || status == 503)
		host->reply_header(request, "Retry-After", "1");
}

void web_answer(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json)
{
	web_say_again(self->host, data, status);
	self->host->reply(data, status, "application/json", json.p, json.n);
}

static int configure(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_problem *problem)
{
	static const char *const known[] = { NULL };
	(void)config;
	return host->config_only(host, known, problem);
}

static int start(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_instance **ret_self,
	struct fw_plugin_problem *problem)
{
	struct fw_plugin_instance *self = calloc(1, sizeof *self);
	(void)config;
	if (!self)
		return common_refuse(problem, "", "out of memory");
	self->host = host;
	*ret_self = self;
	return 0;
}

static void stop(struct fw_plugin_instance *self)
{
	free(self);
}

FW_PLUGIN_EXPORT extern const struct fw_plugin floorwalker_plugin;
const struct fw_plugin floorwalker_plugin = {
	.magic = FW_PLUGIN_MAGIC,
	.abi_major = FW_PLUGIN_ABI_MAJOR,
	.abi_minor = 6,
	.struct_size = sizeof(struct fw_plugin),
	.name = "web",
	.build_id = "0.1.0",
	.routes = routes,
	.metrics = metrics,
	.configure = configure,
	.start = start,
	.stop = stop,
};
