/* The host's services for plugins: events in, and what is known of a person. */
#include <stdio.h>

#include "people/audit.h"
#include "server/ingest.h"
#include "server/living.h"
#include "server/plugins_own.h"
#include "server/request.h"
#include "server/rights.h"

/* A question that the engine has not answered yet. */
struct asked {
	struct fw_asked asked;
	const char *action; /* for the audit; NULL: there is nothing to say */
	char by[32];        /* who asks */
	char text[]; /* two, terminated: what the engine needs until then */
};

static bool is_lifted(struct fw_arena *arena, const struct fw_buf *answer)
{
	struct fw_json *told = NULL;
	if (fw_json_parse(arena, answer->data, answer->n, &told, NULL) < 0)
		return false;
	const struct fw_json *restricted = fw_json_get(told, "restricted");
	return restricted && restricted->type == FW_JSON_BOOL && !restricted->boolean;
}

/* What was answered about a person goes into the log; of one who is erased only the receipt does. */
static void audit(struct asked *a, struct fw_buf *out)
{
	struct fw_arena arena;
	struct fw_person_id id;
	fw_arena_init(&arena, NULL, 0, 0);
	if (strcmp(a->action, "erase") == 0) {
		const char *receipt = fw_json_peek(&arena, out->data, out->n, "erasure").p;
		fw_rights_audit_erasure(receipt ? receipt : "not known", a->by);
	} else if (fw_person_id_parse(&arena, fw_str(a->text), &id, NULL) == 0) {
		const char *action = strcmp(a->action, "restrict") == 0 && is_lifted(&arena, out) ? "unrestrict" : a->action;
		fw_people_audit(fw_living_people(a->asked.p->worker->living), action, &id, a->by, NULL, NULL);
	}
	fw_arena_finish(&arena);
}

static void on_answer(void *data, int status, struct fw_buf *out)
{
	struct asked *a = data;
	if (a->action && (status == 200 || status == 202) && !out->failed)
		audit(a, out);
	fw_host_answer(a, status, out);
}

static struct asked *new_asked(struct fw_loaded *p, const char *call, const char *first, const char *second, fw_plugin_done done,
	void *data)
{
	size_t n = strlen(first) + 1, m = strlen(second) + 1;
	struct asked *a = fw_host_asked(p, call, sizeof *a + n + m, done, data);
	if (!a)
		return NULL;
	memcpy(a->text, first, n);
	memcpy(a->text + n, second, m);
	return a;
}

static void host_ingest(const struct fw_host *host, struct fw_plugin_request *request, struct fw_plugin_text json,
	fw_plugin_done done, void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	struct asked *a = new_asked(p, "ingest", "", "", done, data);
	if (!a)
		return;
	bool secret = !request || request->have == FW_PLUGIN_ACCESS_SECRET;
	/* What the engine does is not the plugin's doing. */
	uint32_t before = fw_loaded_enter(p);
	fw_loaded_leave(p, 0);
	fw_engine_ingest(p->worker->engine, request, secret, (struct fw_str){ json.p, json.n }, on_answer, a);
	fw_loaded_leave(p, before);
}

/* Who it is: of a key its beginning, which does not open anything. */
static void name_asker(struct asked *a, const struct fw_plugin_request *request)
{
	enum { SHOWN = 6, LEAST_TIMES = 3 };
	size_t n = request ? request->key.n / LEAST_TIMES : 0;
	if (!request)
		snprintf(a->by, sizeof a->by, "plugin %s", a->asked.p->name);
	else if (request->key.n == 0)
		snprintf(a->by, sizeof a->by, "loopback");
	else
		snprintf(a->by, sizeof a->by, "%s %.*s…", request->have == FW_PLUGIN_ACCESS_SECRET ? "secret key" : "write key",
			(int)(n < SHOWN ? n : SHOWN), request->key.p);
}

/* What the audit calls it; NULL: it is about nobody. */
static const char *action_of(const char *what)
{
	static const char *const actions[][2] = { { "show", "access" }, { "timeline", "access" }, { "merges", "access" },
		{ "export", "export" }, { "erase", "erase" }, { "unmerge", "unmerge" }, { "restriction", "restrict" } };
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (strcmp(what, actions[i][0]) == 0)
			return actions[i][1];
	return NULL;
}

static void host_visitor_as(const struct fw_host *host, struct fw_plugin_request *request, const char *id, const char *what,
	struct fw_plugin_text json, fw_plugin_done done, void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	struct fw_str body = { json.p, json.n };
	struct asked *a = new_asked(p, "visitor", id, what, done, data);
	if (!a)
		return;
	name_asker(a, request);
	a->action = action_of(what);
	uint32_t before = fw_loaded_enter(p);
	fw_loaded_leave(p, 0);
	what = a->text + strlen(a->text) + 1;
	if (fw_engine_shows(what))
		fw_engine_visitor(p->worker->engine, a->text, what, on_answer, a);
	else
		fw_engine_right(p->worker->engine, a->text, what, body, on_answer, a);
	fw_loaded_leave(p, before);
}

static void host_visitor(const struct fw_host *host, const char *id, const char *what, fw_plugin_done done, void *data)
{
	host_visitor_as(host, NULL, id, what, (struct fw_plugin_text){ NULL, 0 }, done, data);
}

static void tell(const struct fw_host *host, struct fw_plugin_request *request, const char *id, struct fw_plugin_text json,
	fw_plugin_done done, void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	bool secret = !request || request->have == FW_PLUGIN_ACCESS_SECRET;
	struct asked *a = new_asked(p, "consent", id, "", done, data);
	if (!a)
		return;
	name_asker(a, request);
	a->action = "consent";
	uint32_t before = fw_loaded_enter(p);
	fw_loaded_leave(p, 0);
	fw_engine_consent(p->worker->engine, request, a->text, secret, (struct fw_str){ json.p, json.n }, on_answer, a);
	fw_loaded_leave(p, before);
}

static void host_consent(const struct fw_host *host, const char *id, struct fw_plugin_text json, fw_plugin_done done, void *data)
{
	tell(host, NULL, id, json, done, data);
}

static void host_consent_as(const struct fw_host *host, struct fw_plugin_request *request, const char *id, struct fw_plugin_text json,
	fw_plugin_done done, void *data)
{
	tell(host, request, id, json, done, data);
}

void fw_host_fill_people(struct fw_host *host)
{
	host->ingest = host_ingest;
	host->visitor = host_visitor;
	host->consent = host_consent;
	host->consent_as = host_consent_as;
	host->visitor_as = host_visitor_as;
}
