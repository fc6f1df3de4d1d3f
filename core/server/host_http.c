/* The host's services for plugins: requests to other servers, and signatures. */
#include <stdlib.h>

#include "http/client.h"
#include "people/people.h"
#include "server/living.h"
#include "server/plugins_own.h"

/* A request of a plugin's that has no answer yet. */
struct fw_host_ask {
	struct fw_loaded *plugin;
	struct fw_client_ask *ask;
	void (*done)(struct fw_plugin_instance *self, void *data, const struct fw_plugin_http_answer *answer);
	void *data;
	struct fw_host_ask *next, **back;
};

static void unlink_ask(struct fw_host_ask *a)
{
	*a->back = a->next;
	if (a->next)
		a->next->back = a->back;
}

static void on_answer(void *ctx, const struct fw_client_answer *got)
{
	struct fw_host_ask *a = ctx;
	struct fw_loaded *p = a->plugin;
	const struct fw_plugin_http_answer answer = {
		.struct_size = sizeof answer,
		.status = got->status,
		.body = { got->body.p, got->body.n },
		.retry_after_ms = got->retry_after_ms,
		.problem = got->problem,
	};
	unlink_ask(a);
	fw_count(p->worker->page, got->status ? FW_COUNT_ASKED : FW_COUNT_ASKED_IN_VAIN, 1);
	uint32_t before = fw_loaded_enter(p);
	a->done(p->self, a->data, &answer);
	fw_loaded_leave(p, before);
	free(a);
}

static int host_http(const struct fw_host *host, const struct fw_plugin_http_request *r,
	void (*done)(struct fw_plugin_instance *self, void *data, const struct fw_plugin_http_answer *answer), void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	struct fw_worker *w = fw_host_worker(p, "http");
	if (!w || p->stopping || r->struct_size < sizeof *r)
		return -1;
	if (!w->client && !(w->client = fw_client_create(w->base)))
		return -1;
	struct fw_host_ask *a = malloc(sizeof *a);
	if (!a)
		return -1;
	*a = (struct fw_host_ask){ .plugin = p, .done = done, .data = data };
	const struct fw_client_request request = { r->method, r->url, r->headers, { r->body.p, r->body.n }, r->user, r->password,
		r->timeout_ms };
	if (fw_client_ask(w->client, &request, on_answer, a, &a->ask) < 0) {
		free(a);
		return -1;
	}
	a->next = p->asks;
	a->back = &p->asks;
	if (a->next)
		a->next->back = &a->next;
	p->asks = a;
	return 0;
}

void fw_host_http_stop(struct fw_loaded *p, bool tell)
{
	const struct fw_client_answer none = { .retry_after_ms = -1, .problem = "the worker ends" };
	p->stopping = true;
	while (p->asks) {
		struct fw_host_ask *a = p->asks;
		fw_client_drop(a->ask);
		if (tell) {
			on_answer(a, &none);
		} else {
			unlink_ask(a);
			free(a);
		}
	}
}

static int host_sign(const struct fw_host *host, struct fw_plugin_text what, unsigned char ret_mac[32])
{
	struct fw_loaded *p = fw_loaded_of(host);
	if (!fw_host_worker(p, "sign"))
		return -1;
	struct fw_people *people = fw_living_people(p->worker->living);
	return fw_people_sign(people, fw_str(p->name), (struct fw_str){ what.p, what.n }, ret_mac) == 0 ? 0 : -1;
}

void fw_host_fill_http(struct fw_host *host)
{
	host->http = host_http;
	host->sign = host_sign;
}
