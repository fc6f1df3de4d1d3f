/* Putting entries into the outbox of a bucket, with a batch of that bucket. Their numbers follow on those given out before:
 * the counter's row is part of the batch, so that no number is given twice and none is seen before a lower one. */
#ifndef FW_PEOPLE_OUTGOING_H
#define FW_PEOPLE_OUTGOING_H

#include "people/entry.h"
#include "people/key.h"

struct fw_outgoing {
	uint32_t bucket;
	const struct fw_entry *entries;
	unsigned n;
	uint64_t last, version; /* of the counter, as it was read */
};

/* Adds the counter and the entries to a batch: at most 1 + n changes, whose bytes lie in the arena. Returns their number;
 * negative: FW_ENOMEM. */
int fw_outgoing_write(const struct fw_outgoing *o, struct fw_arena *a, struct fw_change *changes);

/* Reads a bucket's counter. `done` gets the last number given out, and the version of that row. */
struct fw_outgoing_reader {
	void (*done)(void *ctx, int rc, uint64_t last, uint64_t version);
	void *ctx;
};
void fw_outgoing_count(struct fw_store *store, uint32_t bucket, struct fw_arena *a, const struct fw_outgoing_reader *reader);

#endif
