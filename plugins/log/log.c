/* The smallest channel, to copy: writes what it would deliver to a file, a JSON object a line.
 *
 *     plugins = { log = { file = "var/messages.jsonl" } } */
#include <errno.h>
#include <fcntl.h>
#include <floorwalker/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { METRIC_WRITTEN };

static const struct fw_plugin_metric metrics[] = {
	[METRIC_WRITTEN] = { "written_total", "Messages written to the file.", 0 },
	{ NULL, NULL, 0 },
};

struct fw_plugin_instance {
	const struct fw_host *host;
	const char *path;
};

static int configure(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_problem *problem)
{
	static const char *const known[] = { "file", NULL };
	(void)config;
	if (host->config_only(host, known, problem) < 0)
		return -1;
	if (host->config_text(host, "file", NULL))
		return 0;
	snprintf(problem->message, sizeof problem->message, "file is not set: the path to write to");
	return -1;
}

static int start(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_instance **ret_self,
	struct fw_plugin_problem *problem)
{
	struct fw_plugin_instance *self = calloc(1, sizeof *self);
	(void)config;
	if (!self) {
		snprintf(problem->message, sizeof problem->message, "out of memory");
		return -1;
	}
	self->host = host;
	self->path = host->config_path(host, "file", NULL);
	int fd = open(self->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0) {
		snprintf(problem->message, sizeof problem->message, "%s cannot be written: %s", self->path, strerror(errno));
		free(self);
		return -1;
	}
	close(fd);
	*ret_self = self;
	return 0;
}

static void stop(struct fw_plugin_instance *self)
{
	free(self);
}

/* One write a line: lines of several workers do not mix. The file is opened for each, so that it may be moved away. */
static int deliver(struct fw_plugin_instance *self, const struct fw_plugin_message *message,
	struct fw_plugin_problem *problem)
{
	size_t room = strlen(message->id) + strlen(message->to) + message->json.n + 64;
	char *line = malloc(room);
	int fd = open(self->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	int outcome = FW_PLUGIN_RETRY;
	if (line && fd >= 0) {
		int n = snprintf(line, room, "{\"id\":\"%s\",\"attempt\":%u,\"message\":%.*s}\n", message->id, message->attempt,
			(int)message->json.n, message->json.p);
		if (write(fd, line, (size_t)n) == n)
			outcome = FW_PLUGIN_DELIVERED;
	}
	if (outcome == FW_PLUGIN_DELIVERED)
		self->host->metric_add(self->host, METRIC_WRITTEN, 1);
	else
		snprintf(problem->message, sizeof problem->message, "%s cannot be written: %s", self->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	free(line);
	return outcome;
}

FW_PLUGIN_EXPORT extern const struct fw_plugin floorwalker_plugin;
const struct fw_plugin floorwalker_plugin = {
	.magic = FW_PLUGIN_MAGIC,
	.abi_major = FW_PLUGIN_ABI_MAJOR,
	.abi_minor = 0,
	.struct_size = sizeof(struct fw_plugin),
	.name = "log",
	.build_id = "0.1.0",
	.metrics = metrics,
	.configure = configure,
	.start = start,
	.stop = stop,
	.deliver = deliver,
};
