/* Who is to be told when a product is back: the index that leads from a product to people. What each asked for stands in the record
 * (profile/ask.h), and that counts; the index is kept by it, through the outbox, as it lies in the buckets of products:
 *
 *   'B' product(8) time(8) hash(8)   hashes of the product's folded id and of the person's row; since when, in milliseconds since 1970
 *
 * so those who asked first come first. The value is a byte, 1, and the product's id: nothing in it says who asked. A row that leads to
 * nobody who asks for that product since then is only dropped. */
#ifndef FW_PEOPLE_ASKED_H
#define FW_PEOPLE_ASKED_H

#include "people/entry.h"
#include "people/key.h"
#include "profile/ask.h"

enum { FW_KEY_ASKED = 25, FW_ASKED_ENTRIES = 2 * FW_LIMIT_ASKS };

/* The key of the row of that person who asks for the folded id since then. */
void fw_asked_key(struct fw_str product, int64_t at_us, uint64_t hash, struct fw_key *ret);
/* The bucket in which those who asked for it stand; of the folded id. */
uint32_t fw_asked_bucket(struct fw_str product);
/* What such a row holds, in the arena. 0 or FW_ENOMEM. */
int fw_asked_value(struct fw_str product, struct fw_arena *a, struct fw_str *ret);

/* What a row says. False: it is none, or cannot be read. */
struct fw_asked {
	struct fw_str product; /* a slice of the row */
	int64_t at_us;
	uint64_t hash;
};
bool fw_asked_read(const struct fw_row *row, struct fw_asked *ret);

/* The entries that go with a record, which is put into the row of that id: at most FW_ASKED_ENTRIES, whose texts are the record's and the
 * id's. `anew`: the record was not read from this row, so nothing of it stands in the index. Returns how many. */
unsigned fw_asked_changes(const struct fw_person_id *row, const struct fw_record *r, bool anew, struct fw_entry *entries);
/* The entries that go with a record that leaves the row. 0 or FW_ENOMEM, FW_EINVAL. */
int fw_asked_leave(const struct fw_person_id *row, struct fw_str record, struct fw_arena *a, struct fw_entry *entries, unsigned *ret_n);

/* Tells those who asked for a product of this bucket that can be bought now: for each FW_ASK_RESTOCKED sets off what the rules say, and the
 * person asks for it no more, in one batch, so that it is once whoever does it and however often. Who has a message of such a rule that
 * still waits is told with the next call, and a product that sells out again in between is left. It ends early once `stop` is true. `done`:
 * 0, or what the store says; may come before this returns. */
void fw_asked_tell(struct fw_people *p, uint32_t bucket, int64_t now_us, const bool *stop, fw_people_done done, void *ctx);
/* Whether there is anything to tell: a catalogue, and a rule that is set off by it. */
bool fw_asked_matters(const struct fw_people *p);

#endif
