/* OFREP: OpenFeature's remote evaluation. A flag is a slot; its value is the content. */
#ifndef WEB_OFREP_H
#define WEB_OFREP_H

#include "text.h"
#include "web.h"

/* An evaluation that was asked for. */
struct web_evaluation {
	struct fw_plugin_request *request;
	struct fw_plugin_text flag;    /* p NULL: all of them */
	struct fw_plugin_text body;    /* {"context":{…}} */
	struct fw_plugin_text context; /* the body's, once it was read; p NULL: it has none */
	struct fw_plugin_text more;    /* further members of the decide request, each after its comma; p NULL: none */
};

/* The decide request that an evaluation's body stands for, in `ret_json`; reads its context. 0, or the error code of OFREP with
 * `ret_details`. */
const char *web_ofrep_ask(const struct fw_host *host, struct web_evaluation *e, struct fw_plugin_text *ret_json,
	const char **ret_details);

/* "eventStreams":[…] with the comma before it: where whoever asked for all flags hears that they are others than `tag` (as the engine has
 * it) says. Nothing where no address may tell his key, or where the context makes it too long. */
void web_ofrep_put_streams(const struct fw_host *host, const struct web_evaluation *e, struct fw_plugin_text tag, struct web_text *t);
/* The most that it takes. */
size_t web_ofrep_streams_room(const struct web_evaluation *e);

#endif
