#include "people/held.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/limits.h"
#include "people/key.h"

enum { BUCKET = 0, MARK_KEY = FW_HELD_KEY + 8, BATCH_BYTES = 3 << 20 };

/* Batches that belong together. */
struct changing {
	struct fw_store *store;
	struct fw_arena arena; /* of the batch being made */
	struct fw_change changes[FW_LIMIT_STORE_CHANGES];
	unsigned n;
	size_t bytes;
	unsigned left;
	int rc;
	fw_people_done done;
	void *ctx;
};

uint64_t fw_held_id(const struct fw_person_id *id)
{
	struct fw_key key;
	fw_key_person(id, &key);
	return fw_key_read(key.bytes + 1, 8);
}

void fw_held_add_id(struct fw_held *h, uint64_t id)
{
	for (unsigned i = 0; i < h->n_ids; i++)
		if (h->ids[i] == id)
			return;
	if (h->n_ids < FW_HELD_IDS)
		h->ids[h->n_ids++] = id;
}

static void leave(struct changing *c, int rc)
{
	if (rc < 0)
		c->rc = rc;
	if (--c->left > 0)
		return;
	fw_people_done done = c->done;
	void *ctx = c->ctx;
	rc = c->rc;
	fw_arena_finish(&c->arena);
	free(c);
	done(ctx, rc);
}

static void on_changed(void *ctx, int rc, uint64_t version)
{
	(void)version;
	leave(ctx, rc);
}

static void commit(struct changing *c)
{
	struct fw_batch batch = { BUCKET, c->changes, c->n };
	if (c->n == 0 || c->rc < 0)
		return;
	c->left++;
	int rc = fw_store_commit(c->store, &batch, on_changed, c);
	if (rc < 0)
		leave(c, rc);
	c->n = 0;
	c->bytes = 0;
	fw_arena_reset(&c->arena);
}

static struct changing *begin(struct fw_store *spool, fw_people_done done, void *ctx)
{
	struct changing *c = malloc(sizeof *c);
	if (!c) {
		done(ctx, FW_ENOMEM);
		return NULL;
	}
	*c = (struct changing){ .store = spool, .left = 1, .done = done, .ctx = ctx };
	fw_arena_init(&c->arena, NULL, 0, 0);
	return c;
}

static void end(struct changing *c)
{
	commit(c);
	leave(c, 0);
}

/* Its row and its marks, as one. Room was made. */
static int add(struct changing *c, enum fw_change_kind kind, const struct fw_held *h, struct fw_str value, uint64_t expected)
{
	const struct fw_str none = { "", 0 };
	char *keys = fw_arena_alloc(&c->arena, FW_HELD_KEY + (size_t)h->n_ids * MARK_KEY);
	if (!keys)
		return FW_ENOMEM;
	memcpy(keys, h->key, FW_HELD_KEY);
	c->changes[c->n++] = (struct fw_change){ kind, { keys, FW_HELD_KEY }, value, expected };
	char *mark = keys + FW_HELD_KEY;
	for (unsigned i = 0; i < h->n_ids; i++, mark += MARK_KEY) {
		mark[0] = 'W';
		fw_key_number(mark + 1, h->ids[i], 8);
		memcpy(mark + 9, h->key + 1, FW_HELD_KEY - 1);
		c->changes[c->n++] = (struct fw_change){ kind, { mark, MARK_KEY }, none, FW_VERSION_ANY };
	}
	c->bytes += value.n + FW_HELD_KEY + (size_t)h->n_ids * MARK_KEY;
	return 0;
}

static void make_room(struct changing *c)
{
	if (c->n + 1 + FW_HELD_IDS > FW_LIMIT_STORE_CHANGES || c->bytes > BATCH_BYTES)
		commit(c);
}

static void write_hash(struct fw_json_out *o, uint64_t hash)
{
	char text[17];
	snprintf(text, sizeof text, "%016" PRIx64, hash);
	fw_json_text_value(o, text);
}

static void write_text(struct fw_json_out *o, const char *name, struct fw_str text)
{
	if (text.n == 0)
		return;
	fw_json_key(o, name);
	fw_json_string(o, text);
}

static void write_how(struct fw_json_out *o, const struct fw_held *h)
{
	fw_json_open_object(o);
	write_text(o, "sender", h->sender);
	write_text(o, "sentAt", h->sent_at);
	write_text(o, "code", h->code);
	write_text(o, "reason", h->reason);
	fw_json_key(o, "behaviour");
	fw_json_bool(o, h->behaviour);
	fw_json_key(o, "bytes");
	fw_json_number(o, (double)h->bytes);
	if (h->message_hash) {
		fw_json_key(o, "message");
		write_hash(o, h->message_hash);
	}
	fw_json_key(o, "ids");
	fw_json_open_array(o);
	for (unsigned i = 0; i < h->n_ids; i++)
		write_hash(o, h->ids[i]);
	fw_json_close_array(o);
	fw_json_close_object(o);
}

static void write_tree(struct fw_buf *b, const struct fw_json *tree)
{
	struct fw_json_out o;
	fw_json_out_init(&o, b);
	fw_buf_putc(b, '\n');
	if (tree)
		fw_json_tree(&o, tree);
}

static int write_value(struct fw_arena *a, const struct fw_held *h, struct fw_str *ret)
{
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	write_how(&o, h);
	write_tree(&b, h->context);
	write_tree(&b, h->event);
	return fw_buf_keep(&b, a, ret);
}

void fw_held_put(struct fw_store *spool, const struct fw_held *held, unsigned n, fw_people_done done, void *ctx)
{
	struct changing *c = begin(spool, done, ctx);
	uint64_t chance = 0;
	if (!c)
		return;
	if (getrandom(&chance, sizeof chance, 0) != sizeof chance)
		c->rc = FW_EIO;
	for (unsigned i = 0; i < n && c->rc == 0; i++) {
		struct fw_held h = held[i];
		struct fw_str value;
		h.key[0] = 'Q';
		fw_key_number(h.key + 1, (uint64_t)h.received_us, 8);
		fw_key_number(h.key + 9, chance, 8);
		fw_key_number(h.key + 17, i, 4);
		make_room(c);
		int rc = write_value(&c->arena, &h, &value);
		if (rc == 0)
			rc = add(c, FW_CHANGE_PUT, &h, value, FW_VERSION_ANY);
		if (rc < 0)
			c->rc = rc;
	}
	end(c);
}

void fw_held_drop(struct fw_store *spool, const struct fw_held *held, unsigned n, fw_people_done done, void *ctx)
{
	struct changing *c = begin(spool, done, ctx);
	for (unsigned i = 0; c && i < n && c->rc == 0; i++) {
		make_room(c);
		int rc = add(c, FW_CHANGE_DELETE, &held[i], (struct fw_str){ NULL, 0 }, held[i].version);
		if (rc < 0)
			c->rc = rc;
	}
	if (c)
		end(c);
}

/* The answer to a read, which is there when the call returns. */
struct found {
	size_t n;
	int rc;
	int64_t first_us;
};

static void on_found(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	(void)more;
	*(struct found *)ctx = (struct found){ n, rc, n ? fw_held_received_us(&rows[0]) : 0 };
}

bool fw_held_waits(struct fw_store *spool, uint64_t id, struct fw_arena *scratch)
{
	struct found found = { .n = 0 };
	char prefix[9] = { 'W' };
	fw_key_number(prefix + 1, id, 8);
	fw_arena_reset(scratch);
	fw_store_scan(spool, BUCKET, (struct fw_str){ prefix, sizeof prefix }, (struct fw_str){ NULL, 0 }, 1, scratch, on_found, &found);
	return found.n > 0 || found.rc < 0; /* who cannot be told waits */
}

void fw_held_list(struct fw_store *spool, struct fw_str after, size_t limit, struct fw_arena *arena, fw_store_listed done, void *ctx)
{
	fw_store_scan(spool, BUCKET, FW_STR("Q"), after, limit, arena, done, ctx);
}

int64_t fw_held_received_us(const struct fw_row *row)
{
	return row->key.n == FW_HELD_KEY ? (int64_t)fw_key_read(row->key.p + 1, 8) : 0;
}

int fw_held_oldest(struct fw_store *spool, struct fw_arena *scratch, int64_t *ret_us)
{
	struct found found = { .n = 0 };
	fw_arena_reset(scratch);
	fw_held_list(spool, (struct fw_str){ NULL, 0 }, 1, scratch, on_found, &found);
	*ret_us = found.first_us;
	return found.rc;
}

static bool read_hash(const struct fw_json *v, uint64_t *ret)
{
	char *end_ = NULL;
	if (!v || v->type != FW_JSON_STRING || v->string.n != 16)
		return false;
	*ret = strtoull(v->string.p, &end_, 16);
	return end_ == v->string.p + 16;
}

static bool read_ids(const struct fw_json *list, struct fw_held *h)
{
	if (!list || list->type != FW_JSON_ARRAY || list->count > FW_HELD_IDS)
		return false;
	for (const struct fw_json *m = list->child; m; m = m->next)
		if (!read_hash(m, &h->ids[h->n_ids++]))
			return false;
	return true;
}

static bool read_how(const struct fw_json *how, struct fw_held *h)
{
	const struct fw_json *behaviour = fw_json_get(how, "behaviour"), *bytes = fw_json_get(how, "bytes");
	const struct fw_json *message = fw_json_get(how, "message");
	h->sender = fw_json_text(how, "sender");
	h->sent_at = fw_json_text(how, "sentAt");
	h->code = fw_json_text(how, "code");
	h->reason = fw_json_text(how, "reason");
	h->behaviour = behaviour && behaviour->type == FW_JSON_BOOL && behaviour->boolean;
	h->bytes = bytes && bytes->number > 0 && bytes->number < 1e15 ? (uint64_t)bytes->number : 0;
	if (!h->sender.n || (!fw_str_is(h->sender, "secret") && !fw_str_is(h->sender, "signed") && !fw_str_is(h->sender, "write")))
		return false;
	return (!message || read_hash(message, &h->message_hash)) && read_ids(fw_json_get(how, "ids"), h);
}

/* The next line; NULL: it is empty. */
static int read_line(struct fw_arena *a, struct fw_str *rest, struct fw_json **ret)
{
	const char *nl = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t n = nl ? (size_t)(nl - rest->p) : rest->n;
	const char *line = rest->p;
	rest->p += n + (nl != NULL);
	rest->n -= n + (nl != NULL);
	*ret = NULL;
	return n ? fw_json_parse(a, line, n, ret, NULL) : 0;
}

int fw_held_read(struct fw_arena *a, const struct fw_row *row, struct fw_held *ret)
{
	struct fw_json *how, *context, *event;
	struct fw_str rest = row->value;
	struct fw_held h = { .version = row->version, .received_us = fw_held_received_us(row) };
	if (row->key.n != FW_HELD_KEY || !rest.p)
		return FW_EINVAL;
	memcpy(h.key, row->key.p, FW_HELD_KEY);
	int rc = read_line(a, &rest, &how);
	if (rc == 0)
		rc = read_line(a, &rest, &context);
	if (rc == 0)
		rc = read_line(a, &rest, &event);
	if (rc < 0)
		return rc;
	if (!how || rest.n || !read_how(how, &h) || (!event && !h.code.n))
		return FW_EINVAL;
	h.context = context;
	h.event = event;
	*ret = h;
	return 0;
}
