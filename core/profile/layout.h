/* The layout of a record, version 5 (version 1 has fewer parts, and ids of two kinds; version 2 no messages; version 3 does not say
 * where a message was first sent from; version 4 not by which decision, and has not what was asked for):
 *
 *   version   one byte
 *   parts     a number: which of the parts below are there, by bit
 *   head      the first id, a text; the last event's time in ms; how many seconds before it the first was
 *   the parts that are there, in the order of the bits, each its length and its bytes
 *
 * Numbers, texts and signed numbers are those of base/pack.h; times are distances back from the last event's, or
 * from the one before in a list. A part that is empty is not there. What each part holds is in write.c and read.c, function by function. */
#ifndef FW_PROFILE_LAYOUT_H
#define FW_PROFILE_LAYOUT_H

#include "profile/own.h"

enum part {
	PART_IDS, PART_SESSION, PART_CART, PART_ORDERS, PART_SEEN, PART_TRAITS, PART_TEXTS, PART_VISITS, PART_TOUCHES, PART_SERIES,
	PART_RECENT, PART_CAPS, PART_IMPORTS, PART_LIFETIME, PART_ENGAGEMENT, PART_MERGES, PART_CONSENT, PART_ERASED, PART_MESSAGES,
	PART_ASKS, PARTS,
};

enum { TRAIT_CLAIMED = 128 }; /* beside the number of a trait's name */

/* A record taken apart as far as its parts; slices of its bytes. */
struct parts {
	unsigned version;
	struct fw_str first_id; /* in the arena */
	int64_t first_s, last_ms;
	struct fw_str of[PARTS];
};

/* 0, FW_EINVAL or FW_ENOMEM. */
int fw_parts_read(struct fw_arena *a, struct fw_str bytes, struct parts *ret, struct fw_error *err);

/* Reading one part into the record; false when it is not what it should be, or memory ran out. */
bool fw_part_read(struct fw_record *r, enum part part, struct fw_str bytes);
/* Of PART_CONSENT what holds now, without how it came about. */
bool fw_consents_read(struct fw_record *r, struct fw_str bytes);

#endif
