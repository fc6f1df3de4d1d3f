/* Delivering what stands in outboxes. Any worker may deliver any entry, at any time and twice: the receiving bucket keeps the
 * highest number that it applied of each sender, in the batch that applies it. */
#ifndef FW_PEOPLE_POST_H
#define FW_PEOPLE_POST_H

#include "people/entry.h"
#include "people/flight.h"

/* Delivers what stands in the outbox of `sender` for `receiver`, then what follows from it elsewhere. `done` (NULL: nobody
 * waits) comes when the first of the two is done, or with what the store says; may come before this returns. */
void fw_post_deliver(struct fw_people *p, uint32_t sender, uint32_t receiver, fw_people_done done, void *ctx);
/* The same for every receiver of these entries of `sender`; nobody waits. */
void fw_post_deliver_all(struct fw_people *p, uint32_t sender, const struct fw_entry *entries, unsigned n);

/* A row that says `moved` and still has the record: delivers it, and drops it there once the other has it. `done` (NULL: nobody
 * waits): 0 when the row is settled or was; FW_EBUSY: not yet. */
void fw_post_settle(struct fw_people *p, const struct fw_key *key, fw_people_done done, void *ctx);

/* The same once an entry of the row's own bucket was applied that took the record away: that entry goes in the same batch. What is not
 * there yet is not waited for: FW_EBUSY. */
void fw_post_settle_entry(struct fw_people *p, const struct fw_key *key, const struct fw_key *entry, fw_people_done done, void *ctx);

/* Delivers what stands in the outboxes of `n` buckets from `first` on: what whoever wrote it died before delivering. `done`
 * comes once every bucket had its turn: 0, or what the store said of one of them. */
void fw_post_sweep(struct fw_people *p, uint32_t first, uint32_t n, fw_people_done done, void *ctx);

#endif
