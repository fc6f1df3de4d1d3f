/* What smtp.c, the dialogue, and dial.c, the making of connections, share. */
#ifndef EMAIL_SMTP_OWN_H
#define EMAIL_SMTP_OWN_H

#include <curl/curl.h>

#include "smtp.h"

enum email_state {
	EMAIL_CONNECTING, /* libcurl's */
	EMAIL_READY,      /* greeted, nothing asked */
	EMAIL_ASKING,     /* a transaction, or what ends one that failed */
};

struct email_connection {
	struct email_smtp *smtp;
	CURL *easy;
	char error[CURL_ERROR_SIZE];
	enum email_state state;
	int pipelines, sizes;       /* what the server can */
	int fd, watched;            /* FW_PLUGIN_READABLE … */
	struct fw_plugin_watch *watch;
	int64_t until_us;           /* when it has taken too long */
	int64_t over_us;            /* of a message: when the server has had all the time it gets */
	unsigned done;              /* messages before this one */

	struct email_job *job;
	enum email_stage stage;     /* what the next reply is to */
	int heard;                  /* a reply of this transaction has come */
	int refused;                /* `result` says why: the transaction comes to nothing */
	struct email_result result;
	struct email_reply reply;
	struct email_text out;      /* commands */
	size_t out_at, data_at;
	int sends_data;
	struct email_connection *next;
};

struct email_smtp {
	const struct fw_host *host;
	struct fw_plugin_instance *self;
	const struct email_config *config;
	email_sent sent;
	CURLM *multi;
	struct fw_plugin_timer *curl_timer, *kick, *tick;
	struct email_connection *connections;
	unsigned n_connections, n_connecting;
	struct email_job *first, **last;
	size_t n_waiting;
	int64_t hold_us; /* no further connection before */
	int draining, stopped;
};

/* Of dial.c. The multi handle, driven by the host's loop; NULL: out of memory. */
CURLM *email_dial_create(struct email_smtp *s);
/* Begins to connect. 0, or -1. What comes of it, email_connected and email_lose are called with. */
int email_dial(struct email_connection *c);

/* Of smtp.c. The server has greeted and knows who we are: `fd` is the dialogue's. */
void email_connected(struct email_connection *c, int fd);
/* The connection is of no more use. */
void email_lose(struct email_connection *c, const char *reason);

#endif
