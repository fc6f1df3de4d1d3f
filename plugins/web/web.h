/* What the files of this plugin share: one file a resource, each with its handlers. */
#ifndef WEB_H
#define WEB_H

#include <floorwalker/plugin.h>

/* The plugin's instance in a worker. */
struct fw_plugin_instance {
	const struct fw_host *host;
};

/* Numbers of web.c's metrics. */
enum {
	WEB_METRIC_DECIDE,
	WEB_METRIC_EXPLAIN,
	WEB_METRIC_RULES,
	WEB_METRIC_TRACK,
	WEB_METRIC_SETTINGS,
	WEB_METRIC_VISITORS,
	WEB_METRIC_CONSENT,
	WEB_METRIC_RIGHTS,
	WEB_METRIC_PAGE,
	WEB_METRIC_OFREP,
	WEB_METRIC_STREAM,
};

/* Says when to come again, where it is worth it. */
void web_say_again(const struct fw_host *host, struct fw_plugin_request *request, int status);
/* Answers with what the engine said, and when to come again: the completion of every resource; `data` is the request. */
void web_answer(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json);

/* Whether a request's If-None-Match names the tag, quotes included. */
int web_tag_matches(struct fw_plugin_text wanted, const char *tag);

/* GET /fw.js, /fw.js.map, /fw.d.ts */
void web_page(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* POST /v1/decide */
void web_decide(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* POST /ofrep/v1/evaluate/flags/{key}, and of all flags */
void web_ofrep_flag(struct fw_plugin_instance *self, struct fw_plugin_request *request);
void web_ofrep_flags(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* GET /ofrep/v1/stream */
void web_ofrep_stream(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* GET and POST /v1/stream */
void web_stream(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* POST /v1/explain */
void web_explain(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* GET /v1/rules */
void web_rules(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* POST /v1/track, identify, page, screen, group, alias, batch; /v1/t, i, p, s, g, a, b */
void web_track(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* GET /v1/projects/{key}/settings */
void web_settings(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* GET /v1/visitors/{id}, and its timeline, export, merges */
void web_visitors(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* POST /v1/visitors/{id}/consent, unmerge, restriction */
void web_tell_visitor(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* DELETE /v1/visitors/{id} */
void web_erase(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* GET /v1/erasures/{id} */
void web_receipt(struct fw_plugin_instance *self, struct fw_plugin_request *request);

#endif
