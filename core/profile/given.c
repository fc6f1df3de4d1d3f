#include "profile/given.h"

#include "base/clock.h"
#include "fact/given.h"
#include "profile/own.h"

/* Where there is no clock, ages count from a midnight that is the same for ever: what passes today passes next year. */
#define SOME_MIDNIGHT_US INT64_C(1767225600000000) /* 2026-01-01T00:00:00Z */

struct history {
	struct fw_arena *arena;
	struct fw_record *record;
	struct fw_profile_options options;
	int64_t base_us; /* from which ages count */
	struct fw_error *err;
};

static int wrong(const struct history *h, unsigned number, const char *what)
{
	fw_fail(h->err, FW_EINVAL, NULL, 0, "events.%u: %s", number, what);
	fw_hint(h->err, "%s", "write { \"Product Viewed\", category = \"boots\", ago = \"2d\" }, in JSON "
		"{\"event\":\"Product Viewed\",\"properties\":{\"category\":\"boots\"},\"ago\":\"2d\"}");
	return FW_EINVAL;
}

static struct fw_json *put_text(const struct history *h, struct fw_json *object, const char *key, struct fw_str text)
{
	struct fw_json *m = FW_NEW(h->arena, struct fw_json);
	if (!m)
		return NULL;
	*m = (struct fw_json){ .type = FW_JSON_STRING, .string = text, .key = fw_str(key), .next = object->child };
	object->child = m;
	object->count++;
	return m;
}

/* The event as a client would have sent it: of somebody, and a track event unless it says otherwise. */
static struct fw_json *complete(const struct history *h, const struct fw_json *told)
{
	struct fw_json *event = FW_NEW(h->arena, struct fw_json);
	if (!event)
		return NULL;
	*event = told->type == FW_JSON_OBJECT ? *told : (struct fw_json){ .type = FW_JSON_OBJECT };
	if (told->type == FW_JSON_ARRAY && !put_text(h, event, "event", told->child->string))
		return NULL;
	if (!fw_json_get(event, "type") && !put_text(h, event, "type", FW_STR("track")))
		return NULL;
	if (!fw_json_get(event, "anonymousId") && !put_text(h, event, "anonymousId", fw_record_first_id(h->record)))
		return NULL;
	return event;
}

/* In Lua an event without properties is a list of its name alone. */
static bool is_event(const struct fw_json *told)
{
	return told->type == FW_JSON_OBJECT ||
		(told->type == FW_JSON_ARRAY && told->count == 1 && told->child->type == FW_JSON_STRING);
}

static int apply_event(const struct history *h, const struct fw_json *told, unsigned number)
{
	struct fw_event e;
	struct fw_refusal refusal;
	const struct fw_json *ago = fw_json_get(told, "ago");
	bool has_ago = ago && ago->type != FW_JSON_NULL;
	int64_t ago_s = has_ago && ago->type == FW_JSON_STRING ? fw_duration_s(ago->string) : -1;
	if (!is_event(told))
		return wrong(h, number, "an event was expected");
	if (has_ago && ago_s < 0)
		return wrong(h, number, "ago is a duration such as \"2d\"");
	/* They happen one after the other, as they stand there. */
	int64_t at_us = h->base_us - (has_ago ? ago_s * 1000000 : 0) + number * INT64_C(1000);
	const struct fw_event_frame frame = { .type = -1, .received_us = at_us > 0 ? at_us : 0 };
	const struct fw_json *event = complete(h, told);
	int ret = event ? fw_event_read(h->arena, event, &frame, &e, &refusal) : FW_ENOMEM;
	if (ret == FW_EINVAL)
		return wrong(h, number, refusal.message);
	e.trusted = true; /* by whoever writes the test */
	if (ret == 0)
		ret = fw_event_read_consent(h->arena, NULL, true, &e);
	return ret < 0 ? ret : fw_profile_apply(h->record, &e, &h->options, NULL);
}

static int fill_from(const struct history *h, int64_t now_us, struct fw_facts *f)
{
	struct fw_buf bytes;
	struct fw_str key = f->key;
	fw_buf_init(&bytes, 0);
	fw_record_write(h->record, &bytes);
	char *copy = bytes.failed ? NULL : fw_arena_strndup(h->arena, bytes.data, bytes.n);
	int ret = copy ? fw_profile_fill_at((struct fw_str){ copy, bytes.n }, now_us, f) : FW_ENOMEM;
	f->key = key; /* rollouts draw by the point that was given */
	fw_buf_finish(&bytes);
	return ret;
}

int fw_profile_given(struct fw_facts *f, struct fw_arena *a, const struct fw_json *visitor, const struct fw_zone *zone,
	const char *currency, struct fw_error *err)
{
	enum { MOST_EVENTS = 1000 };
	int ret = fw_facts_given(f, a, visitor, zone, err);
	const struct fw_json *events = ret < 0 ? NULL : fw_json_get(visitor, "events"), *wait = fw_json_get(visitor, "wait");
	if (!events || events->type == FW_JSON_NULL)
		return ret;
	if ((events->type != FW_JSON_ARRAY && events->count) || (events->type != FW_JSON_ARRAY && events->type != FW_JSON_OBJECT))
		return fw_fail(err, FW_EINVAL, NULL, 0, "events: %s where a list of events was expected", fw_json_type_name(events->type));
	if (events->count > MOST_EVENTS)
		return fw_fail(err, FW_EINVAL, NULL, 0, "events: more than %d", MOST_EVENTS);
	int64_t waited_us = wait && wait->type == FW_JSON_STRING ? fw_duration_s(wait->string) * 1000000 : 0;
	struct history h = { .arena = a, .record = fw_record_new(a, FW_STR("given")), .err = err,
		.options = { .currency = currency, .behaviour = true },
		.base_us = (f->has_clock ? f->now_us : SOME_MIDNIGHT_US + waited_us) - waited_us };
	ret = h.record ? 0 : FW_ENOMEM;
	unsigned number = 0;
	for (const struct fw_json *e = events->child; e && ret == 0; e = e->next)
		ret = apply_event(&h, e, ++number);
	if (ret == 0)
		ret = fill_from(&h, h.base_us + waited_us + number * INT64_C(1000), f);
	return ret == FW_ENOMEM ? fw_fail(err, ret, NULL, 0, "the visitor is too large") : ret;
}
