/* The facts of a request as bytes, and back: what a decision was made from, kept so that it can be made again. Of the profile nothing is
 * in them, nor what somebody gave (answers, segments, a point of rollouts).
 *
 *   flags      one byte: profile_in_reach, behaviour_in_reach, objects, has_clock
 *   basis      one byte: enum fw_consent_basis
 *   now        microseconds, signed, with has_clock
 *   values     of all facts with one value a visitor, in the order of the list that goes with the bytes
 *   families   traits, then event: how many, then each one's name and value
 *
 * A value: a byte of its state, its kind above it, and a bit each for true, for a whole number and for several; then what it holds. */
#ifndef FW_FACT_FACTS_PACK_H
#define FW_FACT_FACTS_PACK_H

#include "base/pack.h"
#include "fact/facts.h"

/* A value alone. Failure is the buffer's; the reader's, and 0 or FW_ENOMEM. */
void fw_value_pack(const struct fw_value *v, struct fw_buf *out);
int fw_value_unpack(struct fw_unpack *u, struct fw_arena *a, struct fw_value *ret);

/* Appends the bytes of a request's facts; failure is the buffer's. */
void fw_facts_pack(const struct fw_facts *f, struct fw_buf *out);

/* Which facts the values are of, for whoever reads them with another version of the catalogue: their names, one after the other. */
void fw_facts_pack_names(struct fw_buf *out);
struct fw_facts_names {
	unsigned n;
	int facts[FW_FACT_SINGLE * 2]; /* by place; -1: a fact that this version does not know */
};
/* 0, or FW_EINVAL: that is no such list. */
int fw_facts_unpack_names(struct fw_unpack *u, struct fw_arena *scratch, struct fw_facts_names *ret);

/* Initializes `f`, texts and all in the arena. 0; FW_EINVAL: these bytes are no facts, or one has a value that this version does not know;
 * FW_ENOMEM. */
int fw_facts_unpack(struct fw_facts *f, struct fw_arena *a, const struct fw_facts_names *names, struct fw_str bytes);

#endif
