/* The keys of rows. All rows of an id begin with the same nine bytes, so that they lie side by side:
 *
 *   'P' hash(8) 'r' kind id      the id's row (row.h); hash: of kind and id, big-endian
 *   'P' hash(8) 'd' day(4) m(8)  a message that was applied on that day (since 1970) and no longer stands in the record
 *   'P' hash(8) 'k' merge(8) s   what one side of a merge was before it (keep.h)
 *   'P' hash(8) 'w' number(8)   what was sent as the message of that number (sent.h)
 *   'P' hash(8) 's' period(4)   the key of what is logged of the person (seal_key.h)
 *   'M' and 'm'                when somebody has to look for the sake of messages (wake.h)
 *   'U' keyed hash(16)         nothing goes to that address (suppression.h)
 *   'O' receiver(2) number(8)    an entry of this bucket's outbox (entry.h), numbered over all receivers
 *   'N'                          the number of the last entry that this bucket put into its outbox; the store counts
 *   'A' sender(2)                the highest number of an entry that was applied here, of that bucket
 *   'T' keyed hash(16)           a tombstone: when somebody who went by this id was erased (tombstone.h)
 *   'E' time(8) random(8)        the receipt of an erasure (erase_own.h); 'e' while it still has something to do, or of
 *                                somebody else who is to be erased, too (late.h)
 *   'S'                          in bucket 0: the store's secret (secret.h)
 *   'D' time(8) random(8)        a dead letter
 *   'B' product(8) time(8) hash(8)  the person of that hash is to be told when the product is back (asked.h)
 *   'R' …                        a rule that a node has set aside (server/aside.h)
 *   'G' …                        what is told of a product (catalog/told.h)
 *   'K' name 0 key               what a plugin keeps (server/host_values.c)
 *   'I' file(8)                  how far an import has come */
#ifndef FW_PEOPLE_KEY_H
#define FW_PEOPLE_KEY_H

#include "people/people.h"

enum { FW_KEY_MOST = 256, FW_KEY_PERSON = 9, FW_KEY_MESSAGE = 22, FW_KEY_SEAL = 14, FW_KEY_ENTRY = 11 };

struct fw_key {
	uint32_t bucket;
	unsigned n;
	char bytes[FW_KEY_MOST];
};

static inline struct fw_str fw_key_str(const struct fw_key *k)
{
	return (struct fw_str){ k->bytes, k->n };
}

void fw_key_number(char *out, uint64_t v, unsigned bytes); /* big-endian */
uint64_t fw_key_read(const char *p, unsigned bytes);

/* The row's key. `id` is a row's: of an address its keyed hash; and not longer than FW_LIMIT_EVENT_ID_BYTES. */
void fw_key_person(const struct fw_person_id *id, struct fw_key *ret);
/* The id that such a key is of; its text stays the key's. */
struct fw_person_id fw_key_id(const struct fw_key *key);
/* The letter of a kind, in keys and rows; and back: false for another byte. */
char fw_key_letter(enum fw_person_kind kind);
bool fw_key_kind(char letter, enum fw_person_kind *ret);

/* The row of a message beside the record of that key. */
void fw_key_message(const struct fw_key *person, int32_t day, uint64_t message_hash, struct fw_key *ret);
/* What is kept of one side of a merge. */
void fw_key_kept(const struct fw_key *person, uint64_t merge, char side, struct fw_key *ret);

/* The key of what is logged, by the hash in the key of the person's row. */
void fw_key_seal(uint64_t hash, uint32_t period, struct fw_key *ret);

/* Rows of a bucket's outbox. `number` 0: the prefix of all for that receiver. */
void fw_key_entry(uint32_t sender, uint32_t receiver, uint64_t number, struct fw_key *ret);
void fw_key_counter(uint32_t sender, struct fw_key *ret);
/* The tombstone of an id; `hash` is fw_secret_hash of it, `row` its row's key. */
void fw_key_tombstone(const struct fw_key *row, const unsigned char hash[16], struct fw_key *ret);
void fw_key_applied(uint32_t receiver, uint32_t sender, struct fw_key *ret);

#endif
