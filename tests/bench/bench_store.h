/* A store of this process's own: a keeper beside it, as a daemon has one, and people on top. */
#ifndef FW_BENCH_STORE_H
#define FW_BENCH_STORE_H

#include <sys/types.h>

#include "people/people.h"

struct event_base;

struct bench_store {
	char url[512], socket[512];
	struct fw_store_options options;
	struct event_base *base;
	struct fw_store *store;
	struct fw_people *people;
	pid_t keeper;
	int beat;
};

/* Starts the keeper; `durability`: "commit" or "interval". Says what is wrong on stderr: 0 or -1. */
int bench_keeper_start(struct bench_store *b, const char *folder, const char *durability);
/* It writes what it has and ends. */
void bench_keeper_stop(struct bench_store *b);

/* Opens the store, in any process that has no other: 0, or -1 and there is nothing to close. Closing: once everything is answered. */
int bench_store_open(struct bench_store *b);
void bench_store_close(struct bench_store *b);
/* Opens the store of a keeper that runs already, a daemon's; bench_store_close alone ends it. */
int bench_store_join(struct bench_store *b, const char *folder, const char *socket);
/* Opens a Redis, which has no keeper, and waits until it answers; `durability`: "server", "replicated" or NULL. bench_store_close alone
 * ends it. */
int bench_store_reach(struct bench_store *b, const char *url, const char *durability);
/* Waits until something has happened. */
void bench_store_turn(struct bench_store *b);

/* How many entries wait in the outboxes of all buckets, as far as `most`; -1: they cannot be read. */
int bench_store_outbox(struct bench_store *b, unsigned most);

/* Processor time, in microseconds: this process's, and the keeper's. */
int64_t bench_own_cpu_us(void);
int64_t bench_keeper_cpu_us(const struct bench_store *b);

#endif
