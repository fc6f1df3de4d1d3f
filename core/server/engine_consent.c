/* What a person says of purposes and channels, told by itself or by those who heard it: an event like any other, of which
 * nothing else is known. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "server/admit.h"
#include "server/ingest.h"
#include "signal/consent.h"

/* A change on its way. */
struct telling {
	struct fw_engine_worker *worker;
	struct fw_arena arena;
	size_t json_bytes;
	bool secret;
	struct fw_people_event event;
	struct fw_people_group group;
	struct fw_consent_change change;
	struct fw_consent_said *said;
	struct fw_claim claim; /* the id that it is told of */
	fw_engine_done done;
	void *data;
};

/* What is wrong with a request. */
struct wrong {
	int status;
	const char *code, *message, *path, *hint;
};

static void end(struct telling *t)
{
	t->worker->ingester->waiting_bytes -= t->json_bytes;
	fw_arena_finish(&t->arena);
	free(t);
}

static void on_written(void *ctx, int rc, const struct fw_person *person)
{
	struct telling *t = ctx;
	struct fw_buf out;
	struct fw_json_out o;
	fw_buf_init(&out, 0);
	fw_json_out_init(&o, &out);
	fw_json_open_object(&o);
	fw_json_key(&o, "consent");
	if (rc == 0)
		rc = fw_profile_granted(&t->arena, person->record, &o);
	fw_json_close_object(&o);
	if (rc < 0)
		fw_engine_fail_store(t->done, t->data, rc);
	else
		t->done(t->data, 200, &out);
	fw_buf_finish(&out);
	end(t);
}

static void on_applied(void *ctx, int rc)
{
	struct telling *t = ctx;
	if (rc < 0) {
		fw_engine_fail_store(t->done, t->data, rc);
		end(t);
		return;
	}
	fw_people_load(t->worker->people, &t->event.id, (struct fw_str){ NULL, 0 }, false, &t->arena, on_written, t);
}

static bool wrong(struct wrong *w, const char *message, const char *path, const char *hint)
{
	*w = (struct wrong){ 400, "bad_request", message, path, hint };
	return false;
}

static bool forbidden(struct wrong *w, const char *message, const char *path, const char *hint)
{
	*w = (struct wrong){ 403, "forbidden", message, path, hint };
	return false;
}

/* Whose word a write key is: of the one who holds the anonymousId. */
static bool may_speak(const struct telling *t, struct wrong *w)
{
	if (fw_id_is_blocked(t->event.id.id))
		return wrong(w, "the id is what programs write where there is none", NULL, "make a random anonymousId");
	if (t->secret)
		return true;
	if (t->event.id.kind != FW_PERSON_ANONYMOUS)
		return forbidden(w, "a write key speaks for its own anonymousId only", NULL,
			"write /v1/visitors/anonymous:ID/consent, or use a secret key");
	if (t->event.id.id.n < FW_LIMIT_PUBLIC_ID_BYTES)
		return forbidden(w, "with a write key an anonymousId is a secret of at least 16 bytes", NULL,
			"make a random one, such as a UUID");
	return true;
}

static bool add_name(struct telling *t, const struct fw_json *name, const char *list, enum fw_consent_state state, struct wrong *w)
{
	if (name->type != FW_JSON_STRING || name->string.n == 0 || name->string.n > FW_LIMIT_CONSENT_NAME_BYTES)
		return wrong(w, "a purpose or a channel is a text of 1 to 64 bytes", list, "write [\"analytics\", \"email\"]");
	if (!t->secret && fw_consent_is_channel(name->string))
		return forbidden(w, "a write key says nothing of channels: it does not prove whose address it is", list,
			"a server says it, with a secret key");
	char *folded = fw_arena_strndup(&t->arena, name->string.p, name->string.n);
	if (!folded)
		return wrong(w, "the request takes more memory than one may", list, NULL);
	fw_fold(name->string, folded);
	struct fw_str what = { folded, name->string.n };
	for (unsigned i = 0; i < t->change.n; i++)
		if (fw_str_equal(t->said[i].what, what)) {
			if (t->said[i].state == state)
				return true;
			return wrong(w, "it is both granted and not", list, "name it in one of grant, deny and withdraw");
		}
	if (t->change.n == FW_LIMIT_CONSENTS)
		return wrong(w, "too many purposes and channels are named", list, "at most 64 in one request");
	t->said[t->change.n++] = (struct fw_consent_said){ what, state };
	return true;
}

static bool read_list(struct telling *t, const struct fw_json *names, enum fw_consent_state state, struct wrong *w)
{
	if (names->type == FW_JSON_NULL)
		return true;
	if (names->type != FW_JSON_ARRAY)
		return wrong(w, "a list of purposes and channels was expected", names->key.p, "write [\"analytics\", \"email\"]");
	for (const struct fw_json *n = names->child; n; n = n->next)
		if (!add_name(t, n, names->key.p, state, w))
			return false;
	return true;
}

static bool read_text(const struct fw_json *v, size_t most, struct fw_str *ret, struct wrong *w)
{
	if (v->type == FW_JSON_NULL)
		return true;
	if (v->type != FW_JSON_STRING || v->string.n > most)
		return wrong(w, most == FW_LIMIT_CONSENT_SOURCE_BYTES ? "a text of at most 64 bytes was expected"
			: "a text of at most 100 bytes was expected", v->key.p,
			"source says where it was told, text is the version of the words");
	*ret = v->string;
	return true;
}

/* A time that is still to come is taken for a clock that is wrong: it is now. */
static bool read_at(struct telling *t, const struct fw_json *v, struct wrong *w)
{
	int64_t at_us;
	if (v->type == FW_JSON_NULL)
		return true;
	if (!fw_event_time(v, &at_us))
		return wrong(w, "at is no time", "at", "write it as \"2026-11-23T22:40:00Z\"");
	if (at_us < 0)
		return wrong(w, "at is before 1970", "at", NULL);
	if (at_us < t->event.event.received_us)
		t->event.event.at_us = at_us;
	return true;
}

static bool unknown_member(struct telling *t, const char *name, struct wrong *w)
{
	static const char *const known[] = { "grant", "deny", "withdraw", "source", "at", "text" };
	const char *nearest = fw_nearest(name, known, sizeof known / sizeof *known);
	return wrong(w, "there is no such member", name, nearest ? fw_arena_printf(&t->arena, "did you mean \"%s\"?", nearest)
		: "it has grant, deny, withdraw, source, at and text");
}

static bool read_member(struct telling *t, const struct fw_json *m, struct wrong *w)
{
	if (fw_str_is(m->key, "grant"))
		return read_list(t, m, FW_CONSENT_GRANTED, w);
	if (fw_str_is(m->key, "deny"))
		return read_list(t, m, FW_CONSENT_DENIED, w);
	if (fw_str_is(m->key, "withdraw"))
		return read_list(t, m, FW_CONSENT_WITHDRAWN, w);
	if (fw_str_is(m->key, "source"))
		return read_text(m, FW_LIMIT_CONSENT_SOURCE_BYTES, &t->change.source, w);
	if (fw_str_is(m->key, "text"))
		return read_text(m, FW_LIMIT_CONSENT_TEXT_BYTES, &t->change.text, w);
	if (fw_str_is(m->key, "at"))
		return read_at(t, m, w);
	return fw_str_is(m->key, "writeKey") || unknown_member(t, m->key.p, w);
}

static bool read_body(struct telling *t, struct fw_str json, struct fw_error *err, struct wrong *w)
{
	struct fw_json *body;
	int rc = fw_json_parse(&t->arena, json.p ? json.p : "", json.n, &body, err);
	if (rc < 0) {
		bool large = rc == FW_ENOMEM;
		*w = (struct wrong){ large ? 413 : 400, large ? "too_large" : "bad_json",
			large ? "the request takes more memory than one may" : err->message, NULL,
			!large && err->hint[0] ? err->hint : NULL };
		return false;
	}
	if (body->type != FW_JSON_OBJECT)
		return wrong(w, "the request is no object", NULL, "write {\"grant\":[\"analytics\"],\"source\":\"preference-centre\"}");
	for (const struct fw_json *m = body->child; m; m = m->next)
		if (!read_member(t, m, w))
			return false;
	if (t->change.n == 0)
		return wrong(w, "nothing is granted, denied or withdrawn", NULL, "write {\"grant\":[\"analytics\"]}");
	if (t->change.source.n == 0)
		t->change.source = FW_STR("api");
	return true;
}

/* The event: of whom, and nothing but the change. The id is copied: the question's own may be gone by then. */
static bool make_event(struct telling *t, const struct fw_person_id *id)
{
	char *copy = fw_arena_strndup(&t->arena, id->id.p, id->id.n);
	struct fw_event *e = &t->event.event;
	t->said = FW_NEW_ARRAY(&t->arena, FW_LIMIT_CONSENTS, struct fw_consent_said);
	if (!copy || !t->said)
		return false;
	t->event.id = (struct fw_person_id){ id->kind, { copy, id->id.n } };
	t->claim = (struct fw_claim){ (enum fw_id_kind)id->kind, t->event.id.id };
	t->event.claims = &t->claim;
	t->event.n_claims = 1;
	*e = (struct fw_event){ .type = FW_EVENT_IDENTIFY, .at_us = fw_now_us(), .consent = &t->change, .only_consent = true };
	e->received_us = e->at_us;
	if (id->kind == FW_PERSON_ANONYMOUS)
		e->anonymous_id = t->event.id.id;
	else if (id->kind == FW_PERSON_USER)
		e->user_id = t->event.id.id;
	t->change.said = t->said;
	return true;
}

void fw_engine_consent(struct fw_engine_worker *w, struct fw_plugin_request *request, const char *id, bool secret, struct fw_str json,
	fw_engine_done done, void *data)
{
	struct fw_person_id parsed;
	struct fw_error err;
	struct wrong wrong = { 0 };
	bool busy = w->people && w->ingester->waiting_bytes && w->ingester->waiting_bytes + json.n > FW_LIMIT_INGEST_BYTES;
	struct telling *t = w->people && !busy ? calloc(1, sizeof *t) : NULL;
	if (!t) {
		fw_engine_fail_store(done, data, busy ? FW_EBUSY : w->people ? FW_ENOMEM : FW_EAWAY);
		return;
	}
	*t = (struct telling){ .worker = w, .json_bytes = json.n, .secret = secret, .done = done, .data = data,
		.group = { .done = on_applied, .ctx = t } };
	w->ingester->waiting_bytes += json.n;
	fw_arena_init(&t->arena, NULL, 0, FW_LIMIT_REQUEST_BYTES);
	int rc = fw_person_id_parse(&t->arena, fw_str(id), &parsed, &err);
	if (rc == 0 && !make_event(t, &parsed))
		rc = FW_ENOMEM;
	if (rc == FW_EINVAL) {
		fw_engine_fail(done, data, 400, "bad_request", err.message, NULL, err.hint);
		end(t);
	} else if (rc < 0) {
		fw_engine_fail_store(done, data, rc);
		end(t);
	} else if (!may_speak(t, &wrong) || !read_body(t, json, &err, &wrong)) {
		fw_engine_fail(done, data, wrong.status, wrong.code, wrong.message, wrong.path, wrong.hint);
		end(t);
	} else if (!fw_admit_id(request, t->event.id.id)) {
		fw_engine_fail_new(done, data);
		end(t);
	} else {
		fw_people_apply(w->people, &t->event, 1, &t->group);
	}
}
