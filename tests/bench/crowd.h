/* A crowd that never was: who they are and what they did, made from a seed and a number, so that every tool of the benchmark means
 * the same people. An average visitor of a shop: five sessions, forty events, one order, and a cart that waits. */
#ifndef FW_BENCH_CROWD_H
#define FW_BENCH_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	CROWD_SESSIONS = 5,
	CROWD_SESSION_EVENTS = 8,
	CROWD_EVENTS = CROWD_SESSIONS * CROWD_SESSION_EVENTS,
	CROWD_CATEGORIES = 200,
	CROWD_BRANDS = 200,
	CROWD_PRODUCTS = 5000,
	CROWD_UUID_BYTES = 36,
	CROWD_TIME_BYTES = 24,
};

/* Where these stand in every event's text. */
enum { CROWD_ANONYMOUS_ID_AT = 16, CROWD_MESSAGE_ID_AT = 67, CROWD_TIMESTAMP_AT = 118 };

/* A number that looks like chance (SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators"). */
uint64_t crowd_mix(uint64_t x);
/* Bytes without an end, as a browser makes them: the anonymousId of a person, and what names a message. */
void crowd_person_id(uint64_t person, char out[CROWD_UUID_BYTES]);
void crowd_message_id(uint64_t seed, uint64_t number, char out[CROWD_UUID_BYTES]);
void crowd_time(int64_t at_us, char out[CROWD_TIME_BYTES]); /* 2026-11-25T22:44:17.123Z */

/* The person's event number `nth` (0 … CROWD_EVENTS - 1) as the Segment API has it, appended as JSON. */
void crowd_event(uint64_t person, unsigned nth, uint64_t message, int64_t at_us, struct fw_buf *out);

/* Whom the next event is about: everybody as likely, or the k-th of them 1/k as likely as the first (Zipf, s = 1), those who
 * come often being scattered over all. */
struct crowd_draw {
	uint64_t state;
	uint32_t n;
	double *harmonic; /* NULL: evenly */
};
int crowd_draw_init(struct crowd_draw *d, const char *how, uint32_t n, uint64_t seed); /* "even" or "zipf"; 0 or -1 */
void crowd_draw_finish(struct crowd_draw *d);
uint32_t crowd_draw_next(struct crowd_draw *d);
/* Each of n people once, in an order without an order. */
uint32_t crowd_scatter(uint64_t i, uint32_t n);

#endif
