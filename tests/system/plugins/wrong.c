/* A plugin that is wrong in one way, chosen by WRONG; built once for each of them. */
#include <floorwalker/plugin.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOTHING 0
#define MAGIC 1
#define MAJOR 2
#define MINOR 3
#define SIZE 4
#define NAMED 5
#define NO_SYMBOL 6
#define UNDEFINED 7
#define METRIC 8
#define REFUSES 9
#define CRASHES 10
#define HANGS 11
#define START_REFUSES 12
#define START_CRASHES 13
#define START_HANGS 14
#define CLAIMS_TAKEN 15
#define CLAIMS_FOREIGN 16
#define SERVES 17
#define EARLY 18
#define START_UNHEARD 19

static void crash(void)
{
	abort();
}

static void hang(void)
{
	for (;;)
		sleep(1000);
}

/* The master, which is the parent of a worker's parent, goes on when the test says so. */
static void stop_master(void)
{
	char path[64];
	int master = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)getppid());
	FILE *f = fopen(path, "r");
	if (f && fscanf(f, "%*d (%*[^)]) %*c %d", &master) == 1 && master > 1)
		kill(master, SIGSTOP);
	if (f)
		fclose(f);
}

static unsigned told;

static void on_told(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json)
{
	(void)data;
	told += !self && status == 503 && json.n;
}

static void on_answer(struct fw_plugin_instance *self, void *data, const struct fw_plugin_http_answer *answer)
{
	(void)self;
	(void)data;
	(void)answer;
	crash();
}

static void on_call(struct fw_plugin_instance *self, void *data)
{
	(void)self;
	(void)data;
	crash();
}

static void on_ready(struct fw_plugin_instance *self, void *data, int fd, int events)
{
	(void)self;
	(void)data;
	(void)fd;
	(void)events;
	crash();
}

/* Everything that only a worker can do. 0: each is refused as it should be. */
static int ask_early(const struct fw_host *host)
{
	static const char json[] = "{}";
	const struct fw_plugin_text text = { json, sizeof json - 1 };
	const struct fw_plugin_http_request request = { .struct_size = sizeof request, .url = "http://127.0.0.1:1/" };
	unsigned char mac[32];
	host->metric_add(host, 0, 1);
	host->timer_stop(NULL);
	host->unwatch(NULL);
	host->decide(host, NULL, text, on_told, NULL);
	host->explain(host, NULL, text, on_told, NULL);
	host->rules_info(host, on_told, NULL);
	host->ingest(host, NULL, text, on_told, NULL);
	host->visitor(host, "v", "show", on_told, NULL);
	host->visitor_as(host, NULL, "v", "show", text, on_told, NULL);
	host->consent(host, "v", text, on_told, NULL);
	host->consent_as(host, NULL, "v", text, on_told, NULL);
	host->message_event(host, "m", "opened", text, on_told, NULL);
	host->suppress(host, "a@b.example", text, on_told, NULL);
	host->kv_get(host, "k", on_told, NULL);
	host->kv_put(host, "k", text, on_told, NULL);
	return told == 12 && !host->node_timer_start(host, "n", 1, on_call, NULL)
		&& !host->timer_start(host, 1, 0, on_call, NULL)
		&& !host->watch(host, 0, FW_PLUGIN_READABLE, on_ready, NULL)
		&& host->post(host, on_call, NULL) < 0 && host->deliver_result(host, "m", FW_PLUGIN_DELIVERED, NULL) < 0
		&& host->deliver_retry(host, "m", 1, NULL) < 0 && host->sign(host, text, mac) < 0
		&& host->http(host, &request, on_answer, NULL) < 0 ? 0 : -1;
}

static int configure(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_problem *problem)
{
	(void)config;
	if (WRONG == EARLY && ask_early(host) < 0) {
		snprintf(problem->message, sizeof problem->message, "something was done while nothing can be");
		return -1;
	}
	if (WRONG == CRASHES)
		crash();
	if (WRONG == HANGS)
		hang();
	if (WRONG == REFUSES) {
		snprintf(problem->message, sizeof problem->message, "there is no moon tonight");
		snprintf(problem->hint, sizeof problem->hint, "wait for one");
		return -1;
	}
	return 0;
}

struct fw_plugin_instance {
	const struct fw_host *host;
};

static int start(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_instance **ret_self,
	struct fw_plugin_problem *problem)
{
	static struct fw_plugin_instance self;
	(void)config;
	if (WRONG == START_CRASHES)
		crash();
	if (WRONG == START_HANGS)
		hang();
	if (WRONG == START_UNHEARD)
		stop_master();
	if (WRONG == START_REFUSES || WRONG == START_UNHEARD) {
		snprintf(problem->message, sizeof problem->message, "the door is locked");
		return -1;
	}
	self.host = host;
	*ret_self = &self;
	return 0;
}

static void on_request(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	struct fw_plugin_text what = self->host->request_param(request, "do");
	if (what.p && strcmp(what.p, "crash") == 0)
		crash();
	if (what.p && strcmp(what.p, "hang") == 0)
		hang();
	self->host->reply(request, 200, "text/plain", "fine", 4);
}

static const struct fw_plugin_route routes[] = {
#if WRONG == CLAIMS_TAKEN
	{ "/v1/decide", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_ANY, on_request },
#elif WRONG == CLAIMS_FOREIGN
	{ "/web/mine", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, on_request },
#else
	{ "/wrong", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, on_request },
#endif
	{ NULL, 0, 0, NULL },
};

static const struct fw_plugin_metric metrics[] = {
	{ WRONG == METRIC ? "Not-A-Name" : "answers_total", "Answers.", 0 },
	{ NULL, NULL, 0 },
};

#if WRONG == UNDEFINED
extern void nobody_has_this(void);
void (*const wrong_undefined)(void) = nobody_has_this;
#endif

#if WRONG == NO_SYMBOL
#define floorwalker_plugin some_other_name
#endif
FW_PLUGIN_EXPORT extern const struct fw_plugin floorwalker_plugin;
const struct fw_plugin floorwalker_plugin = {
	.magic = WRONG == MAGIC ? 0xdeadbeef : FW_PLUGIN_MAGIC,
	.abi_major = WRONG == MAJOR ? FW_PLUGIN_ABI_MAJOR + 1 : FW_PLUGIN_ABI_MAJOR,
	.abi_minor = WRONG == MINOR ? FW_PLUGIN_ABI_MINOR + 1 : FW_PLUGIN_ABI_MINOR,
	.struct_size = WRONG == SIZE ? 24 : sizeof(struct fw_plugin),
	.name = WRONG == NAMED ? "somebody_else" : NAME,
	.build_id = BUILD,
	.routes = routes,
	.metrics = metrics,
	.configure = configure,
	.start = start,
};
