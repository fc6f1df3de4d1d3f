/* A claimed message goes to its channel, and what the channel says of it is written into the record. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "decide/stock.h"
#include "message/compose.h"
#include "message/own.h"

enum { TRIES_MOST = 100, AGAIN_MS = 500 };

static struct fw_delivering **chain_of(struct fw_messages *m, uint64_t number)
{
	return &m->deliveries[number % FW_DELIVERIES];
}

struct fw_delivering *fw_deliver_find(const struct fw_messages *m, struct fw_message_id id)
{
	struct fw_delivering *d = m->deliveries[id.number % FW_DELIVERIES];
	while (d && (d->id.number != id.number || d->id.person != id.person))
		d = d->next;
	return d;
}

static void end(struct fw_delivering *d)
{
	struct fw_messages *m = d->messages;
	struct fw_delivering **at = chain_of(m, d->id.number);
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	m->delivering--;
	fw_clock_end(m, d);
	if (d->late)
		event_free(d->late);
	fw_arena_finish(&d->arena);
	free(d);
	fw_alone_leave(m);
}

static void write_outcome(struct fw_delivering *d);

static void wait_ms(struct event *timer, int64_t ms)
{
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };
	event_add(timer, &t);
}

/* What cannot be written now is tried until the attempt counts as lost; then somebody else tries the whole. */
static void again(struct fw_delivering *d)
{
	if (++d->tries > TRIES_MOST)
		end(d);
	else
		wait_ms(d->late, AGAIN_MS);
}

static void on_written(void *ctx, int rc)
{
	struct fw_delivering *d = ctx;
	struct fw_messages_counters *c = &d->messages->counters;
	if (rc == FW_ECONFLICT && ++d->tries < TRIES_MOST) {
		write_outcome(d);
		return;
	}
	if (rc < 0) {
		again(d);
		return;
	}
	c->sent += d->outcome == FW_CHANNEL_DELIVERED || d->outcome == FW_CHANNEL_ACCEPTED;
	c->retried += d->outcome == FW_CHANNEL_RETRY;
	c->failed += d->outcome == FW_CHANNEL_FAILED;
	end(d);
}

/* A delivery is an event of the person. */
static int note_event(struct fw_delivering *d, const struct fw_due *due, int64_t now_us)
{
	const struct fw_messages_options *o = &d->messages->options;
	struct fw_event event;
	int rc = fw_message_event(&d->arena, due->channel, FW_STR("delivered"), d->text, due->rule, (struct fw_str){ NULL, 0 }, now_us,
		&event);
	struct fw_trigger_event t = { .name = event.name, .at_us = now_us, .received_us = now_us, .hash = event.message_hash };
	struct fw_str before = { NULL, 0 };
	if (rc == 0 && o->triggers && fw_triggers_segments(o->triggers))
		rc = fw_record_bytes(d->record, &d->arena, &before);
	if (rc == 0)
		rc = fw_profile_apply(d->record, &event, o->profile, NULL);
	return rc < 0 || !o->triggers ? rc : fw_trigger(o->triggers, o->decider, o->due, &t, before, d->record);
}

static enum fw_due_told told(const struct fw_delivering *d)
{
	if (d->put_off)
		return FW_DUE_TOLD_PUT_OFF;
	return d->outcome == FW_CHANNEL_RETRY ? FW_DUE_TOLD_AGAIN : d->outcome == FW_CHANNEL_FAILED ? FW_DUE_TOLD_FAILED : FW_DUE_TOLD_SENT;
}

static void on_loaded(void *ctx, int rc, const struct fw_person *person)
{
	struct fw_delivering *d = ctx;
	struct fw_messages *m = d->messages;
	struct fw_due due;
	int64_t now_us = fw_now_us();
	if (rc < 0) {
		again(d);
		return;
	}
	if (!person->record.n) { /* erased meanwhile */
		end(d);
		return;
	}
	rc = fw_record_read(&d->arena, person->record, &d->record, NULL);
	/* "Again" is said of this attempt alone: a later one goes on. */
	if (rc == 0 && (!fw_record_find_due(d->record, d->id.number, &due)
			|| (d->outcome == FW_CHANNEL_RETRY && due.attempts != d->attempt)
			|| !fw_due_settle(d->record, m->options.due, d->id.number, told(d), d->after_ms,
				fw_str(d->reason), fw_messages_chance(m), now_us, &rc))) {
		end(d); /* somebody took it for lost before */
		return;
	}
	if (rc == 0 && d->outcome == FW_CHANNEL_DELIVERED)
		rc = note_event(d, &due, now_us);
	if (rc < 0)
		again(d);
	else
		fw_people_replace(m->options.people, person, d->record, NULL, 0, on_written, d);
}

static void write_outcome(struct fw_delivering *d)
{
	fw_arena_reset(&d->arena);
	fw_people_load_row(d->messages->options.people, &d->row, &d->arena, on_loaded, d);
}

static void settle(struct fw_delivering *d, enum fw_channel_outcome outcome, int64_t after_ms)
{
	d->told = true;
	d->outcome = outcome;
	d->after_ms = after_ms;
	fw_channel_give(&d->place, outcome == FW_CHANNEL_RETRY, fw_clock_steady_us());
	event_del(d->late);
	write_outcome(d);
}

/* Nothing was heard in time: the attempt is lost, and the record says when it is tried anew. */
static void on_late(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_delivering *d = ctx;
	(void)fd;
	(void)what;
	if (d->told) {
		write_outcome(d);
		return;
	}
	fw_log(FW_LOG_WARN, "a channel has not said what became of a message", "channel", d->place.channel->channel.name, NULL);
	fw_channel_give(&d->place, true, fw_clock_steady_us());
	end(d);
}

/* Until the attempt counts as lost. The clock may have been set back since it was claimed. */
static int64_t time_left_us(const struct fw_messages *m, const struct fw_due_item *x)
{
	int64_t left_us = x->due.due_us - fw_now_us(), most_us = m->options.due->delivery_ms * 1000;
	return left_us < 0 ? 0 : left_us < most_us ? left_us : most_us;
}

/* The channel has it, or has said at once what comes of it. */
static void hand_over(struct fw_delivering *d, const struct fw_due_item *x, struct fw_str json)
{
	const struct fw_channel *c = &d->place.channel->channel;
	char *to = fw_arena_strndup(&d->arena, x->address.p, x->address.n);
	if (!to) {
		settle(d, FW_CHANNEL_RETRY, -1);
		return;
	}
	int64_t left_us = time_left_us(d->messages, x);
	const struct fw_channel_message message = { d->text, to, x->due.attempts, json, fw_now_us() + left_us };
	char reason[sizeof d->reason] = "";
	d->handing = true;
	enum fw_channel_outcome outcome = c->deliver(c->ctx, &message, reason, sizeof reason);
	d->handing = false;
	if (d->told) {
		settle(d, d->outcome, d->after_ms);
	} else if (outcome != FW_CHANNEL_PENDING) {
		memcpy(d->reason, reason, sizeof reason);
		settle(d, outcome, -1);
	} else {
		wait_ms(d->late, left_us / 1000 + 1);
	}
}

static struct fw_delivering *create(struct fw_messages *m, const struct fw_going *g)
{
	const struct fw_attempt *a = g->attempt;
	struct fw_delivering *d = calloc(1, sizeof *d);
	if (!d)
		return NULL;
	d->messages = m;
	d->id = (struct fw_message_id){ g->item->due.person, g->item->due.number };
	memcpy(d->text, g->id, sizeof d->text);
	d->place = g->place;
	d->attempt = g->item->due.attempts;
	fw_arena_init(&d->arena, NULL, 0, 0);
	d->late = evtimer_new(m->base, on_late, d);
	memcpy(d->row_text, a->person.row.id.p, a->person.row.id.n);
	d->row = (struct fw_person_id){ a->person.row.kind, { d->row_text, a->person.row.id.n } };
	if (!d->late) {
		free(d);
		return NULL;
	}
	d->next = *chain_of(m, d->id.number);
	*chain_of(m, d->id.number) = d;
	m->delivering++;
	return d;
}

/* Its channel has not had it. */
static void put_off(struct fw_delivering *d)
{
	d->told = d->put_off = true;
	d->outcome = FW_CHANNEL_RETRY;
	d->after_ms = -1;
	write_outcome(d);
}

void fw_deliver(struct fw_messages *m, const struct fw_going *g)
{
	const struct fw_due_item *x = g->item;
	struct fw_str json;
	struct fw_delivering *d = create(m, g);
	if (!d) {
		fw_channel_return(&g->place); /* out of memory: the attempt is lost */
		return;
	}
	if (!d->place.channel) {
		snprintf(d->reason, sizeof d->reason, "no plugin is the channel \"%.*s\"", (int)x->due.channel.n, x->due.channel.p);
		put_off(d);
		return;
	}
	/* The claim took so long to be written that somebody else may have the message by now. */
	if (fw_now_us() >= x->due.due_us) {
		snprintf(d->reason, sizeof d->reason, "the time of the attempt was over before its channel had it");
		fw_channel_return(&g->place);
		put_off(d);
		return;
	}
	if (!fw_stock_still_fine(&x->facts, x->content, &d->arena)) { /* it is judged again, without it */
		snprintf(d->reason, sizeof d->reason, "a product that it names has sold out since it was written");
		fw_channel_return(&g->place);
		put_off(d);
		return;
	}
	const struct fw_record *r = g->attempt->record;
	struct fw_str user = fw_record_user(r);
	if (fw_compose_for_channel(&m->options.decider->set->rules[x->rule], user.n ? user : fw_record_first_id(r),
			x->facts.behaviour_in_reach, x->content, &d->arena, &json) < 0)
		settle(d, FW_CHANNEL_RETRY, -1);
	else
		hand_over(d, x, json);
}

int fw_messages_result(struct fw_messages *m, const char *id, enum fw_channel_outcome outcome, int64_t after_ms, const char *reason)
{
	struct fw_message_id read;
	if (fw_message_id_read(&m->options.people->secret, fw_str(id), &read) < 0)
		return FW_ENOENT;
	struct fw_delivering *d = fw_deliver_find(m, read);
	if (!d || d->told || outcome == FW_CHANNEL_PENDING)
		return FW_ENOENT;
	snprintf(d->reason, sizeof d->reason, "%s", reason ? reason : "");
	if (d->handing) { /* its channel still holds what it was handed */
		d->told = true;
		d->outcome = outcome;
		d->after_ms = after_ms;
	} else {
		settle(d, outcome, after_ms);
	}
	return 0;
}

void fw_messages_destroy(struct fw_messages *m)
{
	if (!m)
		return;
	fw_attempt_forget(m);
	for (unsigned i = 0; i < FW_DELIVERIES; i++)
		while (m->deliveries[i])
			end(m->deliveries[i]);
	if (m->on_lease)
		event_free(m->on_lease);
	if (m->on_due)
		event_free(m->on_due);
	if (m->on_claims)
		event_free(m->on_claims);
	fw_pace_finish(m);
	fw_restock_finish(m);
	free(m->channels);
	free(m);
}
