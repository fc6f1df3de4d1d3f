#include "http/route.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"
#include "http/server.h"

struct route {
	struct fw_str path;
	bool prefix;
	const char *owner;
	unsigned methods;
	void *targets[FW_HTTP_METHODS];
};

struct fw_http_routes {
	struct fw_arena arena;
	struct fw_map exact; /* path → index */
	struct route *all;
	unsigned n, size;
	unsigned *prefixes; /* indexes, longest path first */
	unsigned n_prefixes;
};

struct fw_http_routes *fw_http_routes_create(void)
{
	struct fw_http_routes *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	fw_arena_init(&r->arena, NULL, 0, 0);
	fw_map_init(&r->exact, &r->arena);
	return r;
}

void fw_http_routes_destroy(struct fw_http_routes *r)
{
	if (!r)
		return;
	fw_arena_finish(&r->arena);
	free(r->all);
	free(r->prefixes);
	free(r);
}

static struct route *claimed(const struct fw_http_routes *r, struct fw_str path, bool prefix)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (r->all[i].prefix == prefix && fw_str_equal(r->all[i].path, path))
			return &r->all[i];
	}
	return NULL;
}

static int grow(struct fw_http_routes *r)
{
	if (r->n < r->size)
		return 0;
	unsigned size = r->size ? r->size * 2 : 16;
	struct route *all = realloc(r->all, size * sizeof *all);
	if (!all)
		return FW_ENOMEM;
	r->all = all;
	unsigned *prefixes = realloc(r->prefixes, size * sizeof *prefixes);
	if (!prefixes)
		return FW_ENOMEM;
	r->prefixes = prefixes;
	r->size = size;
	return 0;
}

static struct route *new_route(struct fw_http_routes *r, struct fw_str path, bool prefix, const char *owner)
{
	char *copy = fw_arena_strndup(&r->arena, path.p, path.n);
	if (!copy || grow(r) < 0)
		return NULL;
	path.p = copy;
	if (!prefix && fw_map_put(&r->exact, path, r->n) < 0)
		return NULL;
	if (prefix) {
		unsigned at = r->n_prefixes++;
		for (; at > 0 && r->all[r->prefixes[at - 1]].path.n < path.n; at--)
			r->prefixes[at] = r->prefixes[at - 1];
		r->prefixes[at] = r->n;
	}
	struct route *route = &r->all[r->n++];
	*route = (struct route){ .path = path, .prefix = prefix, .owner = owner };
	return route;
}

int fw_http_route_add(struct fw_http_routes *r, unsigned methods, const char *path, enum fw_http_route_kind kind,
	const char *owner, void *target, struct fw_error *err)
{
	struct fw_str text = fw_str(path);
	bool prefix = kind == FW_HTTP_ROUTE_PREFIX;
	if (text.n == 0 || path[0] != '/' || (prefix && path[text.n - 1] != '/'))
		return fw_fail(err, FW_EINVAL, NULL, 0, "%s claims \"%s\", which is no %s", owner, path,
			prefix ? "path that ends with a slash" : "path");
	if (methods == 0 || methods >> FW_HTTP_METHODS)
		return fw_fail(err, FW_EINVAL, NULL, 0, "%s claims \"%s\" for no method that is served", owner, path);
	struct route *route = claimed(r, text, prefix);
	if (route && strcmp(route->owner, owner) != 0)
		return fw_fail(err, FW_EINVAL, NULL, 0, "%s and %s both claim \"%s\"", route->owner, owner, path);
	if (route && route->methods & methods)
		return fw_fail(err, FW_EINVAL, NULL, 0, "%s claims \"%s\" twice", owner, path);
	if (!route && !(route = new_route(r, text, prefix, owner)))
		return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	for (unsigned i = 0; i < FW_HTTP_METHODS; i++) {
		if (methods & FW_HTTP_MASK(i))
			route->targets[i] = target;
	}
	route->methods |= methods;
	return 0;
}

static unsigned allowed(const struct route *route)
{
	return route->methods & FW_HTTP_MASK(FW_HTTP_GET) ? route->methods | FW_HTTP_MASK(FW_HTTP_HEAD) : route->methods;
}

static const struct route *best(const struct fw_http_routes *r, struct fw_str path)
{
	uint32_t i = fw_map_get(&r->exact, path);
	if (i != FW_MAP_NONE)
		return &r->all[i];
	for (unsigned k = 0; k < r->n_prefixes; k++) {
		const struct route *route = &r->all[r->prefixes[k]];
		if (path.n >= route->path.n && memcmp(path.p, route->path.p, route->path.n) == 0)
			return route;
	}
	return NULL;
}

struct fw_http_route_match fw_http_route_find(const struct fw_http_routes *r, enum fw_http_method method,
	struct fw_str path)
{
	struct fw_http_route_match m = { .status = 404 };
	const struct route *route = best(r, path);
	if (!route)
		return m;
	m.allowed = allowed(route);
	if (method == FW_HTTP_HEAD && !(route->methods & FW_HTTP_MASK(FW_HTTP_HEAD)))
		method = FW_HTTP_GET;
	m.status = 405;
	if (!(route->methods & FW_HTTP_MASK(method)))
		return m;
	m.status = 200;
	m.target = route->targets[method];
	m.owner = route->owner;
	m.rest = (struct fw_str){ path.p + route->path.n, path.n - route->path.n };
	return m;
}

const char *fw_http_allow_text(unsigned methods, char *buf, size_t size)
{
	size_t at = 0;
	buf[0] = '\0';
	for (unsigned i = 0; i < FW_HTTP_METHODS; i++) {
		if (!(methods & FW_HTTP_MASK(i)))
			continue;
		struct fw_str name = fw_str(fw_http_method_name((enum fw_http_method)i));
		if (at + 2 + name.n + 1 > size)
			break;
		if (at) {
			memcpy(buf + at, ", ", 2);
			at += 2;
		}
		memcpy(buf + at, name.p, name.n + 1);
		at += name.n;
	}
	return buf;
}

void fw_http_route_refuse(struct fw_http_request *req, const struct fw_http_route_match *match)
{
	char methods[64];
	if (match->status != 405) {
		fw_http_error(req, 404, "not_found", "there is nothing at this path", NULL, NULL);
		return;
	}
	fw_http_reply_header(req, "Allow", fw_http_allow_text(match->allowed, methods, sizeof methods));
	fw_http_error(req, 405, "bad_request", "this path does not take this method", NULL, NULL);
}
