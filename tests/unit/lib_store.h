/* Stores to test with: a folder of its own, a real keeper forked from the test, a loop, and calls that wait for their
 * completion. */
#ifndef FW_TESTS_LIB_STORE_H
#define FW_TESTS_LIB_STORE_H

#include <dirent.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "lib_temporary.h"
#include "store/keeper.h"
#include "store/store.h"

enum { STORE_WAIT_MS = 60000 }; /* nothing takes so long, unless it never comes */

struct store_test {
	char root[TEMPORARY_PATH], url[TEMPORARY_PATH + 16], socket[TEMPORARY_PATH + 16], data[TEMPORARY_PATH + 8];
	struct fw_store_options options;
	int listener, beat; /* beat: our end */
	pid_t keeper;
	struct event_base *base;
	struct fw_arena arena;
	bool memory;
};

/* Removes a folder with what is in it. */
static inline void store_remove(const char *path)
{
	char inner[8192];
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));) {
		snprintf(inner, sizeof inner, "%.4000s/%s", path, e->d_name);
		if (e->d_name[0] != '.' && unlink(inner) < 0)
			store_remove(inner);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

static inline void store_keeper_start(struct store_test *t)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		abort();
	fflush(NULL);
	t->keeper = fork();
	if (t->keeper == 0) {
		close(ends[0]);
		fw_log_open("/dev/null", FW_LOG_ERROR, NULL);
		fw_keeper_run(&t->options, t->listener, ends[1]);
	}
	close(ends[1]);
	t->beat = ends[0];
}

/* Ends it with a signal; its wait status. */
static inline int store_keeper_stop(struct store_test *t, int signal_)
{
	int status = 0;
	if (t->keeper <= 0)
		return 0;
	kill(t->keeper, signal_);
	waitpid(t->keeper, &status, 0);
	t->keeper = 0;
	close(t->beat);
	return status;
}

static inline void store_test_init(struct store_test *t, const char *durability)
{
	*t = (struct store_test){ .listener = -1 };
	temporary_folder(t->root);
	snprintf(t->data, sizeof t->data, "%s/data", t->root);
	snprintf(t->url, sizeof t->url, "lmdb:%s", t->data);
	snprintf(t->socket, sizeof t->socket, "%s/keeper.sock", t->root);
	t->options = (struct fw_store_options){ t->url, t->socket, durability };
	t->base = event_base_new();
	fw_arena_init(&t->arena, NULL, 0, 0);
}

static inline void store_test_start(struct store_test *t)
{
	struct fw_error err = { 0 };
	int rc = fw_keeper_bind(&t->options, &t->listener, &err);
	if (rc < 0) {
		fprintf(stderr, "bind: %d %s %s\n", rc, err.file, err.message);
		abort();
	}
	store_keeper_start(t);
}

static inline void store_test_finish(struct store_test *t)
{
	store_keeper_stop(t, SIGKILL);
	if (t->listener >= 0)
		close(t->listener);
	event_base_free(t->base);
	fw_arena_finish(&t->arena);
	store_remove(t->root);
}

static inline struct fw_store *store_open(struct store_test *t)
{
	struct fw_store *s = NULL;
	struct fw_error err = { 0 };
	int rc = fw_store_open(&t->options, t->base, &s, &err);
	if (rc < 0) {
		fprintf(stderr, "open: %d %s %s\n", rc, err.file, err.message);
		abort();
	}
	return s;
}

static inline void store_on_time(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	(void)ctx;
	fprintf(stderr, "what was waited for never came\n");
	abort();
}

/* Runs the loop until *count is at least n. */
static inline void store_wait(struct store_test *t, const unsigned *count, unsigned n)
{
	struct timeval most = { STORE_WAIT_MS / 1000 * (getenv("FW_LONG") ? 10 : 1), 0 }; /* at length faults go on as much longer */
	struct event *watchdog = evtimer_new(t->base, store_on_time, NULL);
	evtimer_add(watchdog, &most);
	while (*count < n)
		event_base_loop(t->base, EVLOOP_ONCE);
	event_free(watchdog);
}

struct store_outcome {
	unsigned came;
	int rc;
	uint64_t version;
	struct fw_row row;
	const struct fw_row *rows;
	size_t n;
	bool more;
};

static inline void store_on_got(void *ctx, int rc, const struct fw_row *row)
{
	struct store_outcome *o = ctx;
	o->came++;
	o->rc = rc;
	if (rc == 0)
		o->row = *row;
}

static inline void store_on_listed(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct store_outcome *o = ctx;
	*o = (struct store_outcome){ .came = o->came + 1, .rc = rc, .rows = rows, .n = n, .more = more };
}

static inline void store_on_committed(void *ctx, int rc, uint64_t version)
{
	struct store_outcome *o = ctx;
	o->came++;
	o->rc = rc;
	o->version = version;
}

static inline void store_on_leased(void *ctx, int rc)
{
	struct store_outcome *o = ctx;
	o->came++;
	o->rc = rc;
}

static inline struct store_outcome store_get(struct store_test *t, struct fw_store *s, uint32_t bucket, const char *key)
{
	struct store_outcome o = { 0 };
	fw_store_get(s, bucket, fw_str(key), &t->arena, store_on_got, &o);
	store_wait(t, &o.came, 1);
	return o;
}

static inline struct store_outcome store_scan(struct store_test *t, struct fw_store *s, uint32_t bucket, const char *prefix,
	struct fw_str after, size_t limit)
{
	struct store_outcome o = { 0 };
	fw_store_scan(s, bucket, fw_str(prefix), after, limit, &t->arena, store_on_listed, &o);
	store_wait(t, &o.came, 1);
	return o;
}

/* What commit refuses at once is the outcome's rc, with `came` 0. */
static inline struct store_outcome store_commit(struct store_test *t, struct fw_store *s, uint32_t bucket, const struct fw_change *changes,
	unsigned n)
{
	struct store_outcome o = { 0 };
	struct fw_batch batch = { bucket, changes, n };
	if ((o.rc = fw_store_commit(s, &batch, store_on_committed, &o)) == 0)
		store_wait(t, &o.came, 1);
	return o;
}

static inline struct store_outcome store_put(struct store_test *t, struct fw_store *s, uint32_t bucket, const char *key, const char *value,
	uint64_t expected)
{
	struct fw_change c = { FW_CHANGE_PUT, fw_str(key), fw_str(value), expected };
	return store_commit(t, s, bucket, &c, 1);
}

#endif
