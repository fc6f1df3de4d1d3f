/* What goes over the keeper's socket, both ways. A frame is its length (4 bytes, of all that follows), its type (1 byte) and a
 * body; numbers are little-endian. Nothing is believed about the other end: a frame that is not exactly what it should be is
 * refused, and its connection closed. Texts read from a frame point into it. */
#ifndef FW_STORE_WIRE_H
#define FW_STORE_WIRE_H

#include <endian.h>
#include <string.h>

#include "base/buf.h"
#include "store/store.h"

enum fw_wire {
	/* to the keeper */
	FW_WIRE_HELLO = 1, /* protocol (4), submitter (8): the first frame of a connection */
	FW_WIRE_BATCH,     /* sequence (8), answered (8), bucket (2), changes (2), then each: kind (1), key's bytes (2), value's bytes (4),
	                    * expected (8), key, value */
	FW_WIRE_WATCH,     /* on or off (1) */
	/* from the keeper */
	FW_WIRE_WELCOME,   /* protocol (4) */
	FW_WIRE_DONE,      /* sequence (8), rc (4), version (8) */
	FW_WIRE_NOTICE,    /* version (8), bucket (2), key */
	FW_WIRE_LOST,      /* notices were */
	FW_WIRE_STATE,     /* full (1), groups (8), syncs (8) */
	/* to the keeper, and from it */
	FW_WIRE_SCRUB,     /* number (8), of the connection's choice */
	FW_WIRE_SCRUBBED,  /* number (8), rc (4) */
};

enum {
	FW_WIRE_PROTOCOL = 2,
	FW_WIRE_HEAD = 5,
	FW_WIRE_BATCH_HEAD = 20,
	FW_WIRE_CHANGE_HEAD = 15,
};

struct fw_wire_frame {
	enum fw_wire type;
	const uint8_t *body;
	size_t n;
};

struct fw_wire_batch {
	uint64_t sequence;
	uint64_t answered; /* the submitter has the outcome of every sequence below */
	uint32_t bucket;
	unsigned n;
	struct fw_change *changes;
	bool writes; /* there is more than comparisons in it */
};

struct fw_wire_state {
	bool full;
	uint64_t groups, syncs;
};

/* 1: a whole frame, of *ret_used bytes; 0: there is more to come; FW_EINVAL: no frame. */
int fw_wire_next(const uint8_t *p, size_t n, struct fw_wire_frame *ret, size_t *ret_used);

/* Readers of a body: 0 or FW_EINVAL. */
int fw_wire_hello(const struct fw_wire_frame *f, uint32_t *ret_protocol, uint64_t *ret_submitter);
int fw_wire_welcome(const struct fw_wire_frame *f, uint32_t *ret_protocol);
int fw_wire_watch(const struct fw_wire_frame *f, bool *ret_on);
int fw_wire_done(const struct fw_wire_frame *f, uint64_t *ret_sequence, int *ret_rc, uint64_t *ret_version);
int fw_wire_notice(const struct fw_wire_frame *f, uint32_t *ret_bucket, struct fw_str *ret_key, uint64_t *ret_version);
int fw_wire_state(const struct fw_wire_frame *f, struct fw_wire_state *ret);
int fw_wire_scrub(const struct fw_wire_frame *f, uint64_t *ret_number);
int fw_wire_scrubbed(const struct fw_wire_frame *f, uint64_t *ret_number, int *ret_rc);
/* Changes come from the arena (FW_ENOMEM), texts stay in the frame. */
int fw_wire_batch(const struct fw_wire_frame *f, struct fw_arena *arena, struct fw_wire_batch *ret);

/* Writers of whole frames. */
void fw_wire_put_hello(struct fw_buf *b, uint64_t submitter);
void fw_wire_put_welcome(struct fw_buf *b);
void fw_wire_put_watch(struct fw_buf *b, bool on);
void fw_wire_put_done(struct fw_buf *b, uint64_t sequence, int rc, uint64_t version);
void fw_wire_put_notice(struct fw_buf *b, uint32_t bucket, struct fw_str key, uint64_t version);
void fw_wire_put_lost(struct fw_buf *b);
void fw_wire_put_state(struct fw_buf *b, const struct fw_wire_state *state);
void fw_wire_put_scrub(struct fw_buf *b, uint64_t number);
void fw_wire_put_scrubbed(struct fw_buf *b, uint64_t number, int rc);
size_t fw_wire_batch_bytes(const struct fw_batch *batch);
/* Exactly so many bytes to `out`. */
void fw_wire_write_batch(uint8_t *out, const struct fw_batch *batch, uint64_t sequence, uint64_t answered);

/* Little-endian numbers, for the rows' heads too. */
static inline void fw_put_number(void *to, uint64_t v, unsigned bytes)
{
	v = htole64(v);
	memcpy(to, &v, bytes);
}

static inline uint64_t fw_get_number(const void *from, unsigned bytes)
{
	uint64_t v = 0;
	memcpy(&v, from, bytes);
	return le64toh(v);
}

#endif
