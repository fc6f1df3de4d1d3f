/* A decide request, read: what is asked, by whom, and the facts of the request itself. */
#include <stdio.h>

#include "base/clock.h"
#include "server/engine_own.h"
#include "server/request.h"
#include "server/signed.h"

int fw_engine_error(struct fw_buf *out, int status, const char *code, const char *message, const char *path, const char *hint)
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

int fw_engine_no_memory(struct fw_buf *out)
{
	return fw_engine_error(out, 413, "too_large", "the request takes more memory than one may", NULL, NULL);
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
static void take_slot(const struct fw_ruleset *set, bool secret, struct fw_str id, struct fw_engine_question *q, struct fw_arena *arena)
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
	q->refused[q->n_refused++] = (struct fw_refused_slot){ id, "unknown_slot", "there is no such slot",
		nearest_slot(set, id, secret, arena) };
}

static int read_slots(const struct fw_ruleset *set, bool secret, struct fw_engine_question *q, struct fw_arena *arena, struct fw_buf *out)
{
	const struct fw_json *asked = fw_json_get(q->body, "slots");
	uint32_t most = asked && asked->type == FW_JSON_ARRAY ? asked->count : set->n_slots;
	char path[32];
	if (asked && asked->type != FW_JSON_ARRAY && asked->type != FW_JSON_NULL)
		return fw_engine_error(out, 400, "bad_request", "slots is no list of slot ids", "slots", NULL);
	if (asked && asked->count > FW_LIMIT_SLOTS_ASKED)
		return fw_engine_error(out, 400, "bad_request", "too many slots are named", "slots", "at most 200 in one request");
	q->slots = FW_NEW_ARRAY(arena, most + 1, uint32_t);
	q->refused = FW_NEW_ARRAY(arena, most + 1, struct fw_refused_slot);
	if (!q->slots || !q->refused)
		return fw_engine_no_memory(out);
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
			return fw_engine_error(out, 400, "bad_request", "a slot is asked for by its id, a text", path, NULL);
		}
		take_slot(set, secret, s->string, q, arena);
	}
	return 0;
}

/* Of an explanation: channels whose messages are asked about. */
static int read_channels(struct fw_engine_question *q, struct fw_arena *arena, struct fw_buf *out)
{
	const struct fw_json *asked = fw_json_get(q->body, "channels");
	if (!asked || asked->type == FW_JSON_NULL)
		return 0;
	if (asked->type != FW_JSON_ARRAY || asked->count > FW_LIMIT_SLOTS_ASKED)
		return fw_engine_error(out, 400, "bad_request", "channels is no list of at most 200 channels", "channels", NULL);
	if (!(q->channels = FW_NEW_ARRAY(arena, asked->count + 1, const char *)))
		return fw_engine_no_memory(out);
	for (const struct fw_json *c = asked->child; c; c = c->next) {
		if (c->type != FW_JSON_STRING)
			return fw_engine_error(out, 400, "bad_request", "a channel is a text, such as \"email\"", "channels", NULL);
		q->channels[q->n_channels++] = c->string.p;
	}
	return 0;
}

static int wants_text(const struct fw_json *body, const char *name, struct fw_buf *out)
{
	const struct fw_json *v = fw_json_get(body, name);
	if (!v || v->type == FW_JSON_STRING || v->type == FW_JSON_NULL)
		return 0;
	return fw_engine_error(out, 400, "bad_request", "an id is a text", name, NULL);
}

static int read_ids(const struct fw_config *config, bool secret, struct fw_engine_question *q, struct fw_buf *out)
{
	struct fw_str anonymous = fw_json_text(q->body, "anonymousId"), user = fw_json_text(q->body, "userId");
	int status = wants_text(q->body, "anonymousId", out);
	if (!status)
		status = wants_text(q->body, "userId", out);
	if (status)
		return status;
	if (!secret && anonymous.n && anonymous.n < FW_LIMIT_PUBLIC_ID_BYTES)
		return fw_engine_error(out, 400, "bad_request", "with a write key an anonymousId is a secret of at least 16 bytes",
			"anonymousId",
			"make a random one, such as a UUID");
	if (anonymous.n > FW_LIMIT_EVENT_ID_BYTES || user.n > FW_LIMIT_EVENT_ID_BYTES)
		return fw_engine_error(out, 400, "bad_request", "an id has at most 200 bytes", anonymous.n > FW_LIMIT_EVENT_ID_BYTES
			? "anonymousId" : "userId",
			NULL);
	anonymous = fw_id_or_none(anonymous);
	user = fw_id_or_none(user);
	struct fw_str hash = fw_event_user_hash(q->body, fw_json_get(q->body, "context"));
	q->is_signed = secret || (user.n && fw_signed_verify(config->identity_key, user, hash));
	if (q->is_signed)
		q->user = user;
	q->person = (struct fw_person_id){ anonymous.n ? FW_PERSON_ANONYMOUS : FW_PERSON_USER, anonymous.n ? anonymous : user };
	if (!anonymous.n && !q->is_signed)
		q->person.id.n = 0;
	return 0;
}

/* A decision's id or a tag, or a list of them; of a watcher what he shows is heeded from the second time on. */
static int read_shown(struct fw_engine_run *run)
{
	struct fw_engine_question *q = &run->q;
	const struct fw_engine_watch *watch = run->ask->watch;
	const struct fw_json *told = watch && watch->asked_before ? NULL : fw_json_get(q->body, "shown");
	bool good = true;
	if (watch)
		q->shown = watch->shown;
	if (!told || told->type == FW_JSON_NULL)
		return 0;
	if (told->type == FW_JSON_STRING)
		good = fw_shown_read(told->string, &q->shown);
	else
		good = told->type == FW_JSON_ARRAY && told->count <= FW_LIMIT_SHOWN;
	for (const struct fw_json *s = told->type == FW_JSON_ARRAY && good ? told->child : NULL; s && good; s = s->next)
		good = s->type == FW_JSON_STRING && fw_shown_read(s->string, &q->shown);
	return good ? 0 : fw_engine_error(&run->out, 400, "bad_request", "shown is no decision's id or tag, and no list of up to 8 of them",
		"shown", NULL);
}

static int read_question(struct fw_engine_run *run)
{
	const struct fw_engine *e = run->worker->engine;
	const struct fw_engine_ask *ask = run->ask;
	struct fw_engine_question *q = &run->q;
	struct fw_json *body = NULL;
	struct fw_error err;
	*q = (struct fw_engine_question){ .body = NULL };
	int rc = fw_json_parse(&run->arena, ask->json.p ? ask->json.p : "", ask->json.n, &body, &err);
	if (rc == FW_ENOMEM)
		return fw_engine_no_memory(&run->out);
	if (rc < 0)
		return fw_engine_error(&run->out, 400, "bad_json", err.message, NULL, err.hint[0] ? err.hint : NULL);
	if (body->type != FW_JSON_OBJECT)
		return fw_engine_error(&run->out, 400, "bad_request", "the request is no object", NULL, NULL);
	q->body = body;
	const struct fw_json *context = fw_json_get(body, "context");
	if (context && context->type != FW_JSON_OBJECT && context->type != FW_JSON_NULL)
		return fw_engine_error(&run->out, 400, "bad_request", "context is no object", "context", NULL);
	const struct fw_json *details = fw_json_get(body, "details");
	const struct fw_json *changes = ask->explain && ask->secret ? fw_json_get(body, "changes") : NULL;
	const struct fw_json *order = ask->explain && ask->secret ? fw_json_get(body, "order") : NULL;
	q->details = details && details->type == FW_JSON_BOOL && details->boolean;
	q->changes = changes && changes->type == FW_JSON_BOOL && changes->boolean;
	q->orders = order && order->type == FW_JSON_BOOL && order->boolean;
	int status = read_ids(e->config, ask->secret, q, &run->out);
	if (!status && !ask->explain)
		status = read_shown(run);
	if (!status && ask->explain && ask->secret)
		status = read_channels(q, &run->arena, &run->out);
	return status ? status : read_slots(e->set, ask->secret, q, &run->arena, &run->out);
}

static struct fw_str header(const struct fw_plugin_request *r, const char *name)
{
	struct fw_str value = r ? fw_http_header(r->http, name) : (struct fw_str){ NULL, 0 };
	return value;
}

static int read_facts(struct fw_engine_run *run)
{
	const struct fw_plugin_request *r = run->ask->request;
	const struct fw_engine_question *q = &run->q;
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
		.secret = run->ask->secret,
		.user_is_signed = q->is_signed,
		.now_us = fw_now_us(),
	};
	if (r)
		request.forwarded = r->forwarded;
	const struct fw_signal_request *from = run->ask->from;
	if (from) {
		request = *from;
		request.body = q->body;
		request.secret = run->ask->secret;
		request.user_is_signed = q->is_signed;
		request.now_us = fw_now_us();
	}
	fw_facts_init(&run->facts, &run->arena, run->worker->people && q->person.id.n);
	run->facts.products = run->worker->engine->set->products;
	run->facts.asked = run->ask->watch ? &run->ask->watch->products : NULL;
	return fw_signal_read(run->worker->signals, &request, &run->facts);
}

int fw_engine_read(struct fw_engine_run *run)
{
	int status = read_question(run);
	if (status)
		return status;
	return read_facts(run) < 0 ? fw_engine_no_memory(&run->out) : 0;
}
