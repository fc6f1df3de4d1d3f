#include "http/limits.h"

#include "base/limits.h"

void fw_http_limits_default(struct fw_http_limits *limits)
{
	*limits = (struct fw_http_limits){
		.body_bytes = FW_LIMIT_BODY_BYTES,
		.header_bytes = FW_LIMIT_HEADER_BYTES,
		.url_bytes = FW_LIMIT_URL_BYTES,
		.request_bytes = FW_LIMIT_REQUEST_BYTES,
		.headers = FW_LIMIT_HEADERS,
		.connections = FW_LIMIT_CONNECTIONS,
		.pipelined = FW_LIMIT_PIPELINED,
		.max_inflight = FW_LIMIT_MAX_INFLIGHT,
		.header_ms = FW_LIMIT_HEADER_MS,
		.body_ms = FW_LIMIT_BODY_MS,
		.idle_ms = FW_LIMIT_IDLE_MS,
		.write_ms = FW_LIMIT_WRITE_MS,
		.linger_ms = FW_LIMIT_LINGER_MS,
		.drain_idle_ms = FW_LIMIT_DRAIN_IDLE_MS,
	};
}

int fw_http_limits_check(const struct fw_http_limits *l, struct fw_error *err)
{
	enum { HOUR_MS = 3600 * 1000 };
	const struct {
		const char *name;
		int64_t value, least, most;
	} ranges[] = {
		{ "body_bytes", (int64_t)l->body_bytes, 1, 1 << 30 },
		{ "header_bytes", (int64_t)l->header_bytes, 256, 64 << 10 }, /* http-parser stops at 80 KiB */
		{ "url_bytes", (int64_t)l->url_bytes, 16, (int64_t)l->header_bytes },
		{ "request_bytes", (int64_t)l->request_bytes, 256 << 10, 1 << 30 },
		{ "headers", l->headers, 1, 1000 },
		{ "connections", l->connections, 1, 1000000 },
		{ "pipelined", l->pipelined, 1, 1000 },
		{ "max_inflight", l->max_inflight, 1, 1000000 },
		{ "header_ms", l->header_ms, 1, HOUR_MS },
		{ "body_ms", l->body_ms, 1, HOUR_MS },
		{ "idle_ms", l->idle_ms, 1, 24 * HOUR_MS },
		{ "write_ms", l->write_ms, 1, HOUR_MS },
		{ "linger_ms", l->linger_ms, 1, HOUR_MS },
		{ "drain_idle_ms", l->drain_idle_ms, 1, HOUR_MS },
	};
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		if (ranges[i].value < ranges[i].least || ranges[i].value > ranges[i].most)
			return fw_fail(err, FW_EINVAL, NULL, 0, "the limit %s is %lld; it must be from %lld to %lld", ranges[i].name,
				(long long)ranges[i].value, (long long)ranges[i].least, (long long)ranges[i].most);
	}
	return 0;
}
