/* Messages give way to requests. While a worker sends, it looks how late its timers come: what makes them late, turns of the loop that take
 * long and processors that others want, makes requests wait as long. Above what is borne fewer people are in hand by a quarter, below it
 * some more, if they would have been used (additive increase, multiplicative decrease: D. Chiu and R. Jain, "Analysis of the Increase and
 * Decrease Algorithms for Congestion Avoidance in Computer Networks", 1989). A worker that nobody asks anything has as many as there
 * may be. */
#include <event2/event.h>

#include "base/clock.h"
#include "message/own.h"

enum {
	TICK_US = 4000, LOOK_TICKS = 8,
	LEAST = 2, FIRST = 16, MORE = 2, /* people in hand; how many are added at a time */
	BORNE_US = 150,                  /* so late on average */
};

static void tick(struct fw_pace *p)
{
	const struct timeval t = { 0, TICK_US };
	p->due_us = fw_monotonic_us() + TICK_US;
	event_add(p->on_tick, &t);
}

static void adapt(struct fw_messages *m)
{
	struct fw_pace *p = &m->pace;
	uint64_t requests = m->options.requests ? *m->options.requests : 0;
	bool asked = requests != p->requests_before;
#ifdef FW_BREAK_PACE
	p->late_us = 0;
#endif
	if (asked && p->late_us > BORNE_US * LOOK_TICKS)
		p->room = p->room * 3 / 4 > LEAST ? p->room * 3 / 4 : LEAST;
	else if (p->full)
		p->room += asked ? MORE : p->room;
	if (p->room > FW_LIMIT_MESSAGES_AT_ONCE)
		p->room = FW_LIMIT_MESSAGES_AT_ONCE;
	p->requests_before = requests;
	p->late_us = 0;
	p->ticks = 0;
	p->full = false;
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_messages *m = ctx;
	struct fw_pace *p = &m->pace;
	int64_t late_us = fw_monotonic_us() - p->due_us;
	(void)fd;
	(void)what;
	p->late_us += late_us > 0 ? late_us : 0;
	if (++p->ticks == LOOK_TICKS)
		adapt(m);
	if (m->in_hand + m->delivering > 0 || p->full)
		tick(p);
}

int fw_pace_init(struct fw_messages *m)
{
	m->pace = (struct fw_pace){ .room = FIRST, .on_tick = evtimer_new(m->base, on_tick, m) };
	return m->pace.on_tick ? 0 : FW_ENOMEM;
}

void fw_pace_finish(struct fw_messages *m)
{
	if (m->pace.on_tick)
		event_free(m->pace.on_tick);
}

bool fw_pace_allows(struct fw_messages *m)
{
	struct fw_pace *p = &m->pace;
	bool allows = m->in_hand + m->delivering < p->room;
	p->full |= !allows;
	if (!event_pending(p->on_tick, EV_TIMEOUT, NULL))
		tick(p);
	return allows;
}
