/* Visitors to be shown: one out of a box, written down as `given` has it and read back as if somebody had written it. */
#ifndef FW_CHECK_WITNESS_H
#define FW_CHECK_WITNESS_H

#include "check/own.h"

struct fw_witness {
	struct fw_str json;     /* in the scratch arena */
	struct fw_facts facts;
};

/* A visitor of the box whose facts go together, as far as that is known: no Canadian in Europe, no three views in a week of which
 * there were two in a month. `clock`: the time counts, and he is given one. `occasion`: he does that, agrees to its channels and waits
 * for what comes of it; he is of the box then. NULL: he comes to see a page. False: none was found. */
bool fw_witness_make(struct fw_checker *c, const struct fw_box *box, bool clock, const struct fw_occasion *occasion, struct fw_arena *a,
	struct fw_witness *ret);

#endif
