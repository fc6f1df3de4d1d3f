/* What was deleted lies on in Redis's files until it writes them anew: the append-only file (BGREWRITEAOF) and the snapshot (BGSAVE), each
 * node's and each replica's own. Every place is asked what it has, told to write anew what it has when nothing is being written,
 * and asked until that is done.
 *
 * A replica that was sent all of its primary's data keeps the file in which it came under the snapshot's name, also where it saves none,
 * and when it has become a primary. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/redis_own.h"

enum { LOOK_AGAIN_MS = 50, UNREACHABLE_MS = 10000 };

enum stage { ASK_CONFIG, LOOK, REWRITE, REWRITING, SAVE, SAVING, DONE };

/* A node or a replica. */
struct place {
	struct place *next;
	struct fw_redis_scrub *scrub;
	struct fw_redis_line *line;
	char host[256];
	unsigned port;
	enum stage stage;
	bool asked, saves; /* a reply is due; it has snapshots */
	bool takes_files;  /* what it is sent as a replica comes by a file */
	uint64_t before;   /* how many it had written when it was told to write one */
	int rc;
};

struct waiter {
	struct waiter *next;
	fw_store_scrubbed done;
	void *ctx;
};

/* Of a handle: one run at a time; whoever asks during one waits for the next, since the files may have been begun already. */
struct fw_redis_scrub {
	struct fw_redis *redis;
	struct place *places;        /* NULL: no run */
	struct waiter *now, *next_run;
	unsigned n;
};

/* --- a place */

static void fail(struct place *p, int rc, const char *what)
{
	p->rc = rc;
	p->stage = DONE;
	if (what)
		fw_redis_trouble(p->scrub->redis, NULL, what);
}

static bool add_place(struct fw_redis_scrub *s, const char *host, unsigned port)
{
	struct place *p;
	for (p = s->places; p; p = p->next)
		if (p->port == port && strcmp(p->host, host) == 0)
			return true;
	if (!(p = calloc(1, sizeof *p)))
		return false;
	*p = (struct place){ .scrub = s, .port = port, .next = s->places };
	snprintf(p->host, sizeof p->host, "%s", host);
	if (!(p->line = fw_redis_line_create(&s->redis->lines, host, port, NULL, NULL, p))) {
		free(p);
		return false;
	}
	s->places = p;
	return true;
}

/* "slave0:ip=10.0.0.2,port=7003,state=online,…" */
static void add_replicas(struct place *p, const redisReply *info)
{
	char name[24], host[256];
	for (unsigned i = 0; i < fw_redis_info_number(info, "connected_slaves"); i++) {
		snprintf(name, sizeof name, "slave%u", i);
		struct fw_str text = fw_redis_info(info, name);
		unsigned port = 0;
		if (!text.p || sscanf(text.p, "ip=%255[^,],port=%u", host, &port) != 2 || port == 0 || port > 65535)
			continue;
		if (!add_place(p->scrub, host, port))
			fail(p, FW_ENOMEM, NULL);
	}
}

static bool is_writing(const redisReply *info)
{
	return fw_redis_info_number(info, "aof_rewrite_in_progress") || fw_redis_info_number(info, "aof_rewrite_scheduled") ||
		fw_redis_info_number(info, "rdb_bgsave_in_progress");
}

/* "save", "3600 1", "repl-diskless-load", "disabled"; or a refusal: then it may have any file. */
static void read_config(struct place *p, const redisReply *reply)
{
	p->saves = reply->type != REDIS_REPLY_ARRAY;
	p->takes_files = true;
	for (size_t i = 0; !p->saves && i + 1 < reply->elements; i += 2) {
		const redisReply *name = reply->element[i], *value = reply->element[i + 1];
		if (name->type != REDIS_REPLY_STRING || value->type != REDIS_REPLY_STRING)
			continue;
		if (strcmp(name->str, "save") == 0 && value->len > 0)
			p->saves = true;
		else if (strcmp(name->str, "repl-diskless-load") == 0)
			p->takes_files = strcmp(value->str, "swapdb") != 0;
	}
}

static bool may_have_been_sent(const redisReply *info)
{
#ifdef FW_BREAK_SCRUB_SENT
	return false;
#endif
	return fw_str_is(fw_redis_info(info, "role"), "slave") || (fw_redis_info_number(info, "aof_enabled") &&
		(fw_redis_info_number(info, "cluster_enabled") || fw_redis_info_number(info, "connected_slaves")));
}

static void look(struct place *p, const redisReply *info)
{
	uint64_t rewrites = fw_redis_info_number(info, "aof_rewrites"), saves = fw_redis_info_number(info, "rdb_saves");
	if (is_writing(info))
		return;
	if (p->stage == LOOK) {
		add_replicas(p, info);
		p->saves |= p->takes_files && may_have_been_sent(info);
		p->stage = p->stage == DONE ? DONE : fw_redis_info_number(info, "aof_enabled") ? REWRITE : p->saves ? SAVE : DONE;
		p->before = p->stage == REWRITE ? rewrites : saves;
	} else if (p->stage == REWRITING && !fw_str_is(fw_redis_info(info, "aof_last_bgrewrite_status"), "ok")) {
		fail(p, FW_EIO, "it could not write its append-only file anew");
	} else if (p->stage == REWRITING) {
		p->stage = rewrites == p->before ? REWRITE : p->saves ? SAVE : DONE;
		p->before = p->stage == REWRITE ? rewrites : saves;
	} else if (p->stage == SAVING && !fw_str_is(fw_redis_info(info, "rdb_last_bgsave_status"), "ok")) {
		fail(p, FW_EIO, "it could not save a snapshot");
	} else if (p->stage == SAVING) {
		p->stage = saves == p->before ? SAVE : DONE;
	}
}

static void on_reply(void *ctx, const redisReply *reply)
{
	struct place *p = ctx;
	p->asked = false;
	if (!reply) {
		p->stage = p->stage == DONE ? DONE : ASK_CONFIG; /* what it had begun may be lost */
	} else if (p->stage == ASK_CONFIG) {
		read_config(p, reply);
		p->stage = LOOK;
	} else if (p->stage == REWRITE || p->stage == SAVE) {
		bool busy = reply->type == REDIS_REPLY_ERROR && (strstr(reply->str, "in progress") || strstr(reply->str, "another child"));
		if (reply->type == REDIS_REPLY_ERROR && !busy)
			fail(p, FW_EIO, reply->str);
		else if (!busy)
			p->stage = p->stage == REWRITE ? REWRITING : SAVING;
	} else if (reply->type == REDIS_REPLY_STRING) {
		look(p, reply);
	} else {
		fail(p, FW_EIO, reply->type == REDIS_REPLY_ERROR ? reply->str : "it does not tell how it is");
	}
	fw_redis_tick_soon(p->scrub->redis, p->stage == REWRITING || p->stage == SAVING ? LOOK_AGAIN_MS : 0);
}

static void step(struct place *p)
{
	int rc;
	if (p->stage == DONE || p->asked)
		return;
	if (!fw_redis_line_up(p->line)) {
		if (fw_redis_line_down_us(p->line) > UNREACHABLE_MS * INT64_C(1000))
			fail(p, FW_EAWAY, "it cannot be reached to write its files anew");
		return;
	}
	if (p->stage == ASK_CONFIG)
		rc = fw_redis_line_say(p->line, on_reply, p, "CONFIG", "GET", "save", "repl-diskless-load", NULL);
	else if (p->stage == REWRITE)
		rc = fw_redis_line_say(p->line, on_reply, p, "BGREWRITEAOF", NULL);
	else if (p->stage == SAVE)
		rc = fw_redis_line_say(p->line, on_reply, p, "BGSAVE", NULL);
	else
		rc = fw_redis_line_say(p->line, on_reply, p, "INFO", NULL);
	p->asked = rc == 0;
}

/* --- a run */

static void end_run(struct fw_redis_scrub *s, int rc)
{
	struct waiter *w = s->now;
	s->now = NULL;
	for (struct place *p; (p = s->places);) {
		s->places = p->next;
		p->stage = DONE;
		fw_redis_line_destroy(p->line);
		free(p);
	}
	for (struct waiter *next; w; w = next) {
		next = w->next;
		s->n--;
		w->done(w->ctx, rc);
		free(w);
	}
}

static void begin_run(struct fw_redis_scrub *s)
{
	s->now = s->next_run;
	s->next_run = NULL;
	for (struct fw_redis_node *node = s->redis->nodes; node; node = node->next)
		if (node->mapped && !add_place(s, node->host, node->port)) {
			end_run(s, FW_ENOMEM);
			return;
		}
	fw_redis_tick_soon(s->redis, LOOK_AGAIN_MS);
}

void fw_redis_scrub_tick(struct fw_redis *r)
{
	struct fw_redis_scrub *s = r->scrubs;
	bool done = true;
	int rc = 0;
	if (!s || (!s->places && !s->next_run))
		return;
	if (!s->places) {
		if (r->lines.url.cluster && !r->has_map)
			fw_redis_tick_soon(r, LOOK_AGAIN_MS);
		else
			begin_run(s);
		return;
	}
	for (struct place *p = s->places; p; p = p->next) {
		step(p);
		done &= p->stage == DONE;
		rc = p->rc < 0 ? p->rc : rc;
	}
	if (done)
		end_run(s, rc);
	if (s->places || s->next_run)
		fw_redis_tick_soon(r, LOOK_AGAIN_MS);
}

int fw_redis_scrub(struct fw_store *store, fw_store_scrubbed done, void *ctx)
{
	struct fw_redis *r = (struct fw_redis *)store;
	if (!r->scrubs && !(r->scrubs = calloc(1, sizeof *r->scrubs)))
		return FW_ENOMEM;
	r->scrubs->redis = r;
	if (r->scrubs->n >= FW_LIMIT_STORE_SCRUBS)
		return FW_EBUSY;
	struct waiter *w = malloc(sizeof *w), **end = &r->scrubs->next_run;
	if (!w)
		return FW_ENOMEM;
	*w = (struct waiter){ NULL, done, ctx };
	while (*end)
		end = &(*end)->next;
	*end = w;
	r->scrubs->n++;
	fw_redis_tick_soon(r, 0);
	return 0;
}

void fw_redis_scrub_close(struct fw_redis *r)
{
	if (!r->scrubs)
		return;
	end_run(r->scrubs, FW_EAWAY);
	r->scrubs->now = r->scrubs->next_run;
	r->scrubs->next_run = NULL;
	end_run(r->scrubs, FW_EAWAY);
	free(r->scrubs);
	r->scrubs = NULL;
}
