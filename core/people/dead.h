/* Dead letters: events that were refused, kept with the reason, so that they can be looked at, mended and replayed. Bounded:
 * FW_LIMIT_DEAD_LETTERS a bucket and FW_LIMIT_DEAD_LETTER_S in age; sweeping drops what is beyond. */
#ifndef FW_PEOPLE_DEAD_H
#define FW_PEOPLE_DEAD_H

#include "base/json.h"
#include "people/people.h"

struct fw_dead {
	char id[40];            /* "3f0-0006…-8d2c…": bucket, time and chance, hexadecimal */
	int64_t at_us;          /* when it was refused */
	struct fw_str code, message;
	struct fw_str sender;   /* "secret" or "write": the key it came with; "signed": a write key and proof of its userId */
	struct fw_str event;    /* the element as JSON; n 0: it was too large to be kept */
	uint64_t bytes;         /* of the element */
};

/* Its members in an open object: code, message, sender, bytes, event (null: not kept). */
void fw_dead_write(struct fw_json_out *o, const struct fw_dead *d);

/* Keeps one; `id` is made. 0: `done` will come; else as fw_store_commit. */
int fw_dead_put(struct fw_store *s, struct fw_dead *d, fw_store_committed done, void *ctx);

/* Those of one bucket, the oldest first, in the arena. `each` is called for every one, then `done` with 0 or what the store says. */
struct fw_dead_reader {
	void (*each)(void *ctx, const struct fw_dead *d);
	void (*done)(void *ctx, int rc);
	void *ctx;
};
void fw_dead_list(struct fw_store *s, uint32_t bucket, struct fw_arena *arena, const struct fw_dead_reader *reader);

/* The row of an id. 0 or FW_EINVAL: it is none. */
int fw_dead_drop(struct fw_store *s, const char *id, fw_store_committed done, void *ctx);
/* Reads a row. 0, FW_EINVAL (damaged), FW_ENOMEM. */
int fw_dead_read(struct fw_arena *arena, uint32_t bucket, const struct fw_row *row, struct fw_dead *ret);

#endif
