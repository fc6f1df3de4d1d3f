#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "message/messages.h"
#include "server/plugins_own.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010u
#endif

/* The first version's descriptor ended here. */
enum { SIZE_1_0 = offsetof(struct fw_plugin, deliver) + sizeof(void *) };

struct fw_plugins {
	struct fw_loaded *items[FW_LIMIT_PLUGINS];
	unsigned n;
};

static int fail(struct fw_report *report, const char *file, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int fail(struct fw_report *report, const char *file, const char *hint, const char *fmt, ...)
{
	struct fw_error err;
	char message[600];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	fw_fail(&err, FW_EINVAL, file, 0, "%s", message);
	if (hint)
		fw_hint(&err, "%s", hint);
	fw_report_add(report, &err);
	return FW_EINVAL;
}

/* A private copy: replacing the file on disk reaches nothing that runs. Returns the descriptor, or -1. */
static int copy_to_memory(const char *name, struct fw_str bytes)
{
	char label[80];
	snprintf(label, sizeof label, "%s.so", name);
	int fd = memfd_create(label, MFD_CLOEXEC | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(label, MFD_CLOEXEC);
	for (size_t at = 0; fd >= 0 && at < bytes.n;) {
		ssize_t n = write(fd, bytes.p + at, bytes.n - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			close(fd);
			return -1;
		}
		at += (size_t)n;
	}
	return fd;
}

/* The descriptor says it is ours before anything else in it is read. */
static int check_abi(const struct fw_loaded *p, const struct fw_plugin *d, struct fw_report *report)
{
	if (d->magic != FW_PLUGIN_MAGIC)
		return fail(report, p->file, NULL, "is no floorwalker plugin: expected the magic number %08x, found %08x",
			FW_PLUGIN_MAGIC, d->magic);
	if (d->abi_major != FW_PLUGIN_ABI_MAJOR || d->abi_minor > FW_PLUGIN_ABI_MINOR)
		return fail(report, p->file, "build it again with this floorwalker's header",
			"was built for another interface: expected %d.%d or an earlier %d.x, found %u.%u", FW_PLUGIN_ABI_MAJOR,
			FW_PLUGIN_ABI_MINOR, FW_PLUGIN_ABI_MAJOR, d->abi_major, d->abi_minor);
	if (d->struct_size < SIZE_1_0 || d->struct_size > sizeof *d || d->struct_size % sizeof(void *))
		return fail(report, p->file, NULL, "has a descriptor of the wrong size: expected %zu bytes, found %u", sizeof *d,
			d->struct_size);
	if (!d->name || strcmp(d->name, p->name) != 0)
		return fail(report, p->file, NULL, "has another name: expected \"%s\", found \"%.64s\"", p->name,
			d->name ? d->name : "");
	return 0;
}

static int open_object(struct fw_loaded *p, struct fw_str bytes, struct fw_report *report)
{
	char path[64];
	int fd = copy_to_memory(p->name, bytes);
	if (fd < 0)
		return fail(report, p->file, NULL, "cannot be copied into memory: %s", strerror(errno));
	/* The descriptor stays open while others are loaded: the linker knows objects by this path. */
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!object) {
		const char *why = dlerror();
		size_t n = strlen(path);
		bool prefixed = why && strncmp(why, path, n) == 0 && strncmp(why + n, ": ", 2) == 0;
		return fail(report, p->file, NULL, "cannot be loaded: expected a shared object, found: %s",
			!why ? "nothing" : prefixed ? why + n + 2 : why);
	}
	const struct fw_plugin *d = dlsym(object, "floorwalker_plugin");
	if (!d)
		return fail(report, p->file, "export it: FW_PLUGIN_EXPORT extern const struct fw_plugin floorwalker_plugin",
			"is no floorwalker plugin: expected the symbol floorwalker_plugin, found none");
	int rc = check_abi(p, d, report);
	if (rc == 0)
		p->plugin = d;
	return rc;
}

bool fw_loaded_can_preview(const struct fw_loaded *p)
{
	return p->plugin->struct_size >= offsetof(struct fw_plugin, preview) + sizeof p->plugin->preview && p->plugin->preview;
}

static int register_metrics(struct fw_loaded *p, struct fw_shared *shared, struct fw_report *report)
{
	for (const struct fw_plugin_metric *m = p->plugin->metrics; m && m->name; m++) {
		char name[FW_METRIC_NAME];
		bool fits = snprintf(name, sizeof name, "floorwalker_%s_%s", p->name, m->name) < (int)sizeof name;
		bool total = strlen(m->name) > 6 && strcmp(m->name + strlen(m->name) - 6, "_total") == 0;
		if (!fits || strspn(m->name, "abcdefghijklmnopqrstuvwxyz_") != strlen(m->name) || total == (m->is_gauge != 0))
			return fail(report, p->file, NULL,
				"has a metric with a wrong name: expected small letters and _, ending with _total "
				"for a counter and only then, found \"%.64s\"", m->name);
		int place = p->n_metrics < FW_LIMIT_PLUGIN_METRICS ? fw_shared_metric(shared, name, m->help, m->is_gauge) : -1;
		if (place < 0)
			return fail(report, p->file, NULL, "has too many metrics: %d are allowed", FW_LIMIT_PLUGIN_METRICS);
		p->metrics[p->n_metrics++] = place;
	}
	return 0;
}

/* Keys that the host itself reads of a channel. */
static int check_channel(const struct fw_loaded *p, struct fw_report *report)
{
	static const char *const keys[] = { "rate", "at_once" };
	for (size_t i = 0; p->plugin->deliver && i < sizeof keys / sizeof *keys; i++) {
		const struct fw_json *v = fw_json_get(p->config_tree, keys[i]);
		if (v && !(v->type == FW_JSON_NUMBER && v->number > 0 && v->number <= 1e6 && (i == 0 || v->number >= 1)))
			return fail(report, p->file, i == 0 ? "write rate = 50" : "write at_once = 100",
				"refuses its configuration: %s is no number of deliveries%s", keys[i], i == 0 ? " a second" : "");
	}
	return 0;
}

static int configure(struct fw_loaded *p, struct fw_report *report)
{
	struct fw_plugin_problem problem = { .message = "" };
	int rc = check_channel(p, report);
	if (rc < 0)
		return rc;
	if (!p->plugin->configure || p->plugin->configure(&p->host, p->config, &problem) == 0)
		return 0;
	problem.message[sizeof problem.message - 1] = problem.hint[sizeof problem.hint - 1] = 0;
	return fail(report, p->file, problem.hint[0] ? problem.hint : NULL, "refuses its configuration: %s",
		problem.message[0] ? problem.message : "it does not say why");
}

void fw_loaded_destroy(struct fw_loaded *p)
{
	if (!p)
		return;
	free(p->endpoints);
	fw_arena_finish(&p->arena);
	free(p->name);
	free(p->file);
	free(p);
}

static struct fw_loaded *create(const struct fw_config *config, const struct fw_config_plugin *c, const char *folder,
	unsigned index)
{
	struct fw_loaded *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	fw_arena_init(&p->arena, NULL, 0, 0);
	fw_host_fill(&p->host);
	p->index = index;
	p->post[0] = p->post[1] = -1;
	p->config = (struct fw_plugin_text){ c->json.p, c->json.n };
	p->config_folder = config->folder;
	p->name = strdup(c->name);
	if (asprintf(&p->file, "%s/%s.so", folder, c->name) < 0)
		p->file = NULL;
	if (!p->name || !p->file || fw_json_parse(&p->arena, c->json.p, c->json.n, &p->config_tree, NULL) < 0) {
		fw_loaded_destroy(p);
		return NULL;
	}
	return p;
}

static int read_object(struct fw_loaded *p, struct fw_kept *kept, struct fw_report *report)
{
	struct fw_arena arena;
	struct fw_str bytes;
	struct fw_error err;
	char path[128];
	fw_arena_init(&arena, NULL, 0, 0);
	int rc = fw_config_read_file(&arena, p->file, FW_LIMIT_PLUGIN_BYTES, &bytes, &err);
	snprintf(path, sizeof path, "plugins/%.64s.so", p->name);
	if (rc == 0 && kept)
		rc = fw_kept_add(kept, path, bytes, &err);
	if (rc < 0)
		fw_report_add(report, &err);
	else
		rc = open_object(p, bytes, report);
	fw_arena_finish(&arena);
	return rc;
}

static const char *folder_of(const struct fw_config *config, struct fw_arena *arena)
{
	return config->plugin_path ? config->plugin_path : fw_config_own(arena, "plugins");
}

static int lost_folder(const struct fw_config *config, struct fw_report *report)
{
	return fail(report, config->file, "set plugin_path", "the folder of the plugins cannot be found");
}

int fw_loaded_open(const struct fw_config *config, unsigned number, struct fw_loaded **ret, struct fw_report *report)
{
	struct fw_arena arena;
	fw_arena_init(&arena, NULL, 0, 0);
	const char *folder = folder_of(config, &arena);
	struct fw_loaded *p = folder ? create(config, &config->plugins[number], folder, number) : NULL;
	int rc = !folder ? lost_folder(config, report) : !p ? fail(report, config->file, NULL, "out of memory") : 0;
	fw_arena_finish(&arena);
	if (rc == 0)
		rc = read_object(p, NULL, report);
	if (rc == 0)
		rc = configure(p, report);
	if (rc < 0)
		fw_loaded_destroy(p);
	else
		*ret = p;
	return rc;
}

int fw_plugins_load(const struct fw_config *config, struct fw_shared *shared, unsigned bank, struct fw_kept *kept,
	struct fw_plugins **ret, struct fw_report *report)
{
	struct fw_plugins *all = calloc(1, sizeof *all);
	struct fw_arena arena;
	fw_arena_init(&arena, NULL, 0, 0);
	const char *folder = folder_of(config, &arena);
	int rc = !folder && config->n_plugins ? lost_folder(config, report) : 0;
	for (unsigned i = 0; i < config->n_plugins && rc == 0; i++) {
		struct fw_loaded *p = all ? create(config, &config->plugins[i], folder, i) : NULL;
		if (!p) {
			rc = fail(report, config->file, NULL, "out of memory");
			break;
		}
		all->items[all->n++] = p;
		snprintf(shared->plugins[bank][i], sizeof shared->plugins[bank][i], "%s", p->name);
		snprintf(shared->stage[bank], sizeof shared->stage[bank], "opening plugin %s", p->name);
		rc = read_object(p, kept, report);
		if (rc == 0)
			rc = register_metrics(p, shared, report);
		snprintf(shared->stage[bank], sizeof shared->stage[bank], "configuring plugin %s", p->name);
		if (rc == 0)
			rc = configure(p, report);
	}
	fw_arena_finish(&arena);
	if (rc < 0)
		fw_plugins_destroy(all);
	else
		*ret = all;
	return rc;
}

void fw_plugins_destroy(struct fw_plugins *plugins)
{
	for (unsigned i = 0; plugins && i < plugins->n; i++)
		fw_loaded_destroy(plugins->items[i]);
	free(plugins);
}

/* What stands below /<name>/ is that plugin's. */
static const char *belongs_to_another(const struct fw_plugins *all, const struct fw_loaded *p, const char *path)
{
	size_t n = strcspn(path + (path[0] == '/'), "/");
	for (unsigned i = 0; i < all->n; i++) {
		const char *name = all->items[i]->name;
		if (all->items[i] != p && path[0] == '/' && strlen(name) == n && strncmp(path + 1, name, n) == 0)
			return name;
	}
	return NULL;
}

static int claim(const struct fw_plugins *all, struct fw_loaded *p, struct fw_http_routes *routes, struct fw_report *report)
{
	unsigned n = 0;
	struct fw_error err;
	while (p->plugin->routes && p->plugin->routes[n].path)
		n++;
	if (n && !(p->endpoints = calloc(n, sizeof *p->endpoints)))
		return fail(report, p->file, NULL, "out of memory");
	for (unsigned i = 0; i < n; i++) {
		const struct fw_plugin_route *r = &p->plugin->routes[i];
		size_t length = strlen(r->path);
		bool prefix = length > 0 && r->path[length - 1] == '/';
		if (r->access > FW_PLUGIN_ACCESS_ANY || !r->handle)
			return fail(report, p->file, NULL, "claims %s without a handler, or with an access that is not known", r->path);
		const char *other = belongs_to_another(all, p, r->path);
		if (other)
			return fail(report, p->file, NULL, "claims %s, which is below /%s/: that plugin's own", r->path, other);
		p->endpoints[i] = (struct fw_endpoint){ .access = (enum fw_plugin_access)r->access, .plugin = p, .handle = r->handle };
		if (fw_http_route_add(routes, r->methods, r->path, prefix ? FW_HTTP_ROUTE_PREFIX : FW_HTTP_ROUTE_EXACT, p->name,
				&p->endpoints[i], &err) < 0)
			return fail(report, p->file, NULL, "%s", err.message);
	}
	return 0;
}

int fw_plugins_claim(struct fw_plugins *plugins, struct fw_http_routes *routes, struct fw_report *report)
{
	int rc = 0;
	for (unsigned i = 0; i < plugins->n && rc == 0; i++)
		rc = claim(plugins, plugins->items[i], routes, report);
	return rc;
}

unsigned fw_plugins_channels(struct fw_plugins *plugins, struct fw_channel *channels)
{
	unsigned n = 0;
	for (unsigned i = 0; i < plugins->n; i++)
		if (plugins->items[i]->started && plugins->items[i]->plugin->deliver)
			fw_host_channel(plugins->items[i], &channels[n++]);
	return n;
}

void fw_plugins_describe(const struct fw_plugins *plugins, struct fw_json_out *out)
{
	fw_json_open_array(out);
	for (unsigned i = 0; i < plugins->n; i++) {
		const struct fw_plugin *d = plugins->items[i]->plugin;
		char abi[32], build[64];
		snprintf(abi, sizeof abi, "%u.%u", d->abi_major, d->abi_minor);
		snprintf(build, sizeof build, "%s", d->build_id ? d->build_id : "");
		fw_json_open_object(out);
		fw_json_key(out, "name");
		fw_json_text_value(out, d->name);
		fw_json_key(out, "build");
		fw_json_text_value(out, build);
		fw_json_key(out, "abi");
		fw_json_text_value(out, abi);
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
}

static int start(struct fw_loaded *p, struct fw_worker *worker, struct fw_error *err)
{
	struct fw_plugin_problem problem = { .message = "" };
	p->worker = worker;
	if (fw_host_loop_start(p) < 0)
		return fw_fail(err, FW_ENOMEM, p->file, 0, "out of memory, or of descriptors");
	if (p->plugin->start) {
		uint32_t before = fw_loaded_enter(p);
		int rc = p->plugin->start(&p->host, p->config, &p->self, &problem);
		fw_loaded_leave(p, before);
		if (rc != 0) {
			problem.message[sizeof problem.message - 1] = problem.hint[sizeof problem.hint - 1] = 0;
			fw_fail(err, FW_EFAILED, p->file, 0, "does not start: %s", problem.message[0] ? problem.message
				: "it does not say why");
			if (problem.hint[0])
				fw_hint(err, "%s", problem.hint);
			fw_host_http_stop(p, false);
			fw_host_values_stop(p, false);
			fw_host_loop_stop(p);
			return FW_EFAILED;
		}
	}
	p->started = true;
	return 0;
}

int fw_plugins_start(struct fw_plugins *plugins, struct fw_worker *worker, struct fw_error *err)
{
	int rc = 0;
	for (unsigned i = 0; i < plugins->n && rc == 0; i++)
		rc = start(plugins->items[i], worker, err);
	if (rc < 0)
		fw_plugins_stop(plugins);
	return rc;
}

void fw_plugins_drain(struct fw_plugins *plugins, int64_t deadline_ms)
{
	for (unsigned i = 0; i < plugins->n; i++) {
		struct fw_loaded *p = plugins->items[i];
		uint32_t before = fw_loaded_enter(p);
		if (p->started && p->plugin->drain)
			p->plugin->drain(p->self, deadline_ms);
		fw_loaded_leave(p, before);
	}
}

void fw_plugins_end_asks(struct fw_plugins *plugins)
{
	for (unsigned i = plugins->n; i-- > 0;)
		if (plugins->items[i]->started)
			fw_host_http_stop(plugins->items[i], true);
}

void fw_plugins_stop(struct fw_plugins *plugins)
{
	fw_plugins_end_asks(plugins);
	for (unsigned i = plugins->n; i-- > 0;) {
		struct fw_loaded *p = plugins->items[i];
		if (!p->started)
			continue;
		p->started = false;
		fw_host_values_stop(p, true);
		fw_host_loop_stop(p);
		uint32_t before = fw_loaded_enter(p);
		if (p->plugin->stop)
			p->plugin->stop(p->self);
		fw_loaded_leave(p, before);
	}
}
