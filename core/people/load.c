/* Reading a person: from the id to the record, wherever it is by now, and whose it is if several use one device. */
#include <string.h>

#include "people/astray.h"
#include "people/keep.h"
#include "people/post.h"

enum found_by { BY_ID, BY_USER, BY_GUEST };

/* On its way; lives in the arena of whoever asked. */
struct load {
	struct fw_people *people;
	struct fw_person_id id;  /* plain */
	struct fw_str user;
	struct fw_person_id asked; /* the row being followed; its text in `text` or the id's */
	char text[FW_KEYED_HASH_TEXT];
	struct fw_arena *arena;
	bool settled;
	enum found_by by;
	struct fw_follow follow;
	struct fw_person first;  /* found by the id, while the user is looked for */
	char first_text[FW_LIMIT_EVENT_ID_BYTES];
	fw_people_loaded done;
	void *ctx;
};

static void follow(struct load *l);

static void finish(struct load *l, int rc, const struct fw_person *person)
{
	static const struct fw_person nobody;
	l->done(l->ctx, rc, rc == 0 ? person : &nobody);
}

/* One after the other, those that the last does not have yet are merged into it, in memory. */
static int put_together(struct load *l, struct fw_person *person)
{
	struct fw_record *record, *moved;
	int rc = person->record.n ? fw_record_read(l->arena, person->record, &record, NULL) : 0;
	struct fw_spilled spilled[FW_SPILL_MOST]; /* remembered by nobody: this record is not written */
	unsigned n_spilled;
	bool merged = false;
	for (unsigned i = l->follow.n_pending; i-- > 0 && rc == 0;) {
		const struct fw_moved *m = &l->follow.pending[i];
		const struct fw_person_id id = fw_key_id(&l->follow.pending_keys[i]);
		struct fw_merge found;
		if (person->record.n && fw_keep_find(record, &id, m->number, &found))
			continue;
		rc = fw_record_read(l->arena, m->record, &moved, NULL);
		if (rc == 0 && !person->record.n && !merged)
			record = moved;
		else if (rc == 0)
			rc = fw_record_merge(record, moved, spilled, &n_spilled);
		merged = true;
		person->moved = id;
	}
	if (rc < 0 || !merged)
		return rc == FW_EINVAL ? FW_EIO : rc;
	return fw_record_bytes(record, l->arena, &person->record);
}

static void follow_other(struct load *l, enum found_by by, enum fw_person_kind kind, struct fw_str id)
{
	l->by = by;
	l->asked = (struct fw_person_id){ kind, id };
	follow(l);
}

/* The user has no row: a visitor who has not been somebody else is that user; else nobody has seen the user yet. */
static void decide_without_user(struct load *l, struct fw_person *person)
{
	finish(l, 0, l->first.whose.has_user ? person : &l->first);
}

static void remember_first(struct load *l, const struct fw_person *person)
{
	l->first = *person;
	memcpy(l->first_text, person->row.id.p, person->row.id.n);
	l->first.row.id.p = l->first_text;
}

static void on_arrived(void *ctx)
{
	follow(ctx);
}

static void on_followed(void *ctx, int rc)
{
	struct load *l = ctx;
	if (rc < 0) {
		finish(l, rc, NULL);
		return;
	}
	struct fw_flight *f = l->settled ? fw_flight_find(l->people, &l->follow.key) : NULL;
	if (f) {
		if (fw_flight_wait(f, on_arrived, l) < 0)
			finish(l, FW_ENOMEM, NULL);
		return;
	}
	struct fw_person person = { .row = fw_key_id(&l->follow.key), .record = l->follow.row.value, .version = l->follow.row.version };
	if (!person.record.p)
		person.record.n = 0;
	if (l->follow.n_pending && (rc = put_together(l, &person)) < 0) {
		finish(l, rc, NULL);
		return;
	}
	struct fw_str device = l->id.kind == FW_PERSON_ANONYMOUS ? l->id.id : (struct fw_str){ NULL, 0 };
	person.whose = fw_profile_whose(l->arena, person.record, device, l->user);
	if (l->by == BY_USER && !person.record.n) {
		decide_without_user(l, &person);
	} else if (l->by != BY_ID || l->id.kind == FW_PERSON_USER) {
		finish(l, 0, &person);
	} else if (l->user.n && !person.whose.is_user) {
		remember_first(l, &person);
		follow_other(l, BY_USER, FW_PERSON_USER, l->user);
	} else if (!l->user.n && person.whose.is_shared) {
		follow_other(l, BY_GUEST, FW_PERSON_GUEST, l->id.id);
	} else {
		finish(l, 0, &person);
	}
}

static void follow(struct load *l)
{
	fw_follow_told(&l->follow, l->people, &l->asked, false, l->arena, on_followed, l);
}

static void on_ready(void *ctx, int rc)
{
	struct load *l = ctx;
	if (rc < 0) {
		finish(l, rc, NULL);
		return;
	}
	fw_secret_row_id(&l->people->secret, &l->id, l->text, &l->asked);
	follow(l);
}

static void load(struct fw_people *p, const struct fw_person_id *id, struct fw_str user, bool settled, enum found_by by,
	struct fw_arena *arena, fw_people_loaded done, void *ctx)
{
	struct load *l = fw_arena_alloc(arena, sizeof *l);
	static const struct fw_person nobody;
	if (!l) {
		done(ctx, FW_ENOMEM, &nobody);
		return;
	}
	l->people = p;
	l->id = l->asked = *id;
	l->user = user;
	l->arena = arena;
	l->settled = settled;
	l->by = by;
	l->done = done;
	l->ctx = ctx;
	if (by == BY_ID && fw_secret_hides(id->kind))
		fw_people_ready(p, on_ready, l);
	else
		follow(l);
}

void fw_people_load(struct fw_people *p, const struct fw_person_id *id, struct fw_str user, bool settled, struct fw_arena *arena,
	fw_people_loaded done, void *ctx)
{
	load(p, id, user, settled, BY_ID, arena, done, ctx);
}

void fw_people_load_row(struct fw_people *p, const struct fw_person_id *row, struct fw_arena *arena, fw_people_loaded done, void *ctx)
{
	load(p, row, (struct fw_str){ NULL, 0 }, true, BY_GUEST, arena, done, ctx);
}

uint64_t fw_people_row_hash(const struct fw_person_id *row)
{
	struct fw_key key;
	fw_key_person(row, &key);
	return fw_key_read(key.bytes + 1, 8);
}

bool fw_people_row_changed(struct fw_str key, uint64_t *ret_hash)
{
	if (key.n <= FW_KEY_PERSON || key.p[0] != 'P' || key.p[FW_KEY_PERSON] != 'r')
		return false;
	*ret_hash = fw_key_read(key.p + 1, 8);
	return true;
}

/* Lies in the arena of whoever asked. */
struct hashed {
	struct fw_people *people;
	struct fw_arena *arena;
	fw_people_loaded done;
	void *ctx;
};

static void fail_hashed(const struct hashed *h, int rc)
{
	static const struct fw_person nobody;
	h->done(h->ctx, rc, &nobody);
}

static void on_hashed(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	const struct hashed *h = ctx;
	struct fw_key key;
	(void)more;
	if (rc == 0 && (n == 0 || rows[0].key.n <= FW_KEY_PERSON + 2 || rows[0].key.n > sizeof key.bytes))
		rc = FW_ENOENT;
	if (rc < 0) {
		fail_hashed(h, rc);
		return;
	}
	memcpy(key.bytes, rows[0].key.p, rows[0].key.n);
	key.n = (unsigned)rows[0].key.n;
	struct fw_person_id row = fw_key_id(&key);
	if ((row.id.p = fw_arena_strndup(h->arena, row.id.p, row.id.n)))
		fw_people_load_row(h->people, &row, h->arena, h->done, h->ctx);
	else
		fail_hashed(h, FW_ENOMEM);
}

void fw_people_load_hash(struct fw_people *p, uint64_t hash, struct fw_arena *arena, fw_people_loaded done, void *ctx)
{
	char prefix[FW_KEY_PERSON + 1] = { 'P', [FW_KEY_PERSON] = 'r' };
	struct hashed *h = FW_NEW(arena, struct hashed);
	if (!h) {
		fail_hashed(&(struct hashed){ .done = done, .ctx = ctx }, FW_ENOMEM);
		return;
	}
	*h = (struct hashed){ p, arena, done, ctx };
	fw_key_number(prefix + 1, hash, 8);
	fw_store_scan(p->store, fw_store_bucket(hash), (struct fw_str){ prefix, sizeof prefix }, (struct fw_str){ NULL, 0 }, 1, arena,
		on_hashed, h);
}
