/* Events over HTTP, as many as are stored: each connection sends a batch and waits until it is told that the batch is stored. What
 * is refused (429, 503) is sent again a little later, as clients do. */
#ifndef FW_BENCH_BATCHES_H
#define FW_BENCH_BATCHES_H

#include "client.h"

enum { BATCHES_EVENT_BYTES = 4096 }; /* of one event, at most */

struct batches {
	/* Set before batches_init. `put` writes the next event; `now` is the time as crowd_time has it. 0: there are no more. */
	size_t (*put)(void *ctx, const char *now, char *to);
	void *ctx;
	const char *headers; /* further ones, each with its line's end, or "" */
	unsigned events_a_batch;
	bool unsent;         /* no `sentAt`: the times of events are taken as they are, not as distances to it */

	struct client client;
	struct batch *of_conns;
	struct client_times times;
	uint64_t stored, refused, wrong;
	int64_t begin_us, last_us; /* the first request, the last answer; of client_now_us */
	bool over;           /* `put` had no more */
};

int batches_init(struct batches *b, uint16_t port, unsigned connections); /* 0 or -1 */
void batches_finish(struct batches *b);
/* Until so many seconds have passed, or there are no more events; and all batches are answered. */
void batches_run(struct batches *b, double seconds);
/* What came of it, as members of a JSON object. */
void batches_print(struct batches *b);

#endif
