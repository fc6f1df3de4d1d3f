/* A channel whose addresses say what comes of a message. Every delivery is a line of the file. It is built as "email" and as "sms" (NAME),
 * whose addresses are numbers, which say nothing: what comes there is delivered. */
#include <errno.h>
#include <fcntl.h>
#include <floorwalker/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A message whose delivery is told of later. */
struct later {
	struct later *next;
	char id[64];
};

struct fw_plugin_instance {
	const struct fw_host *host;
	const char *path;
	struct later *laters;
};

static int configure(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_problem *problem)
{
	static const char *const known[] = { "file", NULL };
	(void)config;
	return host->config_only(host, known, problem);
}

static int start(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_instance **ret_self,
	struct fw_plugin_problem *problem)
{
	struct fw_plugin_instance *self = calloc(1, sizeof *self);
	(void)config;
	(void)problem;
	if (!self)
		return -1;
	self->host = host;
	self->path = host->config_path(host, "file", "sent.jsonl");
	*ret_self = self;
	return 0;
}

static void stop(struct fw_plugin_instance *self)
{
	while (self->laters) {
		struct later *l = self->laters;
		self->laters = l->next;
		free(l);
	}
	free(self);
}

static void write_line(struct fw_plugin_instance *self, const struct fw_plugin_message *m)
{
	char line[8192];
	int n = snprintf(line, sizeof line, "{\"id\":\"%s\",\"to\":\"%s\",\"attempt\":%u,\"pid\":%d,\"at\":%lld,\"message\":%.*s}\n",
		m->id, m->to,
		m->attempt, (int)getpid(), (long long)(self->host->now_us(self->host) / 1000), (int)m->json.n, m->json.p);
	int fd = open(self->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0 || n >= (int)sizeof line || write(fd, line, (size_t)n) != n)
		abort();
	close(fd);
}

static void on_later(struct fw_plugin_instance *self, void *data)
{
	struct later *l = data, **at = &self->laters;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (self->host->deliver_result(self->host, l->id, FW_PLUGIN_DELIVERED, NULL) < 0)
		self->host->log(self->host, FW_PLUGIN_ERROR, "nobody waits for this result");
	free(l);
}

static int deliver(struct fw_plugin_instance *self, const struct fw_plugin_message *m, struct fw_plugin_problem *problem)
{
	write_line(self, m);
	if (strncmp(m->to, "crash", 5) == 0)
		abort();
	if (strncmp(m->to, "silent", 6) == 0)
		return FW_PLUGIN_PENDING;
	if (strncmp(m->to, "within", 6) == 0) { /* tells before it has returned, and reads on */
		if (self->host->deliver_result(self->host, m->id, FW_PLUGIN_FAILED, "told within") < 0)
			self->host->log(self->host, FW_PLUGIN_ERROR, "nobody waits for this result");
		write_line(self, m);
		return FW_PLUGIN_DELIVERED;
	}
	if (strncmp(m->to, "later", 5) == 0) {
		struct later *l = calloc(1, sizeof *l);
		unsigned long ms = strtoul(m->to + 5, NULL, 10); /* "later6000@shop.example" takes so many */
		if (!l || !self->host->timer_start(self->host, ms ? (int64_t)ms : 20, 0, on_later, l))
			abort();
		snprintf(l->id, sizeof l->id, "%s", m->id);
		l->next = self->laters;
		self->laters = l;
		return FW_PLUGIN_PENDING;
	}
	if (strncmp(m->to, "never", 5) == 0) {
		snprintf(problem->message, sizeof problem->message, "550 no such user");
		return FW_PLUGIN_FAILED;
	}
	if (strncmp(m->to, "again", 5) == 0 && m->attempt < 3) {
		snprintf(problem->message, sizeof problem->message, "451 come back later");
		return FW_PLUGIN_RETRY;
	}
	return FW_PLUGIN_DELIVERED;
}

/* POST /NAME/hear?id=…&name=…, the body is the event's properties; POST /NAME/suppress?to=… */
struct hearing {
	const struct fw_host *host;
	struct fw_plugin_request *request;
};

static void on_heard(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json)
{
	struct hearing *h = data;
	(void)self;
	h->host->reply(h->request, status, "application/json", json.p, json.n);
}

static void hear(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	struct hearing *h = host->request_alloc(request, sizeof *h);
	*h = (struct hearing){ host, request };
	struct fw_plugin_text id = host->request_param(request, "id"), name = host->request_param(request, "name");
	host->message_event(host, id.p ? id.p : "", name.p ? name.p : "", host->request_body(request), on_heard, h);
}

static void suppress(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	struct hearing *h = host->request_alloc(request, sizeof *h);
	*h = (struct hearing){ host, request };
	host->suppress(host, host->request_param(request, "to").p, host->request_body(request), on_heard, h);
}

static const struct fw_plugin_route routes[] = {
	{ "/" NAME "/hear", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_SECRET, hear },
	{ "/" NAME "/suppress", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_SECRET, suppress },
	{ NULL, 0, 0, NULL },
};

FW_PLUGIN_EXPORT extern const struct fw_plugin floorwalker_plugin;
const struct fw_plugin floorwalker_plugin = {
	.magic = FW_PLUGIN_MAGIC,
	.abi_major = FW_PLUGIN_ABI_MAJOR,
	.abi_minor = 4,
	.struct_size = offsetof(struct fw_plugin, preview), /* as one that was built then */
	.name = NAME,
	.build_id = "test",
	.routes = routes,
	.configure = configure,
	.start = start,
	.stop = stop,
	.deliver = deliver,
};
