/* Whose an event is. It is applied to the record that the first of its ids leads to, whatever else it tells: so the same event,
 * handed in twice, always comes by the same row, and is found there. Its other ids become that person's. */
#include <string.h>

#include "base/log.h"
#include "people/astray.h"
#include "people/post.h"
#include "people/tombstone.h"

static bool is_id_kind(enum fw_person_kind kind)
{
	return kind < (enum fw_person_kind)FW_ID_KINDS;
}

/* A claim as a row's id; its text in `text` or the claim's. */
static void row_of(const struct fw_flight *f, const struct fw_claim *c, char text[FW_KEYED_HASH_TEXT], struct fw_person_id *ret)
{
	const struct fw_person_id plain = { (enum fw_person_kind)c->kind, c->text };
	fw_secret_row_id(&f->people->secret, &plain, text, ret);
}

static bool is_own(const struct fw_flight *f, const struct fw_person_id *row)
{
	return fw_person_id_equal(row, &f->id);
}

static struct fw_str claimed_user(const struct fw_people_event *e)
{
	for (unsigned i = 0; i < e->n_claims; i++)
		if (e->claims[i].kind == FW_ID_USER)
			return e->claims[i].text;
	return (struct fw_str){ NULL, 0 };
}

/* Takes the event out of the round, to the row of that id. 1 or FW_ENOMEM. */
static int send_elsewhere(struct fw_flight *f, struct fw_people_event *e, const struct fw_person_id *to)
{
	struct fw_people_event **link = &f->round, **tail = &f->elsewhere;
	if (fw_people_event_send(e, to) < 0)
		return FW_ENOMEM;
	while (*link != e)
		link = &(*link)->next;
	*link = f->at = e->next;
	e->next = NULL;
	while (*tail)
		tail = &(*tail)->next;
	*tail = e;
	return 1;
}

/* Whether the record does not go by the id that the event came by (astray.h). What is applied meanwhile would be somebody else's, and
 * may be there twice, as only the other's record knows what it has seen. */
static bool came_by_other(const struct fw_flight *f, const struct fw_people_event *e)
{
	bool is_sent = e->hops > 0 && !e->told && !e->pointed && !e->other_device_user && !e->restocked;
#ifdef FW_BREAK_PARTED
	return false;
#endif
	return is_sent && !f->is_new && is_id_kind(f->id.kind) && is_id_kind(e->id.kind) &&
		!fw_record_has_id(f->record, (enum fw_id_kind)e->id.kind, e->id.id);
}

static void on_told_apart(void *ctx, int rc)
{
	struct fw_flight *f = ctx;
	if (rc < 0)
		fw_flight_end(f, rc);
	else
		fw_round_step(f);
}

int fw_claims_begin_again(struct fw_flight *f, struct fw_people_event *e)
{
	char text[FW_KEYED_HASH_TEXT];
	struct fw_person_id row;
	bool comes = came_by_other(f, e), stays = !e->told || is_own(f, &e->row);
	if (!comes && stays) /* else it has been sent on, and is here once more because of a conflict */
		return 0;
	if (comes && !f->told) {
		f->told = true;
		fw_post_sweep(f->people, f->key.bucket, 1, on_told_apart, f);
		return 2;
	}
	e->told = true;
	fw_secret_row_id(&f->people->secret, &e->id, text, &row);
	return send_elsewhere(f, e, &row);
}

/* The device's id says no more who is there: it is the first user's, and others come by it. */
static void share_device(struct fw_flight *f, struct fw_people_event *e)
{
	struct fw_id id;
	e->other_device_user = true;
	for (unsigned i = 0; i < e->n_claims; i++)
		if (e->claims[i].kind == FW_ID_ANONYMOUS && fw_record_find_id(f->record, FW_ID_ANONYMOUS, e->claims[i].text, &id) &&
				!id.shared) {
			fw_record_share_id(f->record, FW_ID_ANONYMOUS, e->claims[i].text);
			f->changed = true;
		}
}

static bool is_claim(const struct fw_flight *f, const struct fw_people_event *e, unsigned i)
{
	return is_id_kind(f->id.kind) && !(e->other_device_user && e->claims[i].kind == FW_ID_ANONYMOUS);
}

/* Whether the event is somebody else's, who uses the same device; then `ret` is where it goes. */
static bool is_elsewhere(struct fw_flight *f, struct fw_people_event *e, struct fw_person_id *ret)
{
	struct fw_str user = claimed_user(e), own = fw_record_user(f->record);
	struct fw_id id;
	if (f->id.kind == FW_PERSON_GUEST || f->id.kind == FW_PERSON_UNVERIFIED)
		return false;
	if (user.n && own.n && !fw_str_equal(user, own)) {
		*ret = (struct fw_person_id){ FW_PERSON_USER, user };
		share_device(f, e);
		return true;
	}
	if (user.n || !e->n_claims || e->claims[0].kind != FW_ID_ANONYMOUS)
		return false;
	for (unsigned i = 0; fw_record_id(f->record, i, &id); i++)
		if (id.shared && id.kind == FW_ID_ANONYMOUS && fw_str_equal(id.text, e->claims[0].text)) {
			*ret = (struct fw_person_id){ FW_PERSON_GUEST, id.text };
			return true;
		}
	return false;
}

/* An id that is new to the person: its row is told where it belongs. */
static int point(struct fw_flight *f, const struct fw_people_event *event, const struct fw_claim *c)
{
	char text[FW_KEYED_HASH_TEXT];
	struct fw_entry e = { .kind = FW_ENTRY_POINT, .other = f->id, .at_us = event->event.received_us };
	row_of(f, c, text, &e.target);
	if (is_own(f, &e.target) || (event->pointed && c == &event->claims[0]))
		return 0;
	char *copy = fw_arena_strndup(&f->arena, e.target.id.p, e.target.id.n);
	if (!f->entries)
		f->entries = FW_NEW_ARRAY(&f->arena, FW_FLIGHT_ENTRIES, struct fw_entry);
	if (!f->entries || !copy)
		return FW_ENOMEM;
	e.target.id.p = copy;
	f->entries[f->n_entries++] = e;
	return 0;
}

/* Ids that are new to the person are its own from now on, unless that would be too many. */
int fw_claims_take(struct fw_flight *f, struct fw_people_event *e)
{
	for (unsigned i = 0; i < e->n_claims; i++) {
		const struct fw_claim *c = &e->claims[i];
		if (!is_claim(f, e, i) || fw_record_has_id(f->record, c->kind, c->text))
			continue;
		int rc = fw_record_add_id(f->record, c->kind, c->text);
		if (rc == FW_ELIMIT) {
			f->people->counters.refused++;
			fw_log(FW_LOG_INFO, "an id is not added to a person who has too many of its kind", NULL);
		} else if (rc < 0 || (rc = point(f, e, c)) < 0) {
			return rc;
		}
	}
	return 0;
}

int fw_claims_elsewhere(struct fw_flight *f, struct fw_people_event *e)
{
	struct fw_person_id to;
	if (!is_elsewhere(f, e, &to))
		return 0;
	return send_elsewhere(f, e, &to);
}

/* Nobody is known by this id nor by another of these events. */
static void begin_new(struct fw_flight *f)
{
	int rc = fw_flight_new_record(f);
	if (rc == 0)
		fw_record_set_erased(f->record, f->erased_us);
	if (rc < 0) {
		fw_flight_end(f, rc);
		return;
	}
	f->at = f->round;
	fw_round_step(f);
}

/* Whether the person that was found may have this row's id, and has room for it: a user's device is not another's, whatever else
 * the two share. */
static bool has_room(struct fw_flight *f)
{
	struct fw_record *found;
	const struct fw_people_event *e = f->at;
	if (fw_record_read(&f->arena, f->follow.row.value, &found, NULL) < 0 || !e->n_claims)
		return false;
	struct fw_str user = claimed_user(e), other = fw_record_user(found);
	if (user.n && other.n && !fw_str_equal(user, other))
		return false;
	return fw_record_add_id(found, e->claims[0].kind, e->claims[0].text) == 0;
}

static void on_followed(void *ctx, int rc)
{
	struct fw_flight *f = ctx;
	if (rc < 0) {
		fw_flight_end(f, rc);
		return;
	}
	const struct fw_person_id id = fw_key_id(&f->follow.key);
	bool evidence = !f->follow.shared || f->at->claims[f->claim].kind == FW_ID_USER;
	/* A user's row never leads to a person who may by then be another user: he is somebody new, and becomes one with that person. */
	if (f->follow.row.value.p && !is_own(f, &id) && evidence && f->id.kind != FW_PERSON_USER && has_room(f)) {
		fw_flight_point(f, &id);
		return;
	}
	f->claim++;
	fw_claims_find_known(f);
}

static void follow_claim(struct fw_flight *f)
{
	char text[FW_KEYED_HASH_TEXT];
	struct fw_person_id row;
	row_of(f, &f->at->claims[f->claim], text, &row);
	fw_follow_told(&f->follow, f->people, &row, true, &f->arena, on_followed, f);
}

static void on_claim_tombstone(void *ctx, int rc, const struct fw_row *row)
{
	struct fw_flight *f = ctx;
	if (rc < 0) {
		fw_flight_end(f, rc);
		return;
	}
	if (f->at->event.at_us > fw_tombstone_read(row).erased_us) {
		follow_claim(f);
		return;
	}
	f->at->erased = true;
	f->at = f->at->next;
	f->claim = 0;
	fw_claims_find_known(f);
}

static void ask_tombstone(struct fw_flight *f, const struct fw_person_id *id, struct fw_key *ret, fw_store_got done, void *ctx)
{
	fw_tombstone_key(&f->people->secret, id, ret);
	fw_store_get_for_batch(f->people->store, ret->bucket, fw_key_str(ret), &f->arena, done, ctx);
}

/* The person may be known by another id, to whom this one is new: events with several ids are looked up by all of them. */
static void find_known(struct fw_flight *f)
{
	for (; f->at && f->looked <= FW_FLIGHT_LOOKS; f->at = f->at->next, f->claim = 0)
		for (; f->claim < f->at->n_claims && !f->at->erased; f->claim++) {
			char text[FW_KEYED_HASH_TEXT];
			struct fw_person_id row;
			struct fw_key key;
			row_of(f, &f->at->claims[f->claim], text, &row);
			if (!is_claim(f, f->at, f->claim) || is_own(f, &row))
				continue;
			if (f->looked++ == FW_FLIGHT_LOOKS)
				break;
			ask_tombstone(f, &row, &key, on_claim_tombstone, f);
			return;
		}
	begin_new(f);
}

struct burial {
	struct fw_flight *flight;
	fw_people_done done;
	void *ctx;
};

static void on_own_tombstone(void *ctx, int rc, const struct fw_row *row)
{
	struct burial *b = ctx;
	struct fw_flight *f = b->flight;
	if (rc == 0) {
		f->tombstone_version = row->version;
		f->erased_us = fw_tombstone_read(row).erased_us;
		f->is_new = true;
	}
	b->done(b->ctx, rc);
}

static void on_ready(void *ctx, int rc)
{
	struct burial *b = ctx;
	if (rc < 0)
		b->done(b->ctx, rc);
	else
		ask_tombstone(b->flight, &b->flight->id, &b->flight->tombstone, on_own_tombstone, b);
}

void fw_claims_find_buried(struct fw_flight *f, fw_people_done done, void *ctx)
{
	struct burial *b = FW_NEW(&f->arena, struct burial);
	if (!b) {
		done(ctx, FW_ENOMEM);
		return;
	}
	*b = (struct burial){ f, done, ctx };
	fw_people_ready(f->people, on_ready, b);
}

static void on_buried(void *ctx, int rc)
{
	struct fw_flight *f = ctx;
	bool any = false;
	if (rc < 0) {
		fw_flight_end(f, rc);
		return;
	}
	for (struct fw_people_event *e = f->round; e; e = e->next) {
		e->erased |= e->event.at_us <= f->erased_us;
		any |= !e->erased;
	}
	if (any)
		find_known(f);
	else
		fw_flight_applied(f);
}

void fw_claims_find_known(struct fw_flight *f)
{
	if (f->is_new)
		find_known(f);
	else
		fw_claims_find_buried(f, on_buried, f);
}
