/* Kannel's sendsms (Kannel 1.4.5 User's Guide, "HTTP interface to the SMS box"): the text as a POST of text/plain and all else in
 * headers, so that no password stands in a log. */
#include <stdio.h>
#include <string.h>

#include "common/escape.h"
#include "sms.h"

/* One header more, in the ask's own memory; the last place is the end's. */
static void add(struct sms_ask *ask, struct sms_out *head, unsigned *n, const char *name, const char *value)
{
	if (*n + 1 >= SMS_HEADERS_MOST) {
		head->full = true;
		return;
	}
	ask->headers[(*n)++] = head->p + head->n;
	sms_put(head, name);
	sms_put(head, ": ");
	sms_put(head, value);
	sms_put_n(head, "", 1);
}

static bool ask(const struct sms_settings *s, const char *to, const char *text, const struct sms_text *size, const char *token,
	struct sms_ask *ret)
{
	struct sms_out head = sms_out(ret->head, sizeof ret->head), body = sms_out(ret->body, sizeof ret->body);
	char report[2 * SMS_SETTING_MOST];
	unsigned n = 0;
	add(ret, &head, &n, "Content-Type", "text/plain; charset=UTF-8");
	add(ret, &head, &n, "X-Kannel-Username", s->user);
	add(ret, &head, &n, "X-Kannel-Password", s->password);
	add(ret, &head, &n, "X-Kannel-From", s->from);
	add(ret, &head, &n, "X-Kannel-To", to);
	add(ret, &head, &n, "X-Kannel-Coding", size->alphabet == SMS_UCS2 ? "2" : "0");
	if (s->smsc)
		add(ret, &head, &n, "X-Kannel-SMSC", s->smsc);
	if (token) { /* of every kind: 1 delivered, 2 not, 4 waits, 8 and 16 what the centre said */
		snprintf(report, sizeof report, "%s/sms/report/kannel/%s?type=%%d&answer=%%A", s->callback, token);
		add(ret, &head, &n, "X-Kannel-DLR-Mask", "31");
		add(ret, &head, &n, "X-Kannel-DLR-Url", report);
	}
	ret->headers[n] = NULL;
	sms_put_n(&body, text, size->n);
	ret->request = (struct fw_plugin_http_request){ .struct_size = sizeof ret->request, .method = "POST", .url = s->address,
		.headers = ret->headers, .body = { body.p, body.n } };
	return !head.full && !body.full;
}

static void judge(const struct fw_plugin_http_answer *answer, struct sms_verdict *v)
{
	char said[128];
	common_json_plain(answer->body.p, answer->body.n, said, sizeof said);
	snprintf(v->reason, sizeof v->reason, "the gateway answered %d: %s", answer->status, said);
}

const struct sms_gateway sms_kannel = { "kannel", "username", "password", ask, judge };
