/* The host's services for plugins: events in, and what is known of a person. */
#include <stdlib.h>

#include "server/admit.h"
#include "server/ingest.h"
#include "server/plugins_own.h"
#include "server/request.h"

/* A question of a plugin that the engine has not answered yet. All are answered before the plugins stop. */
struct asked {
	struct fw_loaded *p;
	fw_plugin_done done;
	void *data;
	char text[]; /* two, terminated: what the engine needs until then */
};

static void on_answer(void *data, int status, struct fw_buf *out)
{
	struct asked *a = data;
	fw_host_tell(a->p, a->done, a->data, status, out);
	free(a);
}

static struct asked *new_asked(struct fw_loaded *p, const char *first, const char *second, fw_plugin_done done, void *data)
{
	size_t n = strlen(first) + 1, m = strlen(second) + 1;
	struct asked *a = malloc(sizeof *a + n + m);
	if (!a) {
		struct fw_buf none = { .failed = true };
		fw_host_tell(p, done, data, 503, &none);
		return NULL;
	}
	*a = (struct asked){ p, done, data };
	memcpy(a->text, first, n);
	memcpy(a->text + n, second, m);
	return a;
}

static void host_ingest(const struct fw_host *host, struct fw_plugin_request *request, struct fw_plugin_text json,
	fw_plugin_done done, void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	struct asked *a = new_asked(p, "", "", done, data);
	if (!a)
		return;
	bool secret = !request || request->have == FW_PLUGIN_ACCESS_SECRET;
	/* What the engine does is not the plugin's doing. */
	uint32_t before = fw_loaded_enter(p);
	fw_loaded_leave(p, 0);
	fw_engine_ingest(p->worker->engine, request, secret, (struct fw_str){ json.p, json.n }, on_answer, a);
	fw_loaded_leave(p, before);
}

static void host_visitor(const struct fw_host *host, const char *id, const char *what, fw_plugin_done done, void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	struct asked *a = new_asked(p, id, what, done, data);
	if (!a)
		return;
	uint32_t before = fw_loaded_enter(p);
	fw_loaded_leave(p, 0);
	fw_engine_visitor(p->worker->engine, a->text, a->text + strlen(a->text) + 1, on_answer, a);
	fw_loaded_leave(p, before);
}

/* Whether a request may bring the person: one who consents to something has a record. */
static bool may_tell(struct fw_plugin_request *request, struct fw_str id)
{
	struct fw_arena arena;
	struct fw_person_id person;
	fw_arena_init(&arena, NULL, 0, 0);
	bool may = fw_person_id_parse(&arena, id, &person, NULL) < 0 || fw_admit_id(request, person.id);
	fw_arena_finish(&arena);
	return may;
}

static void tell(const struct fw_host *host, struct fw_plugin_request *request, const char *id, struct fw_plugin_text json,
	fw_plugin_done done, void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	bool secret = !request || request->have == FW_PLUGIN_ACCESS_SECRET;
	struct asked *a = new_asked(p, id, "", done, data);
	if (!a)
		return;
	uint32_t before = fw_loaded_enter(p);
	fw_loaded_leave(p, 0);
	if (may_tell(request, fw_str(a->text)))
		fw_engine_consent(p->worker->engine, a->text, secret, (struct fw_str){ json.p, json.n }, on_answer, a);
	else
		fw_engine_fail_new(on_answer, a);
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
}
