/* Who was to become one with a person who was erased meanwhile goes, too: the same person, by ids that were still on their way to one
 * another. Delivering finds it (receive.c) and leaves a row in the same batch, so that whoever dies, somebody goes on; the row has the
 * key of an erasure that is not complete, and the sweep of those finds it:
 *
 *   4                   where an erasure has its state
 *   person, because     ids as row.h has them; `because` may be empty
 *   time                of the erasure, microseconds
 *   hash                of the userId of whoever was erased, to the end, if there was one (tombstone.h) */
#ifndef FW_PEOPLE_LATE_H
#define FW_PEOPLE_LATE_H

#include "people/erase.h"
#include "people/tombstone.h"

struct fw_late {
	struct fw_person_id person;  /* goes by an id of whoever was erased; id.n 0: there is nobody */
	struct fw_person_id because; /* that id; id.n 0: somebody said that they were one */
	struct fw_tombstone tombstone;
};

/* The change that leaves the row, with its value in the arena. 0 or FW_ENOMEM. */
int fw_late_write(const struct fw_late *l, const struct fw_key *key, struct fw_arena *a, struct fw_change *ret);
bool fw_late_is(struct fw_str value);
/* Texts in the arena or slices of `value`. 0, FW_EINVAL or FW_ENOMEM. */
int fw_late_read(struct fw_arena *a, struct fw_str value, struct fw_late *ret);

/* Whether that record is the same person's still: it goes by that id, alone, and is not another known user's. */
bool fw_late_is_one(const struct fw_late *l, const struct fw_secret *s, const struct fw_record *record);

/* Erases whom that row names, if there is somebody, as of the same moment, and takes the row away. Of `value` a copy is made. rc: 0, with
 * the receipt of an empty id if nobody was erased; FW_EIO: the row cannot be read; or what the store says. */
void fw_late_go_on(struct fw_people *p, const struct fw_key *key, struct fw_str value, fw_people_erased done, void *ctx);

#endif
