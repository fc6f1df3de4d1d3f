#include "web.h"

void web_explain(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	host->metric_add(host, WEB_METRIC_EXPLAIN, 1);
	host->explain(host, request, host->request_body(request), web_answer, request);
}
