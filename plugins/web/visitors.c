#include "web.h"

#include <string.h>

void web_visitors(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	struct fw_plugin_text id = host->request_segment(request, 0), what = host->request_segment(request, 1);
	int timeline = what.p && strcmp(what.p, "timeline") == 0;
	host->metric_add(host, WEB_METRIC_VISITORS, 1);
	if (!id.n || (what.p && !timeline) || host->request_segment(request, 2).p) {
		host->error(request, 404, "not_found", "there is nothing here", NULL, "/v1/visitors/ID or /v1/visitors/ID/timeline");
		return;
	}
	host->visitor(host, id.p, timeline ? "timeline" : "show", web_answer, request);
}
