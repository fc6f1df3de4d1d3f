#include "server/loader.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/channel.h"
#include "server/gently.h"
#include "server/rehearsal.h"
#include "server/request.h"
#include "server/worker.h"
#include "signal/signal.h"

/* A worker that lived as long as this failed for another reason than the one before it. */
enum { LIVED_WELL_MS = 10000 };

struct child {
	pid_t pid;        /* 0: none now */
	int64_t began_us, again_us; /* monotonic; again_us: when to fork it */
	int64_t backoff_ms;
};

struct loader {
	const struct fw_loader_options *options;
	struct fw_made made;
	struct fw_kept kept;
	struct fw_report report;
	char *stage;
	struct fw_load_steps *steps;
	struct child children[FW_LIMIT_WORKERS];
	bool retired, run_changed, store_changed, spool_changed;
};

static volatile sig_atomic_t child_died;

static void on_child(int number)
{
	(void)number;
	child_died = 1;
}

static void stage(struct loader *l, const char *what)
{
	snprintf(l->stage, 128, "%s", what);
}

static int refuse(struct loader *l, int rc, const struct fw_error *err)
{
	fw_report_add(&l->report, err);
	return rc;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* What a reload cannot change goes on as it was, and is named. */
static void note(struct fw_json_out *o, bool changed, const char *key)
{
	if (!changed)
		return;
	fw_log(FW_LOG_WARN, "a reload cannot change this; it stays as it was until the next start", "key", key, NULL);
	fw_json_text_value(o, key);
}

static void write_notes(struct loader *l, struct fw_json_out *o)
{
	const struct fw_config *before = l->options->started_with, *now = l->made.config;
	bool listen = before->n_listen != now->n_listen;
	for (unsigned i = 0; i < now->n_listen && !listen; i++)
		listen = memcmp(&before->listen[i], &now->listen[i], sizeof now->listen[i]) != 0;
	fw_json_key(o, "unchanged");
	fw_json_open_array(o);
	note(o, listen && !l->options->sockets->inherited, "listen");
	note(o, l->run_changed, "run");
	note(o, l->store_changed, "store");
	note(o, l->spool_changed, "spool");
	note(o, !same(before->user, now->user), "user");
	note(o, !same(before->group, now->group), "group");
	note(o, !same(before->log_file, now->log_file), "log");
	fw_json_close_array(o);
}

static void announce(struct loader *l)
{
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, FW_OUTCOME_BYTES / 2);
	fw_json_out_init(&o, &b);
	fw_json_open_object(&o);
	fw_json_key(&o, "ruleSet");
	fw_json_text_value(&o, fw_engine_hash(l->made.engine));
	fw_json_key(&o, "folder");
	fw_json_text_value(&o, l->kept.folder);
	fw_engine_describe(l->made.engine, &o);
	fw_json_key(&o, "plugins");
	fw_plugins_describe(l->made.plugins, &o);
	write_notes(l, &o);
	fw_json_close_object(&o);
	fw_channel_tell_all(l->options->channel, FW_TELL_READY, 0, getpid(), (int)l->made.config->workers, fw_buf_text(&b));
	fw_buf_finish(&b);
}

static int read_files(struct loader *l)
{
	struct fw_error err;
	const char *kept = l->options->kept;
	int rc;
	stage(l, "reading the files");
	fw_steps_begin(l->steps, FW_STEP_CONFIGURATION);
	if (kept)
		rc = fw_kept_load(kept, &l->made.config, &err);
	else
		rc = fw_config_load(l->options->started_with->file, &l->made.config, &err);
	if (rc == 0)
		rc = fw_sockets_check(l->options->sockets, l->made.config, &err);
	if (rc == 0) {
		struct fw_error log_err;
		if (fw_log_open(l->options->started_with->log_file, l->made.config->log_level, &log_err) < 0)
			fw_log_error(FW_LOG_WARN, "the log's level stays as it was", &log_err);
		l->run_changed = !same(l->options->started_with->run, l->made.config->run);
		l->made.config->run = l->options->started_with->run;
		l->store_changed = !same(l->options->started_with->store, l->made.config->store)
			|| !same(l->options->started_with->durability, l->made.config->durability);
		l->made.config->store = l->options->started_with->store;
		l->made.config->durability = l->options->started_with->durability;
		l->spool_changed = !same(l->options->started_with->spool, l->made.config->spool);
		l->made.config->spool = l->options->started_with->spool;
	}
	if (rc == 0 && !l->made.config->compliance)
		fw_log(FW_LOG_WARN, "compliance is turned off: no guards but those of the rule files", NULL);
	if (rc == 0 && kept) {
		l->made.config->check = NULL; /* it has passed; a rule that is over since then must not keep a node from coming back */
		snprintf(l->kept.folder, sizeof l->kept.folder, "%s", kept);
	}
	fw_steps_end(l->steps, FW_STEP_CONFIGURATION, rc);
	return rc < 0 ? refuse(l, rc, &err) : 0;
}

/* What was decided lately is decided again by these rules; at a start nobody waits for others to go on. */
static int rehearse(struct loader *l)
{
	stage(l, "replaying decisions");
	if (l->options->generation > 1 && !l->options->kept)
		return fw_rehearse_load(l->made.config, l->steps, &l->report);
	fw_steps_skip(l->steps, FW_STEP_REPLAY, l->options->kept ? "a copy that has served" : "a start");
	return 0;
}

static int load_engine(void *ctx)
{
	struct loader *l = ctx;
	struct fw_error err;
	stage(l, "loading the rules");
	int rc = fw_engine_load(l->made.config, l->steps, &l->made.engine, &l->report);
	if (rc == 0)
		rc = rehearse(l);
	if (rc < 0)
		return rc;
	stage(l, "loading the shadow's rules");
	l->made.shadow = fw_shadow_load(l->made.config, fw_engine_zones(l->made.engine), &l->made.shared->shadow[l->made.bank]);
	stage(l, "keeping a copy of the files");
	if (!l->options->kept && (rc = fw_kept_begin(&l->kept, l->made.config, &err)) < 0)
		return refuse(l, rc, &err);
	rc = fw_engine_keep(l->made.engine, l->options->kept ? NULL : &l->kept, &err);
	return rc < 0 ? refuse(l, rc, &err) : 0;
}

static int make(struct loader *l)
{
	struct fw_error err;
	int rc = read_files(l);
	if (rc == 0)
		rc = l->options->generation > 1 ? fw_gently(load_engine, l) : load_engine(l); /* others serve meanwhile */
	if (rc == 0) {
		fw_steps_begin(l->steps, FW_STEP_PLUGINS);
		rc = fw_plugins_load(l->made.config, l->made.shared, l->made.bank, l->options->kept ? NULL : &l->kept,
			&l->made.plugins, &l->report);
		fw_steps_end(l->steps, FW_STEP_PLUGINS, rc);
	}
	if (rc < 0)
		return rc;
	stage(l, "claiming paths");
	if (!(l->made.routes = fw_http_routes_create()))
		return refuse(l, FW_ENOMEM, (fw_fail(&err, FW_ENOMEM, NULL, 0, "out of memory"), &err));
	if ((rc = fw_request_claim(l->made.routes, &err)) < 0)
		return refuse(l, rc, &err);
	if ((rc = fw_plugins_claim(l->made.plugins, l->made.routes, &l->report)) < 0)
		return rc;
	if (!l->options->kept && (rc = fw_kept_finish(&l->kept, l->made.config, &err)) < 0)
		return refuse(l, rc, &err);
	void *const *remembered = l->options->shared->remembered;
	fw_signal_memory_copy(remembered[l->made.bank], remembered[1 - l->made.bank]); /* the new workers begin with it */
	return 0;
}

static void finish(struct loader *l)
{
	fw_report_finish(&l->report);
	fw_http_routes_destroy(l->made.routes);
	fw_plugins_destroy(l->made.plugins);
	fw_shadow_destroy(l->made.shadow);
	fw_engine_destroy(l->made.engine);
	fw_config_destroy(l->made.config);
}

static void reset_signals(void)
{
	sigset_t none;
	static const int ignored[] = { SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGPIPE };
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void block_child_signal(sigset_t *ret_before)
{
	struct sigaction action = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };
	sigset_t child;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, ret_before);
	sigaction(SIGCHLD, &action, NULL);
}

/* In the child this does not return. */
static void fork_worker(struct loader *l, unsigned number)
{
	struct child *c = &l->children[number];
	int ends[2];
	c->began_us = fw_monotonic_us();
	c->again_us = c->began_us + c->backoff_ms * 1000;
	if (fw_channel_pair(ends) < 0) {
		fw_log(FW_LOG_ERROR, "a worker cannot be started", "error", strerror(errno), NULL);
		return;
	}
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		close(l->options->channel);
		reset_signals();
		fw_worker_run(&l->made, number, ends[1]);
	}
	close(ends[1]);
	if (pid > 0) {
		c->pid = pid;
		fw_channel_tell_forked(l->options->channel, (int)number, pid, ends[0]);
	} else {
		fw_log(FW_LOG_ERROR, "a worker cannot be started", "error", strerror(errno), NULL);
	}
	close(ends[0]);
}

/* Doubles the wait for a worker that died soon after its start. */
static void plan_again(struct loader *l, struct child *c)
{
	const struct fw_process_limits *limits = &l->made.config->process;
	int64_t now = fw_monotonic_us();
	if (now - c->began_us > (int64_t)LIVED_WELL_MS * 1000 || c->backoff_ms == 0)
		c->backoff_ms = limits->restart_ms;
	else if (c->backoff_ms * 2 < FW_LIMIT_RESTART_MOST_MS)
		c->backoff_ms *= 2;
	else
		c->backoff_ms = FW_LIMIT_RESTART_MOST_MS;
	c->again_us = now + c->backoff_ms * 1000;
}

static void reap(struct loader *l)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		for (unsigned i = 0; i < l->made.config->workers; i++) {
			struct child *c = &l->children[i];
			if (c->pid != pid)
				continue;
			c->pid = 0;
			fw_slot_end(l->made.shared, &l->made.slots[i]);
			plan_again(l, c);
			fw_channel_tell_all(l->options->channel, FW_TELL_GONE, (int)i, pid, status, NULL);
		}
	}
}

/* 0, or FW_EIO when the master is gone. */
static int listen_to_master(struct loader *l)
{
	struct fw_told told;
	int rc;
	while ((rc = fw_channel_read(l->options->channel, &told)) == 1) {
		if (told.what == FW_TELL_RETIRE)
			l->retired = true;
		else if (told.what == FW_TELL_REOPEN)
			fw_log_reopen(NULL);
	}
	return rc;
}

/* How long to sleep, in milliseconds; -1: until something happens. */
static int64_t fork_what_is_due(struct loader *l)
{
	int64_t now = fw_monotonic_us(), next = -1;
	for (unsigned i = 0; i < l->made.config->workers && !l->retired; i++) {
		struct child *c = &l->children[i];
		if (c->pid)
			continue;
		if (c->again_us <= now)
			fork_worker(l, i);
		else if (next < 0 || c->again_us - now < next)
			next = c->again_us - now;
	}
	return next < 0 ? -1 : next / 1000 + 1;
}

static bool any_left(const struct loader *l)
{
	for (unsigned i = 0; i < l->made.config->workers; i++)
		if (l->children[i].pid)
			return true;
	return false;
}

static void supervise(struct loader *l)
{
	sigset_t before;
	block_child_signal(&before);
	while (!l->retired || any_left(l)) {
		int64_t ms = fork_what_is_due(l);
		struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };
		struct pollfd p = { .fd = l->options->channel, .events = POLLIN };
		if (ppoll(&p, 1, ms < 0 ? NULL : &wait, &before) > 0 && listen_to_master(l) < 0)
			return; /* the workers see it for themselves */
		if (child_died) {
			child_died = 0;
			reap(l);
		}
	}
}

_Noreturn void fw_loader_run(const struct fw_loader_options *options)
{
	struct loader l = { .options = options, .stage = options->shared->stage[options->bank],
		.steps = &options->shared->steps[options->bank] };
	memset(l.steps, 0, sizeof *l.steps);
	l.made = (struct fw_made){
		.sockets = options->sockets,
		.shared = options->shared,
		.generation = options->generation,
		.bank = options->bank,
		.slots = options->shared->slots[options->bank],
	};
	reset_signals();
	fw_log_role("loader");
	fw_report_init(&l.report);
	int rc = make(&l);
	if (rc < 0) {
		if (!options->kept)
			fw_kept_drop(&l.kept);
		fw_channel_tell_all(options->channel, FW_TELL_REFUSED, 0, getpid(), 0, fw_report_text(&l.report));
	} else {
		stage(&l, "starting the workers");
		options->shared->limits[options->bank] = l.made.config->process;
		announce(&l);
		supervise(&l);
	}
	finish(&l);
	exit(rc < 0);
}
