#include "profile/given.h"

#include "base/clock.h"
#include "fact/given.h"
#include "profile/own.h"

/* Where there is no clock, ages count from a midnight that is the same for ever: what passes today passes next year. */
#define SOME_MIDNIGHT_US INT64_C(1767225600000000) /* 2026-01-01T00:00:00Z */

static int wrong(const struct fw_given *h, unsigned number, const char *what)
{
	fw_fail(h->err, FW_EINVAL, NULL, 0, "events.%u: %s", number, what);
	fw_hint(h->err, "%s", "write { \"Product Viewed\", category = \"boots\", ago = \"2d\" }, in JSON "
		"{\"event\":\"Product Viewed\",\"properties\":{\"category\":\"boots\"},\"ago\":\"2d\"}");
	return FW_EINVAL;
}

static struct fw_json *put_text(const struct fw_given *h, struct fw_json *object, const char *key, struct fw_str text)
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
static struct fw_json *complete(const struct fw_given *h, const struct fw_json *told)
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

/* They happen one after the other, as they stand there. */
static int read_event(struct fw_given *g, const struct fw_json *told)
{
	struct fw_refusal refusal;
	const struct fw_json *ago = fw_json_get(told, "ago");
	bool has_ago = ago && ago->type != FW_JSON_NULL;
	int64_t ago_s = has_ago && ago->type == FW_JSON_STRING ? fw_duration_s(ago->string) : -1;
	if (!is_event(told))
		return wrong(g, g->number, "an event was expected");
	if (has_ago && ago_s < 0)
		return wrong(g, g->number, "ago is a duration such as \"2d\"");
	int64_t at_us = g->base_us - (has_ago ? ago_s * 1000000 : 0) + g->number * INT64_C(1000);
	const struct fw_event_frame frame = { .type = -1, .received_us = at_us > 0 ? at_us : 0 };
	const struct fw_json *event = complete(g, told);
	int ret = event ? fw_event_read(g->arena, event, &frame, &g->event, &refusal) : FW_ENOMEM;
	if (ret == FW_EINVAL)
		return wrong(g, g->number, refusal.message);
	g->event.trusted = true; /* by whoever writes the test */
	return ret < 0 ? ret : fw_event_read_consent(g->arena, NULL, true, &g->event);
}

int fw_given_begin(struct fw_given *g, struct fw_arena *a, const struct fw_facts *f, const struct fw_json *visitor, const char *currency,
	struct fw_error *err)
{
	enum { MOST_EVENTS = 1000 };
	const struct fw_json *events = fw_json_get(visitor, "events"), *wait = fw_json_get(visitor, "wait");
	int64_t waited_us = wait && wait->type == FW_JSON_STRING ? fw_duration_s(wait->string) * 1000000 : 0;
	bool none = !events || events->type == FW_JSON_NULL;
	if (!none && ((events->type != FW_JSON_ARRAY && events->count)
		|| (events->type != FW_JSON_ARRAY && events->type != FW_JSON_OBJECT)))
		return fw_fail(err, FW_EINVAL, NULL, 0, "events: %s where a list of events was expected", fw_json_type_name(events->type));
	if (!none && events->count > MOST_EVENTS)
		return fw_fail(err, FW_EINVAL, NULL, 0, "events: more than %d", MOST_EVENTS);
	*g = (struct fw_given){ .arena = a, .record = fw_record_new(a, FW_STR("given")), .err = err, .next = none ? NULL : events->child,
		.options = { .currency = currency, .behaviour = true },
		.base_us = (f->has_clock ? f->now_us : SOME_MIDNIGHT_US + waited_us) - waited_us };
	g->end_us = g->base_us + waited_us + (none ? 0 : events->count * INT64_C(1000));
	return g->record ? 0 : FW_ENOMEM;
}

int fw_given_next(struct fw_given *g)
{
	const struct fw_json *told = g->next;
	if (!told)
		return 0;
	g->next = told->next;
	g->number++;
	int rc = read_event(g, told);
	return rc < 0 ? rc : 1;
}

int fw_given_apply(struct fw_given *g)
{
	return fw_profile_apply(g->record, &g->event, &g->options, NULL);
}

static int fill_from(const struct fw_given *g, struct fw_facts *f)
{
	struct fw_str bytes, key = f->key;
	int rc = fw_record_bytes(g->record, g->arena, &bytes);
	if (rc == 0)
		rc = fw_profile_fill_at(bytes, g->end_us, f);
	f->key = key; /* rollouts draw by the point that was given */
	return rc;
}

int fw_profile_given(struct fw_facts *f, struct fw_arena *a, const struct fw_json *visitor, const struct fw_zone *zone,
	const char *currency, struct fw_error *err)
{
	struct fw_given g;
	const struct fw_json *events;
	int rc = fw_facts_given(f, a, visitor, zone, err);
	if (rc < 0 || !(events = fw_json_get(visitor, "events")) || events->type == FW_JSON_NULL)
		return rc;
	rc = fw_given_begin(&g, a, f, visitor, currency, err);
	while (rc == 0 && (rc = fw_given_next(&g)) > 0)
		rc = fw_given_apply(&g);
	if (rc == 0)
		rc = fill_from(&g, f);
	return rc == FW_ENOMEM ? fw_fail(err, rc, NULL, 0, "the visitor is too large") : rc;
}
