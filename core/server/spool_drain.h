/* Applying what the spool holds, once the store answers again: in one worker of the node at a time, in the order in which it came, a
 * slice after the other. A slice is dropped when all of it is applied; what is applied twice for that counts once. */
#ifndef FW_SERVER_SPOOL_DRAIN_H
#define FW_SERVER_SPOOL_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct fw_drain;
struct fw_engine_worker;

/* The worker has a spool; what it points to must outlive the drain. NULL: out of memory. */
struct fw_drain *fw_drain_create(struct fw_engine_worker *worker, struct event_base *base);
/* Nothing new is begun; to be called before the stores are closed. The second frees, after that. NULL is fine for both. */
void fw_drain_close(struct fw_drain *d);
void fw_drain_destroy(struct fw_drain *d);

/* The worker is about to end: `done` is called once nothing is held, the store is out of reach, another worker drains, or
 * it is `until_us` (monotonic). */
void fw_drain_finish(struct fw_drain *d, int64_t until_us, void (*done)(void *ctx), void *ctx);

#endif
