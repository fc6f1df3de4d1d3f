/* HTTP/1.x requests from bytes, strictly: whatever two readers could understand differently is refused. Nothing here
 * reads a socket or keeps memory; Debian's http-parser takes a head apart behind this header, and only there. */
#ifndef FW_HTTP_PARSE_H
#define FW_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "http/limits.h"

/* The methods served; any other is 501. */
enum fw_http_method {
	FW_HTTP_GET,
	FW_HTTP_HEAD,
	FW_HTTP_POST,
	FW_HTTP_PUT,
	FW_HTTP_PATCH,
	FW_HTTP_DELETE,
	FW_HTTP_OPTIONS,
	FW_HTTP_METHODS, /* how many there are */
};

const char *fw_http_method_name(enum fw_http_method method);

/* Why a request was turned away; the index of a counter. */
enum fw_http_reason {
	FW_HTTP_REASON_MALFORMED,     /* 400 */
	FW_HTTP_REASON_AMBIGUOUS,     /* 400: length or host could be read in two ways */
	FW_HTTP_REASON_TIMEOUT,       /* 408: head or body came too slowly */
	FW_HTTP_REASON_BODY_SIZE,     /* 413, also when unpacked */
	FW_HTTP_REASON_URL_SIZE,      /* 414 */
	FW_HTTP_REASON_ENCODING,      /* 415: a content coding other than gzip, or broken gzip as 400 */
	FW_HTTP_REASON_EXPECTATION,   /* 417 */
	FW_HTTP_REASON_HEADER_SIZE,   /* 431 */
	FW_HTTP_REASON_NOT_SERVED,    /* 501 method, 505 version */
	FW_HTTP_REASON_OVERLOAD,      /* 503: max_inflight, or no memory */
	FW_HTTP_REASONS,
};

const char *fw_http_reason_name(enum fw_http_reason reason); /* "malformed", "body_size" …, for metrics */

/* A refusal: the status it is answered with and a constant sentence for the client. */
struct fw_http_refusal {
	int status;
	enum fw_http_reason reason;
	const char *message;
};

enum fw_http_progress {
	FW_HTTP_MORE, /* all bytes were looked at; more are needed */
	FW_HTTP_DONE,
	FW_HTTP_BAD,  /* the refusal is filled; the connection cannot go on */
};

/* Finding the end of a head. Zero it before a request's first byte, then call again with all bytes of the request so
 * far (the same and more) until it is not FW_HTTP_MORE; nothing is looked at twice. */
struct fw_http_scan {
	size_t start; /* where the head begins: after one empty line that may precede it */
	size_t at;    /* next byte to look at */
	size_t line;  /* where its line begins */
	size_t end;   /* FW_HTTP_DONE: the byte after the head */
	unsigned lines;
};

enum fw_http_progress fw_http_scan_head(struct fw_http_scan *scan, const char *data, size_t n,
	const struct fw_http_limits *limits, struct fw_http_refusal *refusal);

struct fw_http_field {
	struct fw_str name, value; /* the value without the blanks around it */
};

/* A head taken apart. All text points into the bytes given. */
struct fw_http_head {
	enum fw_http_method method;
	struct fw_str path;  /* as sent: "/…", or "*" */
	struct fw_str query; /* after the question mark; p NULL when there is none */
	struct fw_str host;  /* p NULL: HTTP/1.0 without one */
	struct fw_str traceparent; /* p NULL when absent or not valid */
	struct fw_http_field *fields;
	unsigned n_fields;
	unsigned minor; /* HTTP/1.minor: 0 or 1 */
	bool keep_alive, chunked, gzip, expect_continue;
	uint64_t content_length; /* 0 when chunked */
};

/* `head` is what fw_http_scan_head delimited, from start to end; `fields` has room for `room`, as many as scan.lines.
 * FW_HTTP_DONE or FW_HTTP_BAD. */
enum fw_http_progress fw_http_parse_head(const char *head, size_t n, const struct fw_http_limits *limits,
	struct fw_http_field *fields, unsigned room, struct fw_http_head *ret, struct fw_http_refusal *refusal);

/* Taking a body out of its framing. */
struct fw_http_body {
	uint64_t left;  /* bytes of the body, or of the chunk */
	uint64_t taken; /* payload given out so far */
	size_t extra;   /* bytes of chunk extensions and trailers, bounded by the header limit */
	int state;
	unsigned digits;
	bool line_empty;
};

/* Also refuses a length beyond the limit at once. FW_HTTP_DONE: there is no body. */
enum fw_http_progress fw_http_body_begin(struct fw_http_body *body, const struct fw_http_head *head,
	const struct fw_http_limits *limits, struct fw_http_refusal *refusal);
/* Consumes `*ret_used` of n bytes and gives at most one piece of payload, which points into data (n 0: none). Call until
 * it is not FW_HTTP_MORE or nothing is left of data. */
enum fw_http_progress fw_http_body_feed(struct fw_http_body *body, const char *data, size_t n, size_t *ret_used,
	struct fw_str *ret_piece, const struct fw_http_limits *limits, struct fw_http_refusal *refusal);

#endif
