/* The plugin's part of the configuration, read and checked. README.md says what the keys mean. */
#ifndef EMAIL_CONFIG_H
#define EMAIL_CONFIG_H

#include <floorwalker/plugin.h>

#include "mime.h"

enum { EMAIL_CONNECTIONS = 100 /* at most, in a worker */ };

struct email_config {
	char *server;          /* "smtp://host:587/<hostname>", as libcurl takes it; this and the next two are the plugin's own */
	char *user, *password; /* NULL: none */
	long tls;              /* one of CURLUSESSL_… */
	const char *ca;        /* or NULL */
	struct email_mailbox from, reply_to; /* reply_to.address "": none */
	const char *address;
	const char *url;       /* without a slash at its end */
	char *own_url;
	const char *preferences; /* or NULL */
	const char *list_id, *feedback_id, *bounce_domain; /* or NULL */
	const char *hostname;
	unsigned connections;
	int64_t timeout_ms;
	int track_opens, track_clicks;
};

/* 0, or -1 with the problem. What is returned is to be freed in either case. */
int email_config_read(const struct fw_host *host, struct fw_plugin_text config, struct email_config *ret,
	struct fw_plugin_problem *problem);
void email_config_free(struct email_config *c);

#endif
