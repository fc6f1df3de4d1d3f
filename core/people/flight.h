/* Persons who have something on their way: at most one batch each, and what waits for it. */
#ifndef FW_PEOPLE_FLIGHT_H
#define FW_PEOPLE_FLIGHT_H

#include "people/key.h"

enum { FW_FLIGHT_SPILLS = 96 }; /* messages that move out of a record in one batch, at most */

/* Somebody who waits until what is on its way has arrived. */
struct fw_flight_waiter {
	void (*arrived)(void *ctx);
	void *ctx;
	struct fw_flight_waiter *next;
};

struct fw_flight {
	struct fw_people *people;
	struct fw_flight *next; /* in its chain of the table */
	struct fw_key key;
	struct fw_str id;       /* the person's, in `key` */
	struct fw_arena arena;  /* of the round being computed */
	struct fw_people_event *first, **last; /* waiting, in order */
	struct fw_people_event *round;         /* being applied */
	struct fw_people_event *at;            /* of them, the one being looked at */
	struct fw_record *record;
	struct fw_str bytes;                   /* of the record, to be committed; in the arena */
	uint64_t version;
	struct fw_flight_waiter *waiters;
	unsigned tries;
	bool changed;

	/* Asking the rows of days for the message of `at`. */
	int32_t days[4];
	unsigned n_days, day;
	bool asked, found;      /* the days are known; one of them has it */
	bool answered, resumes; /* a row has come; whoever brings it is to go on */
	int asked_rc;

	struct fw_flight_spill {
		uint64_t hash;
		int32_t day;
	} spills[FW_FLIGHT_SPILLS];
	unsigned n_spills;

	struct fw_flight *stalled; /* the next that waits for room in the store */
	fw_people_done reserved; /* the round is a reservation */
	void *reserved_ctx;
};

enum { FW_FLIGHT_CHAINS = 4096 };

struct fw_people {
	struct fw_store *store;
	struct fw_people_options options;
	struct fw_people_counters counters;
	unsigned committing;   /* batches on their way */
	struct fw_flight *stalled, **last_stalled;
	struct fw_flight *chains[FW_FLIGHT_CHAINS];
};

/* The flight of a person, or NULL. */
struct fw_flight *fw_flight_find(struct fw_people *p, const struct fw_key *key);
/* A new one, with nothing on its way; NULL: out of memory. */
struct fw_flight *fw_flight_create(struct fw_people *p, const struct fw_key *key);
/* Adds an event; fw_flight_start begins with it unless a round is on its way. */
void fw_flight_add(struct fw_flight *f, struct fw_people_event *e);
void fw_flight_start(struct fw_flight *f);
/* Commits `f->record` as it is, as a round of its own. */
void fw_flight_reserve(struct fw_flight *f, fw_people_done done, void *ctx);
/* Ends a flight with nothing on its way and nothing waiting. */
void fw_flight_give_up(struct fw_flight *f);
/* Calls `arrived` once the round that is on its way has ended. 0 or FW_ENOMEM. */
int fw_flight_wait(struct fw_flight *f, void (*arrived)(void *ctx), void *ctx);

#endif
