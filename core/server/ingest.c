#include "server/ingest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "server/admit.h"

enum { ARENA_BYTES = 32 << 20 }; /* what a body of the most bytes can become */

void fw_engine_fail(fw_engine_done done, void *data, int status, const char *code, const char *message, const char *path, const char *hint)
{
	struct fw_buf out;
	fw_buf_init(&out, 0);
	done(data, fw_engine_error(&out, status, code, message, path, hint), &out);
	fw_buf_finish(&out);
}

void fw_engine_fail_store(fw_engine_done done, void *data, int rc)
{
	const char *message = rc == FW_EBUSY ? "too much waits to be stored" : rc == FW_EFULL ? "the store's disk is full"
		: rc == FW_EAWAY ? "the store is out of reach" : rc == FW_ENOMEM ? "out of memory" : "the store cannot read or write this";
	fw_engine_fail(done, data, 503, "unavailable", message, NULL, "send it again; what is stored already counts once");
}

void fw_engine_fail_new(fw_engine_done done, void *data)
{
	fw_engine_fail(done, data, 429, "too_many", "too many visitors whom nobody has seen come from this address", NULL,
		"send it again after Retry-After; what is stored already counts once");
}

static void write_answer(const struct fw_ingest *in, unsigned accepted, struct fw_buf *out)
{
	struct fw_json_out o;
	fw_json_out_init(&o, out);
	fw_json_open_object(&o);
	fw_json_key(&o, "success");
	fw_json_bool(&o, true);
	fw_json_key(&o, "accepted");
	fw_json_number(&o, accepted);
	fw_json_key(&o, "rejected");
	fw_json_open_array(&o);
	for (unsigned i = 0; i < in->n_rejected; i++) {
		fw_json_open_object(&o);
		fw_json_key(&o, "index");
		fw_json_number(&o, in->rejected[i].index);
		fw_json_key(&o, "code");
		fw_json_text_value(&o, in->rejected[i].refusal.code);
		fw_json_key(&o, "message");
		fw_json_text_value(&o, in->rejected[i].refusal.message);
		fw_json_close_object(&o);
	}
	fw_json_close_array(&o);
	fw_json_close_object(&o);
}

/* How many of the events, the first ones, people have seen. */
static unsigned applied_now(const struct fw_ingest *in)
{
	return in->direct_held ? 0 : in->n_direct;
}

/* What was not added to the person goes to no letter either. Returns how many. */
static unsigned reject_refused(struct fw_ingest *in)
{
	unsigned n = 0;
	for (unsigned i = 0; i < applied_now(in); i++) {
		struct fw_refusal refusal;
		if (!fw_ingest_refused(&in->events[i], &refusal))
			continue;
		unsigned at = in->n_rejected++;
		for (; at > 0 && in->rejected[at - 1].index > in->indexes[i]; at--)
			in->rejected[at] = in->rejected[at - 1];
		in->rejected[at] = (struct fw_rejected){ in->indexes[i], refusal };
		n++;
	}
	return n;
}

static void finish(struct fw_ingest *in)
{
	fw_engine_done done = in->done;
	void *data = in->data;
	int rc = in->rc;
	struct fw_buf out;
	fw_buf_init(&out, 0);
	if (rc == 0) {
		unsigned repeated = 0, accepted = in->n_events - reject_refused(in);
		for (unsigned i = 0; i < applied_now(in); i++)
			repeated += in->events[i].repeated;
		fw_count(in->worker->page, FW_COUNT_EVENTS_STORED, accepted - repeated - in->n_held);
		fw_count(in->worker->page, FW_COUNT_EVENTS_REPEATED, repeated);
		fw_count(in->worker->page, FW_COUNT_EVENTS_REJECTED, in->n_rejected);
		write_answer(in, accepted, &out);
	}
	in->worker->ingester->waiting_bytes -= in->json_bytes;
	fw_arena_finish(&in->arena);
	free(in);
	if (rc == 0)
		done(data, 200, &out);
	else if (rc == FW_ELIMIT)
		fw_engine_fail_new(done, data);
	else
		fw_engine_fail_store(done, data, rc);
	fw_buf_finish(&out);
}

void fw_ingest_leave(struct fw_ingest *in, int rc)
{
	if (rc < 0)
		in->rc = rc;
	if (--in->left == 0)
		finish(in);
}

static void on_applied(void *ctx, int rc)
{
	struct fw_ingest *in = ctx;
	if (rc == FW_EAWAY && in->worker->spool) {
		in->direct_held = true;
		fw_ingest_hold(in, 0, in->n_direct);
		rc = 0;
	}
	fw_ingest_leave(in, rc);
}

/* What it takes at most to write an element: a byte of text is six as \u00xx, a number has some twenty. */
static size_t most_bytes(const struct fw_json *v)
{
	enum { OTHER = 32, ESCAPED = 6 };
	size_t n = OTHER + ESCAPED * (v->key.n + (v->type == FW_JSON_STRING ? v->string.n : 0));
	for (const struct fw_json *m = v->child; m; m = m->next)
		n += most_bytes(m);
	return n;
}

/* 0, or FW_EINVAL: an element of so many bytes is refused. Only one that may be too large is written out to know. */
static int check_size(struct fw_ingest *in, const struct fw_json *element, struct fw_refusal *refusal)
{
	struct fw_buf b;
	struct fw_json_out o;
	if (in->json_bytes <= FW_LIMIT_EVENT_WARN_BYTES || most_bytes(element) <= FW_LIMIT_EVENT_WARN_BYTES)
		return 0;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_tree(&o, element);
	size_t n = b.n;
	int rc = b.failed ? FW_ENOMEM : 0;
	fw_buf_finish(&b);
	if (rc == 0 && n > FW_LIMIT_EVENT_BYTES) {
		refusal->code = "too_large";
		snprintf(refusal->message, sizeof refusal->message, "the event has %zu bytes; at most %d are taken", n,
			FW_LIMIT_EVENT_BYTES);
		return FW_EINVAL;
	}
	fw_count(in->worker->page, FW_COUNT_EVENTS_LARGE, rc == 0 && n > FW_LIMIT_EVENT_WARN_BYTES);
	return rc;
}

/* For an event without a messageId: if it is held it may be handed in twice. */
static uint64_t make_hash(struct fw_ingester *g)
{
	uint64_t hash = fw_hash(&g->chance, sizeof g->chance);
	g->chance[1]++;
	return hash + (hash == 0);
}

static int take(struct fw_ingest *in, const struct fw_json *element, unsigned index)
{
	struct fw_refusal refusal = { .code = NULL };
	struct fw_people_event *e = &in->events[in->n_events];
	int rc = check_size(in, element, &refusal);
	if (rc == 0 && index >= FW_LIMIT_EVENTS_A_BATCH) {
		refusal.code = "too_many";
		snprintf(refusal.message, sizeof refusal.message, "a request has at most %d events", FW_LIMIT_EVENTS_A_BATCH);
		rc = FW_EINVAL;
	}
	if (rc == 0)
		rc = fw_ingest_read(&in->reader, element, e, &refusal);
	if (rc == 0 && in->worker->spool && !e->event.message_hash)
		e->event.message_hash = make_hash(in->worker->ingester);
	if (rc == 0) {
		in->elements[in->n_events] = element;
		in->indexes[in->n_events++] = index;
	}
	if (rc != FW_EINVAL)
		return rc;
	struct fw_rejected *rejected = &in->rejected[in->n_rejected++];
	*rejected = (struct fw_rejected){ index, refusal };
	fw_ingest_keep_letter(in, element, &rejected->refusal);
	return 0;
}

/* A body that cannot be taken as a whole. */
static void refuse_all(struct fw_ingest *in, int status, const char *code, const char *message, const char *path, const char *hint)
{
	fw_engine_done done = in->done;
	void *data = in->data;
	in->worker->ingester->waiting_bytes -= in->json_bytes;
	fw_arena_finish(&in->arena);
	free(in);
	fw_engine_fail(done, data, status, code, message, path, hint);
}

/* The events of a body: a list, a batch object's, or itself. */
static const struct fw_json *find_events(struct fw_ingest *in, const struct fw_json *body, unsigned *ret_n)
{
	const struct fw_json *batch = body->type == FW_JSON_OBJECT ? fw_json_get(body, "batch") : NULL;
	*ret_n = 1;
	if (body->type == FW_JSON_ARRAY)
		batch = body;
	if (!batch)
		return body;
	if (batch != body) {
		in->reader.frame.context = fw_json_get(body, "context");
		in->reader.frame.sent_at = fw_json_text(body, "sentAt");
	}
	*ret_n = batch->type == FW_JSON_ARRAY ? batch->count : UINT32_MAX;
	return batch->child;
}

/* Those that can be applied are, those that cannot are held. */
static void store(void *ctx)
{
	struct fw_ingest *in = ctx;
	int rc = fw_ingest_part(in);
	if (rc == 1)
		return;
	if (rc < 0) {
		fw_ingest_leave(in, rc);
		return;
	}
	if (in->n_direct < in->n_events)
		fw_ingest_hold(in, in->n_direct, in->n_events - in->n_direct);
	if (in->n_direct == 0) {
		fw_ingest_leave(in, 0);
		return;
	}
	in->group = (struct fw_people_group){ .done = on_applied, .ctx = in };
	fw_people_apply(in->worker->people, in->events, in->n_direct, &in->group);
}

static void run(struct fw_ingest *in, struct fw_str json)
{
	struct fw_json *body = NULL;
	struct fw_error err;
	unsigned n = 0, index = 0;
	int rc = fw_json_parse(&in->arena, json.p ? json.p : "", json.n, &body, &err);
	if (rc == FW_EINVAL) {
		refuse_all(in, 400, "bad_json", err.message, NULL, err.hint[0] ? err.hint : NULL);
		return;
	}
	const struct fw_json *element = rc == 0 ? find_events(in, body, &n) : NULL;
	if (rc == 0 && ((body->type != FW_JSON_OBJECT && body->type != FW_JSON_ARRAY) || n == UINT32_MAX)) {
		refuse_all(in, 400, "bad_request", n == UINT32_MAX ? "batch is no list" : "the body is no object", n == UINT32_MAX
			? "batch" : NULL, NULL);
		return;
	}
	if (rc == 0) {
		in->events = FW_NEW_ARRAY(&in->arena, n + 1, struct fw_people_event);
		in->rejected = FW_NEW_ARRAY(&in->arena, n + 1, struct fw_rejected);
		in->indexes = FW_NEW_ARRAY(&in->arena, n + 1, unsigned);
		in->elements = FW_NEW_ARRAY(&in->arena, n + 1, const struct fw_json *);
	}
	if (rc < 0 || !in->events || !in->rejected || !in->indexes || !in->elements) {
		refuse_all(in, 413, "too_large", "the request takes more memory than one may", NULL, "send fewer events at once");
		return;
	}
	in->left = 1;
	for (; rc == 0 && element && index < n; element = element->next, index++)
		rc = take(in, element, index);
	for (unsigned i = 0; rc == 0 && i < in->n_events; i++)
		if (!fw_admit_id(in->reader.request, in->events[i].id.id))
			rc = FW_ELIMIT;
	if (rc < 0)
		fw_ingest_leave(in, rc);
	else
		store(in);
}

void fw_engine_ingest(struct fw_engine_worker *w, struct fw_plugin_request *request, bool secret, struct fw_str json,
	fw_engine_done done, void *data)
{
	if (!w->people) {
		fw_engine_fail(done, data, 503, "unavailable", "there is no store", NULL, NULL);
		return;
	}
	if (w->ingester->waiting_bytes && w->ingester->waiting_bytes + json.n > FW_LIMIT_INGEST_BYTES) {
		fw_engine_fail_store(done, data, FW_EBUSY);
		return;
	}
	struct fw_ingest *in = calloc(1, sizeof *in);
	if (!in) {
		fw_engine_fail_store(done, data, FW_ENOMEM);
		return;
	}
	*in = (struct fw_ingest){ .worker = w, .json_bytes = json.n, .done = done, .data = data };
	in->waiter = (struct fw_spool_waiter){ .wake = store, .ctx = in };
	in->reader = (struct fw_ingest_reader){
		.arena = &in->arena, .scratch = &w->ingester->scratch, .signals = w->signals, .consent = &w->engine->signal_config.consent,
		.identity_key = w->engine->config->identity_key, .request = request, .secret = secret,
		.triggers = w->engine->triggers,
		.frame = { .type = -1, .received_us = fw_now_us() }, .page = w->page,
	};
	w->ingester->waiting_bytes += json.n;
	fw_arena_init(&in->arena, NULL, 0, ARENA_BYTES);
	run(in, json);
}
