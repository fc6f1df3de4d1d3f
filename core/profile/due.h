/* Messages in the record of a person: those that wait to be sent, what became of the last ones, and what triggers remember. Pure.
 * Times are kept in whole milliseconds. */
#ifndef FW_PROFILE_DUE_H
#define FW_PROFILE_DUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct fw_record;

enum fw_due_state {
	FW_DUE_WAITS,   /* until `due_us` */
	FW_DUE_SENDING, /* its channel has it; if nothing was heard by `due_us`, the attempt is lost */
	FW_DUE_DEAD,    /* since `due_us`; a person may have it tried again */
	FW_DUE_STATES,
};

/* "waits", "sending" or "dead"; and back: false for another word. */
const char *fw_due_state_name(enum fw_due_state state);
bool fw_due_state_find(const char *name, enum fw_due_state *ret);

struct fw_due {
	uint64_t number;             /* its own, in every attempt; never 0 */
	uint64_t person;             /* the hash in the key of the row that it was first sent from, which its id names; 0: not yet tried */
	enum fw_due_state state;
	struct fw_str rule, channel; /* ids, at most FW_LIMIT_ID_BYTES */
	int64_t triggered_us, due_us, expires_us;
	uint32_t attempts;           /* that have begun */
	uint32_t lost;               /* of them, in a row, those of which nothing was heard: whoever tried may have died of it */
	struct fw_str reason;        /* why it waits again, or is dead; n 0: it has not been tried */
	struct fw_str facts;         /* of the triggering event, as JSON in the shape of `given`; n 0: none are known */
	struct fw_str decision;      /* the id of the one that was made of it last, where those are logged; n 0: of none */
};

/* In the order of their numbers; false: there are no more. Texts stay the record's. */
bool fw_record_due(const struct fw_record *r, unsigned i, struct fw_due *ret);
bool fw_record_find_due(const struct fw_record *r, uint64_t number, struct fw_due *ret);
/* Adds it, or puts it in the place of the one with its number. Where there is no room the one that has been dead longest goes.
 * 0, FW_ELIMIT (there are FW_LIMIT_DUE, none of them dead), FW_ENOMEM. */
int fw_record_put_due(struct fw_record *r, const struct fw_due *due);
bool fw_record_drop_due(struct fw_record *r, uint64_t number); /* false: there is none */
bool fw_record_drop_dead(struct fw_record *r, int64_t before_us); /* those that died before; whether there were any */

/* When somebody has to look at the record for the sake of its messages, and what it was when it was read; whoever stores it keeps rows
 * of that (people/wake.h). False: there are no more. */
struct fw_wake {
	int64_t at_us;
	bool dead;
	unsigned char channel; /* a part of its hash, so that whoever cannot use the channel now need not look */
};
unsigned char fw_due_channel(struct fw_str channel);
bool fw_record_wake(const struct fw_record *r, unsigned i, struct fw_wake *ret);
bool fw_record_was_due(const struct fw_record *r, unsigned i, struct fw_wake *ret);

/* What became of a message. */
struct fw_due_outcome {
	int64_t at_us;
	uint64_t number;
	struct fw_str rule, channel;
	struct fw_str what; /* "sent", "failed", or a reason as explanations have it */
	struct fw_str by;   /* the guard, the cap, the rule or the event that did it, or what a channel said; n 0: nothing to say */
	struct fw_str decision; /* by which it came to that, where those are logged; n 0: by none */
};
/* Oldest first; false: there are no more. */
bool fw_record_outcome(const struct fw_record *r, unsigned i, struct fw_due_outcome *ret);
/* `by` is cut to FW_LIMIT_DUE_REASON_BYTES; the oldest make room. 0 or FW_ENOMEM. */
int fw_record_note_outcome(struct fw_record *r, const struct fw_due_outcome *o);

/* What a trigger remembers by a name of its own: whether the person is in a segment, when a rule came last. */
struct fw_mark {
	struct fw_str name;
	int64_t at_us;
	bool in;
};
bool fw_record_mark(const struct fw_record *r, struct fw_str name, struct fw_mark *ret); /* false: it remembers nothing */
int fw_record_set_mark(struct fw_record *r, const struct fw_mark *mark); /* 0 or FW_ENOMEM */

/* Of places under caps that a message holds (fw_record_reserve with its number as the rule): they count for good, or are free again. */
void fw_record_confirm_due(struct fw_record *r, uint64_t number);
void fw_record_release_due(struct fw_record *r, uint64_t number);

#endif
