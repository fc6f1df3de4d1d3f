#include "web.h"

void web_decide(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	host->metric_add(host, WEB_METRIC_DECIDE, 1);
	host->decide(host, request, host->request_body(request), web_answer, request);
}
