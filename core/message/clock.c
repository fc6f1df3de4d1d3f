/* The clock on the wall is set now and then: by hand, by whoever keeps it, or because the machine slept. What is due is due by that clock,
 * so when it jumps all that was planned by it is planned anew. What only waits, for a rate, a pause or others that are in hand, goes by a
 * clock that nobody sets. And a message that this worker still delivers is not lost because another hour has begun. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "message/own.h"

enum { JUMP_US = 500000, LEFT_ALONE_US = 1000000 };

int64_t fw_clock_steady_us(void)
{
#ifdef FW_BREAK_CLOCK /* all goes by the clock on the wall, and nobody sees it jump */
	return fw_now_us();
#else
	return fw_monotonic_us();
#endif
}

void fw_clock_look(struct fw_messages *m)
{
	int64_t ahead_us = fw_now_us() - fw_clock_steady_us(), by_us = ahead_us - m->ahead_us;
	char text[32];
	m->ahead_us = ahead_us;
	if (by_us > -JUMP_US && by_us < JUMP_US)
		return;
	snprintf(text, sizeof text, "%+.1f", (double)by_us / 1e6);
	fw_log(FW_LOG_WARN, "the clock was set: what is due is looked for anew", "by_s", text, NULL);
	fw_schedule_all(m);
}

/* Leaves the person alone for a while. */
static void put_by(struct fw_messages *m, struct fw_delivering *d, const struct fw_attempt *a)
{
	if (!d->overdue.until_us) {
		d->overdue.next = m->overdue;
		m->overdue = d;
	}
	d->overdue.bucket = a->bucket;
	d->overdue.hash = a->hash;
	d->overdue.until_us = fw_clock_steady_us() + LEFT_ALONE_US;
}

bool fw_clock_leaves_out(struct fw_attempt *a, const struct fw_due *due)
{
	struct fw_messages *m = a->messages;
	struct fw_delivering *d = due->state == FW_DUE_SENDING ? fw_deliver_find(m, (struct fw_message_id){ due->person, due->number })
		: NULL;
#ifdef FW_BREAK_CLOCK
	d = NULL;
#endif
	if (!d)
		return false;
	put_by(m, d, a);
	return true;
}

int64_t fw_clock_left_alone_us(const struct fw_messages *m, uint32_t bucket, uint64_t hash, int64_t now_us)
{
	int64_t left_us = 0;
	for (const struct fw_delivering *d = m->overdue; d; d = d->overdue.next)
		if (d->overdue.bucket == bucket && d->overdue.hash == hash && d->overdue.until_us - now_us > left_us)
			left_us = d->overdue.until_us - now_us;
	return left_us;
}

void fw_clock_end(struct fw_messages *m, struct fw_delivering *d)
{
	struct fw_delivering **at = &m->overdue;
	if (!d->overdue.until_us)
		return;
	while (*at != d)
		at = &(*at)->overdue.next;
	*at = d->overdue.next;
	fw_schedule_look(m, d->overdue.bucket, fw_now_us());
}
