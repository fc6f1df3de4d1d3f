/* A userId that is new to a person may be somebody's already: then the two are one. Which of them moves is an order of keys, so it is
 * known here and now, and what `join` finds out by asking to and fro need not be asked. Whether they may become one the receiver
 * looks at once more, as ever. */
#include <string.h>
#include <sys/random.h>

#include "people/astray.h"
#include "people/receive.h"

/* The entry that tells the row of a userId whose it is; NULL: there is none. */
static struct fw_entry *find_user(const struct fw_flight *f)
{
	for (unsigned i = 0; i < f->n_entries; i++)
		if (f->entries[i].kind == FW_ENTRY_POINT && f->entries[i].target.kind == FW_PERSON_USER)
			return &f->entries[i];
	return NULL;
}

/* Who is the same user, by the row that was followed, with nothing on its way there; NULL: nobody. */
static struct fw_record *find_same_user(struct fw_flight *f, const struct fw_person_id *id)
{
	struct fw_record *found;
	const struct fw_follow *o = &f->follow;
	if (f->is_new || o->shared || o->n_pending || !o->row.value.p || fw_person_id_equal(id, &f->id) ||
			fw_record_read(&f->arena, o->row.value, &found, NULL) < 0)
		return NULL;
	struct fw_str user = fw_record_user(f->record);
	return user.n && fw_str_equal(user, fw_record_user(found)) && !fw_record_may_not_merge(f->record, found) ? found : NULL;
}

/* Takes back that the row is told whose it is. False: it is not to be told. */
static bool take_back(struct fw_flight *f, const struct fw_person_id *row)
{
	for (unsigned i = 0; i < f->n_entries; i++)
		if (f->entries[i].kind == FW_ENTRY_POINT && fw_person_id_equal(&f->entries[i].target, row)) {
			memmove(&f->entries[i], &f->entries[i + 1], (--f->n_entries - i) * sizeof *f->entries);
			return true;
		}
	return false;
}

/* Ids that are new here and the other has already: their rows lead there, and whichever of the two records moves, they become this
 * person's with it. */
static int leave_known_ids(struct fw_flight *f, const struct fw_record *found)
{
	struct fw_id id, other;
	for (unsigned i = 0; fw_record_id(f->record, i, &id);) {
		struct fw_person_id row;
		bool known = id.kind != FW_ID_USER && !id.shared && fw_record_find_id(found, id.kind, id.text, &other) && !other.shared;
		if (known && fw_secret_row_of(&f->people->secret, &id, &f->arena, &row) < 0)
			return FW_ENOMEM;
		if (known && take_back(f, &row))
			fw_record_remove_id(f->record, id.kind, id.text);
		else
			i++;
	}
	return 0;
}

/* The record of this row moves, with what was added to it just now; that is said first. */
static int move(struct fw_flight *f, struct fw_entry *e, const struct fw_entry *told, const struct fw_person_id *to)
{
	*e = f->entries[0];
	f->entries[0] = (struct fw_entry){ .kind = FW_ENTRY_ABSORB, .target = *to, .other = f->id, .because = told->target,
		.only_own = true, .at_us = told->at_us };
	f->moves = true;
	return getrandom(f->entries[0].seal, FW_SEAL_BYTES, 0) == FW_SEAL_BYTES ? 0 : FW_EIO;
}

static int meet(struct fw_flight *f)
{
	struct fw_person_id id = fw_key_id(&f->follow.key);
	const struct fw_record *found = find_same_user(f, &id);
	if (!found)
		return 0;
	if (!(id.id.p = fw_arena_strndup(&f->arena, id.id.p, id.id.n)) || leave_known_ids(f, found) < 0)
		return FW_ENOMEM;
	struct fw_entry *e = find_user(f);
	const struct fw_entry told = *e;
	if (fw_receive_moves(&f->id, &id))
		return move(f, e, &told, &id);
	*e = (struct fw_entry){ .kind = FW_ENTRY_JOIN, .target = id, .other = f->id, .because = told.target, .user = told.target.id,
		.merge = 1, .at_us = told.at_us };
	return 0;
}

static void on_followed(void *ctx, int rc)
{
	struct fw_flight *f = ctx;
	/* Where it leads is not known: it is told, and asks. */
	if (rc == 0 && (rc = meet(f)) < 0)
		fw_flight_end(f, rc);
	else
		fw_flight_commit(f);
}

void fw_flight_meet(struct fw_flight *f)
{
	const struct fw_entry *e = find_user(f);
	if (e)
		fw_follow_told(&f->follow, f->people, &e->target, true, &f->arena, on_followed, f);
	else
		fw_flight_commit(f);
}
