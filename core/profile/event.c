#include "profile/event.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"

static const char *const types[] = { "identify", "track", "page", "screen", "group", "alias", NULL };

const char *fw_event_type_name(enum fw_event_type type)
{
	return types[type];
}

int fw_event_type_find(struct fw_str name)
{
	for (int i = 0; types[i]; i++)
		if (fw_str_is(name, types[i]))
			return i;
	return -1;
}

struct reader {
	struct fw_arena *arena;
	const struct fw_json *element;
	struct fw_refusal *refusal;
};

static int refuse(struct reader *r, const char *code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int refuse(struct reader *r, const char *code, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	r->refusal->code = code;
	vsnprintf(r->refusal->message, sizeof r->refusal->message, fmt, args);
	va_end(args);
	return FW_EINVAL;
}

static bool is_nothing(const struct fw_json *v)
{
	return !v || v->type == FW_JSON_NULL;
}

/* A text, or a number as its shortest text; nothing leaves it empty. */
static int read_text(struct reader *r, const char *member, size_t most, struct fw_str *ret)
{
	const struct fw_json *v = fw_json_get(r->element, member);
	if (is_nothing(v))
		return 0;
	if (v->type == FW_JSON_NUMBER) {
		char text[32];
		size_t n = fw_number_text(v->number, text);
		*ret = (struct fw_str){ fw_arena_strndup(r->arena, text, n), n };
		return ret->p ? 0 : FW_ENOMEM;
	}
	if (v->type != FW_JSON_STRING)
		return refuse(r, "bad_field", "%s is %s where text was expected", member, fw_json_type_name(v->type));
	if (v->string.n > most)
		return refuse(r, "too_large", "%s is longer than %zu bytes", member, most);
	*ret = v->string;
	return 0;
}

static int read_object(struct reader *r, const char *member, const struct fw_json **ret)
{
	const struct fw_json *v = fw_json_get(r->element, member);
	if (is_nothing(v) || (v->type == FW_JSON_ARRAY && v->count == 0)) /* PHP writes an empty object so */
		return 0;
	if (v->type != FW_JSON_OBJECT)
		return refuse(r, "bad_field", "%s is %s where an object was expected", member, fw_json_type_name(v->type));
	*ret = v;
	return 0;
}

static bool append(struct fw_arena *a, struct fw_json *object, struct fw_json ***tail, const struct fw_json *m)
{
	if (!(**tail = FW_NEW(a, struct fw_json)))
		return false;
	***tail = *m;
	(**tail)->next = NULL;
	*tail = &(**tail)->next;
	object->count++;
	return true;
}

/* The event's context, and of the batch's what it lacks. */
static int read_context(struct reader *r, const struct fw_event_frame *frame, struct fw_event *e)
{
	const struct fw_json *batch = frame->context && frame->context->type == FW_JSON_OBJECT ? frame->context : NULL;
	int ret = read_object(r, "context", &e->context);
	if (ret < 0 || !batch || !batch->child)
		return ret;
	struct fw_json *merged = FW_NEW(r->arena, struct fw_json), **tail = merged ? &merged->child : NULL;
	if (!merged)
		return FW_ENOMEM;
	merged->type = FW_JSON_OBJECT;
	for (const struct fw_json *m = e->context ? e->context->child : NULL; m; m = m->next)
		if (m->type != FW_JSON_NULL && !append(r->arena, merged, &tail, m))
			return FW_ENOMEM;
	for (const struct fw_json *m = batch->child; m; m = m->next)
		if (is_nothing(fw_json_get(e->context, m->key.p)) && !append(r->arena, merged, &tail, m))
			return FW_ENOMEM;
	e->context = merged;
	return 0;
}

/* Milliseconds after the second, from ".678" in an ISO time. */
static int64_t fraction_us(struct fw_str text)
{
	const char *point = memchr(text.p, '.', text.n);
	int64_t us = 0;
	int n = 0;
	for (const char *p = point ? point + 1 : NULL; p && p < text.p + text.n && *p >= '0' && *p <= '9' && n < 6; p++, n++)
		us = us * 10 + (*p - '0');
	for (; n < 6; n++)
		us *= 10;
	return point ? us : 0;
}

bool fw_event_time(const struct fw_json *v, int64_t *ret_us)
{
	enum { LATEST_IN_SECONDS = 100000000 }; /* in thousands: a number beyond it is of milliseconds (1973 and later) */
	struct fw_civil c;
	double x;
	if (v->type == FW_JSON_STRING && fw_civil_parse(fw_str_trim(v->string), &c)) {
		*ret_us = (c.days * 86400 + c.second - c.offset_s) * 1000000 + (c.has_time ? fraction_us(v->string) : 0);
		return true;
	}
	if (!fw_event_number(v, &x) || fabs(x) > 1e15)
		return false;
	*ret_us = (int64_t)(fabs(x) >= LATEST_IN_SECONDS * 1e3 ? x * 1e3 : x * 1e6);
	return true;
}

static int read_time_member(struct reader *r, const char *member, int64_t *ret_us, bool *ret_told)
{
	const struct fw_json *v = fw_json_get(r->element, member);
	*ret_told = false;
	if (is_nothing(v) || (v->type == FW_JSON_STRING && v->string.n == 0))
		return 0;
	if (!fw_event_time(v, ret_us))
		return refuse(r, "bad_timestamp", "%s is no time: ISO 8601 such as \"2026-11-23T22:40:00Z\" was expected", member);
	*ret_told = true;
	return 0;
}

/* When it happened, by our clock. The client's clock may be wrong, but by the same at both its times (Segment's rule). */
static int read_when(struct reader *r, const struct fw_event_frame *frame, struct fw_event *e)
{
	int64_t timestamp = 0, sent = 0;
	bool has_timestamp, has_sent;
	int ret = read_time_member(r, "timestamp", &timestamp, &has_timestamp);
	if (ret == 0 && !has_timestamp)
		ret = read_time_member(r, "originalTimestamp", &timestamp, &has_timestamp);
	if (ret == 0)
		ret = read_time_member(r, "sentAt", &sent, &has_sent);
	if (ret < 0)
		return ret;
	if (!has_sent && frame->sent_at.n) {
		const struct fw_json text = { .type = FW_JSON_STRING, .string = frame->sent_at };
		if (!fw_event_time(&text, &sent))
			return refuse(r, "bad_timestamp", "sentAt is no time: ISO 8601 such as \"2026-11-23T22:40:00Z\" was expected");
		has_sent = true;
	}
#ifdef FW_BREAK_CLOCK
	has_sent = false;
#endif
	e->at_us = !has_timestamp ? e->received_us : has_sent && !e->imported ? e->received_us - (sent - timestamp) : timestamp;
	if (e->at_us > e->received_us)
		e->at_us = e->received_us;
	if (e->at_us < 0)
		return refuse(r, "bad_timestamp", "it happened before 1970");
	return 0;
}

static int read_type(struct reader *r, const struct fw_event_frame *frame, struct fw_event *e)
{
	const struct fw_json *v = fw_json_get(r->element, "type");
	int type = frame->type;
	if (type < 0) {
		if (is_nothing(v))
			return refuse(r, "no_type", "the event has no type");
		type = v->type == FW_JSON_STRING ? fw_event_type_find(v->string) : -1;
		if (type < 0)
			return refuse(r, "bad_type", "type is none of identify, track, page, screen, group, alias");
	}
	e->type = (enum fw_event_type)type;
	return 0;
}

static int read_ids(struct reader *r, struct fw_event *e)
{
	int ret = read_text(r, "anonymousId", FW_LIMIT_EVENT_ID_BYTES, &e->anonymous_id);
	if (ret == 0)
		ret = read_text(r, "userId", FW_LIMIT_EVENT_ID_BYTES, &e->user_id);
	if (ret == 0)
		ret = read_text(r, "previousId", FW_LIMIT_EVENT_ID_BYTES, &e->previous_id);
	if (ret == 0)
		ret = read_text(r, "groupId", FW_LIMIT_EVENT_ID_BYTES, &e->group_id);
	if (ret == 0)
		ret = read_text(r, "messageId", FW_LIMIT_MESSAGE_ID_BYTES, &e->message_id);
	if (ret == 0 && e->message_id.n) {
		e->message_hash = fw_hash(e->message_id.p, e->message_id.n);
		e->message_hash += e->message_hash == 0;
	}
	if (ret == 0 && e->anonymous_id.n == 0 && e->user_id.n == 0)
		ret = refuse(r, "no_user_anon_id", "the event has neither a userId nor an anonymousId");
	return ret;
}

/* What each type cannot do without. */
static int read_name(struct reader *r, struct fw_event *e)
{
	const char *member = e->type == FW_EVENT_TRACK ? "event" : "name";
	int ret = e->type == FW_EVENT_TRACK || e->type == FW_EVENT_PAGE || e->type == FW_EVENT_SCREEN
		? read_text(r, member, FW_LIMIT_EVENT_NAME_BYTES, &e->name) : 0;
	if (ret < 0)
		return ret;
	if (e->type == FW_EVENT_TRACK && e->name.n == 0)
		return refuse(r, "no_event", "a track event has no name: \"event\" is missing");
	if (e->type == FW_EVENT_GROUP && e->group_id.n == 0)
		return refuse(r, "no_group_id", "a group event has no groupId");
	if (e->type == FW_EVENT_ALIAS && (e->previous_id.n == 0 || e->user_id.n == 0))
		return refuse(r, "no_previous_id", "an alias event needs a previousId and a userId");
	return 0;
}

void fw_event_hash_places(const struct fw_json *told, const struct fw_json *context, const struct fw_json *ret[FW_HASH_PLACES])
{
	ret[0] = told;
	ret[1] = context;
	ret[2] = fw_json_get(told, "traits");
	ret[3] = fw_json_get(context, "traits");
}

struct fw_str fw_event_user_hash(const struct fw_json *told, const struct fw_json *context)
{
	const struct fw_json *places[FW_HASH_PLACES];
	struct fw_str hash = { NULL, 0 };
	fw_event_hash_places(told, context, places);
	for (int i = 0; i < FW_HASH_PLACES && hash.n == 0; i++)
		hash = fw_json_text(places[i], "userHash");
	return hash;
}

int fw_event_read(struct fw_arena *a, const struct fw_json *element, const struct fw_event_frame *frame, struct fw_event *ret,
	struct fw_refusal *ret_refusal)
{
	struct reader r = { a, element, ret_refusal };
	struct fw_event e = { .received_us = frame->received_us, .imported = frame->imported };
	if (element->type != FW_JSON_OBJECT)
		return refuse(&r, "bad_field", "an event is an object, not %s", fw_json_type_name(element->type));
	int code = read_type(&r, frame, &e);
	if (code == 0)
		code = read_ids(&r, &e);
	if (code == 0)
		code = read_name(&r, &e);
	if (code == 0)
		code = read_object(&r, "properties", &e.properties);
	if (code == 0)
		code = read_object(&r, "traits", &e.traits);
	if (code == 0)
		code = read_context(&r, frame, &e);
	if (code == 0)
		code = read_when(&r, frame, &e);
	if (code < 0)
		return code;
	e.user_hash = fw_event_user_hash(element, e.context);
	*ret = e;
	return 0;
}

bool fw_event_number(const struct fw_json *v, double *ret)
{
	if (!v || (v->type != FW_JSON_NUMBER && v->type != FW_JSON_STRING))
		return false;
	if (v->type == FW_JSON_STRING)
		return fw_number_parse(fw_str_trim(v->string), ret);
	*ret = v->number;
	return true;
}
