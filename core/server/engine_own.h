/* What the files of the engine's glue share. */
#ifndef FW_SERVER_ENGINE_OWN_H
#define FW_SERVER_ENGINE_OWN_H

#include "decide/decide.h"
#include "decide/selftest.h"
#include "people/people.h"
#include "server/engine.h"
#include "signal/signal.h"

struct fw_engine {
	const struct fw_config *config;
	struct fw_arena arena;          /* what signal_config points to */
	struct fw_signal_config signal_config;
	struct fw_signal_shared *signals;
	struct fw_ruleset *set;
	unsigned workers;
	char *counts;                   /* shared mapping: fw_counts_bytes for each worker, one after another */
	size_t counts_bytes;            /* of one worker, rounded up */
	struct fw_set_aside *set_aside; /* shared mapping */
	size_t set_aside_bytes;
	uint32_t tests;
	int64_t since_us;
};

struct fw_ingester;

enum { FW_ENGINE_SCRATCH = 64 << 10 };

struct fw_engine_worker {
	struct fw_engine *engine;
	struct fw_slot_page *page;
	struct fw_decider decider;
	bool decides;
	struct fw_people *people;      /* or NULL; not owned */
	struct fw_ingester *ingester;
	struct fw_signal *signals;
	struct fw_arena arena;   /* of the decision being made */
	char *first;             /* its first block */
	struct fw_decision_counts seen; /* already added to the page */
	uint64_t failures_seen;
	uint64_t *failed_seen;   /* by rule, as it was last told */
	int64_t told_us;         /* when failures were last told, monotonic */
	/* A decision in so many is looked at more closely, once its answer is on its way. */
	bool sample_due;
	uint32_t until_sample;
	struct fw_arena sample_arena;
	struct fw_facts sample_facts;
	struct fw_decision sample_decision;
};

/* engine_trouble.c: after a decision, what went wrong in it is counted, logged and shown by `status`. */
void fw_engine_note(struct fw_engine_worker *w);
/* The counts of all workers added up, in memory of the arena; `all` NULL: out of memory. */
struct fw_counts fw_engine_sum(const struct fw_engine *engine, struct fw_arena *arena);

#endif
