/* The bodies of a message: what only this plugin knows is put in (the links it signs, the postal address), and links are made to
 * be counted where the person's consent allows it. */
#ifndef EMAIL_BODY_H
#define EMAIL_BODY_H

#include <floorwalker/plugin.h>

#include "text.h"

/* What is put in. */
struct email_inset {
	const struct fw_host *host;
	const char *id;           /* the message's */
	int64_t at_s;
	const char *url;          /* the public address, without a slash at its end */
	const char *unsubscribe;  /* the link to the page that unsubscribes */
	const char *preferences;
	const char *address;      /* the postal address, lines ended by \n */
	int required;             /* marketing: address and link are added where the template leaves them out */
	int clicks, opens;        /* count them */
};

/* https://floorwalker.invalid/unsubscribe, https://floorwalker.invalid/preferences and %postal_address% become what they stand for, escaped
 * in HTML. There the links of
 * <a> and <area> to http and https lead over <url>/email/c/… and a picture of one point is put before </body>, as asked for.
 * 0, or -1: the host cannot sign yet. Out of memory shows in ret->failed. */
int email_body_html(const struct email_inset *inset, struct fw_plugin_text html, struct email_text *ret);
int email_body_text(const struct email_inset *inset, struct fw_plugin_text text, struct email_text *ret);

#endif
