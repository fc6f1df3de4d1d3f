/* Events that are held: accepted while the store was out of reach, and kept in a store of this node alone, its *spool*, until
 * they can be applied. That one is LMDB: its reads complete before the call returns. Rows of its bucket 0:
 *
 *   'Q' received(8) chance(8) number(4)           an event; they are applied in the order of these keys
 *   'W' hash(8) received(8) chance(8) number(4)   one of the ids it tells: whose later events wait behind it
 *
 * An event's value is three lines of JSON: how it came, the context of its batch (nothing: none), the event as it was sent
 * (nothing: it was too large to be kept). Each stands for itself, so that none is nested deeper than it was. */
#ifndef FW_PEOPLE_HELD_H
#define FW_PEOPLE_HELD_H

#include "base/json.h"
#include "people/people.h"

enum { FW_HELD_KEY = 21, FW_HELD_IDS = FW_CLAIMS_MOST + 1 };

struct fw_held {
	char key[FW_HELD_KEY]; /* its row's, once it has one, and … */
	uint64_t version;      /* … that row's */
	int64_t received_us;
	struct fw_str sender;  /* "secret", "write", or "signed": a write key and proof of its userId */
	bool behaviour;        /* as fw_people_event has it: what the request said of it is gone by then */
	uint64_t message_hash; /* where it has no messageId, so that it counts once all the same; else 0 */
	struct fw_str sent_at; /* of its batch; n 0: none */
	struct fw_str code, reason; /* it was refused, and is to be a dead letter; n 0: it was not */
	uint64_t bytes;             /* of the event, then */
	const struct fw_json *context, *event; /* or NULL */
	uint64_t ids[FW_HELD_IDS]; /* hashes */
	unsigned n_ids;
};

/* The hash by which an id's events wait for one another; `id` as people are asked for by it. */
uint64_t fw_held_id(const struct fw_person_id *id);
void fw_held_add_id(struct fw_held *h, uint64_t id);

/* Keeps them in this order, after those that were received before. done: 0 when all of them are on disk; else some may be. What
 * they point to is used during the call only. May complete before it returns. */
void fw_held_put(struct fw_store *spool, const struct fw_held *held, unsigned n, fw_people_done done, void *ctx);

/* Whether an event waits that tells this id. `scratch` is reset. */
bool fw_held_waits(struct fw_store *spool, uint64_t id, struct fw_arena *scratch);

/* At most `limit` of them after `after` (n 0: from the first), the one received first before the others, as rows; and one of
 * these rows as an event, in the arena. 0; FW_EINVAL: damaged, it cannot be applied; FW_ENOMEM. */
void fw_held_list(struct fw_store *spool, struct fw_str after, size_t limit, struct fw_arena *arena, fw_store_listed done, void *ctx);
int fw_held_read(struct fw_arena *a, const struct fw_row *row, struct fw_held *ret);
/* When the first of them was received; 0: none is held. 0, or what the store says. `scratch` is reset. */
int fw_held_oldest(struct fw_store *spool, struct fw_arena *scratch, int64_t *ret_us);
/* When the row's event was received. */
int64_t fw_held_received_us(const struct fw_row *row);

/* Drops those that were read, as fw_held_put keeps them; FW_ECONFLICT: somebody else did so with one of them. */
void fw_held_drop(struct fw_store *spool, const struct fw_held *held, unsigned n, fw_people_done done, void *ctx);

#endif
