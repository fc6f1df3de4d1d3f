/* What the files of this plugin share: the instance, its metrics, and how the host is told of what was heard. */
#ifndef EMAIL_H
#define EMAIL_H

#include <floorwalker/plugin.h>

#include "config.h"
#include "smtp.h"

enum {
	EMAIL_TELL_TRIES = 6,     /* of an event that the store does not take */
	EMAIL_TELL_MS = 500,      /* before the second try; then twice as long each time */
	EMAIL_TELLING = 10000,    /* events on their way in a worker; above it they are dropped, and counted */
	EMAIL_MACHINE_S = 5,      /* who reads a message within this time of its sending is no person */
};

struct email_telling;

struct fw_plugin_instance {
	const struct fw_host *host;
	struct email_config config;
	struct email_smtp *smtp;
	struct email_telling *telling;
	unsigned n_telling;
	int draining;
	char policy[256]; /* the pages' Content-Security-Policy */
};

/* Numbers of email.c's metrics. */
enum {
	EMAIL_METRIC_SENT,
	EMAIL_METRIC_RETRIED,
	EMAIL_METRIC_FAILED,
	EMAIL_METRIC_OPENS,
	EMAIL_METRIC_CLICKS,
	EMAIL_METRIC_UNSUBSCRIBES,
	EMAIL_METRIC_REPORTS,
	EMAIL_METRIC_LOST,
};

/* What became of an event that was told: 200, 404 (nobody knows the message), or 503 after all tries. 0: the worker ends, nobody is to be
 * told; free `data`. */
typedef void (*email_told)(struct fw_plugin_instance *self, void *data, const char *id, int status);

/* Has the host note `name` of a message, again while the store does not take it, at most `tries` times. The texts are copied, `name`
 * is a constant. `told` may be NULL; it may be called before this returns. -1: it cannot be, and `told` is not called. */
int email_tell(struct fw_plugin_instance *self, const char *id, const char *name, const struct email_text *json, unsigned tries,
	email_told told, void *data);
/* From `stop`: forgets what is on its way. */
void email_tell_stop(struct fw_plugin_instance *self);

/* Makes the policy that goes with the pages. 0, or -1. */
int email_pages_start(struct fw_plugin_instance *self);
/* GET, POST /email/u/TOKEN */
void email_unsubscribe(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* GET /email/c/TOKEN */
void email_click(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* GET /email/o/TOKEN.gif */
void email_open(struct fw_plugin_instance *self, struct fw_plugin_request *request);
/* POST /email/bounces */
void email_report(struct fw_plugin_instance *self, struct fw_plugin_request *request);

#endif
