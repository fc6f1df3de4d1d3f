/* A message of the host's, or a text of our own, goes to the gateway; what it answers goes back to the host. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/problem.h"
#include "sms.h"

/* A text on its way. */
struct sms_sending {
	struct sms_sending *next, **link;
	char id[COMMON_ID_BYTES + 1]; /* of the message; "": a text of our own */
	char to[SMS_NUMBER];
	unsigned segments;
	int64_t until_us;         /* then the host has given the attempt up, and is told nothing of it any more */
	struct sms_verdict verdict;
	char json[SMS_REASON + 64]; /* what the host is told of the number */
};

static void forget(struct sms_sending *s)
{
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	free(s);
}

void sms_sendings_finish(struct fw_plugin_instance *self)
{
	while (self->sendings)
		forget(self->sendings);
}

/* Messages wait for the mend of it, so somebody has to hear: often enough, and no more than that. */
static void complain(struct fw_plugin_instance *self, const struct sms_verdict *v)
{
	int64_t now_us = self->host->monotonic_us(self->host);
	if (self->loud_us && now_us - self->loud_us < SMS_LOUD_EACH_S * INT64_C(1000000))
		return;
	self->loud_us = now_us;
	sms_log(self->host, FW_PLUGIN_ERROR, "messages wait: %s; look at url, %s and %s in the configuration", v->reason,
		self->settings.gateway->user_key, self->settings.gateway->password_key);
}

/* Tells the host, and is done with it. */
static void settle(struct fw_plugin_instance *self, struct sms_sending *s)
{
	const struct fw_host *host = self->host;
	const struct sms_verdict *v = &s->verdict;
	if (v->outcome == FW_PLUGIN_ACCEPTED) {
		host->metric_add(host, s->id[0] ? SMS_METRIC_ACCEPTED : SMS_METRIC_REPLIES, 1);
		host->metric_add(host, SMS_METRIC_SEGMENTS, s->segments);
	}
	if (s->id[0] && v->outcome == FW_PLUGIN_FAILED)
		host->metric_add(host, SMS_METRIC_REFUSED, 1);
	if (v->loud)
		complain(self, v);
	if (!s->id[0] && v->outcome != FW_PLUGIN_ACCEPTED)
		sms_log(host, FW_PLUGIN_WARN, "an answer to a message was not sent: %s", v->reason);
	if (s->id[0] && host->monotonic_us(host) >= s->until_us)
		sms_log(host, FW_PLUGIN_WARN, "what became of a message was heard too late: %s", v->reason);
	else if (s->id[0] && v->outcome == FW_PLUGIN_RETRY && v->after_ms >= 0)
		host->deliver_retry(host, s->id, v->after_ms, v->reason);
	else if (s->id[0])
		host->deliver_result(host, s->id, v->outcome, v->reason[0] ? v->reason : NULL);
	forget(s);
}

/* Until the store has it, the message is not over: the gateway will say it again at the next attempt. */
static void on_suppressed(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json)
{
	struct sms_sending *s = data;
	(void)json;
	if (status != 200) {
		s->verdict.outcome = FW_PLUGIN_RETRY;
		s->verdict.after_ms = -1;
	} else if (strcmp(s->verdict.said_of, "bounced") != 0) {
		self->host->metric_add(self->host, SMS_METRIC_STOPS, 1);
	}
	settle(self, s);
}

static void suppress(struct fw_plugin_instance *self, struct sms_sending *s)
{
	int n = snprintf(s->json, sizeof s->json, "{\"reason\":\"%s\",\"source\":\"sms\"}", s->verdict.said_of);
	self->host->suppress(self->host, s->to, (struct fw_plugin_text){ s->json, (size_t)n }, on_suppressed, s);
}

static void on_bounced(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json)
{
	if (status == 404) /* not known outside of this delivery; the number is no better for it */
		suppress(self, data);
	else
		on_suppressed(self, data, status, json);
}

/* What the status alone says. Where it blames the address or the credentials, no message is lost for it. */
static void judge_status(const struct fw_plugin_http_answer *answer, struct sms_verdict *v)
{
	int status = answer->status;
	v->loud = (status >= 300 && status < 400) || status == 401 || status == 403 || status == 404 || status == 407;
	if (status >= 200 && status < 300)
		v->outcome = FW_PLUGIN_ACCEPTED;
	else
		v->outcome = v->loud || status < 300 || status == 408 || status == 429 || status >= 500 ? FW_PLUGIN_RETRY :
			FW_PLUGIN_FAILED;
	v->after_ms = answer->retry_after_ms;
}

static void on_answer(struct fw_plugin_instance *self, void *data, const struct fw_plugin_http_answer *answer)
{
	struct sms_sending *s = data;
	struct sms_verdict *v = &s->verdict;
	if (answer->status > 0) {
		judge_status(answer, v);
		if (v->outcome != FW_PLUGIN_ACCEPTED)
			self->settings.gateway->judge(answer, v);
	} else {
		v->outcome = FW_PLUGIN_RETRY;
		snprintf(v->reason, sizeof v->reason, "the gateway does not answer: %s",
			answer->problem ? answer->problem : "nothing is known");
	}
	if (!s->id[0] || !v->said_of) {
		settle(self, s);
	} else if (strcmp(v->said_of, "bounced") == 0) {
		int n = snprintf(s->json, sizeof s->json, "{\"reason\":\"%s\"}", v->reason);
		self->host->message_event(self->host, s->id, "bounced", (struct fw_plugin_text){ s->json, (size_t)n }, on_bounced, s);
	} else {
		suppress(self, s);
	}
}

/* Asks the gateway. `id` "": a text of our own. False: out of memory, or the host cannot ask. */
static bool hand_in(struct fw_plugin_instance *self, const char *id, const char *token, const char *to, const char *text,
	const struct sms_text *size, uint32_t timeout_ms, int64_t until_us)
{
	struct sms_ask *ask = malloc(sizeof *ask);
	struct sms_sending *s = calloc(1, sizeof *s);
	bool sent = false;
	if (ask && s && self->settings.gateway->ask(&self->settings, to, text, size, token, ask)) {
		snprintf(s->id, sizeof s->id, "%s", id);
		snprintf(s->to, sizeof s->to, "%s", to);
		s->segments = size->segments;
		s->verdict.after_ms = -1;
		s->until_us = until_us;
		ask->request.timeout_ms = timeout_ms;
		sent = self->host->http(self->host, &ask->request, on_answer, s) == 0;
	}
	if (sent) {
		s->next = self->sendings;
		s->link = &self->sendings;
		if (s->next)
			s->next->link = &s->next;
		self->sendings = s;
	} else {
		free(s);
	}
	free(ask);
	return sent;
}

void sms_reply(struct fw_plugin_instance *self, const char *to, const char *text)
{
	char encoded[SMS_TEXT_MOST];
	struct sms_text size;
	size_t n = strlen(text);
	if (n == 0 || n >= sizeof encoded || sms_encode(text, n, encoded, &size) < 0)
		return;
	if (!hand_in(self, "", NULL, to, encoded, &size, SMS_ANSWER_MS, 0))
		sms_log(self->host, FW_PLUGIN_WARN, "an answer to a message was not sent: out of memory");
}

int sms_prepare(const struct sms_settings *s, const struct fw_plugin_message *message, struct sms_prepared *ret,
	struct fw_plugin_problem *problem)
{
	const struct common_json_path path = { { "content", "text" } };
	char text[SMS_TEXT_MOST];
	struct sms_text *size = &ret->size;
	size_t n;
	if (!sms_number(message->to, strlen(message->to), false, ret->to))
		return common_refuse(problem, "", "the address is no telephone number");
	if (!common_json_get(message->json.p, message->json.n, path, text, sizeof text, &n) || n == 0)
		return common_refuse(problem, "", "content.text is missing, empty or longer than 8 KiB: what is sent is in it");
	if (sms_encode(text, n, ret->text, size) < 0 || size->segments == 0)
		return common_refuse(problem, "", "content.text has nothing that can be sent");
	if (size->segments <= s->max_segments)
		return 0;
	return common_refuse(problem,
		size->alphabet == SMS_UCS2 ? "a character beyond the GSM alphabet makes a segment 67 characters instead of 153" : "",
		"the text takes %u segments, and max_segments is %u", size->segments, s->max_segments);
}

static int put_off(struct fw_plugin_problem *problem, const char *why)
{
	common_refuse(problem, "", "%s", why);
	return FW_PLUGIN_RETRY;
}

int sms_deliver(struct fw_plugin_instance *self, const struct fw_plugin_message *message, struct fw_plugin_problem *problem)
{
	struct sms_prepared p;
	char token[COMMON_MARK_BYTES + 1];
	if (sms_prepare(&self->settings, message, &p, problem) < 0) {
		self->host->metric_add(self->host, SMS_METRIC_REFUSED, 1);
		return FW_PLUGIN_FAILED;
	}
	if (common_mark_make(&sms_report_token, self->host, message->id, token) < 0)
		return put_off(problem, "the store has not been heard of yet");
	/* The gateway's answer has to come while the host waits for it, so that it is not asked again meanwhile. */
	int64_t left_ms = (message->until_us - self->host->monotonic_us(self->host)) / 4000 * 3;
	if (left_ms < 1)
		return put_off(problem, "the time for the message is over");
	uint32_t timeout_ms = left_ms < SMS_ANSWER_MS ? (uint32_t)left_ms : SMS_ANSWER_MS;
	if (!hand_in(self, message->id, token, p.to, p.text, &p.size, timeout_ms, message->until_us))
		return put_off(problem, "out of memory");
	return FW_PLUGIN_PENDING;
}

int sms_preview(const struct fw_host *host, struct fw_plugin_text config, const struct fw_plugin_message *message,
	const struct fw_plugin_preview *preview, struct fw_plugin_problem *problem)
{
	struct sms_settings settings;
	struct sms_prepared p;
	char segments[16], units[16];
	if (sms_settings_read(host, config, &settings, problem) < 0 || sms_prepare(&settings, message, &p, problem) < 0)
		return -1;
	snprintf(segments, sizeof segments, "%u", p.size.segments);
	snprintf(units, sizeof units, "%u", p.size.units);
	if (preview->file(preview, "txt", (struct fw_plugin_text){ p.text, p.size.n }) < 0
		|| preview->note(preview, "alphabet", p.size.alphabet == SMS_GSM ? "GSM-7" : "UCS-2") < 0
		|| preview->note(preview, "characters", units) < 0 || preview->note(preview, "segments", segments) < 0)
		return common_refuse(problem, "", "out of memory");
	return 0;
}
