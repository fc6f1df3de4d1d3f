/* How much a channel may be asked for: so many a second, so many at once, so many at once to one destination. */
#include "message/own.h"

#include <string.h>

#include "base/hash.h"

struct fw_used_channel *fw_channel_find(struct fw_messages *m, struct fw_str name)
{
	for (unsigned i = 0; i < m->options.n_channels; i++)
		if (fw_str_is(name, m->channels[i].channel.name))
			return &m->channels[i];
	return NULL;
}

/* A second's worth may come at once. */
static void fill(struct fw_used_channel *c, int64_t now_us)
{
	double most = c->channel.rate > 1 ? c->channel.rate : 1;
	c->tokens += (double)(now_us - c->filled_us) / 1e6 * c->channel.rate;
	c->tokens = c->tokens > most ? most : c->tokens;
	c->filled_us = now_us;
}

static bool is_free(struct fw_used_channel *c, int64_t now_us, int64_t *ret_wait_us)
{
	enum { AGAIN_US = 20000 };
	if (c->at_once >= c->channel.most) {
		*ret_wait_us = AGAIN_US;
		return false;
	}
	if (c->channel.rate <= 0)
		return true;
	fill(c, now_us);
	if (c->tokens >= 1)
		return true;
	*ret_wait_us = (int64_t)((1 - c->tokens) / c->channel.rate * 1e6) + 1000;
	return false;
}

bool fw_channel_is_free(struct fw_messages *m, unsigned char letter, int64_t now_us, int64_t *ret_wait_us)
{
	for (unsigned i = 0; i < m->options.n_channels; i++)
		if (m->channels[i].letter == letter && !is_free(&m->channels[i], now_us, ret_wait_us))
			return false;
	return true;
}

bool fw_channel_any_is_free(struct fw_messages *m, int64_t now_us)
{
	int64_t wait_us;
	for (unsigned i = 0; i < m->options.n_channels; i++)
		if (is_free(&m->channels[i], now_us, &wait_us))
			return true;
	return false;
}

/* Of an e-mail the domain; otherwise all is one place. */
static uint64_t destination_of(struct fw_str address)
{
	const char *at = memrchr(address.p, '@', address.n);
	if (!at)
		return 1;
	uint64_t hash = fw_hash(at, (size_t)(address.p + address.n - at));
	return hash ? hash : 1;
}

/* The destination's own place, else one that nobody needs, else any. */
static unsigned place_of(const struct fw_used_channel *c, uint64_t hash)
{
	unsigned spare = FW_DESTINATIONS, idle = (unsigned)(hash % FW_DESTINATIONS);
	for (unsigned i = 0; i < FW_DESTINATIONS; i++) {
		const struct fw_destination *d = &c->destinations[i];
		if (d->hash == hash)
			return i;
		if (d->at_once == 0)
			idle = i;
		if (d->at_once == 0 && d->failures == 0)
			spare = i;
	}
	return spare < FW_DESTINATIONS ? spare : idle;
}

bool fw_channel_has_room(struct fw_used_channel *c, struct fw_str address, int64_t now_us, int64_t *ret_wait_us)
{
	enum { AGAIN_US = 50000 };
	uint64_t hash = destination_of(address);
	const struct fw_destination *d = &c->destinations[place_of(c, hash)];
	if (!is_free(c, now_us, ret_wait_us))
		return false;
	if (d->hash != hash)
		return true;
	*ret_wait_us = d->paused_us > now_us ? d->paused_us - now_us : AGAIN_US;
	return d->paused_us <= now_us && d->at_once < (hash == 1 ? c->channel.most : FW_LIMIT_DESTINATION_AT_ONCE);
}

struct fw_channel_place fw_channel_take(struct fw_used_channel *c, struct fw_str address, int64_t now_us)
{
	uint64_t hash = destination_of(address);
	unsigned place = place_of(c, hash);
	struct fw_destination *d = &c->destinations[place];
	if (d->hash != hash && d->at_once == 0)
		*d = (struct fw_destination){ .hash = hash };
	if (c->channel.rate > 0) {
		fill(c, now_us);
		c->tokens -= 1;
	}
	d->at_once++;
	c->at_once++;
	return (struct fw_channel_place){ c, place };
}

void fw_channel_return(const struct fw_channel_place *place)
{
	struct fw_used_channel *c = place->channel;
	if (!c)
		return;
	c->destinations[place->destination].at_once--;
	c->at_once--;
	if (c->channel.rate > 0)
		c->tokens += 1;
}

void fw_channel_give(const struct fw_channel_place *place, bool again, int64_t now_us)
{
	enum { BORNE = 5, PAUSE_US = 1000000, MOST_DOUBLED = 8 };
	struct fw_destination *d = &place->channel->destinations[place->destination];
	d->at_once--;
	place->channel->at_once--;
#ifndef FW_BREAK_PAUSE
	if (again && now_us < d->paused_us) /* it had begun before: what fails together makes one pause */
		return;
#endif
	d->failures = again ? d->failures + 1 : 0;
	if (d->failures > BORNE) {
		unsigned doubled = d->failures - BORNE < MOST_DOUBLED ? d->failures - BORNE : MOST_DOUBLED;
		d->paused_us = now_us + (INT64_C(1) << doubled) * PAUSE_US;
	}
}
