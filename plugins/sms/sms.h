/* What the files of this plugin share. */
#ifndef SMS_H
#define SMS_H

#include <floorwalker/plugin.h>
#include <stdbool.h>

#include "common/mark.h"
#include "e164.h"
#include "encoding.h"
#include "form.h"

enum {
	SMS_TEXT_MOST = 8192,      /* bytes of a text; what max_segments allows is far less */
	SMS_SEGMENTS = 3,          /* of a text, unless the configuration says so, and … */
	SMS_SEGMENTS_MOST = 10,    /* what Twilio takes, and Kannel's max-messages as it comes */
	SMS_SETTING_MOST = 256,    /* bytes of a text of the configuration */
	SMS_SECRET_LEAST = 16,
	SMS_HEADERS_MOST = 16,     /* of what a gateway is asked, the NULL at the end included */
	SMS_REASON = 256,
	SMS_ANSWER_MS = 10000,     /* for the gateway, and no more than three quarters of what the host gives */
	SMS_INBOUND_ID = 128,      /* of the gateway's id of a message that came in, a terminator included */
	SMS_HELPS = 256,           /* numbers that are remembered to have asked for help */
	SMS_HELP_EACH_S = 60,      /* one answer a number in this time */
	SMS_HELPS_A_MINUTE = 60,   /* in a worker, whoever asks */
	SMS_LOUD_EACH_S = 60,      /* a gateway that does not let us in is told of so often, in a worker */
};

/* Numbers of sms.c's metrics. */
enum {
	SMS_METRIC_ACCEPTED,
	SMS_METRIC_SEGMENTS,
	SMS_METRIC_REFUSED,
	SMS_METRIC_REPORTS,
	SMS_METRIC_STOPS,
	SMS_METRIC_PHRASES,
	SMS_METRIC_STARTS,
	SMS_METRIC_HELPS,
	SMS_METRIC_REPLIES,
};

struct sms_gateway;

/* The configuration, checked. Texts live as long as the process. */
struct sms_settings {
	const struct sms_gateway *gateway;
	const char *user, *password; /* Twilio's account and token */
	const char *from;
	const char *smsc;            /* or NULL */
	const char *secret;          /* of what comes in from Kannel, or NULL */
	char address[3 * SMS_SETTING_MOST]; /* where texts are handed in */
	char callback[SMS_SETTING_MOST];    /* where reports come to, without a slash at its end */
	unsigned max_segments;
	char help[4 * SMS_SETTING_MOST], stop[4 * SMS_SETTING_MOST], start[4 * SMS_SETTING_MOST]; /* "": nothing is sent */
};

struct sms_sending;

/* The plugin's instance in a worker. */
struct fw_plugin_instance {
	const struct fw_host *host;
	struct sms_settings settings;
	struct sms_sending *sendings;  /* on their way to the gateway */
	int64_t loud_us;               /* when it was last said that the gateway does not let us in; 0: never */
	struct {
		uint64_t number;
		int64_t at_us;
	} helps[SMS_HELPS];
	int64_t helps_minute;
	unsigned n_helps;
};

/* A text for the gateway: what it is asked, in memory of the caller's. */
struct sms_ask {
	struct fw_plugin_http_request request;
	const char *headers[SMS_HEADERS_MOST];
	char head[8 * SMS_SETTING_MOST]; /* what the headers point into */
	char body[4 * SMS_TEXT_MOST];
};

/* What the gateway's answer means. */
struct sms_verdict {
	int outcome;               /* enum fw_plugin_outcome */
	int64_t after_ms;          /* with RETRY: when at the earliest; -1: it is not said */
	bool loud;                 /* what is wrong is the configuration's, or the gateway's with us */
	const char *said_of;       /* "bounced": the number is no good; "stop", "blocked": its holder wants nothing; NULL: neither */
	char reason[SMS_REASON];
};

/* A kind of gateway. */
struct sms_gateway {
	const char *name;
	const char *user_key, *password_key; /* in the configuration */
	/* `token` is that of reports, NULL: none are wanted. False: it does not fit. */
	bool (*ask)(const struct sms_settings *s, const char *to, const char *text, const struct sms_text *size, const char *token,
		struct sms_ask *ret);
	/* What an answer other than 2xx means beyond its status, and the reason in words. */
	void (*judge)(const struct fw_plugin_http_answer *answer, struct sms_verdict *verdict);
};

extern const struct sms_gateway sms_kannel, sms_twilio;

/* Reads the configuration and checks it. 0, or -1 with the problem filled. */
int sms_settings_read(const struct fw_host *host, struct fw_plugin_text config, struct sms_settings *ret,
	struct fw_plugin_problem *problem);

/* The part of a report's path that says of which message it is. */
extern const struct common_mark sms_report_token;

/* What Twilio's code means for a number: as said_of of a verdict. */
const char *sms_twilio_said_of(unsigned code);
/* The value of X-Twilio-Signature: base64 of HMAC-SHA1 under the token, over the address and the fields, sorted, each name with its value.
 * `url` is the address as Twilio was told it. 0; -1: out of memory. */
int sms_twilio_signature(const char *token, const char *url, const struct sms_form *form, char ret[32]);

/* A message as it is sent. */
struct sms_prepared {
	char to[SMS_NUMBER], text[SMS_TEXT_MOST];
	struct sms_text size;
};
/* 0; -1 with why it can never be sent. */
int sms_prepare(const struct sms_settings *s, const struct fw_plugin_message *message, struct sms_prepared *ret,
	struct fw_plugin_problem *problem);
/* `deliver` and `preview` of the descriptor. */
int sms_preview(const struct fw_host *host, struct fw_plugin_text config, const struct fw_plugin_message *message,
	const struct fw_plugin_preview *preview, struct fw_plugin_problem *problem);
int sms_deliver(struct fw_plugin_instance *self, const struct fw_plugin_message *message, struct fw_plugin_problem *problem);
/* Sends a text of the plugin's own, once; what becomes of it is heard by nobody. "" is not sent. */
void sms_reply(struct fw_plugin_instance *self, const char *to, const char *text);
/* Frees what is on its way, when the worker ends. */
void sms_sendings_finish(struct fw_plugin_instance *self);

/* GET /sms/report/kannel/TOKEN */
void sms_report_kannel(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* POST /sms/report/twilio/TOKEN */
void sms_report_twilio(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* GET /sms/in/kannel */
void sms_in_kannel(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* POST /sms/in/twilio */
void sms_in_twilio(struct fw_plugin_instance *self, struct fw_plugin_request *request);

/* The form of a request that Twilio signed, in the request's memory. NULL: it has been answered. */
const struct sms_form *sms_signed_form(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* What the gateway wants to hear when all is well: 200 and an empty text, as Kannel asks again after a 204; Twilio's empty document. */
void sms_fine(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* 503: say it again. */
void sms_again(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* A line in the log. */
void sms_log(const struct fw_host *host, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
