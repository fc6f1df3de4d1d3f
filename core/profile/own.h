/* A record as it is worked on; for this room alone. Times are milliseconds since 1970, 0: never; money is in thousandths of
 * the store's currency, so that sums do not depend on their order. Everything is in the record's arena. */
#ifndef FW_PROFILE_OWN_H
#define FW_PROFILE_OWN_H

#include "base/limits.h"
#include "fact/history.h"
#include "profile/ask.h"
#include "profile/behaviour.h"
#include "profile/due.h"
#include "profile/record.h"

/* Version 2 has kinds of ids, merges and consent; version 3 has messages, version 4 the row that each was first
 * sent from; version 5 has the decisions that were made of them, and what was asked for. */
enum { RECORD_VERSION = 5 };

/* A list that grows: n of size. */
#define FW_LIST(type) \
	struct { \
		type *items; \
		uint32_t n, size; \
	}

/* What the person lets be done, by purpose or channel: as it is now … */
struct consent {
	struct fw_str what;
	enum fw_consent_state state;
	int64_t at_ms;
};

/* … and how it came about. */
struct consent_entry {
	struct fw_str what;
	enum fw_consent_state state;
	int64_t at_ms;
	struct fw_str source, text; /* where it was told; the version of the words that were agreed to; n 0: not told */
};

/* Where a visit came from. */
struct touch {
	int64_t at_ms;
	uint32_t channel; /* its place in the list of `source`'s values and 1; 0: not known */
	struct fw_str medium, campaign;
};

struct session {
	int64_t start_s, last_s;
	uint32_t campaign; /* 16 bits of a hash of the one it began with; 0: none */
	uint32_t pages;
};

/* A cart is the last event that told all of it, and what was added and removed since: so an event that comes late finds
 * its place. */
struct cart_entry {
	int64_t at_ms;     /* 0: of the event that told all */
	uint32_t labels[FW_LABELS]; /* as of a series */
	int64_t price;     /* of one; -1: not known, or in another currency */
	int32_t quantity;  /* removed ones are negative; 0: all of that product were removed */
};

struct cart {
	int64_t told_ms;   /* of the last event that told all of it */
	int64_t began_ms;  /* since when there was something in it then */
	FW_LIST(struct cart_entry) entries; /* by time */
};

enum { ORDER_COMPLETED = 1, ORDER_CANCELLED = 2, ORDER_FOREIGN = 4, ORDER_REFUNDED = 8, ORDER_FLAGS = 15 };

struct order {
	struct fw_str id;
	int64_t at_ms, told_ms; /* completed; and when what it is worth was told last */
	int64_t revenue, refunded;
	uint32_t flags;
};

struct cap_use {
	int64_t at_ms;
	uint64_t rule; /* of a reservation that waits to be confirmed; 0: it counts */
};

struct cap {
	uint64_t cap;
	int64_t per_s;
	uint32_t limit;
	FW_LIST(struct cap_use) uses; /* oldest first */
};

struct seen {
	uint64_t hash;
	uint32_t hour; /* of its arrival, since 1970 */
};

struct import {
	uint64_t file;
	int64_t offset;
};

struct trait {
	struct fw_str name, packed; /* its value; an absent one says that it was taken away */
	int64_t at_ms;
	bool claimed;               /* by somebody with a public key, who proves nothing */
};

/* What the timeline has. Names are numbers of behaviours, else of texts after these. */
struct recent {
	int64_t at_s;
	uint32_t type;   /* enum fw_event_type */
	uint32_t known;  /* fw_behaviour_number, or 0 */
	uint32_t name;   /* else a text's number, or 0 */
	uint32_t object; /* a text's number, or 0 */
};

/* Opens and clicks per message of a channel, each half forgotten after ENGAGEMENT_DAYS. */
struct engagement {
	struct fw_str channel;
	int64_t at_ms;
	double sent, engaged;
};
enum { ENGAGEMENT_DAYS = 90 };

/* What is only counted. */
struct lifetime {
	uint64_t orders, priced;  /* older than those kept; priced: of a known amount in the store's currency */
	int64_t revenue;
	uint64_t visits;
	int64_t visits_since_s;   /* the earliest visit that was only counted */
};

/* A text, and what it is found by. */
struct record_text {
	struct fw_str text;
	uint32_t hash; /* fw_text_hash */
};

struct fw_record {
	struct fw_arena *arena;
	unsigned version; /* that it was read from */
	struct fw_str first_id;
	int64_t first_s, last_ms; /* events; 0: none yet */

	/* The necessary part. */
	FW_LIST(struct fw_id) ids;
	FW_LIST(struct session) sessions; /* by start; without behaviour only the last */
	struct touch session_touch;       /* where the last session came from */
	struct cart cart;
	FW_LIST(struct order) orders;     /* by time */
	FW_LIST(struct cap) caps;
	FW_LIST(struct seen) seen;        /* oldest first */
	int32_t spilled_day;              /* the last day that got some; days before it are bits of spilled_days */
	uint32_t spilled_days;
	FW_LIST(struct import) imports;
	FW_LIST(struct trait) traits;
	FW_LIST(struct fw_merge) merges;  /* by time, in whole milliseconds */
	FW_LIST(struct consent) consents; /* by `what` */
	FW_LIST(struct consent_entry) consent_log; /* by time */
	bool restricted;                  /* kept, and used for nothing */
	FW_LIST(struct fw_due) dues;      /* by number; times in whole milliseconds, as in the next two */
	FW_LIST(struct fw_due_outcome) outcomes; /* by time */
	FW_LIST(struct fw_mark) marks;    /* by name */
	FW_LIST(struct fw_wake) was_due;  /* of `dues`, as the record was read */
	FW_LIST(struct fw_ask) asks;      /* by product; times in whole milliseconds */
	FW_LIST(struct fw_ask) was_asked; /* `asks`, as the record was read */
	int64_t erased_ms;                /* somebody with these ids was erased then; 0: nobody */

	/* What the texts of both parts are: numbers are places here, from 1. */
	FW_LIST(struct record_text) texts;

	/* The behaviour part. */
	FW_LIST(struct fw_series) series;
	uint32_t newest_hour;
	struct touch first_touch, last_touch;
	FW_LIST(struct recent) recent;    /* by time */
	struct lifetime lifetime;
	FW_LIST(struct engagement) engagements;
};

/* Room for one more element; false when memory is used up. */
bool fw_list_grow(struct fw_arena *a, void **items, uint32_t n, uint32_t *size, size_t element);
#define FW_LIST_ROOM(r, list) fw_list_grow((r)->arena, (void **)&(list).items, (list).n, &(list).size, sizeof *(list).items)
/* Takes out element i, or opens a place for it. */
#define FW_LIST_TAKE(list, i) \
	memmove((list).items + (i), (list).items + (i) + 1, ((list).n - 1 - (i)) * sizeof *(list).items), (list).n--
#define FW_LIST_OPEN(list, i) \
	memmove((list).items + (i) + 1, (list).items + (i), ((list).n - (i)) * sizeof *(list).items), (list).n++

/* The number of a text, added if it is new; what is longer than FW_LIMIT_KEY_BYTES is cut off. 0: none, or no memory. */
uint32_t fw_record_text(struct fw_record *r, struct fw_str text);
uint32_t fw_record_text_folded(struct fw_record *r, struct fw_str text);
/* The number of a text of another record, as it stands. 0: out of memory. */
uint32_t fw_record_text_whole(struct fw_record *r, struct fw_str text);
/* The text of a number; n 0 for 0. */
struct fw_str fw_record_text_of(const struct fw_record *r, uint32_t number);

/* A cart as it stands: what is in it, line by line. */
struct cart_line {
	uint32_t labels[FW_LABELS];
	int64_t price;
	int64_t quantity;
};
struct cart_now {
	struct cart_line lines[FW_LIMIT_CART_ENTRIES];
	uint32_t n;
	int64_t items, total;
	int64_t since_ms; /* 0: it is empty */
};
void fw_cart_replay(const struct cart *c, struct cart_now *ret);

/* What orders come to. */
struct order_sums {
	uint64_t orders, priced;
	int64_t revenue;
	int64_t last_ms;
};
void fw_orders_sum(const struct fw_record *r, struct order_sums *ret);
/* Adds one order, if it counts. */
void fw_order_add(const struct order *o, struct order_sums *sums);

/* Price times quantity, and sums of money: what is too much stays at the most there can be. */
#define FW_MOST_MONEY INT64_C(1000000000000000)
static inline int64_t fw_money_times(int64_t price, int64_t quantity)
{
	return (double)price * (double)quantity < (double)FW_MOST_MONEY ? price * quantity : FW_MOST_MONEY;
}
static inline int64_t fw_money_sum(int64_t a, int64_t b)
{
	return a < FW_MOST_MONEY - b ? a + b : FW_MOST_MONEY;
}

/* fw_profile_fill at a time that need not be that of the facts' clock. */
int fw_profile_fill_at(struct fw_str bytes, int64_t now_us, struct fw_facts *f);
/* fw_profile_fill for who is shown what is kept of a person: of one who is restricted, too. */
int fw_profile_fill_shown(struct fw_str bytes, struct fw_facts *f);

/* A text in the record's own memory; n 0 stays. False: out of memory. */
bool fw_record_own(struct fw_record *r, struct fw_str *text);

/* Whether what both go by fits into one record, in number and in bytes. */
bool fw_ids_fit(const struct fw_record *a, const struct fw_record *b);

/* The parts of merging: what `from` has becomes `into`'s, too. Lists are in an order afterwards that does not depend on which
 * of the two was which. Each 0 or FW_ENOMEM. */
struct merging {
	struct fw_record *into;
	const struct fw_record *from;
	const uint32_t *number; /* `into`'s of each of `from`'s texts, by their numbers */
	const uint32_t *rank;   /* by the numbers of `into`'s texts: their place among them, bytewise */
	struct fw_spilled *spilled;
	unsigned n_spilled;
};
int fw_merge_ids(struct merging *m);
int fw_merge_merges(struct merging *m);
int fw_merge_sessions(struct merging *m);
int fw_merge_cart(struct merging *m);
int fw_merge_orders(struct merging *m);
int fw_merge_caps(struct merging *m);
int fw_merge_seen(struct merging *m);
int fw_merge_traits(struct merging *m);
int fw_merge_consents(struct merging *m);
int fw_merge_series(struct merging *m);
int fw_merge_messages(struct merging *m);
int fw_merge_asks(struct merging *m);

/* By time, then by what tells them apart; 0: they are alike. */
int fw_touch_compare(const struct touch *a, const struct touch *b);
/* The uses of a cap, or NULL. */
struct cap *fw_cap_find(const struct fw_record *r, uint64_t cap);

/* The parts of splitting: `now` is what became of `merged`, whose text numbers are the same. */
void fw_split_series(struct fw_record *now, const struct fw_record *merged); /* leaves in `now` what came since */
int fw_split_seen(struct fw_record *r, const struct fw_record *now, const struct fw_record *merged);
int fw_split_messages(struct fw_record *r, const struct fw_record *now, const struct fw_record *merged);
/* Messages of the absorbed that have been sent, put off or given up since must not be sent by him once more. */
int fw_split_absorbed_messages(struct fw_record *absorbed, const struct fw_record *now, const struct fw_record *merged);

/* What was asked for since is asked for; what `now` does not ask for any more, neither does who it was before. */
int fw_split_asks(struct fw_record *r, const struct fw_record *now, const struct fw_record *merged);
/* What the absorbed asked for and was told of since, or does not want any more. */
void fw_split_absorbed_asks(struct fw_record *absorbed, const struct fw_record *now, const struct fw_record *merged);

/* The part of what was asked for as bytes, and back; keeps the newest; forgets where people were as they asked. */
void fw_asks_put(const struct fw_record *r, struct fw_buf *out);
bool fw_asks_get(struct fw_record *r, struct fw_unpack *u);
void fw_asks_bound(struct fw_record *r, uint32_t most);
void fw_asks_forget_places(struct fw_record *r);

/* The order of what became of messages: by time, then by what tells them apart; when somebody has to look at one. */
int fw_outcome_compare(const struct fw_due_outcome *a, const struct fw_due_outcome *b);
struct fw_wake fw_due_wake(const struct fw_due *d);
/* The part of messages as bytes; and back: false when they are not what they should be. */
void fw_messages_put(const struct fw_record *r, struct fw_buf *out);
bool fw_messages_get(struct fw_record *r, struct fw_unpack *u);
/* Keeps the newest outcomes; what events told that triggered messages. */
void fw_messages_forget_outcomes(struct fw_record *r, size_t most_bytes);
void fw_messages_forget_facts(struct fw_record *r);

/* What the person said of a purpose or a channel (folded), or NULL. */
struct consent *fw_consent_find(const struct fw_record *r, struct fw_str what);
/* The order of the log: by time, then by what tells entries apart. 0: they are alike. */
int fw_consent_compare(const struct consent_entry *a, const struct consent_entry *b);
/* Forgets of the log, which is in order, until it is within its limits: the oldest that was superseded, else the oldest. */
void fw_consent_bound_log(struct fw_record *r);
/* Whether the person lets no behaviour be kept. */
bool fw_consent_refuses(const struct fw_record *r);

/* The parts of applying an event. Each 0 or FW_ENOMEM. */
struct happening {
	const struct fw_event *e;
	const struct fw_profile_options *o;
	const struct fw_behaviour *b; /* of a track event, or NULL */
	int64_t at_ms;
	bool behaviour;               /* it may be added to the behaviour part */
	struct touch touch;           /* at_ms 0: the event tells none, or may not be kept */
	uint32_t campaign;            /* hash; 0: none */
};
int fw_apply_consent(struct fw_record *r, const struct happening *h);
bool fw_consent_keeps(const struct fw_record *r, const struct happening *h);
int fw_apply_traits(struct fw_record *r, const struct happening *h);
int fw_apply_group(struct fw_record *r, const struct happening *h);
int fw_apply_session(struct fw_record *r, const struct happening *h, bool *ret_new);
int fw_apply_cart(struct fw_record *r, const struct happening *h);
int fw_apply_order(struct fw_record *r, const struct happening *h, bool *ret_counted);
int fw_apply_series(struct fw_record *r, const struct happening *h);
int fw_apply_touches(struct fw_record *r, const struct happening *h);
int fw_apply_recent(struct fw_record *r, const struct happening *h);
int fw_apply_engagement(struct fw_record *r, const struct happening *h);
int fw_apply_ask(struct fw_record *r, const struct happening *h, struct fw_str *ret_asked);
bool fw_confirm_reservations(struct fw_record *r, const struct happening *h);

/* 32-bit FNV-1a (Fowler, Noll, Vo), its high half folded in. Records have campaigns by it. */
uint32_t fw_text_hash(struct fw_str text);

/* A product as events tell it; texts are numbers of the record's. */
struct product {
	uint32_t labels[FW_LABELS];
	int64_t price;      /* -1: not known */
	int32_t quantity;   /* 1 where it was not told; 0: see has_quantity */
	bool has_quantity;
};
void fw_read_product(struct fw_record *r, const struct fw_json *p, bool foreign, struct product *ret);
/* Whether the event's amounts are in another currency than the store's. */
bool fw_is_foreign(const struct happening *h);
/* An amount in thousandths; -1: none, or beyond what an amount can be. */
int64_t fw_read_amount(const struct fw_json *v);

/* Folds series into those with fewer labels, those not seen for longest first, until at most `most` are left. */
void fw_series_fold(struct fw_record *r, uint32_t most);
/* Counts everything in total only. */
void fw_series_forget_times(struct fw_record *r);
/* Keeps the newest products and changes of the cart; of orders the newest with their ids, older ones are only counted. */
void fw_cart_forget(struct fw_record *r, uint32_t most);
void fw_orders_forget(struct fw_record *r, uint32_t most);
/* Of the log: what was told anew since; the oldest beyond so many bytes. */
void fw_consent_forget_superseded(struct fw_record *r);
void fw_consent_forget_oldest(struct fw_record *r, size_t most_bytes);
/* Forgets what goes first, a step further with each level from 1. False: there is no further step. */
bool fw_record_forget(struct fw_record *r, unsigned level);

/* Writing JSON: "2026-11-23T22:40:05Z"; a fact's value; where a visit came from, if it did. */
void fw_put_time(struct fw_json_out *out, const char *key, int64_t at_s);
void fw_put_value(struct fw_json_out *out, const struct fw_value *v);
void fw_put_touch(struct fw_json_out *out, const char *key, const struct touch *t);
/* The member "merges": who became part of the person, oldest first, and until when that can be undone. The rows of addresses have keyed
 * hashes for ids: of those the kind is told. */
void fw_put_merges(struct fw_json_out *out, const struct fw_record *r);
/* Messages: members "waiting" and "messages", what became of earlier ones, newest first. */
void fw_put_messages(struct fw_json_out *out, const struct fw_record *r);
/* The member "askedFor": the products that the person is to be told of when they are back, and since when. */
void fw_put_asks(struct fw_json_out *out, const struct fw_record *r);
/* What stands before an id of that kind in paths of visitors. */
const char *fw_id_prefix(enum fw_id_kind kind);

/* A trait's value in packed form, and back as a fact's. */
void fw_trait_pack(const struct fw_json *v, struct fw_buf *out);
void fw_trait_skip(struct fw_unpack *u);
int fw_trait_unpack(struct fw_str packed, struct fw_arena *a, struct fw_value *ret);
/* Which of two tellings of a trait counts: one that was proven, whatever its time, then the later; 0: neither more than the other. */
int fw_trait_compare(const struct trait *a, const struct trait *b);
/* The place of the one that is least missed: of those that are only claimed, else of all, the one told longest ago; there must be one. */
uint32_t fw_trait_oldest(const struct fw_record *r);

/* Numbers of names that most stores have, from 1, as the record has them; 0 and NULL: none such. */
unsigned fw_trait_number(struct fw_str name);
const char *fw_trait_name(unsigned number);

/* What is left of it at a later time. */
void fw_engagement_decay(struct engagement *e, int64_t at_ms);
/* The engagement of a channel at its last message's time, as both halves decay alike; negative: no message yet. */
double fw_engagement_share(const struct engagement *e);

#endif
