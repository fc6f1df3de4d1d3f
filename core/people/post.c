#include "people/post.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "people/erase_own.h"
#include "people/keep.h"
#include "people/outgoing.h"
#include "people/receive.h"
#include "people/row.h"
#include "people/wake.h"

enum { TRIES_MOST = 1000, ARENA_MOST = 16 << 20, SIBLINGS_MOST = 200 };
enum { OWN_CHANGES = 7 }; /* besides messages, entries and siblings: applied, the row, what is kept, tombstones, the counter, who is late */

/* Somebody who waits for a delivery. */
struct waiter {
	fw_people_done done;
	void *ctx;
	struct waiter *next;
};

/* The outbox of one bucket for another, being emptied. */
struct fw_delivery {
	struct fw_people *people;
	struct fw_delivery *next;
	uint32_t sender, receiver;
	struct fw_arena arena;      /* of the entry in hand */
	struct waiter *waiters;
	unsigned tries;
	bool again;                 /* somebody asked while the last look was on its way */

	uint64_t until;             /* from this number on entries wait for others of this outbox; 0: none does */

	uint64_t number;            /* of the entry in hand */
	struct fw_entry entry;
	uint64_t applied_version;
	struct fw_key target;
	struct fw_row row;          /* of the target */
	uint64_t row_version;
	struct fw_key tombstone_key; /* of the target, as it was read */
	uint64_t tombstone_version;
	struct fw_tombstone tombstone;
	struct fw_key late;         /* the row of who is to be erased with somebody else, … */
	struct fw_str late_value;   /* … and what it holds; in the arena */
	struct fw_received received;
	struct fw_commit commit;
	struct fw_change *siblings; /* of an erasure: rows beside the target, to be deleted; in the arena */
	unsigned n_siblings;
};

static void look(struct fw_delivery *d);

static struct fw_delivery **chain_of(struct fw_people *p, uint32_t sender, uint32_t receiver)
{
	return &p->deliveries[(sender * 31 + receiver) % FW_DELIVERY_CHAINS];
}

static void end(struct fw_delivery *d, int rc)
{
	struct fw_people *p = d->people;
	struct waiter *waiters = d->waiters;
	struct fw_delivery **at = chain_of(p, d->sender, d->receiver);
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	fw_arena_finish(&d->arena);
	free(d);
	while (waiters) {
		struct waiter *w = waiters;
		waiters = w->next;
		w->done(w->ctx, rc);
		free(w);
	}
}

static void again(struct fw_delivery *d, int rc)
{
	if (rc == FW_ECONFLICT && ++d->tries < TRIES_MOST)
		look(d);
	else
		end(d, rc == FW_ECONFLICT ? FW_EBUSY : rc);
}

static void on_acknowledged(void *ctx, int rc, uint64_t version)
{
	struct fw_delivery *d = ctx;
	(void)version;
	if (rc < 0) {
		again(d, rc);
		return;
	}
	d->tries = 0;
	look(d);
}

/* Changes in the arena. */
static void commit(struct fw_delivery *d, const struct fw_batch *batch, fw_store_committed done)
{
	int rc = fw_commit(&d->commit, d->people, batch, done, d);
	if (rc < 0)
		end(d, rc);
}

/* What was applied is taken out of the outbox. */
static void acknowledge(struct fw_delivery *d)
{
	struct fw_key *key = FW_NEW(&d->arena, struct fw_key);
	struct fw_change *change = FW_NEW(&d->arena, struct fw_change);
	if (!key || !change) {
		end(d, FW_ENOMEM);
		return;
	}
	fw_key_entry(d->sender, d->receiver, d->number, key);
	*change = (struct fw_change){ FW_CHANGE_DELETE, fw_key_str(key), { NULL, 0 }, FW_VERSION_ANY };
	commit(d, &(struct fw_batch){ d->sender, change, 1 }, on_acknowledged);
}

static void on_settled(void *ctx, int rc)
{
	struct fw_delivery *d = ctx;
	(void)rc; /* if it could not be, whoever comes to that row next tries again */
	d->tries = 0;
	look(d); /* and the entry, if it is still there, is just taken out */
}

/* The record that was absorbed goes from where it was, and the entry with it. */
static void settle(struct fw_delivery *d)
{
	struct fw_key moved, entry;
	fw_key_person(&d->entry.other, &moved);
	fw_key_entry(d->sender, d->receiver, d->number, &entry);
	if (d->received.merged && moved.bucket == d->sender) {
		fw_post_settle_entry(d->people, &moved, &entry, on_settled, d);
		return;
	}
	fw_post_settle(d->people, &moved, NULL, NULL);
	acknowledge(d);
}

/* The sweep goes on with it if this does not. */
static void on_late(void *ctx, int rc, const struct fw_receipt *receipt)
{
	(void)ctx;
	(void)rc;
	(void)receipt;
}

static void on_applied(void *ctx, int rc, uint64_t version)
{
	struct fw_delivery *d = ctx;
	struct fw_people *p = d->people;
	(void)version;
	if (rc < 0) {
		again(d, rc);
		return;
	}
	p->counters.delivered++;
	p->counters.merged += d->received.merged;
	if (d->received.refused) {
		p->counters.refused++;
		fw_log(FW_LOG_INFO, "two people do not become one", "reason", d->received.refused, NULL);
	}
	fw_post_deliver_all(p, d->receiver, d->received.out, d->received.n_out);
	if (d->received.late.person.id.n)
		fw_late_go_on(p, &d->late, d->late_value, on_late, NULL);
	if (d->entry.kind == FW_ENTRY_ABSORB)
		settle(d);
	else
		acknowledge(d);
}

static int put_applied(struct fw_delivery *d, struct fw_change *change)
{
	struct fw_key *key = FW_NEW(&d->arena, struct fw_key);
	char *value = fw_arena_alloc(&d->arena, 8);
	if (!key || !value)
		return FW_ENOMEM;
	fw_key_applied(d->receiver, d->sender, key);
	fw_key_number(value, d->number, 8);
	*change = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(key), { value, 8 }, d->applied_version };
	return 0;
}

/* Messages that must be known again: without them the entry is not applied. */
static int put_spilled(struct fw_delivery *d, struct fw_change *changes)
{
	const struct fw_received *got = &d->received;
	struct fw_key *keys = FW_NEW_ARRAY(&d->arena, got->n_spilled + 1, struct fw_key);
	if (!keys)
		return FW_ENOMEM;
	for (unsigned i = 0; i < got->n_spilled; i++) {
		fw_key_message(&d->target, got->spilled[i].day, got->spilled[i].hash, &keys[i]);
		changes[i] = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(&keys[i]), FW_STR(""), FW_VERSION_ANY };
	}
	return 0;
}

static int keep_before(struct fw_delivery *d, struct fw_change *change)
{
	const struct fw_entry *e = &d->entry;
	return fw_keep_write(&d->arena, &d->target, fw_keep_merge(&e->other, e->merge), FW_SIDE_BEFORE, e->seal, e->at_us,
		d->received.before, change);
}

/* Who was erased meanwhile, or was not: it must be so still. Whom that concerns is found by the row. */
static int put_late(struct fw_delivery *d, struct fw_batch *batch, struct fw_change *changes)
{
	const struct fw_late *late = &d->received.late;
	if (fw_receive_joins(d->entry.kind))
		changes[batch->n++] = (struct fw_change){ FW_CHANGE_EXPECT, fw_key_str(&d->tombstone_key), { NULL, 0 },
			d->tombstone_version };
	if (!late->person.id.n)
		return 0;
	fw_erasure_key(d->receiver, late->tombstone.erased_us, (uint64_t)d->sender << 48 | d->number, &d->late);
	struct fw_change *left = &changes[batch->n++];
	int rc = fw_late_write(late, &d->late, &d->arena, left);
	d->late_value = left->value;
	return rc;
}

/* The row, that this entry was applied, what follows from it for others, and what is kept of before: one batch. */
static void write(struct fw_delivery *d)
{
	struct fw_received *got = &d->received;
	struct fw_change *changes = FW_NEW_ARRAY(&d->arena, OWN_CHANGES + FW_WAKE_CHANGES + got->n_spilled + got->n_out + d->n_siblings,
		struct fw_change);
	struct fw_batch batch = { d->receiver, changes, 0 };
	if (!changes) {
		end(d, FW_ENOMEM);
		return;
	}
	int rc = put_applied(d, &changes[batch.n++]);
	changes[batch.n++] = (struct fw_change){ !got->changed ? FW_CHANGE_EXPECT : got->value.p ? FW_CHANGE_PUT : FW_CHANGE_DELETE,
		fw_key_str(&d->target), got->value, d->row_version };
	if (rc == 0)
		rc = put_late(d, &batch, changes);
	if (rc == 0)
		rc = put_spilled(d, changes + batch.n);
	batch.n += got->n_spilled;
	if (rc == 0 && got->record) {
		rc = fw_wake_write(&d->target, got->record, got->anew, &d->arena, changes + batch.n);
		batch.n += rc > 0 ? (unsigned)rc : 0;
	}
	if (rc >= 0 && got->before.n)
		rc = keep_before(d, &changes[batch.n++]);
	if (rc >= 0 && got->buried) {
		memcpy(changes + batch.n, d->siblings, d->n_siblings * sizeof *d->siblings);
		batch.n += d->n_siblings;
		rc = fw_tombstone_write(&d->people->secret, &d->entry.target, d->entry.user, d->entry.at_us, &d->arena,
			&changes[batch.n++]);
		if (rc == 0 && d->row.value.p && !fw_row_is_moved(d->row.value))
			rc = fw_wake_leave(&d->target, d->row.value, &d->arena, changes + batch.n);
		batch.n += rc > 0 ? (unsigned)rc : 0;
	}
	if (rc >= 0 && got->n_out) {
		rc = fw_outgoing_write(&(struct fw_outgoing){ d->receiver, got->out, got->n_out }, &d->arena, changes + batch.n);
		batch.n += rc > 0 ? (unsigned)rc : 0;
	}
	if (rc < 0)
		end(d, rc);
	else
		commit(d, &batch, on_applied);
}

static void on_target_settled(void *ctx, int rc)
{
	struct fw_delivery *d = ctx;
	if (rc == 0)
		look(d);
	else
		end(d, rc); /* the next sweep asks again */
}

/* What has to wait goes to the outbox of the row's own bucket, so that it is in nobody's way, and waits there; at the end of it, if the
 * row has moved within the bucket, for then what it waits for comes by the same outbox. True: it waits. */
static bool wait_here(struct fw_delivery *d)
{
	struct fw_moved m;
	struct fw_key to;
	if (d->sender != d->receiver || fw_moved_read(&d->arena, d->row.value, &m) < 0)
		return false;
	fw_key_person(&m.to, &to);
	if (to.bucket == d->receiver)
		return false;
	fw_post_settle(d->people, &d->target, on_target_settled, d);
	return true;
}

/* What waits at the end of the outbox has a number behind this one. */
static void on_last(void *ctx, int rc, uint64_t last)
{
	struct fw_delivery *d = ctx;
	d->until = last + 1;
	if (rc < 0)
		end(d, rc);
	else
		write(d);
}

static void receive(struct fw_delivery *d)
{
	int rc = fw_receive(&d->arena, &d->people->secret, &d->entry, d->row.value, d->row_version, &d->tombstone,
		&d->received);
	if (rc < 0) {
		fw_log(FW_LOG_ERROR, "an entry of the outbox cannot be applied", "kind", fw_entry_kind_name(d->entry.kind), NULL);
		end(d, rc == FW_EINVAL ? FW_EIO : rc);
	} else if (d->received.waits && wait_here(d)) {
		return;
	} else if (d->received.waits && d->sender == d->receiver && !d->until) {
		fw_outgoing_last(d->people->store, d->receiver, &d->arena, &(struct fw_outgoing_reader){ on_last, d });
	} else {
		write(d);
	}
}

static void on_part_deleted(void *ctx, int rc, uint64_t version)
{
	(void)version;
	again(ctx, rc == 0 ? FW_ECONFLICT : rc);
}

/* Messages that were remembered beside the id, and what is kept of merges. */
static void on_siblings(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct fw_delivery *d = ctx;
	d->n_siblings = 0;
	d->siblings = FW_NEW_ARRAY(&d->arena, n + 1, struct fw_change);
	if (rc == 0 && !d->siblings)
		rc = FW_ENOMEM;
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (rows[i].key.n > FW_KEY_PERSON && rows[i].key.p[FW_KEY_PERSON] != 'r')
			d->siblings[d->n_siblings++] = (struct fw_change){ FW_CHANGE_DELETE, rows[i].key, { NULL, 0 }, FW_VERSION_ANY };
	if (rc < 0)
		end(d, rc);
	else if (more) /* part of them now, then once more */
		commit(d, &(struct fw_batch){ d->receiver, d->siblings, d->n_siblings }, on_part_deleted);
	else
		receive(d);
}

static void on_tombstone(void *ctx, int rc, const struct fw_row *row)
{
	struct fw_delivery *d = ctx;
	if (rc < 0) {
		end(d, rc);
		return;
	}
	d->tombstone = fw_tombstone_read(row);
	d->tombstone_version = row->version;
	receive(d);
}

static void read_tombstone(struct fw_delivery *d)
{
	fw_tombstone_key(&d->people->secret, &d->entry.target, &d->tombstone_key);
	fw_store_get_for_batch(d->people->store, d->receiver, fw_key_str(&d->tombstone_key), &d->arena, on_tombstone, d);
}

static void on_target(void *ctx, int rc, const struct fw_row *row)
{
	struct fw_delivery *d = ctx;
	if (rc < 0) {
		end(d, rc);
		return;
	}
	d->row = *row;
	d->row_version = row->version;
	if (d->entry.kind == FW_ENTRY_ERASE)
		fw_store_scan(d->people->store, d->receiver, (struct fw_str){ d->target.bytes, FW_KEY_PERSON }, (struct fw_str){ NULL, 0 },
			SIBLINGS_MOST, &d->arena, on_siblings, d);
	else if (fw_receive_joins(d->entry.kind))
		read_tombstone(d);
	else
		receive(d);
}

static void read_target(struct fw_delivery *d)
{
	fw_entry_key(&d->entry, &d->target);
	if (d->target.bucket != d->receiver) { /* somebody wrote nonsense: it must not stop what comes after it */
		fw_log(FW_LOG_ERROR, "an entry of the outbox is for another bucket than its key says; it is dropped", NULL);
		acknowledge(d);
		return;
	}
	fw_store_get_for_batch(d->people->store, d->receiver, fw_key_str(&d->target), &d->arena, on_target, d);
}

/* The record that is to be absorbed stands in the row that moved. */
static void on_moved(void *ctx, int rc, const struct fw_row *row)
{
	struct fw_delivery *d = ctx;
	struct fw_moved m;
	if (rc < 0) {
		end(d, rc);
		return;
	}
	if (row->value.p && fw_row_is_moved(row->value) && fw_moved_read(&d->arena, row->value, &m) == 0 && m.number == d->entry.merge)
		d->entry.record = m.record;
	read_target(d);
}

static void on_applied_number(void *ctx, int rc, const struct fw_row *row)
{
	struct fw_delivery *d = ctx;
	if (rc < 0) {
		end(d, rc);
		return;
	}
	d->applied_version = row->version;
#ifndef FW_BREAK_OUTBOX
	if (row->value.p && row->value.n == 8 && fw_key_read(row->value.p, 8) >= d->number) {
		acknowledge(d);
		return;
	}
#endif
	if (d->entry.kind == FW_ENTRY_ABSORB && !d->entry.record.n) {
		struct fw_key moved;
		fw_key_person(&d->entry.other, &moved);
		fw_store_get_for_batch(d->people->store, moved.bucket, fw_key_str(&moved), &d->arena, on_moved, d);
		return;
	}
	read_target(d);
}

static void on_first(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct fw_delivery *d = ctx;
	struct fw_key applied;
	(void)more;
	if (rc < 0 || (n == 0 && !d->again)) {
		end(d, rc);
		return;
	}
	if (n == 0) {
		look(d);
		return;
	}
	d->number = rows[0].key.n == FW_KEY_ENTRY ? fw_key_read(rows[0].key.p + 3, 8) : 0;
	if (fw_entry_read(&d->arena, rows[0].value, &d->entry) < 0 || d->number == 0) {
		fw_log(FW_LOG_ERROR, "an entry of the outbox cannot be read; `floorwalker store check` names it", NULL);
		end(d, FW_EIO);
		return;
	}
	if (d->until && d->number >= d->until) {
		end(d, 0);
		return;
	}
	fw_key_applied(d->receiver, d->sender, &applied);
	fw_store_get_for_batch(d->people->store, d->receiver, fw_key_str(&applied), &d->arena, on_applied_number, d);
}

/* The lowest number first: so entries are applied in their order. */
static void look(struct fw_delivery *d)
{
	struct fw_key prefix;
	d->again = false;
	fw_arena_reset(&d->arena);
	fw_key_entry(d->sender, d->receiver, 0, &prefix);
	fw_store_scan(d->people->store, d->sender, fw_key_str(&prefix), (struct fw_str){ NULL, 0 }, 1, &d->arena, on_first, d);
}

/* Whoever is absorbed may go by addresses: where those are to be told needs the store's secret. */
static void on_ready(void *ctx, int rc)
{
	struct fw_delivery *d = ctx;
	if (rc < 0)
		end(d, rc);
	else
		look(d);
}

static struct fw_delivery *find(struct fw_people *p, uint32_t sender, uint32_t receiver)
{
	for (struct fw_delivery *d = *chain_of(p, sender, receiver); d; d = d->next)
		if (d->sender == sender && d->receiver == receiver)
			return d;
	return NULL;
}

void fw_post_deliver(struct fw_people *p, uint32_t sender, uint32_t receiver, fw_people_done done, void *ctx)
{
	struct fw_delivery *d = find(p, sender, receiver), *made = NULL;
	struct waiter *w = done ? malloc(sizeof *w) : NULL;
	if (!d)
		d = made = calloc(1, sizeof *d);
	if (!d || (done && !w)) {
		free(w);
		free(made);
		if (done)
			done(ctx, FW_ENOMEM);
		return;
	}
	if (w) {
		*w = (struct waiter){ done, ctx, d->waiters };
		d->waiters = w;
	}
	d->again = true;
	if (!made)
		return;
	d->people = p;
	d->sender = sender;
	d->receiver = receiver;
	fw_arena_init(&d->arena, NULL, 0, ARENA_MOST);
	struct fw_delivery **chain = chain_of(p, sender, receiver);
	d->next = *chain;
	*chain = d;
	fw_people_ready(p, on_ready, d);
}

void fw_post_deliver_all(struct fw_people *p, uint32_t sender, const struct fw_entry *entries, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct fw_key key;
		fw_entry_key(&entries[i], &key);
		fw_post_deliver(p, sender, key.bucket, NULL, NULL);
	}
}
