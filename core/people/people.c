#include "people/people.h"

#include <stdlib.h>
#include <string.h>

#include "people/flight.h"

struct fw_people *fw_people_create(struct fw_store *store, const struct fw_people_options *options)
{
	struct fw_people *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->store = store;
	p->options = *options;
	p->last_stalled = &p->stalled;
	return p;
}

void fw_people_destroy(struct fw_people *p)
{
	free(p);
}

struct fw_store *fw_people_store(struct fw_people *p)
{
	return p->store;
}

const struct fw_people_counters *fw_people_counters(const struct fw_people *p)
{
	return &p->counters;
}

/* A load on its way; lives in the arena of whoever asked. */
struct load {
	struct fw_people *people;
	struct fw_key key;
	struct fw_arena *arena;
	fw_people_loaded done;
	void *ctx;
};

static void on_row(void *ctx, int rc, const struct fw_row *row)
{
	struct load *l = ctx;
	struct fw_str nothing = { NULL, 0 };
	l->done(l->ctx, rc, rc == 0 && row->value.p ? row->value : nothing, rc == 0 ? row->version : FW_VERSION_NONE);
}

static void read_row(void *ctx)
{
	struct load *l = ctx;
	fw_store_get(l->people->store, l->key.bucket, fw_key_str(&l->key), l->arena, on_row, l);
}

void fw_people_load(struct fw_people *p, const struct fw_person_id *id, bool settled, struct fw_arena *arena,
	fw_people_loaded done, void *ctx)
{
	struct load *l = fw_arena_alloc(arena, sizeof *l);
	struct fw_str nothing = { NULL, 0 };
	if (!l) {
		done(ctx, FW_ENOMEM, nothing, FW_VERSION_NONE);
		return;
	}
	l->people = p;
	l->arena = arena;
	l->done = done;
	l->ctx = ctx;
	fw_key_person(id, &l->key);
	struct fw_flight *f = settled ? fw_flight_find(p, &l->key) : NULL;
	if (f && fw_flight_wait(f, read_row, l) < 0)
		done(ctx, FW_ENOMEM, nothing, FW_VERSION_NONE);
	else if (!f)
		read_row(l);
}

static int make_record(struct fw_flight *f, struct fw_str record, const struct fw_reservation *reservations, unsigned n)
{
	struct fw_error err;
	int rc = 0;
	if (record.n)
		rc = fw_record_read(&f->arena, record, &f->record, &err);
	else if (!(f->record = fw_record_new(&f->arena, f->id)))
		rc = FW_ENOMEM;
	for (unsigned i = 0; i < n && rc == 0; i++)
		rc = fw_record_reserve(f->record, &reservations[i]);
	return rc == FW_EINVAL ? FW_EIO : rc;
}

void fw_people_reserve(struct fw_people *p, const struct fw_person_id *id, struct fw_str record, uint64_t version,
	const struct fw_reservation *reservations, unsigned n, fw_people_done done, void *ctx)
{
	struct fw_key key;
	fw_key_person(id, &key);
	struct fw_flight *f = fw_flight_find(p, &key);
	if (f) { /* what the decision was made from is about to change */
		done(ctx, FW_ECONFLICT);
		return;
	}
	if (!(f = fw_flight_create(p, &key))) {
		done(ctx, FW_ENOMEM);
		return;
	}
	int rc = make_record(f, record, reservations, n);
	if (rc < 0) {
		fw_flight_give_up(f);
		done(ctx, rc);
		return;
	}
	f->version = version;
	fw_flight_reserve(f, done, ctx);
}

void fw_people_apply(struct fw_people *p, struct fw_people_event *events, unsigned n, struct fw_people_group *group)
{
	struct fw_flight **flights = calloc(n ? n : 1, sizeof *flights);
	group->rc = 0;
	group->left = 1; /* itself, so that nothing ends before all are handed over */
	for (unsigned i = 0; i < n; i++) {
		struct fw_people_event *e = &events[i];
		struct fw_key key;
		fw_key_person(&e->id, &key);
		struct fw_flight *f = fw_flight_find(p, &key);
		if (!f && flights && (f = fw_flight_create(p, &key)))
			flights[i] = f;
		if (!f) {
			group->rc = FW_ENOMEM;
			continue;
		}
		e->group = group;
		group->left++;
		fw_flight_add(f, e);
	}
	/* Those that were on their way already take what waits by themselves. */
	for (unsigned i = 0; flights && i < n; i++)
		if (flights[i])
			fw_flight_start(flights[i]);
	free(flights);
	if (--group->left == 0)
		group->done(group->ctx, group->rc);
}
