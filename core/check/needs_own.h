/* What looking for needs shares. Not for other rooms. */
#ifndef FW_CHECK_NEEDS_OWN_H
#define FW_CHECK_NEEDS_OWN_H

#include "check/box.h"
#include "check/needs.h"

/* A fact that a box wants to be otherwise. */
struct fw_turn {
	uint32_t ref;
	uint32_t things;         /* it counts as so many: each value that a set gains or loses is one */
	bool proof;              /* it only has to be proven */
	const struct fw_box *box;
	struct fw_value was;
	uint32_t *options;       /* cells that the box allows it, the nearest first */
	uint32_t n_options, option;
	bool *fine;              /* which of them will do, as far as that was tried */
	struct fw_value becomes; /* by `option` */
};

/* Whether a value is a set that holds another. */
bool fw_turn_holds(const struct fw_value *set, const struct fw_value *held);

/* The facts that are not as the box wants them; `turns` has room for one a dimension. False: that is not told apart, or not a matter of
 * facts. */
bool fw_turn_find(const struct fw_domain *d, const struct fw_facts *facts, const struct fw_box *box, struct fw_turn *turns,
	uint32_t *ret_n);
/* The values that one of them may have. False: there is none, or no memory. */
bool fw_turn_list(const struct fw_domain *d, struct fw_turn *t, struct fw_arena *a);
/* Gives it the value of one of its options. False: no memory. */
bool fw_turn_set(const struct fw_domain *d, struct fw_turn *t, uint32_t option, struct fw_arena *a);
/* Whether all of them, as they are set, go with one another and with the other facts that the box names. */
bool fw_turns_go(const struct fw_domain *d, const struct fw_facts *facts, const struct fw_box *box, const struct fw_turn *turns,
	uint32_t n);
/* Whoever has these facts with the one turned. False: no memory, or it cannot be. */
bool fw_turn_apply(const struct fw_domain *d, const struct fw_turn *t, struct fw_facts *f, struct fw_arena *a);

/* "1 more view of \"boots\"", in the arena; of a set the `thing`th. NULL: no memory. */
const char *fw_turn_text(const struct fw_domain *d, const struct fw_turn *t, uint32_t thing, struct fw_arena *a);

#endif
