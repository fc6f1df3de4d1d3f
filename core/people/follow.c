#include "people/follow.h"

static void get_row(struct fw_follow *f);

static void on_row(void *ctx, int rc, const struct fw_row *row)
{
	struct fw_follow *f = ctx;
	struct fw_moved m;
	if (rc < 0) {
		f->done(f->ctx, rc);
		return;
	}
	f->row = *row;
	if (!row->value.p || !fw_row_is_moved(row->value)) {
		f->done(f->ctx, 0);
		return;
	}
	if (fw_moved_read(f->arena, row->value, &m) < 0 || ++f->hops > FW_FOLLOW_HOPS) {
		f->done(f->ctx, FW_EIO);
		return;
	}
	f->shared |= f->hops == 1 && m.shared;
	if (m.record.n) {
		f->pending[f->n_pending] = m;
		f->pending_keys[f->n_pending++] = f->key;
	}
	fw_key_person(&m.to, &f->key);
	get_row(f);
}

static void get_row(struct fw_follow *f)
{
	(f->for_batch ? fw_store_get_for_batch : fw_store_get)(f->store, f->key.bucket, fw_key_str(&f->key), f->arena, on_row, f);
}

void fw_follow(struct fw_follow *f, struct fw_store *store, const struct fw_person_id *id, bool for_batch, struct fw_arena *arena,
	fw_people_done done, void *ctx)
{
	f->for_batch = for_batch;
	f->store = store;
	f->arena = arena;
	f->done = done;
	f->ctx = ctx;
	f->hops = f->n_pending = 0;
	f->shared = false;
	fw_key_person(id, &f->key);
	get_row(f);
}
