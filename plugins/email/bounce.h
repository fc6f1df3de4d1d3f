/* What came back: reports of mail servers that a message was not delivered (DSN, RFC 3464), and of mailbox providers that somebody
 * complained (ARF, RFC 5965). Servers differ in how they write them, so what is looked for is looked for wherever it may be. What is
 * read is untrusted: only tags that were signed (token.h) tell which message it is about. */
#ifndef EMAIL_BOUNCE_H
#define EMAIL_BOUNCE_H

#include <stddef.h>

enum {
	EMAIL_BOUNCE_DEPTH = 8,  /* multiparts in multiparts */
	EMAIL_BOUNCE_PARTS = 64, /* parts looked at */
	EMAIL_BOUNCE_TAGS = 8,   /* tags kept of each kind */
	EMAIL_REASON_BYTES = 16 << 10, /* of a report's text that are searched for a code */
	EMAIL_STATUS_BYTES = 12, /* "5.123.123" */
};

enum email_verdict {
	EMAIL_NOTHING,    /* no report, or one that says nothing about a delivery */
	EMAIL_DELIVERED,
	EMAIL_DEFERRED,   /* a server goes on trying, or the mailbox is full */
	EMAIL_FAILED,     /* not delivered, for a reason that says nothing against the address */
	EMAIL_BOUNCED,    /* the address is no good */
	EMAIL_COMPLAINED,
};

struct email_bounce {
	enum email_verdict verdict;
	char status[EMAIL_STATUS_BYTES]; /* the enhanced status code, RFC 3463; "" where none is told */
	char recipient[256];             /* "" where none is told; printable ASCII, as the reason is */
	char reason[256];
	/* What may be a tag, in lower case, to be tried in this order: of envelope addresses, then of Message-IDs. */
	char tags[2 * EMAIL_BOUNCE_TAGS][64];
	size_t n_tags;
};

/* What an enhanced status code means for an address. */
enum email_verdict email_status_verdict(const char *status);

/* What a server's reply, or the text of a report, says of a delivery that failed: the code that stands behind a reply code, else
 * any, else what the words say. `ret_status` gets it, "" where there is none. */
enum email_verdict email_reason_verdict(const char *p, size_t n, char ret_status[EMAIL_STATUS_BYTES]);

/* Reads a message as a mail server hands it over, with LF or CRLF. */
void email_bounce_read(const char *p, size_t n, struct email_bounce *ret);

#endif
