#include "web.h"

void web_rules(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	host->metric_add(host, WEB_METRIC_RULES, 1);
	host->rules_info(host, web_answer, request);
}
