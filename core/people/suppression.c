#include "people/suppression.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pack.h"
#include "people/flight.h"

enum { KEY = 1 + FW_KEYED_HASH };

void fw_suppression_key(const struct fw_secret *s, struct fw_str channel, struct fw_str address, struct fw_key *ret)
{
	char normal[FW_EMAIL_BYTES], named[FW_LIMIT_EVENT_ID_BYTES + FW_EMAIL_BYTES + FW_PHONE_BYTES];
	unsigned char hash[FW_KEYED_HASH];
	struct fw_claim known;
	if (fw_normal_address(channel, address, normal, &known))
		address = known.text;
	int n = (int)(address.n < FW_LIMIT_EVENT_ID_BYTES ? address.n : FW_LIMIT_EVENT_ID_BYTES);
	int length = snprintf(named, sizeof named, "%.*s:%.*s", channel.n < 40 ? (int)channel.n : 40, channel.p, n, address.p);
	size_t most = (size_t)length < sizeof named ? (size_t)length : sizeof named - 1;
	fw_secret_hash(s, &(struct fw_person_id){ FW_PERSON_OTHER,
		{ named, most < FW_LIMIT_EVENT_ID_BYTES ? most : FW_LIMIT_EVENT_ID_BYTES } },
		hash);
	memcpy(ret->bytes + 1, hash, sizeof hash);
	ret->bytes[0] = 'U';
	ret->n = KEY;
	ret->bucket = fw_store_bucket(fw_key_read(ret->bytes + 1, 8));
}

int fw_suppression_read(struct fw_arena *a, const struct fw_row *row, struct fw_str *ret_reason, int64_t *ret_at_us)
{
	struct fw_unpack u;
	fw_unpack_init(&u, row->value);
	uint64_t at_ms = fw_unpack_number(&u);
	struct fw_str reason = fw_unpack_text(&u, a);
	if (row->key.n != KEY || row->key.p[0] != 'U' || u.failed || u.p != u.end || at_ms > INT64_MAX / 1000)
		return FW_EINVAL;
	*ret_reason = reason;
	*ret_at_us = (int64_t)at_ms * 1000;
	return 0;
}

/* In the arena of whoever looks. */
struct looking {
	fw_suppression_looked done;
	void *ctx;
};

static void on_row(void *ctx, int rc, const struct fw_row *row)
{
	struct looking *l = ctx;
	l->done(l->ctx, rc, rc == 0 && row->value.p);
}

void fw_suppression_look(struct fw_people *p, const struct fw_key *key, struct fw_arena *arena, fw_suppression_looked done, void *ctx)
{
	struct looking *l = FW_NEW(arena, struct looking);
	if (!l) {
		done(ctx, FW_ENOMEM, false);
		return;
	}
	*l = (struct looking){ done, ctx };
	fw_store_get(p->store, key->bucket, fw_key_str(key), arena, on_row, l);
}

/* A row on its way to be as it should. */
struct putting {
	struct fw_people *people;
	struct fw_arena arena;
	struct fw_key key;
	struct fw_buf value;   /* nothing: the row is to go */
	struct fw_change change;
	struct fw_commit commit;
	fw_suppression_done done;
	void *ctx;
};

static void end(struct putting *p, int rc, bool changed)
{
	fw_suppression_done done = p->done;
	void *ctx = p->ctx;
	fw_buf_finish(&p->value);
	fw_arena_finish(&p->arena);
	free(p);
	done(ctx, rc, changed);
}

static void look_before(struct putting *p);

static void on_put(void *ctx, int rc, uint64_t version)
{
	struct putting *p = ctx;
	(void)version;
	if (rc == FW_ECONFLICT) /* somebody said so at the same moment */
		look_before(p);
	else
		end(p, rc, true);
}

static void on_before(void *ctx, int rc, const struct fw_row *row)
{
	struct putting *p = ctx;
	bool there = rc == 0 && row->value.p, wanted = p->value.n > 0;
	if (rc < 0 || there == wanted) {
		end(p, rc, false);
		return;
	}
	p->change = (struct fw_change){ wanted ? FW_CHANGE_PUT : FW_CHANGE_DELETE, fw_key_str(&p->key), { p->value.data, p->value.n },
		row->version };
	rc = fw_commit(&p->commit, p->people, &(struct fw_batch){ p->key.bucket, &p->change, 1 }, on_put, p);
	if (rc < 0)
		end(p, rc, false);
}

static void look_before(struct putting *p)
{
	fw_arena_reset(&p->arena);
	fw_store_get(p->people->store, p->key.bucket, fw_key_str(&p->key), &p->arena, on_before, p);
}

static struct putting *create(struct fw_people *people, const struct fw_key *key, fw_suppression_done done, void *ctx)
{
	struct putting *p = calloc(1, sizeof *p);
	if (!p) {
		done(ctx, FW_ENOMEM, false);
		return NULL;
	}
	*p = (struct putting){ .people = people, .key = *key, .done = done, .ctx = ctx };
	fw_arena_init(&p->arena, NULL, 0, 0);
	fw_buf_init(&p->value, 0);
	return p;
}

void fw_suppression_put(struct fw_people *people, const struct fw_key *key, struct fw_str reason, int64_t now_us, fw_suppression_done done,
	void *ctx)
{
	struct putting *p = create(people, key, done, ctx);
	if (!p)
		return;
	fw_pack_number(&p->value, (uint64_t)(now_us / 1000));
	fw_pack_text(&p->value, reason);
	if (p->value.failed)
		end(p, FW_ENOMEM, false);
	else
		look_before(p);
}

void fw_suppression_lift(struct fw_people *people, const struct fw_key *key, fw_suppression_done done, void *ctx)
{
	struct putting *p = create(people, key, done, ctx);
	if (p)
		look_before(p);
}
