/* Messages on their way, as this room works on them. */
#ifndef FW_MESSAGE_OWN_H
#define FW_MESSAGE_OWN_H

#include "message/id.h"
#include "message/messages.h"
#include "people/flight.h"
#include "people/suppression.h"
#include "people/wake.h"

/* What comes in heaps, rows that are due and claims that were committed together, is taken by so many a turn of the loop: what
 * else a worker has to answer must not wait for all of it. */
enum { FW_MESSAGES_A_TURN = 4, FW_LOOKS_AT_ONCE = 8 };

enum { FW_GROUPS = FW_MESSAGE_GROUPS, FW_GROUP_BUCKETS = FW_STORE_BUCKETS / FW_GROUPS, FW_DELIVERIES = 1024, FW_DESTINATIONS = 256 };

struct fw_attempt;
struct fw_delivering;

/* A channel as it is being used; its times are of the steady clock (clock.c). */
struct fw_used_channel {
	struct fw_channel channel;
	unsigned char letter;    /* fw_due_channel */
	double tokens;           /* of its rate */
	int64_t filled_us;
	unsigned at_once;
	struct fw_destination {
		uint64_t hash;
		unsigned at_once, failures; /* deliveries; those of the last that are to be tried again */
		int64_t paused_us;       /* nothing goes there before */
	} destinations[FW_DESTINATIONS];
};

struct fw_messages_bucket {
	int64_t next_us; /* when somebody has to look here; INT64_MAX: as far as is known, never */
	bool scanning;
};

struct fw_messages_group {
	bool owned, asked, leaves;       /* `leaves`: what is being asked for is to be given back */
	int64_t until_us, not_before_us; /* of the lease; when it may be asked for again */
};

/* pace.c */
struct fw_pace {
	struct event *on_tick;
	unsigned room;            /* so many people may be in hand */
	bool full;                /* since it was looked at, more wanted to be */
	unsigned ticks;           /* since then, how late they came added up, and how many requests there were before */
	int64_t due_us, late_us;
	uint64_t requests_before;
};

/* restock.c */
struct fw_restock {
	struct event *on_due;
	int64_t next_us[FW_STORE_BUCKETS]; /* when the index there is to be looked at, by the steady clock */
	uint32_t bucket;          /* being looked at, or the last that was */
	bool telling;
};

struct fw_messages {
	struct event_base *base;
	struct fw_messages_options options;
	struct fw_messages_counters counters;
	struct fw_used_channel *channels;
	struct event *on_lease, *on_due, *on_claims;
	struct fw_messages_group groups[FW_GROUPS];
	struct fw_messages_bucket buckets[FW_STORE_BUCKETS];
	unsigned owned, looking; /* groups; buckets that are being looked at */
	int64_t wanted_us;
	int64_t not_before_us; /* by the steady clock; nothing is looked at: as many people as may be are in hand */
	int64_t ahead_us;      /* of the steady clock is the one on the wall, as it was last looked at */
	uint32_t first;        /* bucket that comes first when several are due */
	struct fw_attempt *attempts; /* people in hand */
	unsigned in_hand, begun; /* `begun`: since the timer of what is due last came */
	struct fw_attempt *claimed, **last_claimed; /* of them, those whose messages go to their channels next */
	struct fw_delivering *deliveries[FW_DELIVERIES];
	struct fw_delivering *overdue; /* of them, those whose time is over by the clock on the wall */
	unsigned delivering;
	struct fw_pace pace;
	struct fw_restock restock;
	struct {
		uint64_t hash;
		uint32_t bucket;
		int64_t until_us;        /* by the steady clock, while somebody only wants to be: until then nobody else begins */
		bool begun;              /* until nothing is in hand */
	} alone;                     /* the person who is to be all that is in hand */
	bool draining;
	uint64_t chance[2];
};

/* A place among the deliveries of a channel, and of them to one destination. */
struct fw_channel_place {
	struct fw_used_channel *channel; /* NULL: there is no such channel */
	unsigned destination;
};

/* Beside an item that is being judged: what is made once for it and used again. */
struct fw_going {
	struct fw_attempt *attempt;
	struct fw_due_item *item;
	struct fw_key suppression;     /* of its address, if it has one */
	char id[FW_MESSAGE_ID + 1];    /* once it was to be composed */
	struct fw_channel_place place; /* while it is being claimed */
};

/* Somebody whose messages are being judged. */
struct fw_attempt {
	struct fw_messages *messages;
	struct fw_attempt *next, *next_claimed;
	uint32_t bucket;
	uint64_t hash;
	struct fw_key wake;        /* the row that led here */
	uint64_t wake_version;
	struct fw_arena arena;
	struct fw_person person;
	struct fw_record *record;
	struct fw_due_item *items;
	struct fw_going *going;    /* by item */
	uint32_t n, looking;       /* items; suppressions being looked for */
	struct fw_due_log log;     /* id n 0: it is not logged */
	char decision[37];         /* the id's text */
	int rc;
	int64_t now_us;
	struct fw_change *beside;
	unsigned n_beside, tries;
	struct fw_change change;
	struct fw_commit commit;
};

/* A message that its channel has. */
struct fw_delivering {
	struct fw_messages *messages;
	struct fw_delivering *next;
	struct fw_message_id id;
	char text[FW_MESSAGE_ID + 1];
	struct fw_channel_place place;
	struct event *late;        /* nobody told what came of it */
	struct {                   /* whoever it is for is left alone until then, by the steady clock; 0: its time is not over */
		struct fw_delivering *next;
		uint32_t bucket;
		uint64_t hash;
		int64_t until_us;
	} overdue;
	/* What is to be written. */
	struct fw_arena arena;
	struct fw_person_id row;
	char row_text[FW_LIMIT_EVENT_ID_BYTES];
	bool handing, told;        /* `handing`: its channel is being called */
	bool put_off;              /* its channel has not had it */
	enum fw_channel_outcome outcome;
	int64_t after_ms;
	uint32_t attempt;
	char reason[FW_LIMIT_DUE_REASON_BYTES + 1];
	struct fw_record *record;
	unsigned tries;
};

uint64_t fw_messages_chance(struct fw_messages *m);

/* attempt.c: begins with the person of that wake row. 0 or FW_ENOMEM. */
int fw_attempt_begin(struct fw_messages *m, uint32_t bucket, const struct fw_row *wake, uint64_t hash);
/* Hands over what has been claimed, as much of it as goes into a turn. */
void fw_attempt_hand_over(struct fw_messages *m);
/* What has been claimed and will not be handed over: to whoever looks next its attempt is lost. */
void fw_attempt_forget(struct fw_messages *m);
bool fw_attempt_has(const struct fw_messages *m, uint32_t bucket, uint64_t hash);
/* schedule.c: somebody of the bucket was looked after; it is to be looked at again at that time at the latest. */
void fw_schedule_look(struct fw_messages *m, uint32_t bucket, int64_t at_us);
/* All buckets are to be looked at. */
void fw_schedule_all(struct fw_messages *m);

/* clock.c: what is waited for goes by this one, which nobody sets; what is due by the clock on the wall. */
int64_t fw_clock_steady_us(void);
/* Has all planned anew when the clock on the wall was set since the last time. */
void fw_clock_look(struct fw_messages *m);
/* Whether this worker still delivers that message of a person in hand, so that it is not lost though its time is over. Then nobody looks
 * at the person for a second, or until it ends. */
bool fw_clock_leaves_out(struct fw_attempt *a, const struct fw_due *due);
/* For how long nobody does; 0: as ever. */
int64_t fw_clock_left_alone_us(const struct fw_messages *m, uint32_t bucket, uint64_t hash, int64_t now_us);
void fw_clock_end(struct fw_messages *m, struct fw_delivering *d);

/* alone.c. Whoever has lost all attempts but the last has a worker for itself: if that one dies, too, nobody else was in its hands, and
 * who only died with another gets through. */
/* Whether that person is waited for, so that nothing else keeps it out; whether it may be begun with. `now_us` is of the steady clock. */
bool fw_alone_wants(const struct fw_messages *m, uint32_t bucket, uint64_t hash, int64_t now_us);
bool fw_alone_allows(const struct fw_messages *m, uint32_t bucket, uint64_t hash, int64_t now_us);
/* Whether a person in hand may go on; false: others are on their way, or somebody else is to be alone. */
bool fw_alone_goes_on(struct fw_messages *m, const struct fw_attempt *a);
/* Somebody is no longer in hand, or a message no longer on its way. */
void fw_alone_leave(struct fw_messages *m);

/* channel.c. NULL: no such channel is there. `now_us` is of the steady clock. */
struct fw_used_channel *fw_channel_find(struct fw_messages *m, struct fw_str name);
/* Whether another delivery may begin, on any channel of that letter; else how long to wait before asking again. */
bool fw_channel_is_free(struct fw_messages *m, unsigned char letter, int64_t now_us, int64_t *ret_wait_us);
bool fw_channel_any_is_free(struct fw_messages *m, int64_t now_us);
/* Whether another may go to that address now; else how long to wait before asking again. */
bool fw_channel_has_room(struct fw_used_channel *c, struct fw_str address, int64_t now_us, int64_t *ret_wait_us);
struct fw_channel_place fw_channel_take(struct fw_used_channel *c, struct fw_str address, int64_t now_us);
/* What was taken and not used. */
void fw_channel_return(const struct fw_channel_place *place);
/* `again`: what went there is to be tried again; a destination of which that is all that is heard is left alone for a while. */
void fw_channel_give(const struct fw_channel_place *place, bool again, int64_t now_us);

/* pace.c: whether one more person may be in hand. 0 or FW_ENOMEM; finish either way. */
int fw_pace_init(struct fw_messages *m);
void fw_pace_finish(struct fw_messages *m);
bool fw_pace_allows(struct fw_messages *m);

/* restock.c: the index of a bucket is to be looked at by then, by the steady clock; somebody's row there is another; all of a group that is
 * owned from now on; all there are. 0 or FW_ENOMEM; finish either way. */
void fw_restock_look(struct fw_messages *m, uint32_t bucket, int64_t at_us);
void fw_restock_asked(struct fw_messages *m, uint32_t bucket);
void fw_restock_own(struct fw_messages *m, unsigned group);
void fw_restock_all(struct fw_messages *m);
int fw_restock_init(struct fw_messages *m);
void fw_restock_finish(struct fw_messages *m);

/* deliver.c: hands a claimed message to its channel; the place goes with it. */
void fw_deliver(struct fw_messages *m, const struct fw_going *going);
/* What is being delivered here under that id; NULL: nothing is. */
struct fw_delivering *fw_deliver_find(const struct fw_messages *m, struct fw_message_id id);

/* event.c: an event that comes of a message: its text in the arena, ready to be read. `name` is the plugin interface's; NULL: of that the
 * channel has no event. 0, FW_EINVAL or FW_ENOMEM. */
const char *fw_message_event_name(struct fw_str channel, struct fw_str name);
int fw_message_event(struct fw_arena *a, struct fw_str channel, struct fw_str name, const char *id, struct fw_str rule, struct fw_str json,
	int64_t now_us, struct fw_event *ret);

/* sent.c: what is kept of a message that a channel was given, so that what is heard of it later finds its way. */
struct fw_sent {
	struct fw_str channel, rule;
	int64_t at_us;
	struct fw_key suppression; /* of the address */
};
void fw_sent_key(uint32_t bucket, struct fw_message_id id, struct fw_key *ret);
int fw_sent_write(const struct fw_sent *s, struct fw_arena *a, struct fw_str *ret);
int fw_sent_read(struct fw_arena *a, struct fw_str value, struct fw_sent *ret); /* 0, FW_EINVAL, FW_ENOMEM */

#endif
