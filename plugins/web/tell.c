/* POST /v1/visitors/{id}/…: what a person says of purposes and channels, and what is to become of what is kept. */
#include "web.h"

#include <string.h>

void web_tell_visitor(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	struct fw_plugin_text id = host->request_segment(request, 0), what = host->request_segment(request, 1);
	int consent = what.p && strcmp(what.p, "consent") == 0;
	int right = what.p && (strcmp(what.p, "unmerge") == 0 || strcmp(what.p, "restriction") == 0);
	host->metric_add(host, right ? WEB_METRIC_RIGHTS : WEB_METRIC_CONSENT, 1);
	if (!id.n || (!consent && !right) || host->request_segment(request, 2).p) {
		host->error(request, 404, "not_found", "there is nothing to post here", NULL,
			"/v1/visitors/ID/consent, /unmerge or /restriction");
		return;
	}
	if (consent)
		host->consent_as(host, request, id.p, host->request_body(request), web_answer, request);
	else if (host->request_access(request) != FW_PLUGIN_ACCESS_SECRET)
		host->error(request, 403, "forbidden", "a write key does not open this", NULL, "use a secret key, on a server");
	else
		host->visitor_as(host, request, id.p, what.p, host->request_body(request), web_answer, request);
}
