#include "people/astray.h"

#include "people/post.h"

static bool leads_astray(const struct fw_follow *f)
{
	const struct fw_person_id row = fw_key_id(&f->from);
	const struct fw_secret *secret = &f->people->secret;
	struct fw_record *record;
	struct fw_id id;
#ifdef FW_BREAK_PARTED
	return false;
#endif
	if (f->hops == 0 || f->n_pending || !f->row.value.p || row.kind >= (enum fw_person_kind)FW_ID_KINDS)
		return false;
	if (!fw_secret_hides(row.kind))
		return fw_profile_has_id(f->arena, f->row.value, (enum fw_id_kind)row.kind, row.id) == 0;
	return secret->known && fw_record_read(f->arena, f->row.value, &record, NULL) == 0 && !fw_secret_find(secret, record, &row, &id);
}

static void follow(struct fw_follow *f);

static void on_told(void *ctx, int rc)
{
	struct fw_follow *f = ctx;
	if (rc < 0)
		f->found(f->found_ctx, rc == FW_EBUSY ? FW_EAWAY : rc);
	else
		follow(f);
}

static void on_followed(void *ctx, int rc)
{
	struct fw_follow *f = ctx;
	if (rc == 0 && !f->told && leads_astray(f)) {
		f->told = true;
		fw_post_sweep(f->people, f->key.bucket, 1, on_told, f);
		return;
	}
	f->found(f->found_ctx, rc);
}

static void follow(struct fw_follow *f)
{
	const struct fw_person_id row = fw_key_id(&f->from);
	fw_follow(f, f->people->store, &row, f->for_batch, f->arena, on_followed, f);
}

void fw_follow_told(struct fw_follow *f, struct fw_people *p, const struct fw_person_id *id, bool for_batch, struct fw_arena *arena,
	fw_people_done done, void *ctx)
{
	fw_key_person(id, &f->from);
	f->people = p;
	f->for_batch = for_batch;
	f->arena = arena;
	f->told = false;
	f->found = done;
	f->found_ctx = ctx;
	follow(f);
}
