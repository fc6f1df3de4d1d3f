/* POST /email/bounces: a message that came back, as the mail server hands it over. */
#include "email.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of(enum email_verdict verdict)
{
	switch (verdict) {
	case EMAIL_DELIVERED: return "delivered";
	case EMAIL_DEFERRED: return "deferred";
	case EMAIL_FAILED: return "failed";
	case EMAIL_BOUNCED: return "bounced";
	case EMAIL_COMPLAINED: return "complained";
	case EMAIL_NOTHING: break;
	}
	return NULL;
}

/* The report that is being told of. */
struct asked {
	struct fw_plugin_request *request;
	struct email_bounce bounce;
};

static void add_member(struct email_text *t, const char *name, const char *value)
{
	if (!value[0])
		return;
	email_add_text(t, t->n > 1 ? ",\"" : "\"");
	email_add_text(t, name);
	email_add_text(t, "\":");
	email_add_json(t, value, strlen(value));
}

static void reply_json(struct fw_plugin_instance *self, struct fw_plugin_request *request, struct email_text *json)
{
	if (json->failed)
		self->host->error(request, 503, "unavailable", "out of memory", NULL, NULL);
	else
		self->host->reply(request, 200, "application/json", json->p, json->n);
	email_text_free(json);
}

static void reply_later(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	self->host->reply_header(request, "Retry-After", "5");
	self->host->error(request, 503, "unavailable", "the report cannot be stored now", NULL, "send it again");
}

static void on_told(struct fw_plugin_instance *self, void *data, const char *id, int status)
{
	struct asked *a = data;
	struct email_text json = { 0 };
	if (status == 0)
		return;
	if (status == 503) {
		reply_later(self, a->request);
		return;
	}
	email_add_text(&json, "{");
	add_member(&json, "message", id);
	add_member(&json, "event", name_of(a->bounce.verdict));
	add_member(&json, "status", a->bounce.status);
	add_member(&json, "recipient", a->bounce.recipient);
	add_member(&json, "reason", a->bounce.reason);
	email_add_text(&json, status == 200 ? ",\"understood\":true,\"known\":true}" : ",\"understood\":true,\"known\":false}");
	reply_json(self, a->request, &json);
}

/* The message that it is about, by the first tag that was signed. */
static int find_message(struct fw_plugin_instance *self, const struct email_bounce *b, char ret_id[COMMON_ID_BYTES + 1])
{
	for (size_t i = 0; i < b->n_tags; i++) {
		int rc = email_tag_read(self->host, b->tags[i], ret_id);
		if (rc != COMMON_FORGED)
			return rc;
	}
	return COMMON_FORGED;
}

static void reply_not_understood(struct fw_plugin_instance *self, struct fw_plugin_request *request, const struct email_bounce *b)
{
	struct email_text json = { 0 };
	email_add_text(&json, "{");
	add_member(&json, "reason", b->verdict == EMAIL_NOTHING ? "this reports no delivery that failed and no complaint"
		: "it cannot be told which message this is about");
	email_add_text(&json, ",\"understood\":false}");
	reply_json(self, request, &json);
}

void email_report(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	struct fw_plugin_text body = host->request_body(request);
	struct asked *a = host->request_alloc(request, sizeof *a);
	struct email_text json = { 0 };
	char id[COMMON_ID_BYTES + 1];
	host->metric_add(host, EMAIL_METRIC_REPORTS, 1);
	if (!a) {
		reply_later(self, request);
		return;
	}
	a->request = request;
	email_bounce_read(body.p ? body.p : "", body.n, &a->bounce);
	int rc = a->bounce.verdict == EMAIL_NOTHING ? COMMON_FORGED : find_message(self, &a->bounce, id);
	if (rc == COMMON_FORGED) {
		reply_not_understood(self, request, &a->bounce);
		return;
	}
	email_add_text(&json, "{");
	add_member(&json, "status", a->bounce.status);
	add_member(&json, "reason", a->bounce.reason);
	email_add_text(&json, "}");
	if (rc == COMMON_UNKNOWN_YET || email_tell(self, id, name_of(a->bounce.verdict), &json, 1, on_told, a) < 0)
		reply_later(self, request);
	email_text_free(&json);
}
