/* A host and a gateway that a test of the plugin sms plays: what is asked of either is kept in `h`, and answered as the test likes. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/sms/sms.h"
#include "common/escape.h"

typedef void (*answered)(struct fw_plugin_instance *self, void *data, const struct fw_plugin_http_answer *answer);

/* A request to the plugin, and its answer. */
struct fw_plugin_request {
	const char *path, *segment, *second;
	const char *params[10]; /* name and value in turn */
	const char *signature, *body;
	int access;
	int status;             /* of the answer; 0: none yet */
	char type[32], said[512], retry_after[8];
	void *blocks[16];
	unsigned n_blocks;
};

/* What the plugin asked of the host, the last of each kind. */
static struct {
	const char *config[32]; /* key and value in turn */
	double max_segments;
	char log[512];
	unsigned logs;
	int64_t metrics[SMS_METRIC_REPLIES + 1];
	int64_t now_us;
	bool unsigned_yet;      /* `sign` cannot yet */
	bool no_http;

	unsigned asks;
	uint32_t timeout_ms;
	char method[8], url[512], headers[2048], body[8192], user[64], password[64];
	answered done;
	void *data;

	unsigned results;
	char result_id[64], reason[512];
	int outcome;
	int64_t after_ms;

	unsigned events, suppressions;
	char event_id[64], event[32], event_json[512], suppressed[32], suppression[256];
	fw_plugin_done told;
	void *told_data;
} h;

FW_PLUGIN_EXPORT extern const struct fw_plugin floorwalker_plugin;
static struct fw_plugin_instance *self;

static const char *config_text(const struct fw_host *host, const char *key, const char *otherwise)
{
	(void)host;
	for (unsigned i = 0; h.config[i]; i += 2)
		if (strcmp(h.config[i], key) == 0)
			return h.config[i + 1];
	return otherwise;
}

static double config_number(const struct fw_host *host, const char *key, double otherwise)
{
	(void)host;
	return strcmp(key, "max_segments") == 0 && h.max_segments != 0 ? h.max_segments : otherwise;
}

static int config_only(const struct fw_host *host, const char *const *known, struct fw_plugin_problem *problem)
{
	(void)host;
	for (unsigned i = 0; h.config[i]; i += 2) {
		const char *const *k = known;
		while (*k && strcmp(*k, h.config[i]) != 0)
			k++;
		if (!*k) {
			snprintf(problem->message, sizeof problem->message, "%s is not known", h.config[i]);
			return -1;
		}
	}
	return 0;
}

static void host_log(const struct fw_host *host, int level, const char *text)
{
	(void)host;
	snprintf(h.log, sizeof h.log, "%d %s", level, text);
	h.logs += level >= FW_PLUGIN_WARN;
}

static void metric_add(const struct fw_host *host, unsigned index, int64_t n)
{
	(void)host;
	assert_in_range(index, 0, SMS_METRIC_REPLIES);
	h.metrics[index] += n;
}

static int64_t monotonic_us(const struct fw_host *host)
{
	(void)host;
	return h.now_us;
}

static int http(const struct fw_host *host, const struct fw_plugin_http_request *r, answered done, void *data)
{
	(void)host;
	if (h.no_http)
		return -1;
	h.asks++;
	h.timeout_ms = r->timeout_ms;
	snprintf(h.method, sizeof h.method, "%s", r->method);
	snprintf(h.url, sizeof h.url, "%s", r->url);
	h.headers[0] = '\0';
	for (const char *const *p = r->headers; p && *p; p++)
		snprintf(h.headers + strlen(h.headers), sizeof h.headers - strlen(h.headers), "%s\n", *p);
	snprintf(h.body, sizeof h.body, "%.*s", (int)r->body.n, r->body.p);
	snprintf(h.user, sizeof h.user, "%s", r->user ? r->user : "");
	snprintf(h.password, sizeof h.password, "%s", r->password ? r->password : "");
	h.done = done;
	h.data = data;
	return 0;
}

static int deliver_retry(const struct fw_host *host, const char *id, int64_t after_ms, const char *reason)
{
	(void)host;
	h.results++;
	h.outcome = FW_PLUGIN_RETRY;
	h.after_ms = after_ms;
	snprintf(h.result_id, sizeof h.result_id, "%s", id);
	snprintf(h.reason, sizeof h.reason, "%s", reason ? reason : "");
	return 0;
}

static int deliver_result(const struct fw_host *host, const char *id, int outcome, const char *reason)
{
	deliver_retry(host, id, -1, reason);
	h.outcome = outcome;
	return 0;
}

static void message_event(const struct fw_host *host, const char *id, const char *name, struct fw_plugin_text json, fw_plugin_done done,
	void *data)
{
	(void)host;
	h.events++;
	snprintf(h.event_id, sizeof h.event_id, "%s", id);
	snprintf(h.event, sizeof h.event, "%s", name);
	snprintf(h.event_json, sizeof h.event_json, "%.*s", (int)json.n, json.n ? json.p : "");
	h.told = done;
	h.told_data = data;
}

static void suppress(const struct fw_host *host, const char *address, struct fw_plugin_text json, fw_plugin_done done, void *data)
{
	(void)host;
	h.suppressions++;
	snprintf(h.suppressed, sizeof h.suppressed, "%s", address);
	snprintf(h.suppression, sizeof h.suppression, "%.*s", (int)json.n, json.p);
	h.told = done;
	h.told_data = data;
}

/* No MAC, but different for different texts. */
static int host_sign(const struct fw_host *host, struct fw_plugin_text what, unsigned char ret_mac[32])
{
	(void)host;
	if (h.unsigned_yet)
		return -1;
	memset(ret_mac, 0x5a, 32);
	for (size_t i = 0; i < what.n; i++)
		ret_mac[i % 16] = (unsigned char)(ret_mac[i % 16] * 31 + what.p[i]);
	return 0;
}

static struct fw_plugin_text text_of(const char *p)
{
	return (struct fw_plugin_text){ p, p ? strlen(p) : 0 };
}

static struct fw_plugin_text request_segment(struct fw_plugin_request *r, unsigned index)
{
	return text_of(index == 0 ? r->segment : index == 1 ? r->second : NULL);
}

static struct fw_plugin_text request_param(struct fw_plugin_request *r, const char *name)
{
	for (unsigned i = 0; r->params[i]; i += 2)
		if (strcmp(r->params[i], name) == 0)
			return text_of(r->params[i + 1]);
	return text_of(NULL);
}

static struct fw_plugin_text request_header(const struct fw_plugin_request *r, const char *name)
{
	return text_of(strcmp(name, "X-Twilio-Signature") == 0 ? r->signature : NULL);
}

static struct fw_plugin_text request_body(const struct fw_plugin_request *r)
{
	return text_of(r->body);
}

static struct fw_plugin_text request_path(const struct fw_plugin_request *r)
{
	return text_of(r->path);
}

static int request_access(const struct fw_plugin_request *r)
{
	return r->access;
}

static void *request_alloc(struct fw_plugin_request *r, size_t n)
{
	assert_in_range(r->n_blocks, 0, 15);
	return r->blocks[r->n_blocks++] = malloc(n);
}

static int reply_header(struct fw_plugin_request *r, const char *name, const char *value)
{
	assert_string_equal(name, "Retry-After");
	snprintf(r->retry_after, sizeof r->retry_after, "%s", value);
	return 0;
}

/* Its memory is gone, as the host's would be. */
static void reply(struct fw_plugin_request *r, int status, const char *type, const void *body, size_t n)
{
	assert_int_equal(r->status, 0);
	r->status = status;
	snprintf(r->type, sizeof r->type, "%s", type ? type : "");
	snprintf(r->said, sizeof r->said, "%.*s", (int)n, (const char *)body);
	while (r->n_blocks > 0)
		free(r->blocks[--r->n_blocks]);
}

static void host_error(struct fw_plugin_request *r, int status, const char *code, const char *message, const char *path, const char *hint)
{
	(void)path;
	(void)message;
	(void)hint;
	reply(r, status, "application/json", code, strlen(code));
}

static const struct fw_host host = {
	.abi_major = 1, .abi_minor = FW_PLUGIN_ABI_MINOR, .struct_size = sizeof host, .log = host_log, .config_only = config_only,
		.config_text = config_text,
	.config_number = config_number, .metric_add = metric_add, .monotonic_us = monotonic_us, .request_path = request_path,
	.request_segment = request_segment, .request_param = request_param, .request_header = request_header, .request_body = request_body,
	.request_access = request_access, .request_alloc = request_alloc, .reply_header = reply_header, .reply = reply, .error = host_error,
	.deliver_result = deliver_result, .deliver_retry = deliver_retry, .message_event = message_event, .suppress = suppress,
	.sign = host_sign, .http = http,
};

static const char *const kannel[] = { "gateway", "kannel", "url", "http://127.0.0.1:13013", "username", "u", "password", "p",
	"from", "12345", "brand", "Shop", NULL };
static const char *const twilio[] = { "gateway", "twilio", "url", "https://api.test/", "account", "AC1", "token", "tok",
	"from", "+15559998888", "callback", "https://d.test/", NULL };

/* The configuration, with that key of it otherwise: NULL leaves it out. */
static inline void configured(const char *const *config, const char *key, const char *value)
{
	unsigned n = 0;
	memset(&h, 0, sizeof h);
	h.now_us = 1000000000;
	for (; *config; config += 2)
		if (!key || strcmp(config[0], key) != 0) {
			h.config[n++] = config[0];
			h.config[n++] = config[1];
		}
	h.config[n] = value ? key : NULL;
	h.config[n + 1] = value;
}

/* The same as the host hands it over. */
static inline struct fw_plugin_text configuration(void)
{
	static char text[8192];
	size_t n = (size_t)snprintf(text, sizeof text, "{\"max_segments\":%g", h.max_segments != 0 ? h.max_segments : 3);
	for (unsigned i = 0; h.config[i]; i += 2) {
		n += (size_t)snprintf(text + n, sizeof text - n, ",\"%s\":\"", h.config[i]);
		n += common_json_escape(h.config[i + 1], strlen(h.config[i + 1]), text + n);
		n += (size_t)snprintf(text + n, sizeof text - n, "\"");
	}
	n += (size_t)snprintf(text + n, sizeof text - n, "}");
	return (struct fw_plugin_text){ text, n };
}

static inline void begin_with(const char *const *config, const char *key, const char *value)
{
	struct fw_plugin_problem problem = { .message = "" };
	configured(config, key, value);
	if (floorwalker_plugin.start(&host, configuration(), &self, &problem) < 0)
		fail_msg("%s", problem.message);
}

static inline void begin(const char *const *config)
{
	begin_with(config, NULL, NULL);
}

static inline int end(void **state)
{
	(void)state;
	if (self)
		floorwalker_plugin.stop(self);
	self = NULL;
	return 0;
}

static inline void gateway_says(int status, const char *body, int64_t retry_after_ms)
{
	struct fw_plugin_http_answer a = { sizeof a, status, text_of(body), retry_after_ms, status ? NULL : "connection refused" };
	answered done = h.done;
	assert_non_null(done);
	h.done = NULL;
	done(self, h.data, &a);
}

static inline void host_says(int status, const char *json)
{
	fw_plugin_done told = h.told;
	assert_non_null(told);
	h.told = NULL;
	told(self, h.told_data, status, text_of(json));
}

static inline void token_of(char token[COMMON_MARK_BYTES + 1])
{
	assert_int_equal(common_mark_make(&sms_report_token, &host, "m1", token), 0);
}
