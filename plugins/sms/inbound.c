/* What people answer: STOP, START and HELP. The gateway is answered when the store has it, so that it says it again otherwise. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "common/escape.h"
#include "common/json.h"
#include "keywords.h"
#include "sms.h"

/* A message that came in, in the request's memory. */
struct inbound {
	struct fw_plugin_request *request;
	enum sms_word word;
	bool silent; /* the gateway has answered the person itself */
	struct fw_plugin_text id; /* the gateway's; n 0: it has none. The same when it says the message again */
	char number[SMS_NUMBER];
};

static void on_kept(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json)
{
	const struct common_json_path path = { { "changed" } };
	struct inbound *in = data;
	char changed[8] = "";
	size_t n;
	bool starts = in->word == SMS_WORD_START;
	if (status != 200) {
		sms_again(self, in->request);
		return;
	}
	self->host->metric_add(self->host, starts ? SMS_METRIC_STARTS : SMS_METRIC_STOPS, 1);
	if (in->word == SMS_WORD_PHRASE) {
		self->host->metric_add(self->host, SMS_METRIC_PHRASES, 1);
		sms_log(self->host, FW_PLUGIN_WARN,
			"a message in other words than a keyword was taken for an opt-out, from the number that ends in %s",
			in->number + strlen(in->number) - 2);
	}
	/* Once: a person who says it again, or a gateway that does, hears nothing. */
	if (!in->silent && common_json_get(json.p, json.n, path, changed, sizeof changed, &n) && strcmp(changed, "true") == 0)
		sms_reply(self, in->number, starts ? self->settings.start : self->settings.stop);
	sms_fine(self, in->request);
}

static uint64_t hash(const char *text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return h;
}

/* Two machines that answer each other would never end. */
static bool may_help(struct fw_plugin_instance *self, const char *number)
{
	int64_t now_us = self->host->monotonic_us(self->host), minute = now_us / 60000000;
	uint64_t h = hash(number);
	unsigned i = (unsigned)(h % SMS_HELPS);
	if (minute != self->helps_minute) {
		self->helps_minute = minute;
		self->n_helps = 0;
	}
	if (self->helps[i].number == h && now_us - self->helps[i].at_us < SMS_HELP_EACH_S * INT64_C(1000000))
		return false;
	if (self->n_helps >= SMS_HELPS_A_MINUTE)
		return false;
	self->helps[i].number = h;
	self->helps[i].at_us = now_us;
	self->n_helps++;
	return true;
}

/* What the host is to keep of the number; p NULL: no memory. */
static struct fw_plugin_text said(struct fw_plugin_instance *self, const struct inbound *in)
{
	static const char form[] = "{\"reason\":\"%s\",\"source\":\"%s\",\"lift\":%s,\"id\":\"%s\"}";
	bool starts = in->word == SMS_WORD_START;
	enum { ROOM = sizeof form + SMS_INBOUND_ID + 40 };
	char id[SMS_INBOUND_ID], *json = self->host->request_alloc(in->request, ROOM);
	if (!json)
		return (struct fw_plugin_text){ NULL, 0 };
	common_json_plain(in->id.p, in->id.n, id, sizeof id);
	int n = snprintf(json, ROOM, form, starts ? "start" : "stop", in->word == SMS_WORD_PHRASE ? "sms: other words" : "sms",
		starts ? "true" : "false", id);
	return (struct fw_plugin_text){ json, (size_t)n };
}

static void obey(struct fw_plugin_instance *self, struct inbound *in)
{
	if (in->word == SMS_WORD_HELP) {
		self->host->metric_add(self->host, SMS_METRIC_HELPS, 1);
		if (!in->silent && may_help(self, in->number))
			sms_reply(self, in->number, self->settings.help);
		sms_fine(self, in->request);
		return;
	}
	struct fw_plugin_text json = said(self, in);
	if (json.p)
		self->host->suppress(self->host, in->number, json, on_kept, in);
	else
		sms_again(self, in->request);
}

/* What the gateway told of a message that came in. */
struct told {
	struct fw_plugin_text from, id;
	enum sms_word word;
	bool silent;
};

static void take(struct fw_plugin_instance *self, struct fw_plugin_request *request, const struct told *told)
{
	char number[SMS_NUMBER];
	bool known = told->from.n && sms_number(told->from.p, told->from.n, true, number);
	if (told->word == SMS_WORD_NONE || !known) {
		if (told->word != SMS_WORD_NONE)
			sms_log(self->host, FW_PLUGIN_WARN,
				"a STOP, START or HELP is lost: its sender is no number with its country's code");
		sms_fine(self, request);
		return;
	}
	struct inbound *in = self->host->request_alloc(request, sizeof *in);
	if (!in) {
		sms_again(self, request);
		return;
	}
	*in = (struct inbound){ .request = request, .word = told->word, .silent = told->silent, .id = told->id };
	memcpy(in->number, number, sizeof number);
	obey(self, in);
}

/* The configured secret; without one, loopback or a secret key. */
static bool may_tell(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const char *secret = self->settings.secret;
	if (!secret) {
		int access = self->host->request_access(request);
		return access == FW_PLUGIN_ACCESS_SECRET || access == FW_PLUGIN_ACCESS_LOOPBACK;
	}
	struct fw_plugin_text told = self->host->request_param(request, "secret");
	return told.n == strlen(secret) && CRYPTO_memcmp(told.p, secret, told.n) == 0;
}

void sms_in_kannel(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	if (self->settings.gateway != &sms_kannel) {
		host->error(request, 404, "not_found", "there is nothing here", NULL, NULL);
		return;
	}
	if (!may_tell(self, request)) {
		host->error(request, 403, "forbidden", "this is for the gateway", NULL,
			"secret in the configuration, and in get-url: ?secret=…");
		return;
	}
	struct fw_plugin_text text = host->request_param(request, "text"), coding = host->request_param(request, "coding");
	if (coding.n && coding.p[0] != '0') {
		sms_log(host, FW_PLUGIN_WARN,
			"a message came in that is not UTF-8, and was not read: set mo-recode = true in Kannel's smsbox");
		text.n = 0;
	}
	take(self, request, &(struct told){ host->request_param(request, "from"), host->request_param(request, "id"),
		text.n ? sms_word_of(text.p, text.n) : SMS_WORD_NONE, false });
}

void sms_in_twilio(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	static const struct {
		const char *type;
		enum sms_word word;
	} types[] = { { "STOP", SMS_WORD_STOP }, { "START", SMS_WORD_START }, { "HELP", SMS_WORD_HELP } };
	const struct sms_form *form = sms_signed_form(self, request);
	if (!form)
		return;
	const struct sms_field *from = sms_form_get(form, "From"), *body = sms_form_get(form, "Body");
	const struct sms_field *type = sms_form_get(form, "OptOutType"), *id = sms_form_get(form, "MessageSid");
	enum sms_word word = body ? sms_word_of(body->value, body->n_value) : SMS_WORD_NONE;
	bool silent = false;
	for (unsigned i = 0; type && i < sizeof types / sizeof *types; i++)
		if (strcmp(type->value, types[i].type) == 0) {
			word = types[i].word;
			silent = true;
		}
	take(self, request, &(struct told){ { from ? from->value : NULL, from ? from->n_value : 0 },
		{ id ? id->value : NULL, id ? id->n_value : 0 }, word, silent });
}
