/* What becomes of a message after the gateway took it: reports come in any order, twice, to any worker of any node. The token in the
 * path says of which message; the host counts each name once, so nothing is kept here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/escape.h"
#include "sms.h"

void sms_fine(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	static const char nothing[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";
	if (self->settings.gateway == &sms_twilio)
		self->host->reply(request, 200, "text/xml", nothing, sizeof nothing - 1);
	else
		self->host->reply(request, 200, "text/plain", "", 0);
}

void sms_again(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	self->host->reply_header(request, "Retry-After", "1");
	self->host->error(request, 503, "unavailable", "this cannot be kept now", NULL, "say it again in a second");
}

static void not_found(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	self->host->error(request, 404, "not_found", "there is nothing here", NULL, NULL);
}

/* The message that the path names. False: the request has been answered. */
static bool read_token(struct fw_plugin_instance *self, struct fw_plugin_request *request, char id[COMMON_ID_BYTES + 1])
{
	struct fw_plugin_text token = self->host->request_segment(request, 0);
	int rc = COMMON_FORGED;
	if (token.p && !self->host->request_segment(request, 1).p)
		rc = common_mark_read(&sms_report_token, self->host, token.p, token.n, id);
	if (rc == COMMON_UNKNOWN_YET)
		sms_again(self, request);
	else if (rc < 0)
		not_found(self, request);
	else
		self->host->metric_add(self->host, SMS_METRIC_REPORTS, 1);
	return rc == COMMON_SIGNED;
}

/* A report in the making, in the request's memory. */
struct report {
	struct fw_plugin_request *request;
	const char *name;
	char id[COMMON_ID_BYTES + 1], number[SMS_NUMBER];
	char reason[SMS_REASON], json[SMS_REASON + 64], suppression[64];
};

static void on_event(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json)
{
	struct report *r = data;
	(void)json;
	if (status == 404) /* erased meanwhile, or so old that it is forgotten: nothing comes of asking again */
		sms_log(self->host, FW_PLUGIN_DEBUG, "a report of a message that nobody knows: %s", r->id);
	if (status == 200 || status == 404)
		sms_fine(self, r->request);
	else
		sms_again(self, r->request);
}

static void tell(struct fw_plugin_instance *self, struct report *r)
{
	int n = 0;
	if (r->reason[0])
		n = snprintf(r->json, sizeof r->json, "{\"reason\":\"%s\"}", r->reason);
	self->host->message_event(self->host, r->id, r->name, (struct fw_plugin_text){ n ? r->json : NULL, (size_t)n }, on_event, r);
}

static struct report *new_report(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	struct report *r = self->host->request_alloc(request, sizeof *r);
	if (r)
		*r = (struct report){ .request = request };
	else
		sms_again(self, request);
	return r;
}

void sms_report_kannel(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	char id[COMMON_ID_BYTES + 1];
	if (self->settings.gateway != &sms_kannel) {
		not_found(self, request);
		return;
	}
	if (!read_token(self, request, id))
		return;
	struct fw_plugin_text type = self->host->request_param(request, "type"), answer = self->host->request_param(request, "answer");
	const char *name = NULL;
	switch (type.n ? strtol(type.p, NULL, 10) : 0) {
	case 1: name = "delivered"; break;
	case 2: /* not delivered */
	case 16: name = "failed"; break; /* refused by the centre */
	case 4: name = "deferred"; break;
	default: break; /* 8: the centre has it, which is no news */
	}
	struct report *r = name ? new_report(self, request) : NULL;
	if (!name)
		sms_fine(self, request);
	if (!r)
		return;
	memcpy(r->id, id, sizeof id);
	r->name = name;
	if (strcmp(name, "delivered") != 0)
		common_json_plain(answer.p, answer.n, r->reason, sizeof r->reason);
	tell(self, r);
}

/* With and without the port that the scheme implies: what stands between us and Twilio may have added or dropped it. */
static bool is_signed(struct fw_plugin_instance *self, struct fw_plugin_request *request, const struct sms_form *form)
{
	char url[SMS_SETTING_MOST + 256], signature[32];
	struct fw_plugin_text path = self->host->request_path(request), sent = self->host->request_header(request, "X-Twilio-Signature");
	const char *callback = self->settings.callback, *host = strstr(callback, "://") + 3, *end = host + strcspn(host, "/");
	const char *implied = callback[4] == 's' ? ":443" : ":80";
	const char *bracket = memchr(host, ']', (size_t)(end - host)), *from = bracket ? bracket : host;
	const char *colon = memchr(from, ':', (size_t)(end - from));
	for (int other = 0; other < 2; other++) {
		int n = (int)((other && colon ? colon : end) - callback);
		int length = snprintf(url, sizeof url, "%.*s%s%s%.*s", n, callback, other && !colon ? implied : "", end,
			(int)path.n, path.p);
		if (length < 0 || (size_t)length >= sizeof url || sms_twilio_signature(self->settings.password, url, form, signature) < 0)
			return false;
		if (sent.n == strlen(signature) && CRYPTO_memcmp(sent.p, signature, sent.n) == 0)
			return true;
	}
	return false;
}

const struct sms_form *sms_signed_form(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	struct fw_plugin_text body = host->request_body(request);
	if (self->settings.gateway != &sms_twilio) {
		not_found(self, request);
		return NULL;
	}
	struct sms_form *form = host->request_alloc(request, sizeof *form);
	char *text = form ? host->request_alloc(request, body.n + 1) : NULL;
	if (!text) {
		sms_again(self, request);
		return NULL;
	}
	if (body.n)
		memcpy(text, body.p, body.n);
	if (!sms_form_parse(text, body.n, form)) {
		host->error(request, 400, "bad_request", "the body is no form", NULL, NULL);
		return NULL;
	}
	if (!is_signed(self, request, form)) {
		host->error(request, 403, "forbidden", "the signature is not that of what was sent", NULL,
			"callback in the configuration has to be the address that the gateway asks");
		return NULL;
	}
	return form;
}

static bool is_value(const struct sms_form *form, const char *name, const char *value)
{
	const struct sms_field *f = sms_form_get(form, name);
	return f && f->n_value == strlen(value) && memcmp(f->value, value, f->n_value) == 0;
}

static void on_suppressed(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json)
{
	struct report *r = data;
	(void)json;
	if (status != 200) {
		sms_again(self, r->request);
		return;
	}
	self->host->metric_add(self->host, SMS_METRIC_STOPS, 1);
	tell(self, r);
}

/* Not delivered: why, and whether the number is to be left alone from now on. */
static void tell_failed(struct fw_plugin_instance *self, struct report *r, const struct sms_form *form)
{
	const struct sms_field *code = sms_form_get(form, "ErrorCode"), *to = sms_form_get(form, "To");
	char plain[16] = "";
	if (code)
		common_json_plain(code->value, code->n_value, plain, sizeof plain);
	const char *said = sms_twilio_said_of((unsigned)strtoul(plain, NULL, 10));
	bool bounced = said && strcmp(said, "bounced") == 0;
	r->name = bounced ? "bounced" : "failed";
	if (plain[0])
		snprintf(r->reason, sizeof r->reason, "the gateway's code %s", plain);
	if (!said || bounced || !to || !sms_number(to->value, to->n_value, true, r->number)) {
		tell(self, r);
		return;
	}
	int n = snprintf(r->suppression, sizeof r->suppression, "{\"reason\":\"%s\",\"source\":\"sms\"}", said);
	self->host->suppress(self->host, r->number, (struct fw_plugin_text){ r->suppression, (size_t)n }, on_suppressed, r);
}

void sms_report_twilio(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	char id[COMMON_ID_BYTES + 1];
	const struct sms_form *form = sms_signed_form(self, request);
	if (!form || !read_token(self, request, id))
		return;
	bool delivered = is_value(form, "MessageStatus", "delivered");
	if (!delivered && !is_value(form, "MessageStatus", "undelivered") && !is_value(form, "MessageStatus", "failed")) {
		sms_fine(self, request); /* "queued", "sending", "sent": no news */
		return;
	}
	struct report *r = new_report(self, request);
	if (!r)
		return;
	memcpy(r->id, id, sizeof id);
	r->name = "delivered";
	if (delivered)
		tell(self, r);
	else
		tell_failed(self, r, form);
}
