/* Compact bytes: whole numbers in as few bytes as they need (LEB128, as in DWARF 5 §7.6; signed ones folded onto the
 * unsigned, small first), and texts by the form they have. Reading is bounded by the bytes there are; failure is sticky:
 * read freely, ask once at the end. */
#ifndef FW_BASE_PACK_H
#define FW_BASE_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

struct fw_unpack {
	const unsigned char *p, *end;
	bool failed; /* the bytes were no such thing, or memory ran out; what was read since is 0 */
};

static inline void fw_unpack_init(struct fw_unpack *u, struct fw_str bytes)
{
	u->p = (const unsigned char *)bytes.p;
	u->end = u->p + bytes.n;
	u->failed = false;
}

uint64_t fw_unpack_long(struct fw_unpack *u); /* fw_unpack_number, however many bytes there are */
static inline uint64_t fw_unpack_number(struct fw_unpack *u)
{
	if (u->p < u->end && *u->p < 0x80)
		return *u->p++;
	if (u->end - u->p > 1 && u->p[1] < 0x80) {
		u->p += 2;
		return (uint64_t)(u->p[-2] & 0x7f) | (uint64_t)u->p[-1] << 7;
	}
	return fw_unpack_long(u);
}

static inline int64_t fw_unpack_signed(struct fw_unpack *u)
{
	uint64_t x = fw_unpack_number(u);
	return (int64_t)(x >> 1) ^ -(int64_t)(x & 1);
}

/* 0 when there is none. */
unsigned char fw_unpack_byte(struct fw_unpack *u);
/* A number of at most `most`; a larger one is a failure. */
uint32_t fw_unpack_bounded(struct fw_unpack *u, uint32_t most);
uint64_t fw_unpack_fixed(struct fw_unpack *u); /* eight bytes, the lowest first */
/* A length, and so many bytes: a slice of what is read. */
struct fw_str fw_unpack_bytes(struct fw_unpack *u);
/* A text, in the arena; p NULL on failure. */
struct fw_str fw_unpack_text(struct fw_unpack *u, struct fw_arena *a);
void fw_unpack_skip_text(struct fw_unpack *u);

/* A text as it is packed, in the bytes that were read: two texts are the same if and only if these are, wherever they stand. */
struct fw_packed {
	struct fw_str letters; /* with their form */
	uint64_t number;       /* the digits at the end, after a 1 that keeps their zeros; 0: there are none */
};
/* The next of several texts: one that ends with digits may leave out the letters it has in common with the last such one,
 * which are kept in `prefix` (first: n 0). */
struct fw_packed fw_unpack_packed(struct fw_unpack *u, struct fw_str *prefix);
/* What it says, in the arena; p NULL: the bytes are no text, or memory ran out. */
struct fw_str fw_packed_text(const struct fw_packed *packed, struct fw_arena *a);

/* The same things written. */
void fw_pack_number(struct fw_buf *out, uint64_t x);
void fw_pack_signed(struct fw_buf *out, int64_t x);
void fw_pack_fixed(struct fw_buf *out, uint64_t x);
void fw_pack_bytes(struct fw_buf *out, struct fw_str bytes);
/* A text in the shortest of its forms: as it is; half a byte for the commonest letters of names; letters and a number
 * ("p-00123"); hexadecimal digits; a UUID. */
void fw_pack_text(struct fw_buf *out, struct fw_str text);
void fw_pack_text_after(struct fw_buf *out, struct fw_str text, struct fw_str *prefix);

#endif
