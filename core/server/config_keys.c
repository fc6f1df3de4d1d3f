#include "server/config_keys.h"

#include <ctype.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/zone.h"
#include "server/config_decisions.h"
#include "server/rehearsal.h"
#include "server/shadow.h"
#include "server/config_values.h"
#include "store/redis_url.h"
#include "store/store.h"

static int key_listen(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	struct fw_config_texts texts;
	int rc = fw_config_text_list(c, v, &texts, err);
	if (rc < 0)
		return rc;
	if (texts.n == 0 || texts.n > FW_LIMIT_LISTENERS)
		return fw_fail(err, FW_EINVAL, NULL, 0, "listen wants 1 to %d addresses", FW_LIMIT_LISTENERS);
	if (!(c->listen = FW_NEW_ARRAY(&c->arena, texts.n, struct fw_address)))
		return fw_config_no_memory(err);
	for (c->n_listen = 0; c->n_listen < texts.n; c->n_listen++)
		if ((rc = fw_address_parse(texts.items[c->n_listen], c->folder, &c->listen[c->n_listen], err)) < 0)
			return rc;
	return 0;
}

static unsigned processors(void)
{
	cpu_set_t set;
	unsigned n = sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
	return n < 1 ? 1 : n > FW_LIMIT_WORKERS ? FW_LIMIT_WORKERS : n;
}

static int key_workers(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	double n = 0;
	if (v->type == FW_JSON_STRING && fw_str_is(v->string, "auto"))
		return 0;
	if (v->type != FW_JSON_NUMBER)
		return fw_config_wanted(v, "\"auto\" or a number", err);
	int rc = fw_config_number(v, 1, FW_LIMIT_WORKERS, true, &n, err);
	c->workers = (unsigned)n;
	return rc;
}

static int key_run(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	return fw_config_path(c, v, &c->run, err);
}

static int key_rules(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	return fw_config_path(c, v, &c->rules, err);
}

static int key_compliance(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	c->compliance_told = true;
	if (v->type == FW_JSON_BOOL && !v->boolean) {
		c->compliance = NULL;
		return 0;
	}
	if (v->type != FW_JSON_STRING)
		return fw_config_wanted(v, "a folder, or false", err);
	return fw_config_path(c, v, &c->compliance, err);
}

static int key_store(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	const char *text;
	int rc = fw_config_text(v, &text, err);
	if (rc < 0)
		return rc;
	if (fw_redis_url_is(text)) {
		struct fw_redis_url url;
		c->store = text;
		return fw_redis_url_parse(&c->arena, text, &url, err);
	}
	const char *folder = fw_store_folder(text);
	if (!folder) { /* what comes behind the colon may be a password */
		fw_fail(err, FW_EINVAL, NULL, 0, "store cannot be \"%.*s\": it is of no known kind", (int)strcspn(text, ":"), text);
		fw_hint(err, "write \"lmdb:FOLDER\", \"redis://HOST\" or \"redis-cluster://HOST:PORT,HOST:PORT\"");
		return FW_EINVAL;
	}
	c->store = folder[0] == '/' ? text : fw_arena_printf(&c->arena, "lmdb:%s/%s", c->folder, folder);
	return c->store ? 0 : fw_config_no_memory(err);
}

static int key_spool(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	return fw_config_path(c, v, &c->spool, err);
}

static int key_durability(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	static const char *const words[] = { "commit", "interval", "server", "replicated", NULL };
	return fw_config_one_of(v, words, &c->durability, err);
}

static bool plugin_name_fits(const char *name)
{
	if (!islower((unsigned char)name[0]))
		return false;
	for (; *name; name++)
		if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

static int key_plugins(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	if (v->type != FW_JSON_OBJECT)
		return fw_config_wanted(v, "a table of plugins by name", err);
	if (v->count > FW_LIMIT_PLUGINS)
		return fw_fail(err, FW_EINVAL, NULL, 0, "plugins names more than %d", FW_LIMIT_PLUGINS);
	if (!(c->plugins = FW_NEW_ARRAY(&c->arena, v->count + 1, struct fw_config_plugin)))
		return fw_config_no_memory(err);
	for (const struct fw_json *m = v->child; m; m = m->next) {
		if (!plugin_name_fits(m->key.p))
			return fw_fail(err, FW_EINVAL, NULL, 0, "\"%s\" is no plugin's name: small letters, digits and _", m->key.p);
		if (m->type != FW_JSON_OBJECT)
			return fw_fail(err, FW_EINVAL, NULL, 0, "plugins.%s wants a table with names, {} at least", m->key.p);
		struct fw_buf b;
		struct fw_json_out o;
		fw_buf_init(&b, 0);
		fw_json_out_init(&o, &b);
		fw_json_tree(&o, m);
		const char *json = fw_arena_strndup(&c->arena, b.data, b.n);
		c->plugins[c->n_plugins++] = (struct fw_config_plugin){ m->key.p, { json, b.n } };
		bool failed = b.failed || !json;
		fw_buf_finish(&b);
		if (failed)
			return fw_config_no_memory(err);
	}
	return 0;
}

static int key_plugin_path(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	return fw_config_path(c, v, &c->plugin_path, err);
}

static int key_geo(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	static const char *const known[] = { "database", NULL };
	int rc = fw_config_only(v, known, err);
	const struct fw_json *database = fw_json_get(v, "database");
	return rc == 0 && database ? fw_config_path(c, database, &c->geo_database, err) : rc;
}

static int key_catalog(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	static const char *const known[] = { "file", NULL };
	int rc = fw_config_only(v, known, err);
	const struct fw_json *file = fw_json_get(v, "file");
	if (rc == 0 && !file)
		return fw_fail(err, FW_EINVAL, NULL, 0, "catalog wants a file: { file = \"products.jsonl\" }");
	return rc < 0 ? rc : fw_config_path(c, file, &c->catalog, err);
}

static int key_keys(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	static const char *const known[] = { "write", "secret", "identity", NULL };
	const struct fw_json *write = fw_json_get(v, "write"), *secret = fw_json_get(v, "secret");
	const struct fw_json *identity = fw_json_get(v, "identity");
	const char *text = NULL;
	int rc = fw_config_only(v, known, err);
	if (rc == 0 && write)
		rc = fw_config_text_list(c, write, &c->write_keys, err);
	if (rc == 0 && secret)
		rc = fw_config_text_list(c, secret, &c->secret_keys, err);
	if (rc == 0 && identity && (rc = fw_config_text(identity, &text, err)) == 0)
		c->identity_key = identity->string;
	return rc;
}

static int key_consent(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	c->consent = v;
	return fw_config_consent(v, err);
}

static int key_retain(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	static const char *const known[] = { "anonymous", "known", NULL };
	int rc = fw_config_only(v, known, err);
	for (const struct fw_json *m = v->child; m && rc == 0; m = m->next)
		rc = fw_config_age(m, fw_str_is(m->key, "known") ? &c->retain_known_s : &c->retain_anonymous_s, err);
	return rc;
}

static int key_decisions(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	struct fw_config_decisions ret;
	c->decisions = v;
	return fw_config_decisions(c, &c->arena, &ret, err);
}

static int key_shadow(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	struct fw_config_shadow ret;
	c->shadow = v;
	return fw_config_shadow(c, &c->arena, &ret, err);
}

static int key_reload(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	struct fw_config_reload ret;
	c->reload = v;
	return fw_config_reload(c, &ret, err);
}

static int key_holdout(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	return fw_config_number(v, 0, 100, false, &c->holdout, err);
}

static int key_timezone(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	int rc = fw_config_text(v, &c->timezone, err);
	if (rc < 0)
		return rc;
	struct fw_zone_set *zones = fw_zone_set_create();
	if (!zones)
		return fw_config_no_memory(err);
	if (!fw_zone_find(zones, v->string)) {
		rc = fw_fail(err, FW_EINVAL, NULL, 0, "there is no time zone \"%s\"", c->timezone);
		fw_hint(err, "write an IANA name, such as \"Europe/Berlin\"");
	}
	fw_zone_set_destroy(zones);
	return rc;
}

static int key_currency(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	int rc = fw_config_text(v, &c->currency, err);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < 4; i++)
		if (i < 3 ? !isupper((unsigned char)c->currency[i]) : c->currency[i] != 0)
			return fw_fail(err, FW_EINVAL, NULL, 0, "currency wants three capital letters, such as \"EUR\"");
	return 0;
}

static int key_proxies(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	struct fw_config_texts texts;
	int rc = fw_config_text_list(c, v, &texts, err);
	if (rc < 0)
		return rc;
	if (!(c->proxies = FW_NEW_ARRAY(&c->arena, texts.n + 1, struct fw_network)))
		return fw_config_no_memory(err);
	for (unsigned i = 0; i < texts.n && rc == 0; i++) {
		if (fw_str_is(texts.items[i], "unix"))
			c->proxy_unix = true;
		else
			rc = fw_network_parse(texts.items[i], &c->proxies[c->n_proxies++], err);
	}
	return rc;
}

static int key_hosts(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	return fw_config_text_list(c, v, &c->hosts, err);
}

static int key_cors(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	int rc = fw_config_text_list(c, v, &c->cors, err);
	for (unsigned i = 0; i < c->cors.n && rc == 0; i++) {
		const char *origin = c->cors.items[i].p;
		const char *host = strstr(origin, "://");
		if (!host || host == origin || !host[3] || strchr(host + 3, '/') || strchr(origin, '*')) {
			rc = fw_fail(err, FW_EINVAL, NULL, 0, "\"%s\" is no origin", origin);
			fw_hint(err, "write scheme and host without a path, such as \"https://shop.example\"");
		}
	}
	return rc;
}

static int key_user(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	return fw_config_text(v, &c->user, err);
}

static int key_group(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	return fw_config_text(v, &c->group, err);
}

static int key_log(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	static const char *const known[] = { "file", "level", NULL };
	static const char *const levels[] = { "debug", "info", "warn", "error", NULL };
	const struct fw_json *file = fw_json_get(v, "file"), *level = fw_json_get(v, "level");
	const char *word = NULL;
	int rc = fw_config_only(v, known, err);
	if (rc == 0 && file)
		rc = fw_config_path(c, file, &c->log_file, err);
	if (rc == 0 && level && (rc = fw_config_one_of(level, levels, &word, err)) == 0)
		for (unsigned i = 0; levels[i]; i++)
			if (strcmp(levels[i], word) == 0)
				c->log_level = (enum fw_log_level)i;
	return rc;
}

static int key_check(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	c->check = v;
	bool known = v->type == FW_JSON_STRING && (fw_str_is(v->string, "error") || fw_str_is(v->string, "warn"));
	return known ? 0 : fw_config_wanted(v, "\"error\" or \"warn\"", err);
}

struct limit {
	const char *name;
	size_t offset;
	enum { SIZE, UNSIGNED, MILLISECONDS } type;
};

#define HTTP(name, type) { #name, offsetof(struct fw_config, http.name), type }
#define RATE(name) { #name, offsetof(struct fw_config, rates.name), UNSIGNED }
#define SPOOL(name, type) { #name, offsetof(struct fw_config, spool_limits.name), type }
#define STREAM(name, type) { #name, offsetof(struct fw_config, streams.name), type }
#define PROCESS(name) { #name, offsetof(struct fw_config, process.name), MILLISECONDS }
static const struct limit limits[] = {
	HTTP(body_bytes, SIZE), HTTP(header_bytes, SIZE), HTTP(url_bytes, SIZE), HTTP(request_bytes, SIZE),
	HTTP(headers, UNSIGNED), HTTP(connections, UNSIGNED), HTTP(pipelined, UNSIGNED), HTTP(max_inflight, UNSIGNED),
	HTTP(header_ms, MILLISECONDS), HTTP(body_ms, MILLISECONDS), HTTP(idle_ms, MILLISECONDS), HTTP(write_ms, MILLISECONDS),
	HTTP(linger_ms, MILLISECONDS), HTTP(drain_idle_ms, MILLISECONDS),
	RATE(per_address_s), RATE(per_key_s), RATE(new_per_address_min),
	SPOOL(spool_events, UNSIGNED), SPOOL(spool_bytes, SIZE),
	STREAM(streams, UNSIGNED), STREAM(streams_per_address, UNSIGNED),
	STREAM(stream_beat_ms, MILLISECONDS), STREAM(stream_ms, MILLISECONDS),
	PROCESS(delivery_ms), PROCESS(message_again_ms),
	PROCESS(load_ms), PROCESS(heartbeat_ms), PROCESS(drain_ms), PROCESS(kill_ms), PROCESS(restart_ms),
};
enum { LIMITS = sizeof limits / sizeof *limits };

const char *const *fw_config_limit_names(void)
{
	static const char *names[LIMITS + 1];
	for (size_t i = 0; i < LIMITS; i++)
		names[i] = limits[i].name;
	return names;
}

static void set_limit(struct fw_config *c, const struct limit *l, double number)
{
	char *at = (char *)c + l->offset;
	size_t size = (size_t)number;
	unsigned whole = (unsigned)number;
	int64_t ms = (int64_t)number;
	if (l->type == SIZE)
		memcpy(at, &size, sizeof size);
	else if (l->type == UNSIGNED)
		memcpy(at, &whole, sizeof whole);
	else
		memcpy(at, &ms, sizeof ms);
}

static int key_limits(struct fw_config *c, const struct fw_json *v, struct fw_error *err)
{
	enum { HOUR_MS = 3600000 };
	int rc = fw_config_only(v, fw_config_limit_names(), err);
	for (const struct fw_json *m = v->child; m && rc == 0; m = m->next) {
		const struct limit *l = limits;
		double number = 0;
		while (strcmp(l->name, m->key.p) != 0)
			l++;
		bool process = l->offset >= offsetof(struct fw_config, process) && l->type == MILLISECONDS;
		rc = fw_config_number(m, process ? 10 : 0, process ? HOUR_MS : 4e9, true, &number, err);
		if (rc == 0)
			set_limit(c, l, number);
	}
	return rc < 0 ? rc : fw_http_limits_check(&c->http, err);
}

static const struct {
	const char *name;
	int (*read)(struct fw_config *c, const struct fw_json *v, struct fw_error *err);
} keys[] = {
	{ "listen", key_listen }, { "workers", key_workers }, { "run", key_run }, { "rules", key_rules },
	{ "compliance", key_compliance }, { "store", key_store }, { "durability", key_durability }, { "spool", key_spool },
	{ "plugins", key_plugins }, { "plugin_path", key_plugin_path }, { "geo", key_geo }, { "catalog", key_catalog },
	{ "keys", key_keys },
	{ "consent", key_consent }, { "retain", key_retain }, { "decisions", key_decisions }, { "shadow", key_shadow },
	{ "reload", key_reload }, { "holdout", key_holdout },
	{ "timezone", key_timezone }, { "currency", key_currency }, { "limits", key_limits }, { "proxies", key_proxies },
	{ "hosts", key_hosts }, { "cors", key_cors }, { "user", key_user }, { "group", key_group }, { "log", key_log },
	{ "check", key_check },
};
enum { KEYS = sizeof keys / sizeof *keys };

const char *const *fw_config_keys(void)
{
	static const char *names[KEYS + 1];
	for (size_t i = 0; i < KEYS; i++)
		names[i] = keys[i].name;
	return names;
}

int fw_config_set_key(struct fw_config *c, const struct fw_json *value, struct fw_error *err)
{
	for (size_t i = 0; i < KEYS; i++)
		if (strcmp(keys[i].name, value->key.p) == 0)
			return keys[i].read(c, value, err);
	return FW_ENOENT;
}

int fw_config_set_defaults(struct fw_config *c)
{
	c->workers = processors();
	c->timezone = "UTC";
	c->currency = "EUR";
	c->log_level = FW_LOG_INFO;
	c->retain_anonymous_s = INT64_C(90) * FW_CONFIG_DAY_S;
	c->retain_known_s = 25 * (int64_t)FW_CONFIG_MONTH_S;
	c->run = fw_arena_printf(&c->arena, "%s/var/run", c->folder);
	c->store = fw_arena_printf(&c->arena, "lmdb:%s/var/data", c->folder);
	c->compliance = fw_config_own(&c->arena, "compliance");
	fw_http_limits_default(&c->http);
	c->rates = (struct fw_rate_limits){ FW_LIMIT_PER_ADDRESS_S, FW_LIMIT_PER_KEY_S, FW_LIMIT_NEW_PER_ADDRESS_MIN };
	c->spool_limits = (struct fw_spool_limits){ FW_LIMIT_SPOOL_EVENTS, FW_LIMIT_SPOOL_BYTES };
	c->streams = (struct fw_stream_limits){
		FW_LIMIT_STREAMS, FW_LIMIT_STREAMS_PER_ADDRESS, FW_LIMIT_STREAM_BEAT_MS, FW_LIMIT_STREAM_MS,
	};
	c->process = (struct fw_process_limits){
		.load_ms = FW_LIMIT_LOAD_MS,
		.heartbeat_ms = FW_LIMIT_HEARTBEAT_MS,
		.drain_ms = FW_LIMIT_DRAIN_MS,
		.kill_ms = FW_LIMIT_KILL_MS,
		.restart_ms = FW_LIMIT_RESTART_MS, .delivery_ms = FW_LIMIT_DELIVERY_MS, .message_again_ms = FW_LIMIT_MESSAGE_AGAIN_MS,
	};
	return c->run && c->store ? 0 : FW_ENOMEM;
}

/* Each kind of store has its own promises. */
static int set_durability(struct fw_config *c, struct fw_error *err)
{
	const char *durability = fw_store_durability_for(c->store, c->durability);
	if (durability) {
		c->durability = durability;
		return 0;
	}
	fw_fail(err, FW_EINVAL, c->file, 0, "durability cannot be \"%s\" with this store", c->durability);
	fw_hint(err, fw_redis_url_is(c->store) ? "Redis has \"server\" and \"replicated\"" : "LMDB has \"commit\" and \"interval\"");
	return FW_EINVAL;
}

/* A spool is for a store that can be away: data on this machine's disk is as near as a spool would be. */
static int check_spool(const struct fw_config *c, struct fw_error *err)
{
	if (!c->spool || !fw_store_folder(c->store))
		return 0;
	fw_fail(err, FW_EINVAL, c->file, 0, "spool cannot be used with the store \"%s\", which is as near as the spool", c->store);
	fw_hint(err, "a spool holds events while Redis is out of reach: set store to that, or take spool away");
	return FW_EINVAL;
}

int fw_config_set_rest(struct fw_config *c, struct fw_error *err)
{
	int rc = set_durability(c, err);
	if (rc == 0)
		rc = check_spool(c, err);
	if (rc < 0)
		return rc;
	if (!c->rules)
		return fw_fail(err, FW_EINVAL, c->file, 0, "rules is not set: the folder of the rule files");
	if (!c->compliance && !c->compliance_told) {
		fw_fail(err, FW_EINVAL, c->file, 0, "the compliance folder that floorwalker brings along cannot be found");
		fw_hint(err, "set compliance = \"FOLDER\", or false to serve without");
		return FW_EINVAL;
	}
	if (c->n_listen == 0) {
		static const struct fw_str fallback = { "127.0.0.1:8080", 14 };
		if (!(c->listen = FW_NEW(&c->arena, struct fw_address)))
			return fw_config_no_memory(err);
		c->n_listen = 1;
		return fw_address_parse(fallback, NULL, c->listen, err);
	}
	return 0;
}
