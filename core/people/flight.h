/* Persons who have something on their way: at most one batch, and what waits for it. A flight belongs to the row that the
 * person's record is in, or would be. */
#ifndef FW_PEOPLE_FLIGHT_H
#define FW_PEOPLE_FLIGHT_H

#include "people/commit.h"
#include "people/follow.h"
#include "people/outgoing.h"
#include "people/secret.h"

enum {
	FW_FLIGHT_SPILLS = 96,  /* messages that move out of a record in one batch, at most */
	FW_FLIGHT_ENTRIES = 64, /* entries for other buckets in one batch, at most */
	FW_FLIGHT_LOOKS = 32,   /* other ids that are looked up before somebody is new */
	FW_FLIGHT_HOPS = 100,   /* how often an event is sent on to another row, or waits for two to become one */
};

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
	struct fw_person_id id; /* the row's, in `key` */
	struct fw_arena arena;  /* of the round being computed */
	struct fw_people_event *first, **last; /* waiting, in order */
	struct fw_people_event *round;         /* being applied */
	struct fw_people_event *at;            /* of them, the one being looked at */
	struct fw_people_event *elsewhere;     /* of them, those that belong to other rows */
	struct fw_record *record;
	struct fw_str bytes;                   /* of the record, to be committed; in the arena */
	uint64_t version;
	struct fw_flight_waiter *waiters;
	struct fw_person_id to; /* where the row is to point; in `follow` */
	bool points;            /* it does */
	bool moves;             /* its record becomes part of the person of entries[0] */
	bool is_new;            /* the row knew nobody: then its tombstone must be as it was read when the record is written */
	struct fw_key tombstone;
	uint64_t tombstone_version;
	int64_t erased_us;      /* when somebody by this id was erased; 0: nobody was */
	unsigned tries;
	bool busy;              /* a round is on its way */
	bool changed;           /* the record */
	bool told;              /* what this row's bucket had to say to other rows was said in this round */

	/* Where the other ids of an event lead. */
	struct fw_follow follow;
	unsigned claim, looked; /* of `at`, the one being followed; how many were, where this row knows nobody */

	/* Asking the rows of days for the message of `at`. */
	struct fw_key *days;    /* in the arena, for all events of the round; NULL: none was asked for yet */
	unsigned n_days, day;
	bool asked, found;      /* the days are known; one of them has it */
	bool answered, resumes; /* a row has come; whoever brings it is to go on */
	int asked_rc;

	struct fw_flight_spill {
		uint64_t hash;
		int32_t day;
	} spills[FW_FLIGHT_SPILLS];
	unsigned n_spills;
	struct fw_entry *entries; /* in the arena; NULL: none yet */
	unsigned n_entries;

	struct fw_commit commit;
	const struct fw_change *beside; /* further rows of the batch, of whoever reserves */
	unsigned n_beside;
	fw_people_done reserved; /* the round is a reservation */
	void *reserved_ctx;
};

enum { FW_FLIGHT_CHAINS = 4096, FW_DELIVERY_CHAINS = 1024 };

struct fw_delivery;

struct fw_people {
	struct fw_store *store;
	struct fw_people_options options;
	const struct fw_triggers *triggers; /* NULL: events trigger nothing */
	struct fw_decider *decider;
	const struct fw_due_config *due;
	struct fw_people_counters counters;
	struct fw_secret secret;
	bool asks_secret;
	struct fw_ready *ready; /* who waits for it */
	unsigned committing;   /* batches on their way, of those that wait for room */
	struct fw_commit *stalled, **last_stalled;
	struct fw_flight *chains[FW_FLIGHT_CHAINS];
	struct fw_delivery *deliveries[FW_DELIVERY_CHAINS];
};

/* Calls `done` once the store's secret is known, which may be at once; or with what the store says. */
void fw_people_ready(struct fw_people *p, fw_people_done done, void *ctx);

/* The flight of a row, or NULL. */
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

/* Between flight.c and round.c. Begins the round again, from the row as it is now. */
void fw_flight_begin(struct fw_flight *f);
/* Goes on once the events of the round are applied: commits, or ends if nothing changed. */
void fw_flight_applied(struct fw_flight *f);
/* All events of the round belong to another row: they are sent there, and the round ends. */
void fw_flight_move(struct fw_flight *f, const struct fw_person_id *to);
/* The row knew nobody: it says from now on that the person is at `to`, and the events go there. */
void fw_flight_point(struct fw_flight *f, const struct fw_person_id *to);
/* Says to which row an event is to go; the text is copied. 0 or FW_ENOMEM. */
int fw_people_event_send(struct fw_people_event *e, const struct fw_person_id *to);
/* Ends the round: all its events have `rc`; those in `elsewhere` go on to their rows. */
void fw_flight_end(struct fw_flight *f, int rc);
/* Writes the record, and what follows from it. */
void fw_flight_commit(struct fw_flight *f);
/* meet.c: before that, where the person turns out to be a user who is known. */
void fw_flight_meet(struct fw_flight *f);
/* A record for a row that knows nobody. 0 or FW_ENOMEM. */
int fw_flight_new_record(struct fw_flight *f);
/* round.c: applies f->round to the row that was read; and goes on with it. */
void fw_round_run(struct fw_flight *f, const struct fw_row *row);
void fw_round_step(struct fw_flight *f);

/* claims.c: an event that was sent here by the row of an id that the record does not go by begins once more at that row, when that has
 * been told whose it is: 1, f->at is the next then; 0: it is none; 2: the round goes on later; or FW_ENOMEM. */
int fw_claims_begin_again(struct fw_flight *f, struct fw_people_event *e);
/* Sends the event f->at elsewhere, if it is somebody else's: 1, f->at is the next then; 0: it is not; FW_ENOMEM. */
int fw_claims_elsewhere(struct fw_flight *f, struct fw_people_event *e);
/* Its ids become the record's. 0 or FW_ENOMEM. */
int fw_claims_take(struct fw_flight *f, struct fw_people_event *e);
/* Where the row knows nobody: sends the round to whom another of its ids knows, else begins a new record. */
void fw_claims_find_known(struct fw_flight *f);
/* Whether somebody by the row's id was erased: into f->erased_us and what the batch is to expect. */
void fw_claims_find_buried(struct fw_flight *f, fw_people_done done, void *ctx);

/* Hands an event to the flight of the row e->row. 0 or FW_ENOMEM: then nothing was taken. */
int fw_flight_take(struct fw_people *p, struct fw_people_event *e);
#endif
