/* Twilio's Messages resource, and whatever speaks as it does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/escape.h"
#include "common/json.h"
#include "sms.h"

/* Error codes of Twilio's that mean something for the number, or for the attempt. */
enum {
	NO_NUMBER = 21211,
	STOPPED = 21610,
	NOT_MOBILE = 21614,
	BLOCKED = 30004,
	UNKNOWN_HANDSET = 30005,
	LANDLINE = 30006,
	TOO_MANY = 20429,
	NOT_LET_IN = 20003,
};

const char *sms_twilio_said_of(unsigned code)
{
	switch (code) {
	case STOPPED: return "stop";
	case BLOCKED: return "blocked";
	case NO_NUMBER:
	case NOT_MOBILE:
	case UNKNOWN_HANDSET:
	case LANDLINE: return "bounced";
	default: return NULL;
	}
}

static bool ask(const struct sms_settings *s, const char *to, const char *text, const struct sms_text *size, const char *token,
	struct sms_ask *ret)
{
	struct sms_out body = sms_out(ret->body, sizeof ret->body);
	bool service = strncmp(s->from, "MG", 2) == 0 && strlen(s->from) == 34;
	char report[2 * SMS_SETTING_MOST];
	sms_put_field(&body, "To", to, strlen(to));
	sms_put_field(&body, service ? "MessagingServiceSid" : "From", s->from, strlen(s->from));
	sms_put_field(&body, "Body", text, size->n);
	if (token) {
		int n = snprintf(report, sizeof report, "%s/sms/report/twilio/%s", s->callback, token);
		sms_put_field(&body, "StatusCallback", report, (size_t)n);
	}
	ret->headers[0] = "Content-Type: application/x-www-form-urlencoded";
	ret->headers[1] = NULL;
	ret->request = (struct fw_plugin_http_request){ .struct_size = sizeof ret->request, .method = "POST", .url = s->address,
		.headers = ret->headers, .body = { body.p, body.n }, .user = s->user, .password = s->password };
	return !body.full;
}

static void judge(const struct fw_plugin_http_answer *answer, struct sms_verdict *v)
{
	const struct common_json_path code_path = { { "code" } }, message_path = { { "message" } };
	char text[16] = "", message[512], said[SMS_REASON - 64];
	size_t n = 0;
	common_json_get(answer->body.p, answer->body.n, code_path, text, sizeof text, &n);
	unsigned code = (unsigned)strtoul(text, NULL, 10);
	if (!common_json_get(answer->body.p, answer->body.n, message_path, message, sizeof message, &n))
		n = 0;
	common_json_plain(message, n, said, sizeof said);
	if (code == TOO_MANY || code == NOT_LET_IN)
		v->outcome = FW_PLUGIN_RETRY;
	v->loud = v->loud || code == NOT_LET_IN;
	if (v->outcome == FW_PLUGIN_FAILED)
		v->said_of = sms_twilio_said_of(code);
	snprintf(v->reason, sizeof v->reason, "the gateway answered %d, code %u: %s", answer->status, code, said);
}

const struct sms_gateway sms_twilio = { "twilio", "account", "token", ask, judge };
