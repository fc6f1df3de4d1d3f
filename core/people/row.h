/* What the row of an id holds: the record of a person (profile/record.h, whose first byte is its version, below 0x80), or
 * where that person is:
 *
 *   0x80 and flags      1: shared; 2: a record follows
 *   letter and text     the id whose row has the person, or knows where
 *   number              of the merge: the version that the record had as it moved; 0: this id never had one
 *   record              to the end: until the other row has it */
#ifndef FW_PEOPLE_ROW_H
#define FW_PEOPLE_ROW_H

#include "people/people.h"

struct fw_moved {
	struct fw_person_id to;
	uint64_t number;
	struct fw_str record; /* n 0: the other row has it, or there was none */
	bool shared;          /* several known users claim this id: it is evidence for nothing */
};

static inline bool fw_row_is_moved(struct fw_str value)
{
	return value.n && (unsigned char)value.p[0] >= 0x80;
}

/* Slices of `value`. 0 or FW_EINVAL: it is no such row. */
int fw_moved_read(struct fw_arena *a, struct fw_str value, struct fw_moved *ret);
void fw_moved_write(const struct fw_moved *m, struct fw_buf *out);
/* The same bytes in an arena. 0 or FW_ENOMEM. */
int fw_moved_bytes(const struct fw_moved *m, struct fw_arena *a, struct fw_str *ret);

/* An id with its kind, as rows and entries have it: the letter, then the text. */
void fw_person_id_pack(const struct fw_person_id *id, struct fw_buf *out);
bool fw_person_id_unpack(struct fw_unpack *u, struct fw_arena *a, struct fw_person_id *ret);
bool fw_person_id_equal(const struct fw_person_id *a, const struct fw_person_id *b);

#endif
