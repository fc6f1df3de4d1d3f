/* Hands messages to the mail server. libcurl's multi interface makes the connections on the worker's loop: names, TLS, STARTTLS,
 * AUTH. Then the dialogue is ours, over its socket: libcurl waits for the reply to a message's last line, and a worker must not
 * wait. So commands also go out together where the server takes that (PIPELINING), and every reply is seen as it was written.
 * Connections are kept for the next message. */
#ifndef EMAIL_SMTP_H
#define EMAIL_SMTP_H

#include <floorwalker/plugin.h>

#include "config.h"
#include "reply.h"
#include "text.h"
#include "token.h"

enum {
	EMAIL_WAITING = 1000,     /* messages that wait for a connection in a worker; then deliver says later */
	EMAIL_IDLE_MS = 30000,    /* a connection without a message is ended after it */
	EMAIL_TICK_MS = 250,      /* how exactly time limits are kept; that of handing a message over is kept to the point */
	EMAIL_HOLD_MS = 1000,     /* after a connection could not be made, while others work */
};

/* A message on its way. Owned by email_smtp_send's caller until that took it, then freed by the sender. */
struct email_job {
	char id[COMMON_ID_BYTES + 1];
	char from[EMAIL_ADDRESS_BYTES + 1], to[EMAIL_ADDRESS_BYTES + 1]; /* the envelope */
	struct email_text data; /* as it goes over the wire, with its last dot */
	/* Three times, each before the next: no later is its last dot written; no longer is the server's answer to that waited for; the
	 * host has given the attempt up, and hears nothing of it any more. */
	int64_t last_us, answer_us, until_us;
	unsigned again;         /* how often it was begun on a connection that turned out to be over */
	struct email_job *next;
};

/* Called for each job that was taken, once, never before email_smtp_send returns; not at all for one that the host has given up. */
typedef void (*email_sent)(struct fw_plugin_instance *self, const char *id, int64_t until_us, const struct email_result *result);

struct email_smtp;

/* NULL: out of memory. `config` must outlive it. */
struct email_smtp *email_smtp_create(const struct fw_host *host, struct fw_plugin_instance *self, const struct email_config *config,
	email_sent sent);
/* From `stop`, when the host has ended timers and watches. Jobs are dropped untold. */
void email_smtp_destroy(struct email_smtp *s);
/* Connections without a message are ended, now and from now on. */
void email_smtp_drain(struct email_smtp *s);

/* Makes of a message what `data` is: dots at the beginnings of lines doubled, the last line added. */
void email_smtp_stuff(const struct email_text *message, struct email_text *ret);
/* 0, or -1: too much waits already, and the job stays the caller's. */
int email_smtp_send(struct email_smtp *s, struct email_job *job);
void email_job_free(struct email_job *job);

#endif
