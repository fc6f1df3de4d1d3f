/* Finding a person's record in order to change it: whatever is on its way to it has arrived. */
#ifndef FW_PEOPLE_WHO_H
#define FW_PEOPLE_WHO_H

#include "people/flight.h"

struct fw_who {
	struct fw_people *people;
	struct fw_key row;       /* of the id that was asked for */
	bool is_row;             /* which was a row's */
	struct fw_arena *arena;
	fw_people_done done;
	void *ctx;
	unsigned tries;

	/* What was found: follow.key is the record's row, follow.row that row. */
	struct fw_follow follow;
	struct fw_record *record;
};

/* `id` is plain, and copied; the arena is reset when the search begins again. rc: 0; FW_ENOENT: nobody goes by this id; FW_EBUSY: it does
 * not come to rest; else as fw_people_done. May come before it returns. */
void fw_who_find(struct fw_who *w, struct fw_people *p, const struct fw_person_id *id, struct fw_arena *arena, fw_people_done done,
	void *ctx);
/* `row` is a row's id: that of an address is its keyed hash. */
void fw_who_find_row(struct fw_who *w, struct fw_people *p, const struct fw_person_id *row, struct fw_arena *arena, fw_people_done done,
	void *ctx);
/* The same again, as after a conflict. */
void fw_who_again(struct fw_who *w);

#endif
