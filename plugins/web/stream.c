/* GET and POST /v1/stream: a page's slots as the session changes them. */
#include "web.h"

#include <string.h>

#include "common/escape.h"
#include "json.h"
#include "text.h"

static void put_text(struct web_text *t, const char *name, struct fw_plugin_text v)
{
	if (!v.p)
		return;
	web_puts(t, ",\"");
	web_puts(t, name);
	web_puts(t, "\":");
	web_put_string(t, v);
}

/* "a,b" as a list of texts; without a part there is none. */
static void put_list(struct web_text *t, const char *name, struct fw_plugin_text v)
{
	if (!v.p)
		return;
	web_puts(t, ",\"");
	web_puts(t, name);
	web_puts(t, "\":[");
	for (size_t at = 0, n = 0; at < v.n; at++) {
		const char *comma = memchr(v.p + at, ',', v.n - at);
		size_t end = comma ? (size_t)(comma - v.p) : v.n;
		if (end > at) {
			web_puts(t, n++ ? "," : "");
			web_put_string(t, (struct fw_plugin_text){ v.p + at, end - at });
		}
		at = end;
	}
	web_puts(t, "]");
}

/* A decide request of an address: EventSource can send nothing else. */
static void ask(const struct fw_host *host, struct fw_plugin_request *request)
{
	static const char *const texts[] = { "anonymousId", "userId", "userHash" }, *const lists[] = { "slots", "shown" };
	enum { TEXTS = sizeof texts / sizeof *texts, LISTS = sizeof lists / sizeof *lists, AROUND = 256, AROUND_ITEM = 3 };
	struct fw_plugin_text context = host->request_param(request, "context"), whole = { NULL, 0 };
	size_t room = AROUND + context.n;
	for (size_t i = 0; i < TEXTS; i++)
		room += COMMON_ESCAPED_BYTES * host->request_param(request, texts[i]).n;
	for (size_t i = 0; i < LISTS; i++)
		room += (COMMON_ESCAPED_BYTES + AROUND_ITEM) * host->request_param(request, lists[i]).n;
	if (context.p && !(whole = web_json_whole(context)).p) {
		host->error(request, 400, "bad_json", "context is no JSON", "context", "as in /v1/decide, percent-encoded");
		return;
	}
	struct web_text t = web_text_in(host, request, room);
	web_puts(&t, "{\"context\":");
	web_put(&t, whole.p ? whole : (struct fw_plugin_text){ "{}", 2 });
	for (size_t i = 0; i < TEXTS; i++)
		put_text(&t, texts[i], host->request_param(request, texts[i]));
	for (size_t i = 0; i < LISTS; i++)
		put_list(&t, lists[i], host->request_param(request, lists[i]));
	web_puts(&t, "}");
	if (t.failed)
		host->error(request, 413, "too_large", "the request takes more memory than one may", NULL, NULL);
	else
		host->stream(host, request, (struct fw_plugin_text){ t.p, t.n });
}

void web_stream(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	host->metric_add(host, WEB_METRIC_STREAM, 1);
	if (host->request_method(request) == FW_PLUGIN_POST)
		host->stream(host, request, host->request_body(request));
	else
		ask(host, request);
}
