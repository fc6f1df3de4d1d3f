/* The host's services for plugins: timers, watched descriptors, and calls posted from threads. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "server/plugins_own.h"

enum { IDLE_US = 1000000 }; /* so often a node's timer looks whether its generation is in service; and at an interval that others changed */

struct fw_plugin_timer {
	struct fw_loaded *plugin;
	struct event *event;
	bool repeats;
	struct fw_node_timer *node; /* NULL: this worker's alone */
	int64_t every_us;           /* of the node's */
	fw_plugin_call fire;
	void *data;
	struct fw_plugin_timer *next, **back;
};

struct fw_plugin_watch {
	struct fw_loaded *plugin;
	struct event *event;
	void (*ready)(struct fw_plugin_instance *self, void *data, int fd, int events);
	void *data;
	struct fw_plugin_watch *next, **back;
};

static void timer_stop(struct fw_plugin_timer *t)
{
	if (!t)
		return;
	*t->back = t->next;
	if (t->next)
		t->next->back = t->back;
	event_free(t->event);
	free(t);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_plugin_timer *t = ctx;
	struct fw_loaded *p = t->plugin;
	fw_plugin_call fire = t->fire;
	void *data = t->data;
	(void)fd;
	(void)what;
	if (!t->repeats)
		timer_stop(t);
	uint32_t before = fw_loaded_enter(p);
	fire(p->self, data);
	fw_loaded_leave(p, before);
}

static struct fw_plugin_timer *make_timer(struct fw_loaded *p, const struct fw_plugin_timer *what, event_callback_fn on, int64_t us)
{
	struct fw_plugin_timer *t = calloc(1, sizeof *t);
	struct timeval wait = { us / 1000000, us % 1000000 };
	if (!t)
		return NULL;
	*t = *what;
	t->plugin = p;
	t->event = event_new(p->worker->base, -1, t->repeats ? EV_PERSIST : 0, on, t);
	if (!t->event || event_add(t->event, &wait) < 0) {
		if (t->event)
			event_free(t->event);
		free(t);
		return NULL;
	}
	t->next = p->timers;
	t->back = &p->timers;
	if (t->next)
		t->next->back = &t->next;
	p->timers = t;
	return t;
}

static struct fw_plugin_timer *timer_start(const struct fw_host *host, int64_t ms, int repeat, fw_plugin_call fire,
	void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	if (!fw_host_worker(p, "timer_start"))
		return NULL;
	if (ms < 0 || (repeat && ms < 1))
		ms = repeat ? 1 : 0;
	return make_timer(p, &(struct fw_plugin_timer){ .repeats = repeat, .fire = fire, .data = data }, on_timer, ms * 1000);
}

/* Only a generation in service fires: one that is still to be, or that ends, waits. */
static bool is_in_service(const struct fw_worker *w)
{
	const struct fw_shared *s = w->made->shared;
	return !w->draining && atomic_load(&s->generation) && atomic_load(&s->bank) == w->made->bank;
}

/* Every worker of the node wakes up when it is due, and one of them has it. */
static void on_node_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_plugin_timer *t = ctx;
	struct fw_loaded *p = t->plugin;
	int64_t wait_us = t->every_us < IDLE_US ? t->every_us : IDLE_US;
	bool fires = is_in_service(p->worker) && fw_node_timer_fires(t->node, t->every_us, &wait_us);
	const struct timeval wait = { wait_us / 1000000, wait_us % 1000000 };
	(void)fd;
	(void)what;
	event_add(t->event, &wait);
	if (!fires)
		return;
	uint32_t before = fw_loaded_enter(p);
	t->fire(p->self, t->data); /* which may stop it */
	fw_loaded_leave(p, before);
}

static struct fw_plugin_timer *node_timer_start(const struct fw_host *host, const char *name, int64_t every_ms, fw_plugin_call fire,
	void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	struct fw_worker *w = fw_host_worker(p, "node_timer_start");
	size_t n = name ? strnlen(name, FW_LIMIT_PLUGIN_KEY_BYTES + 1) : 0;
	if (!w || n == 0 || n > FW_LIMIT_PLUGIN_KEY_BYTES || every_ms < 1 || every_ms > INT64_MAX / 1000000)
		return NULL;
	uint64_t parts[2] = { fw_hash(p->name, strlen(p->name)), fw_hash(name, n) }, hash = fw_hash(parts, sizeof parts);
	struct fw_plugin_timer t = { .every_us = every_ms * 1000, .fire = fire, .data = data };
	if (!(t.node = fw_shared_timer(w->made->shared, hash ? hash : 1, t.every_us))) {
		fw_log(FW_LOG_ERROR, "there are too many timers of this node", "plugin", p->name, "timer", name, NULL);
		return NULL;
	}
	return make_timer(p, &t, on_node_timer, t.every_us < IDLE_US ? t.every_us : IDLE_US);
}

static void unwatch(struct fw_plugin_watch *w)
{
	if (!w)
		return;
	*w->back = w->next;
	if (w->next)
		w->next->back = w->back;
	event_free(w->event);
	free(w);
}

static void on_ready(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_plugin_watch *w = ctx;
	struct fw_loaded *p = w->plugin;
	int events = (what & EV_READ ? FW_PLUGIN_READABLE : 0) | (what & EV_WRITE ? FW_PLUGIN_WRITABLE : 0);
	uint32_t before = fw_loaded_enter(p);
	w->ready(p->self, w->data, fd, events);
	fw_loaded_leave(p, before);
}

static struct fw_plugin_watch *watch(const struct fw_host *host, int fd, int events,
	void (*ready)(struct fw_plugin_instance *self, void *data, int fd, int events), void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	short what = (short)((events & FW_PLUGIN_READABLE ? EV_READ : 0) | (events & FW_PLUGIN_WRITABLE ? EV_WRITE : 0));
	struct fw_plugin_watch *w = fw_host_worker(p, "watch") && what ? calloc(1, sizeof *w) : NULL;
	if (!w)
		return NULL;
	*w = (struct fw_plugin_watch){ .plugin = p, .ready = ready, .data = data };
	w->event = event_new(p->worker->base, fd, (short)(what | EV_PERSIST), on_ready, w);
	if (!w->event || event_add(w->event, NULL) < 0) {
		if (w->event)
			event_free(w->event);
		free(w);
		return NULL;
	}
	w->next = p->watches;
	w->back = &p->watches;
	if (w->next)
		w->next->back = &w->next;
	p->watches = w;
	return w;
}

/* Smaller than PIPE_BUF: written and read as one. */
struct posted {
	fw_plugin_call call;
	void *data;
};

static int post(const struct fw_host *host, fw_plugin_call call, void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	struct posted posted = { call, data };
	ssize_t n;
	if (!fw_host_worker(p, "post"))
		return -1;
	do
		n = write(p->post[1], &posted, sizeof posted);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof posted ? 0 : -1;
}

static void on_posted(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_loaded *p = ctx;
	struct posted posted;
	(void)what;
	if (read(fd, &posted, sizeof posted) != (ssize_t)sizeof posted)
		return;
	uint32_t before = fw_loaded_enter(p);
	posted.call(p->self, posted.data);
	fw_loaded_leave(p, before);
}

int fw_host_loop_start(struct fw_loaded *p)
{
	if (pipe2(p->post, O_CLOEXEC | O_NONBLOCK) < 0)
		return FW_EIO;
	fcntl(p->post[1], F_SETPIPE_SZ, (int)(FW_LIMIT_PLUGIN_POSTS * sizeof(struct posted)));
	p->on_post = event_new(p->worker->base, p->post[0], EV_READ | EV_PERSIST, on_posted, p);
	if (p->on_post && event_add(p->on_post, NULL) == 0)
		return 0;
	fw_host_loop_stop(p);
	return FW_ENOMEM;
}

void fw_host_loop_stop(struct fw_loaded *p)
{
	while (p->timers)
		timer_stop(p->timers);
	while (p->watches)
		unwatch(p->watches);
	if (p->on_post)
		event_free(p->on_post);
	p->on_post = NULL;
	/* The ends stay open: a thread of the plugin may still post until its `stop` has ended it. */
}

void fw_host_fill_loop(struct fw_host *host)
{
	host->timer_start = timer_start;
	host->timer_stop = timer_stop;
	host->watch = watch;
	host->unwatch = unwatch;
	host->post = post;
	host->node_timer_start = node_timer_start;
}
