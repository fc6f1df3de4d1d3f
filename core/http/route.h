/* Who answers which path. Built once before serving; lookups allocate nothing. */
#ifndef FW_HTTP_ROUTE_H
#define FW_HTTP_ROUTE_H

#include "base/error.h"
#include "base/str.h"
#include "http/parse.h"

struct fw_http_request;
struct fw_http_routes;

#define FW_HTTP_MASK(method) (1u << (method))

enum fw_http_route_kind {
	FW_HTTP_ROUTE_EXACT,
	FW_HTTP_ROUTE_PREFIX, /* the path ends with a slash; everything below it */
};

struct fw_http_routes *fw_http_routes_create(void); /* NULL: out of memory */
void fw_http_routes_destroy(struct fw_http_routes *routes);

/* Claims a path for `methods` (FW_HTTP_MASK joined; GET includes HEAD). `owner` names the claimant for messages and must
 * outlive the routes; `target` is what a lookup gives back. A path has one owner: FW_EINVAL, naming both, when somebody
 * else has claimed the same, or when the same owner claims a method of it twice, or when the path is no path. FW_ENOMEM. */
int fw_http_route_add(struct fw_http_routes *routes, unsigned methods, const char *path, enum fw_http_route_kind kind,
	const char *owner, void *target, struct fw_error *err);

struct fw_http_route_match {
	int status;         /* 200, 404 or 405 */
	void *target;       /* 200 */
	const char *owner;  /* 200 */
	struct fw_str rest; /* 200: what follows a prefix */
	unsigned allowed;   /* 200 and 405: the methods of that path */
};

/* Exact before prefix, longer prefix before shorter. */
struct fw_http_route_match fw_http_route_find(const struct fw_http_routes *routes, enum fw_http_method method,
	struct fw_str path);
/* "GET, HEAD, OPTIONS" into buf (64 bytes are enough); returns buf. */
const char *fw_http_allow_text(unsigned methods, char *buf, size_t size);
/* Answers a 404, or a 405 with Allow. */
void fw_http_route_refuse(struct fw_http_request *req, const struct fw_http_route_match *match);

#endif
