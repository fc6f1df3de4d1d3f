/* Erasing a person: the record, the rows of every id, what is kept of merges, messages, dead letters; then what the file still
 * holds of the freed pages. What is left is a receipt, and a tombstone for each id, by a keyed hash, so that what comes late does
 * not bring the person back. */
#ifndef FW_PEOPLE_ERASE_H
#define FW_PEOPLE_ERASE_H

#include "people/people.h"

struct fw_receipt {
	char id[40];            /* of the erasure: bucket, time and chance, hexadecimal */
	int64_t begun_us, done_us; /* done_us 0: it is not complete yet; it goes on by itself */
	unsigned ids;           /* that led to the person */
	unsigned dead_letters;  /* dropped with it */
	bool scrubbed;          /* what was deleted is overwritten in the file */
};

/* Of who has no record what may stand beside where it would be goes in the same way: the keys of what was logged (seal_key.h).
 * rc: 0 (the receipt says whether it is complete); FW_ENOENT: nobody goes by this id; else as fw_people_done. The receipt is valid
 * during the call. Once the record is gone nobody goes by the id any more: the rest goes on by itself, and the receipt tells. */
typedef void (*fw_people_erased)(void *ctx, int rc, const struct fw_receipt *receipt);
void fw_people_erase(struct fw_people *p, const struct fw_person_id *id, int64_t now_us, fw_people_erased done, void *ctx);
/* The receipt of an erasure by its id; FW_ENOENT: there is none. */
void fw_people_receipt(struct fw_people *p, const char *id, fw_people_erased done, void *ctx);

/* Goes on with erasures of `n` buckets from `first` on that whoever began them did not end. */
void fw_people_erase_sweep(struct fw_people *p, uint32_t first, uint32_t n, int64_t now_us, fw_people_done done, void *ctx);

/* Restriction: the person is kept, and used for nothing: no rule reads the record, no event is added to it. 0 or as fw_people_done;
 * FW_ENOENT: nobody goes by this id. */
void fw_people_restrict(struct fw_people *p, const struct fw_person_id *id, bool restricted, fw_people_done done, void *ctx);

#endif
