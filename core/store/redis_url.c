#include "store/redis_url.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct scheme {
	const char *name;
	bool cluster, tls, socket;
};

static const struct scheme schemes[] = {
	{ "redis:", false, false, false }, { "rediss:", false, true, false }, { "redis+unix:", false, false, true },
	{ "redis-cluster:", true, false, false }, { "rediss-cluster:", true, true, false },
};

static const struct scheme *scheme_of(const char *url)
{
	for (size_t i = 0; url && i < sizeof schemes / sizeof *schemes; i++)
		if (strncmp(url, schemes[i].name, strlen(schemes[i].name)) == 0)
			return &schemes[i];
	return NULL;
}

bool fw_redis_url_is(const char *url)
{
	return scheme_of(url) != NULL;
}

bool fw_redis_url_is_cluster(const char *url)
{
	const struct scheme *scheme = scheme_of(url);
	return scheme && scheme->cluster;
}

static int wrong(struct fw_error *err, const char *what)
{
	fw_fail(err, FW_EINVAL, NULL, 0, "the store's URL %s", what);
	fw_hint(err, "write \"redis://USER:PASSWORD@HOST:6379/0\", \"redis+unix:/SOCKET\" or \"redis-cluster://HOST:PORT,HOST:PORT\"");
	return FW_EINVAL;
}

static int no_memory(struct fw_error *err)
{
	return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
}

/* A part of the URL, decoded; NULL where it is empty. False: no memory. */
static bool take(struct fw_arena *a, const char *text, size_t n, const char **ret)
{
	*ret = NULL;
	if (n == 0)
		return true;
	char *part = fw_arena_strndup(a, text, n), *plain = part ? evhttp_uridecode(part, 0, NULL) : NULL;
	*ret = plain ? fw_arena_strdup(a, plain) : NULL;
	free(plain);
	return *ret != NULL;
}

static int read_user(struct fw_arena *a, struct fw_redis_url *u, const char *info, struct fw_error *err)
{
	const char *colon = info ? strchr(info, ':') : NULL, *password = colon ? colon + 1 : info;
	if (!info)
		return 0;
	if ((colon && !take(a, info, (size_t)(colon - info), &u->user)) || !take(a, password, strlen(password), &u->password))
		return no_memory(err);
	return u->user && !u->password ? wrong(err, "names a user and no password") : 0;
}

static int read_database(struct fw_redis_url *u, const char *text, struct fw_error *err)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (end == text || *end || n > 1000000 || text[0] == '-')
		return wrong(err, "has a database that is no number");
	if (u->cluster && n != 0)
		return wrong(err, "names a database: a Redis Cluster has none but 0");
	u->database = (unsigned)n;
	return 0;
}

static int read_parameter(struct fw_arena *a, struct fw_redis_url *u, const char *key, const char *value, struct fw_error *err)
{
	const struct {
		const char *name;
		const char **to;
	} files[] = { { "ca", &u->ca }, { "cert", &u->cert }, { "key", &u->key } };
	if (strcmp(key, "db") == 0)
		return read_database(u, value, err);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (u->tls && strcmp(key, files[i].name) == 0)
			return value[0] != '/' ? wrong(err, "has a ca, cert or key that is no absolute path")
				: (*files[i].to = fw_arena_strdup(a, value)) ? 0 : no_memory(err);
	return wrong(err, u->tls ? "has a parameter that is none of db, ca, cert and key" : "has a parameter that is not db");
}

static int read_query(struct fw_arena *a, struct fw_redis_url *u, const char *query, struct fw_error *err)
{
	struct evkeyvalq pairs;
	int rc = 0;
	if (!query || !query[0])
		return 0;
	if (evhttp_parse_query_str(query, &pairs) < 0)
		return wrong(err, "has a query that cannot be read");
	for (const struct evkeyval *p = pairs.tqh_first; p && rc == 0; p = p->next.tqe_next)
		rc = read_parameter(a, u, p->key, p->value, err);
	evhttp_clear_headers(&pairs);
	return rc;
}

static int read_place(struct fw_arena *a, struct fw_redis_url *u, const struct scheme *scheme, const struct evhttp_uri *uri,
	struct fw_error *err)
{
	const char *host = evhttp_uri_get_host(uri), *path = evhttp_uri_get_path(uri);
	struct fw_redis_host *h = &u->hosts[u->n_hosts];
	int port = evhttp_uri_get_port(uri);
	if (evhttp_uri_get_fragment(uri))
		return wrong(err, "has a #: write it %23 in a password");
	if (scheme->socket) {
		if (!path || path[0] != '/' || !path[1] || (host && host[0]))
			return wrong(err, "names no absolute path of a socket");
		if (!take(a, path, strlen(path), &h->name))
			return no_memory(err);
		u->n_hosts++;
		return 0;
	}
	if (!host || !host[0])
		return wrong(err, "names no host");
	if (port == 0 || port > 65535)
		return wrong(err, "has no such port");
	size_t n = strlen(host); /* "[::1]" is written ::1 from here on */
	bool brackets = host[0] == '[' && host[n - 1] == ']';
	if (!(h->name = fw_arena_strndup(a, host + brackets, n - (brackets ? 2 : 0))))
		return no_memory(err);
	h->port = port < 0 ? 6379 : (unsigned)port;
	u->n_hosts++;
	return path && path[0] && path[1] ? read_database(u, path + 1, err) : 0;
}

/* The URL as if it named one host alone. */
static int read_one(struct fw_arena *a, struct fw_redis_url *u, const struct scheme *scheme, const char *text, struct fw_error *err)
{
	struct evhttp_uri *uri = evhttp_uri_parse_with_flags(text, 0);
	if (!uri)
		return wrong(err, "cannot be read");
	int rc = read_place(a, u, scheme, uri, err);
	if (rc == 0)
		rc = read_user(a, u, evhttp_uri_get_userinfo(uri), err);
	if (rc == 0)
		rc = read_query(a, u, evhttp_uri_get_query(uri), err);
	evhttp_uri_free(uri);
	return rc;
}

int fw_redis_url_parse(struct fw_arena *a, const char *url, struct fw_redis_url *ret, struct fw_error *err)
{
	const struct scheme *scheme = scheme_of(url);
	*ret = (struct fw_redis_url){ 0 };
	if (!scheme)
		return wrong(err, "has no known scheme");
	ret->cluster = scheme->cluster;
	ret->tls = scheme->tls;
	const char *rest = url + strlen(scheme->name);
	if (!scheme->cluster)
		return read_one(a, ret, scheme, url, err);
	/* scheme, "//", perhaps "user:password@", hosts with commas between, what follows */
	const char *slashes = strncmp(rest, "//", 2) == 0 ? rest + 2 : rest, *end = slashes + strcspn(slashes, "/?#");
	const char *at = memrchr(slashes, '@', (size_t)(end - slashes)), *host = at ? at + 1 : slashes;
	for (int rc; host <= end; host += strcspn(host, ",/?#") + 1) {
		size_t n = strcspn(host, ",/?#");
		if (ret->n_hosts == FW_LIMIT_REDIS_SEEDS)
			return wrong(err, "names too many hosts: a few are enough to find the others");
		char *one = fw_arena_printf(a, "%.*s%.*s%s", (int)((at ? at + 1 : slashes) - url), url, (int)n, host, end);
		if (!one)
			return no_memory(err);
		if ((rc = read_one(a, ret, scheme, one, err)) < 0)
			return rc;
		if (host + n == end)
			break;
	}
	return 0;
}
