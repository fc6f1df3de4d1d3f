/* What an erasure still has to do once the record is gone; for this room alone. Its row: the state, begun, done (0: not yet), how many
 * ids and dead letters, then the keyed hashes of the ids, until it is complete. */
#ifndef FW_PEOPLE_ERASE_OWN_H
#define FW_PEOPLE_ERASE_OWN_H

#include "people/erase.h"
#include "people/flight.h"
#include "people/late.h"

struct fw_erasure {
	struct fw_receipt receipt;
	bool letters_done;   /* dead letters were looked through */
	unsigned char (*hashes)[FW_KEYED_HASH];
	unsigned n_hashes;
};

void fw_erasure_key(uint32_t bucket, int64_t at_us, uint64_t chance, struct fw_key *ret);
/* The receipt's id, and back: FW_EINVAL, it is none. */
void fw_erasure_name(const struct fw_key *key, char id[40]);
int fw_erasure_find(const char *id, struct fw_key *ret);
void fw_erasure_write(const struct fw_erasure *e, struct fw_buf *out);
int fw_erasure_read(struct fw_arena *a, const struct fw_key *key, struct fw_str value, struct fw_erasure *ret);

/* As fw_people_erase, if the person is the one that `l` says, whose texts stay until `done`; else FW_ENOENT. */
void fw_erase_late(struct fw_people *p, const struct fw_late *l, int64_t now_us, fw_people_erased done, void *ctx);

/* Does what is left to be done of the erasure of that row. rc 0: the receipt says whether it is complete; or what the store says. */
void fw_erasure_go_on(struct fw_people *p, const struct fw_key *key, int64_t now_us, fw_people_erased done, void *ctx);

#endif
