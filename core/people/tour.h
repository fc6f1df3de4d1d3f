/* Going through buckets, several at once, for what somebody began there and did not end. */
#ifndef FW_PEOPLE_TOUR_H
#define FW_PEOPLE_TOUR_H

#include "people/flight.h"

struct fw_tour {
	struct fw_people *people;
	struct fw_str prefix;   /* of the rows that are looked for, at most `most` of a bucket; the others have their turn the next time */
	size_t most;
	int64_t now_us;
	/* Begins what the rows of `bucket` ask for; for each thing begun `left` is one more, and fw_tour_arrived is called once. */
	void (*each)(struct fw_tour *t, const struct fw_row *rows, size_t n);

	/* Its own. */
	uint32_t bucket;
	unsigned left;
	struct fw_arena arena;
	struct fw_tours *all;
};

/* Through `n` buckets from `first` on; `t` is copied, once for each of those that are gone through at once. What one bucket cannot
 * end keeps no other from it. `done` comes once all had their turn: 0, or what was said last of one of them. */
void fw_tour(const struct fw_tour *t, uint32_t first, uint32_t n, fw_people_done done, void *ctx);
void fw_tour_arrived(struct fw_tour *t, int rc);

#endif
