/* From wake rows, or a message's id, to the messages in the records of people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cli/command.h"
#include "cli/messages.h"
#include "people/flight.h"
#include "people/wake.h"

enum { TRIES_MOST = 20, HASHES_AT_ONCE = 512 };

int fw_messages_open(struct fw_messages_job *j, const char *config)
{
	struct fw_stored_wait wait = { 0 };
	fw_arena_init(&j->arena, NULL, 0, 0);
	int status = fw_stored_open(&j->stored, config);
	if (status != FW_EXIT_DONE)
		return status;
	fw_people_ready(j->stored.people, fw_stored_done, &wait);
	if (fw_stored_answer(&j->stored, &wait) == 0)
		return FW_EXIT_DONE;
	fputs("floorwalker: the store cannot be read; try floorwalker store check\n", stderr);
	return FW_EXIT_NO;
}

void fw_messages_close(struct fw_messages_job *j)
{
	fw_stored_close(&j->stored);
	fw_arena_finish(&j->arena);
}

struct found {
	bool done;
	int rc;
	struct fw_person person;
	struct fw_str keys[HASHES_AT_ONCE];
	size_t n;
	bool more;
};

static void on_listed(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct found *f = ctx;
	f->rc = rc;
	f->more = more;
	for (f->n = 0; rc == 0 && f->n < n && f->n < HASHES_AT_ONCE; f->n++)
		f->keys[f->n] = rows[f->n].key;
	f->done = true;
}

static void on_loaded(void *ctx, int rc, const struct fw_person *person)
{
	struct found *f = ctx;
	f->rc = rc;
	f->person = *person;
	f->done = true;
}

static struct found list(struct fw_messages_job *j, uint32_t bucket, struct fw_str prefix, struct fw_str after, size_t most,
	struct fw_arena *arena)
{
	struct found f = { 0 };
	fw_store_scan(j->stored.store, bucket, prefix, after, most, arena, on_listed, &f);
	fw_stored_wait(&j->stored, &f.done);
	return f;
}

/* The person whose row has that hash; record.n 0: there is none. 0 or what the store says. */
static int load(struct fw_messages_job *j, uint64_t hash, struct fw_person *ret)
{
	struct found f = { .done = false };
	fw_people_load_hash(j->stored.people, hash, &j->arena, on_loaded, &f);
	fw_stored_wait(&j->stored, &f.done);
	bool here = f.rc == 0 && fw_people_row_hash(&f.person.row) == hash;
	*ret = here ? f.person : (struct fw_person){ .version = 0 };
	return f.rc == FW_ENOENT ? 0 : f.rc;
}

static int write(struct fw_messages_job *j, const struct fw_person *person, struct fw_record *record)
{
	struct fw_stored_wait wait = { 0 };
	fw_people_replace(j->stored.people, person, record, NULL, 0, fw_stored_done, &wait);
	return fw_stored_answer(&j->stored, &wait);
}

static void describe(struct fw_messages_job *j, uint64_t hash, struct fw_record *record, struct fw_found_message *f)
{
	struct fw_str user = fw_record_user(record);
	f->record = record;
	f->visitor = user.n ? user : fw_record_first_id(record);
	uint64_t names = f->due.person ? f->due.person : hash;
	if (fw_message_id_write(&j->stored.people->secret, (struct fw_message_id){ names, f->due.number }, f->id) < 0)
		f->id[0] = '\0';
}

/* Acts on those of one person; `number` 0: on all. FW_ENOENT: there is none. FW_EFAILED: something could not be done. */
static int act_on_person(struct fw_messages_job *j, uint64_t hash, uint64_t number, fw_messages_act act, void *ctx)
{
	for (int tries = 0; tries < TRIES_MOST; tries++) {
		struct fw_person person;
		struct fw_record *record;
		struct fw_due dues[FW_LIMIT_DUE];
		unsigned n = 0, seen = 0;
		unsigned n_changed = 0;
		bool failed = false;
		fw_arena_reset(&j->arena);
		int rc = load(j, hash, &person);
		if (rc == 0 && !person.record.n)
			return FW_ENOENT;
		if (rc == 0)
			rc = fw_record_read(&j->arena, person.record, &record, NULL);
		if (rc < 0)
			return rc;
		while (n < FW_LIMIT_DUE && fw_record_due(record, n, &dues[n]))
			n++;
		for (unsigned i = 0; i < n; i++) {
			struct fw_found_message f = { .due = dues[i] };
			bool one = false;
			if (number && dues[i].number != number)
				continue;
			seen++;
			describe(j, hash, record, &f);
			failed |= !act(ctx, &f, &one);
			n_changed += one;
		}
		rc = n_changed ? write(j, &person, record) : 0;
		j->changed += rc == 0 ? n_changed : 0;
		if (rc != FW_ECONFLICT)
			return rc < 0 ? rc : seen == 0 ? FW_ENOENT : failed ? FW_EFAILED : 0;
	}
	return FW_ECONFLICT;
}

static int fail(int rc)
{
	if (rc != FW_EFAILED)
		fputs("floorwalker: the store cannot be read or written; try floorwalker store check\n", stderr);
	return FW_EXIT_NO;
}

/* The people that wake rows of one kind in a bucket lead to, each once for all rows that lie together. */
static int each_of(struct fw_messages_job *j, uint32_t bucket, struct fw_str kind, struct fw_arena *keys, fw_messages_act act, void *ctx,
	uint64_t **seen, size_t *n_seen, size_t *size)
{
	struct fw_str after = { NULL, 0 };
	struct found f = { .more = true };
	int rc = 0;
	while (rc == 0 && f.more) {
		f = list(j, bucket, kind, after, HASHES_AT_ONCE, keys);
		rc = f.rc;
		for (size_t i = 0; rc == 0 && i < f.n; i++) {
			struct fw_wake wake;
			uint64_t hash;
			bool known = !fw_wake_read(f.keys[i], &wake, &hash);
			for (size_t k = 0; k < *n_seen && !known; k++)
				known = (*seen)[k] == hash;
			if (known)
				continue;
			if (*n_seen == *size) {
				size_t more = *size ? *size * 2 : 64;
				uint64_t *wider = realloc(*seen, more * sizeof *wider);
				if (!wider)
					return FW_ENOMEM;
				*seen = wider;
				*size = more;
			}
			(*seen)[(*n_seen)++] = hash;
			rc = act_on_person(j, hash, 0, act, ctx);
			rc = rc == FW_ENOENT ? 0 : rc;
		}
		after = f.n ? f.keys[f.n - 1] : after;
	}
	return rc;
}

int fw_messages_each(struct fw_messages_job *j, fw_messages_act act, void *ctx)
{
	int rc = 0;
	for (uint32_t bucket = 0; bucket < FW_STORE_BUCKETS && rc == 0; bucket++) {
		struct fw_arena keys;
		uint64_t *seen = NULL;
		size_t n = 0, size = 0;
		fw_arena_init(&keys, NULL, 0, 0);
		rc = each_of(j, bucket, FW_STR("M"), &keys, act, ctx, &seen, &n, &size);
		if (rc == 0)
			rc = each_of(j, bucket, FW_STR("m"), &keys, act, ctx, &seen, &n, &size);
		free(seen);
		fw_arena_finish(&keys);
	}
	return rc < 0 ? fail(rc) : FW_EXIT_DONE;
}

int fw_messages_one(struct fw_messages_job *j, const char *text, fw_messages_act act, void *ctx)
{
	struct fw_message_id id;
	int rc = fw_message_id_read(&j->stored.people->secret, fw_str(text), &id);
	if (rc == 0)
		rc = act_on_person(j, id.person, id.number, act, ctx);
	if (rc == FW_EINVAL || rc == FW_ENOENT) {
		fprintf(stderr, "floorwalker: there is no message %s (any more)\n", text);
		return FW_EXIT_NO;
	}
	return rc < 0 ? fail(rc) : FW_EXIT_DONE;
}
