/* What stays of an erased id, by a keyed hash: when it was erased, so that what is older and comes late does not bring the person back; and
 * by another keyed hash the userId that the person had, so that two known users are not taken for one. Its row, beside that of the id:
 * the time in microseconds (8 bytes, big-endian), then the hash, if there was a userId. */
#ifndef FW_PEOPLE_TOMBSTONE_H
#define FW_PEOPLE_TOMBSTONE_H

#include "people/key.h"
#include "people/secret.h"

struct fw_tombstone {
	int64_t erased_us;                 /* 0: nobody by this id was erased */
	bool has_user;
	unsigned char user[FW_KEYED_HASH];
};

/* `row` is the row's id; the secret must be known. */
void fw_tombstone_key(const struct fw_secret *s, const struct fw_person_id *row, struct fw_key *ret);
/* The change that puts one; `user` is the person's userId (n 0: none); its key and value in the arena. 0 or FW_ENOMEM. */
int fw_tombstone_write(const struct fw_secret *s, const struct fw_person_id *row, struct fw_str user, int64_t at_us, struct fw_arena *a,
	struct fw_change *ret);
struct fw_tombstone fw_tombstone_read(const struct fw_row *row);
/* Whether a record's userId and that of whoever was erased say that they were two people. */
bool fw_tombstone_is_another(const struct fw_tombstone *t, const struct fw_secret *s, struct fw_str user);

#endif
