/* What is known of a person, for who may ask. */
#include "server/engine_people.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/ingest.h"
#include "server/rights.h"

/* A question on its way. */
struct visit {
	struct fw_engine_worker *worker;
	struct fw_arena arena;
	struct fw_person_id id;
	struct fw_str record;
	enum what { SHOW, TIMELINE, EXPORT, MERGES, NOTHING } what;
	fw_engine_done done;
	void *data;
};

static enum what find_what(const char *what)
{
	static const char *const names[NOTHING] = { "show", "timeline", "export", "merges" };
	int i = 0;
	while (i < NOTHING && strcmp(what, names[i]) != 0)
		i++;
	return (enum what)i;
}

bool fw_engine_shows(const char *what)
{
	return find_what(what) != NOTHING;
}

/* What is told of a userId without proof belongs to whom it names as far as it is shown. */
static bool has_unverified(const struct visit *v)
{
	return v->what == TIMELINE || v->what == EXPORT;
}

static void end_visit(struct visit *v)
{
	fw_arena_finish(&v->arena);
	free(v);
}

/* The segments that hold for the person now, of which no request tells where it is or what with. */
static int write_segments(struct visit *v, int64_t now_us, struct fw_json_out *o)
{
	struct fw_engine_worker *w = v->worker;
	const struct fw_ruleset *set = w->engine->set;
	struct fw_facts f;
	struct fw_seen seen = { 0 };
	fw_facts_init(&f, &v->arena, true);
	f.has_clock = true;
	f.now_us = now_us;
	int rc = fw_profile_fill(v->record, &f);
	if (rc == 0)
		rc = fw_signal_derive(fw_signal_zones(w->engine->signals), &f);
	if (rc < 0)
		return rc;
	fw_json_key(o, "segments");
	fw_json_open_array(o);
	fw_eval_begin(&w->decider.eval, &f, &v->arena);
	for (uint32_t i = 0; i < set->n_segments; i++)
		if (fw_eval_segment(&w->decider.eval, i, &seen) == FW_TRUE)
			fw_json_text_value(o, set->segments[i].id);
	fw_eval_end(&w->decider.eval);
	fw_json_close_array(o);
	return 0;
}

static int write_person(struct visit *v, struct fw_json_out *o, struct fw_error *err)
{
	int64_t now_us = fw_now_us();
	int rc = fw_profile_describe(&v->arena, v->record, now_us, o, err);
	return rc < 0 ? rc : write_segments(v, now_us, o);
}

static int write_answer(struct visit *v, struct fw_str unverified, struct fw_json_out *o, struct fw_error *err)
{
	switch (v->what) {
	case TIMELINE: return fw_rights_timeline(&v->arena, v->id.id, v->record, unverified, o, err);
	case EXPORT: return fw_profile_export(&v->arena, v->record, unverified, fw_now_us(), o, err);
	case MERGES: return fw_profile_merges(&v->arena, v->record, o, err);
	default: return write_person(v, o, err);
	}
}

static void answer(struct visit *v, struct fw_str unverified)
{
	struct fw_buf out;
	struct fw_json_out o;
	struct fw_error err = { .message = "out of memory" };
	if (!v->record.n && !(has_unverified(v) && unverified.n)) {
		fw_engine_fail(v->done, v->data, 404, "not_found", FW_RIGHTS_NOBODY, NULL, FW_RIGHTS_IDS);
		end_visit(v);
		return;
	}
	fw_buf_init(&out, 0);
	fw_json_out_init(&o, &out);
	fw_json_open_object(&o);
	int rc = write_answer(v, unverified, &o, &err);
	fw_json_close_object(&o);
	if (rc < 0)
		fw_engine_fail(v->done, v->data, 503, "unavailable", err.message, NULL, NULL);
	else
		v->done(v->data, 200, &out);
	fw_buf_finish(&out);
	end_visit(v);
}

static void on_unverified(void *ctx, int rc, const struct fw_person *person)
{
	answer(ctx, rc == 0 ? person->record : (struct fw_str){ NULL, 0 });
}

static void on_person(void *ctx, int rc, const struct fw_person *person)
{
	struct visit *v = ctx;
	if (rc < 0) {
		fw_engine_fail_store(v->done, v->data, rc);
		end_visit(v);
		return;
	}
	v->record = person->record;
	if (v->id.kind == FW_PERSON_USER && has_unverified(v)) {
		struct fw_person_id claimed = { FW_PERSON_UNVERIFIED, v->id.id };
		fw_people_load(v->worker->people, &claimed, (struct fw_str){ NULL, 0 }, false, &v->arena, on_unverified, v);
	} else {
		answer(v, (struct fw_str){ NULL, 0 });
	}
}

void fw_engine_visitor(struct fw_engine_worker *w, const char *id, const char *what, fw_engine_done done, void *data)
{
	struct fw_error err;
	struct visit *v = w->people ? calloc(1, sizeof *v) : NULL;
	if (!v) {
		fw_engine_fail_store(done, data, w->people ? FW_ENOMEM : FW_EAWAY);
		return;
	}
	*v = (struct visit){ .worker = w, .what = find_what(what), .done = done, .data = data };
	fw_arena_init(&v->arena, NULL, 0, FW_LIMIT_REQUEST_BYTES);
	char *copy = fw_arena_strndup(&v->arena, id, strlen(id));
	int rc = copy ? fw_person_id_parse(&v->arena, fw_str(copy), &v->id, &err) : FW_ENOMEM;
	if (rc == 0) {
		fw_people_load(w->people, &v->id, (struct fw_str){ NULL, 0 }, false, &v->arena, on_person, v);
		return;
	}
	if (rc == FW_EINVAL)
		fw_engine_fail(done, data, 400, "bad_request", err.message, NULL, err.hint);
	else
		fw_engine_fail_store(done, data, rc);
	end_visit(v);
}
