#include "server/master.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/notify.h"
#include "server/rundir.h"

/* Handlers only set these; consume_signals is where they are looked at, in a fixed order. */
static volatile sig_atomic_t got_term, got_child, got_reopen, got_hup;

enum { BUSY_TICK_MS = 20, IDLE_TICK_MS = 1000 };

static void on_signal(int number)
{
	switch (number) {
	case SIGTERM: case SIGINT: got_term = 1; break;
	case SIGCHLD: got_child = 1; break;
	case SIGUSR1: got_reopen = 1; break;
	case SIGHUP: got_hup = 1; break;
	}
}

/* Blocks them; they arrive only while the loop sleeps. */
static void take_signals(sigset_t *ret_before)
{
	static const int all[] = { SIGTERM, SIGINT, SIGCHLD, SIGUSR1, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		sigaddset(&set, all[i]);
	sigprocmask(SIG_BLOCK, &set, ret_before);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		sigaction(all[i], &action, NULL);
		sigdelset(ret_before, all[i]);
	}
	signal(SIGPIPE, SIG_IGN);
}

static void tell_everybody(struct fw_master *m, enum fw_tell what)
{
	struct fw_generation *all[] = { m->current, m->next, m->old };
	for (size_t i = 0; i < 3; i++) {
		if (!all[i])
			continue;
		if (all[i]->fd >= 0)
			fw_channel_tell(all[i]->fd, what, 0, 0, 0, NULL);
		for (unsigned w = 0; w < FW_LIMIT_WORKERS; w++)
			if (all[i]->workers[w].pid > 0 && all[i]->workers[w].fd >= 0)
				fw_channel_tell(all[i]->workers[w].fd, what, (int)w, 0, 0, NULL);
	}
}

static void stop(struct fw_master *m)
{
	if (m->stopping) {
		/* Asked again: no more patience. */
		if (m->current)
			m->current->deadline_us = fw_monotonic_us();
		if (m->old)
			m->old->deadline_us = fw_monotonic_us();
		return;
	}
	fw_log(FW_LOG_INFO, "stopping", NULL);
	fw_notify("STOPPING=1");
	m->stopping = true;
	atomic_store(&m->shared->stopping, true);
	if (m->next)
		fw_generation_refuse(m, m->next, "[{\"message\":\"the server is stopping\"}]");
	if (m->current)
		fw_generation_drain(m, m->current);
}

static void reap(struct fw_master *m)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		if (!fw_keeping_reaped(m, pid, status))
			fw_generation_reaped(m, pid, status);
}

static void consume_signals(struct fw_master *m)
{
	struct fw_error err;
	if (got_term) {
		got_term = 0;
		stop(m);
	}
	if (got_child) {
		got_child = 0;
		reap(m);
	}
	if (got_reopen) {
		got_reopen = 0;
		if (fw_log_reopen(&err) < 0)
			fw_log_error(FW_LOG_ERROR, "the log cannot be opened again; the old one goes on", &err);
		tell_everybody(m, FW_TELL_REOPEN);
		if (m->keeping.pid > 0)
			kill(m->keeping.pid, SIGUSR1);
	}
	if (got_hup) {
		got_hup = 0;
		m->reload_wanted = true;
	}
}

static void act_on_time(struct fw_master *m)
{
	int64_t now = fw_monotonic_us();
	if (m->watchdog_us && now >= m->watchdog_next_us) {
		fw_notify("WATCHDOG=1");
		m->watchdog_next_us = now + m->watchdog_us;
	}
	fw_keeping_watch(m, now);
	if (m->next)
		fw_generation_watch(m, m->next, now);
	if (m->current)
		fw_generation_watch(m, m->current, now);
	if (m->old)
		fw_generation_watch(m, m->old, now);
	if (m->stopping) {
		/* The keeper ends last: what the workers handed in is answered. */
		if (!m->current && !m->old)
			fw_keeping_end(m);
		m->done = m->keeping.ending && m->keeping.pid == 0;
		return;
	}
	if (m->done || m->next || m->old)
		return; /* at most two generations */
	if (m->rollback_wanted) {
		m->rollback_wanted = false;
		fw_generation_begin(m, FW_LOAD_FORMER);
	} else if (m->reload_wanted) {
		m->reload_wanted = false;
		fw_generation_begin(m, FW_LOAD_FILES);
	} else if (m->again_us && now >= m->again_us) {
		m->again_us = 0;
		fw_generation_begin(m, FW_LOAD_COPY);
	}
}

/* One descriptor being waited for; `g` NULL: the keeper's, the control socket or one of its clients. */
struct watched {
	struct fw_generation *g;
	uint32_t number; /* of the generation */
	struct fw_master_worker *member;
	struct fw_control_client *client;
	bool keeper;
	int fd;
};

enum { WATCHED = 3 + FW_LIMIT_CONTROL_CLIENTS + 3 * (FW_LIMIT_WORKERS + 1) };

struct watch_list {
	struct pollfd polls[WATCHED];
	struct watched watched[WATCHED];
	nfds_t n;
};

static void add_watch(struct watch_list *list, struct watched w)
{
	if (w.fd < 0)
		return;
	list->polls[list->n] = (struct pollfd){ .fd = w.fd, .events = POLLIN };
	list->watched[list->n++] = w;
}

static void list_watched(struct fw_master *m, struct watch_list *list)
{
	struct fw_generation *all[] = { m->current, m->next, m->old };
	list->n = 0;
	for (size_t i = 0; i < 3; i++) {
		if (!all[i])
			continue;
		add_watch(list, (struct watched){ .g = all[i], .number = all[i]->number, .fd = all[i]->fd });
		for (unsigned w = 0; w < FW_LIMIT_WORKERS; w++)
			if (all[i]->workers[w].pid > 0)
				add_watch(list, (struct watched){ .g = all[i], .number = all[i]->number, .member = &all[i]->workers[w],
					.fd = all[i]->workers[w].fd });
	}
	add_watch(list, (struct watched){ .keeper = true, .fd = m->keeping.fd });
	add_watch(list, (struct watched){ .fd = m->control_fd });
	for (unsigned i = 0; i < FW_LIMIT_CONTROL_CLIENTS; i++)
		add_watch(list, (struct watched){ .client = &m->clients[i], .fd = m->clients[i].fd });
}

/* What was handled before may have ended what this is about. */
static void handle(struct fw_master *m, const struct watched *w)
{
	bool alive = fw_generation_is(m, w->g, w->number);
	if (w->g && w->member) {
		if (alive && w->member->pid > 0 && w->member->fd == w->fd)
			fw_generation_hear_worker(m, w->g, w->member);
	} else if (w->g) {
		if (alive && w->g->fd == w->fd)
			fw_generation_hear(m, w->g);
	} else if (w->keeper) {
		if (m->keeping.fd == w->fd)
			fw_keeping_hear(m);
	} else if (w->client) {
		if (w->client->fd == w->fd)
			fw_control_read(m, w->client);
	} else {
		fw_control_accept(m);
	}
}

static int64_t tick_ms(const struct fw_master *m)
{
	int64_t ms = m->limits.heartbeat_ms / 4;
	if (m->next || m->old || m->stopping || m->again_us || m->reload_wanted || m->rollback_wanted)
		return BUSY_TICK_MS;
	if (m->watchdog_us && m->watchdog_us / 2000 < ms)
		ms = m->watchdog_us / 2000;
	return ms > IDLE_TICK_MS ? IDLE_TICK_MS : ms;
}

static void loop(struct fw_master *m, const sigset_t *sleeping)
{
	struct watch_list *list = malloc(sizeof *list);
	while (list && !m->done) {
		list_watched(m, list);
		int64_t ms = tick_ms(m);
		struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };
		int n = ppoll(list->polls, list->n, &wait, sleeping);
		for (nfds_t i = 0; n > 0 && i < list->n; i++)
			if (list->polls[i].revents)
				handle(m, &list->watched[i]);
		consume_signals(m);
		act_on_time(m);
	}
	free(list);
}

static int set_up(struct fw_master *m, struct fw_error *err)
{
	int rc;
	if (!(m->shared = fw_shared_create()))
		return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	if ((m->pid_fd = rc = fw_rundir_open(m->config, err)) < 0)
		return rc;
	if ((rc = fw_sockets_open(&m->sockets, m->config, err)) < 0 || (rc = fw_control_open(m, err)) < 0)
		return rc;
	if ((rc = fw_keeping_open(m, err)) < 0)
		return rc;
	if ((rc = fw_log_open(m->config->log_file, m->config->log_level, err)) < 0)
		return rc;
	return fw_rundir_drop_privileges(m->config, fw_store_folder(m->keeping.options.url), err);
}

static void say_where(const struct fw_master *m)
{
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_sockets_text(&m->sockets, &b);
	fprintf(stderr, "floorwalker: listening on %s\n", fw_buf_text(&b));
	fflush(stderr);
	fw_buf_finish(&b);
}

static void clean_up(struct fw_master *m)
{
	char path[4096];
	fw_control_close(m);
	fw_sockets_close(&m->sockets, true);
	if (m->pid_fd >= 0) {
		snprintf(path, sizeof path, "%s/floorwalker.pid", m->config->run);
		unlink(path);
		close(m->pid_fd);
	}
}

static void say_what_stays(const struct fw_master *m)
{
	uint64_t held = fw_shared_held(m->shared);
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, held);
	if (held)
		fw_log(FW_LOG_WARN, "events stay in the spool until the next start", "events", text, NULL);
}

int fw_master_run(struct fw_config *config)
{
	struct fw_master m = { .config = config, .pid_fd = -1, .control_fd = -1, .keeping = { .listener = -1, .fd = -1, .host = -1 },
		.limits = config->process, .backoff_ms = config->process.restart_ms };
	struct fw_error err;
	char text[1200];
	sigset_t sleeping;
	for (unsigned i = 0; i < FW_LIMIT_CONTROL_CLIENTS; i++)
		m.clients[i].fd = -1;
	fw_log_role("master");
	umask(027);
	if (set_up(&m, &err) < 0) {
		fprintf(stderr, "floorwalker: not started: %s\n", fw_error_text(&err, text, sizeof text));
		clean_up(&m);
		return 1;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	take_signals(&sleeping);
	say_where(&m);
	m.watchdog_us = fw_notify_watchdog_us();
	fw_generation_begin(&m, FW_LOAD_FILES);
	loop(&m, &sleeping);
	if (m.status)
		fprintf(stderr, "floorwalker: not started: %s\n", m.refusal);
	clean_up(&m);
	say_what_stays(&m);
	fw_log(FW_LOG_INFO, "stopped", NULL);
	return m.status;
}
