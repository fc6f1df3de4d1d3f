/* GET /v1/visitors/{id}: what is known of a person, or a part of it. */
#include "web.h"

#include <string.h>

void web_visitors(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	static const char *const parts[] = { "timeline", "export", "merges", NULL };
	const struct fw_host *host = self->host;
	struct fw_plugin_text id = host->request_segment(request, 0), part = host->request_segment(request, 1);
	const char *const *what = parts;
	host->metric_add(host, WEB_METRIC_VISITORS, 1);
	while (part.p && *what && strcmp(part.p, *what) != 0)
		what++;
	if (!id.n || (part.p && !*what) || host->request_segment(request, 2).p) {
		host->error(request, 404, "not_found", "there is nothing here", NULL,
			"/v1/visitors/ID, and behind it /timeline, /export or /merges");
		return;
	}
	host->visitor_as(host, request, id.p, part.p ? *what : "show", (struct fw_plugin_text){ NULL, 0 }, web_answer, request);
}
