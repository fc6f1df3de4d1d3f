#include "people/outgoing.h"

#include <string.h>

struct counting {
	struct fw_outgoing_reader reader;
};

static void on_row(void *ctx, int rc, const struct fw_row *row)
{
	struct counting *c = ctx;
	c->reader.done(c->reader.ctx, rc, rc == 0 && row->value.p && row->value.n == 8 ? fw_key_read(row->value.p, 8) : 0);
}

void fw_outgoing_last(struct fw_store *store, uint32_t bucket, struct fw_arena *a, const struct fw_outgoing_reader *reader)
{
	struct counting *c = FW_NEW(a, struct counting);
	struct fw_key key;
	if (!c) {
		reader->done(reader->ctx, FW_ENOMEM, 0);
		return;
	}
	c->reader = *reader;
	fw_key_counter(bucket, &key);
	fw_store_get_for_batch(store, bucket, fw_key_str(&key), a, on_row, c);
}

static int write_entry(const struct fw_entry *e, struct fw_arena *a, struct fw_str *ret)
{
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_entry_write(e, &b);
	return fw_buf_keep(&b, a, ret);
}

int fw_outgoing_write(const struct fw_outgoing *o, struct fw_arena *a, struct fw_change *changes)
{
	struct fw_key *keys = FW_NEW_ARRAY(a, o->n + 1, struct fw_key);
	if (!keys)
		return FW_ENOMEM;
	fw_key_counter(o->bucket, &keys[0]);
	changes[0] = (struct fw_change){ FW_CHANGE_COUNT, fw_key_str(&keys[0]), { NULL, 0 }, FW_VERSION_ANY };
	for (unsigned i = 0; i < o->n; i++) {
		struct fw_key target;
		struct fw_str value;
		fw_entry_key(&o->entries[i], &target);
		fw_key_entry(o->bucket, target.bucket, 0, &keys[1 + i]);
		if (write_entry(&o->entries[i], a, &value) < 0)
			return FW_ENOMEM;
		changes[1 + i] = (struct fw_change){ FW_CHANGE_APPEND, fw_key_str(&keys[1 + i]), value, FW_VERSION_ANY };
	}
	return (int)o->n + 1;
}
