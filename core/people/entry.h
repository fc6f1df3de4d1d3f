/* The outbox: what one bucket has to say to another. An entry is written in the same batch as what it follows from, any
 * worker delivers it (post.h), and the receiving bucket applies the entries of a sender once and in their order
 * (receive.h). All that changes rows of two buckets goes this way; there is no other.
 *
 * A row of the outbox: the kind, then target, other and because as row.h has ids, the time, and what the kind needs. */
#ifndef FW_PEOPLE_ENTRY_H
#define FW_PEOPLE_ENTRY_H

#include "people/people.h"

enum fw_entry_kind {
	FW_ENTRY_POINT = 1, /* the id `target` belongs to the person of `other` */
	FW_ENTRY_JOIN,      /* the persons of `target` and `other` are one, as both go by `because` */
	FW_ENTRY_ABSORB,    /* `other` has moved to `target` and brings its record */
	FW_ENTRY_RETURN,    /* `target` may not be absorbed by `other`: its record is its own again */
	FW_ENTRY_REPOINT,   /* the id `target` was known as that of `because`, whose person now is that of `other` */
	FW_ENTRY_SHARE,     /* the id `target` belongs to several known users */
	FW_ENTRY_SPLIT,     /* `other`, merged into `target`, is a person of its own again */
	FW_ENTRY_FORGET,    /* the person of `other`, to whom the id `target` led, is no more */
	FW_ENTRY_ERASE,     /* the same, for good: with all rows beside it, and a tombstone in their place */
	FW_ENTRY_ASK,       /* the person of `target` asks for `product` since `at_us`: it stands in the index (asked.h) */
	FW_ENTRY_UNASK,     /* and does not stand there any more */
	FW_ENTRY_KINDS
};

enum { FW_SEAL_BYTES = 32 };

struct fw_entry {
	enum fw_entry_kind kind;
	struct fw_person_id target, other, because; /* rows' ids; the last two may be empty */
	int64_t at_us;
	uint64_t merge;   /* ABSORB, RETURN, SPLIT: the number of the merge; JOIN: 1: `user` is what there is */
	bool only_own;    /* ERASE: only if the row leads to `other`: the id is others', too; ABSORB: `because` leads to `target` already */
	struct fw_str user; /* JOIN, ERASE: the userId of `other`; n 0: none, or not known */
	struct fw_str product; /* ASK, UNASK: folded */
	unsigned char seal[FW_SEAL_BYTES]; /* ABSORB, SPLIT: the key of what is kept */
	struct fw_str record; /* ABSORB passed on, SPLIT: the record; else it is read from the row of `other` */
};

struct fw_key;

/* The key of the row that it changes. */
void fw_entry_key(const struct fw_entry *e, struct fw_key *ret);
/* The bytes of a row of the outbox. */
void fw_entry_write(const struct fw_entry *e, struct fw_buf *out);
/* Texts in the arena, the record a slice of `value`. 0, FW_EINVAL or FW_ENOMEM. */
int fw_entry_read(struct fw_arena *a, struct fw_str value, struct fw_entry *ret);

/* "point", "join" … for logs. */
const char *fw_entry_kind_name(enum fw_entry_kind kind);

#endif
