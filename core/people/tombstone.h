/* What is left in the place of an id whose person was erased: when (8 bytes, microseconds), under a hash that only who has the store's
 * secret can make. Its key: key.h. */
#ifndef FW_PEOPLE_TOMBSTONE_H
#define FW_PEOPLE_TOMBSTONE_H

#include "people/key.h"
#include "people/secret.h"

/* Of an id, a row's. */
void fw_tombstone_key(const struct fw_secret *s, const struct fw_person_id *row, struct fw_key *ret);
/* The change that puts one; its bytes lie in the arena. 0 or FW_ENOMEM. */
int fw_tombstone_write(const struct fw_secret *s, const struct fw_person_id *row, int64_t at_us, struct fw_arena *a, struct fw_change *ret);
/* What a tombstone's row says: what happened until then is nobody's. 0: there is none. */
int64_t fw_tombstone_us(const struct fw_row *row);

#endif
