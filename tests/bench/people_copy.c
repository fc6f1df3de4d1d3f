/* Copies people (made by people_make) into a Redis, row by row, so that the same people are in both.
 *
 *   people_copy FOLDER URL
 *
 * The Redis is to be empty. Prints one JSON object: how many rows, and what they hold. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_store.h"

struct copy {
	struct bench_store from, to;
	struct fw_arena arena;
	uint32_t bucket;
	struct fw_str after; /* the last key of those that were read */
	bool more, waiting;
	unsigned long long rows, bytes;
};

static void stop(const char *what)
{
	fprintf(stderr, "people_copy: %s\n", what);
	exit(1);
}

static void on_committed(void *ctx, int rc, uint64_t version)
{
	(void)version;
	if (rc < 0)
		stop(rc == FW_ECONFLICT ? "the Redis is not empty" : "rows were not written");
	((struct copy *)ctx)->waiting = false;
}

/* Of an LMDB they come at once. */
static void on_rows(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct copy *c = ctx;
	struct fw_change *puts = FW_NEW_ARRAY(&c->arena, n + 1, struct fw_change);
	if (rc < 0 || !puts)
		stop("the rows cannot be read");
	for (size_t i = 0; i < n; i++) {
		puts[i] = (struct fw_change){ FW_CHANGE_PUT, rows[i].key, rows[i].value, FW_VERSION_NONE };
		c->bytes += rows[i].key.n + rows[i].value.n;
	}
	c->rows += n;
	c->more = more;
	c->waiting = n > 0;
	if (n == 0)
		return;
	c->after = rows[n - 1].key;
	if (fw_store_commit(c->to.store, &(struct fw_batch){ c->bucket, puts, (unsigned)n }, on_committed, c) < 0)
		stop("rows were not taken");
}

static void copy_bucket(struct copy *c, uint32_t bucket)
{
	c->bucket = bucket;
	c->after = (struct fw_str){ NULL, 0 };
	fw_arena_reset(&c->arena);
	do {
		fw_store_scan(c->from.store, bucket, FW_STR(""), c->after, FW_LIMIT_STORE_SCAN_ROWS, &c->arena, on_rows, c);
		while (c->waiting)
			bench_store_turn(&c->to);
	} while (c->more);
}

int main(int argc, char **argv)
{
	struct copy c = { .rows = 0 };
	if (argc != 3) {
		fprintf(stderr, "usage: people_copy FOLDER URL\n");
		return 2;
	}
	if (bench_keeper_start(&c.from, argv[1], "commit") < 0 || bench_store_open(&c.from) < 0 ||
	    bench_store_reach(&c.to, argv[2], NULL) < 0)
		return 1;
	fw_arena_init(&c.arena, NULL, 0, 0);
	for (uint32_t bucket = 0; bucket < FW_STORE_BUCKETS; bucket++)
		copy_bucket(&c, bucket);
	printf("{\"rows\":%llu,\"bytes\":%llu}\n", c.rows, c.bytes);
	fw_arena_finish(&c.arena);
	bench_store_close(&c.to);
	bench_store_close(&c.from);
	bench_keeper_stop(&c.from);
	return 0;
}
