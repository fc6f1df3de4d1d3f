#include "server/access.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* All lines of a header as one list. */
static struct fw_str join(struct fw_http_request *http, const char *name)
{
	unsigned n, found = 0;
	size_t size = 0;
	const struct fw_http_field *fields = fw_http_headers(http, &n);
	struct fw_str one = { NULL, 0 };
	for (unsigned i = 0; i < n; i++) {
		if (!fw_str_equal_fold(fields[i].name, fw_str(name)))
			continue;
		one = fields[i].value;
		size += one.n + 1;
		found++;
	}
	char *all = found > 1 ? fw_arena_alloc(fw_http_arena(http), size) : NULL;
	if (!all)
		return one;
	size_t at = 0;
	for (unsigned i = 0; i < n; i++) {
		if (!fw_str_equal_fold(fields[i].name, fw_str(name)))
			continue;
		if (fields[i].value.n)
			memcpy(all + at, fields[i].value.p, fields[i].value.n);
		at += fields[i].value.n;
		all[at++] = ',';
	}
	return (struct fw_str){ all, at - 1 };
}

static void note_forwarding(struct fw_plugin_request *r)
{
	if (fw_http_header(r->http, "X-Forwarded-For").p)
		r->forwarded.x_forwarded_for = join(r->http, "X-Forwarded-For");
	if (fw_http_header(r->http, "Forwarded").p)
		r->forwarded.forwarded = join(r->http, "Forwarded");
}

bool fw_access_client(const struct fw_plugin_request *r, const struct fw_config *config, struct fw_ip *ret)
{
	struct fw_ip peer;
	bool has_peer = fw_ip_of(fw_http_peer(r->http), &peer);
	if (!has_peer && !config->proxy_unix)
		return false;
	return fw_ip_client(has_peer ? &peer : NULL, &r->forwarded, config->proxies, config->n_proxies, ret);
}

const char *fw_access_address(struct fw_plugin_request *r, const struct fw_config *config)
{
	struct fw_ip client;
	struct sockaddr_storage socket;
	char text[INET6_ADDRSTRLEN] = "";
	if (!fw_access_client(r, config, &client))
		return "";
	fw_ip_to(&client, &socket);
	if (socket.ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)&socket)->sin_addr, text, sizeof text);
	else
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)&socket)->sin6_addr, text, sizeof text);
	const char *copy = fw_arena_strdup(fw_http_arena(r->http), text);
	return copy ? copy : "";
}

/* A Unix socket has no address; whether it is a proxy's is said by the configuration. */
static bool from_proxy(const struct fw_plugin_request *r, const struct fw_config *config)
{
	struct fw_ip peer;
	if (!fw_ip_of(fw_http_peer(r->http), &peer))
		return config->proxy_unix;
	return fw_network_has(config->proxies, config->n_proxies, &peer);
}

const char *fw_access_origin(struct fw_plugin_request *r, const struct fw_config *config)
{
	struct fw_str host = fw_http_header(r->http, "Host"), scheme = { NULL, 0 };
	if (from_proxy(r, config))
		scheme = fw_http_header(r->http, "X-Forwarded-Proto");
	/* Of several proxies the first one speaks of the client. */
	const char *comma = scheme.n ? memchr(scheme.p, ',', scheme.n) : NULL;
	if (comma)
		scheme = fw_str_trim((struct fw_str){ scheme.p, (size_t)(comma - scheme.p) });
	bool https = fw_str_equal_fold(scheme, FW_STR("https"));
	if (host.n == 0)
		return "";
	const char *text = fw_arena_printf(fw_http_arena(r->http), "%s://%.*s", https ? "https" : "http", (int)host.n, host.p);
	return text ? text : "";
}

bool fw_secret_equal(struct fw_str a, struct fw_str b)
{
	volatile unsigned differs = a.n != b.n;
	for (size_t i = 0; i < a.n; i++)
		differs |= (unsigned)(unsigned char)a.p[i] ^ (unsigned)(unsigned char)(b.n ? b.p[i % b.n] : 0);
	return !differs;
}

static bool is_one_of(struct fw_str key, const struct fw_config_texts *keys)
{
	bool found = false;
	for (unsigned i = 0; i < keys->n; i++)
		found |= fw_secret_equal(key, keys->items[i]);
	return found;
}

/* The user name of Basic, decoded into the arena. */
static struct fw_str basic_user(struct fw_arena *a, struct fw_str encoded)
{
	char *out = fw_arena_alloc(a, encoded.n + 1);
	size_t n = 0;
	unsigned bits = 0, held = 0;
	for (size_t i = 0; out && i < encoded.n; i++) {
		int digit = fw_base64_digit(encoded.p[i]);
		if (digit < 0)
			break;
		bits = bits << 6 | (unsigned)digit;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		char c = (char)(bits >> held & 0xff);
		if (c == ':')
			break;
		out[n++] = c;
	}
	return (struct fw_str){ out, out ? n : 0 };
}

static bool after_scheme(struct fw_str value, struct fw_str scheme, struct fw_str *ret)
{
	if (value.n <= scheme.n || !fw_str_equal_fold((struct fw_str){ value.p, scheme.n }, scheme))
		return false;
	*ret = fw_str_trim((struct fw_str){ value.p + scheme.n, value.n - scheme.n });
	return true;
}

/* The key that came with it; p NULL: none. The body is looked into last, and only where a write key may stand there. */
static struct fw_str find_key(struct fw_http_request *http, bool body_too)
{
	struct fw_arena *arena = fw_http_arena(http);
	struct fw_str value = fw_http_header(http, "Authorization"), key;
	if (value.p && after_scheme(value, FW_STR("Bearer "), &key))
		return key;
	if (value.p && after_scheme(value, FW_STR("Basic "), &key))
		return basic_user(arena, key);
	value = fw_http_header(http, "X-API-Key");
	if (value.p)
		return value;
	struct fw_str body = fw_http_body(http);
	if (!body_too || !body.n)
		return (struct fw_str){ NULL, 0 };
	return fw_json_peek(arena, body.p, body.n, "writeKey");
}

static bool opens(enum fw_plugin_access have, enum fw_plugin_access needs)
{
	if (needs == FW_PLUGIN_ACCESS_ANY || have == FW_PLUGIN_ACCESS_SECRET)
		return true;
	return have == needs;
}

static int check_without_keys(struct fw_plugin_request *r, enum fw_plugin_access needs, const char **ret_message,
	const char **ret_hint)
{
	bool here = fw_address_loopback(fw_http_peer(r->http));
	bool forwarded = fw_forwarded_at_all(&r->forwarded);
	r->have = here && !forwarded ? FW_PLUGIN_ACCESS_SECRET : FW_PLUGIN_ACCESS_ANY;
	if (opens(r->have, needs))
		return 0;
	*ret_message = forwarded ? "a forwarded request needs a key, and none is configured" : "only this machine may ask without keys";
	*ret_hint = "set keys in the configuration";
	return 403;
}

enum fw_plugin_access fw_access_of_key(const struct fw_plugin_request *r, const struct fw_config *config, struct fw_str key)
{
	if (!fw_config_has_keys(config))
		return r->have;
	if (key.p && is_one_of(key, &config->secret_keys))
		return FW_PLUGIN_ACCESS_SECRET;
	if (key.p && is_one_of(key, &config->write_keys))
		return FW_PLUGIN_ACCESS_WRITE;
	bool loopback = fw_address_loopback(fw_http_peer(r->http)) && !fw_forwarded_at_all(&r->forwarded);
	return loopback ? FW_PLUGIN_ACCESS_LOOPBACK : FW_PLUGIN_ACCESS_ANY;
}

int fw_access_check(struct fw_plugin_request *r, const struct fw_config *config, enum fw_plugin_access needs,
	const char **ret_message, const char **ret_hint)
{
	*ret_hint = NULL;
	note_forwarding(r);
	if (!fw_config_has_keys(config))
		return check_without_keys(r, needs, ret_message, ret_hint);
	struct fw_str key = find_key(r->http, needs == FW_PLUGIN_ACCESS_WRITE);
	/* A browser's EventSource can send nothing else. */
	bool in_address = !key.p && needs == FW_PLUGIN_ACCESS_WRITE && fw_http_method(r->http) == FW_HTTP_GET;
	if (in_address)
		key = fw_http_query_param(r->http, "writeKey");
	r->key = key;
	r->have = fw_access_of_key(r, config, key);
	if (in_address && key.p && r->have == FW_PLUGIN_ACCESS_SECRET) {
		r->have = FW_PLUGIN_ACCESS_ANY;
		*ret_message = "a secret key has no business in an address";
		*ret_hint = "use a write key there, or send it as Authorization: Bearer KEY";
		return 403;
	}
	if (opens(r->have, needs))
		return 0;
	if (!key.p) {
		*ret_message = "a key is needed";
		*ret_hint = "send it as Authorization: Bearer KEY";
		return 401;
	}
	*ret_message = r->have == FW_PLUGIN_ACCESS_WRITE ? "a write key does not open this" : "the key is not known";
	*ret_hint = r->have == FW_PLUGIN_ACCESS_WRITE ? "use a secret key, on a server" : NULL;
	return r->have == FW_PLUGIN_ACCESS_WRITE ? 403 : 401;
}

bool fw_access_cors(struct fw_http_request *http, const struct fw_config *config, unsigned allowed)
{
	struct fw_str origin = fw_http_header(http, "Origin");
	char methods[64];
	if (!origin.p || config->cors.n == 0)
		return false;
	bool known = false;
	for (unsigned i = 0; i < config->cors.n && !known; i++)
		known = fw_str_equal_fold(origin, config->cors.items[i]);
	fw_http_reply_header(http, "Vary", "Origin");
	bool preflight = fw_http_method(http) == FW_HTTP_OPTIONS && fw_http_header(http, "Access-Control-Request-Method").p;
	char *copy = known ? fw_arena_strndup(fw_http_arena(http), origin.p, origin.n) : NULL;
	if (copy) {
		fw_http_reply_header(http, "Access-Control-Allow-Origin", copy);
		fw_http_reply_header(http, "Timing-Allow-Origin", copy);
		fw_http_reply_header(http, "Access-Control-Expose-Headers", "ETag, Retry-After, traceparent");
	}
	if (copy && preflight) {
		fw_http_reply_header(http, "Access-Control-Allow-Methods", fw_http_allow_text(allowed, methods, sizeof methods));
		fw_http_reply_header(http, "Access-Control-Allow-Headers",
			"Authorization, Content-Type, If-None-Match, Last-Event-ID, X-API-Key, X-Retry-Count, traceparent");
		fw_http_reply_header(http, "Access-Control-Max-Age", "86400");
	}
	if (preflight)
		fw_http_reply(http, 204, NULL, NULL, 0);
	return preflight;
}
