/* Somebody whose messages are due: found, judged, and what is to be sent claimed, before its channel hears of it. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "fact/products_then.h"
#include "message/compose.h"
#include "message/own.h"

enum { TRIES_MOST = 100, AGAIN_US = 1000000, ALONE_US = 20000 };

bool fw_attempt_has(const struct fw_messages *m, uint32_t bucket, uint64_t hash)
{
	for (const struct fw_attempt *a = m->attempts; a; a = a->next)
		if (a->hash == hash && a->bucket == bucket)
			return true;
	return false;
}

/* `wait_us` 0: nothing is left to be done for this wake row. */
static void end(struct fw_attempt *a, int64_t wait_us)
{
	struct fw_messages *m = a->messages;
	struct fw_attempt **at = &m->attempts;
	uint32_t bucket = a->bucket;
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	m->in_hand--;
	fw_arena_finish(&a->arena);
	free(a);
	fw_alone_leave(m);
	/* A row that this one was in the way of may be waiting. */
	fw_schedule_look(m, bucket, fw_now_us() + wait_us);
}

static void fail(struct fw_attempt *a)
{
	end(a, AGAIN_US);
}

static void on_dropped(void *ctx, int rc, uint64_t version)
{
	(void)version;
	if (rc < 0 && rc != FW_ECONFLICT)
		fail(ctx);
	else
		end(ctx, 0);
}

/* The wake row leads to nothing. */
static void drop_wake(struct fw_attempt *a)
{
	a->change = (struct fw_change){ FW_CHANGE_DELETE, fw_key_str(&a->wake), { NULL, 0 }, a->wake_version };
	if (fw_commit(&a->commit, a->messages->options.people, &(struct fw_batch){ a->bucket, &a->change, 1 }, on_dropped, a) < 0)
		fail(a);
}

static void load(struct fw_attempt *a);

static void count(struct fw_messages *m, const struct fw_due_item *x)
{
	struct fw_messages_counters *c = &m->counters;
	c->judged++;
	c->poison += x->poison;
	c->lost += x->lost;
	c->deferred += x->reason == FW_REASON_DEFERRED;
	c->refused += !x->poison && x->reason != FW_REASON_WON && x->reason != FW_REASON_DEFERRED;
}

static void take_places(struct fw_attempt *a)
{
	for (uint32_t i = 0; i < a->n; i++) {
		const struct fw_due_item *x = &a->items[i];
		struct fw_used_channel *c = x->reason == FW_REASON_WON ? fw_channel_find(a->messages, x->due.channel) : NULL;
		a->going[i].place = c ? fw_channel_take(c, x->address, fw_clock_steady_us()) : (struct fw_channel_place){ NULL, 0 };
	}
}

static void tell(const struct fw_attempt *a)
{
	const struct fw_messages_options *o = &a->messages->options;
	const struct fw_judged decision = { a->log.id, a->now_us, &a->person, a->items, a->n, a->log.then };
	if (a->log.id.n)
		o->judged(o->judged_ctx, &decision);
}

static void hand_over(struct fw_attempt *a)
{
	struct fw_messages *m = a->messages;
	tell(a);
	fw_due_count(m->options.decider, a->items, a->n, a->now_us);
	for (uint32_t i = 0; i < a->n; i++) {
		count(m, &a->items[i]);
		if (a->items[i].poison)
			fw_log(FW_LOG_ERROR, "a message is dead: nobody who tried to deliver it lived to tell", "rule",
				a->items[i].due.rule.p, NULL);
		if (a->items[i].reason == FW_REASON_WON)
			fw_deliver(m, &a->going[i]);
	}
	end(a, 0);
}

static void wake_claims(struct fw_messages *m)
{
	static const struct timeval now = { 0, 0 };
	event_add(m->on_claims, &now);
}

static struct fw_attempt *take_claimed(struct fw_messages *m)
{
	struct fw_attempt *a = m->claimed;
	if (!(m->claimed = a->next_claimed))
		m->last_claimed = &m->claimed;
	return a;
}

void fw_attempt_hand_over(struct fw_messages *m)
{
	for (unsigned n = 0; m->claimed && n < FW_MESSAGES_A_TURN; n++)
		hand_over(take_claimed(m));
	if (m->claimed)
		wake_claims(m);
}

void fw_attempt_forget(struct fw_messages *m)
{
	while (m->claimed)
		end(take_claimed(m), 0);
}

static void on_claimed(void *ctx, int rc)
{
	struct fw_attempt *a = ctx;
	struct fw_messages *m = a->messages;
#ifdef FW_BREAK_CLAIM /* what could not be claimed is sent nonetheless */
	rc = rc == FW_ECONFLICT ? 0 : rc;
#endif
	for (uint32_t i = 0; rc < 0 && i < a->n; i++)
		fw_channel_return(&a->going[i].place);
	if (rc == FW_ECONFLICT && ++a->tries < TRIES_MOST) {
		load(a);
		return;
	}
	if (rc < 0) {
		fail(a);
		return;
	}
	*m->last_claimed = a;
	m->last_claimed = &a->next_claimed;
	wake_claims(m);
}

/* The one it goes by in every attempt: the row it was first sent from may have been absorbed since. */
static struct fw_message_id id_of(const struct fw_due *due)
{
	return (struct fw_message_id){ due->person, due->number };
}

/* What is kept of each that is to be sent; it lies with the row that the id names. */
static int put_sent(struct fw_attempt *a)
{
	a->n_beside = 0;
	if (!(a->beside = FW_NEW_ARRAY(&a->arena, a->n + 1, struct fw_change)))
		return FW_ENOMEM;
	for (uint32_t i = 0; i < a->n; i++) {
		const struct fw_due_item *x = &a->items[i];
		struct fw_sent sent = { .channel = x->due.channel, .rule = x->due.rule, .at_us = a->now_us,
			.suppression = a->going[i].suppression };
		struct fw_key *key = FW_NEW(&a->arena, struct fw_key);
		struct fw_str value;
		if (x->reason != FW_REASON_WON || x->due.person != a->hash)
			continue;
		if (!key || fw_sent_write(&sent, &a->arena, &value) < 0)
			return FW_ENOMEM;
		fw_sent_key(a->bucket, id_of(&x->due), key);
		a->beside[a->n_beside++] = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(key), value, FW_VERSION_ANY };
	}
	return 0;
}

static int compose(struct fw_attempt *a, struct fw_due_judging *j, struct fw_due_item *x)
{
	const struct fw_messages_options *o = &a->messages->options;
	char *id = a->going[x - a->items].id;
	x->due.person = x->due.person ? x->due.person : a->hash;
	int rc = fw_message_id_write(&o->people->secret, id_of(&x->due), id);
	return rc < 0 ? rc : fw_compose_due(j, x, (struct fw_to_compose){ .set = o->decider->set, .templates = o->templates, .id = id },
		&a->arena);
}

/* Has its decision an id, and notes what it is told of products. */
static int begin_log(struct fw_attempt *a)
{
	struct fw_decider *d = a->messages->options.decider;
	a->log = (struct fw_due_log){ .then = NULL };
	if (!a->messages->options.judged || fw_record_is_restricted(a->record))
		return 0;
	if (d->set->products && !(a->log.then = fw_products_then_new(&a->arena)))
		return FW_ENOMEM;
	fw_decide_make_id(d, a->now_us, a->decision);
	a->log.id = fw_str(a->decision);
	return 0;
}

static void judge(struct fw_attempt *a)
{
	struct fw_messages *m = a->messages;
	struct fw_due_judging *j;
	struct fw_due_item *goes = NULL;
	int rc = begin_log(a);
	if (rc == 0)
		rc = fw_due_judge_begin(m->options.decider, m->options.due, a->record, a->items, a->n, a->now_us, &a->log, &a->arena, &j);
	while (rc == 0 && (rc = fw_due_judge_next(j, &goes)) == 0 && goes)
		rc = compose(a, j, goes);
	if (rc == 0)
		rc = put_sent(a);
	if (rc < 0) {
		fw_log(FW_LOG_ERROR, "messages of a person cannot be judged", "why",
			rc == FW_ENOMEM ? "out of memory" : "the record is damaged", NULL);
		fail(a);
		return;
	}
	take_places(a);
	fw_people_replace(m->options.people, &a->person, a->record, a->beside, a->n_beside, on_claimed, a);
}

/* Nothing is claimed for a destination that has enough. */
static bool has_room(const struct fw_attempt *a, int64_t *ret_wait_us)
{
	for (uint32_t i = 0; i < a->n; i++) {
		struct fw_used_channel *c = fw_channel_find(a->messages, a->items[i].due.channel);
		if (c && a->items[i].address.n && !fw_channel_has_room(c, a->items[i].address, fw_clock_steady_us(), ret_wait_us))
			return false;
	}
	return true;
}

static void leave(struct fw_attempt *a, int rc)
{
	if (rc < 0)
		a->rc = rc;
	if (--a->looking > 0)
		return;
	int64_t wait_us = 0;
	if (a->rc < 0)
		fail(a);
	else if (!has_room(a, &wait_us))
		end(a, wait_us);
	else if (!fw_alone_goes_on(a->messages, a))
		end(a, ALONE_US);
	else
		judge(a);
}

static void on_suppression(void *ctx, int rc, bool suppressed)
{
	const struct fw_going *g = ctx;
	g->item->suppressed = suppressed;
	leave(g->attempt, rc);
}

static void look_for_suppressions(struct fw_attempt *a)
{
	struct fw_people *p = a->messages->options.people;
	a->looking = 1;
	a->rc = 0;
	a->going = FW_NEW_ARRAY(&a->arena, a->n, struct fw_going);
	for (uint32_t i = 0; i < a->n; i++) {
		struct fw_due_item *x = &a->items[i];
		int rc = a->going ? fw_record_address(a->record, x->due.channel, &x->address) : FW_ENOMEM;
		if (rc < 0)
			a->rc = rc;
		if (rc < 0 || !x->address.n)
			continue;
		struct fw_going *g = &a->going[i];
		g->attempt = a;
		g->item = x;
		fw_suppression_key(&p->secret, x->due.channel, x->address, &g->suppression);
		a->looking++;
		fw_suppression_look(p, &g->suppression, &a->arena, on_suppression, g);
	}
	leave(a, 0);
}

/* What this worker still has in hand, though its time is over: the clock was set. True: that was all that there was. */
static bool leave_out(struct fw_attempt *a)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < a->n; i++)
		if (!fw_clock_leaves_out(a, &a->items[i].due))
			a->items[n++] = a->items[i];
	bool all = a->n > 0 && n == 0;
	a->n = n;
	return all;
}

static void on_loaded(void *ctx, int rc, const struct fw_person *person)
{
	struct fw_attempt *a = ctx;
	a->person = *person;
	a->now_us = fw_now_us();
	bool elsewhere = rc == 0 && fw_people_row_hash(&person->row) != a->hash;
	if (elsewhere && person->moved.id.n) {
		fail(a); /* its record is on its way to another, which wakes somebody, too */
		return;
	}
	if (rc == FW_ENOENT || elsewhere || (rc == 0 && !person->record.n)) {
		drop_wake(a);
		return;
	}
	if (rc == 0)
		rc = fw_record_read(&a->arena, person->record, &a->record, NULL);
	if (rc == 0)
		rc = fw_due_list(a->messages->options.decider->set, a->record, a->now_us, &a->arena, &a->items, &a->n);
	if (rc < 0)
		fail(a);
	else if (leave_out(a))
		end(a, 0);
	else if (a->n == 0)
		drop_wake(a);
	else
		look_for_suppressions(a);
}

static void load(struct fw_attempt *a)
{
	fw_arena_reset(&a->arena);
	fw_people_load_hash(a->messages->options.people, a->hash, &a->arena, on_loaded, a);
}

int fw_attempt_begin(struct fw_messages *m, uint32_t bucket, const struct fw_row *wake, uint64_t hash)
{
	struct fw_attempt *a = calloc(1, sizeof *a);
	if (!a)
		return FW_ENOMEM;
	a->messages = m;
	a->bucket = bucket;
	a->hash = hash;
	a->wake.bucket = bucket;
	a->wake.n = (unsigned)wake->key.n;
	memcpy(a->wake.bytes, wake->key.p, wake->key.n);
	a->wake_version = wake->version;
	a->next = m->attempts;
	m->attempts = a;
	m->in_hand++;
	fw_arena_init(&a->arena, NULL, 0, 0);
	load(a);
	return 0;
}
