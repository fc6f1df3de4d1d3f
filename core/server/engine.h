/* The engine, as the server uses it: loaded once by the loader, asked by each worker. JSON in, JSON out. */
#ifndef FW_SERVER_ENGINE_H
#define FW_SERVER_ENGINE_H

#include "base/buf.h"
#include "fact/products.h"
#include "server/config.h"
#include "server/engine_people.h"
#include "server/kept.h"
#include "server/report.h"
#include "server/shared.h"
#include "server/shown.h"

struct fw_people;
struct fw_signal_request;
struct fw_spool;
struct fw_plugin_request;
struct fw_engine;        /* what all workers of a generation share */
struct fw_engine_worker; /* one worker's part */

/* Loads rules, compliance and data files and runs the rule tests; `config` must outlive it. 0, or FW_EINVAL, FW_EIO,
 * FW_ENOMEM with the errors in `report`. What came of each step is noted in `steps`. */
struct fw_load_steps;
int fw_engine_load(const struct fw_config *config, struct fw_load_steps *steps, struct fw_engine **ret, struct fw_report *report);
void fw_engine_destroy(struct fw_engine *engine);
/* The rule set's hash. */
const char *fw_engine_hash(const struct fw_engine *engine);
/* The time zones that it knows. */
struct fw_zone_set *fw_engine_zones(const struct fw_engine *engine);
/* The catalogue, or NULL; in a worker its own copy, by the fork. */
struct fw_catalog;
struct fw_catalog *fw_engine_catalog(struct fw_engine *engine);
/* Members "rules", "slots" … of an open object. */
void fw_engine_describe(const struct fw_engine *engine, struct fw_json_out *out);

/* In a worker, after the fork. `page` is where it counts, `remembered` (NULL: memory of its own) where it remembers what requests
 * have in common, as fw_signal_create has it. `people` knows who is asking; NULL: nobody does, and what would come
 * from profiles is out of reach. `spool` takes events while the store is out of reach; NULL: they are refused then. NULL: out of
 * memory. */
struct fw_engine_worker *fw_engine_worker_create(struct fw_engine *engine, unsigned number, struct fw_slot_page *page,
	void *remembered, struct fw_people *people, struct fw_spool *spool);
/* Every question must have been answered: close the store before, which answers those that wait for it. */
void fw_engine_worker_destroy(struct fw_engine_worker *worker);
/* Lets a shadow decide again what is of its sample. 0 or FW_ENOMEM. */
struct fw_shadow;
int fw_engine_worker_shadow(struct fw_engine_worker *worker, struct fw_shadow *shadow);
/* Begins its decision log, if the configuration has one. `counts` (FW_DECISIONS_COUNTS of them) is where it counts. 0 or FW_ENOMEM. */
int fw_engine_worker_log(struct fw_engine_worker *worker, _Atomic uint64_t *counts);

/* Of somebody who asks again and again, to learn when the answer is another. Zero it, but for what is known of `shown`. */
enum { FW_ENGINE_ROWS = 3 };
struct fw_engine_watch {
	struct fw_shown shown;             /* in: what he shows; filled: what he will, once he was told */
	bool only_notice;                  /* he does not want the answer itself: nothing is taken for it under caps, nor counted */
	bool asked_before;                 /* the question's own `shown` has been heeded */
	bool knew;                         /* filled: he showed an answer already */
	bool same;                         /* filled: there is nothing new, and the answer is none … */
	bool moved;                        /* … but the places that he has are others */
	uint64_t rows[FW_ENGINE_ROWS];     /* filled: whose records the answer hangs on (fw_people_row_hash) */
	unsigned n_rows;
	struct fw_products_asked products; /* filled: and the products */
};

/* One question; it lives until its answer. */
struct fw_engine_ask {
	struct fw_plugin_request *request; /* what the context lacks is taken from it; NULL: nothing is */
	const struct fw_signal_request *from; /* in place of `request`, when that is over: its headers and its connection; or NULL */
	struct fw_engine_watch *watch;     /* or NULL */
	bool secret;                       /* asked with a secret key: all slots, and context.ip counts */
	bool explain;
	struct fw_str json;
	uint64_t facts_ns, decide_ns;      /* filled: how long it took … */
	uint64_t store_ns;                 /* … and how long it waited for the store */
};

/* Answers with decisions, or with every candidate. Waits for the person's record and, where a winner is under a cap, until
 * its place is reserved; otherwise the answer comes before the call returns. 400; 413 too_large; 503 unavailable: more than
 * `max_inflight` wait already. Of the request only the client may have left when the answer comes. */
void fw_engine_decide(struct fw_engine_worker *worker, struct fw_engine_ask *ask, fw_engine_done done, void *data);
/* The rule set in service (GET /v1/rules), with the counts of all workers. */
int fw_engine_rules(struct fw_engine_worker *worker, struct fw_buf *out);
/* Between requests: what need not be done while somebody waits. */
void fw_engine_turned(struct fw_engine_worker *worker);
/* Prometheus text: what is counted by rule and by guard. */
void fw_engine_metrics(const struct fw_engine *engine, struct fw_buf *out);
/* Adds the rule files, as they were read, to the copy (NULL: there is to be none), and forgets their text. 0 or FW_EIO. */
int fw_engine_keep(struct fw_engine *engine, struct fw_kept *kept, struct fw_error *err);

#endif
