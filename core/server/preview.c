#include "server/preview.h"

#include <string.h>

#include "message/id.h"
#include "server/plugins_own.h"

_Static_assert(sizeof FW_PREVIEW_ID == FW_MESSAGE_ID + 1, "as long as they are");

/* Where a plugin puts what it writes; its table is the first member. */
struct sink {
	struct fw_plugin_preview api;
	struct fw_arena *arena;
	struct fw_preview *into;
};

static struct sink *sink_of(const struct fw_plugin_preview *preview)
{
	return (struct sink *)(uintptr_t)preview;
}

/* Whether it is a name of at most `most` of these letters. */
static bool is_name(const char *name, const char *letters, size_t most)
{
	size_t n = name ? strlen(name) : 0;
	return n > 0 && n <= most && strspn(name, letters) == n;
}

static int take_file(const struct fw_plugin_preview *preview, const char *ending, struct fw_plugin_text bytes)
{
	struct sink *s = sink_of(preview);
	struct fw_preview *into = s->into;
	bool taken = !is_name(ending, "abcdefghijklmnopqrstuvwxyz0123456789", FW_PREVIEW_ENDING);
	for (unsigned i = 0; i < into->n_files && !taken; i++)
		taken = strcmp(into->files[i].ending, ending) == 0;
	if (taken || into->n_files == FW_PREVIEW_FILES)
		return -1;
	const char *name = fw_arena_strdup(s->arena, ending), *copy = fw_arena_strndup(s->arena, bytes.n ? bytes.p : "", bytes.n);
	if (!name || !copy)
		return -1;
	into->files[into->n_files].ending = name;
	into->files[into->n_files++].bytes = (struct fw_str){ copy, bytes.n };
	return 0;
}

static int take_note(const struct fw_plugin_preview *preview, const char *name, const char *value)
{
	struct sink *s = sink_of(preview);
	struct fw_preview *into = s->into;
	if (!is_name(name, "abcdefghijklmnopqrstuvwxyz_", 32) || !value || into->n_notes == FW_PREVIEW_NOTES)
		return -1;
	const char *copy = fw_arena_strdup(s->arena, name), *copy_value = fw_arena_strdup(s->arena, value);
	if (!copy || !copy_value)
		return -1;
	into->notes[into->n_notes].name = copy;
	into->notes[into->n_notes++].value = copy_value;
	return 0;
}

static int64_t now_us(const struct fw_host *host)
{
	return fw_loaded_of(host)->preview_us;
}

/* With a secret that is no store's: it is known to everybody. */
static int sign(const struct fw_host *host, struct fw_plugin_text what, unsigned char ret_mac[32])
{
	static const struct fw_secret nobodys = { .known = true };
	fw_secret_sign(&nobodys, fw_str(fw_loaded_of(host)->name), (struct fw_str){ what.p, what.n }, ret_mac);
	return 0;
}

static int find(const struct fw_config *config, const char *channel)
{
	for (unsigned i = 0; config && i < config->n_plugins; i++)
		if (strcmp(config->plugins[i].name, channel) == 0)
			return (int)i;
	return -1;
}

static void refuse(const struct fw_loaded *p, struct fw_plugin_problem *problem, struct fw_preview *ret, struct fw_report *report)
{
	struct fw_error err;
	problem->message[sizeof problem->message - 1] = problem->hint[sizeof problem->hint - 1] = 0;
	fw_fail(&err, FW_EINVAL, NULL, 0, "%s would not send it: %s", p->name,
		problem->message[0] ? problem->message : "it does not say why");
	if (problem->hint[0])
		fw_hint(&err, "%s", problem->hint);
	fw_report_add(report, &err);
	ret->refused = true;
}

int fw_preview_make(const struct fw_config *config, const struct fw_preview_ask *ask, struct fw_arena *arena, struct fw_preview *ret,
	struct fw_report *report)
{
	int number = find(config, ask->channel);
	struct fw_loaded *p;
	*ret = (struct fw_preview){ .n_files = 0 };
	int rc = number < 0 ? FW_ENOENT : fw_loaded_open(config, (unsigned)number, &p, report);
	if (rc < 0)
		return rc;
	if (!p->plugin->deliver || !fw_loaded_can_preview(p)) {
		rc = p->plugin->deliver ? FW_EFAILED : FW_ENOENT;
	} else {
		struct sink sink = { { sizeof sink.api, take_file, take_note }, arena, ret };
		struct fw_plugin_problem problem = { .message = "" };
		const struct fw_plugin_message message = { .struct_size = sizeof message, .attempt = 1, .id = FW_PREVIEW_ID, .to = ask->to,
			.json = { ask->json.p, ask->json.n } };
		p->preview_us = ask->now_us;
		p->host.now_us = now_us;
		p->host.sign = sign;
		if (p->plugin->preview(&p->host, p->config, &message, &sink.api, &problem) < 0)
			refuse(p, &problem, ret, report);
	}
	fw_loaded_destroy(p);
	return rc;
}
