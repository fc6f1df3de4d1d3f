/* The decision log of a worker: what was decided is copied into a ring, and a thread of its own seals it and writes it to files
 * (log_file.h), begins new ones, and drops those that are too old or too many. Whoever puts never waits.
 *
 * The folder has the files, and in sets/ the rule sets that they need (log_sets.h). */
#ifndef FW_TRACE_DECISION_LOG_H
#define FW_TRACE_DECISION_LOG_H

#include <stdatomic.h>

#include "people/seal_key.h"

struct fw_decision_log;

/* Counted by the thread alone, in memory of the owner's. */
struct fw_decision_log_counts {
	_Atomic uint64_t *written, *bytes, *failed; /* decisions; bytes; decisions that could not be written */
};

struct fw_decision_log_options {
	const char *folder;
	int64_t keep_s;
	uint64_t bytes;     /* of all files together */
	size_t ring_bytes;
	const char *rule_set, *timezone, *currency;
	double holdout;
	struct fw_decision_log_counts counts;
};

/* Begins the thread; texts must outlive it. NULL: out of memory, or of threads. */
struct fw_decision_log *fw_decision_log_create(const struct fw_decision_log_options *options);
/* Writes what waits, and ends. NULL is fine. */
void fw_decision_log_destroy(struct fw_decision_log *log);

struct fw_decision_log_item {
	const char *id;                 /* of the decision */
	int64_t at_us;
	const struct fw_seal_key *key;  /* of the person; NULL: nobody in particular asked */
	const unsigned char *store_key; /* FW_SEAL_KEY bytes */
	struct fw_str record, body;     /* of the person as read; fw_logged_write */
};
/* Everything is copied. False: there is no room, and it is dropped. */
bool fw_decision_log_put(struct fw_decision_log *log, const struct fw_decision_log_item *item);

#endif
