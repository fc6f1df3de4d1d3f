#include <stdlib.h>

#include "people/erase.h"
#include "people/who.h"

struct restricting {
	struct fw_arena arena;
	struct fw_who who;
	struct fw_change change;
	struct fw_commit commit;
	bool restricted;
	fw_people_done done;
	void *ctx;
};

static void end_restricting(struct restricting *r, int rc)
{
	fw_people_done done = r->done;
	void *ctx = r->ctx;
	fw_arena_finish(&r->arena);
	free(r);
	done(ctx, rc);
}

static void on_restricted(void *ctx, int rc, uint64_t version)
{
	struct restricting *r = ctx;
	(void)version;
	if (rc == FW_ECONFLICT)
		fw_who_again(&r->who);
	else
		end_restricting(r, rc);
}

static void on_found(void *ctx, int rc)
{
	struct restricting *r = ctx;
	const struct fw_follow *f = &r->who.follow;
	struct fw_str bytes;
	if (rc < 0) {
		end_restricting(r, rc);
		return;
	}
	fw_record_restrict(r->who.record, r->restricted);
	if ((rc = fw_record_bytes(r->who.record, &r->arena, &bytes)) == 0) {
		r->change = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(&f->key), bytes, f->row.version };
		rc = fw_commit(&r->commit, r->who.people, &(struct fw_batch){ f->key.bucket, &r->change, 1 }, on_restricted, r);
	}
	if (rc < 0)
		end_restricting(r, rc);
}

void fw_people_restrict(struct fw_people *p, const struct fw_person_id *id, bool restricted, fw_people_done done, void *ctx)
{
	struct restricting *r = calloc(1, sizeof *r);
	if (!r) {
		done(ctx, FW_ENOMEM);
		return;
	}
	r->restricted = restricted;
	r->done = done;
	r->ctx = ctx;
	fw_arena_init(&r->arena, NULL, 0, 0);
	fw_who_find(&r->who, p, id, &r->arena, on_found, r);
}
