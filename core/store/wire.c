#include "store/wire.h"

#include "base/limits.h"
#include "store/own.h"

/* The longest frame that anybody sends. */
enum { MOST = 1 + FW_WIRE_BATCH_HEAD + FW_LIMIT_STORE_CHANGES * FW_WIRE_CHANGE_HEAD + FW_LIMIT_STORE_BATCH_BYTES };

int fw_wire_next(const uint8_t *p, size_t n, struct fw_wire_frame *ret, size_t *ret_used)
{
	if (n < 4)
		return 0;
	uint64_t length = fw_get_number(p, 4);
	if (length < 1 || length > MOST)
		return FW_EINVAL;
	if (n > 4 && (p[4] < FW_WIRE_HELLO || p[4] > FW_WIRE_SCRUBBED))
		return FW_EINVAL;
	if (n < 4 + length)
		return 0;
	*ret = (struct fw_wire_frame){ (enum fw_wire)p[4], p + FW_WIRE_HEAD, length - 1 };
	*ret_used = 4 + length;
	return 1;
}

int fw_wire_hello(const struct fw_wire_frame *f, uint32_t *ret_protocol, uint64_t *ret_submitter)
{
	if (f->n != 12)
		return FW_EINVAL;
	*ret_protocol = (uint32_t)fw_get_number(f->body, 4);
	*ret_submitter = fw_get_number(f->body + 4, 8);
	return 0;
}

int fw_wire_welcome(const struct fw_wire_frame *f, uint32_t *ret_protocol)
{
	if (f->n != 4)
		return FW_EINVAL;
	*ret_protocol = (uint32_t)fw_get_number(f->body, 4);
	return 0;
}

int fw_wire_watch(const struct fw_wire_frame *f, bool *ret_on)
{
	if (f->n != 1 || f->body[0] > 1)
		return FW_EINVAL;
	*ret_on = f->body[0] == 1;
	return 0;
}

int fw_wire_done(const struct fw_wire_frame *f, uint64_t *ret_sequence, int *ret_rc, uint64_t *ret_version)
{
	if (f->n != 20)
		return FW_EINVAL;
	*ret_sequence = fw_get_number(f->body, 8);
	*ret_rc = (int)(int32_t)(uint32_t)fw_get_number(f->body + 8, 4);
	*ret_version = fw_get_number(f->body + 12, 8);
	return *ret_rc <= 0 ? 0 : FW_EINVAL;
}

int fw_wire_notice(const struct fw_wire_frame *f, uint32_t *ret_bucket, struct fw_str *ret_key, uint64_t *ret_version)
{
	if (f->n < 11 || f->n > 10 + FW_LIMIT_STORE_KEY_BYTES)
		return FW_EINVAL;
	*ret_version = fw_get_number(f->body, 8);
	*ret_bucket = (uint32_t)fw_get_number(f->body + 8, 2);
	*ret_key = (struct fw_str){ (const char *)f->body + 10, f->n - 10 };
	return *ret_bucket < FW_STORE_BUCKETS ? 0 : FW_EINVAL;
}

int fw_wire_state(const struct fw_wire_frame *f, struct fw_wire_state *ret)
{
	if (f->n != 17 || f->body[0] > 1)
		return FW_EINVAL;
	*ret = (struct fw_wire_state){ f->body[0] == 1, fw_get_number(f->body + 1, 8), fw_get_number(f->body + 9, 8) };
	return 0;
}

int fw_wire_scrub(const struct fw_wire_frame *f, uint64_t *ret_number)
{
	if (f->n != 8)
		return FW_EINVAL;
	*ret_number = fw_get_number(f->body, 8);
	return 0;
}

int fw_wire_scrubbed(const struct fw_wire_frame *f, uint64_t *ret_number, int *ret_rc)
{
	if (f->n != 12)
		return FW_EINVAL;
	*ret_number = fw_get_number(f->body, 8);
	*ret_rc = (int)(int32_t)(uint32_t)fw_get_number(f->body + 8, 4);
	return *ret_rc <= 0 ? 0 : FW_EINVAL;
}

/* One change at *p, which moves on; `end` is the body's. */
static int read_change(const uint8_t **p, const uint8_t *end, struct fw_change *ret)
{
	const uint8_t *at = *p;
	if (end - at < FW_WIRE_CHANGE_HEAD || at[0] > FW_CHANGE_APPEND)
		return FW_EINVAL;
	size_t key = fw_get_number(at + 1, 2), value = fw_get_number(at + 3, 4);
	ret->kind = (enum fw_change_kind)at[0];
	ret->expected = fw_get_number(at + 7, 8);
	at += FW_WIRE_CHANGE_HEAD;
	if (key == 0 || key > FW_LIMIT_STORE_KEY_BYTES || value > FW_LIMIT_STORE_VALUE_BYTES || (size_t)(end - at) < key + value)
		return FW_EINVAL;
	ret->key = (struct fw_str){ (const char *)at, key };
	ret->value = (struct fw_str){ (const char *)at + key, value };
	*p = at + key + value;
	return 0;
}

int fw_wire_batch(const struct fw_wire_frame *f, struct fw_arena *arena, struct fw_wire_batch *ret)
{
	if (f->n < FW_WIRE_BATCH_HEAD)
		return FW_EINVAL;
	const uint8_t *p = f->body, *end = p + f->n;
	struct fw_wire_batch b = { .sequence = fw_get_number(p, 8), .answered = fw_get_number(p + 8, 8) };
	b.bucket = (uint32_t)fw_get_number(p + 16, 2);
	b.n = (unsigned)fw_get_number(p + 18, 2);
	if (b.bucket >= FW_STORE_BUCKETS || b.n == 0 || b.n > FW_LIMIT_STORE_CHANGES || b.answered > b.sequence)
		return FW_EINVAL;
	/* Before memory is taken for so many. */
	if (f->n < FW_WIRE_BATCH_HEAD + (size_t)b.n * (FW_WIRE_CHANGE_HEAD + 1))
		return FW_EINVAL;
	if (!(b.changes = FW_NEW_ARRAY(arena, b.n, struct fw_change)))
		return FW_ENOMEM;
	p += FW_WIRE_BATCH_HEAD;
	for (unsigned i = 0; i < b.n; i++) {
		if (read_change(&p, end, &b.changes[i]) < 0)
			return FW_EINVAL;
		b.writes |= b.changes[i].kind != FW_CHANGE_EXPECT;
	}
	if (p != end || !fw_store_counts_well(b.changes, b.n))
		return FW_EINVAL;
	*ret = b;
	return 0;
}

/* The head of a frame, and room for its body; or NULL. */
static uint8_t *begin(struct fw_buf *b, enum fw_wire type, size_t n)
{
	uint8_t *p = (uint8_t *)fw_buf_reserve(b, FW_WIRE_HEAD + n);
	if (!p)
		return NULL;
	fw_put_number(p, n + 1, 4);
	p[4] = (uint8_t)type;
	b->n += FW_WIRE_HEAD + n;
	return p + FW_WIRE_HEAD;
}

void fw_wire_put_hello(struct fw_buf *b, uint64_t submitter)
{
	uint8_t *p = begin(b, FW_WIRE_HELLO, 12);
	if (!p)
		return;
	fw_put_number(p, FW_WIRE_PROTOCOL, 4);
	fw_put_number(p + 4, submitter, 8);
}

void fw_wire_put_welcome(struct fw_buf *b)
{
	uint8_t *p = begin(b, FW_WIRE_WELCOME, 4);
	if (p)
		fw_put_number(p, FW_WIRE_PROTOCOL, 4);
}

void fw_wire_put_watch(struct fw_buf *b, bool on)
{
	uint8_t *p = begin(b, FW_WIRE_WATCH, 1);
	if (p)
		p[0] = on;
}

void fw_wire_put_done(struct fw_buf *b, uint64_t sequence, int rc, uint64_t version)
{
	uint8_t *p = begin(b, FW_WIRE_DONE, 20);
	if (!p)
		return;
	fw_put_number(p, sequence, 8);
	fw_put_number(p + 8, (uint32_t)(int32_t)rc, 4);
	fw_put_number(p + 12, version, 8);
}

void fw_wire_put_notice(struct fw_buf *b, uint32_t bucket, struct fw_str key, uint64_t version)
{
	uint8_t *p = begin(b, FW_WIRE_NOTICE, 10 + key.n);
	if (!p)
		return;
	fw_put_number(p, version, 8);
	fw_put_number(p + 8, bucket, 2);
	memcpy(p + 10, key.p, key.n);
}

void fw_wire_put_lost(struct fw_buf *b)
{
	begin(b, FW_WIRE_LOST, 0);
}

void fw_wire_put_state(struct fw_buf *b, const struct fw_wire_state *state)
{
	uint8_t *p = begin(b, FW_WIRE_STATE, 17);
	if (!p)
		return;
	p[0] = state->full;
	fw_put_number(p + 1, state->groups, 8);
	fw_put_number(p + 9, state->syncs, 8);
}

void fw_wire_put_scrub(struct fw_buf *b, uint64_t number)
{
	uint8_t *p = begin(b, FW_WIRE_SCRUB, 8);
	if (p)
		fw_put_number(p, number, 8);
}

void fw_wire_put_scrubbed(struct fw_buf *b, uint64_t number, int rc)
{
	uint8_t *p = begin(b, FW_WIRE_SCRUBBED, 12);
	if (!p)
		return;
	fw_put_number(p, number, 8);
	fw_put_number(p + 8, (uint32_t)(int32_t)rc, 4);
}

size_t fw_wire_batch_bytes(const struct fw_batch *batch)
{
	size_t n = FW_WIRE_HEAD + FW_WIRE_BATCH_HEAD;
	for (unsigned i = 0; i < batch->n; i++)
		n += FW_WIRE_CHANGE_HEAD + batch->changes[i].key.n + batch->changes[i].value.n;
	return n;
}

void fw_wire_write_batch(uint8_t *out, const struct fw_batch *batch, uint64_t sequence, uint64_t answered)
{
	fw_put_number(out, fw_wire_batch_bytes(batch) - 4, 4);
	out[4] = FW_WIRE_BATCH;
	uint8_t *p = out + FW_WIRE_HEAD;
	fw_put_number(p, sequence, 8);
	fw_put_number(p + 8, answered, 8);
	fw_put_number(p + 16, batch->bucket, 2);
	fw_put_number(p + 18, batch->n, 2);
	p += FW_WIRE_BATCH_HEAD;
	for (unsigned i = 0; i < batch->n; i++) {
		const struct fw_change *c = &batch->changes[i];
		p[0] = (uint8_t)c->kind;
		fw_put_number(p + 1, c->key.n, 2);
		fw_put_number(p + 3, c->value.n, 4);
		fw_put_number(p + 7, c->expected, 8);
		p += FW_WIRE_CHANGE_HEAD;
		memcpy(p, c->key.p, c->key.n);
		p += c->key.n;
		if (c->value.n)
			memcpy(p, c->value.p, c->value.n);
		p += c->value.n;
	}
}
