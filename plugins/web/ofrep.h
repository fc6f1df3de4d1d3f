/* OFREP: OpenFeature's remote evaluation. A flag is a slot; its value is the content. */
#ifndef WEB_OFREP_H
#define WEB_OFREP_H

#include "web.h"

/* A piece of memory of the request's that text is put together in. `failed`: there was not enough. */
struct web_text {
	char *p;
	size_t n, room;
	int failed;
};

struct web_text web_text_in(const struct fw_host *host, struct fw_plugin_request *request, size_t room);
void web_put(struct web_text *t, struct fw_plugin_text piece);
void web_puts(struct web_text *t, const char *piece);
/* A text as a JSON string, quotes included. */
void web_put_string(struct web_text *t, struct fw_plugin_text bytes);

/* An evaluation that was asked for. */
struct web_evaluation {
	struct fw_plugin_request *request;
	struct fw_plugin_text flag;  /* p NULL: all of them */
};

/* The decide request that an evaluation's body stands for, in `ret_json`. 0, or the error code of OFREP with `ret_details`. */
const char *web_ofrep_ask(const struct fw_host *host, const struct web_evaluation *e, struct fw_plugin_text *ret_json,
	const char **ret_details);

#endif
