#include "people/astray.h"

#include "people/post.h"

bool fw_goes_by(const struct fw_secret *s, const struct fw_record *record, const struct fw_person_id *row)
{
	struct fw_id id;
#ifdef FW_BREAK_PARTED
	return true;
#endif
	if (row->kind >= (enum fw_person_kind)FW_ID_KINDS)
		return true;
	if (!fw_secret_hides(row->kind))
		return fw_record_has_id(record, (enum fw_id_kind)row->kind, row->id);
	return !s->known || fw_secret_find(s, record, row, &id);
}

static bool leads_astray(struct fw_flight *f)
{
	const struct fw_follow *o = &f->follow;
	const struct fw_person_id row = fw_key_id(&f->followed);
	struct fw_record *record;
	if (o->hops == 0 || o->n_pending || !o->row.value.p || fw_record_read(&f->arena, o->row.value, &record, NULL) < 0)
		return false;
	return !fw_goes_by(&f->people->secret, record, &row);
}

static void follow(struct fw_flight *f);

static void on_told(void *ctx, int rc)
{
	struct fw_flight *f = ctx;
	if (rc < 0)
		f->on_followed(f, rc);
	else
		follow(f);
}

static void on_followed(void *ctx, int rc)
{
	struct fw_flight *f = ctx;
	if (rc == 0 && !f->follow_told && leads_astray(f)) {
		f->follow_told = true;
		fw_post_sweep(f->people, f->follow.key.bucket, 1, on_told, f);
		return;
	}
	f->on_followed(f, rc);
}

static void follow(struct fw_flight *f)
{
	const struct fw_person_id row = fw_key_id(&f->followed);
	fw_follow(&f->follow, f->people->store, &row, true, &f->arena, on_followed, f);
}

void fw_flight_follow(struct fw_flight *f, const struct fw_person_id *row, fw_people_done done)
{
	fw_key_person(row, &f->followed);
	f->follow_told = false;
	f->on_followed = done;
	follow(f);
}
