/* The host's services for channels: what became of a delivery, and what is heard of messages and addresses. */
#include <stdio.h>

#include "base/clock.h"
#include "server/plugins_own.h"
#include "server/sending.h"

static int tell_result(const struct fw_host *host, const char *call, const char *message_id, int outcome, int64_t after_ms,
	const char *reason)
{
	struct fw_loaded *p = fw_loaded_of(host);
	struct fw_worker *w = fw_host_worker(p, call);
	if (!w)
		return -1;
	uint32_t before = fw_loaded_enter(p);
	fw_loaded_leave(p, 0);
	int rc = fw_sending_result(w->sending, message_id, outcome, after_ms, reason);
	fw_loaded_leave(p, before);
	return rc < 0 ? -1 : 0;
}

static int host_deliver_retry(const struct fw_host *host, const char *message_id, int64_t after_ms, const char *reason)
{
	return tell_result(host, "deliver_retry", message_id, FW_PLUGIN_RETRY, after_ms, reason);
}

static int host_deliver_result(const struct fw_host *host, const char *message_id, int outcome, const char *reason)
{
	return tell_result(host, "deliver_result", message_id, outcome, -1, reason);
}

/* The texts are the plugin's until the answer. */
static void host_message_event(const struct fw_host *host, const char *message_id, const char *name, struct fw_plugin_text json,
	fw_plugin_done done, void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	struct fw_asked *a = fw_host_asked(p, "message_event", sizeof *a, done, data);
	if (!a)
		return;
	uint32_t before = fw_loaded_enter(p);
	fw_loaded_leave(p, 0);
	fw_sending_hear(p->worker->sending, message_id, name, (struct fw_str){ json.p, json.n }, fw_host_answer, a);
	fw_loaded_leave(p, before);
}

static void host_suppress(const struct fw_host *host, const char *address, struct fw_plugin_text json, fw_plugin_done done, void *data)
{
	struct fw_loaded *p = fw_loaded_of(host);
	struct fw_asked *a = fw_host_asked(p, "suppress", sizeof *a, done, data);
	if (!a)
		return;
	uint32_t before = fw_loaded_enter(p);
	fw_loaded_leave(p, 0);
	fw_sending_suppress(p->worker->sending, p->name, address, (struct fw_str){ json.p, json.n }, fw_host_answer, a);
	fw_loaded_leave(p, before);
}

static enum fw_channel_outcome deliver(void *ctx, const struct fw_channel_message *m, char *reason, size_t size)
{
	struct fw_loaded *p = ctx;
	struct fw_plugin_problem problem = { .message = "" };
	const struct fw_plugin_message message = { sizeof message, m->attempt, m->id, m->to, { m->json.p, m->json.n },
		fw_monotonic_us() + (m->until_us - fw_now_us()) };
	uint32_t before = fw_loaded_enter(p);
	int outcome = p->plugin->deliver(p->self, &message, &problem);
	fw_loaded_leave(p, before);
	problem.message[sizeof problem.message - 1] = 0;
	snprintf(reason, size, "%s", problem.message);
	if (outcome >= 0 && outcome <= FW_PLUGIN_ACCEPTED)
		return (enum fw_channel_outcome)outcome;
	snprintf(reason, size, "the plugin answered %d, which is no outcome", outcome);
	return FW_CHANNEL_FAILED;
}

void fw_host_channel(struct fw_loaded *p, struct fw_channel *ret)
{
	const struct fw_json *rate = fw_json_get(p->config_tree, "rate"), *most = fw_json_get(p->config_tree, "at_once");
	*ret = (struct fw_channel){ .name = p->name, .ctx = p, .deliver = deliver, .rate = rate ? rate->number : 0,
		.most = most ? (unsigned)most->number : FW_LIMIT_CHANNEL_AT_ONCE };
}

void fw_host_fill_messages(struct fw_host *host)
{
	host->deliver_result = host_deliver_result;
	host->deliver_retry = host_deliver_retry;
	host->message_event = host_message_event;
	host->suppress = host_suppress;
}
