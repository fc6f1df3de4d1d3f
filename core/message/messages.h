/* Messages on their way: the host's part of every channel. A worker looks after some groups of buckets (a lease each, which only spreads
 * the work); what is due there is judged, claimed by writing so into the record, handed to its channel, and what came of it is written
 * again. Whatever dies in between, the record says what is still to be done. */
#ifndef FW_MESSAGE_MESSAGES_H
#define FW_MESSAGE_MESSAGES_H

#include "decide/due.h"
#include "message/template.h"
#include "people/people.h"

struct event_base;
struct fw_messages;

/* What a channel says of a delivery; the numbers are the plugin interface's. */
enum fw_channel_outcome {
	FW_CHANNEL_DELIVERED,
	FW_CHANNEL_PENDING,  /* fw_messages_result will say */
	FW_CHANNEL_RETRY,
	FW_CHANNEL_FAILED,
	FW_CHANNEL_ACCEPTED, /* by a peer that may say more later */
};

struct fw_channel_message {
	const char *id, *to;
	uint32_t attempt;
	struct fw_str json; /* {"rule","visitor","class","track","content":{…}}, terminated */
	int64_t until_us;   /* when the attempt is given up, and somebody else may make the next */
};

struct fw_channel {
	const char *name;
	void *ctx;
	/* `reason` of `size` bytes is for a person. The message is valid during the call. */
	enum fw_channel_outcome (*deliver)(void *ctx, const struct fw_channel_message *m, char *reason, size_t size);
	double rate;     /* deliveries a second of this worker; 0: as many as there are */
	unsigned most;   /* at once in this worker */
};

/* What was decided of the messages of somebody that were due, judged together. */
struct fw_judged {
	struct fw_str id;                /* of the decision */
	int64_t at_us;
	const struct fw_person *person;  /* as it was read */
	const struct fw_due_item *items; /* all of them, with what became of each */
	uint32_t n;
	const struct fw_products_then *then; /* what was asked of products; NULL: there is no catalogue */
};

enum { FW_MESSAGE_GROUPS = 64 };

struct fw_messages_options {
	struct fw_people *people;
	struct fw_decider *decider;
	const struct fw_due_config *due;
	const struct fw_triggers *triggers;
	const struct fw_templates *templates;
	const struct fw_profile_options *profile; /* what events that come of messages are applied with */
	const struct fw_channel *channels;
	unsigned n_channels;
	unsigned share;          /* of FW_MESSAGE_GROUPS: a worker that has fewer is given some by those who have far more */
	/* What was decided, once it is written and before any of it goes; nothing is of who is restricted. It must copy what it keeps.
	 * NULL: nobody does. */
	void (*judged)(void *ctx, const struct fw_judged *decision);
	void *judged_ctx;
	const uint64_t *requests; /* that were made of this worker: while there are any, messages give way. NULL: nobody asks anything */
};

/* Everything in the options must outlive it; strings of channels, too. NULL: out of memory. */
struct fw_messages *fw_messages_create(struct event_base *base, const struct fw_messages_options *options);
/* Begins to take leases and to send. */
void fw_messages_start(struct fw_messages *m);
/* Takes nobody in hand any more, and gives the leases back. Who is in hand is judged, and what goes is heard to its end. */
void fw_messages_drain(struct fw_messages *m);
bool fw_messages_idle(const struct fw_messages *m);
/* The store must have been closed before, so that nothing is on its way. NULL is fine. */
void fw_messages_destroy(struct fw_messages *m);

/* What became of a delivery that was FW_CHANNEL_PENDING. `after_ms`: for FW_CHANNEL_RETRY, -1: as it comes. 0; FW_ENOENT: no such
 * message is being delivered here. */
int fw_messages_result(struct fw_messages *m, const char *id, enum fw_channel_outcome outcome, int64_t after_ms, const char *reason);

/* What is heard of a message, whenever and wherever it was sent: the names of the plugin interface. `json`: an object of properties, or n
 * 0. done: 0 and whether it is new; FW_ENOENT: nobody knows the message; FW_EINVAL: no such name, or no object; what the store says. */
typedef void (*fw_messages_heard)(void *ctx, int rc, bool changed);
void fw_messages_hear(struct fw_messages *m, struct fw_str id, struct fw_str name, struct fw_str json, fw_messages_heard done, void *ctx);

/* What is said of an address, whoever's it is: nothing of the channel goes there any more, or again. Who goes by it says so, too: the
 * channel's consent is withdrawn, or granted. */
struct fw_address_said {
	struct fw_str channel, address;
	struct fw_str reason, source; /* a word such as "stop"; what the consent's log names */
	bool lift;                    /* it may again; of an address that is not suppressed this changes nothing */
	struct fw_str id;             /* what was said is known by it; n 0: by nothing. Told again after the contrary it changes nothing */
};
/* Told again it does what was left. Texts must stay until done. done: rc 0, and whether the list changed; or what the store says. */
void fw_messages_suppress(struct fw_messages *m, const struct fw_address_said *said, fw_messages_heard done, void *ctx);

/* Something else is told of that product of the catalogue than before: who asked for it may have to be told that it is back. */
void fw_messages_product(struct fw_messages *m, uint32_t number);

/* Counted since it was made. */
struct fw_messages_counters {
	uint64_t judged, sent, deferred, refused, retried, failed, lost, poison, heard;
};
const struct fw_messages_counters *fw_messages_counters(const struct fw_messages *m);

#endif
