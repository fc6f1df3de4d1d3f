/* DELETE /v1/visitors/{id}: a person is erased; and GET /v1/erasures/{id}, how far that has come. */
#include "web.h"

static const struct fw_plugin_text no_body;

void web_erase(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	struct fw_plugin_text id = host->request_segment(request, 0);
	host->metric_add(host, WEB_METRIC_RIGHTS, 1);
	if (id.n && !host->request_segment(request, 1).p)
		host->visitor_as(host, request, id.p, "erase", no_body, web_answer, request);
	else
		host->error(request, 404, "not_found", "there is nothing to erase here", NULL, "/v1/visitors/ID");
}

void web_receipt(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	struct fw_plugin_text id = host->request_segment(request, 0);
	host->metric_add(host, WEB_METRIC_RIGHTS, 1);
	if (id.n && !host->request_segment(request, 1).p)
		host->visitor_as(host, request, id.p, "receipt", no_body, web_answer, request);
	else
		host->error(request, 404, "not_found", "there is nothing here", NULL, "/v1/erasures/ID, as the erasure was answered");
}
