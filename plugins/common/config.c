#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "problem.h"

_Static_assert((int)COMMON_CONFIG_KEYS <= (int)COMMON_JSON_WANTED, "all are read at once");

struct checking {
	const struct common_key *keys;
	struct fw_plugin_problem *problem;
	int refused; /* it says why */
};

/* A value as it is written, for a person. */
static void show(enum common_json_type type, const char *p, size_t n, char ret[static 64])
{
	int shown = n < 40 ? (int)n : 40;
	if (type == COMMON_JSON_OTHER)
		snprintf(ret, 64, "a table");
	else if (type == COMMON_JSON_STRING)
		snprintf(ret, 64, "\"%.*s\"", shown, p);
	else
		snprintf(ret, 64, "%.*s", shown, p);
}

static int is_number(const struct common_key *key, enum common_json_type type, const char *p, size_t n)
{
	char text[64];
	if (type != COMMON_JSON_NUMBER || n >= sizeof text)
		return 0;
	memcpy(text, p, n);
	text[n] = '\0';
	double v = strtod(text, NULL);
	return v >= key->least && v <= key->most && (key->kind == COMMON_NUMBER || v == floor(v));
}

static void check(void *ctx, size_t which, enum common_json_type type, const char *p, size_t n)
{
	struct checking *c = ctx;
	const struct common_key *key = &c->keys[which];
	char value[64], wanted[96];
	if (c->refused)
		return;
	show(type, p, n, value);
	if (key->kind == COMMON_TEXT && type != COMMON_JSON_STRING) {
		/* Not what it is: it may be a password. */
		c->refused = common_refuse(c->problem, "a text goes there, in quotes", "%s is no text", key->name);
	} else if (key->kind == COMMON_FLAG && type != COMMON_JSON_BOOLEAN) {
		c->refused = common_refuse(c->problem, "true or false goes there", "%s is %s", key->name, value);
	} else if ((key->kind == COMMON_NUMBER || key->kind == COMMON_WHOLE) && !is_number(key, type, p, n)) {
		snprintf(wanted, sizeof wanted, "a %s from %.10g to %.10g goes there",
			key->kind == COMMON_WHOLE ? "whole number" : "number",
			key->least, key->most);
		c->refused = common_refuse(c->problem, wanted, "%s is %s", key->name, value);
	}
}

int common_config_check(const struct fw_host *host, struct fw_plugin_text config, const struct common_key *keys,
	struct fw_plugin_problem *problem)
{
	const char *known[COMMON_CONFIG_KEYS + 1];
	struct common_json_path paths[COMMON_CONFIG_KEYS];
	struct checking c = { .keys = keys, .problem = problem };
	size_t n = 0;
	for (; keys[n].name && n < COMMON_CONFIG_KEYS; n++) {
		known[n] = keys[n].name;
		paths[n] = (struct common_json_path){ { keys[n].name } };
	}
	known[n] = NULL;
	if (host->config_only(host, known, problem) < 0)
		return -1;
	if (common_json_read(config.p, config.n, paths, n, check, &c) < 0)
		return common_refuse(problem, "", "the configuration cannot be read: out of memory, or too deep");
	return c.refused;
}

int common_config_flag(struct fw_plugin_text config, const char *key, int otherwise)
{
	char text[8];
	size_t n;
	struct common_json_path path = { { key } };
	return common_json_get(config.p, config.n, path, text, sizeof text, &n) ? strcmp(text, "true") == 0 : otherwise;
}
