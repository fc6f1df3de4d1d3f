/* Sweeping: what has had its time is dropped, one bucket after another. Records that nobody has touched for as long as `retain`
 * says; messages remembered for longer than they count; dead letters that are old or too many. Deleting compares versions,
 * so that a visitor who comes back in that very moment stays. */
#ifndef FW_PEOPLE_SWEEP_H
#define FW_PEOPLE_SWEEP_H

#include "people/people.h"

struct fw_sweep_options {
	int64_t anonymous_s, known_s; /* 0: for ever */
	int64_t logged_s;             /* how long what is logged of decisions is kept; 0: nothing is logged */
};

struct fw_sweep_counts {
	uint64_t buckets, rows, people, messages, dead_letters; /* looked at; dropped */
	uint64_t damaged;                                      /* records that cannot be read: left where they are */
};

struct fw_sweep;

/* NULL: out of memory. `people` must outlive it. */
struct fw_sweep *fw_sweep_create(struct fw_people *people, const struct fw_sweep_options *options);
/* Nothing may be on its way. NULL is fine. */
void fw_sweep_destroy(struct fw_sweep *s);

/* Goes on from where it stands: looks at some hundred rows and drops what has had its time; after the last bucket it begins
 * with the first again. `done` comes when what is to go has gone, or with what the store says. One step at a time. May complete
 * before it returns. */
void fw_sweep_step(struct fw_sweep *s, int64_t now_us, fw_people_done done, void *ctx);
bool fw_sweep_busy(const struct fw_sweep *s);
const struct fw_sweep_counts *fw_sweep_counts(const struct fw_sweep *s);

#endif
