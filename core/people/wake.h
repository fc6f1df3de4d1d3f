/* Wake rows: when somebody has to look at a person for the sake of his messages. They lie in the bucket of the record, are written in
 * the same batch as it, and say nothing but whose record and when; the truth is in the record (profile/due.h). One that leads
 * to nothing is only dropped.
 *
 *   'M' time(8) hash(8) c(1)   a message of the person of that hash is due, in milliseconds since 1970, on the channel of c
 *   'm' time(8) hash(8) c(1)   one has been dead since */
#ifndef FW_PEOPLE_WAKE_H
#define FW_PEOPLE_WAKE_H

#include "people/key.h"
#include "profile/due.h"

enum { FW_WAKE_CHANGES = 2 * FW_LIMIT_DUE, FW_KEY_WAKE = 18 };

/* The changes that go with the record, which is to be put into the row of that key: at most FW_WAKE_CHANGES, in the arena. `anew`: the
 * record was not read from this row, so nothing is known of its wake rows. Returns how many; FW_ENOMEM. */
int fw_wake_write(const struct fw_key *row, const struct fw_record *r, bool anew, struct fw_arena *a, struct fw_change *changes);
/* The changes that go with a record that leaves the row. */
int fw_wake_leave(const struct fw_key *row, struct fw_str record, struct fw_arena *a, struct fw_change *changes);

/* What such a key says; false: it is none. */
bool fw_wake_read(struct fw_str key, struct fw_wake *ret, uint64_t *ret_hash);

#endif
