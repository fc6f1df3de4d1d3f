/* A worker: one thread, one event loop. Forked by its loader; waits for the master's word before it accepts. */
#ifndef FW_SERVER_WORKER_H
#define FW_SERVER_WORKER_H

#include "server/made.h"

struct event;
struct event_base;
struct fw_client;
struct fw_drain;
struct fw_living;
struct fw_rates;
struct fw_sending;
struct fw_stock;
struct fw_streams;

struct fw_worker {
	const struct fw_made *made;
	unsigned number; /* its slot */
	struct fw_slot_page *page;
	int channel;
	struct event_base *base;
	struct fw_http_server *http;
	struct fw_http_base http_before;
	struct fw_living *living;
	struct fw_engine_worker *engine;
	struct fw_aside *aside; /* NULL: the store is this node's alone */
	struct fw_sending *sending; /* NULL: not yet */
	struct fw_streams *streams;
	struct fw_drain *spool; /* NULL: there is none */
	int64_t until_us;       /* of a worker that drains: when it wants to have ended, monotonic */
	struct fw_client *client; /* for requests to other servers; NULL: there was none yet */
	struct fw_rates *rates; /* NULL: there are no keys, and no limits */
	void *remembered; /* what it remembers of requests, unless that is the bank's */
	struct event *on_channel, *on_beat, *on_term, *on_turn;
	struct fw_buf spare; /* for the next answer: its memory is kept */
	uint64_t accepted_seen;
	bool paused, draining;
	int status; /* to exit with */
	struct fw_stock *stock; /* NULL: there is no catalogue */
};

/* Runs and exits the process. `channel` is its end towards the master. */
_Noreturn void fw_worker_run(const struct fw_made *made, unsigned number, int channel);

/* At each request: has what need not be done while somebody waits done between this request and the next; keeps the
 * shared counters fresh; and stops accepting while this worker holds well over its share of the connections. */
void fw_worker_turned(struct fw_worker *worker);

#endif
