/* How much one client may ask for, in one worker and in memory that does not grow. Not thread-safe, no clock of its own. */
#ifndef FW_SERVER_RATES_H
#define FW_SERVER_RATES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum fw_rate {
	FW_RATE_ADDRESS, /* requests, of an address */
	FW_RATE_KEY,     /* requests, with a key */
	FW_RATE_NEW,     /* people nobody has seen, of an address */
	FW_RATES
};

/* Of the whole node; 0: no limit. */
struct fw_rate_limits {
	unsigned per_address_s, per_key_s, new_per_address_min;
};

struct fw_rates;

/* The limits are divided by the number of workers: each counts for itself. NULL: out of memory. */
struct fw_rates *fw_rates_create(const struct fw_rate_limits *limits, unsigned workers);
void fw_rates_destroy(struct fw_rates *r);

/* Takes a place. 0: taken; else nothing was, and so many seconds later there is one (at least 1). `now_us` does not go back. What is
 * allowed at once is FW_LIMIT_BURST_S of requests, a minute of new people.
 * Virtual scheduling of the generic cell rate algorithm (ITU-T I.371, annex A): of each client the time at which nothing of it would
 * be left. Where there is no room for one more, the one of whom the least is left is forgotten: it loses nothing but that. */
unsigned fw_rates_take(struct fw_rates *r, enum fw_rate rate, struct fw_str who, int64_t now_us);

/* Whether the id was learnt lately: of some hundred thousand at least the last, and of others one in a hundred. Two Bloom filters
 * (Bloom 1970), of which the older is emptied when the other one is full. */
bool fw_rates_knows(const struct fw_rates *r, struct fw_str id);
void fw_rates_learn(struct fw_rates *r, struct fw_str id);

#endif
