/* What a person may ask for, told by who may tell it: erasure and its receipt, restriction, undoing a merge. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "people/erase.h"
#include "people/undo.h"
#include "server/ingest.h"
#include "server/rights.h"

/* A request on its way. */
struct right {
	struct fw_engine_worker *worker;
	struct fw_arena arena;
	const char *asked; /* the id, as it was written */
	struct fw_person_id id;
	struct fw_json *body;
	bool restricted;
	fw_engine_done done;
	void *data;
};

static void end(struct right *r)
{
	fw_arena_finish(&r->arena);
	free(r);
}

static void fail(struct right *r, int rc, const char *nobody, const char *hint)
{
	if (rc == FW_ENOENT)
		fw_engine_fail(r->done, r->data, 404, "not_found", nobody, NULL, hint);
	else
		fw_engine_fail_store(r->done, r->data, rc);
	end(r);
}

static void fail_nobody(struct right *r, int rc)
{
	fail(r, rc, FW_RIGHTS_NOBODY, FW_RIGHTS_IDS);
}

static void refuse(struct right *r, const char *message, const char *path, const char *hint)
{
	fw_engine_fail(r->done, r->data, 400, "bad_request", message, path, hint);
	end(r);
}

static void begin(struct fw_buf *out, struct fw_json_out *o)
{
	fw_buf_init(out, 0);
	fw_json_out_init(o, out);
	fw_json_open_object(o);
}

/* Answers with the object that was begun. */
static void respond(struct right *r, int status, struct fw_json_out *o)
{
	fw_json_close_object(o);
	r->done(r->data, status, o->buf);
	fw_buf_finish(o->buf);
	end(r);
}

static void answer_receipt(struct right *r, int status, const struct fw_receipt *receipt)
{
	struct fw_buf out;
	struct fw_json_out o;
	begin(&out, &o);
	fw_rights_receipt(&o, receipt);
	respond(r, status, &o);
}

static void on_erased(void *ctx, int rc, const struct fw_receipt *receipt)
{
	if (rc < 0)
		fail_nobody(ctx, rc);
	else
		answer_receipt(ctx, receipt->done_us ? 200 : 202, receipt);
}

static void erase(struct right *r)
{
	fw_people_erase(r->worker->people, &r->id, fw_now_us(), on_erased, r);
}

static void on_receipt(void *ctx, int rc, const struct fw_receipt *receipt)
{
	if (rc < 0)
		fail(ctx, rc, "there is no erasure of this id", NULL);
	else
		answer_receipt(ctx, 200, receipt);
}

/* The only member of the body; NULL: it has none. False: it was refused. */
static bool read_body(struct right *r, const char *name, const char *hint, const struct fw_json **ret)
{
	*ret = NULL;
	if (r->body && r->body->type != FW_JSON_OBJECT) {
		refuse(r, "the request is no object", NULL, hint);
		return false;
	}
	for (const struct fw_json *m = r->body ? r->body->child : NULL; m; m = m->next) {
		if (fw_str_is(m->key, name)) {
			*ret = m;
		} else if (!fw_str_is(m->key, "writeKey")) {
			refuse(r, "there is no such member", m->key.p, hint);
			return false;
		}
	}
	return true;
}

static void on_restricted(void *ctx, int rc)
{
	struct right *r = ctx;
	struct fw_buf out;
	struct fw_json_out o;
	if (rc < 0) {
		fail_nobody(r, rc);
		return;
	}
	begin(&out, &o);
	fw_json_key(&o, "restricted");
	fw_json_bool(&o, r->restricted);
	respond(r, 200, &o);
}

static void restrict_person(struct right *r)
{
	static const char hint[] = "write {\"restricted\":true} or {\"restricted\":false}";
	const struct fw_json *restricted;
	if (!read_body(r, "restricted", hint, &restricted))
		return;
	if (!restricted || restricted->type != FW_JSON_BOOL) {
		refuse(r, "restricted is neither true nor false", "restricted", hint);
		return;
	}
	r->restricted = restricted->boolean;
	fw_people_restrict(r->worker->people, &r->id, r->restricted, on_restricted, r);
}

static void on_left(void *ctx, int rc, const struct fw_person *person)
{
	struct right *r = ctx;
	struct fw_error err = { .message = "out of memory" };
	struct fw_buf out;
	struct fw_json_out o;
	if (rc < 0) {
		fail_nobody(r, rc);
		return;
	}
	begin(&out, &o);
	if (fw_profile_merges(&r->arena, person->record, &o, &err) == 0) {
		respond(r, 200, &o);
		return;
	}
	fw_buf_finish(&out);
	fw_engine_fail(r->done, r->data, 503, "unavailable", err.message, NULL, NULL);
	end(r);
}

static void on_unmerged(void *ctx, int rc)
{
	struct right *r = ctx;
	if (rc < 0)
		fail(r, rc, FW_RIGHTS_NOBODY ", or has a merge of this number that can still be undone",
			"GET /v1/visitors/ID/merges lists those that can");
	else
		fw_people_load(r->worker->people, &r->id, (struct fw_str){ NULL, 0 }, false, &r->arena, on_left, r);
}

static void unmerge(struct right *r)
{
	static const char hint[] = "write {\"number\":7}, or {} for the latest merge";
	const struct fw_json *number;
	if (!read_body(r, "number", hint, &number))
		return;
	bool whole = number && number->type == FW_JSON_NUMBER && number->number >= 1 && number->number < 9e15 &&
		number->number == (double)(uint64_t)number->number;
	if (number && number->type != FW_JSON_NULL && !whole)
		refuse(r, "number is no number of a merge", "number", hint);
	else
		fw_people_unmerge(r->worker->people, &r->id, whole ? (uint64_t)number->number : 0, fw_now_us(), on_unmerged, r);
}

static const struct {
	const char *what;
	void (*run)(struct right *r);
} rights[] = { { "erase", erase }, { "restriction", restrict_person }, { "unmerge", unmerge } };

static void run(struct right *r, const char *what, struct fw_str json)
{
	struct fw_error err;
	int rc = r->asked ? 0 : FW_ENOMEM;
	if (rc == 0 && strcmp(what, "receipt") == 0) {
		fw_people_receipt(r->worker->people, r->asked, on_receipt, r);
		return;
	}
	if (rc == 0)
		rc = fw_person_id_parse(&r->arena, fw_str(r->asked), &r->id, &err);
	if (rc == FW_EINVAL) {
		refuse(r, err.message, NULL, err.hint[0] ? err.hint : NULL);
		return;
	}
	if (rc == 0 && json.n && (rc = fw_json_parse(&r->arena, json.p, json.n, &r->body, &err)) == FW_EINVAL) {
		fw_engine_fail(r->done, r->data, 400, "bad_json", err.message, NULL, err.hint[0] ? err.hint : NULL);
		end(r);
		return;
	}
	if (rc < 0) {
		fail_nobody(r, rc);
		return;
	}
	for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
		if (strcmp(what, rights[i].what) == 0) {
			rights[i].run(r);
			return;
		}
	refuse(r, "a visitor is asked for by show, timeline, export, merges, erase, restriction or unmerge", NULL, NULL);
}

void fw_engine_right(struct fw_engine_worker *w, const char *id, const char *what, struct fw_str json,
	fw_engine_done done, void *data)
{
	struct right *r = w->people ? calloc(1, sizeof *r) : NULL;
	if (!r) {
		fw_engine_fail_store(done, data, w->people ? FW_ENOMEM : FW_EAWAY);
		return;
	}
	*r = (struct right){ .worker = w, .done = done, .data = data };
	fw_arena_init(&r->arena, NULL, 0, FW_LIMIT_REQUEST_BYTES);
	r->asked = fw_arena_strndup(&r->arena, id, strlen(id));
	run(r, what, json);
}
