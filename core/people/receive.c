#include "people/receive.h"

#include <string.h>
#include <sys/random.h>

#include "people/asked.h"
#include "people/keep.h"
#include "people/row.h"

struct receiver {
	struct fw_arena *arena;
	const struct fw_secret *secret;
	const struct fw_entry *e;
	struct fw_str row;
	bool is_there, is_moved;
	struct fw_moved moved;      /* is_moved */
	struct fw_record *record;   /* is there and not moved; read when it is needed */
	uint64_t version;
	struct fw_received *ret;
};

static int read_record(struct receiver *r)
{
	return r->record ? 0 : fw_record_read(r->arena, r->row, &r->record, NULL);
}

static int set_record(struct receiver *r, const struct fw_record *record)
{
	r->ret->changed = true;
	r->ret->record = record;
	return fw_record_bytes(record, r->arena, &r->ret->value);
}

static int set_moved(struct receiver *r, const struct fw_moved *m)
{
	r->ret->changed = true;
	return fw_moved_bytes(m, r->arena, &r->ret->value);
}

static int pass_on(struct receiver *r, const struct fw_entry *entries, unsigned n)
{
	struct fw_received *ret = r->ret;
	if (n && !ret->out && !(ret->out = FW_NEW_ARRAY(r->arena, FW_LIMIT_RECORD_IDS + 2 + FW_ASKED_ENTRIES, struct fw_entry)))
		return FW_ENOMEM;
	for (unsigned i = 0; i < n; i++)
		ret->out[ret->n_out++] = entries[i];
	return 0;
}

/* What follows from the entry, at its time. */
static int emit(struct receiver *r, const struct fw_entry *e)
{
	struct fw_entry own = *e;
	own.at_us = r->e->at_us;
	return pass_on(r, &own, 1);
}

/* The id belongs to the person of `other`: nobody had it, or they are one. */
static int receive_point(struct receiver *r)
{
	const struct fw_entry *e = r->e;
	if (!r->is_there)
		return set_moved(r, &(struct fw_moved){ .to = e->other });
	if (r->is_moved ? r->moved.shared || fw_person_id_equal(&r->moved.to, &e->other) : fw_person_id_equal(&e->target, &e->other))
		return 0;
	const struct fw_entry join = { .kind = FW_ENTRY_JOIN, .target = e->other, .other = r->is_moved ? r->moved.to : e->target,
		.because = e->target };
	return emit(r, &join);
}

bool fw_receive_moves(const struct fw_person_id *id, const struct fw_person_id *other)
{
	struct fw_key a, b;
	fw_key_person(id, &a);
	fw_key_person(other, &b);
	return fw_str_compare(fw_key_str(&a), fw_key_str(&b)) > 0;
}

/* The id in a record whose row this is. */
static void share_id(struct receiver *r, struct fw_record *record, const struct fw_person_id *row)
{
	struct fw_id id;
	if (fw_secret_find(r->secret, record, row, &id))
		fw_record_share_id(record, id.kind, id.text);
}

static int emit_share(struct receiver *r, const struct fw_person_id *target)
{
	return emit(r, &(struct fw_entry){ .kind = FW_ENTRY_SHARE, .target = *target, .because = r->e->because });
}

/* An id that several people go by says no more who somebody is: both keep it, and its row knows. */
static int refuse_join(struct receiver *r, const char *why)
{
	const struct fw_entry *e = r->e;
	r->ret->refused = why;
	if (!e->because.id.n)
		return 0;
	share_id(r, r->record, &e->because);
	int rc = set_record(r, r->record);
	if (rc == 0)
		rc = emit_share(r, &e->because);
	return rc < 0 ? rc : emit_share(r, &e->other);
}

static int give_up(struct receiver *r)
{
	const struct fw_entry *e = r->e;
	if (!e->because.id.n)
		return 0;
	int rc = emit(r, &(struct fw_entry){ .kind = FW_ENTRY_REPOINT, .target = e->because, .because = e->target, .other = e->other });
	/* A user whose row went with that person, and was followed to it, is pointed at nobody. */
	if (rc == 0 && e->because.kind == FW_PERSON_USER)
		rc = emit(r, &(struct fw_entry){ .kind = FW_ENTRY_POINT, .target = e->because, .other = e->other });
	return rc;
}

static int move_away(struct receiver *r)
{
	const struct fw_entry *e = r->e;
	struct fw_entry absorb = { .kind = FW_ENTRY_ABSORB, .target = e->other, .other = e->target, .because = e->because,
		.merge = r->version };
	if (getrandom(absorb.seal, sizeof absorb.seal, 0) != sizeof absorb.seal)
		return FW_EIO;
	int rc = set_moved(r, &(struct fw_moved){ .to = e->other, .number = r->version, .record = r->row });
	return rc < 0 ? rc : emit(r, &absorb);
}

static int receive_join(struct receiver *r)
{
	const struct fw_entry *e = r->e;
	if (fw_person_id_equal(&e->target, &e->other))
		return 0;
	if (!r->is_there) /* that person is gone: whoever is left has the id alone */
		return give_up(r);
	if (r->is_moved) {
		struct fw_entry on = *e;
		on.target = r->moved.to;
		return fw_person_id_equal(&r->moved.to, &e->other) ? 0 : emit(r, &on);
	}
	int rc = read_record(r);
	if (rc < 0)
		return rc;
	struct fw_str user = fw_record_user(r->record);
	if (user.n && e->user.n && !fw_str_equal(user, e->user))
		return refuse_join(r, "two_users");
	/* A known user asks first who the other is: to move, and be sent back, keeps those waiting who come meanwhile. */
	bool asks = user.n && !e->user.n && !e->merge;
	if (fw_receive_moves(&e->target, &e->other) && !asks)
		return move_away(r);
	const struct fw_entry back = { .kind = FW_ENTRY_JOIN, .target = e->other, .other = e->target, .because = e->because,
		.user = user, .merge = 1 };
	return emit(r, &back);
}

/* What pointed at the one that moved is told where it is now, so that nobody has to ask twice. */
static int repoint(struct receiver *r, const struct fw_record *absorbed)
{
	struct fw_id id;
	for (unsigned i = 0; fw_record_id(absorbed, i, &id); i++) {
		struct fw_entry e = { .kind = FW_ENTRY_REPOINT, .because = r->e->other, .other = r->e->target };
		int rc = fw_secret_row_of(r->secret, &id, r->arena, &e.target);
		if (rc == 0 && r->e->only_own && fw_person_id_equal(&e.target, &r->e->because))
			continue;
		if (rc == 0 && !fw_person_id_equal(&e.target, &r->e->other) && !fw_person_id_equal(&e.target, &r->e->target))
			rc = emit(r, &e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int note_merge(struct receiver *r, const struct fw_record *absorbed)
{
	const struct fw_entry *e = r->e;
	struct fw_merge m = { .kind = (enum fw_id_kind)e->other.kind, .id = e->other.id, .number = e->merge, .at_us = e->at_us };
	memcpy(m.seal, e->seal, sizeof m.seal);
	fw_record_spilled(absorbed, &m.spilled_day, &m.spilled_days);
	return fw_record_note_merge(r->record, &m);
}

static int send_back(struct receiver *r, const char *why, bool share)
{
	const struct fw_entry *e = r->e;
	struct fw_entry back = { .kind = FW_ENTRY_RETURN, .target = e->other, .other = e->target, .merge = e->merge };
	r->ret->refused = why;
	if (share)
		back.because = e->because;
	return emit(r, &back);
}

static int receive_absorb(struct receiver *r)
{
	const struct fw_entry *e = r->e;
	struct fw_record *absorbed;
	if (!e->record.n) /* it was done, or taken back, before */
		return 0;
	if (!r->is_there) {
		int gone = give_up(r);
		return gone < 0 ? gone : send_back(r, "gone", false);
	}
	if (r->is_moved) {
		struct fw_entry on = *e;
		on.target = r->moved.to;
		return emit(r, &on);
	}
	int rc = read_record(r);
	if (rc == 0)
		rc = fw_record_read(r->arena, e->record, &absorbed, NULL);
	if (rc < 0)
		return rc;
	struct fw_merge done;
	if (fw_keep_find(r->record, &e->other, e->merge, &done))
		return 0;
	const char *why = fw_record_may_not_merge(r->record, absorbed);
	if (why) {
		share_id(r, r->record, &e->because);
		rc = set_record(r, r->record);
		return rc < 0 ? rc : send_back(r, why, true);
	}
	r->ret->before = r->row;
	rc = fw_record_merge(r->record, absorbed, r->ret->spilled, &r->ret->n_spilled);
	if (rc == 0)
		rc = note_merge(r, absorbed);
	if (rc == 0)
		rc = repoint(r, absorbed);
	if (rc == 0)
		rc = set_record(r, r->record);
	r->ret->merged = rc == 0;
	return rc;
}

static int receive_return(struct receiver *r)
{
	const struct fw_entry *e = r->e;
	if (!r->is_moved || r->moved.number != e->merge || !r->moved.record.n)
		return 0;
	int rc = fw_record_read(r->arena, r->moved.record, &r->record, NULL);
	r->ret->anew = true;
	if (rc == 0)
		share_id(r, r->record, &e->because);
	if (rc == 0)
		rc = set_record(r, r->record);
	return rc < 0 || !e->because.id.n ? rc : emit_share(r, &e->because);
}

static int receive_repoint(struct receiver *r)
{
	const struct fw_entry *e = r->e;
	struct fw_moved m = r->moved;
	if (!r->is_moved || m.record.n || !fw_person_id_equal(&m.to, &e->because))
		return 0; /* what is on its way to another arrives first; that row knows the rest */
	m.to = e->other;
	return set_moved(r, &m);
}

/* The row of the id itself, or of a person who goes by it. */
static int receive_share(struct receiver *r)
{
	struct fw_moved m = r->moved;
	bool own = fw_person_id_equal(&r->e->target, &r->e->because);
	if (r->is_moved && own) {
		m.shared = true;
		return r->moved.shared ? 0 : set_moved(r, &m);
	}
	if (r->is_moved)
		return emit_share(r, &m.to);
	int rc = r->is_there ? read_record(r) : 0;
	if (rc < 0 || !r->is_there)
		return rc;
	share_id(r, r->record, &r->e->because);
	return set_record(r, r->record);
}

static int receive_split(struct receiver *r)
{
	const struct fw_entry *e = r->e;
	if (!r->is_moved || r->moved.number != e->merge)
		return 0;
	int rc = fw_record_read(r->arena, e->record, &r->record, NULL);
	r->ret->changed = r->ret->anew = true;
	r->ret->record = r->record;
	r->ret->value = e->record;
	return rc;
}

static int receive_forget(struct receiver *r)
{
	const struct fw_entry *e = r->e;
	if (!r->is_moved || !fw_person_id_equal(&r->moved.to, &e->other))
		return 0;
	r->ret->changed = true;
	r->ret->value = (struct fw_str){ NULL, 0 };
	return 0;
}

/* A row of the index, in the bucket of a product; both may come twice. */
static int receive_ask(struct receiver *r)
{
	r->ret->changed = r->e->kind == FW_ENTRY_ASK ? !r->is_there : r->is_there;
	return r->e->kind == FW_ENTRY_ASK ? fw_asked_value(r->e->product, r->arena, &r->ret->value) : 0;
}

/* What the record of the row asks for now, in the index. */
static int emit_asked(struct receiver *r)
{
	struct fw_entry asked[FW_ASKED_ENTRIES];
	return pass_on(r, asked, fw_asked_changes(&r->e->target, r->ret->record, r->e->kind == FW_ENTRY_SPLIT, asked));
}

/* What the record that goes asked for. */
static int emit_not_asked(struct receiver *r)
{
	struct fw_entry asked[FW_ASKED_ENTRIES];
	unsigned n;
	int rc = fw_asked_leave(&r->e->target, r->row, r->arena, asked, &n);
	return rc < 0 ? rc : pass_on(r, asked, n);
}

/* An id that has a record of its own is somebody else's by now; but who was a guest by it, or claimed to be the user, goes, too. */
static int receive_erase(struct receiver *r)
{
	const struct fw_entry *e = r->e;
	bool beside = e->target.kind == FW_PERSON_GUEST || e->target.kind == FW_PERSON_UNVERIFIED;
	if (e->only_own && !(r->is_moved && fw_person_id_equal(&r->moved.to, &e->other)))
		return 0;
	r->ret->buried = beside || !r->is_there || r->is_moved;
	r->ret->changed = r->is_there && r->ret->buried;
	r->ret->value = (struct fw_str){ NULL, 0 };
	return r->ret->changed && !r->is_moved ? emit_not_asked(r) : 0;
}

bool fw_receive_joins(enum fw_entry_kind kind)
{
	return kind == FW_ENTRY_POINT || kind == FW_ENTRY_JOIN || kind == FW_ENTRY_ABSORB;
}

static bool is_late(const struct fw_entry *e, const struct fw_tombstone *tombstone)
{
#ifdef FW_BREAK_LATE
	tombstone = &(struct fw_tombstone){ .erased_us = 0 };
#endif
	return tombstone->erased_us >= e->at_us;
}

/* The person who went by the target was erased while the entry was on its way: who would have become one with that person goes, too.
 * A record that is moving is sent back first, and then found like any other. */
static int receive_late(struct receiver *r, const struct fw_tombstone *tombstone)
{
	const struct fw_entry *e = r->e;
	if (e->kind != FW_ENTRY_ABSORB) {
		r->ret->late = (struct fw_late){ e->other, e->kind == FW_ENTRY_POINT ? e->target : e->because, *tombstone };
		return 0;
	}
	if (!e->record.n)
		return 0;
	const struct fw_entry join = { .kind = FW_ENTRY_JOIN, .target = e->target, .other = e->other, .because = e->because };
	int rc = send_back(r, "erased", false);
	return rc < 0 ? rc : emit(r, &join);
}

/* Whoever moved may yet be sent back. What concerns him meanwhile must not go where he would not have gone with it. */
static bool must_wait(const struct receiver *r)
{
	switch (r->e->kind) {
	case FW_ENTRY_POINT:
	case FW_ENTRY_JOIN:
	case FW_ENTRY_SHARE: return r->is_moved && r->moved.record.n;
	case FW_ENTRY_ABSORB: return r->is_moved && r->moved.record.n && r->e->record.n;
	default: return false;
	}
}

static int receive(struct receiver *r)
{
	switch (r->e->kind) {
	case FW_ENTRY_POINT: return receive_point(r);
	case FW_ENTRY_JOIN: return receive_join(r);
	case FW_ENTRY_ABSORB: return receive_absorb(r);
	case FW_ENTRY_RETURN: return receive_return(r);
	case FW_ENTRY_REPOINT: return receive_repoint(r);
	case FW_ENTRY_SHARE: return receive_share(r);
	case FW_ENTRY_SPLIT: return receive_split(r);
	case FW_ENTRY_FORGET: return receive_forget(r);
	case FW_ENTRY_ERASE: return receive_erase(r);
	default: return FW_EINVAL;
	}
}

int fw_receive(struct fw_arena *a, const struct fw_secret *secret, const struct fw_entry *e, struct fw_str row, uint64_t version,
	const struct fw_tombstone *tombstone, struct fw_received *ret)
{
	struct receiver r = { .arena = a, .secret = secret, .e = e, .row = row, .version = version, .ret = ret,
		.is_there = row.p, .is_moved = fw_row_is_moved(row) };
	*ret = (struct fw_received){ .changed = false };
	if (e->kind == FW_ENTRY_ASK || e->kind == FW_ENTRY_UNASK)
		return receive_ask(&r);
	if (r.is_moved && fw_moved_read(a, row, &r.moved) < 0)
		return FW_EINVAL;
	if (fw_receive_joins(e->kind) && is_late(e, tombstone))
		return receive_late(&r, tombstone);
	if (must_wait(&r)) {
		ret->waits = true;
		return emit(&r, e);
	}
	int rc = receive(&r);
	return rc == 0 && ret->record ? emit_asked(&r) : rc;
}
