/* A worker's part of the spool: events that are accepted while the store is out of reach, held on this node's disk (people/held.h)
 * and applied later, by one worker of the node (drain.h). */
#ifndef FW_SERVER_SPOOL_H
#define FW_SERVER_SPOOL_H

#include "people/held.h"
#include "server/shared.h"

/* Somebody who waits for what is held to become less. */
struct fw_spool_waiter {
	struct fw_spool_waiter *next;
	void (*wake)(void *ctx);
	void *ctx;
	int64_t since_us; /* monotonic; 0: it has not waited yet */
};

struct event;
struct event_base;

struct fw_spool {
	struct fw_store *store; /* where they are held; not owned, as is … */
	struct fw_store *data;  /* … the one that may be out of reach */
	const struct fw_spool_limits *limits;
	struct fw_shared *shared;
	struct fw_slot_page *page;
	struct fw_arena scratch;
	struct event *on_wake;  /* NULL: nobody waits any more, the worker ends */
	struct fw_spool_waiter *waiters, **last_waiter;
	unsigned n_waiters;
};

/* 0 or FW_ENOMEM. */
int fw_spool_init(struct fw_spool *s, struct fw_store *store, struct fw_store *data, const struct fw_spool_limits *limits,
	struct fw_shared *shared, struct fw_slot_page *page, struct event_base *base);
/* Whoever waits is woken; to be called before the stores are closed. The second frees, after that. */
void fw_spool_close(struct fw_spool *s);
void fw_spool_finish(struct fw_spool *s);

/* Whether the store is known to be out of reach. */
bool fw_spool_is_away(const struct fw_spool *s);
/* Whether nothing at all is held. */
bool fw_spool_is_empty(struct fw_spool *s);
/* Whether there is room for `n` more; counts those for which there is none. */
bool fw_spool_has_room(struct fw_spool *s, unsigned n);

/* Who has to be behind what is held had better wait, while the store answers, than make it more: else people who come all the time would
 * always have something that is held. Wakes the waiter in a moment; false: too many wait, or it has waited for long. */
bool fw_spool_wait(struct fw_spool *s, struct fw_spool_waiter *w);

/* What is held, as an object: "events" (null: it is not known yet, just after the start), "oldestSeconds"; by any process. And as
 * Prometheus text. */
void fw_spool_write(const struct fw_shared *shared, struct fw_json_out *o);
void fw_spool_metrics(const struct fw_spool *s, struct fw_buf *out);

#endif
