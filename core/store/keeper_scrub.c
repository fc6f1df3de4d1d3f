/* Scrubs: one at a time, a slice a turn, between groups. Whoever asks during one waits for the next. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/keeper_own.h"

enum {
	PAUSE_MS = 2,     /* after a slice of one */
	HELD_MS = 50,     /* until it is tried again when something is in the way */
	PATIENCE_MS = 2000, /* until whoever asked is told so */
};

static void on_again(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_keeper *k = ctx;
	(void)fd;
	(void)what;
	k->scrub.due = true;
}

int fw_keeper_scrub_open(struct fw_keeper *k)
{
	fw_scrub_init(&k->scrub.pass);
	return (k->scrub.again = evtimer_new(k->base, on_again, k)) ? 0 : FW_ENOMEM;
}

void fw_keeper_scrub_close(struct fw_keeper *k)
{
	fw_scrub_finish(&k->scrub.pass);
	event_free(k->scrub.again);
}

static void wait_for(struct fw_keeper *k, int ms)
{
	struct timeval t = { ms / 1000, (ms % 1000) * 1000 };
	k->scrub.due = false;
	event_add(k->scrub.again, &t);
}

int fw_keeper_scrub_ask(struct fw_keeper_conn *c, uint64_t number)
{
	struct fw_keeper_scrub *s = &c->keeper->scrub;
	if (c->n_scrubs >= FW_LIMIT_STORE_SCRUBS)
		return FW_EINVAL;
	struct fw_keeper_asked *a = malloc(sizeof *a);
	if (!a)
		return FW_ENOMEM;
	*a = (struct fw_keeper_asked){ s->asked, c, number, false };
	s->asked = a;
	c->n_scrubs++;
	return 0;
}

/* Takes one off the list, at *p. */
static void take_off(struct fw_keeper_asked **p)
{
	struct fw_keeper_asked *a = *p;
	*p = a->next;
	a->conn->n_scrubs--;
	free(a);
}

void fw_keeper_scrub_drop(struct fw_keeper_conn *c)
{
	for (struct fw_keeper_asked **p = &c->keeper->scrub.asked; *p;)
		if ((*p)->conn == c)
			take_off(p);
		else
			p = &(*p)->next;
}

/* Tells those whom the scrub in hand concerns, or all. */
static void answer(struct fw_keeper *k, int rc, bool all)
{
	for (struct fw_keeper_asked **p = &k->scrub.asked; *p;) {
		if (!all && !(*p)->begun) {
			p = &(*p)->next;
			continue;
		}
		k->scrub.owed |= rc == FW_EBUSY && !(*p)->begun;
		fw_wire_put_scrubbed(&(*p)->conn->out, (*p)->number, rc);
		take_off(p);
	}
}

static void begin(struct fw_keeper *k)
{
	struct fw_keeper_scrub *s = &k->scrub;
	fw_scrub_finish(&s->pass);
	for (struct fw_keeper_asked *a = s->asked; a; a = a->next)
		a->begun = true;
	s->running = s->due = true;
	s->owed = false;
	s->held_us = 0;
}

/* LMDB's buffers go with its environment. */
static int reopen(struct fw_keeper *k)
{
	struct fw_error err;
#ifndef FW_BREAK_SCRUB_BUFFERS
	fw_keeper_group_sync(k);
	fw_lmdb_close(&k->db);
	if (fw_keeper_open_data(k, &err) < 0) {
		fw_log_error(FW_LOG_ERROR, "the data cannot be opened again", &err);
		return FW_EIO;
	}
#endif
	return 0;
}

static void finish(struct fw_keeper *k, int rc)
{
	char bytes[32];
	snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)k->scrub.pass.cleared);
	if (rc == 0)
		fw_log(FW_LOG_DEBUG, "what was deleted is overwritten", "bytes", bytes, NULL);
	else
		fw_log(FW_LOG_ERROR, "what was deleted could not be overwritten", "folder", k->folder, NULL);
	k->scrub.running = false;
	answer(k, rc, false);
	fw_scrub_finish(&k->scrub.pass);
}

/* Something is in the way: a reader of an older state, or a full disk. Tried again, for as long as it takes. */
static void hold(struct fw_keeper *k, int rc)
{
	struct fw_keeper_scrub *s = &k->scrub;
	int64_t now = fw_monotonic_us();
	if (s->held_us == 0)
		s->held_us = now;
	if (rc == FW_EFULL || now - s->held_us >= PATIENCE_MS * INT64_C(1000))
		answer(k, rc, true);
	wait_for(k, HELD_MS);
}

int fw_keeper_scrub_turn(struct fw_keeper *k)
{
	struct fw_keeper_scrub *s = &k->scrub;
	if (k->stopping)
		return 0;
	if (!s->running && (s->asked || s->owed))
		begin(k);
	if (!s->running || !s->due)
		return 0;
	int rc = fw_scrub_step(&s->pass, &k->db);
	if (rc == FW_SCRUB_REOPEN && reopen(k) < 0)
		return FW_EIO;
	if (rc == FW_EBUSY || rc == FW_EFULL) {
		hold(k, rc);
	} else if (rc > 0) {
		s->held_us = 0;
		wait_for(k, PAUSE_MS);
	} else {
		finish(k, rc);
		if (s->asked || s->owed)
			wait_for(k, PAUSE_MS);
	}
	fw_lmdb_mend_length(&k->db);
	fw_keeper_flush(k);
	return 0;
}
