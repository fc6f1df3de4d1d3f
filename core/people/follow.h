/* From an id's row to the one that has the person's record: one read for an id that never moved, two afterwards. */
#ifndef FW_PEOPLE_FOLLOW_H
#define FW_PEOPLE_FOLLOW_H

#include "people/key.h"
#include "people/row.h"

enum { FW_FOLLOW_HOPS = 8 };

/* On its way; lives as long as whoever follows. */
struct fw_follow {
	struct fw_store *store;
	bool for_batch;
	struct fw_arena *arena;
	fw_people_done done;
	void *ctx;
	unsigned hops;

	/* Where it ended: the key of the last row and that row, in the arena; a missing one has no value. */
	struct fw_key key;
	struct fw_row row;
	/* The rows on the way whose records had not been handed over yet. */
	struct fw_moved pending[FW_FOLLOW_HOPS];
	struct fw_key pending_keys[FW_FOLLOW_HOPS];
	unsigned n_pending;
	bool shared; /* the id says no more who somebody is: several known users have it */

	/* Of fw_follow_told (astray.h): the row that it began at, and who waits. */
	struct fw_people *people;
	struct fw_key from;
	bool told;
	fw_people_done found;
	void *found_ctx;
};

/* `id` is a row's id; `for_batch`: it is read as fw_store_get_for_batch does. `done` gets 0, what the store says, or FW_EIO: a row cannot
 * be read, or they go round in circles. May come before it returns. */
void fw_follow(struct fw_follow *f, struct fw_store *store, const struct fw_person_id *id, bool for_batch, struct fw_arena *arena,
	fw_people_done done, void *ctx);

#endif
