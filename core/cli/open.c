#include "cli/open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_config(struct fw_opened *o, const char *given, bool wanted)
{
	struct fw_error err = { .message = "out of memory" };
	const char *path = fw_config_find(given);
	if (path && fw_config_load(path, &o->config, &err) < 0) {
		*fw_errors_add(&o->errors) = err;
		return FW_EINVAL;
	}
	if (path)
		return 0;
	if (!wanted) {
		fputs("floorwalker: no configuration found, so there are no compliance guards here (./floorwalker.lua, or --config FILE)\n",
			stderr);
		return 0;
	}
	fw_fail(fw_errors_add(&o->errors), FW_EINVAL, NULL, 0, "which rules? There is no configuration here");
	fw_hint(&o->errors.items[o->errors.n - 1], "name the folder: --rules DIR");
	return FW_EINVAL;
}

int fw_opened_open(struct fw_opened *o, const char *config, const char *rules)
{
	memset(o, 0, sizeof *o);
	fw_errors_init(&o->errors);
	int ret = open_config(o, config, rules == NULL);
	if (ret < 0)
		return ret;
	struct fw_ruleset_options options = { .rules = rules };
	if (o->config) {
		options.compliance = o->config->compliance;
		options.timezone = o->config->timezone;
		options.currency = o->config->currency;
		options.rules = rules ? rules : o->config->rules;
	}
	o->zones = options.zones = fw_zone_set_create();
	if (!o->zones) {
		fw_fail(fw_errors_add(&o->errors), FW_ENOMEM, NULL, 0, "out of memory");
		return FW_ENOMEM;
	}
	if ((ret = fw_ruleset_load(&options, &o->set, &o->errors)) < 0
		|| (ret = fw_templates_open(o->set, &o->errors, &o->templates)) < 0)
		return ret;
	fw_ruleset_forget_files(o->set);
	o->counts = calloc(1, fw_counts_bytes(o->set));
	if (!o->counts || fw_decider_init(&o->decider, o->set, o->counts, NULL) < 0) {
		fw_fail(fw_errors_add(&o->errors), FW_ENOMEM, NULL, 0, "out of memory");
		return FW_ENOMEM;
	}
	o->decides = true;
	return 0;
}

void fw_opened_close(struct fw_opened *o)
{
	if (o->decides)
		fw_decider_finish(&o->decider);
	free(o->counts);
	fw_ruleset_destroy(o->set);
	fw_zone_set_destroy(o->zones);
	fw_config_destroy(o->config);
	fw_errors_finish(&o->errors);
}

void fw_opened_print(const struct fw_error *err)
{
	char text[1200];
	fprintf(stderr, "%s\n", fw_error_text(err, text, sizeof text));
}

void fw_opened_report(const struct fw_opened *o)
{
	for (uint32_t i = 0; i < o->errors.n; i++)
		fw_opened_print(&o->errors.items[i]);
	if (o->errors.dropped)
		fprintf(stderr, "… and %u more\n", o->errors.dropped);
}

void fw_opened_error_json(struct fw_json_out *out, const struct fw_error *err)
{
	fw_json_open_object(out);
	fw_json_key(out, "file");
	fw_json_text_value(out, err->file[0] ? err->file : NULL);
	fw_json_key(out, "line");
	if (err->line)
		fw_json_number(out, err->line);
	else
		fw_json_null(out);
	fw_json_key(out, "message");
	fw_json_text_value(out, err->message);
	fw_json_key(out, "hint");
	fw_json_text_value(out, err->hint[0] ? err->hint : NULL);
	fw_json_close_object(out);
}

static uint32_t find_slot(const struct fw_opened *o, struct fw_str id)
{
	uint32_t slot = fw_ruleset_slot(o->set, id);
	if (slot != FW_NONE)
		return slot;
	char name[FW_LIMIT_ID_BYTES + 1];
	snprintf(name, sizeof name, "%.*s", (int)(id.n < sizeof name - 1 ? id.n : sizeof name - 1), id.p);
	const char *nearest = fw_nearest_in(name, &o->set->slots[0].id, o->set->n_slots, sizeof *o->set->slots);
	fprintf(stderr, "floorwalker: there is no slot \"%s\"", name);
	fprintf(stderr, nearest ? "; did you mean \"%s\"?\n" : "\n", nearest);
	return FW_NONE;
}

int fw_opened_slots(const struct fw_opened *o, const char *list, uint32_t **ret_slots, uint32_t *ret_n)
{
	uint32_t n = 0;
	uint32_t *slots = calloc(o->set->n_slots + (list ? strlen(list) : 0) + 1, sizeof *slots);
	if (!slots)
		return FW_ENOMEM;
	for (uint32_t i = 0; !list && i < o->set->n_slots; i++)
		slots[n++] = i;
	for (const char *p = list; p && *p;) {
		size_t length = strcspn(p, ",");
		slots[n] = find_slot(o, (struct fw_str){ p, length });
		if (slots[n] == FW_NONE) {
			free(slots);
			return FW_EINVAL;
		}
		n++;
		p += length + (p[length] == ',');
	}
	*ret_slots = slots;
	*ret_n = n;
	return 0;
}
