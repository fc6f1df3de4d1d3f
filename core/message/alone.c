/* A message that ends whoever delivers it takes others along: those that were in the same hands lose an attempt, too. So the last attempt
 * of each is made with nothing else in hand. */
#include "message/own.h"

/* Whoever wants to be alone says so again before: others in hand end within the time that a channel has. */
enum { WANTED_US = 1000000 };

bool fw_alone_wants(const struct fw_messages *m, uint32_t bucket, uint64_t hash, int64_t now_us)
{
	return now_us < m->alone.until_us && m->alone.bucket == bucket && m->alone.hash == hash;
}

bool fw_alone_allows(const struct fw_messages *m, uint32_t bucket, uint64_t hash, int64_t now_us)
{
	bool free = !m->alone.begun && now_us >= m->alone.until_us;
	return free || (m->alone.bucket == bucket && m->alone.hash == hash);
}

static bool has_one_left(const struct fw_attempt *a)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (a->items[i].due.lost + (a->items[i].due.state == FW_DUE_SENDING) + 1 == FW_LIMIT_MESSAGE_LOST)
			return true;
	return false;
}

bool fw_alone_goes_on(struct fw_messages *m, const struct fw_attempt *a)
{
	int64_t now_us = fw_clock_steady_us();
	if (!fw_alone_allows(m, a->bucket, a->hash, now_us))
		return false;
	if (!has_one_left(a))
		return true;
	bool is_alone = m->in_hand == 1 && m->delivering == 0;
	m->alone.hash = a->hash;
	m->alone.bucket = a->bucket;
	m->alone.until_us = now_us + WANTED_US;
	m->alone.begun |= is_alone;
	return is_alone;
}

void fw_alone_leave(struct fw_messages *m)
{
	if (!m->alone.begun || m->in_hand > 0 || m->delivering > 0)
		return;
	m->alone.begun = false;
	m->alone.until_us = 0;
}
