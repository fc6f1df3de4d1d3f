#include "server/sending.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/engine_own.h"
#include "server/ingest.h"
#include "server/judged.h"
#include "server/living.h"
#include "server/worker.h"

struct fw_sending {
	struct fw_worker *worker;
	struct fw_messages *messages;
	struct fw_channel channels[FW_LIMIT_PLUGINS];
	unsigned n;
	struct fw_profile_options profile;
	struct fw_judged_log judged;
	struct fw_messages_counters published;
	struct event *on_look; /* whether all has been told of; NULL: nobody asks */
	int64_t until_us;
	void (*done)(void *ctx);
	void *ctx;
};

struct fw_sending *fw_sending_create(struct fw_worker *w)
{
	struct fw_sending *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	struct fw_engine *engine = w->engine->engine;
	const struct fw_config *config = w->made->config;
	s->worker = w;
	s->n = fw_plugins_channels(w->made->plugins, s->channels);
	for (unsigned i = 0; i < s->n; i++)
		s->channels[i].rate /= config->workers;
	s->profile = (struct fw_profile_options){ config->currency, true, config->hosts.items, config->hosts.n };
	const struct fw_messages_options options = { .people = fw_living_people(w->living), .decider = &w->engine->decider,
		.due = &engine->due,
		.triggers = engine->triggers,
		.templates = engine->templates, .profile = &s->profile, .channels = s->channels, .n_channels = s->n,
		.share = FW_MESSAGE_GROUPS / (config->workers + 1), .requests = &fw_http_server_counters(w->http)->requests,
		.judged = w->engine->log ? fw_judged_keep : NULL, .judged_ctx = &s->judged };
	s->judged = (struct fw_judged_log){ .worker = w->engine, .due = &engine->due };
	s->messages = fw_messages_create(w->base, &options);
	if (s->messages)
		return s;
	free(s);
	return NULL;
}

void fw_sending_start(struct fw_sending *s)
{
	if (s)
		fw_messages_start(s->messages);
}

void fw_sending_product(struct fw_sending *s, uint32_t number)
{
	if (s)
		fw_messages_product(s->messages, number);
}

void fw_sending_drain(struct fw_sending *s)
{
	if (s)
		fw_messages_drain(s->messages);
}

static void look(struct fw_sending *s)
{
	const struct timeval soon = { 0, 10000 };
	bool idle = fw_messages_idle(s->messages) && s->judged.under_way == 0;
	if (idle || fw_monotonic_us() >= s->until_us || event_add(s->on_look, &soon) < 0)
		s->done(s->ctx);
}

static void on_look(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	look(ctx);
}

void fw_sending_finish(struct fw_sending *s, int64_t until_us, void (*done)(void *ctx), void *ctx)
{
	if (!s || s->on_look || !(s->on_look = evtimer_new(s->worker->base, on_look, s))) {
		done(ctx);
		return;
	}
	s->until_us = until_us;
	s->done = done;
	s->ctx = ctx;
	look(s);
}

void fw_sending_destroy(struct fw_sending *s)
{
	if (!s)
		return;
	if (s->on_look)
		event_free(s->on_look);
	fw_messages_destroy(s->messages);
	free(s);
}

void fw_sending_publish(struct fw_sending *s)
{
	if (!s)
		return;
	const struct fw_messages_counters *c = fw_messages_counters(s->messages);
	struct fw_messages_counters *p = &s->published;
	const uint64_t counts[FW_MESSAGE_COUNTS] = { c->judged - p->judged, c->sent - p->sent, c->deferred - p->deferred,
		c->refused - p->refused,
		c->retried - p->retried, c->failed - p->failed, c->lost - p->lost, c->poison - p->poison, c->heard - p->heard };
	for (unsigned i = 0; i < FW_MESSAGE_COUNTS; i++)
		fw_count(s->worker->page, FW_COUNT_MESSAGES + i, counts[i]);
	*p = *c;
}

int fw_sending_result(struct fw_sending *s, const char *id, int outcome, int64_t after_ms, const char *reason)
{
	if (!s || outcome < 0 || outcome > FW_CHANNEL_ACCEPTED)
		return FW_ENOENT;
	return fw_messages_result(s->messages, id, (enum fw_channel_outcome)outcome, after_ms, reason);
}

/* A question that the messages or the store have not answered yet. */
struct asked {
	struct fw_sending *s;
	fw_engine_done done;
	void *data;
	struct fw_arena arena;
	struct fw_address_said said; /* of a suppression */
};

static struct asked *new_asked(struct fw_sending *s, fw_engine_done done, void *data)
{
	struct asked *a = s ? calloc(1, sizeof *a) : NULL;
	if (!a) {
		fw_engine_fail_store(done, data, s ? FW_ENOMEM : FW_EAWAY);
		return NULL;
	}
	*a = (struct asked){ .s = s, .done = done, .data = data };
	fw_arena_init(&a->arena, NULL, 0, 0);
	return a;
}

static void answer(struct asked *a, int rc, bool changed)
{
	fw_engine_done done = a->done;
	void *data = a->data;
	struct fw_buf out;
	fw_arena_finish(&a->arena);
	free(a);
	if (rc == FW_ENOENT)
		fw_engine_fail(done, data, 404, "not_found", "nobody knows this message", NULL, NULL);
	else if (rc == FW_EINVAL)
		fw_engine_fail(done, data, 400, "bad_request",
			"there is no such thing to say of a message, or its properties are no object", NULL, NULL);
	else if (rc < 0)
		fw_engine_fail_store(done, data, rc);
	if (rc < 0)
		return;
	fw_buf_init(&out, 0);
	fw_buf_puts(&out, changed ? "{\"changed\":true}" : "{\"changed\":false}");
	done(data, 200, &out);
	fw_buf_finish(&out);
}

static void on_heard(void *ctx, int rc, bool changed)
{
	answer(ctx, rc, changed);
}

void fw_sending_hear(struct fw_sending *s, const char *id, const char *name, struct fw_str json, fw_engine_done done, void *data)
{
	struct asked *a = new_asked(s, done, data);
	if (a)
		fw_messages_hear(s->messages, fw_str(id), fw_str(name), json, on_heard, a);
}

static bool keep(struct asked *a, struct fw_str text, struct fw_str *ret)
{
	ret->p = fw_arena_strndup(&a->arena, text.p ? text.p : "", text.n);
	ret->n = text.n;
	return ret->p;
}

void fw_sending_suppress(struct fw_sending *s, const char *channel, const char *address, struct fw_str json, fw_engine_done done,
	void *data)
{
	struct asked *a = new_asked(s, done, data);
	struct fw_json *told = NULL;
	struct fw_error err;
	if (!a)
		return;
	int rc = json.n ? fw_json_parse(&a->arena, json.p, json.n, &told, &err) : 0;
	const struct fw_json *lift = rc == 0 ? fw_json_get(told, "lift") : NULL;
	struct fw_str reason = rc == 0 ? fw_json_text(told, "reason") : (struct fw_str){ NULL, 0 };
	struct fw_str source = rc == 0 ? fw_json_text(told, "source") : (struct fw_str){ NULL, 0 };
	struct fw_str id = rc == 0 ? fw_json_text(told, "id") : (struct fw_str){ NULL, 0 };
	if (source.n > FW_LIMIT_CONSENT_SOURCE_BYTES)
		source.n = fw_utf8_cut(source, FW_LIMIT_CONSENT_SOURCE_BYTES);
	struct fw_address_said *said = &a->said;
	said->lift = lift && lift->type == FW_JSON_BOOL && lift->boolean;
	bool kept = keep(a, fw_str(channel), &said->channel) && keep(a, fw_str(address), &said->address) &&
		keep(a, reason, &said->reason) && keep(a, source.n ? source : fw_str(channel), &said->source) &&
		keep(a, id, &said->id);
	if (rc < 0 || !kept)
		answer(a, rc < 0 ? rc : FW_ENOMEM, false);
	else
		fw_messages_suppress(s->messages, said, on_heard, a);
}
