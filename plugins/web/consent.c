/* POST /v1/visitors/{id}/consent: what a person says of purposes and channels. */
#include "web.h"

#include <string.h>

void web_consent(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	struct fw_plugin_text id = host->request_segment(request, 0), what = host->request_segment(request, 1);
	host->metric_add(host, WEB_METRIC_CONSENT, 1);
	if (!id.n || !what.p || strcmp(what.p, "consent") != 0 || host->request_segment(request, 2).p) {
		host->error(request, 404, "not_found", "there is nothing to post here", NULL, "/v1/visitors/ID/consent");
		return;
	}
	host->consent_as(host, request, id.p, host->request_body(request), web_answer, request);
}
