/* The limits of an HTTP server; base/limits.h has their defaults and what each one means. */
#ifndef FW_HTTP_LIMITS_H
#define FW_HTTP_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct fw_http_limits {
	size_t body_bytes; /* as sent and as unpacked */
	size_t header_bytes;
	size_t url_bytes;
	size_t request_bytes; /* the arena of a request */
	unsigned headers;
	unsigned connections;
	unsigned pipelined;
	unsigned max_inflight;
	int64_t header_ms, body_ms, idle_ms, write_ms, linger_ms, drain_idle_ms;
};

void fw_http_limits_default(struct fw_http_limits *limits);
/* 0, or FW_EINVAL with a message naming the limit that is out of its range. */
int fw_http_limits_check(const struct fw_http_limits *limits, struct fw_error *err);

#endif
