#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "message/own.h"
#include "people/asked.h"

enum {
	LEASE_MS = 4000, TICK_MS = 250, ASKED_AT_ONCE = 16, LEFT_ALONE_MS = 1000, ROWS_AT_ONCE = 64,
	WANT_MS = 3000, WANT_EVERY_MS = 2000,
	LEVEL = 4,                /* groups: whoever has two levels more than another gives away half of the difference */
	AGAIN_US = 1000000,       /* after a failure of the store */
	SURE_US = 30 * 1000000,   /* notices can be lost: so often each bucket is looked at */
	FULL_US = 1000,           /* as many people as may be are in hand */
};

static void wait_us(struct event *timer, int64_t us)
{
	struct timeval t = { us / 1000000, us % 1000000 };
	event_add(timer, &t);
}

uint64_t fw_messages_chance(struct fw_messages *m)
{
	uint64_t a = m->chance[0], b = m->chance[1]; /* xorshift128+ (S. Vigna, 2014) */
	m->chance[0] = b;
	a ^= a << 23;
	m->chance[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
	return m->chance[1] + b;
}

/* The timer of whatever comes first. */
static void plan(struct fw_messages *m)
{
	int64_t first_us = INT64_MAX;
	if (m->draining || m->looking >= FW_LOOKS_AT_ONCE) /* the end of one plans anew */
		return;
	for (uint32_t b = 0; b < FW_STORE_BUCKETS; b++)
		if (m->groups[b / FW_GROUP_BUCKETS].owned && !m->buckets[b].scanning && m->buckets[b].next_us < first_us)
			first_us = m->buckets[b].next_us;
	if (first_us == INT64_MAX)
		return;
	int64_t left_us = first_us - fw_now_us(), full_us = m->not_before_us - fw_clock_steady_us();
	left_us = left_us > full_us ? left_us : full_us;
	wait_us(m->on_due, left_us > 0 ? left_us : 0);
}

void fw_schedule_look(struct fw_messages *m, uint32_t bucket, int64_t at_us)
{
	if (at_us >= m->buckets[bucket].next_us)
		return;
	m->buckets[bucket].next_us = at_us;
	plan(m);
}

void fw_schedule_all(struct fw_messages *m)
{
	for (uint32_t b = 0; b < FW_STORE_BUCKETS; b++)
		m->buckets[b].next_us = 0;
	plan(m);
}

/* In the arena of its own. */
struct looking {
	struct fw_messages *m;
	uint32_t bucket;
	struct fw_arena arena;
	char after[FW_KEY_WAKE];
	bool more;
	bool asking, answered, over; /* in the call that asks; its answer came within; nothing is left to ask */
	int64_t next_us;
};

static void end_look(struct looking *l)
{
	struct fw_messages *m = l->m;
	struct fw_messages_bucket *b = &m->buckets[l->bucket];
	int64_t sure_us = fw_now_us() + SURE_US;
	b->scanning = false;
	m->looking--;
	if (l->next_us < b->next_us)
		b->next_us = l->next_us;
	if (sure_us < b->next_us)
		b->next_us = sure_us;
	fw_arena_finish(&l->arena);
	free(l);
	plan(m);
}

static void look_by(struct looking *l, int64_t at_us)
{
	l->next_us = at_us < l->next_us ? at_us : l->next_us;
}

/* One row. False: those behind it have time. */
static bool take_row(struct looking *l, const struct fw_row *row, int64_t now_us)
{
	struct fw_messages *m = l->m;
	struct fw_wake wake;
	uint64_t hash;
	int64_t steady_us = fw_clock_steady_us(), left_us;
	if (!fw_wake_read(row->key, &wake, &hash))
		return true;
	if (wake.at_us > now_us) {
		look_by(l, wake.at_us);
		return false;
	}
	if ((left_us = fw_clock_left_alone_us(m, l->bucket, hash, steady_us)) > 0) {
		look_by(l, now_us + left_us);
		return true;
	}
	bool waited_for = fw_alone_wants(m, l->bucket, hash, steady_us);
	bool full = !waited_for && !fw_pace_allows(m);
	bool enough = m->begun >= FW_MESSAGES_A_TURN;
	if (enough || full || !fw_alone_allows(m, l->bucket, hash, steady_us)) {
		m->not_before_us = steady_us + (enough ? 1 : FULL_US);
		l->next_us = now_us;
		return !enough && !full && l->bucket == m->alone.bucket; /* it may be behind */
	}
	if (fw_attempt_has(m, l->bucket, hash)) /* its end has this bucket looked at again */
		return true;
	if (!waited_for && !fw_channel_is_free(m, wake.channel, steady_us, &left_us)) {
		look_by(l, now_us + left_us);
		return fw_channel_any_is_free(m, steady_us);
	}
	m->begun++;
	if (fw_attempt_begin(m, l->bucket, row, hash) < 0)
		l->next_us = now_us + AGAIN_US;
	return true;
}

static void look_on(struct looking *l);

static void on_rows(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct looking *l = ctx;
	int64_t now_us = fw_now_us();
	bool on = rc == 0 && !l->m->draining;
	if (rc < 0)
		l->next_us = now_us + AGAIN_US;
	for (size_t i = 0; on && i < n; i++)
		on = take_row(l, &rows[i], now_us);
	l->over = !on || !more || n == 0 || rows[n - 1].key.n != FW_KEY_WAKE;
	l->more = true;
	if (!l->over)
		memcpy(l->after, rows[n - 1].key.p, FW_KEY_WAKE);
	l->answered = true;
	if (!l->asking)
		look_on(l);
}

/* A store that answers within the call is asked by this loop, however many rows there are. */
static void look_on(struct looking *l)
{
	while (!l->over) {
		struct fw_str after = { l->after, l->more ? FW_KEY_WAKE : 0 };
		fw_arena_reset(&l->arena);
		l->answered = false;
		l->asking = true;
		fw_store_scan(fw_people_store(l->m->options.people), l->bucket, FW_STR("M"), after, ROWS_AT_ONCE, &l->arena, on_rows, l);
		l->asking = false;
		if (!l->answered)
			return;
	}
	end_look(l);
}

static void look(struct fw_messages *m, uint32_t bucket)
{
	struct looking *l = calloc(1, sizeof *l);
	if (!l) {
		m->buckets[bucket].next_us = fw_now_us() + AGAIN_US;
		return;
	}
	l->m = m;
	l->bucket = bucket;
	l->next_us = INT64_MAX;
	fw_arena_init(&l->arena, NULL, 0, 0);
	m->buckets[bucket].next_us = INT64_MAX;
	m->buckets[bucket].scanning = true;
	m->looking++;
	look_on(l);
}

static void on_due(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_messages *m = ctx;
	int64_t now_us = fw_now_us(), steady_us = fw_clock_steady_us();
	uint32_t first = steady_us < m->alone.until_us ? m->alone.bucket : m->first;
	(void)fd;
	(void)what;
	m->begun = 0;
	for (uint32_t k = 0; k < FW_STORE_BUCKETS && !m->draining && m->not_before_us <= steady_us && m->looking < FW_LOOKS_AT_ONCE; k++) {
		uint32_t b = (first + k) % FW_STORE_BUCKETS;
		if (!m->groups[b / FW_GROUP_BUCKETS].owned || m->buckets[b].scanning || m->buckets[b].next_us > now_us)
			continue;
		look(m, b);
		m->first = (b + 1) % FW_STORE_BUCKETS; /* whoever found no room has the next turn after all others */
	}
	plan(m);
}

static void on_claims(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	fw_attempt_hand_over(ctx);
}

static void on_changed(void *ctx, uint32_t bucket, struct fw_str key, uint64_t version)
{
	struct fw_messages *m = ctx;
	struct fw_wake wake;
	uint64_t hash;
	(void)version;
	if (!key.p) { /* anything may have changed */
		fw_schedule_all(m);
		fw_restock_all(m);
	} else if (key.n == FW_KEY_ASKED && key.p[0] == 'B') {
		fw_restock_asked(m, bucket);
	} else if (fw_wake_read(key, &wake, &hash) && !wake.dead) {
		fw_schedule_look(m, bucket, wake.at_us);
	}
}

struct leasing {
	struct fw_messages *m;
	unsigned group;
};

enum { LEASE_NAME = 32 };

static void lease_name(unsigned group, char name[LEASE_NAME])
{
	snprintf(name, LEASE_NAME, "messages/%u", group);
}

static void lose(struct fw_messages *m, unsigned group)
{
	m->groups[group].owned = false;
	m->owned--;
}

static void on_leased(void *ctx, int rc)
{
	struct leasing l = *(struct leasing *)ctx;
	struct fw_messages *m = l.m;
	struct fw_messages_group *g = &m->groups[l.group];
	free(ctx);
	g->asked = false;
	if (rc == 0 && (m->draining || g->leaves)) { /* it was given back while it was being asked for */
		char name[LEASE_NAME];
		g->leaves = false;
		lease_name(l.group, name);
		fw_store_release(fw_people_store(m->options.people), name, NULL, NULL);
		return;
	}
	g->leaves = false;
	if (rc == FW_EBUSY && g->owned)
		lose(m, l.group);
	if (rc == 0 && !g->owned) {
		g->owned = true;
		m->owned++;
		for (unsigned i = 0; i < FW_GROUP_BUCKETS; i++)
			m->buckets[l.group * FW_GROUP_BUCKETS + i].next_us = 0;
		fw_restock_own(m, l.group);
	}
	if (rc == 0)
		g->until_us = fw_monotonic_us() + LEASE_MS * INT64_C(1000);
	plan(m);
}

static void ask(struct fw_messages *m, unsigned group)
{
	char name[LEASE_NAME];
	struct leasing *l = malloc(sizeof *l);
	if (!l)
		return;
	*l = (struct leasing){ m, group };
	lease_name(group, name);
	m->groups[group].asked = true;
	if (fw_store_lease(fw_people_store(m->options.people), name, LEASE_MS, on_leased, l) < 0) {
		m->groups[group].asked = false;
		free(l);
	}
}

static void give_back(struct fw_messages *m, unsigned group, int64_t now_us)
{
	char name[LEASE_NAME];
	lease_name(group, name);
	lose(m, group);
	m->groups[group].leaves = m->groups[group].asked;
	m->groups[group].not_before_us = now_us + LEFT_ALONE_MS * INT64_C(1000);
	fw_store_release(fw_people_store(m->options.people), name, NULL, NULL);
}

static void let_go(struct fw_messages *m, unsigned left, int64_t now_us)
{
	unsigned first = (unsigned)(fw_messages_chance(m) % FW_GROUPS);
	for (unsigned k = 0; k < FW_GROUPS && left > 0; k++)
		if (m->groups[(first + k) % FW_GROUPS].owned) {
			give_back(m, (first + k) % FW_GROUPS, now_us);
			left--;
		}
}

/* Who has less than its share holds the lease of its level, so that others see it: how many they are, nobody knows. */
struct wanting {
	struct fw_messages *m;
	unsigned level;
	bool own;
};

static void level_name(unsigned level, char name[LEASE_NAME])
{
	snprintf(name, LEASE_NAME, "messages/want/%u", level);
}

static void on_wanted(void *ctx, int rc)
{
	struct wanting w = *(struct wanting *)ctx;
	struct fw_messages *m = w.m;
	unsigned less = (w.level + 1) * LEVEL;
	char name[LEASE_NAME];
	free(ctx);
	if (m->draining || w.own)
		return;
	if (rc == FW_EBUSY && m->owned > less)
		let_go(m, (m->owned - less + 1) / 2, fw_monotonic_us());
	level_name(w.level, name);
	if (rc == 0) /* nobody has so little */
		fw_store_release(fw_people_store(m->options.people), name, NULL, NULL);
}

static void want(struct fw_messages *m, unsigned level, bool own)
{
	char name[LEASE_NAME];
	struct wanting *w = malloc(sizeof *w);
	if (!w)
		return;
	*w = (struct wanting){ m, level, own };
	level_name(level, name);
	if (fw_store_lease(fw_people_store(m->options.people), name, WANT_MS, on_wanted, w) < 0)
		free(w);
}

static void look_who_wants(struct fw_messages *m)
{
	unsigned level = m->owned / LEVEL;
	if (m->owned < m->options.share)
		want(m, level, true);
	if (level >= 2)
		want(m, (unsigned)(fw_messages_chance(m) % (level - 1)), false);
}

/* Prolongs what is held, and asks for a few that are not; so often the clock is looked at, too. */
static void on_lease(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_messages *m = ctx;
	int64_t now_us = fw_monotonic_us();
	unsigned asked = 0, first = (unsigned)(fw_messages_chance(m) % FW_GROUPS);
	(void)fd;
	(void)what;
	fw_clock_look(m);
	for (unsigned k = 0; k < FW_GROUPS; k++) {
		unsigned i = (first + k) % FW_GROUPS;
		struct fw_messages_group *g = &m->groups[i];
		if (g->owned && now_us >= g->until_us)
			lose(m, i);
		bool prolong = g->owned && g->until_us - now_us < LEASE_MS * INT64_C(500);
		if (g->asked || (!prolong && (g->owned || now_us < g->not_before_us || asked++ >= ASKED_AT_ONCE)))
			continue;
		ask(m, i);
	}
	if (now_us - m->wanted_us > WANT_EVERY_MS * INT64_C(1000)) {
		m->wanted_us = now_us;
		look_who_wants(m);
	}
	wait_us(m->on_lease, TICK_MS * INT64_C(1000));
}

struct fw_messages *fw_messages_create(struct event_base *base, const struct fw_messages_options *options)
{
	struct fw_messages *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	m->base = base;
	m->options = *options;
	if (getrandom(m->chance, sizeof m->chance, 0) != sizeof m->chance)
		m->chance[0] = (uint64_t)fw_monotonic_us();
	m->chance[0] |= 1;
	m->channels = calloc(options->n_channels + 1, sizeof *m->channels);
	m->on_lease = evtimer_new(base, on_lease, m);
	m->on_due = evtimer_new(base, on_due, m);
	m->on_claims = evtimer_new(base, on_claims, m);
	m->last_claimed = &m->claimed;
	m->ahead_us = fw_now_us() - fw_clock_steady_us();
	for (unsigned i = 0; m->channels && i < options->n_channels; i++) {
		m->channels[i].channel = options->channels[i];
		m->channels[i].letter = fw_due_channel(fw_str(options->channels[i].name));
		m->channels[i].filled_us = fw_clock_steady_us();
	}
	for (uint32_t b = 0; b < FW_STORE_BUCKETS; b++)
		m->buckets[b].next_us = INT64_MAX;
	if (m->channels && m->on_lease && m->on_due && m->on_claims && fw_pace_init(m) == 0 && fw_restock_init(m) == 0)
		return m;
	fw_messages_destroy(m);
	return NULL;
}

void fw_messages_start(struct fw_messages *m)
{
	if (fw_store_watch(fw_people_store(m->options.people), on_changed, m) < 0)
		fw_log(FW_LOG_WARN, "the store sends no notices: messages are looked for every 30 seconds", NULL);
	wait_us(m->on_lease, 0);
}

void fw_messages_drain(struct fw_messages *m)
{
	int64_t now_us = fw_monotonic_us();
	if (m->draining)
		return;
	m->draining = true;
	event_del(m->on_lease);
	event_del(m->on_due);
	event_del(m->restock.on_due);
	fw_store_watch(fw_people_store(m->options.people), NULL, m);
	for (unsigned i = 0; i < FW_GROUPS; i++)
		if (m->groups[i].owned)
			give_back(m, i, now_us);
}

bool fw_messages_idle(const struct fw_messages *m)
{
	return m->in_hand == 0 && m->delivering == 0 && !m->restock.telling;
}

const struct fw_messages_counters *fw_messages_counters(const struct fw_messages *m)
{
	return &m->counters;
}
