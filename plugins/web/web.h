/* What the files of this plugin share: one file a resource, each with its handlers. */
#ifndef WEB_H
#define WEB_H

#include <floorwalker/plugin.h>

/* The plugin's instance in a worker. */
struct fw_plugin_instance {
	const struct fw_host *host;
};

/* Numbers of web.c's metrics. */
enum { WEB_METRIC_DECIDE, WEB_METRIC_EXPLAIN, WEB_METRIC_RULES };

/* Answers with what the engine said: the completion of every resource; `data` is the request. */
void web_answer(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json);

/* POST /v1/decide */
void web_decide(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* POST /v1/explain */
void web_explain(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* GET /v1/rules */
void web_rules(struct fw_plugin_instance *self, struct fw_plugin_request *request);

#endif
