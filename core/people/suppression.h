/* Addresses to which nothing of a channel goes, whoever's they are: known by a keyed hash alone, so that the list outlives an erasure
 * and tells nobody anything. */
#ifndef FW_PEOPLE_SUPPRESSION_H
#define FW_PEOPLE_SUPPRESSION_H

#include "people/key.h"
#include "people/secret.h"

/* The row of an address, which is normalised first where it can be. The secret must be known. */
void fw_suppression_key(const struct fw_secret *s, struct fw_str channel, struct fw_str address, struct fw_key *ret);

/* Whether the row is there. done: rc 0, or what the store says. May come before it returns; the key must stay until then. */
typedef void (*fw_suppression_looked)(void *ctx, int rc, bool suppressed);
void fw_suppression_look(struct fw_people *p, const struct fw_key *key, struct fw_arena *arena, fw_suppression_looked done, void *ctx);

/* Puts the row, with why: a word such as "bounced". done: rc 0, and whether it was not there before. */
typedef void (*fw_suppression_done)(void *ctx, int rc, bool changed);
void fw_suppression_put(struct fw_people *p, const struct fw_key *key, struct fw_str reason, int64_t now_us, fw_suppression_done done,
	void *ctx);
/* Takes it away. done: rc 0, and whether it was there. */
void fw_suppression_lift(struct fw_people *p, const struct fw_key *key, fw_suppression_done done, void *ctx);
/* What such a row says, the word in the arena. 0; FW_EINVAL: it is none; FW_ENOMEM. */
int fw_suppression_read(struct fw_arena *a, const struct fw_row *row, struct fw_str *ret_reason, int64_t *ret_at_us);

#endif
