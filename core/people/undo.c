#include "people/undo.h"

#include <stdlib.h>
#include <string.h>

#include "people/asked.h"
#include "people/keep.h"
#include "people/post.h"
#include "people/wake.h"
#include "people/who.h"

enum { ENTRIES_MOST = 2 * FW_LIMIT_RECORD_IDS + 2 + FW_ASKED_ENTRIES };

struct undoing {
	struct fw_people *people;
	struct fw_arena arena;      /* of the round */
	struct fw_who who;
	uint64_t number;
	int64_t now_us;
	struct fw_merge merge;
	struct fw_person_id absorbed_id;
	bool settled;               /* the row of the absorbed has let go of its record */
	struct fw_key owner;        /* whose row `before` is looked for beside */
	unsigned looked;
	struct fw_str kept;         /* of the absorbed */
	struct fw_record *absorbed;
	struct fw_person_id own;
	struct fw_entry entries[ENTRIES_MOST];
	struct fw_outgoing outgoing;
	struct fw_str bytes;
	struct fw_change changes[ENTRIES_MOST + 2 + FW_WAKE_CHANGES];
	struct fw_commit commit;
	fw_people_done done;
	void *ctx;
};

static void end(struct undoing *u, int rc)
{
	fw_people_done done = u->done;
	void *ctx = u->ctx;
	fw_arena_finish(&u->arena);
	free(u);
	done(ctx, rc);
}

static void on_committed(void *ctx, int rc, uint64_t version)
{
	struct undoing *u = ctx;
	(void)version;
	if (rc == FW_ECONFLICT) {
		fw_who_again(&u->who);
		return;
	}
	if (rc == 0)
		fw_post_deliver_all(u->people, u->who.follow.key.bucket, u->entries, u->outgoing.n);
	end(u, rc);
}

static void commit(struct undoing *u)
{
	const struct fw_follow *f = &u->who.follow;
	u->own = fw_key_id(&f->key);
	u->outgoing.n += fw_asked_changes(&u->own, u->who.record, false, u->entries + u->outgoing.n);
	u->outgoing = (struct fw_outgoing){ f->key.bucket, u->entries, u->outgoing.n };
	u->changes[0] = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(&f->key), u->bytes, f->row.version };
	int wakes = fw_wake_write(&f->key, u->who.record, false, &u->arena, u->changes + 1);
	int n = wakes < 0 ? wakes : fw_outgoing_write(&u->outgoing, &u->arena, u->changes + 1 + wakes);
	const struct fw_batch batch = { f->key.bucket, u->changes, 1 + (unsigned)(wakes + n) };
	int rc = n < 0 ? n : fw_commit(&u->commit, u->people, &batch, on_committed, u);
	if (rc < 0)
		end(u, rc);
}

static struct fw_entry *add_entry(struct undoing *u, enum fw_entry_kind kind, const struct fw_person_id *target)
{
	struct fw_entry *e = &u->entries[u->outgoing.n++];
	*e = (struct fw_entry){ .kind = kind, .target = *target, .at_us = u->now_us };
	return e;
}

/* The id of both is what made them one. A userId stays with whom it is with; any other says no more who somebody is. */
static void part_id(struct undoing *u, const struct fw_id *id, const struct fw_person_id *row)
{
	if (id->kind == FW_ID_USER) {
		fw_record_remove_id(u->absorbed, id->kind, id->text);
		return;
	}
	fw_record_share_id(u->absorbed, id->kind, id->text);
	fw_record_share_id(u->who.record, id->kind, id->text);
	add_entry(u, FW_ENTRY_SHARE, row)->because = *row;
}

/* Whose ids they are from now on: their rows are told. */
static int part_ids(struct undoing *u, const struct fw_record *before)
{
	const struct fw_person_id own = fw_key_id(&u->who.follow.key);
	struct fw_id ids[FW_LIMIT_RECORD_IDS], id;
	unsigned n = 0;
	for (; n < FW_LIMIT_RECORD_IDS && fw_record_id(u->absorbed, n, &id); n++)
		ids[n] = id;
	for (unsigned i = 0; i < n; i++) {
		struct fw_person_id row;
		if (fw_secret_row_of(&u->people->secret, &ids[i], &u->arena, &row) < 0)
			return FW_ENOMEM;
		if (fw_record_has_id(before, ids[i].kind, ids[i].text))
			part_id(u, &ids[i], &row);
		else if (!fw_person_id_equal(&row, &u->absorbed_id)) {
			struct fw_entry *e = add_entry(u, FW_ENTRY_REPOINT, &row);
			e->because = own;
			e->other = u->absorbed_id;
		}
	}
	return 0;
}

static int part(struct undoing *u, struct fw_str before_bytes)
{
	struct fw_record *before;
	int rc = fw_record_read(&u->arena, before_bytes, &before, NULL);
	if (rc == 0)
		rc = fw_record_read(&u->arena, u->kept, &u->absorbed, NULL);
	if (rc == 0)
		rc = fw_record_split(u->who.record, before, u->absorbed);
	if (rc < 0)
		return rc;
	fw_record_forget_merge(u->who.record, u->merge.kind, u->merge.id, u->merge.number);
	u->outgoing.n = 0;
	rc = part_ids(u, before);
	struct fw_entry *split = add_entry(u, FW_ENTRY_SPLIT, &u->absorbed_id);
	split->other = fw_key_id(&u->who.follow.key);
	split->merge = u->merge.number;
	if (rc == 0)
		rc = fw_record_bytes(u->absorbed, &u->arena, &split->record);
	return rc < 0 ? rc : fw_record_bytes(u->who.record, &u->arena, &u->bytes);
}

static void find_before(struct undoing *u);

static void on_before(void *ctx, int rc, const struct fw_row *row)
{
	struct undoing *u = ctx;
	struct fw_str before;
	if (rc == 0 && !row->value.p) {
		u->looked++;
		find_before(u);
		return;
	}
	if (rc == 0)
		rc = fw_keep_read(&u->arena, FW_SIDE_BEFORE, u->merge.seal, row->value, &before);
	if (rc == 0)
		rc = part(u, before);
	if (rc < 0)
		end(u, rc == FW_EINVAL ? FW_EIO : rc);
	else
		commit(u);
}

/* What the other was before lies beside the row that it had then: this one, or that of somebody merged since. */
static void find_before(struct undoing *u)
{
	struct fw_merge m;
	struct fw_key key;
	u->owner = u->who.follow.key;
	if (u->looked > 0) {
		if (!fw_record_merge_at(u->who.record, u->looked - 1, &m)) {
			end(u, FW_ENOENT);
			return;
		}
		fw_key_person(&(struct fw_person_id){ (enum fw_person_kind)m.kind, m.id }, &u->owner);
	}
	fw_key_kept(&u->owner, fw_keep_merge(&u->absorbed_id, u->merge.number), FW_SIDE_BEFORE, &key);
	fw_store_get(u->people->store, key.bucket, fw_key_str(&key), &u->arena, on_before, u);
}

static void on_settled(void *ctx, int rc)
{
	struct undoing *u = ctx;
	u->settled = rc == 0;
	if (rc < 0 && rc != FW_EBUSY)
		end(u, rc);
	else
		fw_who_again(&u->who);
}

/* The record is kept there once the row of the absorbed has let go of it: whoever merged them may not have come to that, or died. */
static void on_absorbed(void *ctx, int rc, const struct fw_row *row)
{
	struct undoing *u = ctx;
	if (rc == 0 && !row->value.p && !u->settled) {
		struct fw_key absorbed;
		fw_key_person(&u->absorbed_id, &absorbed);
		fw_post_settle(u->people, &absorbed, on_settled, u);
		return;
	}
	if (rc == 0)
		rc = row->value.p ? fw_keep_read(&u->arena, FW_SIDE_ABSORBED, u->merge.seal, row->value, &u->kept) : FW_ENOENT;
	if (rc < 0) {
		end(u, rc == FW_EINVAL ? FW_EIO : rc);
		return;
	}
	u->looked = 0;
	find_before(u);
}

/* The latest, or that of the number. */
static bool find_merge(struct undoing *u)
{
	struct fw_merge m;
	bool found = false;
	for (unsigned i = 0; fw_record_merge_at(u->who.record, i, &m); i++)
		if (u->number == 0 || m.number == u->number) {
			u->merge = m;
			found = true;
		}
	return found;
}

static void on_found(void *ctx, int rc)
{
	struct undoing *u = ctx;
	struct fw_key absorbed, key;
	if (rc == 0 && !find_merge(u))
		rc = FW_ENOENT;
	if (rc < 0) {
		end(u, rc);
		return;
	}
	u->absorbed_id = (struct fw_person_id){ (enum fw_person_kind)u->merge.kind, u->merge.id };
	fw_key_person(&u->absorbed_id, &absorbed);
	fw_key_kept(&absorbed, fw_keep_merge(&u->absorbed_id, u->merge.number), FW_SIDE_ABSORBED, &key);
	fw_store_get(u->people->store, key.bucket, fw_key_str(&key), &u->arena, on_absorbed, u);
}

void fw_people_unmerge(struct fw_people *p, const struct fw_person_id *id, uint64_t number, int64_t now_us, fw_people_done done, void *ctx)
{
	struct undoing *u = calloc(1, sizeof *u);
	if (!u) {
		done(ctx, FW_ENOMEM);
		return;
	}
	u->people = p;
	u->number = number;
	u->now_us = now_us;
	u->done = done;
	u->ctx = ctx;
	fw_arena_init(&u->arena, NULL, 0, 0);
	fw_who_find(&u->who, p, id, &u->arena, on_found, u);
}
