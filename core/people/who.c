#include "people/who.h"

#include "people/astray.h"
#include "people/post.h"

enum { TRIES_MOST = 100 };

static void search(struct fw_who *w);

static void on_settled(void *ctx, int rc)
{
	struct fw_who *w = ctx;
	if (rc < 0 && rc != FW_EBUSY)
		w->done(w->ctx, rc);
	else
		fw_who_again(w);
}

static void on_followed(void *ctx, int rc)
{
	struct fw_who *w = ctx;
	if (rc == 0 && w->follow.n_pending) {
		struct fw_key key = w->follow.pending_keys[0];
		fw_post_settle(w->people, &key, on_settled, w);
		return;
	}
	if (rc == 0 && !w->follow.row.value.p)
		rc = FW_ENOENT;
	if (rc == 0)
		rc = fw_record_read(w->arena, w->follow.row.value, &w->record, NULL);
	w->done(w->ctx, rc == FW_EINVAL ? FW_EIO : rc);
}

/* What the row's own bucket has to say comes first. */
static void on_told(void *ctx, int rc)
{
	struct fw_who *w = ctx;
	const struct fw_person_id row = fw_key_id(&w->row);
	(void)rc;
	fw_follow_told(&w->follow, w->people, &row, false, w->arena, on_followed, w);
}

static void search(struct fw_who *w)
{
	fw_arena_reset(w->arena);
	fw_post_sweep(w->people, w->row.bucket, 1, on_told, w);
}

/* Until then the id stands in the key as it is: which row is its own needs the store's secret. */
static void on_ready(void *ctx, int rc)
{
	struct fw_who *w = ctx;
	const struct fw_person_id plain = fw_key_id(&w->row);
	struct fw_person_id row;
	struct fw_key key;
	char text[FW_KEYED_HASH_TEXT];
	if (rc < 0) {
		w->done(w->ctx, rc);
		return;
	}
	if (!w->is_row) {
		fw_secret_row_id(&w->people->secret, &plain, text, &row);
		fw_key_person(&row, &key);
		w->row = key;
	}
	search(w);
}

void fw_who_find(struct fw_who *w, struct fw_people *p, const struct fw_person_id *id, struct fw_arena *arena, fw_people_done done,
	void *ctx)
{
	*w = (struct fw_who){ .people = p, .arena = arena, .done = done, .ctx = ctx };
	fw_key_person(id, &w->row);
	fw_people_ready(p, on_ready, w);
}

void fw_who_find_row(struct fw_who *w, struct fw_people *p, const struct fw_person_id *row, struct fw_arena *arena, fw_people_done done,
	void *ctx)
{
	*w = (struct fw_who){ .people = p, .is_row = true, .arena = arena, .done = done, .ctx = ctx };
	fw_key_person(row, &w->row);
	fw_people_ready(p, on_ready, w);
}

void fw_who_again(struct fw_who *w)
{
	if (++w->tries > TRIES_MOST)
		w->done(w->ctx, FW_EBUSY);
	else
		search(w);
}
