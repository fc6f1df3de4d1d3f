/* What the plugin host's own files share. */
#ifndef FW_SERVER_PLUGINS_OWN_H
#define FW_SERVER_PLUGINS_OWN_H

#include "server/plugins.h"
#include "server/worker.h"

struct event;

/* A plugin that was opened. Its table is the first member: that is how a call finds its plugin. */
struct fw_loaded {
	struct fw_host host;
	const struct fw_plugin *plugin; /* the descriptor, in the object */
	char *name, *file;
	struct fw_plugin_text config;   /* terminated */
	struct fw_arena arena;          /* for the texts of its configuration */
	struct fw_json *config_tree;
	const char *config_folder;
	unsigned index;
	int metrics[FW_LIMIT_PLUGIN_METRICS]; /* places in the shared page */
	unsigned n_metrics;
	struct fw_endpoint *endpoints;

	/* In a worker. */
	struct fw_worker *worker;
	struct fw_plugin_instance *self;
	struct fw_plugin_timer *timers;
	struct fw_plugin_watch *watches;
	struct fw_host_ask *asks; /* of other servers, that are open */
	struct fw_host_value *values; /* that are being read or written */
	unsigned n_values;
	bool values_ended;
	bool stopping;            /* and no more are taken */
	int post[2]; /* a pipe; -1: not made */
	struct event *on_post;
	bool started;

	int64_t preview_us; /* in a preview: the time */
};

/* plugins.c: one of the configuration's, opened and configured as a loader does it, by itself. 0; FW_EINVAL, FW_EIO, FW_ENOMEM with the
 * errors in `report`. */
int fw_loaded_open(const struct fw_config *config, unsigned number, struct fw_loaded **ret, struct fw_report *report);
void fw_loaded_destroy(struct fw_loaded *p);
/* Whether it has `preview`: older ones end before it. */
bool fw_loaded_can_preview(const struct fw_loaded *p);

/* Calls into the plugin are framed, so that a death or a hang has a name. Returns what was there before. */
static inline uint32_t fw_loaded_enter(const struct fw_loaded *p)
{
	if (!p->worker)
		return 0;
	uint32_t before = atomic_load_explicit(&p->worker->page->plugin, memory_order_relaxed);
	atomic_store_explicit(&p->worker->page->plugin, p->index + 1, memory_order_relaxed);
	return before;
}

static inline void fw_loaded_leave(const struct fw_loaded *p, uint32_t before)
{
	if (p->worker)
		atomic_store_explicit(&p->worker->page->plugin, before, memory_order_relaxed);
}

/* host.c: fills the table. */
void fw_host_fill(struct fw_host *host);
/* host.c: for calls that only a worker can answer. While the plugin is being configured there is none: NULL, and the log says so. */
struct fw_worker *fw_host_worker(const struct fw_loaded *p, const char *call);

/* A question of a plugin that has no answer yet; the first member of what its asker keeps. All are answered before the plugins stop. */
struct fw_asked {
	struct fw_loaded *p;
	fw_plugin_done done;
	void *data;
};

/* host.c: the engine's answer to a plugin that asked; `out->failed` makes it 503. */
void fw_host_tell(struct fw_loaded *p, fw_plugin_done done, void *data, int status, struct fw_buf *out);
/* host.c: zeroed, of `n` bytes, for the plugin's call of that name. NULL: the plugin was told 503, for want of memory or of a worker. */
void *fw_host_asked(struct fw_loaded *p, const char *call, size_t n, fw_plugin_done done, void *data);
/* host.c: hands on the answer and frees the question; a fw_engine_done. */
void fw_host_answer(void *asked, int status, struct fw_buf *out);
/* host_request.c: its part of the table. */
void fw_host_fill_requests(struct fw_host *host);
/* host_people.c: events in, and what is known of a person: its part of the table. */
void fw_host_fill_people(struct fw_host *host);
/* host_message.c: what channels say: its part of the table; and a plugin as a channel. */
struct fw_channel;
void fw_host_fill_messages(struct fw_host *host);
void fw_host_channel(struct fw_loaded *p, struct fw_channel *ret);
/* host_loop.c: timers, watches and posts: its part of the table, what a worker needs, and its end. */
void fw_host_fill_loop(struct fw_host *host);
int fw_host_loop_start(struct fw_loaded *p);
void fw_host_loop_stop(struct fw_loaded *p);

/* host_http.c: requests to other servers, signatures: its part of the table; and the end of what is open: with `tell` the plugin hears
 * that there is no answer, else (it never was an instance) it does not. */
void fw_host_fill_http(struct fw_host *host);
void fw_host_http_stop(struct fw_loaded *p, bool tell);

/* host_values.c: small values in the store: its part of the table; and the end of what is open, which the plugin hears or, where it never
 * was an instance, does not. */
void fw_host_fill_values(struct fw_host *host);
void fw_host_values_stop(struct fw_loaded *p, bool hears);

/* The loaded plugin behind a table. */
static inline struct fw_loaded *fw_loaded_of(const struct fw_host *host)
{
	return (struct fw_loaded *)(uintptr_t)host;
}

#endif
