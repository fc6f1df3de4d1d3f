/* The keys by which what is logged of a person is sealed: rows beside the person's own (key.h), so that whatever erases the person, or an
 * id of the person, takes them, and nobody can read any more what files have. Whoever has asked for something has such rows, also
 * who has no record. Each is for FW_LIMIT_SEAL_KEY_S seconds of the clock; sweeping drops those that nothing logged needs any more.
 *
 * The row: the key, then when it was made, microseconds, big-endian. */
#ifndef FW_PEOPLE_SEAL_KEY_H
#define FW_PEOPLE_SEAL_KEY_H

#include "base/seal.h"
#include "people/people.h"

struct fw_seal_key {
	uint64_t hash;   /* of the person's row (fw_people_row_hash), and … */
	uint32_t period; /* … which of its keys: where it is found again */
	unsigned char bytes[FW_SEAL_KEY];
};

/* rc: 0; FW_ENOENT; FW_EAWAY (the store, or its secret, is out of reach); else what the store says. May come before it returns. */
typedef void (*fw_seal_key_found)(void *ctx, int rc, const struct fw_seal_key *key);

/* The key for what was read of a person at that time, made if there is none. FW_ENOENT: somebody who goes by that id was erased since,
 * or within FW_LIMIT_SEAL_QUIET_S before: what was read may be of whoever was erased. `row` stays until then; the arena, too. */
void fw_seal_key_take(struct fw_people *p, const struct fw_person_id *row, int64_t at_us, struct fw_arena *arena, fw_seal_key_found done,
	void *ctx);
/* That key again. FW_ENOENT: it is gone. */
void fw_seal_key_find(struct fw_people *p, uint64_t hash, uint32_t period, struct fw_arena *arena, fw_seal_key_found done, void *ctx);

/* Whether the row of a key has had its time, where what is logged is kept for so long. */
bool fw_seal_key_is_over(struct fw_str key, int64_t keep_s, int64_t now_us);

#endif
