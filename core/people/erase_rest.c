/* What is left of an erasure: this node's spool must have come past it, then dead letters of the person go, then the freed pages of the
 * files. Each step is a row's change, so that anybody may go on, and twice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "people/dead.h"
#include "people/erase_own.h"
#include "people/held.h"
#include "profile/identify.h"

enum { LETTERS_AT_ONCE = 128, LETTERS_DONE = 1, SCRUBBED = 2, KEY_BYTES = 17 };

void fw_erasure_key(uint32_t bucket, int64_t at_us, uint64_t chance, struct fw_key *ret)
{
	ret->bucket = bucket;
	ret->bytes[0] = 'e';
	fw_key_number(ret->bytes + 1, (uint64_t)at_us, 8);
	fw_key_number(ret->bytes + 9, chance, 8);
	ret->n = KEY_BYTES;
}

void fw_erasure_name(const struct fw_key *key, char id[40])
{
	snprintf(id, 40, "%03x-%016llx-%016llx", key->bucket, (unsigned long long)fw_key_read(key->bytes + 1, 8),
		(unsigned long long)fw_key_read(key->bytes + 9, 8));
}

int fw_erasure_find(const char *id, struct fw_key *ret)
{
	unsigned bucket;
	unsigned long long at, chance;
	int n = 0;
	if (strlen(id) != 37 || sscanf(id, "%3x-%16llx-%16llx%n", &bucket, &at, &chance, &n) != 3 || n != 37 || bucket >= FW_STORE_BUCKETS)
		return FW_EINVAL;
	fw_erasure_key(bucket, (int64_t)at, chance, ret);
	return 0;
}

void fw_erasure_write(const struct fw_erasure *e, struct fw_buf *out)
{
	const struct fw_receipt *r = &e->receipt;
	fw_buf_putc(out, (char)((e->letters_done ? LETTERS_DONE : 0) | (r->scrubbed ? SCRUBBED : 0)));
	fw_pack_signed(out, r->begun_us);
	fw_pack_signed(out, r->done_us);
	fw_pack_number(out, r->ids);
	fw_pack_number(out, r->dead_letters);
	if (!r->done_us)
		fw_buf_add(out, (const char *)e->hashes, (size_t)e->n_hashes * FW_KEYED_HASH);
}

int fw_erasure_read(struct fw_arena *a, const struct fw_key *key, struct fw_str value, struct fw_erasure *ret)
{
	struct fw_unpack u;
	fw_unpack_init(&u, value);
	*ret = (struct fw_erasure){ .letters_done = false };
	unsigned state = fw_unpack_byte(&u);
	if (state & ~(unsigned)(LETTERS_DONE | SCRUBBED))
		return FW_EINVAL; /* somebody's who is late (late.h) */
	ret->letters_done = state & LETTERS_DONE;
	ret->receipt.scrubbed = state & SCRUBBED;
	ret->receipt.begun_us = fw_unpack_signed(&u);
	ret->receipt.done_us = fw_unpack_signed(&u);
	ret->receipt.ids = fw_unpack_bounded(&u, UINT32_MAX);
	ret->receipt.dead_letters = fw_unpack_bounded(&u, UINT32_MAX);
	size_t left = (size_t)(u.end - u.p);
	if (u.failed || left % FW_KEYED_HASH)
		return FW_EINVAL;
	fw_erasure_name(key, ret->receipt.id);
	ret->n_hashes = (unsigned)(left / FW_KEYED_HASH);
	if (left && !(ret->hashes = fw_arena_alloc(a, left)))
		return FW_ENOMEM;
	if (left)
		memcpy(ret->hashes, u.p, left);
	return 0;
}

struct rest {
	struct fw_people *people;
	struct fw_key key;
	struct fw_arena arena, scratch; /* of the erasure; of rows in hand */
	struct fw_erasure job;
	int64_t now_us;
	uint32_t bucket;      /* whose dead letters are looked through */
	char after[KEY_BYTES];
	size_t after_n;
	struct fw_change changes[LETTERS_AT_ONCE];
	unsigned n_changes;
	uint64_t version;       /* of the row, as it was read */
	struct fw_key complete; /* the row's key once all is done */
	struct fw_commit commit;
	bool answered, resumes, dropping;
	int rc;
	fw_people_erased done;
	void *ctx;
};

static void end(struct rest *r, int rc)
{
	fw_people_erased done = r->done;
	void *ctx = r->ctx;
	const struct fw_receipt receipt = r->job.receipt;
	fw_arena_finish(&r->arena);
	fw_arena_finish(&r->scratch);
	free(r);
	done(ctx, rc, &receipt);
}

static void write_row(struct rest *r, fw_store_committed done)
{
	const bool is_done = r->job.receipt.done_us;
	struct fw_str value;
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_erasure_write(&r->job, &b);
	int rc = fw_buf_keep(&b, &r->arena, &value);
	r->complete = r->key;
	r->complete.bytes[0] = 'E';
	if (rc == 0) {
		r->changes[0] = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(is_done ? &r->complete : &r->key), value,
			is_done ? FW_VERSION_NONE : r->version };
		r->changes[1] = (struct fw_change){ FW_CHANGE_DELETE, fw_key_str(&r->key), { NULL, 0 }, FW_VERSION_ANY };
		rc = fw_commit(&r->commit, r->people, &(struct fw_batch){ r->key.bucket, r->changes, is_done ? 2 : 1 }, done, r);
	}
	if (rc < 0)
		end(r, rc);
}

static void on_row(void *ctx, int rc, const struct fw_row *row);

static void read_row(struct rest *r)
{
	fw_store_get(r->people->store, r->key.bucket, fw_key_str(&r->key), &r->arena, on_row, r);
}

/* Whoever else went on with it was faster: that receipt holds. */
static void on_complete(void *ctx, int rc, uint64_t version)
{
	struct rest *r = ctx;
	(void)version;
	if (rc != FW_ECONFLICT) {
		end(r, rc);
		return;
	}
	r->key.bytes[0] = 'E';
	read_row(r);
}

static void on_scrubbed(void *ctx, int rc)
{
	struct rest *r = ctx;
	if (rc == FW_EBUSY) { /* somebody still reads an older state: the sweep asks again */
		end(r, 0);
		return;
	}
	if (rc < 0) {
		end(r, rc);
		return;
	}
	r->job.receipt.scrubbed = true;
	r->job.receipt.done_us = r->now_us;
	write_row(r, on_complete);
}

static void scrub_store(struct rest *r, struct fw_store *store, fw_store_scrubbed done)
{
	int rc = fw_store_scrub(store, done, r);
	if (rc < 0)
		end(r, rc == FW_EBUSY ? 0 : rc);
}

static void on_spool_scrubbed(void *ctx, int rc)
{
	struct rest *r = ctx;
	if (rc < 0)
		end(r, rc == FW_EBUSY ? 0 : rc);
	else
		scrub_store(r, r->people->store, on_scrubbed);
}

static void scrub(struct rest *r)
{
	struct fw_store *spool = r->people->options.spool;
	scrub_store(r, spool ? spool : r->people->store, spool ? on_spool_scrubbed : on_scrubbed);
}

static void on_letters_done(void *ctx, int rc, uint64_t version)
{
	struct rest *r = ctx;
	(void)version;
	if (rc == FW_ECONFLICT) { /* somebody else goes on with it, and is further, or through */
		read_row(r);
		return;
	}
	if (rc < 0)
		end(r, rc);
	else
		scrub(r);
}

static bool is_listed(const struct rest *r, enum fw_person_kind kind, struct fw_str text)
{
	char row_text[FW_KEYED_HASH_TEXT];
	unsigned char hash[FW_KEYED_HASH];
	const struct fw_person_id plain = { kind, text };
	struct fw_person_id row;
	if (text.n == 0 || text.n > FW_LIMIT_EVENT_ID_BYTES)
		return false;
	fw_secret_row_id(&r->people->secret, &plain, row_text, &row);
	fw_secret_hash(&r->people->secret, &row, hash);
	for (unsigned i = 0; i < r->job.n_hashes; i++)
		if (memcmp(r->job.hashes[i], hash, FW_KEYED_HASH) == 0)
			return true;
	return false;
}

/* Another system's id, as identify.h has it: the system's name folded, then the id. */
static bool is_listed_other(const struct rest *r, struct fw_str system, struct fw_str id)
{
	char text[FW_LIMIT_EVENT_ID_BYTES];
	id = fw_str_trim(id);
	if (system.n == 0 || id.n == 0 || system.n + 1 + id.n > sizeof text)
		return false;
	fw_fold(system, text);
	text[system.n] = ':';
	memcpy(text + system.n + 1, id.p, id.n);
	return is_listed(r, FW_PERSON_OTHER, (struct fw_str){ text, system.n + 1 + id.n });
}

/* {"loyalty":"7"}, {"loyalty":7}, or {"type":"loyalty","id":"7"}. */
static bool names_other(const struct rest *r, const struct fw_json *v)
{
	char number[32];
	if (v->type == FW_JSON_STRING)
		return is_listed_other(r, v->key, v->string);
	if (v->type == FW_JSON_NUMBER)
		return is_listed_other(r, v->key, (struct fw_str){ number, fw_number_text(v->number, number) });
	return v->type == FW_JSON_OBJECT && is_listed_other(r, fw_json_text(v, "type"), fw_json_text(v, "id"));
}

/* Whether an event that was refused names the person: as an id that counts, or in whatever place such a text may stand. */
static bool names_person(const struct rest *r, const struct fw_json *v)
{
	char email[FW_EMAIL_BYTES], phone[FW_PHONE_BYTES];
	size_t n;
	if (names_other(r, v))
		return true;
	if (v->type == FW_JSON_STRING) {
		if (is_listed(r, FW_PERSON_ANONYMOUS, v->string) || is_listed(r, FW_PERSON_USER, v->string))
			return true;
		if (fw_normal_email(v->string, email, &n) && is_listed(r, FW_PERSON_EMAIL, (struct fw_str){ email, n }))
			return true;
		return fw_normal_phone(v->string, phone, &n) && is_listed(r, FW_PERSON_PHONE, (struct fw_str){ phone, n });
	}
	for (const struct fw_json *m = v->child; m; m = m->next)
		if (names_person(r, m))
			return true;
	return false;
}

static bool letter_names_person(struct rest *r, const struct fw_row *row)
{
	struct fw_dead d;
	struct fw_json *event;
	if (fw_dead_read(&r->scratch, r->bucket, row, &d) < 0 || !d.event.n)
		return false;
	return fw_json_parse(&r->scratch, d.event.p, d.event.n, &event, NULL) == 0 && names_person(r, event);
}

static void look_through(struct rest *r);

static void on_letters_dropped(void *ctx, int rc, uint64_t version)
{
	struct rest *r = ctx;
	(void)version;
	if (rc < 0 && rc != FW_ECONFLICT)
		end(r, rc);
	else
		look_through(r);
}

/* On to what comes after these letters. */
static void advance(struct rest *r, const struct fw_row *last, bool more)
{
	r->after_n = 0;
	if (more && last && last->key.n == KEY_BYTES) {
		memcpy(r->after, last->key.p, KEY_BYTES);
		r->after_n = KEY_BYTES;
	} else {
		r->bucket++;
	}
}

static void on_letters(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct rest *r = ctx;
	r->n_changes = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (rows[i].key.n == KEY_BYTES && letter_names_person(r, &rows[i]))
			r->changes[r->n_changes++] = (struct fw_change){ FW_CHANGE_DELETE, rows[i].key, { NULL, 0 }, FW_VERSION_ANY };
	r->job.receipt.dead_letters += r->n_changes;
	r->rc = rc;
	r->answered = true;
	const uint32_t bucket = r->bucket;
	if (rc == 0)
		advance(r, n ? &rows[n - 1] : NULL, more);
	if (rc == 0 && r->n_changes) {
		r->dropping = true;
		r->rc = fw_commit(&r->commit, r->people, &(struct fw_batch){ bucket, r->changes, r->n_changes }, on_letters_dropped, r);
	}
	if (r->resumes)
		look_through(r);
}

/* One bucket after the other, without a call within a call for each. */
static void look_through(struct rest *r)
{
	r->resumes = false;
	for (;;) {
		if (r->answered) {
			r->answered = false;
			if (r->rc < 0) {
				end(r, r->rc);
				return;
			}
			if (r->dropping) {
				r->dropping = false;
				return; /* on_letters_dropped goes on */
			}
		}
		if (r->bucket >= FW_STORE_BUCKETS)
			break;
		fw_arena_reset(&r->scratch);
		fw_store_scan(r->people->store, r->bucket, FW_STR("D"), (struct fw_str){ r->after, r->after_n }, LETTERS_AT_ONCE,
			&r->scratch, on_letters, r);
		if (!r->answered) {
			r->resumes = true;
			return;
		}
	}
	r->job.letters_done = true;
	write_row(r, on_letters_done);
}

/* What was held before is refused when it is applied, and dropped: then nothing of the person is left in this node's spool. */
static bool spool_is_through(struct rest *r)
{
	struct fw_store *spool = r->people->options.spool;
	int64_t oldest_us = 0;
	if (!spool)
		return true;
	return fw_held_oldest(spool, &r->scratch, &oldest_us) == 0 && (oldest_us == 0 || oldest_us > r->job.receipt.begun_us);
}

static void on_row(void *ctx, int rc, const struct fw_row *row)
{
	struct rest *r = ctx;
	if (rc == 0 && !row->value.p && r->key.bytes[0] == 'e') {
		r->key.bytes[0] = 'E';
		read_row(r);
		return;
	}
	if (rc == 0 && !row->value.p)
		rc = FW_ENOENT;
	r->version = row->version;
	if (rc == 0)
		rc = fw_erasure_read(&r->arena, &r->key, row->value, &r->job);
	if (rc < 0 || r->job.receipt.done_us)
		end(r, rc == FW_EINVAL ? FW_EIO : rc);
	else if (!spool_is_through(r))
		end(r, 0); /* the sweep asks again */
	else if (r->job.letters_done)
		scrub(r);
	else
		look_through(r);
}

void fw_erasure_go_on(struct fw_people *p, const struct fw_key *key, int64_t now_us, fw_people_erased done, void *ctx)
{
	static const struct fw_receipt none;
	struct rest *r = calloc(1, sizeof *r);
	if (!r) {
		done(ctx, FW_ENOMEM, &none);
		return;
	}
	r->people = p;
	r->key = *key;
	r->now_us = now_us;
	r->done = done;
	r->ctx = ctx;
	fw_arena_init(&r->arena, NULL, 0, 0);
	fw_arena_init(&r->scratch, NULL, 0, 0);
	read_row(r);
}
