/* What the plugin signs, so that what comes back can be believed: links (unsubscribe, click, open), and the tags that stand in
 * the envelope's sender and in Message-ID. The key is the host's, the same in every process that works on the store. */
#ifndef EMAIL_TOKEN_H
#define EMAIL_TOKEN_H

#include <floorwalker/plugin.h>

#include "common/mark.h"
#include "text.h"

enum {
	EMAIL_TARGET_BYTES = 2000,  /* the address a click leads to; a longer one is not counted */
	EMAIL_TAG_BYTES = 61,       /* "<id>-<20 hex digits>": with "b+" before it what a local part may have, 64 */
};

/* What a token is for. */
enum { EMAIL_TOKEN_UNSUBSCRIBE = 'u', EMAIL_TOKEN_CLICK = 'c', EMAIL_TOKEN_OPEN = 'o' };

struct email_token {
	char id[COMMON_ID_BYTES + 1];
	int64_t at_s;                        /* when it was made: no sooner can the message have been read */
	char target[EMAIL_TARGET_BYTES + 1]; /* "" except in a click's */
};

/* Adds base64url(mac ‖ id "." what, seconds in hex "." target). `target` is NULL or at most EMAIL_TARGET_BYTES long.
 * 0 or COMMON_UNKNOWN_YET. */
int email_token_add(const struct fw_host *host, const char *id, char what, int64_t at_s, const char *target, struct email_text *ret);
/* Reads a token for `what`; COMMON_FORGED for everything that was not made so. */
int email_token_read(const struct fw_host *host, const char *text, size_t n, char what, struct email_token *ret);

/* A tag: lower-case letters, digits and one hyphen, so that it outlives servers that fold case. 0 or COMMON_UNKNOWN_YET. */
int email_tag_make(const struct fw_host *host, const char *id, char ret[EMAIL_TAG_BYTES + 1]);
int email_tag_read(const struct fw_host *host, const char *text, char ret_id[COMMON_ID_BYTES + 1]);

#endif
