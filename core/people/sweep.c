#include "people/sweep.h"

#include <stdlib.h>

#include "base/limits.h"
#include "people/asked.h"
#include "people/flight.h"
#include "people/keep.h"
#include "people/seal_key.h"
#include "people/suppression.h"
#include "people/wake.h"

enum { ROWS_AT_ONCE = 128, ENTRIES_MOST = 4 * FW_LIMIT_RECORD_IDS, TRIGGERED_MOST = 16, DAY_S = 86400 };

struct fw_sweep {
	struct fw_people *people;
	struct fw_store *store;
	struct fw_sweep_options options;
	struct fw_sweep_counts counts;
	struct fw_arena arena;   /* of the rows in hand */
	struct fw_arena scratch; /* of a record */
	int64_t now_us;
	fw_people_done done;     /* NULL: no step is on its way */
	void *ctx;

	/* Of the step on its way. */
	uint32_t bucket_now;
	struct fw_change changes[ROWS_AT_ONCE + 1 + ENTRIES_MOST + TRIGGERED_MOST * (1 + FW_WAKE_CHANGES)];
	unsigned n_triggered;
	unsigned n_changes;
	struct fw_entry entries[ENTRIES_MOST];
	struct fw_outgoing outgoing;
	struct fw_commit commit;

	/* Where it stands. */
	uint32_t bucket;
	enum { PEOPLE, ADDRESSES, ASKED, COUNTING, LETTERS } part; /* the first way through the letters only counts them */
	char after[FW_KEY_MOST];
	size_t after_n;
	unsigned dead_seen, dead_total;
	uint64_t product;        /* the one whose askers were counted last, in this bucket */
	unsigned askers;
};

struct fw_sweep *fw_sweep_create(struct fw_people *people, const struct fw_sweep_options *options)
{
	struct fw_sweep *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->people = people;
	s->store = people->store;
	s->options = *options;
	fw_arena_init(&s->arena, NULL, 0, 0);
	fw_arena_init(&s->scratch, NULL, 0, 0);
	return s;
}

void fw_sweep_destroy(struct fw_sweep *s)
{
	if (!s)
		return;
	fw_arena_finish(&s->arena);
	fw_arena_finish(&s->scratch);
	free(s);
}

bool fw_sweep_busy(const struct fw_sweep *s)
{
	return s->done != NULL;
}

const struct fw_sweep_counts *fw_sweep_counts(const struct fw_sweep *s)
{
	return &s->counts;
}

/* The ids that led to a person who goes are to go, too. False: there is no room for so many in this batch. */
static bool forget_ids(struct fw_sweep *s, const struct fw_row *row, const struct fw_record *r)
{
	struct fw_key key = { .bucket = s->bucket_now, .n = (unsigned)row->key.n };
	struct fw_id id;
	memcpy(key.bytes, row->key.p, row->key.n);
	struct fw_person_id own = fw_key_id(&key);
	unsigned n = s->outgoing.n;
	if (n + FW_LIMIT_RECORD_IDS + FW_ASKED_ENTRIES > ENTRIES_MOST || !(own.id.p = fw_arena_strndup(&s->arena, own.id.p, own.id.n)))
		return false;
	for (unsigned i = 0; fw_record_id(r, i, &id); i++) {
		struct fw_entry *e = &s->entries[n];
		*e = (struct fw_entry){ .kind = FW_ENTRY_FORGET, .other = own, .at_us = s->now_us };
		if (fw_secret_row_of(&s->people->secret, &id, &s->arena, &e->target) < 0)
			return false;
		n += !fw_person_id_equal(&e->target, &own);
	}
	unsigned asked;
	if (fw_asked_leave(&own, row->value, &s->arena, s->entries + n, &asked) < 0)
		return false;
	n += asked;
	s->outgoing.n = n; /* all of them or none: the person stays, if one cannot be told */
	return true;
}

/* What time alone has triggered. */
static int trigger(const struct fw_sweep *s, struct fw_record *r, bool *ret_changed)
{
	const struct fw_people *p = s->people;
	*ret_changed = false;
	if (!p->triggers || !fw_triggers_sweep(p->triggers) || fw_record_is_restricted(r))
		return 0;
	return fw_trigger_sweep(p->triggers, p->decider, p->due, s->now_us, r, ret_changed);
}

/* What the person asked for too long ago, in the batch of the record. */
static int drop_from_index(struct fw_sweep *s, const struct fw_key *key, const struct fw_record *r)
{
	struct fw_entry asked[FW_ASKED_ENTRIES];
	struct fw_person_id own = fw_key_id(key);
	unsigned n = fw_asked_changes(&own, r, false, asked);
	if (n && !(own.id.p = fw_arena_strndup(&s->arena, own.id.p, own.id.n)))
		return FW_ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		asked[i].target = own;
		asked[i].product.p = fw_arena_strndup(&s->arena, asked[i].product.p, asked[i].product.n);
		if (!asked[i].product.p)
			return FW_ENOMEM;
	}
	memcpy(s->entries + s->outgoing.n, asked, n * sizeof *asked);
	s->outgoing.n += n;
	return 0;
}

/* What time alone does to messages goes into the record at once; who finds no room in this batch has his turn the next time round. */
static void look_at_messages(struct fw_sweep *s, const struct fw_row *row, struct fw_record *r)
{
	struct fw_key key = { .bucket = s->bucket_now, .n = (unsigned)row->key.n };
	struct fw_change *changes = s->changes + s->n_changes;
	struct fw_str bytes;
	bool triggered;
	if (s->n_triggered == TRIGGERED_MOST || s->outgoing.n + FW_ASKED_ENTRIES > ENTRIES_MOST)
		return;
	bool dropped = fw_record_drop_asks(r, s->now_us - FW_LIMIT_ASK_S * INT64_C(1000000));
	dropped |= fw_record_drop_dead(r, s->now_us - FW_LIMIT_MESSAGE_KEPT_S * INT64_C(1000000));
	if (trigger(s, r, &triggered) < 0 || (!dropped && !triggered))
		return;
	memcpy(key.bytes, row->key.p, row->key.n);
	int n = fw_record_bytes(r, &s->arena, &bytes) < 0 ? FW_ENOMEM : fw_wake_write(&key, r, false, &s->arena, changes + 1);
	if (n < 0 || drop_from_index(s, &key, r) < 0)
		return;
	changes[0] = (struct fw_change){ FW_CHANGE_PUT, row->key, bytes, row->version };
	s->n_changes += 1 + (unsigned)n;
	s->n_triggered++;
}

static bool record_is_over(struct fw_sweep *s, const struct fw_row *row)
{
	struct fw_record *r;
	if (fw_row_is_moved(row->value))
		return false; /* it goes with the one that it leads to */
	fw_arena_reset(&s->scratch);
	if (fw_record_read(&s->scratch, row->value, &r, NULL) < 0) {
		s->counts.damaged++;
		return false;
	}
	int64_t keep_s = fw_record_is_known(r) ? s->options.known_s : s->options.anonymous_s;
	int64_t seen_us = fw_record_last_seen_us(r);
	bool over = keep_s && seen_us && s->now_us - seen_us > keep_s * 1000000;
	if (!over)
		look_at_messages(s, row, r);
	if (over && !forget_ids(s, row, r))
		return false;
	s->counts.people += over;
	return over;
}

static bool message_is_over(struct fw_sweep *s, const struct fw_row *row)
{
	int64_t day = (int64_t)fw_key_read(row->key.p + FW_KEY_PERSON + 1, 4);
	/* Remembered on any moment of that day, it counts for so long from there. */
	bool over = s->now_us / 1000000 > (day + 1) * DAY_S + FW_LIMIT_DEDUPE_HOURS * 3600;
	s->counts.messages += over;
	return over;
}

/* When is the first that stands there, in milliseconds. */
static bool sent_is_over(struct fw_sweep *s, const struct fw_row *row)
{
	struct fw_unpack u;
	fw_unpack_init(&u, row->value);
	uint64_t at_ms = fw_unpack_number(&u);
	return !u.failed && s->now_us / 1000 - (int64_t)at_ms > (int64_t)FW_LIMIT_MESSAGE_KEPT_S * 1000;
}

/* What two people were before they became one. */
static bool kept_is_over(struct fw_sweep *s, const struct fw_row *row)
{
	int64_t at_us = fw_keep_at_us(row->value);
	return at_us && s->now_us - at_us > (int64_t)FW_LIMIT_MERGE_KEPT_S * 1000000;
}

/* Something may go to the address again, and nobody is going to say again what was said before. */
static bool suppression_is_over(struct fw_sweep *s, const struct fw_row *row)
{
	struct fw_suppression now;
	fw_arena_reset(&s->scratch);
	return fw_suppression_read(&s->scratch, row, &now) == 0 && !now.reason.n &&
		s->now_us - now.at_us > (int64_t)FW_LIMIT_ADDRESS_HEARD_S * 1000000;
}

/* Those that wait for longer than anybody does, whoever asked is gone; and those behind as many as are told of one product. */
static bool asker_is_over(struct fw_sweep *s, const struct fw_row *row)
{
	struct fw_asked asked;
	if (!fw_asked_read(row, &asked))
		return false;
	uint64_t product = fw_key_read(row->key.p + 1, 8);
	s->askers = product == s->product ? s->askers + 1 : 1;
	s->product = product;
	return s->askers > FW_LIMIT_PRODUCT_ASKS || s->now_us - asked.at_us > 2 * FW_LIMIT_ASK_S * INT64_C(1000000);
}

static bool letter_is_over(struct fw_sweep *s, const struct fw_row *row)
{
	int64_t at_us = (int64_t)fw_key_read(row->key.p + 1, 8);
	unsigned newer = s->dead_total - ++s->dead_seen;
	bool over = s->now_us - at_us > (int64_t)FW_LIMIT_DEAD_LETTER_S * 1000000 || newer >= FW_LIMIT_DEAD_LETTERS;
	s->counts.dead_letters += over;
	return over;
}

static bool is_over(struct fw_sweep *s, const struct fw_row *row)
{
	if (s->part == LETTERS)
		return row->key.n == 17 && letter_is_over(s, row);
	if (s->part == ADDRESSES)
		return suppression_is_over(s, row);
	if (s->part == ASKED)
		return asker_is_over(s, row);
	if (row->key.n <= FW_KEY_PERSON)
		return false;
	switch (row->key.p[FW_KEY_PERSON]) {
	case 'r': return record_is_over(s, row);
	case 'd': return row->key.n == FW_KEY_MESSAGE && message_is_over(s, row);
	case 'k': return kept_is_over(s, row);
	case 's': return fw_seal_key_is_over(row->key, s->options.logged_s, s->now_us);
	case 'w': return sent_is_over(s, row);
	default: return false;
	}
}

static void end(struct fw_sweep *s, int rc)
{
	fw_people_done done = s->done;
	fw_arena_reset(&s->arena);
	fw_arena_reset(&s->scratch);
	s->done = NULL;
	done(s->ctx, rc);
}

static void on_dropped(void *ctx, int rc, uint64_t version)
{
	(void)version;
	/* Somebody came back meanwhile: those rows are looked at again the next time round. */
	end(ctx, rc == FW_ECONFLICT ? 0 : rc);
}

/* On to what comes after these rows. */
static void advance(struct fw_sweep *s, const struct fw_row *last, bool more)
{
	s->after_n = 0;
	if (more && last) {
		s->after_n = last->key.n < sizeof s->after ? last->key.n : sizeof s->after;
		memcpy(s->after, last->key.p, s->after_n);
	} else if (s->part != LETTERS) {
		s->part++;
	} else {
		s->part = PEOPLE;
		s->bucket = (s->bucket + 1) % FW_STORE_BUCKETS;
		s->dead_seen = s->dead_total = s->askers = 0;
		s->counts.buckets++;
	}
}

static void commit(struct fw_sweep *s)
{
	struct fw_change *changes = s->changes;
	struct fw_batch batch = { s->bucket_now, changes, s->n_changes };
	s->outgoing.bucket = s->bucket_now;
	s->outgoing.entries = s->entries;
	int rc = s->outgoing.n ? fw_outgoing_write(&s->outgoing, &s->arena, changes + batch.n) : 0;
	if (rc >= 0) {
		batch.n += (unsigned)rc;
		rc = fw_commit(&s->commit, s->people, &batch, on_dropped, s);
	}
	if (rc < 0)
		end(s, rc);
}

static void on_rows(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct fw_sweep *s = ctx;
	if (rc < 0) {
		end(s, rc);
		return;
	}
	s->counts.rows += n;
	for (size_t i = 0; i < n && s->part != COUNTING; i++)
		if (is_over(s, &rows[i]))
			s->changes[s->n_changes++] = (struct fw_change){ FW_CHANGE_DELETE, rows[i].key, { NULL, 0 }, rows[i].version };
	if (s->part == COUNTING)
		s->dead_total += (unsigned)n;
	advance(s, n ? &rows[n - 1] : NULL, more);
	if (s->outgoing.n || s->n_changes)
		commit(s);
	else
		end(s, 0);
}

static void on_ready(void *ctx, int rc)
{
	struct fw_sweep *s = ctx;
	if (rc < 0) {
		end(s, rc);
		return;
	}
	static const char *const letters[] = { [PEOPLE] = "P", [ADDRESSES] = "U", [ASKED] = "B", [COUNTING] = "D", [LETTERS] = "D" };
	fw_store_scan(s->store, s->bucket, fw_str(letters[s->part]), (struct fw_str){ s->after, s->after_n },
		ROWS_AT_ONCE, &s->arena, on_rows, s);
}

void fw_sweep_step(struct fw_sweep *s, int64_t now_us, fw_people_done done, void *ctx)
{
	s->now_us = now_us;
	s->done = done;
	s->ctx = ctx;
	s->bucket_now = s->bucket;
	s->n_changes = s->outgoing.n = s->n_triggered = 0;
	fw_people_ready(s->people, on_ready, s);
}
