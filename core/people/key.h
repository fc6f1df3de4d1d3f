/* The keys of rows. All rows of a person begin with the same nine bytes, so that they lie side by side:
 *
 *   'P' hash(8) 'r' kind id      the record; hash: of kind and id, big-endian
 *   'P' hash(8) 'd' day(4) m(8)  a message that was applied on that day (since 1970) and no longer stands in the record
 *   'D' time(8) random(8)        a dead letter
 *   'I' file(8)                  how far an import has come */
#ifndef FW_PEOPLE_KEY_H
#define FW_PEOPLE_KEY_H

#include "people/people.h"

enum { FW_KEY_MOST = 256, FW_KEY_PERSON = 9, FW_KEY_MESSAGE = 22 };

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

/* The record's key. `id` must not be longer than FW_LIMIT_EVENT_ID_BYTES. */
void fw_key_person(const struct fw_person_id *id, struct fw_key *ret);
/* The row of a message beside the record of that key. */
void fw_key_message(const struct fw_key *person, int32_t day, uint64_t message_hash, struct fw_key *ret);

#endif
