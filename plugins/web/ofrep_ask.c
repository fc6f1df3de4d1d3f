/* What an evaluation asks, as a decide request: the attributes of its context that mean something by their names, and traits. */
#include "json.h"
#include "ofrep.h"

#include <string.h>

#include "common/escape.h"

static void put_member(struct web_text *t, const char *name, struct fw_plugin_text v)
{
	if (!v.p)
		return;
	web_puts(t, ",\"");
	web_puts(t, name);
	web_puts(t, "\":");
	web_put(t, v);
}

/* Of a decide request's context, by the same name. */
static const char *const own[] = { "ip", "userAgent", "userAgentData", "locale", "timezone", "page", "campaign", "consent",
	"globalPrivacyControl" };
enum { N_OWN = sizeof own / sizeof *own };

/* Where an attribute has its place; NULL: it is a trait. */
static struct fw_plugin_text *place_of(struct fw_plugin_text key, struct fw_plugin_text ids[3], struct fw_plugin_text context[N_OWN])
{
	static const char *const names[] = { "targetingKey", "userId", "userHash" };
	struct fw_plugin_text bare = { key.p + 1, key.n - 2 };
	for (int i = 0; i < 3; i++)
		if (web_json_is(bare, names[i]))
			return &ids[i];
	for (int i = 0; i < N_OWN; i++)
		if (web_json_is(bare, own[i]))
			return &context[i];
	return NULL;
}

static int is_text(struct fw_plugin_text v)
{
	return v.n && v.p[0] == '"';
}

/* The context of a decide request, opened, with the traits; what has a place of its own is put there. */
static void put_traits(struct web_text *t, struct fw_plugin_text given, struct fw_plugin_text ids[3], struct fw_plugin_text context[N_OWN])
{
	struct fw_plugin_text key, v;
	web_puts(t, ",\"context\":{\"traits\":{");
	for (const char *between = ""; web_json_next(&given, &key, &v);) {
		struct fw_plugin_text *place = place_of(key, ids, context);
		if (place) {
			*place = web_json_is(v, "null") ? (struct fw_plugin_text){ NULL, 0 } : v;
			continue;
		}
		web_puts(t, between);
		web_put(t, key);
		web_puts(t, ":");
		web_put(t, v);
		between = ",";
	}
	web_puts(t, "}");
}

/* The rest of it, and its end. */
static void put_own(struct web_text *t, const struct fw_plugin_text context[N_OWN])
{
	for (int i = 0; i < N_OWN; i++) {
		if (strcmp(own[i], "page") == 0 && is_text(context[i])) {
			web_puts(t, ",\"page\":{\"url\":");
			web_put(t, context[i]);
			web_puts(t, "}");
		} else {
			put_member(t, own[i], context[i]);
		}
	}
	web_puts(t, "}");
}

const char *web_ofrep_ask(const struct fw_host *host, struct web_evaluation *e, struct fw_plugin_text *ret_json,
	const char **ret_details)
{
	enum { AROUND = 512 }; /* more than what is added */
	struct fw_plugin_text body = web_json_whole(e->body), given;
	struct fw_plugin_text ids[3] = { { NULL, 0 } }, context[N_OWN] = { { NULL, 0 } };
	*ret_details = "the body is no JSON object";
	if (!body.p || body.p[0] != '{')
		return "PARSE_ERROR";
	static const char *const names[] = { "context", NULL };
	web_json_members(body, names, &given);
	e->context = given;
	*ret_details = "context is no object";
	if (given.p && given.p[0] != '{' && !web_json_is(given, "null"))
		return "INVALID_CONTEXT";
	struct web_text t = web_text_in(host, e->request, body.n + e->more.n + COMMON_ESCAPED_BYTES * e->flag.n + AROUND);
	web_puts(&t, "{\"details\":true");
	put_traits(&t, given, ids, context);
	*ret_details = "targetingKey and userId are texts";
	if ((ids[0].p && !is_text(ids[0])) || (ids[1].p && !is_text(ids[1])))
		return "INVALID_CONTEXT";
	*ret_details = "the context has no targetingKey, which is the anonymousId";
	if (ids[0].n <= 2 && ids[1].n <= 2)
		return "TARGETING_KEY_MISSING";
	put_own(&t, context);
	put_member(&t, "anonymousId", ids[0]);
	put_member(&t, "userId", ids[1]);
	put_member(&t, "userHash", ids[2]);
	web_put(&t, e->more);
	if (e->flag.p) {
		web_puts(&t, ",\"slots\":[");
		web_put_string(&t, e->flag);
		web_puts(&t, "]");
	}
	web_puts(&t, "}");
	*ret_details = "the request takes more memory than one may";
	*ret_json = (struct fw_plugin_text){ t.p, t.n };
	return t.failed ? "GENERAL" : NULL;
}
