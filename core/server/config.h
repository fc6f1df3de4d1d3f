/* The configuration: one Lua file, evaluated in a small sandbox of its own, every key checked. */
#ifndef FW_SERVER_CONFIG_H
#define FW_SERVER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "http/limits.h"
#include "server/address.h"
#include "server/rates.h"

/* Texts, ended by their count. */
struct fw_config_texts {
	struct fw_str *items; /* terminated */
	unsigned n;
};

struct fw_config_plugin {
	const char *name;
	struct fw_str json; /* its part of the configuration, an object; terminated */
};

/* The limits that are not HTTP's; base/limits.h tells each one's meaning. */
struct fw_spool_limits {
	unsigned spool_events;
	size_t spool_bytes;
};

struct fw_stream_limits {
	unsigned streams, streams_per_address;
	int64_t stream_beat_ms, stream_ms;
};

struct fw_process_limits {
	int64_t delivery_ms, message_again_ms;
	int64_t load_ms, heartbeat_ms, drain_ms, kill_ms, restart_ms;
};

/* Paths are absolute. */
struct fw_config {
	struct fw_arena arena;
	const char *file, *folder;
	struct fw_str text; /* the file as it was read */

	struct fw_address *listen;
	unsigned n_listen;
	unsigned workers;
	const char *run, *rules;
	const char *compliance;   /* NULL: turned off */
	bool compliance_told;     /* by the file, and not the shipped one */
	const char *plugin_path;  /* NULL: where the program finds its own */
	struct fw_config_plugin *plugins; /* by name */
	unsigned n_plugins;
	const char *geo_database; /* or NULL */
	struct fw_config_texts write_keys, secret_keys;
	struct fw_str identity_key; /* n 0: none */
	const char *timezone, *currency;
	int64_t retain_anonymous_s, retain_known_s; /* after a person's last event */
	double holdout;
	struct fw_network *proxies;
	unsigned n_proxies;
	bool proxy_unix;           /* "unix": Unix sockets are a proxy's */
	struct fw_config_texts hosts; /* the store's own, for traffic sources */
	struct fw_config_texts cors;  /* origins */
	const char *user, *group;  /* or NULL */
	const char *log_file;      /* NULL: stderr */
	enum fw_log_level log_level;
	struct fw_http_limits http;
	struct fw_rate_limits rates;
	struct fw_spool_limits spool_limits;
	struct fw_process_limits process;

	const char *store;      /* "lmdb:/absolute/folder" */
	const char *durability; /* "commit" or "interval"; of Redis "server" or "replicated" */
	const char *spool;      /* a folder, or NULL: events are not taken while the store is out of reach */

	/* Checked and kept for what acts on them. */
	const struct fw_json *consent, *decisions; /* objects, or NULL */
	const struct fw_json *check; /* "error", "warn", or NULL */
	const struct fw_json *shadow; /* text, an object, or NULL */
	const struct fw_json *reload; /* an object, or NULL */
	struct fw_stream_limits streams;
	const char *catalog;        /* the file of the products' feed, or NULL */
};

/* The path that is used: `given` (--config) or the first of ./floorwalker.lua, /etc/floorwalker/floorwalker.lua that
 * exists; NULL when there is none. The text is constant or `given`. */
const char *fw_config_find(const char *given);

/* Reads and checks the file. 0, or FW_EINVAL, FW_EIO, FW_ENOMEM with the error (file, line, cause, hint). */
int fw_config_load(const char *file, struct fw_config **ret, struct fw_error *err);
/* The same from text that was read before; `file` is what messages name, `folder` (absolute) what paths start from. */
int fw_config_parse(struct fw_str text, const char *file, const char *folder, struct fw_config **ret, struct fw_error *err);
void fw_config_destroy(struct fw_config *config);

/* Whether anybody is asked for a key. */
bool fw_config_has_keys(const struct fw_config *config);

/* Where this program's own parts are: `what` below the tree that it was built in, else installed ("plugins",
 * "compliance"). An absolute path in the arena, or NULL when it is in neither place. */
const char *fw_config_own(struct fw_arena *a, const char *what);

/* The names of all keys, ended by NULL; and of all limits. */
const char *const *fw_config_keys(void);
const char *const *fw_config_limit_names(void);

/* A file as a whole, terminated, in the arena; at most `most` bytes. 0, FW_EIO, FW_ELIMIT, FW_ENOMEM. */
int fw_config_read_file(struct fw_arena *a, const char *path, size_t most, struct fw_str *ret, struct fw_error *err);

#endif
