#include "store/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/folder.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/guard.h"
#include "store/keeper_lock.h"
#include "store/keeper_own.h"

enum {
	BACKLOG = 128,
	BEAT_MS = 300,
	READERS_MS = 60000, /* between looks for readers that died */
	BIND_WAIT_MS = 2000, /* for a keeper that is ending */
	RUN_WAIT_MS = 10000,
	ANSWER_MS = 1000,   /* for the last answers to be taken */
};

struct run {
	struct fw_keeper keeper;
	int listener, beat;
	struct event *accepting, *beating, *readers, *gathered, *ended, *term, *reopen;
};

static int no_folder(const struct fw_store_options *options, struct fw_error *err)
{
	fw_fail(err, FW_EINVAL, NULL, 0, "the store \"%s\" is of no known kind", options->url ? options->url : "");
	fw_hint(err, "write \"lmdb:/FOLDER\"");
	return FW_EINVAL;
}

static int bind_socket(const char *path, int *ret_fd, struct fw_error *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	if (n == 0 || n >= sizeof a.sun_path) {
		fw_fail(err, FW_EINVAL, path, 0, "the path of the keeper's socket is too long: %zu bytes of %zu", n, sizeof a.sun_path - 1);
		fw_hint(err, "set run to a shorter path");
		return FW_EINVAL;
	}
	memcpy(a.sun_path, path, n);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fw_fail(err, FW_EIO, path, 0, "no socket for the keeper: %s", strerror(errno));
	unlink(path);
	/* Nobody can connect before listen: the mode is right by then. */
	if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || chmod(path, 0600) < 0 || listen(fd, BACKLOG) < 0) {
		fw_fail(err, FW_EIO, path, 0, "the keeper's socket cannot be made: %s", strerror(errno));
		close(fd);
		return FW_EIO;
	}
	*ret_fd = fd;
	return 0;
}

int fw_keeper_host(const struct fw_store_options *options, int *ret_fd, struct fw_error *err)
{
	const char *folder = fw_lmdb_folder(options->url);
	if (!folder)
		return no_folder(options, err);
	int rc = fw_make_folders(folder, 0700, err);
#ifdef FW_BREAK_HOST /* two who come at once both keep it */
	return rc < 0 || (*ret_fd = dup(0)) >= 0 ? rc : FW_EIO;
#endif
	return rc < 0 ? rc : fw_keeper_lock_host(folder, FW_LIMIT_STORE_HOST_MS, ret_fd, err);
}

int fw_keeper_bind(const struct fw_store_options *options, int *ret_fd, struct fw_error *err)
{
	const char *folder = fw_lmdb_folder(options->url);
	if (!folder)
		return no_folder(options, err);
	int rc = fw_keeper_lock_wait(folder, BIND_WAIT_MS, err);
	if (rc == 0)
		rc = fw_store_look(folder, true, false, err);
	return rc < 0 ? rc : bind_socket(options->socket, ret_fd, err);
}

static _Noreturn void give_up(const struct fw_error *err)
{
	fw_log_error(FW_LOG_ERROR, "the keeper ends", err);
	_exit(1);
}

static void beat(struct run *r)
{
	if (r->beat < 0)
		return;
	ssize_t n = send(r->beat, "b", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno == ENOTSOCK)
		n = write(r->beat, "b", 1);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		r->keeper.stopping = true;
}

static void on_beat(evutil_socket_t fd, short what, void *ctx)
{
	struct run *r = ctx;
	(void)fd;
	(void)what;
	beat(r);
	fw_keeper_group_sync(&r->keeper);
}

/* The master is gone, or says so. */
static void on_ended(evutil_socket_t fd, short what, void *ctx)
{
	struct run *r = ctx;
	char bytes[64];
	(void)what;
	ssize_t n = read(fd, bytes, sizeof bytes);
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	r->keeper.stopping = true;
}

static void on_term(evutil_socket_t fd, short what, void *ctx)
{
	struct run *r = ctx;
	(void)fd;
	(void)what;
	r->keeper.stopping = true;
}

static void on_reopen(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_error err;
	(void)fd;
	(void)what;
	(void)ctx;
	if (fw_log_reopen(&err) < 0)
		fw_log_error(FW_LOG_ERROR, "the log cannot be opened again", &err);
}

static void on_accept(evutil_socket_t fd, short what, void *ctx)
{
	struct run *r = ctx;
	(void)what;
	fw_keeper_accept(&r->keeper, fd);
}

static void on_readers(evutil_socket_t fd, short what, void *ctx)
{
	struct run *r = ctx;
	struct fw_error err = { 0 };
	int dead = 0;
	char text[16];
	(void)fd;
	(void)what;
	if (mdb_reader_check(r->keeper.db.env, &dead) == 0 && dead > 0) {
		snprintf(text, sizeof text, "%d", dead);
		fw_log(FW_LOG_DEBUG, "readers that died were cleared", "count", text, NULL);
	}
	if (r->keeper.group.n == 0 && fw_keeper_group_forget(&r->keeper) < 0) {
		fw_fail(&err, FW_EIO, r->keeper.folder, 0, "the data cannot be written any more");
		give_up(&err);
	}
}

static void on_gathered(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	(void)ctx; /* only to wake the loop */
}

static struct event *timer(struct run *r, event_callback_fn on, int ms, short how)
{
	struct timeval t = { ms / 1000, (ms % 1000) * 1000 };
	struct event *e = event_new(r->keeper.base, -1, how, on, r);
	if (e && event_add(e, &t) < 0) {
		event_free(e);
		return NULL;
	}
	return e;
}

static struct event *watched(struct run *r, int fd, short what, event_callback_fn on)
{
	struct event *e = event_new(r->keeper.base, fd, what | EV_PERSIST, on, r);
	if (e && event_add(e, NULL) < 0) {
		event_free(e);
		return NULL;
	}
	return e;
}

static int open_loop(struct run *r)
{
	sigset_t none;
	sigemptyset(&none);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	if (!(r->keeper.base = event_base_new()))
		return FW_ENOMEM;
	r->accepting = watched(r, r->listener, EV_READ, on_accept);
	r->beating = timer(r, on_beat, BEAT_MS, EV_PERSIST);
	r->readers = timer(r, on_readers, READERS_MS, EV_PERSIST);
	r->gathered = timer(r, on_gathered, FW_LIMIT_STORE_INTERVAL_MS / 2, r->keeper.interval ? EV_PERSIST : 0);
	r->term = watched(r, SIGTERM, EV_SIGNAL, on_term);
	r->reopen = watched(r, SIGUSR1, EV_SIGNAL, on_reopen);
	if (fw_keeper_scrub_open(&r->keeper) < 0)
		return FW_ENOMEM;
	r->ended = r->beat >= 0 ? watched(r, r->beat, EV_READ, on_ended) : NULL;
	/* What the master told it meanwhile was blocked, and is heard now, by this process's own handlers. */
	sigprocmask(SIG_SETMASK, &none, NULL);
	return r->accepting && r->beating && r->readers && r->gathered && r->term && r->reopen && (r->ended || r->beat < 0) ? 0 : FW_ENOMEM;
}

static void close_loop(struct run *r)
{
	struct event **all[] = { &r->accepting, &r->beating, &r->readers, &r->gathered, &r->ended, &r->term, &r->reopen };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (*all[i])
			event_free(*all[i]);
	event_base_free(r->keeper.base);
}

int fw_keeper_open_data(struct fw_keeper *k, struct fw_error *err)
{
	int rc = fw_lmdb_open(&k->db, k->folder, FW_LMDB_WRITE, err);
	if (rc == 0 && k->interval)
		mdb_env_set_flags(k->db.env, MDB_NOMETASYNC, 1);
	return rc;
}

/* A keeper that was killed is gone at once; one that is ending has its last group to write. */
static int take_place(struct run *r, const char *folder, struct fw_error *err)
{
	int rc = FW_EBUSY, fd;
	for (int waited = 0; waited < RUN_WAIT_MS && rc == FW_EBUSY; waited += 100) {
		beat(r);
		rc = fw_keeper_lock(folder, 100, &fd, err);
	}
	if (rc < 0)
		return rc;
	if ((rc = fw_store_look(folder, true, false, err)) < 0)
		return rc;
	beat(r);
	if ((rc = fw_keeper_open_data(&r->keeper, err)) < 0)
		return rc;
	int code = fw_keeper_group_load(&r->keeper);
	return code == 0 ? 0 : fw_lmdb_fail(err, code, folder, "the data cannot be read");
}

static bool is_due(const struct fw_keeper *k)
{
	return k->group.n > 0 && (!k->interval || k->stopping || k->group.bytes >= FW_LIMIT_STORE_GROUP_BYTES ||
		k->group.n >= FW_LIMIT_STORE_INTERVAL_BATCHES ||
		fw_monotonic_us() - k->group.since_us >= FW_LIMIT_STORE_INTERVAL_MS * INT64_C(1000));
}

/* One turn reads what all sockets hold; what came is one group. */
static int turn(struct fw_keeper *k)
{
	event_base_loop(k->base, k->stopping ? EVLOOP_ONCE | EVLOOP_NONBLOCK : EVLOOP_ONCE);
	if (is_due(k)) {
		int rc = fw_keeper_group_commit(k);
		if (rc < 0)
			return rc;
		fw_lmdb_mend_length(&k->db);
	} else {
		fw_keeper_flush(k);
	}
	if (k->group.n > 0)
		return 0;
	fw_keeper_sweep(k);
	return fw_keeper_scrub_turn(k);
}

/* All wait for the one who writes: where processors are short it goes first, if it may (as root, or with LimitNICE). */
static void go_first(void)
{
	enum { BEFORE_OTHERS = 10 };
	errno = 0;
	int nice = getpriority(PRIO_PROCESS, 0);
	if (errno == 0 && setpriority(PRIO_PROCESS, 0, nice - BEFORE_OTHERS) < 0)
		fw_log(FW_LOG_DEBUG, "the keeper may not go before others", "error", strerror(errno), NULL);
}

_Noreturn void fw_keeper_run(const struct fw_store_options *options, int listener, int beat_fd)
{
	struct run r = { .listener = listener, .beat = beat_fd };
	struct fw_error err = { .message = "out of memory" };
	r.keeper.folder = fw_lmdb_folder(options->url);
	const char *durability = fw_store_durability_for(options->url, options->durability);
	fw_arena_init(&r.keeper.group.arena, NULL, 0, 0);
	fw_buf_init(&r.keeper.scratch, 0);
	if (!r.keeper.folder)
		no_folder(options, &err);
	else if (!durability)
		fw_fail(&err, FW_EINVAL, r.keeper.folder, 0, "LMDB has no durability \"%s\"", options->durability);
	else
		r.keeper.interval = strcmp(durability, "interval") == 0;
	if (!r.keeper.folder || !durability || take_place(&r, r.keeper.folder, &err) < 0 || open_loop(&r) < 0)
		give_up(&err);
	fw_log(FW_LOG_DEBUG, "the keeper keeps the data", "folder", r.keeper.folder, NULL);
	go_first();
	bool last = false;
	do {
		/* After the end is known, once more: what the sockets hold by then is answered. */
		last = r.keeper.stopping;
		if (turn(&r.keeper) < 0) {
			fw_fail(&err, FW_EIO, r.keeper.folder, 0, "the data cannot be written any more");
			give_up(&err);
		}
	} while (!last);
	fw_keeper_group_sync(&r.keeper);
	fw_keeper_hang_up(&r.keeper, ANSWER_MS);
	fw_keeper_scrub_close(&r.keeper);
	fw_submitters_destroy(&r.keeper.submitters);
	fw_arena_finish(&r.keeper.group.arena);
	fw_buf_finish(&r.keeper.scratch);
	free(r.keeper.group.items);
	free(r.keeper.group.order);
	close_loop(&r);
	fw_lmdb_close(&r.keeper.db);
	_exit(0);
}
