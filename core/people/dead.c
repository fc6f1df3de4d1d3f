#include "people/dead.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/limits.h"
#include "people/key.h"

enum { KEY_BYTES = 17 };

void fw_dead_write(struct fw_json_out *o, const struct fw_dead *d)
{
	fw_json_key(o, "code");
	fw_json_string(o, d->code);
	fw_json_key(o, "message");
	fw_json_string(o, d->message);
	fw_json_key(o, "sender");
	fw_json_string(o, d->sender);
	fw_json_key(o, "bytes");
	fw_json_number(o, (double)d->bytes);
	fw_json_key(o, "event");
	fw_json_raw(o, d->event.n ? d->event : FW_STR("null"));
}

static void make_id(uint32_t bucket, const char *key, char id[40])
{
	snprintf(id, 40, "%03x-%016llx-%016llx", bucket, (unsigned long long)fw_key_read(key + 1, 8),
		(unsigned long long)fw_key_read(key + 9, 8));
}

int fw_dead_put(struct fw_store *s, struct fw_dead *d, fw_store_committed done, void *ctx)
{
	uint64_t chance = 0;
	char key[KEY_BYTES];
	struct fw_buf value;
	struct fw_json_out o;
	if (getrandom(&chance, sizeof chance, 0) != sizeof chance)
		chance = fw_hash(d, sizeof *d);
	key[0] = 'D';
	fw_key_number(key + 1, (uint64_t)d->at_us, 8);
	fw_key_number(key + 9, chance, 8);
	uint32_t bucket = fw_store_bucket(chance);
	make_id(bucket, key, d->id);
	fw_buf_init(&value, 0);
	fw_json_out_init(&o, &value);
	fw_json_open_object(&o);
	fw_dead_write(&o, d);
	fw_json_close_object(&o);
	struct fw_change change = { FW_CHANGE_PUT, { key, sizeof key }, { value.data, value.n }, FW_VERSION_ANY };
	struct fw_batch batch = { bucket, &change, 1 };
	int rc = value.failed ? FW_ENOMEM : fw_store_commit(s, &batch, done, ctx);
	fw_buf_finish(&value);
	return rc;
}

int fw_dead_read(struct fw_arena *arena, uint32_t bucket, const struct fw_row *row, struct fw_dead *ret)
{
	struct fw_json *tree = NULL;
	struct fw_buf event;
	if (row->key.n != KEY_BYTES)
		return FW_EINVAL;
	int rc = fw_json_parse(arena, row->value.p, row->value.n, &tree, NULL);
	if (rc < 0)
		return rc;
	const struct fw_json *bytes = fw_json_get(tree, "bytes"), *told = fw_json_get(tree, "event");
	*ret = (struct fw_dead){
		.at_us = (int64_t)fw_key_read(row->key.p + 1, 8),
		.code = fw_json_text(tree, "code"),
		.message = fw_json_text(tree, "message"),
		.sender = fw_json_text(tree, "sender"),
		.bytes = bytes && bytes->number > 0 ? (uint64_t)bytes->number : 0,
	};
	make_id(bucket, row->key.p, ret->id);
	if (told && told->type != FW_JSON_NULL) {
		struct fw_json_out o;
		fw_buf_init(&event, 0);
		fw_json_out_init(&o, &event);
		fw_json_tree(&o, told);
		ret->event = (struct fw_str){ event.failed ? NULL : fw_arena_strndup(arena, event.data, event.n), event.n };
		fw_buf_finish(&event);
		rc = ret->event.p ? 0 : FW_ENOMEM;
	}
	return rc;
}

/* A listing on its way. */
struct listing {
	struct fw_store *store;
	struct fw_arena *arena;
	struct fw_dead_reader reader;
	uint32_t bucket;
};

enum { ROWS_AT_ONCE = 256 };

static void on_rows(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct listing *l = ctx;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct fw_dead d;
		int read = fw_dead_read(l->arena, l->bucket, &rows[i], &d);
		if (read == 0)
			l->reader.each(l->reader.ctx, &d);
		else if (read == FW_ENOMEM)
			rc = read;
	}
	if (rc == 0 && more && n)
		fw_store_scan(l->store, l->bucket, FW_STR("D"), rows[n - 1].key, ROWS_AT_ONCE, l->arena, on_rows, l);
	else
		l->reader.done(l->reader.ctx, rc);
}

void fw_dead_list(struct fw_store *s, uint32_t bucket, struct fw_arena *arena, const struct fw_dead_reader *reader)
{
	struct listing *l = fw_arena_alloc(arena, sizeof *l);
	if (!l) {
		reader->done(reader->ctx, FW_ENOMEM);
		return;
	}
	*l = (struct listing){ s, arena, *reader, bucket };
	fw_store_scan(s, bucket, FW_STR("D"), FW_STR(""), ROWS_AT_ONCE, arena, on_rows, l);
}

int fw_dead_drop(struct fw_store *s, const char *id, fw_store_committed done, void *ctx)
{
	unsigned bucket;
	unsigned long long at, chance;
	char key[KEY_BYTES], end;
	if (sscanf(id, "%3x-%16llx-%16llx%c", &bucket, &at, &chance, &end) != 3 || bucket >= FW_STORE_BUCKETS)
		return FW_EINVAL;
	key[0] = 'D';
	fw_key_number(key + 1, at, 8);
	fw_key_number(key + 9, chance, 8);
	struct fw_change change = { FW_CHANGE_DELETE, { key, sizeof key }, { NULL, 0 }, FW_VERSION_ANY };
	struct fw_batch batch = { bucket, &change, 1 };
	return fw_store_commit(s, &batch, done, ctx);
}
