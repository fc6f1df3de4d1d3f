/* What two people were before they became one, kept for FW_LIMIT_MERGE_KEPT_S so that it can be undone: a row beside each of
 * them, sealed (AES-256-GCM, NIST SP 800-38D) with a key that stands only in the record of the person they became. So whoever
 * erases that record erases these, too. The row: when (8 bytes, microseconds), the tag (16), the sealed record. */
#ifndef FW_PEOPLE_KEEP_H
#define FW_PEOPLE_KEEP_H

#include "people/entry.h"
#include "people/key.h"

/* The merge by which `absorbed`, a row's id, came into a record under that number. False: it did not. */
bool fw_keep_find(const struct fw_record *r, const struct fw_person_id *absorbed, uint64_t number, struct fw_merge *ret);

/* Which of the two. */
enum fw_side { FW_SIDE_ABSORBED = 'a', FW_SIDE_BEFORE = 'b' };

/* The merge of that number by which `absorbed` moved. */
uint64_t fw_keep_merge(const struct fw_person_id *absorbed, uint64_t number);

/* The change that keeps `record` beside `owner`; key and bytes lie in the arena. 0, FW_ENOMEM or FW_EIO. */
int fw_keep_write(struct fw_arena *a, const struct fw_key *owner, uint64_t merge, enum fw_side side,
	const unsigned char seal[FW_SEAL_BYTES], int64_t at_us, struct fw_str record, struct fw_change *ret);
/* Opens such a row's value. 0, FW_EINVAL: it is none, or of another seal; FW_ENOMEM. */
int fw_keep_read(struct fw_arena *a, enum fw_side side, const unsigned char seal[FW_SEAL_BYTES], struct fw_str value,
	struct fw_str *ret_record);
/* When it was written; 0: it is no such row. */
int64_t fw_keep_at_us(struct fw_str value);

#endif
