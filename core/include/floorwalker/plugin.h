/* The plugin interface of floorwalker: all that a plugin includes. plugins/README.md is the guide to it.
 *
 * A plugin is a shared object that exports one constant, `floorwalker_plugin`, and links against nothing of ours: what
 * the host does for it comes as a table of functions. A worker has one thread, so nothing here needs a lock; only
 * `post` may be called from a thread that the plugin made itself.
 *
 * Changes
 *   1.0  2026-11-24  the first
 *   1.1  2026-11-25  ingest and visitor are there; request_segment, request_key, request_origin
 *   1.2  2026-11-26  consent is there; consent_as
 *   1.3  2026-11-26  visitor tells "export" and "merges", too; visitor_as
 *   1.4  2026-11-26  deliver_result is there; FW_PLUGIN_ACCEPTED, deliver_retry, message_event, suppress, sign, http
 *   1.5  2026-11-26  a message says until when it may be delivered: until_us; preview
 *   1.6  2026-11-27  stream is there; request_own_key; suppress heeds "id"
 *   1.7  2026-11-27  kv_get, kv_put and node_timer_start are there
 *
 * The rule: what is added at the end of a struct, and a call that was NULL becoming available, raises the minor number;
 * anything moved, removed or with a new meaning raises the major. A plugin is loaded if its major number is the host's
 * and its minor number is at most the host's. A plugin that can use a later addition but does not need it declares the
 * minor number that it needs, and tests `host->abi_minor` and the pointer before the call. */
#ifndef FLOORWALKER_PLUGIN_H
#define FLOORWALKER_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FW_PLUGIN_MAGIC 0x4c505746u /* "FWPL" */
#define FW_PLUGIN_ABI_MAJOR 1
#define FW_PLUGIN_ABI_MINOR 7
#define FW_PLUGIN_EXPORT __attribute__((visibility("default")))

struct fw_host;            /* the host, as this plugin sees it: the table below */
struct fw_plugin_instance; /* the plugin's own, one a worker: define it in the plugin, or never */
struct fw_plugin_request;  /* an HTTP request that waits for its answer */
struct fw_plugin_timer;
struct fw_plugin_watch;

/* Bytes of somebody else; terminated only where said; p NULL: absent. */
struct fw_plugin_text {
	const char *p;
	size_t n;
};

/* Why something is refused, for a person. Zeroed by the host; write what is known. */
struct fw_plugin_problem {
	char message[512];
	char hint[256];
};

/* Methods, as a mask. GET brings HEAD with it. */
enum {
	FW_PLUGIN_GET = 1 << 0,
	FW_PLUGIN_HEAD = 1 << 1,
	FW_PLUGIN_POST = 1 << 2,
	FW_PLUGIN_PUT = 1 << 3,
	FW_PLUGIN_PATCH = 1 << 4,
	FW_PLUGIN_DELETE = 1 << 5,
};

/* Who may ask. The host has checked it before the plugin sees the request. */
enum fw_plugin_access {
	FW_PLUGIN_ACCESS_SECRET = 0,   /* a secret key; without keys in the configuration, loopback */
	FW_PLUGIN_ACCESS_LOOPBACK = 1, /* the same, and loopback in any case */
	FW_PLUGIN_ACCESS_WRITE = 2,    /* a write key as well */
	FW_PLUGIN_ACCESS_ANY = 3,      /* everybody */
};

/* A path at the root that the plugin answers. A path that ends with a slash stands for everything below it. Two claims
 * to one path refuse the whole set. Below `/<name>/` a plugin may claim what it likes. */
struct fw_plugin_route {
	const char *path;
	uint32_t methods; /* of FW_PLUGIN_GET … */
	uint32_t access;  /* enum fw_plugin_access */
	/* Must lead to exactly one reply, now or later. */
	void (*handle)(struct fw_plugin_instance *self, struct fw_plugin_request *request);
};

/* A counter or gauge of its own, shown on /metrics as floorwalker_<plugin>_<name>, summed over all workers. */
struct fw_plugin_metric {
	const char *name; /* [a-z_]+; a counter's ends with "_total" */
	const char *help;
	uint32_t is_gauge;
};

/* A message to deliver, for a plugin that is a channel: the one of its own name. */
struct fw_plugin_message {
	uint32_t struct_size;
	uint32_t attempt;           /* 1, 2 … */
	const char *id;             /* stands for this message in every attempt: the key for a peer that can tell repeats. [a-z0-9]+,
	                             * at most 40: fit for an address, a path, a header */
	const char *to;             /* the address on the channel: an e-mail address, a number as "+4930123456", else the person's id */
	struct fw_plugin_text json; /* {"rule","visitor","class","track","content":{…}}. "class" is "marketing", "service" or
	                             * "transactional", and "track" true where the person lets opens and clicks be followed; both
	                             * since 1.4. "content" is what `send` made; where it names a template, "subject", "html" and
	                             * "text" are what the host made of it, and https://floorwalker.invalid/unsubscribe and
	                             * …/preferences stand for addresses that the channel knows */
	/* Since 1.5. On the clock of monotonic_us: when the host gives this attempt up (limits.delivery_ms after it was claimed)
	 * and may make another. What is handed to the peer later may arrive twice, so a channel begins nothing when not much of
	 * the time is left, says FW_PLUGIN_RETRY well before it is over, and tells nothing of the attempt afterwards. */
	int64_t until_us;
};

enum fw_plugin_outcome {
	FW_PLUGIN_DELIVERED = 0,
	FW_PLUGIN_PENDING = 1, /* deliver_result will say */
	FW_PLUGIN_RETRY = 2,   /* not now; the host decides when */
	FW_PLUGIN_FAILED = 3,  /* never */
	FW_PLUGIN_ACCEPTED = 4, /* since 1.4: a peer has taken it over, and message_event may tell what came of it */
};

/* Where a preview goes, since 1.5. 0, or -1: out of memory, too many of them, or a name that is none. Bytes are copied. */
struct fw_plugin_preview {
	uint32_t struct_size;
	/* A file, by the ending of its name: "eml", "html" … [a-z0-9]+, at most 8. One of an ending. */
	int (*file)(const struct fw_plugin_preview *preview, const char *ending, struct fw_plugin_text bytes);
	/* What else is worth knowing, in a word and a few: "segments", "2". [a-z_]+ */
	int (*note)(const struct fw_plugin_preview *preview, const char *name, const char *value);
};

/* The descriptor. Export exactly one: `FW_PLUGIN_EXPORT extern const struct fw_plugin floorwalker_plugin;`. */
struct fw_plugin {
	/* These never move. */
	uint32_t magic;       /* FW_PLUGIN_MAGIC */
	uint16_t abi_major;   /* FW_PLUGIN_ABI_MAJOR */
	uint16_t abi_minor;   /* the minor number it needs */
	uint32_t struct_size; /* sizeof(struct fw_plugin) */
	uint32_t reserved;    /* 0 */
	const char *name;     /* the file's name without ".so": [a-z][a-z0-9_]* */
	const char *build_id; /* any text that tells builds apart; shown in the log and by `floorwalker status` */

	/* All of these may be NULL. Functions return 0, or -1 with the problem filled. */
	const struct fw_plugin_route *routes;   /* ended by a path of NULL */
	const struct fw_plugin_metric *metrics; /* ended by a name of NULL; index 0 is the first */

	/* In the loader, once a generation: look at the configuration and refuse it or not. No effects: what is made here
	 * reaches no worker. `config` is the plugin's part of the configuration, a JSON object, terminated. */
	int (*configure)(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_problem *problem);
	/* In each worker, before it accepts its first connection: make the instance. */
	int (*start)(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_instance **ret_self,
		struct fw_plugin_problem *problem);
	/* The worker is to end: begin nothing new; what is open has `deadline_ms`. */
	void (*drain)(struct fw_plugin_instance *self, int64_t deadline_ms);
	/* The worker ends now. Its timers and watches have been stopped; free what is left. */
	void (*stop)(struct fw_plugin_instance *self);
	/* Deliver a message: an enum fw_plugin_outcome; with RETRY and FAILED the problem says why. `message` is valid
	 * during the call only. */
	int (*deliver)(struct fw_plugin_instance *self, const struct fw_plugin_message *message,
		struct fw_plugin_problem *problem);
	/* Since 1.5. Writes down what `deliver` would send, for `floorwalker messages preview`: the same bytes, by the same code. There
	 * is no instance, no worker and no peer; it comes after `configure`, and only the calls marked (c) may be made, and now_us,
	 * metric_add and sign, whose key is no store's then: what it signs looks as it will and leads nowhere. 0, or -1 with why it
	 * would not be sent. */
	int (*preview)(const struct fw_host *host, struct fw_plugin_text config, const struct fw_plugin_message *message,
		const struct fw_plugin_preview *preview, struct fw_plugin_problem *problem);
};

/* A request to somebody else's server. Texts are copied. */
struct fw_plugin_http_request {
	uint32_t struct_size;
	uint32_t timeout_ms;          /* 0: 10 s */
	const char *method;           /* NULL: "GET", or "POST" where there is a body */
	const char *url;              /* http or https */
	const char *const *headers;   /* "Name: value", ended by NULL; or NULL */
	struct fw_plugin_text body;   /* p NULL: none */
	const char *user, *password;  /* Basic; NULL: none */
};

/* What came of it, valid during the call. */
struct fw_plugin_http_answer {
	uint32_t struct_size;
	int status;                   /* 0: there was no answer, and `problem` says why */
	struct fw_plugin_text body;   /* at most 1 MiB: one that is larger is no answer */
	int64_t retry_after_ms;       /* Retry-After; -1: it says nothing of that */
	const char *problem;
};

/* The answer of the engine: an HTTP status and one JSON value ({"error":{…}} from 400 on), valid during the call. May be
 * called before the function that asked returns. */
typedef void (*fw_plugin_done)(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json);
typedef void (*fw_plugin_call)(struct fw_plugin_instance *self, void *data);

enum fw_plugin_log_level { FW_PLUGIN_DEBUG, FW_PLUGIN_INFO, FW_PLUGIN_WARN, FW_PLUGIN_ERROR };

enum { FW_PLUGIN_READABLE = 1, FW_PLUGIN_WRITABLE = 2 };

/* What the host does for a plugin. Calls are made as `host->log(host, …)`. In `configure` only those marked (c): the others fail there, -1,
 * NULL or a completion with 503, and the log says so. */
struct fw_host {
	uint16_t abi_major, abi_minor;
	uint32_t struct_size;

	/* (c) A line in the host's log, which adds the plugin's name. */
	void (*log)(const struct fw_host *host, int level, const char *text);

	/* (c) The plugin's configuration. `config_only`: 0, or -1 with the problem filled (and the nearest right key) when
	 * there is a key that `known` (ended by NULL) does not list. The others give `otherwise` when the key is absent
	 * or of another type; texts live as long as the process. A path is made absolute from the configuration's folder. */
	int (*config_only)(const struct fw_host *host, const char *const *known, struct fw_plugin_problem *problem);
	const char *(*config_text)(const struct fw_host *host, const char *key, const char *otherwise);
	const char *(*config_path)(const struct fw_host *host, const char *key, const char *otherwise);
	double (*config_number)(const struct fw_host *host, const char *key, double otherwise);

	/* Adds to the metric of that index (a gauge may go down). */
	void (*metric_add)(const struct fw_host *host, unsigned index, int64_t n);

	/* Time: microseconds since 1970, and for measuring. */
	int64_t (*now_us)(const struct fw_host *host);
	int64_t (*monotonic_us)(const struct fw_host *host);

	/* A timer of this worker, once or every `ms`; NULL: out of memory. One that fired once, or was stopped, is gone. */
	struct fw_plugin_timer *(*timer_start)(const struct fw_host *host, int64_t ms, int repeat, fw_plugin_call fire,
		void *data);
	void (*timer_stop)(struct fw_plugin_timer *timer);

	/* Watches a descriptor until it is unwatched: `ready` is called while it is readable or writable (as asked). */
	struct fw_plugin_watch *(*watch)(const struct fw_host *host, int fd, int events,
		void (*ready)(struct fw_plugin_instance *self, void *data, int fd, int events), void *data);
	void (*unwatch)(struct fw_plugin_watch *watch);

	/* From any thread: has `call` called on the worker's loop. 0, or -1 when too much waits already. */
	int (*post)(const struct fw_host *host, fw_plugin_call call, void *data);

	/* The request. Texts are terminated, except header and body, and live until the reply. */
	unsigned (*request_method)(const struct fw_plugin_request *request); /* one of FW_PLUGIN_GET … */
	struct fw_plugin_text (*request_path)(const struct fw_plugin_request *request);
	struct fw_plugin_text (*request_rest)(const struct fw_plugin_request *request); /* what follows a claimed "…/" */
	struct fw_plugin_text (*request_param)(struct fw_plugin_request *request, const char *name);
	struct fw_plugin_text (*request_header)(const struct fw_plugin_request *request, const char *name);
	struct fw_plugin_text (*request_body)(const struct fw_plugin_request *request);
	/* The client's address, looked for behind trusted proxies; "" when it cannot be told. */
	const char *(*request_address)(struct fw_plugin_request *request);
	/* With what it came: FW_PLUGIN_ACCESS_SECRET, _WRITE, _LOOPBACK, or _ANY for nothing. */
	int (*request_access)(const struct fw_plugin_request *request);
	/* Non-zero: the client has left; it must be answered nonetheless. */
	int (*request_gone)(const struct fw_plugin_request *request);
	/* Memory that lives until the reply; NULL: out of memory. */
	void *(*request_alloc)(struct fw_plugin_request *request, size_t n);

	/* The answer. A header is set before it: 0, or -1 when it may not be. `content_type` may be NULL. `request` is gone
	 * afterwards. `error` writes {"error":{code,message,path?,hint?}}, path and hint may be NULL. */
	int (*reply_header)(struct fw_plugin_request *request, const char *name, const char *value);
	void (*reply)(struct fw_plugin_request *request, int status, const char *content_type, const void *body, size_t n);
	void (*error)(struct fw_plugin_request *request, int status, const char *code, const char *message, const char *path,
		const char *hint);

	/* The engine. `json` is a decide request (interfaces: POST /v1/decide); what its context lacks is taken from
	 * `request`, which may be NULL: then as a server with a secret key asks. The store may have to be waited for; answer the
	 * request only once `done` was called. */
	void (*decide)(const struct fw_host *host, struct fw_plugin_request *request, struct fw_plugin_text json,
		fw_plugin_done done, void *data);
	void (*explain)(const struct fw_host *host, struct fw_plugin_request *request, struct fw_plugin_text json,
		fw_plugin_done done, void *data);
	/* The rule set in service, with its counts. */
	void (*rules_info)(const struct fw_host *host, fw_plugin_done done, void *data);

	/* Since 1.1. Events: an element of /v1/batch's `batch`, a list of them, or the whole body with its `batch`. Done when
	 * they are stored, or refused with a reason: 200 and {"success":true,"accepted":n,"rejected":[{"index","code",
	 * "message"}]}; with 429 and 503 the same may be sent again. `json` and `request` (which may be NULL: then as with a
	 * secret key) must live until then. */
	void (*ingest)(const struct fw_host *host, struct fw_plugin_request *request, struct fw_plugin_text json,
		fw_plugin_done done, void *data);
	/* Since 1.1. What is known of a person, by an id as in /v1/visitors/{id}: `what` is "show" or "timeline"; since 1.3 also "export",
	 * everything that is kept, and "merges", those that can be undone. 404 when nothing is. */
	void (*visitor)(const struct fw_host *host, const char *id, const char *what, fw_plugin_done done, void *data);

	/* Since 1.2. What a person says of purposes and channels, as the body of POST /v1/visitors/{id}/consent has it:
	 * {"grant":["email"],"withdraw":["sms"],"deny":[…],"source":"…","at":"…","text":"…"}. As with a secret key: about anybody.
	 * Done when it is stored: 200 and {"consent":["email"]}, what is granted now; 503: say it again. `json` must live until then. */
	void (*consent)(const struct fw_host *host, const char *id, struct fw_plugin_text json, fw_plugin_done done, void *data);
	/* Since 1.6. Answers `request` with server-sent events for as long as both sides like, which is the host's business: `json` is a
	 * decide request, each event's data its answer, at first and whenever it is another one; with an `id` by which a client that comes
	 * back goes on (Last-Event-ID, or "shown" in `json`). Where `json` has a "notice", a text of one line, that is the data, and
	 * nothing is taken under caps; one that does not say what it shows gets no first event then. Errors are answered as decide
	 * tells them. */
	void (*stream)(const struct fw_host *host, struct fw_plugin_request *request, struct fw_plugin_text json);
	/* Since 1.4. What became of a message whose delivery was FW_PLUGIN_PENDING, in the worker that delivers it: an enum
	 * fw_plugin_outcome; `reason` may be NULL. 0, or -1 when no such message is being delivered here. Each must be told before the
	 * message's until_us, or the attempt counts as lost. */
	int (*deliver_result)(const struct fw_host *host, const char *message_id, int outcome, const char *reason);
	/* Since 1.7. Small values that the plugin of this name keeps in the store: the same for all its workers, and all nodes on that
	 * store. `key`: terminated, 1 to 200 bytes; a value: any bytes, at most 64 KiB. Both are copied. `done` comes once, and not before
	 * this returns but for want of memory: kv_get with 200 and the value as it was put, or 404 {"error":…}: nothing is kept there;
	 * kv_put with 200 {} once it is stored, as durably as the store promises. A value of p NULL takes away what is kept, also where
	 * nothing is. 400: the key is none; 413: the value is too long; 503: the store is out of reach, 256 questions of this plugin and
	 * worker are open already, or the worker ends: what was put may then be stored or not. Who puts last wins; of questions that are
	 * open at once none waits for another. In `stop` nobody answers. It is no place for what is known of people: no erasure comes
	 * there. */
	void (*kv_get)(const struct fw_host *host, const char *key, fw_plugin_done done, void *data);
	void (*kv_put)(const struct fw_host *host, const char *key, struct fw_plugin_text value, fw_plugin_done done, void *data);
	/* Since 1.7. A timer that fires in one worker of the node, whichever it is, once in every `every_ms`: begin it in each worker. It
	 * goes on over reloads and workers that die, without a break, and counts from the daemon's start; only a generation in service
	 * fires. `name`: 1 to 200 bytes, its own among this plugin's. Stopped with timer_stop, in this worker. NULL: no memory, no such
	 * name or interval, or there are 64 of them, of all plugins since the daemon's start. */
	struct fw_plugin_timer *(*node_timer_start)(const struct fw_host *host, const char *name, int64_t every_ms,
		fw_plugin_call fire, void *data);

	/* Since 1.1. A segment of what follows a claimed "…/", the first is 0: percent-decoded as a whole, a slash in it too
	 * (which in path and rest stays "%2F"). Terminated. p NULL: there is none, or it is no text. */
	struct fw_plugin_text (*request_segment)(struct fw_plugin_request *request, unsigned index);
	/* Since 1.1. What the request may do with a key that it carries where only the plugin knows, as in its path: like
	 * request_access, _ANY or _LOOPBACK for a key that is not known. Without keys in the configuration, request_access. */
	int (*request_key)(const struct fw_plugin_request *request, struct fw_plugin_text key);
	/* Since 1.1. Where the client found this server: "http://shop.example:8080", from the Host header, with the scheme that
	 * a trusted proxy tells (X-Forwarded-Proto). "" when it cannot be told. */
	const char *(*request_origin)(struct fw_plugin_request *request);
	/* Since 1.2. `consent` as far as `request` may say it: with a write key for an anonymousId of 16 bytes or more, and of purposes
	 * alone; 403 otherwise. */
	void (*consent_as)(const struct fw_host *host, struct fw_plugin_request *request, const char *id, struct fw_plugin_text json,
		fw_plugin_done done, void *data);
	/* Since 1.3. `visitor`, and a person's rights, for whoever sent `request`, whom the audit names (NULL: the plugin does it).
	 * `what` is one of `visitor`'s, or "erase": 200 with the receipt, 202 while it goes on by itself; "receipt": `id` is that of an
	 * erasure; "restriction": `json` is {"restricted":true} or false; "unmerge": `json` is {"number":7}, or nothing for the latest, and
	 * the answer has the merges that are left. The plugin sees to it that a secret key is asked for. `json` and `request` must live
	 * until then. */
	void (*visitor_as)(const struct fw_host *host, struct fw_plugin_request *request, const char *id, const char *what,
		struct fw_plugin_text json, fw_plugin_done done, void *data);

	/* Since 1.4. As deliver_result with FW_PLUGIN_RETRY, at the earliest after `after_ms`: the peer said when. */
	int (*deliver_retry)(const struct fw_host *host, const char *message_id, int64_t after_ms, const char *reason);
	/* Since 1.4. What is heard of a message later, in whichever process or node: `name` is "delivered", "deferred", "failed",
	 * "bounced" (the address is no good: it is suppressed), "complained" (suppressed, too), "opened", "clicked" or "unsubscribed" (the
	 * channel's consent is withdrawn). It becomes an event of the person ("Email Opened" …) with the properties of the object `json`
	 * ({"url","reason","machine":true …}; may be absent), once per message, name and url. 200 {"changed":true} when it is stored, false
	 * when it was known; 400 there is no such name, or `json` is no object; 404 nobody knows the message; 503 say it again. Texts must
	 * live until then. */
	void (*message_event)(const struct fw_host *host, const char *message_id, const char *name, struct fw_plugin_text json,
		fw_plugin_done done, void *data);
	/* Since 1.4. No message of this channel goes to the address from now on, whoever's it is:
	 * {"reason":"stop","lift":false,"source":"…"}; with "lift":true it may again. The consent of who goes by the address is withdrawn,
	 * told again also; or granted, if it was on the list. Since 1.6 "id": by what this is known, such as the peer's id of a message
	 * that came in; what is told again with it after the contrary was told, within a week, changes nothing. 200 {"changed":true} when
	 * the list did, else false; 400: that is no JSON; 503: say it again. Texts must live until then. */
	void (*suppress)(const struct fw_host *host, const char *address, struct fw_plugin_text json, fw_plugin_done done, void *data);
	/* Since 1.4. HMAC-SHA256 with a key of this plugin's own, the same in every process that works on this store, from `start` on. 0,
	 * or -1 while the store has not told it yet. */
	int (*sign)(const struct fw_host *host, struct fw_plugin_text what, unsigned char ret_mac[32]);
	/* Since 1.4. Asks somebody else's server, on the worker's loop: `done` comes once, and not before this returns, with no answer when
	 * the plugin stops. 0, or -1 (no memory, or no URL): it does not come. */
	int (*http)(const struct fw_host *host, const struct fw_plugin_http_request *request,
		void (*done)(struct fw_plugin_instance *self, void *data, const struct fw_plugin_http_answer *answer), void *data);
	/* Since 1.6. The key that it came with, which need not be a known one (request_access tells what it opens); p NULL: none. */
	struct fw_plugin_text (*request_own_key)(const struct fw_plugin_request *request);
};

#ifdef __cplusplus
}
#endif

#endif
