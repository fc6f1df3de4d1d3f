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

uint64_t fw_suppression_id(const struct fw_secret *s, struct fw_str id)
{
	unsigned char hash[FW_KEYED_HASH];
	if (!id.n)
		return 0;
	id.n = id.n < FW_LIMIT_EVENT_ID_BYTES ? id.n : FW_LIMIT_EVENT_ID_BYTES;
	fw_secret_hash(s, &(struct fw_person_id){ FW_PERSON_OTHER, id }, hash);
	return fw_key_read((const char *)hash, 8) | 1; /* it is something */
}

int fw_suppression_read(struct fw_arena *a, const struct fw_row *row, struct fw_suppression *ret)
{
	struct fw_unpack u;
	fw_unpack_init(&u, row->value);
	uint64_t at_ms = fw_unpack_number(&u);
	*ret = (struct fw_suppression){ .reason = fw_unpack_text(&u, a), .at_us = (int64_t)at_ms * 1000 };
	if (u.p == u.end && !ret->reason.n) /* whoever wrote it had no reason */
		ret->reason = FW_STR("suppressed");
	if (!u.failed && u.p != u.end) {
		ret->lifting = fw_unpack_bounded(&u, 1);
		ret->n_heard = fw_unpack_bounded(&u, FW_LIMIT_ADDRESS_HEARD);
		for (unsigned i = 0; i < ret->n_heard; i++)
			ret->heard[i] = fw_unpack_fixed(&u);
	}
	return row->key.n != KEY || row->key.p[0] != 'U' || u.failed || u.p != u.end || at_ms > INT64_MAX / 1000 ? FW_EINVAL : 0;
}

static bool has_heard(const struct fw_suppression *s, uint64_t id)
{
#ifdef FW_BREAK_HEARD /* what a gateway says again is heard anew */
	return false;
#endif
	for (unsigned i = 0; i < s->n_heard; i++)
		if (s->heard[i] == id)
			return true;
	return false;
}

/* False: it was known, or has no id. */
static bool hear(struct fw_suppression *s, uint64_t id)
{
	if (!id || has_heard(s, id))
		return false;
	if (s->n_heard == FW_LIMIT_ADDRESS_HEARD)
		memmove(s->heard, s->heard + 1, --s->n_heard * sizeof *s->heard);
	s->heard[s->n_heard++] = id;
	return true;
}

static bool turn_put(struct fw_suppression *s, const struct fw_suppression_said *said, enum fw_suppression_outcome *ret)
{
	bool free = s->reason.n == 0, is_new = hear(s, said->id);
	*ret = free ? FW_SUPPRESSION_CHANGED : FW_SUPPRESSION_SAME;
	if (said->id && !is_new && (free || s->lifting)) { /* the contrary was said since */
		*ret = FW_SUPPRESSION_OVER;
		return false;
	}
	if (!free && !s->lifting)
		return is_new;
	s->at_us = free ? said->now_us : s->at_us;
	s->reason = free ? said->reason : s->reason;
	s->lifting = false;
	return true;
}

static bool turn_lifting(struct fw_suppression *s, const struct fw_suppression_said *said, enum fw_suppression_outcome *ret)
{
	bool free = s->reason.n == 0, is_new = hear(s, said->id);
	*ret = free || (said->id && !is_new && !s->lifting) ? FW_SUPPRESSION_OVER : FW_SUPPRESSION_SAME;
	if (free && is_new)
		s->at_us = said->now_us;
	if (!free && is_new)
		s->lifting = true;
	return is_new;
}

static bool turn_lifted(struct fw_suppression *s, const struct fw_suppression_said *said, enum fw_suppression_outcome *ret)
{
	bool goes = s->reason.n && (s->lifting || !said->id);
	*ret = goes ? FW_SUPPRESSION_CHANGED : FW_SUPPRESSION_OVER;
	if (!goes)
		return false;
	s->at_us = said->now_us;
	s->reason = (struct fw_str){ NULL, 0 };
	s->lifting = false;
	return true;
}

bool fw_suppression_turn(struct fw_suppression *s, const struct fw_suppression_said *said, enum fw_suppression_outcome *ret)
{
	switch (said->what) {
	case FW_SUPPRESSION_PUT: return turn_put(s, said, ret);
	case FW_SUPPRESSION_LIFTING: return turn_lifting(s, said, ret);
	default: return turn_lifted(s, said, ret);
	}
}

/* In the arena of whoever looks. */
struct looking {
	fw_suppression_looked done;
	void *ctx;
	struct fw_arena *arena;
};

static void on_row(void *ctx, int rc, const struct fw_row *row)
{
	struct looking *l = ctx;
	struct fw_suppression s;
	bool there = rc == 0 && row->value.p;
	/* Of a row that cannot be read nobody knows that something may go. */
	l->done(l->ctx, rc, there && (fw_suppression_read(l->arena, row, &s) < 0 || s.reason.n));
}

void fw_suppression_look(struct fw_people *p, const struct fw_key *key, struct fw_arena *arena, fw_suppression_looked done, void *ctx)
{
	struct looking *l = FW_NEW(arena, struct looking);
	if (!l) {
		done(ctx, FW_ENOMEM, false);
		return;
	}
	*l = (struct looking){ done, ctx, arena };
	fw_store_get(p->store, key->bucket, fw_key_str(key), arena, on_row, l);
}

void fw_suppression_look_up(struct fw_people *p, struct fw_str channel, struct fw_str address, struct fw_arena *arena,
	fw_suppression_looked done, void *ctx)
{
	struct fw_key *key = FW_NEW(arena, struct fw_key);
	if (!key || !p->secret.known) {
		done(ctx, key ? FW_EAWAY : FW_ENOMEM, false);
		return;
	}
	fw_suppression_key(&p->secret, channel, address, key);
	fw_suppression_look(p, key, arena, done, ctx);
}

/* A row on its way to be as it should. */
struct saying {
	struct fw_people *people;
	struct fw_arena arena;
	struct fw_key key;
	struct fw_suppression_said said;
	enum fw_suppression_outcome outcome;
	struct fw_buf value;
	struct fw_change change;
	struct fw_commit commit;
	fw_suppression_done done;
	void *ctx;
};

static void end(struct saying *s, int rc)
{
	fw_suppression_done done = s->done;
	void *ctx = s->ctx;
	enum fw_suppression_outcome outcome = s->outcome;
	fw_buf_finish(&s->value);
	fw_arena_finish(&s->arena);
	free(s);
	done(ctx, rc, outcome);
}

static void look_before(struct saying *s);

static void on_written(void *ctx, int rc, uint64_t version)
{
	struct saying *s = ctx;
	(void)version;
	if (rc == FW_ECONFLICT) /* somebody said something at the same moment */
		look_before(s);
	else
		end(s, rc);
}

static void put(struct fw_buf *out, const struct fw_suppression *row)
{
	fw_pack_number(out, (uint64_t)(row->at_us / 1000));
	fw_pack_text(out, row->reason);
	if (!row->n_heard)
		return;
	fw_pack_number(out, row->lifting);
	fw_pack_number(out, row->n_heard);
	for (unsigned i = 0; i < row->n_heard; i++)
		fw_pack_fixed(out, row->heard[i]);
}

static void write_row(struct saying *s, const struct fw_suppression *row, uint64_t version)
{
	bool stays = row->reason.n || row->n_heard;
	s->change = (struct fw_change){ FW_CHANGE_DELETE, fw_key_str(&s->key), { NULL, 0 }, version };
	if (stays) {
		put(&s->value, row);
		s->change.kind = FW_CHANGE_PUT;
		s->change.value = (struct fw_str){ s->value.data, s->value.n };
	}
	const struct fw_batch batch = { s->key.bucket, &s->change, 1 };
	int rc = s->value.failed ? FW_ENOMEM : fw_commit(&s->commit, s->people, &batch, on_written, s);
	if (rc < 0)
		end(s, rc);
}

static void on_before(void *ctx, int rc, const struct fw_row *row)
{
	struct saying *s = ctx;
	struct fw_suppression now = { .at_us = 0 };
	if (rc == 0 && row->value.p)
		rc = fw_suppression_read(&s->arena, row, &now);
	if (rc < 0)
		end(s, rc == FW_EINVAL ? FW_EIO : rc);
	else if (fw_suppression_turn(&now, &s->said, &s->outcome))
		write_row(s, &now, row->version);
	else
		end(s, 0);
}

static void look_before(struct saying *s)
{
	fw_arena_reset(&s->arena);
	fw_buf_clear(&s->value);
	fw_store_get(s->people->store, s->key.bucket, fw_key_str(&s->key), &s->arena, on_before, s);
}

void fw_suppression_say(struct fw_people *people, const struct fw_key *key, const struct fw_suppression_said *said,
	fw_suppression_done done, void *ctx)
{
	struct saying *s = calloc(1, sizeof *s);
	if (!s) {
		done(ctx, FW_ENOMEM, FW_SUPPRESSION_OVER);
		return;
	}
	*s = (struct saying){ .people = people, .key = *key, .said = *said, .done = done, .ctx = ctx };
	fw_arena_init(&s->arena, NULL, 0, 0);
	fw_buf_init(&s->value, 0);
	look_before(s);
}
