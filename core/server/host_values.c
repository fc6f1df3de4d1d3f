/* The host's services for plugins: small values in the store.
 *
 *   'K' name 0 key   in the bucket of its hash: what the plugin of that name keeps under that key; any bytes */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "people/people.h"
#include "server/engine_own.h"
#include "server/living.h"
#include "server/plugins_own.h"

/* A question that the plugin has not been answered. */
struct fw_host_value {
	struct fw_loaded *plugin; /* NULL: the plugin has ended, and nobody hears of it */
	fw_plugin_done done;
	void *data;
	struct event *tell;       /* the answer comes in a turn of its own, and so never within the call */
	bool asked;               /* the store has it, and comes back to it */
	int status;
	struct fw_str value;      /* of 200, in the arena */
	const char *code, *problem, *path; /* of any other, static */
	struct fw_arena arena;
	struct fw_host_value *next, **back;
};

/* The plugin's no more. */
static void leave(struct fw_host_value *v)
{
	if (v->plugin) {
		v->plugin->n_values--;
		*v->back = v->next;
		if (v->next)
			v->next->back = v->back;
	}
	v->plugin = NULL;
	if (v->tell)
		event_free(v->tell);
	v->tell = NULL;
}

static void destroy(struct fw_host_value *v)
{
	leave(v);
	fw_arena_finish(&v->arena);
	free(v);
}

static void tell(struct fw_host_value *v)
{
	struct fw_loaded *p = v->plugin;
	struct fw_plugin_text text = { v->value.p, v->value.n };
	struct fw_buf error;
	fw_buf_init(&error, 0);
	if (v->status != 200) {
		fw_engine_error(&error, v->status, v->code, v->problem, v->path, NULL);
		text = (struct fw_plugin_text){ error.data, error.n };
	}
	uint32_t before = fw_loaded_enter(p);
	v->done(p->self, v->data, v->status, text);
	fw_loaded_leave(p, before);
	fw_buf_finish(&error);
	destroy(v);
}

static void on_tell(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	tell(ctx);
}

static void answer(struct fw_host_value *v, int status, const char *code, const char *problem, const char *path)
{
	v->asked = false;
	if (!v->plugin) {
		destroy(v);
		return;
	}
	v->status = status;
	v->code = code;
	v->problem = problem;
	v->path = path;
	event_active(v->tell, 0, 0);
}

static void fail(struct fw_host_value *v, int rc)
{
	answer(v, 503, "unavailable", rc == FW_ENOMEM ? "out of memory" : rc == FW_EFULL ? "the store's disk is full"
		: rc == FW_EBUSY ? "too much waits for the store already" : rc == FW_EIO ? "the value cannot be read"
		: "the store is out of reach", NULL);
}

/* Begins a question, of that key, of the plugin's; its row's key in the arena, and its bucket. NULL: it is answered, or nobody is to be
 * any more. */
static struct fw_host_value *begin(const struct fw_host *host, const char *call, const char *key, fw_plugin_done done, void *data,
	struct fw_str *ret_row, uint32_t *ret_bucket)
{
	struct fw_loaded *p = fw_loaded_of(host);
	struct fw_host_value *v = p->values_ended ? NULL : fw_host_asked(p, call, sizeof *v, done, data);
	if (!v)
		return NULL;
	*v = (struct fw_host_value){ .plugin = p, .done = done, .data = data, .next = p->values, .back = &p->values };
	if (v->next)
		v->next->back = &v->next;
	p->values = v;
	p->n_values++;
	fw_arena_init(&v->arena, NULL, 0, 0);
	if (!(v->tell = event_new(p->worker->base, -1, 0, on_tell, v))) {
		v->status = 503;
		v->code = "unavailable";
		v->problem = "out of memory";
		tell(v);
		return NULL;
	}
	size_t n = key ? strnlen(key, FW_LIMIT_PLUGIN_KEY_BYTES + 1) : 0, name = strlen(p->name) + 1;
	if (n == 0 || n > FW_LIMIT_PLUGIN_KEY_BYTES || 1 + name + n > FW_LIMIT_STORE_KEY_BYTES) {
		answer(v, 400, "bad_request", n == 0 ? "the key is empty" : "the key is too long", "key");
		return NULL;
	}
	if (p->stopping || p->n_values > FW_LIMIT_PLUGIN_VALUES) {
		fail(v, p->stopping ? FW_EAWAY : FW_EBUSY);
		return NULL;
	}
	char *row = fw_arena_alloc(&v->arena, 1 + name + n);
	if (!row) {
		fail(v, FW_ENOMEM);
		return NULL;
	}
	row[0] = 'K';
	memcpy(row + 1, p->name, name);
	memcpy(row + 1 + name, key, n);
	*ret_row = (struct fw_str){ row, 1 + name + n };
	*ret_bucket = fw_store_bucket(fw_hash(ret_row->p, ret_row->n));
	v->asked = true;
	return v;
}

static struct fw_store *store_of(const struct fw_host_value *v)
{
	return fw_people_store(fw_living_people(v->plugin->worker->living));
}

static void on_got(void *ctx, int rc, const struct fw_row *row)
{
	struct fw_host_value *v = ctx;
	if (rc < 0) {
		fail(v, rc);
	} else if (!row->value.p) {
		answer(v, 404, "not_found", "nothing is kept under this key", "key");
	} else {
		v->value = row->value;
		answer(v, 200, NULL, NULL, NULL);
	}
}

static void host_kv_get(const struct fw_host *host, const char *key, fw_plugin_done done, void *data)
{
	struct fw_str row;
	uint32_t bucket;
	struct fw_host_value *v = begin(host, "kv_get", key, done, data, &row, &bucket);
	if (v)
		fw_store_get(store_of(v), bucket, row, &v->arena, on_got, v);
}

static void on_put(void *ctx, int rc, uint64_t version)
{
	struct fw_host_value *v = ctx;
	(void)version;
	v->value = FW_STR("{}");
	if (rc < 0)
		fail(v, rc);
	else
		answer(v, 200, NULL, NULL, NULL);
}

static void host_kv_put(const struct fw_host *host, const char *key, struct fw_plugin_text value, fw_plugin_done done, void *data)
{
	struct fw_str row;
	uint32_t bucket;
	struct fw_host_value *v = begin(host, "kv_put", key, done, data, &row, &bucket);
	if (!v)
		return;
	if (value.n > FW_LIMIT_PLUGIN_VALUE_BYTES) {
		answer(v, 413, "too_large", "the value is too long", "value");
		return;
	}
	const struct fw_change change = { value.p ? FW_CHANGE_PUT : FW_CHANGE_DELETE, row, { value.p, value.p ? value.n : 0 },
		FW_VERSION_ANY };
	int rc = fw_store_commit(store_of(v), &(struct fw_batch){ bucket, &change, 1 }, on_put, v);
	if (rc < 0)
		fail(v, rc);
}

/* Whoever still asks is told what is known; what the store has then comes back to nobody. Whoever asks again because of it would be told
 * again for ever, and is not. */
void fw_host_values_stop(struct fw_loaded *p, bool hears)
{
	static const char ends[] = "{\"error\":{\"code\":\"unavailable\",\"message\":\"the worker ends\"}}";
	p->values_ended = true;
	while (p->values) {
		struct fw_host_value *v = p->values;
		if (v->asked) { /* the store comes back to it */
			fw_plugin_done done = v->done;
			void *data = v->data;
			leave(v);
			if (!hears)
				continue;
			uint32_t before = fw_loaded_enter(p);
			done(p->self, data, 503, (struct fw_plugin_text){ ends, sizeof ends - 1 });
			fw_loaded_leave(p, before);
		} else if (hears) {
			tell(v);
		} else {
			destroy(v);
		}
	}
}

void fw_host_fill_values(struct fw_host *host)
{
	host->kv_get = host_kv_get;
	host->kv_put = host_kv_put;
}
