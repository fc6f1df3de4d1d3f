/* A mail server's replies, RFC 5321 §4.2: put together from bytes, and judged. */
#ifndef EMAIL_REPLY_H
#define EMAIL_REPLY_H

#include <stddef.h>

#include "bounce.h"

enum { EMAIL_REPLY_LINE = 1024, EMAIL_REPLY_TEXT = 512 };

/* What is being asked, in the order of a transaction. */
enum email_stage { EMAIL_STAGE_MAIL, EMAIL_STAGE_RCPT, EMAIL_STAGE_DATA, EMAIL_STAGE_BODY, EMAIL_STAGE_RESET };

struct email_reply {
	char line[EMAIL_REPLY_LINE]; /* of the line that is not whole yet */
	size_t n_line;
	int code;                    /* of the reply that is complete */
	char text[EMAIL_REPLY_TEXT]; /* its lines with the code in front of each, printable ASCII; what is over is left out */
	size_t n_text;
	int more;                    /* lines of it are to come */
};

/* Takes bytes, `*used` of them: 1 when a reply is complete, 0 when more is needed, -1 when this is no reply. */
int email_reply_take(struct email_reply *r, const char *p, size_t n, size_t *used);

/* What came of a message. */
struct email_result {
	int outcome;                     /* enum fw_plugin_outcome: delivered, retry or failed */
	int bounced;                     /* the address is no good */
	char status[EMAIL_STATUS_BYTES]; /* or "" */
	char reason[EMAIL_REPLY_TEXT];
};

/* Judges a reply that is not what was hoped for. Only what is said of the recipient can speak against the address. */
void email_reply_judge(enum email_stage stage, int code, const char *text, struct email_result *ret);

#endif
