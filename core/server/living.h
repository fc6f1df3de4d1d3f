/* A worker's way to the people: the store, opened on its loop; what is swept now and then, by one worker of the node; what is
 * counted of it. */
#ifndef FW_SERVER_LIVING_H
#define FW_SERVER_LIVING_H

#include "base/json.h"
#include "people/people.h"
#include "server/made.h"
#include "server/spool.h"

struct event_base;
struct fw_living;

/* The lease of the worker that sweeps: somebody has it where a daemon serves. */
#define FW_LIVING_LEASE "sweep"

/* Opens the store, and the spool if there is one. 0, or what fw_store_open and fw_config_store say. */
int fw_living_create(const struct fw_made *made, struct fw_slot_page *page, struct event_base *base, struct fw_living **ret,
	struct fw_error *err);
/* Turns the loop until a store at the other end of a connection answers, or FW_LIMIT_STORE_GREET_MS have passed: the first decisions of
 * a new worker are to know their visitors. Whoever breaks the loop meanwhile is heeded. */
void fw_living_greet(struct fw_living *l);
/* Answers what waits (with failure), and closes them. The second frees. NULL is fine for both. */
void fw_living_close(struct fw_living *l);
void fw_living_destroy(struct fw_living *l);
struct fw_people *fw_living_people(struct fw_living *l);
/* The store, where other nodes have it too; NULL: it is this machine's alone. */
struct fw_store *fw_living_shared(struct fw_living *l);
/* NULL: there is none. */
struct fw_spool *fw_living_spool(struct fw_living *l);

/* Brings the counters of the shared page up to date. */
void fw_living_publish(struct fw_living *l);
/* The store's health as an object, for /readyz?verbose; and its gauges as Prometheus text. */
void fw_living_write_health(struct fw_living *l, struct fw_json_out *out);
void fw_living_metrics(struct fw_living *l, struct fw_buf *out);

#endif
