/* What the files of the engine's glue share. */
#ifndef FW_SERVER_ENGINE_OWN_H
#define FW_SERVER_ENGINE_OWN_H

#include "catalog/catalog.h"
#include "decide/decide.h"
#include "decide/selftest.h"
#include "decide/trigger.h"
#include "people/people.h"
#include "profile/complete.h"
#include "server/config_decisions.h"
#include "server/engine.h"
#include "server/shadow.h"
#include "signal/signal.h"
#include "trace/trace.h"

struct fw_engine {
	const struct fw_config *config;
	struct fw_arena arena;          /* what signal_config points to */
	struct fw_signal_config signal_config;
	struct fw_signal_shared *signals;
	struct fw_ruleset *set;
	struct fw_triggers *triggers;   /* of messages */
	struct fw_due_config due;
	struct fw_templates *templates; /* in the set's arena */
	unsigned workers;
	char *counts;                   /* shared mapping: fw_counts_bytes for each worker, one after another */
	size_t counts_bytes;            /* of one worker, rounded up */
	struct fw_set_aside *set_aside; /* shared mapping */
	size_t set_aside_bytes;
	uint32_t tests;
	struct fw_str findings;         /* JSON, of the check; n 0: there was none */
	int64_t since_us;
	struct fw_config_decisions decisions;
	struct fw_catalog *catalog;     /* NULL: the configuration names none */
};

struct fw_decision_log;
struct fw_ingester;
struct fw_logged;
struct fw_spool;

/* What is asked, once read. */
struct fw_engine_question {
	const struct fw_json *body;
	uint32_t *slots, n;
	const char **channels;      /* whose messages are to be explained, too */
	enum fw_reason *unreached;  /* of each, what keeps it from the person; NULL: nothing that is known */
	uint32_t n_channels;
	struct fw_refused_slot *refused;
	uint32_t n_refused;
	struct fw_person_id person; /* id.n 0: nobody in particular */
	bool is_signed;
	bool details;               /* whoever asks wants to know more of the slots and winners … */
	bool changes;               /* … or, of an explanation, what rules would need that do not win, … */
	bool orders;                /* … and where the items of winners' lists stand, and why */
	struct fw_str user;         /* the userId, if it is proven; n 0: none is */
	struct fw_shown shown;      /* what whoever asks shows already */
};

enum { FW_ENGINE_SCRATCH = 64 << 10 };

/* A question on its way to its answer. */
struct fw_engine_run {
	struct fw_engine_run *next; /* idle */
	struct fw_engine_worker *worker;
	struct fw_engine_ask *ask;
	fw_engine_done done;
	void *data;
	struct fw_engine_question q;
	struct fw_facts facts;
	struct fw_decision decision;
	struct fw_buf out;
	struct fw_arena arena;
	struct fw_person person;    /* as it was read; its bytes are in the arena */
	struct fw_profile_reading reading;
	struct fw_logged *logged;   /* what is to be logged, in the arena; NULL: nothing is */
	struct fw_str logged_bytes; /* that, once it was decided */
	char logged_id[37];
	int status;                 /* it was answered with */
	uint64_t since_ns;          /* of what is being timed */
	unsigned tries;
	bool sampled, shadowed;     /* to be looked at once it is answered: by its own rules, by the shadow's */
	max_align_t first[FW_ENGINE_SCRATCH / sizeof(max_align_t)];
};

struct fw_engine_worker {
	struct fw_engine *engine;
	struct fw_slot_page *page;
	struct fw_people *people; /* or NULL; not owned */
	struct fw_spool *spool;   /* the same */
	struct fw_decider decider;
	bool decides;
	struct fw_ingester *ingester;
	struct fw_signal *signals;
	struct fw_engine_run *idle; /* the last one used first: its memory is still at hand */
	unsigned n_idle, n_runs;
	struct fw_decision_counts seen; /* already added to the page */
	uint64_t failures_seen;
	struct fw_counts quiet;  /* of decisions that nobody is told; memory of quiet_memory, NULL until there is one */
	void *quiet_memory;
	uint64_t *failed_seen;   /* by rule, as it was last told */
	int64_t told_us;         /* when failures were last told, monotonic */
	/* A decision in so many is kept for a closer look, once its answer is on its way. */
	struct fw_engine_run *sample;
	uint32_t until_sample;
	struct fw_shadow_worker *shadow;   /* NULL: there is none */
	struct fw_engine_run *shadowed;    /* answered, and waiting for it */
	unsigned n_shadowed;
	struct fw_decision_log *log; /* NULL: there is none */
	struct fw_config_decisions log_config;
	_Atomic uint64_t *log_counts;
	uint64_t drawn;              /* visitors without an id, of whom the log has a sample, too */
	unsigned char log_key[32];   /* the store's, once it is known */
	bool has_log_key;
	struct fw_buf log_scratch;   /* its memory is kept */
};

/* {"error":{…}} in place of what `out` has; returns the status. `path` and `hint` may be NULL. */
int fw_engine_error(struct fw_buf *out, int status, const char *code, const char *message, const char *path, const char *hint);
/* 413: the request takes more memory than one may. */
int fw_engine_no_memory(struct fw_buf *out);

/* engine_ask.c: reads the question into run->q, and the facts of its request into run->facts. 0, or the HTTP status of the
 * error written to run->out. */
int fw_engine_read(struct fw_engine_run *run);

/* engine_reach.c: finds out which of the channels do not reach the person, and goes on to fw_engine_explain. */
void fw_engine_reach(struct fw_engine_run *run);
/* engine_run.c: answers with the explanation; rc below 0: the store cannot be asked. */
void fw_engine_explain(struct fw_engine_run *run, int rc);

/* engine_log.c: a decision's way into the log, where there is one. Before the facts of the request are completed: whether the visitor is in
 * the sample; then what was found, right after it was; and once it was answered, `done` comes, at once or later. */
void fw_engine_log_begin(struct fw_engine_run *run);
void fw_engine_log_decided(struct fw_engine_run *run);
void fw_engine_log_explained(struct fw_engine_run *run, const struct fw_explanation *e); /* its slots … */
void fw_engine_log_explained_all(struct fw_engine_run *run, const struct fw_explanation *e); /* … and all else */
void fw_engine_log_admit(struct fw_engine_run *run); /* while its request is there */
void fw_engine_log_end(struct fw_engine_run *run);
/* For whoever brings anything there: whether the store's key is known, in log_key; one more that was dropped; a buffer, empty, until its
 * next use. */
bool fw_engine_log_learn(struct fw_engine_worker *w);
void fw_engine_log_count(struct fw_engine_worker *w, enum fw_decisions_count which);
struct fw_buf *fw_engine_log_scratch(struct fw_engine_worker *w);
/* engine_run.c: and then the run is nobody's. */
void fw_engine_release(struct fw_engine_run *run);
/* engine_shown.c: marks the places under caps that whoever asks has. 0 or FW_ENOMEM. */
int fw_engine_mark_own(struct fw_engine_run *run);
/* The answer's text, of run->decision. */
void fw_engine_write(struct fw_engine_run *run);
/* Of one who watches: whether the answer is what he shows already. Decides, and counts nothing. FW_ENOMEM. */
int fw_engine_look(struct fw_engine_run *run, bool *ret_same);
/* Of one who watches, before his answer: what he shows from now on, and whether that is new. */
void fw_engine_watched(struct fw_engine_run *run);
/* Of one who watches: whose records the answer hangs on. */
void fw_engine_note_rows(struct fw_engine_run *run);
/* engine_catalog.c: reads the feed, if the configuration names one, and lets the rules know it. 0, or with the error in the report. */
int fw_engine_load_catalog(struct fw_engine *e, struct fw_report *report);
/* The member "catalog" of an open object, null without one; gauges. */
void fw_engine_describe_catalog(const struct fw_engine *e, struct fw_json_out *out);
void fw_engine_catalog_metrics(const struct fw_engine *e, struct fw_buf *out);

/* engine_run.c: those that are idle, and the sample, when the worker ends. */
void fw_engine_free_runs(struct fw_engine_worker *w);

/* engine_trouble.c: after a decision, what went wrong in it is counted, logged and shown by `status`. */
void fw_engine_note(struct fw_engine_worker *w);
/* The counts of all workers added up, in memory of the arena; `all` NULL: out of memory. */
struct fw_counts fw_engine_sum(const struct fw_engine *engine, struct fw_arena *arena);

#endif
