/* A message as RFC 5322 has it, with MIME (RFC 2045 to 2047): lines of at most 78 bytes where it can be, never over 998, nothing
 * but ASCII. What stands in a header comes from other people: no control character gets into one. */
#ifndef EMAIL_MIME_H
#define EMAIL_MIME_H

#include <floorwalker/plugin.h>

#include "text.h"

enum {
	EMAIL_NAME_BYTES = 200,    /* a display name */
	EMAIL_ADDRESS_BYTES = 254, /* an address, RFC 5321 */
	EMAIL_SUBJECT_BYTES = 1000,
	EMAIL_BODY_BYTES = 2 << 20, /* a body, as it is handed over */
};

/* "Shop <hello@shop.example>", taken apart. */
struct email_mailbox {
	char name[EMAIL_NAME_BYTES + 1]; /* UTF-8, "" for none */
	char address[EMAIL_ADDRESS_BYTES + 1];
};

/* What is written; of texts that may be absent, p is NULL. Texts of the plugin's own making are terminated. */
struct email_mail {
	const struct email_mailbox *from, *reply_to; /* reply_to NULL: none */
	const char *to;
	struct fw_plugin_text subject, html, text; /* UTF-8; one of html and text is there */
	const char *id;           /* X-Floorwalker-Message, and the boundary */
	const char *message_id;   /* without its brackets */
	int64_t at_s;
	const char *list_id;      /* "news.shop.example", or NULL */
	const char *feedback_id;  /* or NULL */
	const char *unsubscribe;  /* the one-click link, or NULL */
};

/* An address that every server takes: a dot-atom of ASCII, "@", a domain name. */
int email_address_is_fit(const char *address, size_t n);
/* "Name <address>", "\"Name, quoted\" <address>", "<address>" or "address". 0, or -1 with why. */
int email_mailbox_read(const char *text, size_t n, struct email_mailbox *ret, struct fw_plugin_problem *problem);

/* Writes the message, lines ended by CRLF. 0, or -1 with why it cannot be. Out of memory shows in ret->failed. */
int email_mime_write(const struct email_mail *mail, struct email_text *ret, struct fw_plugin_problem *problem);

#endif
