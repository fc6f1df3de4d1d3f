/* A row that moved keeps its record until the other one has it; then it is dropped there, and kept sealed. */
#include <stdlib.h>

#include "people/asked.h"
#include "people/commit.h"
#include "people/follow.h"
#include "people/keep.h"
#include "people/outgoing.h"
#include "people/post.h"
#include "people/row.h"
#include "people/wake.h"

enum { TRIES_MOST = 1000 };

struct settling {
	struct fw_people *people;
	struct fw_key key, entry;   /* entry.n 0: there is none to be taken out */
	struct fw_arena arena;
	struct fw_moved moved;
	uint64_t version;
	bool sent, waited, fetched; /* what goes there was delivered; what waits there; what comes back */
	struct fw_follow follow;
	struct fw_commit commit;
	unsigned tries;
	struct fw_person_id id;     /* of `key` */
	struct fw_entry asked[FW_ASKED_ENTRIES]; /* what the record asked for: who has it by now says so of its own row */
	unsigned n_asked;
	fw_people_done done;
	void *ctx;
};

static void look(struct settling *s);

static void end(struct settling *s, int rc)
{
	fw_people_done done = s->done;
	void *ctx = s->ctx;
	fw_arena_finish(&s->arena);
	free(s);
	if (done)
		done(ctx, rc);
}

static void on_dropped(void *ctx, int rc, uint64_t version)
{
	struct settling *s = ctx;
	(void)version;
	if (rc == 0)
		fw_post_deliver_all(s->people, s->key.bucket, s->asked, s->n_asked);
	if (rc == FW_ECONFLICT && ++s->tries < TRIES_MOST)
		look(s);
	else
		end(s, rc == FW_ECONFLICT ? FW_EBUSY : rc);
}

static void drop(struct settling *s, const struct fw_merge *m)
{
	struct fw_change *changes = FW_NEW_ARRAY(&s->arena, 4 + FW_WAKE_CHANGES + FW_ASKED_ENTRIES, struct fw_change);
	unsigned n = 2;
	struct fw_moved slim = s->moved;
	struct fw_str bytes = { NULL, 0 };
	const struct fw_person_id id = fw_key_id(&s->key);
	slim.record.n = 0;
	int rc = changes ? fw_moved_bytes(&slim, &s->arena, &bytes) : FW_ENOMEM;
	if (rc == 0) {
		changes[0] = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(&s->key), bytes, s->version };
		rc = fw_keep_write(&s->arena, &s->key, fw_keep_merge(&id, m->number), FW_SIDE_ABSORBED, m->seal, m->at_us, s->moved.record,
			&changes[1]);
	}
	if (rc == 0 && s->entry.n)
		changes[n++] = (struct fw_change){ FW_CHANGE_DELETE, fw_key_str(&s->entry), { NULL, 0 }, FW_VERSION_ANY };
	if (rc == 0)
		rc = fw_wake_leave(&s->key, s->moved.record, &s->arena, changes + n);
	n += rc > 0 ? (unsigned)rc : 0;
	s->id = fw_key_id(&s->key);
	if (rc >= 0)
		rc = fw_asked_leave(&s->id, s->moved.record, &s->arena, s->asked, &s->n_asked);
	if (rc == 0 && s->n_asked)
		rc = fw_outgoing_write(&(struct fw_outgoing){ s->key.bucket, s->asked, s->n_asked }, &s->arena, changes + n);
	n += rc > 0 ? (unsigned)rc : 0;
	if (rc >= 0)
		rc = fw_commit(&s->commit, s->people, &(struct fw_batch){ s->key.bucket, changes, n }, on_dropped, s);
	if (rc < 0)
		end(s, rc);
}

static void on_delivered(void *ctx, int rc)
{
	struct settling *s = ctx;
	if (rc < 0)
		end(s, rc);
	else
		look(s);
}

/* Not there: it is still on its way, or on its way back. */
static void deliver(struct settling *s)
{
	struct fw_key to;
	fw_key_person(&s->moved.to, &to);
	if (s->entry.n) { /* whoever delivers it waits for this */
		end(s, FW_EBUSY);
	} else if (!s->sent) {
		s->sent = true;
		fw_post_deliver(s->people, s->key.bucket, to.bucket, on_delivered, s);
	} else if (!s->waited && to.bucket != s->key.bucket) {
		/* Towards lower buckets only, as records move: so nobody waits for himself. */
		s->waited = true;
		fw_post_deliver(s->people, to.bucket, to.bucket, on_delivered, s);
	} else if (!s->fetched) {
		s->fetched = true;
		fw_post_deliver(s->people, to.bucket, s->key.bucket, on_delivered, s);
	} else {
		end(s, FW_EBUSY);
	}
}

static void on_followed(void *ctx, int rc)
{
	struct settling *s = ctx;
	struct fw_record *record;
	struct fw_merge m;
	const struct fw_person_id id = fw_key_id(&s->key);
	if (rc == 0 && s->follow.row.value.p)
		rc = fw_record_read(&s->arena, s->follow.row.value, &record, NULL);
	if (rc < 0)
		end(s, rc == FW_EINVAL ? FW_EIO : rc);
	else if (s->follow.row.value.p && fw_keep_find(record, &id, s->moved.number, &m))
		drop(s, &m);
	else
		deliver(s);
}

static void on_row(void *ctx, int rc, const struct fw_row *row)
{
	struct settling *s = ctx;
	if (rc == 0 && row->value.p && fw_row_is_moved(row->value))
		rc = fw_moved_read(&s->arena, row->value, &s->moved);
	if (rc < 0 || !row->value.p || !fw_row_is_moved(row->value) || !s->moved.record.n) {
		end(s, rc == FW_EINVAL ? FW_EIO : rc);
		return;
	}
	s->version = row->version;
	fw_follow(&s->follow, s->people->store, &s->moved.to, true, &s->arena, on_followed, s);
}

static void look(struct settling *s)
{
	fw_arena_reset(&s->arena);
	fw_store_get_for_batch(s->people->store, s->key.bucket, fw_key_str(&s->key), &s->arena, on_row, s);
}

static void settle(struct fw_people *p, const struct fw_key *key, const struct fw_key *entry, fw_people_done done, void *ctx)
{
	struct settling *s = calloc(1, sizeof *s);
	if (!s) {
		if (done)
			done(ctx, FW_ENOMEM);
		return;
	}
	s->people = p;
	s->key = *key;
	if (entry)
		s->entry = *entry;
	s->done = done;
	s->ctx = ctx;
	fw_arena_init(&s->arena, NULL, 0, 0);
	look(s);
}

void fw_post_settle(struct fw_people *p, const struct fw_key *key, fw_people_done done, void *ctx)
{
	settle(p, key, NULL, done, ctx);
}

void fw_post_settle_entry(struct fw_people *p, const struct fw_key *key, const struct fw_key *entry, fw_people_done done, void *ctx)
{
	settle(p, key, entry, done, ctx);
}
