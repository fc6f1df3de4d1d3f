/* A decide request to its answer: JSON in, JSON out. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "server/engine_own.h"
#include "server/request.h"
#include "server/signed.h"
#include "trace/trace.h"

enum { LEAST_PUBLIC_ID = 16 };

/* What is asked, once read. */
struct question {
	struct fw_arena *arena; /* of the whole answer */
	const struct fw_json *body;
	uint32_t *slots, n;
	struct fw_refused_slot *refused;
	uint32_t n_refused;
	struct fw_str key;
	bool is_signed;
};

static int fail(struct fw_buf *out, int status, const char *code, const char *message, const char *path, const char *hint)
{
	struct fw_json_out o;
	fw_buf_clear(out);
	fw_json_out_init(&o, out);
	fw_json_open_object(&o);
	fw_json_key(&o, "error");
	fw_json_open_object(&o);
	fw_json_key(&o, "code");
	fw_json_text_value(&o, code);
	fw_json_key(&o, "message");
	fw_json_text_value(&o, message);
	if (path) {
		fw_json_key(&o, "path");
		fw_json_text_value(&o, path);
	}
	if (hint) {
		fw_json_key(&o, "hint");
		fw_json_text_value(&o, hint);
	}
	fw_json_close_object(&o);
	fw_json_close_object(&o);
	return status;
}

static int no_memory(struct fw_buf *out)
{
	return fail(out, 413, "too_large", "the request takes more memory than one may", NULL, NULL);
}

static const char *nearest_slot(const struct fw_ruleset *set, struct fw_str id, bool secret, struct fw_arena *a)
{
	const char **names = set->n_slots <= 1000 ? fw_arena_array(a, set->n_slots + 1, sizeof *names) : NULL;
	const char *wrong = id.n <= FW_LIMIT_ID_BYTES ? fw_arena_strndup(a, id.p, id.n) : NULL;
	size_t n = 0;
	if (!names || !wrong)
		return NULL;
	for (uint32_t i = 0; i < set->n_slots; i++)
		if (secret || set->slots[i].public)
			names[n++] = set->slots[i].id;
	const char *nearest = fw_nearest(wrong, names, n);
	return nearest ? fw_arena_printf(a, "did you mean \"%s\"?", nearest) : NULL;
}

static bool has(const uint32_t *slots, uint32_t n, uint32_t slot)
{
	for (uint32_t i = 0; i < n; i++)
		if (slots[i] == slot)
			return true;
	return false;
}

/* A slot that may not be asked for answers as one that does not exist. */
static void take_slot(const struct fw_ruleset *set, bool secret, struct fw_str id, struct question *q)
{
	uint32_t slot = fw_ruleset_slot(set, id);
	if (slot != FW_NONE && (secret || set->slots[slot].public)) {
		if (!has(q->slots, q->n, slot))
			q->slots[q->n++] = slot;
		return;
	}
	for (uint32_t i = 0; i < q->n_refused; i++)
		if (fw_str_equal(q->refused[i].id, id))
			return;
	q->refused[q->n_refused++] = (struct fw_refused_slot){ id, "unknown_slot", "there is no such slot", nearest_slot(set, id, secret,
		q->arena) };
}

static int read_slots(const struct fw_ruleset *set, bool secret, struct question *q, struct fw_buf *out)
{
	const struct fw_json *asked = fw_json_get(q->body, "slots");
	uint32_t most = asked && asked->type == FW_JSON_ARRAY ? asked->count : set->n_slots;
	char path[32];
	if (asked && asked->type != FW_JSON_ARRAY && asked->type != FW_JSON_NULL)
		return fail(out, 400, "bad_request", "slots is no list of slot ids", "slots", NULL);
	if (asked && asked->count > FW_LIMIT_SLOTS_ASKED)
		return fail(out, 400, "bad_request", "too many slots are named", "slots", "at most 200 in one request");
	q->slots = FW_NEW_ARRAY(q->arena, most + 1, uint32_t);
	q->refused = FW_NEW_ARRAY(q->arena, most + 1, struct fw_refused_slot);
	if (!q->slots || !q->refused)
		return no_memory(out);
	if (!asked || asked->type == FW_JSON_NULL) {
		for (uint32_t i = 0; i < set->n_slots; i++)
			if (secret || set->slots[i].public)
				q->slots[q->n++] = i;
		return 0;
	}
	unsigned i = 0;
	for (const struct fw_json *s = asked->child; s; s = s->next, i++) {
		if (s->type != FW_JSON_STRING) {
			snprintf(path, sizeof path, "slots[%u]", i);
			return fail(out, 400, "bad_request", "a slot is asked for by its id, a text", path, NULL);
		}
		take_slot(set, secret, s->string, q);
	}
	return 0;
}

static int wants_text(const struct fw_json *body, const char *name, struct fw_buf *out)
{
	const struct fw_json *v = fw_json_get(body, name);
	if (!v || v->type == FW_JSON_STRING || v->type == FW_JSON_NULL)
		return 0;
	return fail(out, 400, "bad_request", "an id is a text", name, NULL);
}

/* The hash may stand at the top, in the context or in the traits. */
static struct fw_str find_hash(const struct fw_json *body)
{
	const struct fw_json *context = fw_json_get(body, "context");
	struct fw_str hash = fw_json_text(body, "userHash");
	if (!hash.n)
		hash = fw_json_text(context, "userHash");
	if (!hash.n)
		hash = fw_json_text(fw_json_get(body, "traits"), "userHash");
	return hash.n ? hash : fw_json_text(fw_json_get(context, "traits"), "userHash");
}

static int read_ids(const struct fw_config *config, bool secret, struct question *q, struct fw_buf *out)
{
	struct fw_str anonymous = fw_json_text(q->body, "anonymousId"), user = fw_json_text(q->body, "userId");
	int status = wants_text(q->body, "anonymousId", out);
	if (!status)
		status = wants_text(q->body, "userId", out);
	if (status)
		return status;
	if (!secret && anonymous.n && anonymous.n < LEAST_PUBLIC_ID)
		return fail(out, 400, "bad_request", "with a write key an anonymousId is a secret of at least 16 bytes", "anonymousId",
			"make a random one, such as a UUID");
	q->is_signed = secret || (user.n && fw_signed_verify(config->identity_key, user, find_hash(q->body)));
	q->key = anonymous.n ? anonymous : q->is_signed ? user : (struct fw_str){ NULL, 0 };
	return 0;
}

static int read_question(struct fw_engine_worker *w, const struct fw_engine_ask *ask, struct question *q, struct fw_buf *out)
{
	struct fw_json *body = NULL;
	struct fw_error err;
	int rc = fw_json_parse(q->arena, ask->json.p ? ask->json.p : "", ask->json.n, &body, &err);
	if (rc == FW_ENOMEM)
		return no_memory(out);
	if (rc < 0)
		return fail(out, 400, "bad_json", err.message, NULL, err.hint[0] ? err.hint : NULL);
	if (body->type != FW_JSON_OBJECT)
		return fail(out, 400, "bad_request", "the request is no object", NULL, NULL);
	q->body = body;
	const struct fw_json *context = fw_json_get(body, "context");
	if (context && context->type != FW_JSON_OBJECT && context->type != FW_JSON_NULL)
		return fail(out, 400, "bad_request", "context is no object", "context", NULL);
	int status = read_ids(w->engine->config, ask->secret, q, out);
	return status ? status : read_slots(w->engine->set, ask->secret, q, out);
}

static struct fw_str header(const struct fw_plugin_request *r, const char *name)
{
	struct fw_str value = r ? fw_http_header(r->http, name) : (struct fw_str){ NULL, 0 };
	return value;
}

static int read_facts(struct fw_engine_worker *w, const struct fw_engine_ask *ask, const struct question *q, struct fw_facts *f)
{
	const struct fw_plugin_request *r = ask->request;
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct fw_signal_request request = {
		.body = q->body,
		.user_agent = header(r, "User-Agent"),
		.accept_language = header(r, "Accept-Language"),
		.referer = header(r, "Referer"),
		.sec_gpc = header(r, "Sec-GPC"),
		.sec_ch_ua = header(r, "Sec-CH-UA"),
		.sec_ch_ua_mobile = header(r, "Sec-CH-UA-Mobile"),
		.sec_ch_ua_platform = header(r, "Sec-CH-UA-Platform"),
		.sec_ch_ua_form_factors = header(r, "Sec-CH-UA-Form-Factors"),
		.peer = r ? fw_http_peer(r->http) : &nobody,
		.secret = ask->secret,
		.user_is_signed = q->is_signed,
		.now_us = fw_now_us(),
	};
	if (r)
		request.forwarded = r->forwarded;
	fw_facts_init(f, q->arena, false);
	f->key = q->key;
	return fw_signal_read(w->signals, &request, f);
}

static int answer(struct fw_engine_worker *w, const struct question *q, const struct fw_facts *f, struct fw_decision *d,
	struct fw_buf *out)
{
	struct fw_json_out o;
	if (fw_decide(&w->decider, f, q->slots, q->n, q->arena, d) < 0)
		return no_memory(out);
	/* There is no store yet that could be out of reach. */
	d->degraded = false;
	fw_json_out_init(&o, out);
	fw_trace_answer(&o, w->engine->set, d, q->refused, q->n_refused);
	fw_count(w->page, FW_COUNT_DECISIONS, 1);
	return 200;
}

static int explain(struct fw_engine_worker *w, const struct question *q, const struct fw_facts *f, struct fw_buf *out)
{
	struct fw_explanation e;
	struct fw_json_out o;
	if (q->n_refused)
		return fail(out, 400, "unknown_slot", "there is no such slot", "slots", q->refused[0].hint);
	if (fw_explain(&w->decider, f, q->slots, q->n, q->arena, &e) < 0)
		return no_memory(out);
	fw_json_out_init(&o, out);
	fw_trace_explanation(&o, w->engine->set, f, &e);
	fw_count(w->page, FW_COUNT_EXPLANATIONS, 1);
	return 200;
}

/* One decision in so many is kept for a closer look, in an arena that the next ones leave alone. */
static struct fw_arena *choose_arena(struct fw_engine_worker *w, bool is_explain)
{
	struct fw_arena *a = &w->arena;
	if (!is_explain && !w->sample_due && --w->until_sample == 0) {
		w->until_sample = FW_SAMPLE_EVERY;
		a = &w->sample_arena;
	}
	fw_arena_reset(a);
	return a;
}

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int fw_engine_decide(struct fw_engine_worker *w, struct fw_engine_ask *ask, struct fw_buf *out)
{
	uint64_t began = now_ns();
	struct question q = { .arena = choose_arena(w, ask->explain) };
	bool sampled = q.arena == &w->sample_arena;
	struct fw_facts own, *f = sampled ? &w->sample_facts : &own;
	struct fw_decision decision, *d = sampled ? &w->sample_decision : &decision;
	int status = read_question(w, ask, &q, out);
	if (status)
		return status;
	if (read_facts(w, ask, &q, f) < 0)
		return no_memory(out);
	uint64_t between = now_ns();
	status = ask->explain ? explain(w, &q, f, out) : answer(w, &q, f, d, out);
	w->sample_due |= sampled && status == 200;
	ask->facts_ns = between - began;
	ask->decide_ns = now_ns() - between;
	if (!ask->explain)
		fw_count_duration(w->page, ask->facts_ns + ask->decide_ns);
	fw_engine_note(w);
	return status;
}

void fw_engine_turned(struct fw_engine_worker *w)
{
	if (w->sample_due) {
		w->sample_due = false;
		fw_arena_reset(&w->arena);
		fw_decide_sample(&w->decider, &w->sample_facts, &w->sample_decision, &w->arena);
		fw_arena_reset(&w->sample_arena);
	}
	if (w->engine->set->n_functions)
		fw_sandbox_collect(w->engine->set->sandbox);
}
