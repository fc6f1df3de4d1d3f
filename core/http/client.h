/* HTTP to other servers: a room's worth of libcurl's multi interface on an event loop. Nothing waits, connections are kept and used
 * again, and what comes back is an answer as a whole or none.
 *
 * http and https, HTTP/1.1. Redirects are answers like any other and are not followed; no proxy is taken from the environment; a
 * certificate must be one that the machine trusts. An ask over a kept connection that the other side had closed meanwhile goes over
 * a new one, so whoever asks for something that must happen once says who asks: with a key that the other side knows again. */
#ifndef FW_HTTP_CLIENT_H
#define FW_HTTP_CLIENT_H

#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"

struct event_base;
struct fw_client;
struct fw_client_ask; /* an ask that is open */

/* What is asked. All of it is copied. */
struct fw_client_request {
	const char *method;           /* NULL: "GET", or "POST" where there is a body */
	const char *url;
	const char *const *headers;   /* "Name: value", ended by NULL; or NULL. Without a User-Agent it is ours */
	struct fw_str body;           /* p NULL: none */
	const char *user, *password;  /* Basic (RFC 7617); NULL: none */
	uint32_t timeout_ms;          /* from now to the answer's last byte; 0: FW_LIMIT_CLIENT_MS, at most FW_LIMIT_CLIENT_MOST_MS */
};

/* What came of it; lives during the call. */
struct fw_client_answer {
	int status;             /* 0: there was none, and `problem` says why */
	struct fw_str body;     /* at most FW_LIMIT_CLIENT_BODY_BYTES: a larger one is no answer */
	int64_t retry_after_ms; /* -1: it does not say */
	const char *problem;    /* for a person; has neither the URL's secrets nor the password. NULL: there was an answer */
};

typedef void (*fw_client_done)(void *ctx, const struct fw_client_answer *answer);

/* One a loop, made in the process that turns it. NULL: out of memory. */
struct fw_client *fw_client_create(struct event_base *base);
/* Whatever is open ends without an answer. NULL is fine. */
void fw_client_destroy(struct fw_client *client);

/* Asks. `done` comes once, never before this returns, unless the ask is dropped; it may ask again. An ask that cannot be made (a
 * header that is none, too many on their way) ends with a problem, too. 0 and the ask, for fw_client_drop; FW_EINVAL: the URL is
 * none of http or https; FW_EBUSY: the client is being destroyed; FW_ENOMEM. */
int fw_client_ask(struct fw_client *client, const struct fw_client_request *request, fw_client_done done, void *ctx,
	struct fw_client_ask **ret);
/* Ends an open ask; `done` does not come. What was sent was sent. */
void fw_client_drop(struct fw_client_ask *ask);

/* The wait that a Retry-After asks for, seconds or a date (RFC 9110, 10.2.3), at most FW_LIMIT_CLIENT_RETRY_MS; -1: it is neither. */
int64_t fw_client_retry_after_ms(struct fw_str value, int64_t now_us);

#endif
