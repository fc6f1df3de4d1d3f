/* Addresses to which nothing of a channel goes, whoever's they are: known by a keyed hash alone, so that the list outlives an erasure
 * and tells nobody anything.
 *
 * A row beside no person's: the time in milliseconds, why (a word; none: something may go there again), and, where what was said of the
 * address is known by ids, whether it is just being lifted and the FW_LIMIT_ADDRESS_HEARD latest of them (8 bytes of a keyed hash each).
 * So a STOP that its gateway repeats after the START that followed it is known to have been heard. A row that was lifted stays for
 * FW_LIMIT_ADDRESS_HEARD_S because of that; one without ids goes at once. */
#ifndef FW_PEOPLE_SUPPRESSION_H
#define FW_PEOPLE_SUPPRESSION_H

#include "base/limits.h"
#include "people/key.h"
#include "people/secret.h"

/* The row of an address, which is normalised first where it can be. The secret must be known. */
void fw_suppression_key(const struct fw_secret *s, struct fw_str channel, struct fw_str address, struct fw_key *ret);
/* By what something that was said is known; 0: by nothing (n 0). The secret must be known. */
uint64_t fw_suppression_id(const struct fw_secret *s, struct fw_str id);

/* Whether nothing goes there. done: rc 0, or what the store says. May come before it returns; the key must stay until then. */
typedef void (*fw_suppression_looked)(void *ctx, int rc, bool suppressed);
void fw_suppression_look(struct fw_people *p, const struct fw_key *key, struct fw_arena *arena, fw_suppression_looked done, void *ctx);

/* The same of an address of a channel, which may be FW_EAWAY, too, because the secret is not known yet. */
void fw_suppression_look_up(struct fw_people *p, struct fw_str channel, struct fw_str address, struct fw_arena *arena,
	fw_suppression_looked done, void *ctx);

struct fw_suppression_said {
	/* Nothing goes there from now on. Something may again, in two steps: who goes by the address is told between them, and whoever
	 * dies there is told again and goes on, unless somebody said the contrary meanwhile. */
	enum fw_suppression_what { FW_SUPPRESSION_PUT, FW_SUPPRESSION_LIFTING, FW_SUPPRESSION_LIFTED } what;
	struct fw_str reason; /* of PUT: a word such as "bounced"; it must stay until done */
	uint64_t id;          /* fw_suppression_id's */
	int64_t now_us;
};

enum fw_suppression_outcome {
	FW_SUPPRESSION_CHANGED, /* the list did */
	FW_SUPPRESSION_SAME,    /* it was so before; whoever said so may have been left without the rest */
	FW_SUPPRESSION_OVER,    /* nothing is left to do: it was heard before what holds now, or there is nothing to lift */
};
/* Of LIFTING, CHANGED and SAME alike say: go on. */
typedef void (*fw_suppression_done)(void *ctx, int rc, enum fw_suppression_outcome outcome);
void fw_suppression_say(struct fw_people *p, const struct fw_key *key, const struct fw_suppression_said *said, fw_suppression_done done,
	void *ctx);

struct fw_suppression {
	int64_t at_us;
	struct fw_str reason; /* n 0: something may go there */
	bool lifting;
	unsigned n_heard;
	uint64_t heard[FW_LIMIT_ADDRESS_HEARD]; /* the latest last */
};
/* What such a row says, the word in the arena. 0; FW_EINVAL: it is none; FW_ENOMEM. */
int fw_suppression_read(struct fw_arena *a, const struct fw_row *row, struct fw_suppression *ret);
/* What is to be written for what was said of an address: false: nothing. A row that was not there: a reason of n 0, nothing heard. */
bool fw_suppression_turn(struct fw_suppression *s, const struct fw_suppression_said *said, enum fw_suppression_outcome *ret);

#endif
