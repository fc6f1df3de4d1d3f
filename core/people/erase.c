/* An erasure's first step is one batch in the bucket of the record: the record goes, a tombstone comes, every other id is told by
 * the outbox, and a row says what is still to be done. So whatever dies afterwards, somebody finds that row and goes on
 * (erase_rest.c). */
#include "people/erase_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "people/asked.h"
#include "people/post.h"
#include "people/tombstone.h"
#include "people/wake.h"
#include "people/who.h"

enum {
	ROWS_MOST = 400, ENTRIES_MOST = 2 * FW_LIMIT_RECORD_IDS + 2 + FW_ASKED_ENTRIES,
	CHANGES_MOST = ROWS_MOST + ENTRIES_MOST + FW_WAKE_CHANGES + 8,
};

struct erasing {
	struct fw_people *people;
	struct fw_arena arena; /* of the round */
	struct fw_who who;
	const struct fw_late *late; /* NULL: whoever goes by the id */
	int64_t now_us;
	struct fw_erasure job;
	struct fw_key job_key;
	struct fw_entry entries[ENTRIES_MOST];
	struct fw_outgoing outgoing;
	struct fw_change changes[CHANGES_MOST];
	unsigned n_changes, left;
	struct fw_commit commit;
	fw_people_erased done;
	void *ctx;
};

static void end(struct erasing *e, int rc, const struct fw_receipt *receipt)
{
	static const struct fw_receipt none;
	fw_people_erased done = e->done;
	void *ctx = e->ctx;
	const struct fw_receipt copy = receipt ? *receipt : none;
	fw_arena_finish(&e->arena);
	free(e);
	done(ctx, rc, &copy);
}

static void on_rest(void *ctx, int rc, const struct fw_receipt *receipt)
{
	struct erasing *e = ctx;
	struct fw_receipt own = e->job.receipt;
	if (rc == 0)
		own = *receipt;
	end(e, 0, &own); /* what could not be done now is gone on with */
}

static void leave(struct erasing *e)
{
	if (--e->left == 0)
		fw_erasure_go_on(e->people, &e->job_key, e->now_us, on_rest, e);
}

static void on_delivered(void *ctx, int rc)
{
	(void)rc;
	leave(ctx);
}

static void on_committed(void *ctx, int rc, uint64_t version)
{
	struct erasing *e = ctx;
	(void)version;
	if (rc == FW_ECONFLICT) {
		fw_who_again(&e->who);
		return;
	}
	if (rc < 0) {
		end(e, rc, NULL);
		return;
	}
	e->left = 1;
	for (unsigned i = 0; i < e->outgoing.n; i++) {
		struct fw_key key;
		fw_entry_key(&e->entries[i], &key);
		e->left++;
		fw_post_deliver(e->people, e->outgoing.bucket, key.bucket, on_delivered, e);
	}
	leave(e);
}

static void commit(struct erasing *e)
{
	struct fw_batch batch = { e->who.follow.key.bucket, e->changes, e->n_changes };
	e->outgoing.bucket = batch.bucket;
	e->outgoing.entries = e->entries;
	int n = e->outgoing.n ? fw_outgoing_write(&e->outgoing, &e->arena, e->changes + batch.n) : 0;
	if (n > 0)
		batch.n += (unsigned)n;
	int rc = n < 0 ? n : fw_commit(&e->commit, e->people, &batch, on_committed, e);
	if (rc < 0)
		end(e, rc, NULL);
}

static void add(struct erasing *e, enum fw_change_kind kind, struct fw_str key, struct fw_str value, uint64_t expected)
{
	e->changes[e->n_changes++] = (struct fw_change){ kind, key, value, expected };
}

static int put_job(struct erasing *e)
{
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_erasure_write(&e->job, &b);
	struct fw_str value;
	if (fw_buf_keep(&b, &e->arena, &value) < 0)
		return FW_ENOMEM;
	add(e, FW_CHANGE_PUT, fw_key_str(&e->job_key), value, FW_VERSION_NONE);
	return 0;
}

/* Its text lives as long as the round. */
static void tell_row(struct erasing *e, const struct fw_person_id *row, bool only_own)
{
	const struct fw_person_id own = fw_key_id(&e->who.follow.key);
	struct fw_entry *entry = &e->entries[e->outgoing.n];
	if (fw_person_id_equal(row, &own))
		return;
	*entry = (struct fw_entry){ .kind = FW_ENTRY_ERASE, .target = *row, .other = own, .at_us = e->now_us, .only_own = only_own,
		.user = fw_record_user(e->who.record) };
	e->outgoing.n++;
}

/* What has a row of its own by the same text: a guest of the device, and what was claimed of the userId. */
static void tell_beside(struct erasing *e, const struct fw_id *id)
{
	if (id->kind == FW_ID_USER)
		tell_row(e, &(struct fw_person_id){ FW_PERSON_UNVERIFIED, id->text }, false);
	else if (id->kind == FW_ID_ANONYMOUS && id->shared)
		tell_row(e, &(struct fw_person_id){ FW_PERSON_GUEST, id->text }, false);
}

/* Every id: its row is told, and its hash is what dead letters are compared with. */
static int list_ids(struct erasing *e)
{
	const struct fw_person_id own = fw_key_id(&e->who.follow.key);
	struct fw_id id;
	e->outgoing.n = e->job.n_hashes = 0;
	e->job.hashes = fw_arena_array(&e->arena, FW_LIMIT_RECORD_IDS + 1, sizeof *e->job.hashes);
	if (!e->job.hashes)
		return FW_ENOMEM;
	if (!e->who.record)
		fw_secret_hash(&e->people->secret, &own, e->job.hashes[e->job.n_hashes++]);
	for (unsigned i = 0; e->who.record && fw_record_id(e->who.record, i, &id); i++) {
		struct fw_person_id row;
		if (fw_secret_row_of(&e->people->secret, &id, &e->arena, &row) < 0)
			return FW_ENOMEM;
		fw_secret_hash(&e->people->secret, &row, e->job.hashes[e->job.n_hashes++]);
		tell_row(e, &row, id.shared && id.kind != FW_ID_ANONYMOUS);
		tell_beside(e, &id);
	}
	e->job.receipt.ids = e->job.n_hashes;
	return 0;
}

/* What the person asked for stands in the index of products, in other buckets. */
static int tell_index(struct erasing *e)
{
	struct fw_person_id *own = FW_NEW(&e->arena, struct fw_person_id);
	unsigned n = 0;
	if (!own)
		return FW_ENOMEM;
	*own = fw_key_id(&e->who.follow.key);
	int rc = fw_asked_leave(own, e->who.follow.row.value, &e->arena, e->entries + e->outgoing.n, &n);
#ifndef FW_BREAK_UNASK /* whoever is erased stays in the index */
	e->outgoing.n += n;
#endif
	return rc;
}

static void on_part_deleted(void *ctx, int rc, uint64_t version)
{
	struct erasing *e = ctx;
	(void)version;
	if (rc < 0 && rc != FW_ECONFLICT)
		end(e, rc, NULL);
	else
		fw_who_again(&e->who);
}

/* The rows beside the record: remembered messages, what is kept of merges, keys of what is logged. */
static void on_rows(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct erasing *e = ctx;
	const struct fw_follow *f = &e->who.follow;
	const struct fw_person_id own = fw_key_id(&f->key);
	const struct fw_str user = e->who.record ? fw_record_user(e->who.record) : (struct fw_str){ NULL, 0 };
	e->n_changes = 0;
	if (rc == 0 && !e->who.record && n == 0)
		rc = FW_ENOENT;
	for (size_t i = 0; i < n && rc == 0; i++)
		if (rows[i].key.n > FW_KEY_PERSON && rows[i].key.p[FW_KEY_PERSON] != 'r')
			add(e, FW_CHANGE_DELETE, rows[i].key, (struct fw_str){ NULL, 0 }, FW_VERSION_ANY);
	if (rc == 0 && more) {
		const struct fw_batch part = { f->key.bucket, e->changes, e->n_changes };
		rc = fw_commit(&e->commit, e->people, &part, on_part_deleted, e);
		if (rc < 0)
			end(e, rc, NULL);
		return;
	}
	if (rc == 0)
		rc = list_ids(e);
	add(e, FW_CHANGE_DELETE, fw_key_str(&f->key), (struct fw_str){ NULL, 0 }, f->row.version);
	if (rc == 0)
		rc = fw_tombstone_write(&e->people->secret, &own, user, e->now_us, &e->arena,
			&e->changes[e->n_changes++]);
	if (rc == 0)
		rc = put_job(e);
	if (rc == 0 && e->who.record)
		rc = tell_index(e);
	if (rc == 0 && e->who.record)
		rc = fw_wake_leave(&f->key, f->row.value, &e->arena, e->changes + e->n_changes);
	e->n_changes += rc > 0 ? (unsigned)rc : 0;
	if (rc < 0)
		end(e, rc, NULL);
	else
		commit(e);
}

static void make_job(struct erasing *e)
{
	uint64_t chance = 0;
	if (getrandom(&chance, sizeof chance, 0) != sizeof chance)
		chance = fw_hash(e, sizeof *e);
	e->job = (struct fw_erasure){ .receipt.begun_us = e->now_us };
	fw_erasure_key(e->who.follow.key.bucket, e->now_us, chance, &e->job_key);
	fw_erasure_name(&e->job_key, e->job.receipt.id);
}

static void on_found(void *ctx, int rc)
{
	struct erasing *e = ctx;
	const struct fw_key *key = &e->who.follow.key;
	if (rc == FW_ENOENT && !e->late) { /* no record, but a key of what was logged may be there */
		e->who.record = NULL;
		rc = 0;
	}
	if (rc == 0 && e->late && !fw_late_is_one(e->late, &e->people->secret, e->who.record))
		rc = FW_ENOENT;
	if (rc < 0) {
		end(e, rc, NULL);
		return;
	}
	make_job(e);
	const struct fw_str prefix = { key->bytes, FW_KEY_PERSON };
	fw_store_scan(e->people->store, key->bucket, prefix, (struct fw_str){ NULL, 0 }, ROWS_MOST, &e->arena, on_rows, e);
}

/* Of whoever goes by the id, or of whom `late` names. */
static void begin(struct fw_people *p, const struct fw_person_id *id, const struct fw_late *late, int64_t now_us, fw_people_erased done,
	void *ctx)
{
	static const struct fw_receipt none;
	struct erasing *e = calloc(1, sizeof *e);
	if (!e) {
		done(ctx, FW_ENOMEM, &none);
		return;
	}
	e->people = p;
	e->late = late;
	e->now_us = now_us;
	e->done = done;
	e->ctx = ctx;
	fw_arena_init(&e->arena, NULL, 0, 0);
	if (late)
		fw_who_find_row(&e->who, p, &late->person, &e->arena, on_found, e);
	else
		fw_who_find(&e->who, p, id, &e->arena, on_found, e);
}

void fw_people_erase(struct fw_people *p, const struct fw_person_id *id, int64_t now_us, fw_people_erased done, void *ctx)
{
	begin(p, id, NULL, now_us, done, ctx);
}

void fw_erase_late(struct fw_people *p, const struct fw_late *l, int64_t now_us, fw_people_erased done, void *ctx)
{
	begin(p, NULL, l, now_us, done, ctx);
}
