/* The files of the decision log: append-only, each begun by a worker, written by it alone, and read by anybody at any time. A file is 16
 * bytes ("fwdecide", the version, 0), then entries:
 *
 *   mark       4 bytes
 *   length     4 bytes, of what follows the sum; numbers have their lowest byte first
 *   sum        8 bytes, XXH64 with the length for its seed
 *   entry      a letter, and what it says:
 *
 *     S  a rule set and what else decisions hang on: struct fw_log_set
 *     P  a person's record, sealed; once for each change
 *     D  a decision: id (16), time (8), where its S (8) and its P (8; 0: none) stand in the file; sealed: a hash of the record
 *        (XXH3, 16 bytes), and logged.h
 *
 * Sealed is: a byte; where it is 1, whose it is (sealed with the store's key: the hash of the person's row, and the period of the
 * person's key, seal_key.h) and then what that key opens; where it is 0 (nobody in particular asked), what the store's key opens.
 * So of a person nothing stands there that can be read, compared or guessed at without the store.
 *
 * A file that ends in the middle of an entry, or is damaged, is read as far as it is whole: after a gap reading goes on with the next
 * entry whose sum is right. */
#ifndef FW_TRACE_LOG_FILE_H
#define FW_TRACE_LOG_FILE_H

#include "base/seal.h"
#include "fact/facts_pack.h"
#include "people/seal_key.h"

#define FW_LOG_ENDING ".decisions" /* of the files' names, which sort by when they were begun */

enum { FW_LOG_HEAD = 16, FW_LOG_FRAME = 16, FW_LOG_ID = 16 };

/* Writing: the head; and an entry, whose bytes are put between these two. */
void fw_log_put_head(struct fw_buf *out);
size_t fw_log_begin(struct fw_buf *out, char letter);
void fw_log_end(struct fw_buf *out, size_t begun);

/* What decisions hang on, beside the visitor. */
struct fw_log_set {
	struct fw_str hash, timezone, currency, version; /* of the rule set; of the program */
	double holdout;
	struct fw_facts_names names;
};
void fw_log_put_set(struct fw_buf *out, const struct fw_log_set *set);
int fw_log_get_set(struct fw_arena *a, struct fw_str entry, struct fw_log_set *ret); /* 0, FW_EINVAL, FW_ENOMEM */

/* What is sealed, as it is read. */
struct fw_log_sealed {
	bool is_person;
	struct fw_str whose, sealed, beside; /* slices */
};
/* Whose it is. 0; FW_EINVAL: the store's key is another, or it is damaged. */
int fw_log_whose(const struct fw_log_sealed *s, const unsigned char store_key[FW_SEAL_KEY], struct fw_arena *a, uint64_t *ret_hash,
	uint32_t *ret_period);

struct fw_log_decision {
	unsigned char id[FW_LOG_ID];
	int64_t at_us;
	uint64_t set_at, person_at;
	struct fw_log_sealed sealed;
};
int fw_log_get_decision(struct fw_str entry, struct fw_log_decision *ret); /* 0 or FW_EINVAL */
int fw_log_get_person(struct fw_str entry, struct fw_log_sealed *ret);     /* 0 or FW_EINVAL */

/* Writes a P, or a D of which `plain` is sealed (`d->sealed` does not count); `key` NULL: of nobody in particular. 0 or what fw_seal says,
 * with which the buffer is as it was. */
int fw_log_put_person(struct fw_buf *out, const unsigned char store_key[FW_SEAL_KEY], const struct fw_seal_key *key, struct fw_str record);
int fw_log_put_decision(struct fw_buf *out, const struct fw_log_decision *d, const unsigned char store_key[FW_SEAL_KEY],
	const struct fw_seal_key *key, struct fw_str plain);

/* Reading. */
struct fw_log_reader {
	struct fw_str bytes; /* of a file */
	size_t at;
	uint64_t lost;       /* bytes that were no whole entry … */
	uint64_t damaged;    /* … and decisions that stood there, as far as what is left of them tells */
};
/* 0; FW_EINVAL: this is no such file, or of a version that this program does not know. */
int fw_log_reader_init(struct fw_log_reader *r, struct fw_str bytes);
/* The next entry, its letter first. False: there is no further one. */
bool fw_log_next(struct fw_log_reader *r, struct fw_str *ret_entry);
/* The entry of that letter at a place. False: there is none. */
bool fw_log_at(struct fw_str bytes, uint64_t at, char letter, struct fw_str *ret_entry);

/* An entry that was found whole before: it is not summed again. False: there is none. */
bool fw_log_entry(struct fw_str bytes, uint64_t at, struct fw_str *ret_entry);

/* "01234567-89ab-7…" to 16 bytes. False: it is no UUID. */
bool fw_log_id(const char *text, unsigned char ret[FW_LOG_ID]);
/* And back, in small letters; into buf of 37, returned. */
const char *fw_log_id_text(const unsigned char id[FW_LOG_ID], char *buf);
/* When it was made, in whole milliseconds: what a UUID of version 7 (RFC 9562) begins with. */
int64_t fw_log_id_us(const unsigned char id[FW_LOG_ID]);

#endif
