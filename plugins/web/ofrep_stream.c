/* GET /ofrep/v1/stream: whoever has asked for all flags hears when they are to be asked for again. Its address stands in their answer; a
 * browser's EventSource can send nothing but an address, so the write key, the context and what is shown are in it. */
#include "ofrep.h"

#include <string.h>

#include "common/escape.h"
#include "json.h"

enum { CONTEXT_MOST = 4096, KEY_MOST = 256, TAG_MOST = 300, AROUND = 256 };

/* Whether an address has room for the context as it was given. */
static int fits(const struct web_evaluation *e)
{
	return e->context.p && e->context.n <= CONTEXT_MOST;
}

size_t web_ofrep_streams_room(const struct web_evaluation *e)
{
	return WEB_PERCENT_BYTES * ((fits(e) ? e->context.n : 0) + KEY_MOST) + TAG_MOST + AROUND;
}

void web_ofrep_put_streams(const struct fw_host *host, const struct web_evaluation *e, struct fw_plugin_text tag, struct web_text *t)
{
	struct fw_plugin_text key = host->request_own_key(e->request);
	if (!fits(e) || tag.n < 2 || key.n > KEY_MOST || (key.n && host->request_access(e->request) == FW_PLUGIN_ACCESS_SECRET))
		return;
	size_t from = t->n;
	web_puts(t, ",\"eventStreams\":[{\"type\":\"sse\",\"endpoint\":{\"requestUri\":\"");
	size_t address = t->n;
	web_puts(t, "/ofrep/v1/stream?");
	if (key.n) {
		web_puts(t, "writeKey=");
		web_put_percent(t, key);
		web_puts(t, "&");
	}
	web_puts(t, "context=");
	web_put_percent(t, e->context);
	web_puts(t, "&shown=");
	web_put_percent(t, (struct fw_plugin_text){ tag.p + 1, tag.n - 2 });
	if (!t->failed && t->n - address > CONTEXT_MOST) {
		t->n = from;
		return;
	}
	web_puts(t, "\"},\"inactivityDelaySec\":120}]");
}

/* The body of the evaluation that the stream is about. */
static int make_body(const struct fw_host *host, struct web_evaluation *e)
{
	static const char notice[] = ",\"notice\":\"{\\\"type\\\":\\\"refetchEvaluation\\\"}\"";
	struct fw_plugin_text context = host->request_param(e->request, "context"), shown = host->request_param(e->request, "shown");
	struct web_text t = web_text_in(host, e->request, context.n + AROUND);
	struct web_text more = web_text_in(host, e->request, COMMON_ESCAPED_BYTES * shown.n + AROUND);
	web_puts(&t, "{\"context\":");
	web_put(&t, context.p ? context : (struct fw_plugin_text){ "{}", 2 });
	web_puts(&t, "}");
	web_puts(&more, notice);
	if (shown.n) {
		web_puts(&more, ",\"shown\":");
		web_put_string(&more, shown);
	}
	e->body = (struct fw_plugin_text){ t.p, t.n };
	e->more = (struct fw_plugin_text){ more.p, more.n };
	return t.failed || more.failed ? -1 : 0;
}

void web_ofrep_stream(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	struct web_evaluation e = { .request = request };
	struct fw_plugin_text json;
	const char *details = NULL, *code;
	host->metric_add(host, WEB_METRIC_STREAM, 1);
	if (make_body(host, &e) < 0 || ((code = web_ofrep_ask(host, &e, &json, &details)) && strcmp(code, "GENERAL") == 0))
		host->error(request, 413, "too_large", "the request takes more memory than one may", NULL, NULL);
	else if (code)
		host->error(request, 400, "bad_request", details, "context", "take the address from the answer for all flags");
	else
		host->stream(host, request, json);
}
