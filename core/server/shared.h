/* The page that all processes share: counters of the workers, and what the master knows. Made by the master before its
 * first fork. Each counter has one writer, so that adding needs no locked instruction; a slot's counters outlive the
 * worker and are carried on by the next one in that slot, so that sums never go back. */
#ifndef FW_SERVER_SHARED_H
#define FW_SERVER_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "http/server.h"
#include "server/config.h"
#include "server/load_steps.h"
#include "server/shadow_page.h"

enum { FW_STORE_COUNTS = 9, FW_PEOPLE_COUNTS = 4, FW_MESSAGE_COUNTS = 9, FW_STREAM_ENDS = 4 };

/* A worker's counters. */
enum fw_count {
	FW_COUNT_ACCEPTED,
	FW_COUNT_REQUESTS,
	FW_COUNT_RESPONSES_1XX, FW_COUNT_RESPONSES_2XX, FW_COUNT_RESPONSES_3XX, FW_COUNT_RESPONSES_4XX, FW_COUNT_RESPONSES_5XX,
	FW_COUNT_REFUSED, /* FW_HTTP_REASONS of them */
	FW_COUNT_IDLE_CLOSED = FW_COUNT_REFUSED + FW_HTTP_REASONS,
	FW_COUNT_GONE,
	FW_COUNT_BYTES_IN, FW_COUNT_BYTES_OUT,
	FW_COUNT_UNAUTHORIZED, /* no key, a wrong one, or one that does not open the endpoint */
	FW_COUNT_LIMITED,      /* FW_RATES of them: told to come later */
	FW_COUNT_DECISIONS = FW_COUNT_LIMITED + FW_RATES,    /* answers of the engine */
	FW_COUNT_EXPLANATIONS,
	FW_COUNT_DEGRADED, FW_COUNT_CAP_CONFLICTS, FW_COUNT_CAP_FAILURES,
	FW_COUNT_SLOTS_RULE, FW_COUNT_SLOTS_DEFAULT, FW_COUNT_SLOTS_NONE, FW_COUNT_SLOTS_HOLDOUT, /* slots by reason */
	FW_COUNT_RULE_FAILURES, FW_COUNT_OVER_BUDGET, FW_COUNT_SET_ASIDE,
	FW_COUNT_EVENTS_STORED, FW_COUNT_EVENTS_REPEATED, FW_COUNT_EVENTS_REJECTED, FW_COUNT_EVENTS_LARGE,
	FW_COUNT_IDS_BLOCKED,
	FW_COUNT_SPOOLED, FW_COUNT_UNSPOOLED, FW_COUNT_SPOOL_REFUSED, /* events into the spool, out of it, and for which it had no room */
	FW_COUNT_LETTERS, FW_COUNT_LETTERS_DROPPED, /* dead letters kept; not kept, for being too many */
	FW_COUNT_SWEPT_PEOPLE, FW_COUNT_SWEPT_MESSAGES, FW_COUNT_SWEPT_LETTERS,
	FW_COUNT_STORE, /* FW_STORE_COUNTS of them: what the store's handle counts */
	FW_COUNT_DELIVERED = FW_COUNT_STORE + FW_STORE_COUNTS, /* FW_PEOPLE_COUNTS: what people's handle counts */
	FW_COUNT_MERGED, FW_COUNT_MERGES_REFUSED, FW_COUNT_RESTOCKED,
	FW_COUNT_ASKED, FW_COUNT_ASKED_IN_VAIN, /* requests to other servers: answered, and those that had no answer */
	FW_COUNT_MESSAGES, /* FW_MESSAGE_COUNTS of them: struct fw_messages_counters */
	FW_COUNT_STREAMS = FW_COUNT_MESSAGES + FW_MESSAGE_COUNTS, FW_COUNT_STREAMS_FULL, /* begun; and refused, for there were too many */
	FW_COUNT_STREAMS_ENDED, /* FW_STREAM_ENDS of them: by whom */
	FW_COUNT_STREAM_EVENTS = FW_COUNT_STREAMS_ENDED + FW_STREAM_ENDS, /* sent; and … */
	FW_COUNT_STREAM_LOOKS, /* … times that it was looked whether there is one */
	FW_COUNT_DECISION_NS, /* their duration, added up */
	FW_COUNT_DURATION,        /* FW_DURATIONS of them: by bucket, not cumulative */
};

enum { FW_DURATIONS = 12, FW_COUNTS = FW_COUNT_DURATION + FW_DURATIONS };

/* Upper bounds of the duration buckets in nanoseconds; the last is infinite (0). */
extern const uint64_t fw_durations_ns[FW_DURATIONS];

/* A rule that gives trouble, for `status`. */
struct fw_trouble {
	char rule[FW_LIMIT_ID_BYTES + 1];
	char place[200]; /* file:line */
	char what[16];   /* "failed", "set_aside" */
	int64_t at_us, until_us; /* wall clock; until_us 0: no end is known */
};

enum { FW_TROUBLES = 8 };

/* A worker's place. */
struct fw_slot_page {
	_Atomic uint64_t counts[FW_COUNTS];
	_Atomic int64_t metrics[FW_LIMIT_PLUGIN_METRICS]; /* of plugins */
	_Atomic uint64_t open, inflight, streams; /* gauges */
	_Atomic int32_t promise;          /* the store's, as this worker has heard it: enum fw_store_promise */
	_Atomic uint64_t requests_before; /* FW_COUNT_REQUESTS when this worker began */
	_Atomic int64_t started_us;       /* wall clock */
	_Atomic int64_t turned_us;        /* monotonic: when its loop last turned */
	_Atomic int32_t pid;              /* 0: nobody */
	_Atomic uint32_t plugin;          /* 1 + the plugin that is being called, 0: none */
	struct fw_trouble troubles[FW_TROUBLES]; /* the latest; rule "": none */
	uint32_t next_trouble;
	char padding[64];
};

enum { FW_BANKS = 2, FW_OUTCOME_BYTES = 8192, FW_METRIC_NAME = 96 };

/* What is counted of a decision log: decisions written, their bytes, and decisions that were dropped: the disk; no room in the ring; no key
 * to seal it with; too large. */
enum fw_decisions_count {
	FW_DECISIONS_WRITTEN, FW_DECISIONS_BYTES, FW_DECISIONS_FAILED, FW_DECISIONS_NO_ROOM, FW_DECISIONS_NO_KEY, FW_DECISIONS_TOO_LARGE,
	FW_DECISIONS_COUNTS
};

/* A plugin's metric; the names are added by loaders, one at a time, and never removed. */
struct fw_shared_metric {
	char name[FW_METRIC_NAME]; /* whole: floorwalker_… */
	char help[160];
	bool gauge;
};

/* A timer of the node: of its name, and when it fires next (monotonic). */
struct fw_node_timer {
	_Atomic uint64_t hash;    /* 0: nobody's */
	_Atomic int64_t next_us;
};

struct fw_shared {
	int64_t started_us;
	_Atomic int32_t master_pid;
	_Atomic int32_t loader_pid[FW_BANKS];
	_Atomic uint32_t generation;      /* in service; 0: none yet */
	_Atomic uint32_t bank;            /* of that generation */
	_Atomic int64_t generation_us;    /* since when */
	_Atomic bool stopping;
	_Atomic bool kept;                /* the copy is served, not the files */
	_Atomic uint64_t reloads_ok, reloads_failed, workers_lost, loaders_lost, keepers_lost;
	_Atomic int32_t keeper_pid;
	_Atomic int64_t spool_base;       /* events that are held beside those that were counted */
	_Atomic bool spool_counted;       /* somebody did: until then what a former daemon left is not known */
	_Atomic int64_t spool_oldest_us;  /* when the oldest of them came, wall clock; 0: none is held */

	/* The last load's outcome as JSON, guarded by a counter that is odd while it is being written. */
	_Atomic uint32_t outcome_version;
	char outcome[FW_OUTCOME_BYTES];

	/* What a loader is at, for when it dies there: "configuring plugin web"; and its plugins, for when a worker does. */
	char stage[FW_BANKS][128];
	char plugins[FW_BANKS][FW_LIMIT_PLUGINS][64];

	/* The limits that a generation was loaded with: the master takes them over when it commits. */
	struct fw_process_limits limits[FW_BANKS];

	struct fw_node_timer timers[FW_LIMIT_NODE_TIMERS]; /* never removed: a later generation goes on with them */

	_Atomic uint32_t n_metrics;
	struct fw_shared_metric metrics[FW_LIMIT_PLUGIN_METRICS];

	struct fw_slot_page slots[FW_BANKS][FW_LIMIT_WORKERS];

	/* What a bank's first worker remembers of requests (fw_signal_memory_bytes), which all of the next generation begin with. */
	void *remembered[FW_BANKS];

	/* Of the workers' decision logs; of each the first three are the writing thread's, the others the loop's. */
	_Atomic uint64_t logged[FW_BANKS][FW_LIMIT_WORKERS][FW_DECISIONS_COUNTS];

	struct fw_shadow_page shadow[FW_BANKS];
	struct fw_load_steps steps[FW_BANKS];
	_Atomic uint64_t steps_failed[FW_LOAD_STEPS];
};

/* NULL: out of memory. */
struct fw_shared *fw_shared_create(void);

/* Adds to a counter that this process alone writes. */
static inline void fw_count(struct fw_slot_page *slot, unsigned which, uint64_t n)
{
	uint64_t now = atomic_load_explicit(&slot->counts[which], memory_order_relaxed);
	atomic_store_explicit(&slot->counts[which], now + n, memory_order_relaxed);
}

/* A decision's duration into the histogram and its sum. */
void fw_count_duration(struct fw_slot_page *slot, uint64_t ns);

/* The sum of a counter over all slots. */
uint64_t fw_shared_sum(const struct fw_shared *shared, unsigned which);

/* The same of the decision logs. */
uint64_t fw_shared_logged(const struct fw_shared *shared, enum fw_decisions_count which);

/* Events that the spool holds. */
uint64_t fw_shared_held(const struct fw_shared *shared);
/* Who has looked says so: a worker that died may have counted amiss, and a former daemon counted elsewhere. */
void fw_shared_set_held(struct fw_shared *shared, uint64_t events);

/* The master writes the outcome (JSON); anybody reads it into buf of FW_OUTCOME_BYTES; returns buf. */
void fw_shared_set_outcome(struct fw_shared *shared, const char *json);
const char *fw_shared_outcome(const struct fw_shared *shared, char *buf);

/* What a worker is or was at: "serving", "in plugin web"; into buf of 160, returned. */
const char *fw_shared_doing(const struct fw_shared *shared, unsigned bank, unsigned slot, char *buf);

/* A loader's: the metric of that name, added if need be. Its index, or -1 when there are too many. */
int fw_shared_metric(struct fw_shared *shared, const char *name, const char *help, bool gauge);

/* Any worker's: the node's timer of a name with that hash (not 0), made if need be, which fires within `every_us` for the first time; then
 * NULL: there are too many. */
struct fw_node_timer *fw_shared_timer(struct fw_shared *shared, uint64_t hash, int64_t every_us);
/* Whether it is for this worker to fire now; `ret_wait_us`: when to ask again. */
bool fw_node_timer_fires(struct fw_node_timer *t, int64_t every_us, int64_t *ret_wait_us);

/* A worker's: begins in a slot (gauges to zero), and copies the HTTP server's counters since then on top of what the
 * slot's earlier workers had counted. */
struct fw_http_base {
	uint64_t counts[FW_COUNT_UNAUTHORIZED];
};
void fw_slot_begin(const struct fw_shared *shared, struct fw_slot_page *slot, struct fw_http_base *ret_base);
/* Nobody is in the slot any more: gauges to zero. */
void fw_slot_end(const struct fw_shared *shared, struct fw_slot_page *slot);
void fw_slot_publish(struct fw_slot_page *slot, const struct fw_http_base *base, const struct fw_http_counters *now);

#endif
