/* Putting entries into the outbox of a bucket, with a batch of that bucket. The store numbers them as it writes: so no number is given
 * twice, none is seen before a lower one, and batches that have something to say stand in nobody's way. */
#ifndef FW_PEOPLE_OUTGOING_H
#define FW_PEOPLE_OUTGOING_H

#include "people/entry.h"
#include "people/key.h"

struct fw_outgoing {
	uint32_t bucket;
	const struct fw_entry *entries;
	unsigned n;
};

/* Adds the counter and the entries to a batch: at most 1 + n changes, whose bytes lie in the arena. Returns their number;
 * negative: FW_ENOMEM. */
int fw_outgoing_write(const struct fw_outgoing *o, struct fw_arena *a, struct fw_change *changes);

/* The last number that a bucket's outbox has given out, or one that was the last a moment ago. */
struct fw_outgoing_reader {
	void (*done)(void *ctx, int rc, uint64_t last);
	void *ctx;
};
void fw_outgoing_last(struct fw_store *store, uint32_t bucket, struct fw_arena *a, const struct fw_outgoing_reader *reader);

#endif
