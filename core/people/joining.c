/* Making two people one because somebody says so, and what they would be. */
#include <stdlib.h>

#include "people/post.h"
#include "people/undo.h"
#include "people/who.h"

struct joining {
	struct fw_people *people;
	struct fw_arena arenas[2];
	struct fw_who who[2];
	struct fw_key other;       /* the id as it was asked for */
	int64_t now_us;
	struct fw_entry entry;
	struct fw_outgoing outgoing;
	struct fw_change changes[2];
	struct fw_commit commit;
	struct fw_arena *answer;   /* of a preview */
	fw_people_previewed previewed;
	fw_people_done done;
	void *ctx;
};

static void finish(struct joining *j)
{
	fw_arena_finish(&j->arenas[0]);
	fw_arena_finish(&j->arenas[1]);
	free(j);
}

static void end(struct joining *j, int rc, const char *refused, struct fw_str record)
{
	fw_people_previewed previewed = j->previewed;
	fw_people_done done = j->done;
	void *ctx = j->ctx;
	finish(j);
	if (previewed)
		previewed(ctx, rc, refused, record);
	else
		done(ctx, rc);
}

static void fail(struct joining *j, int rc)
{
	end(j, rc, NULL, (struct fw_str){ NULL, 0 });
}

static bool are_one(const struct joining *j)
{
	return fw_str_equal(fw_key_str(&j->who[0].follow.key), fw_key_str(&j->who[1].follow.key));
}

static void preview(struct joining *j)
{
	struct fw_spilled spilled[FW_SPILL_MOST];
	unsigned n;
	const char *why = are_one(j) ? "one_already" : fw_record_may_not_merge(j->who[0].record, j->who[1].record);
	int rc = why ? 0 : fw_record_merge(j->who[0].record, j->who[1].record, spilled, &n);
	if (rc < 0 || why) {
		end(j, rc, why, (struct fw_str){ NULL, 0 });
		return;
	}
	struct fw_str bytes = { NULL, 0 };
	rc = fw_record_bytes(j->who[0].record, j->answer, &bytes);
	end(j, rc, NULL, bytes);
}

static void on_committed(void *ctx, int rc, uint64_t version)
{
	struct joining *j = ctx;
	(void)version;
	if (rc == 0)
		fw_post_deliver_all(j->people, j->outgoing.bucket, &j->entry, 1);
	fail(j, rc);
}

/* If one of the two is elsewhere by then, that row passes it on. */
static void join(struct joining *j)
{
	j->entry = (struct fw_entry){ .kind = FW_ENTRY_JOIN, .target = fw_key_id(&j->who[0].follow.key),
		.other = fw_key_id(&j->who[1].follow.key), .user = fw_record_user(j->who[1].record), .at_us = j->now_us };
	j->outgoing = (struct fw_outgoing){ j->who[0].follow.key.bucket, &j->entry, 1 };
	int n = fw_outgoing_write(&j->outgoing, &j->arenas[0], j->changes);
	const struct fw_batch batch = { j->outgoing.bucket, j->changes, (unsigned)n };
	int rc = n < 0 ? n : fw_commit(&j->commit, j->people, &batch, on_committed, j);
	if (rc < 0)
		fail(j, rc);
}

static void on_both(void *ctx, int rc)
{
	struct joining *j = ctx;
	if (rc < 0)
		fail(j, rc);
	else if (j->previewed)
		preview(j);
	else if (are_one(j))
		fail(j, 0);
	else
		join(j);
}

static void on_one(void *ctx, int rc)
{
	struct joining *j = ctx;
	const struct fw_person_id other = fw_key_id(&j->other);
	if (rc < 0)
		fail(j, rc);
	else
		fw_who_find(&j->who[1], j->people, &other, &j->arenas[1], on_both, j);
}

static void begin(struct joining *j, struct fw_people *p, const struct fw_person_id *one, const struct fw_person_id *other)
{
	j->people = p;
	fw_arena_init(&j->arenas[0], NULL, 0, 0);
	fw_arena_init(&j->arenas[1], NULL, 0, 0);
	fw_key_person(other, &j->other);
	fw_who_find(&j->who[0], p, one, &j->arenas[0], on_one, j);
}

void fw_people_preview_merge(struct fw_people *p, const struct fw_person_id *one, const struct fw_person_id *other, struct fw_arena *arena,
	fw_people_previewed done, void *ctx)
{
	struct joining *j = calloc(1, sizeof *j);
	if (!j) {
		done(ctx, FW_ENOMEM, NULL, (struct fw_str){ NULL, 0 });
		return;
	}
	j->previewed = done;
	j->ctx = ctx;
	j->answer = arena;
	begin(j, p, one, other);
}

void fw_people_merge(struct fw_people *p, const struct fw_person_id *one, const struct fw_person_id *other, int64_t now_us,
	fw_people_done done, void *ctx)
{
	struct joining *j = calloc(1, sizeof *j);
	if (!j) {
		done(ctx, FW_ENOMEM);
		return;
	}
	j->done = done;
	j->ctx = ctx;
	j->now_us = now_us;
	begin(j, p, one, other);
}
