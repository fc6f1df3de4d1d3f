/* The command around core/store/copy.h: opens both stores, sees to it that the destination is nobody else's, follows the daemon until
 * it has stopped, says what became of it.
 *
 * Of an LMDB source that no daemon keeps this command takes the keeper's place: nobody else writes then, and what the last pass
 * compares is all there is. */
#include "cli/store_copy.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/folder.h"
#include "cli/command.h"
#include "cli/hosted.h"
#include "cli/open.h"
#include "cli/told_url.h"
#include "server/config_store.h"
#include "server/control.h"
#include "server/living.h"
#include "store/copy.h"
#include "store/keeper.h"
#include "store/redis_url.h"

enum { LOOK_MS = 500, LEASE_MS = 6000, TELL_EVERY_US = 1000000 };

struct copying {
	const struct fw_store_copy *asked;
	struct fw_config *config;
	struct fw_arena arena;
	struct fw_store_options from_at, to_at;
	struct fw_hosted hosted; /* the destination's keeper, where it is an LMDB */
	int held;                /* the source's, whose place is taken; -1: it is not */
	struct event_base *base;
	struct fw_store *from, *to;
	struct event *interrupted[2], *look;
	struct fw_copy *copy;
	struct fw_error err;
	unsigned gone;           /* looks, one after the other, at which no daemon ran */
	bool stopped, over, said_following;
	bool leased, lease_asked;
	int lease_rc;
	int64_t begun_us, told_us;
};

static bool is_lmdb(const struct fw_store_options *at)
{
	return fw_store_folder(at->url) != NULL;
}

static int no_memory(struct copying *c)
{
	return fw_fail(&c->err, FW_ENOMEM, NULL, 0, "out of memory");
}

/* "lmdb:FOLDER" starts where the command does. */
static int find_destination(struct copying *c)
{
	const char *to = c->to_at.url, *folder = fw_store_folder(to);
	struct fw_redis_url url;
	char at[4096], same[4096];
	if (fw_redis_url_is(to))
		return fw_redis_url_parse(&c->arena, to, &url, &c->err);
	if (!folder) { /* what comes behind the colon may be a password */
		fw_fail(&c->err, FW_EINVAL, NULL, 0, "there is no store \"%.*s\": it is of no known kind", (int)strcspn(to, ":"), to);
		fw_hint(&c->err, "write lmdb:FOLDER, redis://HOST or redis-cluster://HOST:PORT,HOST:PORT");
		return FW_EINVAL;
	}
	if (folder[0] != '/')
		c->to_at.url = getcwd(at, sizeof at) ? fw_arena_printf(&c->arena, "lmdb:%s/%s", at, folder) : NULL;
	c->to_at.socket = fw_arena_printf(&c->arena, "%s/copy-%d.sock", c->config->run, (int)getpid());
	if (!c->to_at.url || !c->to_at.socket)
		return no_memory(c);
	if (is_lmdb(&c->from_at) && realpath(fw_store_folder(c->from_at.url), at) && realpath(fw_store_folder(c->to_at.url), same) &&
			strcmp(at, same) == 0)
		return fw_fail(&c->err, FW_EINVAL, NULL, 0, "source and destination are the same");
	return 0;
}

/* Processes are made before any store is opened. */
static int open_stores(struct copying *c)
{
	bool served;
	int rc = fw_control_runs(c->config->run, &served, &c->err);
	if (rc == 0 && !served && is_lmdb(&c->from_at))
		rc = fw_keeper_hold(&c->from_at, &c->held, &c->err);
	if (rc == 0 && is_lmdb(&c->to_at))
		rc = fw_hosted_begin(&c->hosted, &c->to_at, &c->err);
	if (rc < 0)
		return rc;
	if (!(c->base = event_base_new()))
		return no_memory(c);
	if ((rc = fw_store_open(&c->from_at, c->base, &c->from, &c->err)) == 0)
		rc = fw_store_open(&c->to_at, c->base, &c->to, &c->err);
	return rc;
}

static int open_all(struct copying *c)
{
	const char *path = fw_config_find(c->asked->config);
	int rc = fw_told_url(&c->arena, c->asked->to, &c->to_at.url, &c->err);
	if (rc == 0 && !path)
		return fw_fail(&c->err, FW_EINVAL, NULL, 0, "no configuration: name it with --config");
	if (rc == 0)
		rc = fw_config_load(path, &c->config, &c->err);
	if (rc == 0)
		rc = fw_config_store(c->config, &c->arena, &c->from_at, &c->err);
	if (rc == 0)
		rc = find_destination(c);
	if (rc == 0)
		rc = fw_make_folders(c->config->run, 0750, &c->err);
	return rc == 0 ? open_stores(c) : rc;
}

static void on_leased(void *ctx, int rc)
{
	struct copying *c = ctx;
	c->lease_asked = false;
	c->leased = rc == 0;
	c->lease_rc = rc;
}

/* A daemon's workers have this lease: as long as it is this command's, none serves the destination. */
static void lease(struct copying *c)
{
	if (is_lmdb(&c->to_at) || c->lease_asked)
		return;
	c->lease_asked = true;
	if (fw_store_lease(c->to, FW_LIVING_LEASE, LEASE_MS, on_leased, c) < 0)
		on_leased(c, FW_ENOMEM);
}

static void wait_for_lease(struct copying *c)
{
	while (c->lease_asked && event_base_loop(c->base, EVLOOP_ONCE) == 0)
		continue;
}

/* So that a daemon on the copy may lead at once. */
static void give_lease_back(struct copying *c)
{
	wait_for_lease(c);
	if (!c->leased)
		return;
	c->lease_asked = fw_store_release(c->to, FW_LIVING_LEASE, on_leased, c) == 0;
	wait_for_lease(c);
}

static int lease_first(struct copying *c)
{
	struct fw_store_health health;
	int64_t end = fw_monotonic_us() + FW_LIMIT_COPY_FIRST_MS * INT64_C(1000);
	if (is_lmdb(&c->to_at))
		return 0;
	do {
		lease(c);
		wait_for_lease(c);
	} while (c->lease_rc == FW_EAWAY && !c->stopped && fw_monotonic_us() < end);
	fw_store_health(c->to, &health);
	if (c->stopped)
		return fw_fail(&c->err, FW_EBUSY, NULL, 0, "interrupted");
	if (c->lease_rc == FW_EBUSY) {
		fw_fail(&c->err, FW_EBUSY, NULL, 0, "a daemon serves the destination, or another copy goes there");
		fw_hint(&c->err, "stop it, and wait for %d s if it was killed", LEASE_MS / 1000);
		return FW_EBUSY;
	}
	if (c->lease_rc < 0)
		return fw_fail(&c->err, c->lease_rc, NULL, 0, "the destination: %s", health.message[0] ? health.message
			: c->lease_rc == FW_EFULL ? "it is full" : "it is out of reach");
	return 0;
}

/* The first one ends following; the next, or one before anything is to be followed, the command. */
static void on_interrupted(evutil_socket_t fd, short what, void *ctx)
{
	struct copying *c = ctx;
	(void)fd;
	(void)what;
	if (!c->stopped && c->copy && fw_copy_progress(c->copy)->phase == FW_COPY_FOLLOWING)
		fw_copy_finish(c->copy);
	else
		c->over = true;
	c->stopped = true;
}

/* The daemon has ended, not only its keeper: then its place is taken, and nothing changes any more. */
static void look_for_end(struct copying *c)
{
	struct fw_store_health health;
	bool served = true;
	if (c->held >= 0 || !is_lmdb(&c->from_at))
		return;
	fw_store_health(c->from, &health);
	if (!health.reachable && fw_control_runs(c->config->run, &served, &c->err) < 0)
		served = true;
	c->gone = served ? 0 : c->gone + 1;
	if (c->gone >= 2 && fw_keeper_hold(&c->from_at, &c->held, &c->err) == 0) {
		fputs("floorwalker: the daemon has stopped; the rest is copied and checked\n", stderr);
		fw_copy_still(c->copy);
	}
}

static void on_look(evutil_socket_t fd, short what, void *ctx)
{
	struct copying *c = ctx;
	(void)fd;
	(void)what;
	if (!c->copy)
		return;
	look_for_end(c);
	lease(c);
	if (!c->lease_asked && c->lease_rc == FW_EBUSY)
		c->over = true;
}

static void tell(struct copying *c)
{
	const struct fw_copy_progress *p = fw_copy_progress(c->copy);
	int64_t now = fw_monotonic_us();
	if (p->phase == FW_COPY_FOLLOWING && !c->said_following) {
		c->said_following = true;
		fputs("floorwalker: all is copied and checked; what changes follows. Stop the daemon, or interrupt this, to end it\n",
			stderr);
	}
	if (c->asked->json || !isatty(STDERR_FILENO) || p->phase == FW_COPY_FOLLOWING || now - c->told_us < TELL_EVERY_US)
		return;
	c->told_us = now;
	fprintf(stderr, "\rpass %u, %u of %d buckets; %" PRIu64 " rows written", p->passes, p->buckets, FW_STORE_BUCKETS, p->written);
}

static int run_copy(struct copying *c)
{
	const struct timeval look = { LOOK_MS / 1000, LOOK_MS % 1000 * 1000 };
	const struct fw_copy_options options = { c->from, c->to, c->asked->into_existing, c->held >= 0,
		c->asked->follow && c->held < 0 };
	static const int signals[] = { SIGINT, SIGTERM };
	for (unsigned i = 0; i < 2; i++)
		if (!(c->interrupted[i] = evsignal_new(c->base, signals[i], on_interrupted, c)) || event_add(c->interrupted[i], NULL) < 0)
			return no_memory(c);
	if (!(c->look = event_new(c->base, -1, EV_PERSIST, on_look, c)) || event_add(c->look, &look) < 0)
		return no_memory(c);
	int rc = lease_first(c);
	if (rc < 0)
		return rc;
	if (c->asked->follow && c->held >= 0)
		fputs("floorwalker: no daemon serves: there is nothing to follow\n", stderr);
	if (fw_copy_create(&options, c->base, &c->copy) < 0)
		return no_memory(c);
	while (!c->over && !fw_copy_is_over(c->copy)) {
		tell(c);
		event_base_loop(c->base, EVLOOP_ONCE);
	}
	const struct fw_copy_progress *p = fw_copy_progress(c->copy);
	if (c->told_us)
		fputc('\n', stderr);
	if (p->phase == FW_COPY_DONE)
		return 0;
	if (p->phase == FW_COPY_FAILED)
		c->err = p->err;
	else if (c->stopped)
		fw_fail(&c->err, FW_EBUSY, NULL, 0, "interrupted");
	else
		fw_fail(&c->err, FW_EBUSY, NULL, 0, "a daemon began to serve the destination");
	if (!c->err.hint[0] && p->written > 0)
		fw_hint(&c->err, "the copy is not complete; the same with --into-existing goes on where it was");
	return FW_EFAILED;
}

static void print_side(struct fw_json_out *out, const char *key, const struct fw_copy_side *side)
{
	fw_json_key(out, key);
	fw_json_open_object(out);
	fw_json_key(out, "rows");
	fw_json_number(out, (double)side->rows);
	fw_json_key(out, "bytes");
	fw_json_number(out, (double)side->bytes);
	fw_json_close_object(out);
}

static void print_json(const struct copying *c, int rc, const struct fw_copy_progress *p, double seconds)
{
	const struct {
		const char *name;
		double value;
	} numbers[] = { { "passes", p->passes }, { "written", (double)p->written }, { "deleted", (double)p->deleted },
		{ "differing", (double)p->differing }, { "seconds", seconds } };
	struct fw_buf b;
	struct fw_json_out out;
	fw_buf_init(&b, 0);
	fw_json_out_init(&out, &b);
	fw_json_open_object(&out);
	fw_json_key(&out, "ok");
	fw_json_bool(&out, rc == 0);
	if (rc == 0) {
		print_side(&out, "source", &p->from);
		print_side(&out, "destination", &p->to);
	}
	for (size_t i = 0; rc == 0 && i < sizeof numbers / sizeof *numbers; i++) {
		fw_json_key(&out, numbers[i].name);
		fw_json_number(&out, numbers[i].value);
	}
	if (rc < 0) {
		fw_json_key(&out, "error");
		fw_opened_error_json(&out, &c->err);
	}
	fw_json_close_object(&out);
	puts(fw_buf_text(&b));
	fw_buf_finish(&b);
}

static void print(const struct copying *c, int rc, const struct fw_copy_progress *p, double seconds)
{
	char text[1200];
	if (rc < 0) {
		fprintf(stderr, "floorwalker: not copied: %s\n", fw_error_text(&c->err, text, sizeof text));
		return;
	}
	printf("source       %" PRIu64 " rows, %" PRIu64 " bytes\n"
		"destination  %" PRIu64 " rows, %" PRIu64 " bytes; differing: %" PRIu64 "\n"
		"%" PRIu64 " written, %" PRIu64 " deleted in %u pass%s, %.1f s\n", p->from.rows, p->from.bytes, p->to.rows, p->to.bytes,
		p->differing, p->written, p->deleted, p->passes, p->passes == 1 ? "" : "es", seconds);
}

/* What a Redis keeps nothing of is said, before anybody relies on it. */
static void warn_of_promise(const struct copying *c)
{
	struct fw_store_health health;
	fw_store_health(c->to, &health);
	if (health.promise >= FW_PROMISE_SNAPSHOTS)
		fprintf(stderr, "floorwalker: the destination: %s\n", fw_store_promise_text(health.promise));
}

static void close_all(struct copying *c)
{
	fw_copy_end(c->copy);
	give_lease_back(c);
	fw_store_close(c->from);
	fw_store_close(c->to);
	fw_copy_destroy(c->copy);
	struct event *const events[] = { c->interrupted[0], c->interrupted[1], c->look };
	for (unsigned i = 0; i < sizeof events / sizeof *events; i++)
		if (events[i])
			event_free(events[i]);
	if (c->base)
		event_base_free(c->base);
	fw_hosted_end(&c->hosted);
	if (c->to_at.socket)
		unlink(c->to_at.socket);
	if (c->held >= 0)
		close(c->held);
	fw_config_destroy(c->config);
	fw_arena_finish(&c->arena);
}

int fw_store_copy(const struct fw_store_copy *asked)
{
	static const struct fw_copy_progress nothing;
	struct copying c = { .asked = asked, .hosted = FW_HOSTED_NONE, .held = -1, .begun_us = fw_monotonic_us() };
	fw_arena_init(&c.arena, NULL, 0, 0);
	int rc = open_all(&c);
	if (rc == 0)
		rc = run_copy(&c);
	const struct fw_copy_progress *p = c.copy ? fw_copy_progress(c.copy) : &nothing;
	double seconds = (double)(fw_monotonic_us() - c.begun_us) / 1e6;
	if (rc == 0)
		warn_of_promise(&c);
	if (asked->json)
		print_json(&c, rc, p, seconds);
	else
		print(&c, rc, p, seconds);
	close_all(&c);
	return rc == 0 ? FW_EXIT_DONE : FW_EXIT_NO;
}
