/* The store's secret: 32 random bytes, made once, by which addresses become the ids of rows, so that nobody who has only the
 * rows can look an address up by its hash. */
#ifndef FW_PEOPLE_SECRET_H
#define FW_PEOPLE_SECRET_H

#include "people/people.h"

enum { FW_SECRET_BYTES = 32, FW_KEYED_HASH_TEXT = 32 };

struct fw_secret {
	unsigned char bytes[FW_SECRET_BYTES];
	bool known;
};

/* The id of a row: that of an address, a number or another system's id is a keyed hash (HMAC-SHA256, RFC 2104, its first 16
 * bytes in hexadecimal), written to `text`; any other is the id itself. The secret must be known where it is needed. */
void fw_secret_row_id(const struct fw_secret *s, const struct fw_person_id *plain, char text[FW_KEYED_HASH_TEXT],
	struct fw_person_id *ret);
/* The row's id of one of a record's ids, its text in the arena. 0 or FW_ENOMEM. */
int fw_secret_row_of(const struct fw_secret *s, const struct fw_id *id, struct fw_arena *a, struct fw_person_id *ret);
/* The id of a record whose row that is; false: it has none. */
bool fw_secret_find(const struct fw_secret *s, const struct fw_record *record, const struct fw_person_id *row, struct fw_id *ret);
/* A keyed hash of a row's id, to know it again by without keeping it. The secret must be known. */
enum { FW_KEYED_HASH = 16 };
void fw_secret_hash(const struct fw_secret *s, const struct fw_person_id *row, unsigned char ret[FW_KEYED_HASH]);
/* HMAC-SHA256 of `what` with a key of its own for whoever has that name, derived from the secret: what it signs nobody else can, and
 * it tells nothing of other keys. The secret must be known. */
void fw_secret_sign(const struct fw_secret *s, struct fw_str name, struct fw_str what, unsigned char ret[FW_SECRET_BYTES]);
/* Whether that needs the secret. */
bool fw_secret_hides(enum fw_person_kind kind);

/* Reads it, or makes it where there is none. `done` may come before it returns: 0 and it is known, or what the store says. */
void fw_secret_load(struct fw_secret *s, struct fw_store *store, fw_people_done done, void *ctx);

#endif
