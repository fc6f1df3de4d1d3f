/* The life of a generation, as the master sees it: begun, heard, committed or refused, drained. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/kept.h"
#include "server/loader.h"
#include "server/master.h"
#include "server/notify.h"
#include "server/report.h"

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void log_each(const struct fw_error *err, void *ctx)
{
	fw_log_error(FW_LOG_ERROR, ctx, err);
}

static void keep_first(const struct fw_error *err, void *ctx)
{
	struct fw_master *m = ctx;
	if (!m->refusal[0])
		fw_error_text(err, m->refusal, sizeof m->refusal);
}

/* {"ok","at","generation","kept","errors":[…]} for status, /readyz?verbose and `floorwalker reload`. */
static void set_outcome(struct fw_master *m, const struct fw_generation *g, const char *errors)
{
	struct fw_buf b;
	struct fw_json_out o;
	char at[32];
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_open_object(&o);
	fw_json_key(&o, "ok");
	fw_json_bool(&o, !errors);
	fw_json_key(&o, "at");
	fw_json_text_value(&o, fw_time_text(fw_now_us(), at));
	fw_json_key(&o, "generation");
	fw_json_number(&o, m->current ? m->current->number : 0);
	fw_json_key(&o, "kept");
	fw_json_bool(&o, g->load != FW_LOAD_FILES);
	fw_json_key(&o, "errors");
	fw_json_raw(&o, fw_str(errors ? errors : "[]"));
	fw_json_key(&o, "steps");
	fw_steps_write(&m->shared->steps[g->bank], &o);
	if (g->ready) {
		fw_json_key(&o, "loaded");
		fw_json_raw(&o, fw_str(g->about));
	}
	fw_json_close_object(&o);
	const char *text = fw_buf_text(&b);
	if (b.n >= sizeof m->outcome) {
		fw_log(FW_LOG_WARN, "the outcome of a load is too long to be shown", NULL);
		text = errors ? "{\"ok\":false,\"errors\":[]}" : "{\"ok\":true,\"errors\":[]}";
	}
	snprintf(m->outcome, sizeof m->outcome, "%s", text);
	fw_shared_set_outcome(m->shared, m->outcome);
	fw_buf_finish(&b);
}

static void run_loader(struct fw_master *m, const struct fw_generation *g, const char *kept, int channel)
{
	struct fw_loader_options options = {
		.started_with = m->config,
		.kept = kept,
		.sockets = &m->sockets,
		.shared = m->shared,
		.generation = g->number,
		.bank = g->bank,
		.channel = channel,
	};
	fw_loader_run(&options);
}

static void lost_before_start(struct fw_master *m, struct fw_generation *g, const char *what)
{
	struct fw_report report;
	fw_generation_refuse(m, g, fw_report_one(&report, "%s", what));
	fw_report_finish(&report);
}

static const char *copy_of(const struct fw_master *m, enum fw_load load, char folder[512])
{
	if (load == FW_LOAD_FORMER)
		return fw_kept_former(m->config->run, folder);
	return load == FW_LOAD_COPY ? fw_kept_current(m->config->run, folder) : NULL;
}

/* Out of memory: the load is tried again. */
static void try_again(struct fw_master *m, enum fw_load load)
{
	fw_log(FW_LOG_ERROR, "out of memory: the load is tried again", NULL);
	m->reload_wanted |= load == FW_LOAD_FILES;
	m->rollback_wanted |= load == FW_LOAD_FORMER;
	if (load == FW_LOAD_COPY)
		m->again_us = fw_monotonic_us() + m->backoff_ms * 1000;
}

void fw_generation_begin(struct fw_master *m, enum fw_load load)
{
	char folder[512];
	int ends[2];
	struct fw_generation *g = calloc(1, sizeof *g);
	if (!g) {
		try_again(m, load);
		return;
	}
	const char *copy = copy_of(m, load, folder);
	*g = (struct fw_generation){
		.number = ++m->generations,
		.bank = m->current ? 1 - m->current->bank : 0,
		.load = load,
		.attempt = load == FW_LOAD_COPY ? 0 : ++m->attempts,
		.fd = -1,
		.deadline_us = fw_monotonic_us() + m->limits.load_ms * 1000,
	};
	m->next = g;
	if (load != FW_LOAD_FILES && !copy) {
		lost_before_start(m, g, load == FW_LOAD_FORMER ? "there is no rule set to go back to: none has served before this one"
			: "there is no copy of a rule set that has served");
		return;
	}
	if (fw_channel_pair(ends) < 0) {
		lost_before_start(m, g, "no loader can be started: too many open files");
		return;
	}
	if (m->current)
		fw_notify("RELOADING=1");
	g->loader = fork();
	if (g->loader == 0) {
		close(ends[0]);
		fw_master_close_in_child(m);
		run_loader(m, g, copy, ends[1]);
	}
	close(ends[1]);
	g->fd = ends[0];
	if (g->loader < 0) {
		g->loader = 0;
		lost_before_start(m, g, "no loader can be started: too many processes");
	}
	atomic_store(&m->shared->loader_pid[g->bank], g->loader);
}

/* Its processes end by the close of their channels, or at once by `sign`. */
static void release(struct fw_master *m, struct fw_generation *g, int sign)
{
	if (sign) {
		if (g->loader > 0)
			kill(g->loader, sign);
		fw_generation_signal(g, sign);
	}
	for (unsigned i = 0; i < FW_LIMIT_WORKERS; i++) {
		if (g->workers[i].pid > 0)
			close_fd(&g->workers[i].fd);
		fw_slot_end(m->shared, &m->shared->slots[g->bank][i]);
	}
	close_fd(&g->fd);
	atomic_store(&m->shared->loader_pid[g->bank], 0);
	free(g);
}

static void log_failed_step(struct fw_master *m, const struct fw_generation *g)
{
	const struct fw_load_steps *steps = &m->shared->steps[g->bank];
	enum fw_load_step step = fw_steps_failed(steps);
	if (step == FW_LOAD_STEPS)
		return;
	atomic_fetch_add(&m->shared->steps_failed[step], 1);
	fw_log(FW_LOG_ERROR, "a step of the load failed", "step", fw_load_step_name(step), "note", steps->items[step].note, NULL);
}

void fw_generation_refuse(struct fw_master *m, struct fw_generation *g, const char *errors)
{
	uint64_t attempt = g->attempt;
	bool kept = g->load == FW_LOAD_COPY;
	const char *what = m->current ? "the load was refused; the former rule set goes on" : "the load was refused";
	fw_report_each(errors, log_each, (void *)(uintptr_t)what);
	fw_report_each(errors, keep_first, m);
	atomic_fetch_add(&m->shared->reloads_failed, 1);
	log_failed_step(m, g);
	set_outcome(m, g, errors);
	m->next = NULL;
	release(m, g, SIGKILL);
	fw_notify(m->current ? "READY=1\nSTATUS=the last reload was refused" : "STATUS=the rule set was refused");
	if (attempt)
		fw_control_answer(m, attempt);
	if (m->current && kept) {
		m->backoff_ms = m->backoff_ms * 2 < FW_LIMIT_RESTART_MOST_MS ? m->backoff_ms * 2 : FW_LIMIT_RESTART_MOST_MS;
		m->again_us = fw_monotonic_us() + m->backoff_ms * 1000;
	} else if (!m->current && !m->stopping) {
		if (kept) {
			m->done = true;
			m->status = 1;
			return;
		}
		fw_log(FW_LOG_ERROR, "the files do not load: looking for the last rule set that served", NULL);
		fw_generation_begin(m, FW_LOAD_COPY);
	}
}

static void tell_what_serves(const struct fw_generation *g)
{
	if (g->load == FW_LOAD_COPY)
		fw_log(FW_LOG_ERROR, "serving the last good copy, not the files: mend them and reload", "copy", g->folder, NULL);
	if (g->load == FW_LOAD_FORMER)
		fw_log(FW_LOG_WARN, "serving the rule set from before, not the files: they are loaded with the next reload or start",
			"copy", g->folder, NULL);
	fw_notify(g->load == FW_LOAD_COPY ? "READY=1\nSTATUS=serving the last good copy, not the files"
		: g->load == FW_LOAD_FORMER ? "READY=1\nSTATUS=serving the rule set from before, not the files"
		: "READY=1\nSTATUS=serving");
}

static void commit(struct fw_master *m, struct fw_generation *g)
{
	struct fw_error err;
	struct fw_generation *former = m->current;
	char number[16];
	for (unsigned i = 0; i < g->n_workers; i++)
		fw_channel_tell_all(g->workers[i].fd, FW_TELL_ACCEPT, (int)i, 0, 0, NULL);
	g->phase = FW_PHASE_SERVING;
	g->since_us = fw_now_us();
	m->current = g;
	m->next = NULL;
	m->again_us = 0;
	m->limits = m->shared->limits[g->bank];
	m->backoff_ms = m->limits.restart_ms;
	atomic_store(&m->shared->bank, g->bank);
	atomic_store(&m->shared->generation_us, g->since_us);
	atomic_store(&m->shared->generation, g->number);
	atomic_store(&m->shared->kept, g->load != FW_LOAD_FILES);
	if (former) {
		m->old = former;
		fw_generation_drain(m, former);
	}
	if (fw_kept_commit(m->config->run, g->folder, &err) < 0)
		fw_log_error(FW_LOG_ERROR, "the rule set in service cannot be kept for the next start", &err);
	atomic_fetch_add(&m->shared->reloads_ok, 1);
	set_outcome(m, g, NULL);
	snprintf(number, sizeof number, "%u", g->number);
	fw_log(FW_LOG_INFO, "serving", "generation", number, "ruleSet", g->rule_set, NULL);
	tell_what_serves(g);
	if (g->attempt)
		fw_control_answer(m, g->attempt);
}

static void commit_if_complete(struct fw_master *m, struct fw_generation *g)
{
	if (g->phase != FW_PHASE_LOADING || !g->ready)
		return;
	for (unsigned i = 0; i < g->n_workers; i++)
		if (!g->workers[i].up)
			return;
	commit(m, g);
}

/* Nothing of it is left: it may be forgotten. */
static bool gone(const struct fw_generation *g)
{
	for (unsigned i = 0; i < FW_LIMIT_WORKERS; i++)
		if (g->workers[i].pid > 0)
			return false;
	return g->loader == 0;
}

static void forget_if_gone(struct fw_master *m, struct fw_generation *g)
{
	if (g->phase != FW_PHASE_DRAINING || !gone(g))
		return;
	if (m->old == g)
		m->old = NULL;
	if (m->current == g)
		m->current = NULL;
	release(m, g, 0);
}

const char *fw_describe_end(int status, char buf[96])
{
	if (WIFSIGNALED(status))
		snprintf(buf, 96, "died of signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(buf, 96, "ended with status %d", WEXITSTATUS(status));
	return buf;
}

/* False: the generation is no more. */
static bool hear_worker(struct fw_master *m, struct fw_generation *g, struct fw_master_worker *w)
{
	struct fw_told told;
	int rc;
	while ((rc = fw_channel_read(w->fd, &told)) == 1) {
		w->beat_us = fw_monotonic_us();
		if (told.what == FW_TELL_REFUSED && g->phase == FW_PHASE_LOADING) {
			fw_generation_refuse(m, g, told.text);
			return false;
		}
		if (told.what == FW_TELL_REFUSED)
			fw_report_each(told.text, log_each, (void *)(uintptr_t)"a worker cannot start");
		if (told.what == FW_TELL_UP) {
			w->up = true;
			if (g->phase == FW_PHASE_SERVING)
				fw_channel_tell_all(w->fd, FW_TELL_ACCEPT, told.slot, 0, 0, NULL);
		}
	}
	if (rc < 0)
		close_fd(&w->fd); /* how it ended its parent says, which is the master when the loader is gone */
	return true;
}

static void lose_worker(struct fw_master *m, struct fw_generation *g, struct fw_master_worker *w, int status)
{
	char how[96], pid[16], doing[160];
	struct fw_report report;
	/* What it told before it ended counts first, such as why it does not start, and may be the end of the generation. */
	if (w->fd >= 0 && !hear_worker(m, g, w))
		return;
	fw_describe_end(status, how);
	fw_shared_doing(m->shared, g->bank, (unsigned)(w - g->workers), doing);
	snprintf(pid, sizeof pid, "%d", w->pid);
	close_fd(&w->fd);
	*w = (struct fw_master_worker){ .fd = -1 };
	if (g->phase == FW_PHASE_DRAINING) {
		if (status != 0)
			fw_log(FW_LOG_WARN, "a worker that was to end did not end well", "worker", pid, "how", how, NULL);
		forget_if_gone(m, g);
		return;
	}
	atomic_fetch_add(&m->shared->workers_lost, 1);
	if (g->phase == FW_PHASE_SERVING) {
		fw_log(FW_LOG_ERROR, "a worker is lost and will be started again", "worker", pid, "how", how, "while",
			doing, NULL);
		return;
	}
	fw_generation_refuse(m, g, fw_report_one(&report, "a worker %s before it was ready, while %s", how, doing));
	fw_report_finish(&report);
}

static void forked(struct fw_master *m, struct fw_generation *g, const struct fw_told *told)
{
	struct fw_master_worker *w = &g->workers[told->slot];
	if (w->pid > 0)
		close_fd(&w->fd);
	*w = (struct fw_master_worker){ .pid = told->pid, .fd = told->fd, .beat_us = fw_monotonic_us() };
	if (g->phase == FW_PHASE_DRAINING)
		fw_channel_tell(w->fd, FW_TELL_DRAIN, told->slot, 0, 0, NULL);
	(void)m;
}

/* False: the generation is no more. */
static bool hear_one(struct fw_master *m, struct fw_generation *g, const struct fw_told *told)
{
	bool fits = told->slot >= 0 && told->slot < FW_LIMIT_WORKERS;
	switch (told->what) {
	case FW_TELL_READY: {
		struct fw_arena a;
		struct fw_json *about = NULL;
		fw_arena_init(&a, NULL, 0, 0);
		fw_json_parse(&a, told->text, strlen(told->text), &about, NULL);
		struct fw_str folder = fw_json_text(about, "folder"), rule_set = fw_json_text(about, "ruleSet");
		snprintf(g->rule_set, sizeof g->rule_set, "%s", rule_set.p ? rule_set.p : "");
		snprintf(g->folder, sizeof g->folder, "%s", folder.p ? folder.p : "");
		snprintf(g->about, sizeof g->about, "%.*s", (int)sizeof g->about - 1, told->text);
		fw_arena_finish(&a);
		g->n_workers = (unsigned)told->value;
		g->ready = true;
		return true;
	}
	case FW_TELL_REFUSED:
		fw_generation_refuse(m, g, told->text);
		return false;
	case FW_TELL_FORKED:
		if (fits)
			forked(m, g, told);
		return true;
	case FW_TELL_GONE:
		if (fits && g->workers[told->slot].pid == told->pid) {
			bool stays = g->phase == FW_PHASE_SERVING || (g->phase == FW_PHASE_DRAINING && g->loader > 0);
			lose_worker(m, g, &g->workers[told->slot], told->value);
			return stays;
		}
		return true;
	default:
		return true;
	}
}

void fw_generation_hear(struct fw_master *m, struct fw_generation *g)
{
	struct fw_told told;
	int rc;
	while ((rc = fw_channel_read(g->fd, &told)) == 1)
		if (!hear_one(m, g, &told))
			return;
	if (rc < 0)
		close_fd(&g->fd); /* how it ended is learnt when it is reaped */
}

void fw_generation_hear_worker(struct fw_master *m, struct fw_generation *g, struct fw_master_worker *w)
{
	if (hear_worker(m, g, w))
		commit_if_complete(m, g);
}

static void lose_loader(struct fw_master *m, struct fw_generation *g, int status)
{
	char how[96];
	struct fw_report report;
	fw_describe_end(status, how);
	g->loader = 0;
	close_fd(&g->fd);
	if (g->phase == FW_PHASE_LOADING) {
		atomic_fetch_add(&m->shared->loaders_lost, 1);
		fw_generation_refuse(m, g, fw_report_one(&report, "the loader %s while %s", how, m->shared->stage[g->bank]));
		fw_report_finish(&report);
	} else if (g->phase == FW_PHASE_SERVING) {
		atomic_fetch_add(&m->shared->loaders_lost, 1);
		fw_log(FW_LOG_ERROR, "the loader is lost; its workers go on while a new generation is made from the copy", "how", how,
			NULL);
		m->again_us = fw_monotonic_us();
	} else {
		forget_if_gone(m, g);
	}
}

bool fw_generation_is(const struct fw_master *m, const struct fw_generation *g, uint32_t number)
{
	return g && (g == m->current || g == m->next || g == m->old) && g->number == number;
}

void fw_generation_reaped(struct fw_master *m, pid_t pid, int status)
{
	struct fw_generation *all[] = { m->current, m->next, m->old };
	for (size_t i = 0; i < 3; i++) {
		struct fw_generation *g = all[i];
		if (!g)
			continue;
		if (g->loader == pid) {
			uint32_t number = g->number;
			/* What it said before it ended counts first, and may be the end of the generation. */
			if (g->fd >= 0)
				fw_generation_hear(m, g);
			if (fw_generation_is(m, g, number))
				lose_loader(m, g, status);
			return;
		}
		for (unsigned w = 0; w < FW_LIMIT_WORKERS; w++) {
			if (g->workers[w].pid != pid)
				continue;
			fw_slot_end(m->shared, &m->shared->slots[g->bank][w]);
			lose_worker(m, g, &g->workers[w], status);
			return;
		}
	}
}

void fw_master_close_in_child(struct fw_master *m)
{
	struct fw_generation *all[] = { m->current, m->next, m->old };
	for (size_t i = 0; i < 3; i++) {
		if (!all[i])
			continue;
		close_fd(&all[i]->fd);
		for (unsigned w = 0; w < FW_LIMIT_WORKERS; w++)
			if (all[i]->workers[w].pid > 0)
				close_fd(&all[i]->workers[w].fd);
	}
	for (unsigned i = 0; i < FW_LIMIT_CONTROL_CLIENTS; i++)
		close_fd(&m->clients[i].fd);
	close_fd(&m->control_fd);
	close_fd(&m->pid_fd);
	fw_keeping_close_in_child(m);
}
