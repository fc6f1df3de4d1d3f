/* All decisions of a decision log, opened one after the other, for commands that make them again: by several processes at once. */
#ifndef FW_CLI_LOG_WALK_H
#define FW_CLI_LOG_WALK_H

#include "base/map.h"
#include "cli/logged.h"
#include "cli/open.h"

enum { FW_WALK_JOBS_MOST = 64 };

/* A rule set that decided, with what else decisions hang on. */
struct fw_walk_set {
	struct fw_log_set about;
	struct fw_ruleset *rules; /* NULL: it is not kept any more */
	struct fw_templates *templates; /* of it, in its arena */
	void *counts;
	struct fw_decider decider;
	bool decides;             /* there are rules, and a decider for them */
	void *numbers;            /* the caller's */
};

/* Why a decision cannot be opened. */
enum fw_walk_gap {
	FW_WALK_ERASED,   /* the person was, since */
	FW_WALK_NO_RULES, /* the rule set that made it is not kept any more */
	FW_WALK_DAMAGED,
};

struct fw_walked {
	char id[37];
	int64_t at_us;
	struct fw_walk_set *set;
	struct fw_logged logged;
	struct fw_str record; /* of the person, as it was read */
	uint64_t n;           /* how many were before it */
};

struct fw_walk_key;
struct fw_walk_job;

struct fw_log_walk {
	/* What the caller says. */
	void *ctx;
	int64_t since_us;      /* older decisions are left out; 0: none */
	uint64_t most;         /* so many of the last; 0: all */
	unsigned processes;    /* that open them at once, from 1 to FW_WALK_JOBS_MOST */
	int (*on_set)(void *ctx, struct fw_walk_set *set, struct fw_error *err); /* once for each, before any decision; may be NULL */
	/* In one of the processes: what it finds out has to be put into memory that they share. Lists lie in the arena. */
	void (*on_decision)(void *ctx, struct fw_walked *w, struct fw_arena *a);
	void (*on_gap)(void *ctx, enum fw_walk_gap gap);

	/* What it knows. */
	struct fw_arena arena;
	struct fw_opened *opened;
	struct fw_stored stored;
	bool has_store;
	const char *folder;         /* of the log */
	struct fw_log_found *files; /* mapped */
	uint32_t n_files;
	struct fw_walk_set *sets;
	uint32_t n_sets, sets_size;
	struct fw_walk_key *keys;
	uint32_t n_keys, keys_size;
	struct fw_map key_ids;
	unsigned char store_key[FW_SEAL_KEY];
	struct fw_walk_job *jobs;
	uint64_t n_jobs, jobs_size;
	uint64_t n_damaged;         /* decisions that cannot be read at all, of whatever time: each is a gap */
	int64_t first_us, last_us;  /* of the decisions */
	struct fw_error err;
};

/* Finds the decisions of the log (NULL: the configuration's), the rule sets that made them and the keys that seal them. `opened` has the
 * configuration and the time zones, and is the caller's. 0, or FW_E… with w->err; FW_EINVAL and no w->folder: there is none. To be finished
 * in any case. */
int fw_log_walk_open(struct fw_log_walk *w, struct fw_opened *opened, const char *config, const char *log);
/* Opens each in turn. False: one of the processes did not end well. */
bool fw_log_walk_run(struct fw_log_walk *w);
void fw_log_walk_finish(struct fw_log_walk *w);

/* One process a processor, as many as there may be. */
unsigned fw_log_walk_processors(void);

#endif
