/* What a worker sends to the keeper, and what comes back: any bytes are frames or refused, and a batch that is read and written
 * again is the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "store/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_batch(const struct fw_wire_frame *f, const uint8_t *frame, size_t used)
{
	struct fw_arena a;
	struct fw_wire_batch b;
	fw_arena_init(&a, NULL, 0, 0);
	if (fw_wire_batch(f, &a, &b) == 0) {
		struct fw_batch again = { b.bucket, b.changes, b.n };
		if (b.bucket >= FW_STORE_BUCKETS || b.n == 0 || b.n > FW_LIMIT_STORE_CHANGES || b.answered > b.sequence)
			abort();
		size_t bytes = fw_wire_batch_bytes(&again);
		uint8_t *copy = malloc(bytes);
		if (!copy || bytes != used)
			abort();
		fw_wire_write_batch(copy, &again, b.sequence, b.answered);
		if (memcmp(copy, frame, bytes) != 0)
			abort();
		free(copy);
	}
	fw_arena_finish(&a);
}

static void read_frame(const struct fw_wire_frame *f, const uint8_t *frame, size_t used)
{
	uint32_t protocol, bucket;
	uint64_t number, version;
	bool on;
	int rc;
	struct fw_str key;
	struct fw_wire_state state;
	fw_wire_hello(f, &protocol, &number);
	fw_wire_welcome(f, &protocol);
	fw_wire_watch(f, &on);
	fw_wire_state(f, &state);
	fw_wire_scrub(f, &number);
	if (fw_wire_done(f, &number, &rc, &version) == 0 && rc > 0)
		abort();
	if (fw_wire_scrubbed(f, &number, &rc) == 0 && rc > 0)
		abort();
	if (fw_wire_notice(f, &bucket, &key, &version) == 0 &&
		(key.n == 0 || key.n > FW_LIMIT_STORE_KEY_BYTES || bucket >= FW_STORE_BUCKETS))
		abort();
	if (f->type == FW_WIRE_BATCH)
		check_batch(f, frame, used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_wire_frame f;
	size_t at = 0, used = 0;
	while (fw_wire_next(data + at, n - at, &f, &used) == 1) {
		if (used < FW_WIRE_HEAD || used > n - at || f.body != data + at + FW_WIRE_HEAD || f.n != used - FW_WIRE_HEAD)
			abort();
		read_frame(&f, data + at, used);
		at += used;
	}
	return 0;
}
