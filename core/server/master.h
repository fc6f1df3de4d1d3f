/* The master: binds, forks a loader for every load, watches, and is the only one that signals reach. It never runs rules
 * or plugins and never reads a client's byte. What follows `fw_master_run` is shared by the master's own files. */
#ifndef FW_SERVER_MASTER_H
#define FW_SERVER_MASTER_H

#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

#include "server/channel.h"
#include "server/config.h"
#include "server/shared.h"
#include "server/sockets.h"
#include "store/store.h"

/* Serves until SIGTERM or SIGINT; says on stderr first where it listens, or why not. Returns the exit status. */
int fw_master_run(struct fw_config *config);

enum fw_phase {
	FW_PHASE_LOADING,  /* not committed yet */
	FW_PHASE_SERVING,
	FW_PHASE_DRAINING,
};

enum fw_load {
	FW_LOAD_FILES,
	FW_LOAD_COPY,   /* of the set in service, or the last that was */
	FW_LOAD_FORMER, /* the copy of the set before it: a rollback */
};

struct fw_master_worker {
	pid_t pid; /* 0: nobody */
	int fd;
	bool up;
	int64_t beat_us; /* monotonic */
};

struct fw_generation {
	uint32_t number, bank;
	enum fw_phase phase;
	enum fw_load load; /* what it is made from */
	bool ready;        /* its loader said so */
	uint64_t attempt;  /* which reload or rollback it is; 0: none that anybody waits for */
	pid_t loader;      /* 0: gone */
	int fd;            /* towards the loader; -1: closed */
	unsigned n_workers;
	struct fw_master_worker workers[FW_LIMIT_WORKERS];
	int64_t since_us;    /* wall clock: in service since */
	int64_t deadline_us; /* monotonic: loading ends, or TERM is sent */
	int64_t kill_us;     /* monotonic: KILL is sent; 0: TERM was not sent yet */
	char folder[512];
	char rule_set[64];
	char about[FW_OUTCOME_BYTES / 2]; /* what READY said, JSON */
};

enum { FW_CONTROL_LINE = 4096 };

struct fw_control_client {
	int fd; /* -1: free */
	char line[FW_CONTROL_LINE];
	size_t n;
	uint64_t waits_for; /* an attempt; 0: none */
};

/* The keeper of what this node keeps itself. */
struct fw_keeping {
	struct fw_store_options options;
	int listener, fd;   /* its socket, kept over its deaths, -1: there is nothing to keep; its beats, -1: none */
	int host;           /* the right to keep the data, -1: none is needed */
	pid_t pid;          /* 0: not running */
	int64_t began_us, beat_us, again_us, end_us; /* monotonic */
	int64_t backoff_ms;
	uint64_t lost;
	bool ending;
};

struct fw_master {
	struct fw_config *config; /* that it was started with */
	struct fw_process_limits limits; /* of the generation in service */
	struct fw_shared *shared;
	struct fw_sockets sockets;
	int pid_fd;
	int control_fd;
	struct fw_control_client clients[FW_LIMIT_CONTROL_CLIENTS];
	struct fw_generation *current, *next, *old; /* serving; loading; draining */
	struct fw_keeping keeping;
	uint32_t generations; /* made so far */
	uint64_t attempts;    /* reloads and rollbacks begun so far */
	bool reload_wanted, rollback_wanted;
	bool stopping, done;
	int status;           /* to exit with, once done */
	int64_t again_us;     /* when to make a generation from the copy; 0: no need */
	int64_t backoff_ms;
	int64_t watchdog_us, watchdog_next_us;
	char outcome[FW_OUTCOME_BYTES]; /* the last load's, JSON */
	char refusal[1200]; /* its first error, for a start that fails */
};

/* generation.c; fw_generation_signal, _watch and _drain: generation_watch.c */

/* Forks a loader for the files, or for the copy of the set in service, or of the one before. Needs `next` and `old` to be free. */
void fw_generation_begin(struct fw_master *m, enum fw_load load);
/* Reads what loader and workers say. */
void fw_generation_hear(struct fw_master *m, struct fw_generation *g);
void fw_generation_hear_worker(struct fw_master *m, struct fw_generation *g, struct fw_master_worker *w);
/* Whether this is (still) a generation, and the one of that number: its memory may be another's by now. */
bool fw_generation_is(const struct fw_master *m, const struct fw_generation *g, uint32_t number);
/* A child of the master has ended. */
void fw_generation_reaped(struct fw_master *m, pid_t pid, int status);
/* Deadlines: loads that take too long, workers that are silent, drains that do not end. */
void fw_generation_watch(struct fw_master *m, struct fw_generation *g, int64_t now_us);
/* Lets it end: no new connections, no new workers, TERM at the deadline. */
void fw_generation_drain(struct fw_master *m, struct fw_generation *g);
/* A signal to its workers. */
void fw_generation_signal(struct fw_generation *g, int sign);
/* Gives up a generation that does not serve yet; `errors` is a JSON array. */
void fw_generation_refuse(struct fw_master *m, struct fw_generation *g, const char *errors);
/* How a process ended, by its wait status, for people; into buf, returned. */
const char *fw_describe_end(int status, char buf[96]);
/* In a child: closes what is the master's alone. */
void fw_master_close_in_child(struct fw_master *m);

/* keeping.c */

/* Makes ready what the keeper needs, while there still are privileges. 0 or the error. */
int fw_keeping_open(struct fw_master *m, struct fw_error *err);
/* Begins it, begins it again, kills it when it is silent. */
void fw_keeping_watch(struct fw_master *m, int64_t now_us);
void fw_keeping_hear(struct fw_master *m);
/* Whether that was the keeper. */
bool fw_keeping_reaped(struct fw_master *m, pid_t pid, int status);
/* Lets it end, once no worker is left. */
void fw_keeping_end(struct fw_master *m);
void fw_keeping_close_in_child(struct fw_master *m);

/* control.c */

int fw_control_open(struct fw_master *m, struct fw_error *err);
void fw_control_close(struct fw_master *m);
void fw_control_accept(struct fw_master *m);
void fw_control_read(struct fw_master *m, struct fw_control_client *client);
/* Answers those who wait for this attempt or an earlier one. */
void fw_control_answer(struct fw_master *m, uint64_t attempt);

#endif
