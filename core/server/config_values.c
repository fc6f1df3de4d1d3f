#include "server/config_values.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"

static const char *nearest_of(const char *name, const char *const *names)
{
	size_t n = 0;
	while (names[n])
		n++;
	return fw_nearest(name, names, n);
}

static bool is_in(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

int fw_config_wanted(const struct fw_json *v, const char *what, struct fw_error *err)
{
	return fw_fail(err, FW_EINVAL, NULL, 0, "%s wants %s and got %s", v->key.p ? v->key.p : "an element of the list", what,
		fw_json_type_name(v->type));
}

int fw_config_no_memory(struct fw_error *err)
{
	return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
}

/* Refuses members that `known` does not list. */
int fw_config_only(const struct fw_json *object, const char *const *known, struct fw_error *err)
{
	if (object->type != FW_JSON_OBJECT)
		return fw_config_wanted(object, "a table with names", err);
	for (const struct fw_json *m = object->child; m; m = m->next) {
		if (is_in(m->key.p, known))
			continue;
		const char *nearest = nearest_of(m->key.p, known);
		fw_fail(err, FW_EINVAL, NULL, 0, "there is no key \"%s\" in %s", m->key.p, object->key.p);
		if (nearest)
			fw_hint(err, "did you mean \"%s\"?", nearest);
		return FW_EINVAL;
	}
	return 0;
}

int fw_config_text(const struct fw_json *v, const char **ret, struct fw_error *err)
{
	if (v->type != FW_JSON_STRING || v->string.n == 0 || strlen(v->string.p) != v->string.n)
		return fw_config_wanted(v, "text", err);
	*ret = v->string.p;
	return 0;
}

int fw_config_path(struct fw_config *c, const struct fw_json *v, const char **ret, struct fw_error *err)
{
	const char *text = NULL;
	int rc = fw_config_text(v, &text, err);
	if (rc < 0)
		return rc;
	*ret = text[0] == '/' ? text : fw_arena_printf(&c->arena, "%s/%s", c->folder, text);
	return *ret ? 0 : fw_config_no_memory(err);
}

int fw_config_one_of(const struct fw_json *v, const char *const *words, const char **ret, struct fw_error *err)
{
	const char *text = NULL;
	int rc = fw_config_text(v, &text, err);
	if (rc < 0)
		return rc;
	if (is_in(text, words)) {
		*ret = text;
		return 0;
	}
	const char *nearest = nearest_of(text, words);
	fw_fail(err, FW_EINVAL, NULL, 0, "%s cannot be \"%s\"", v->key.p, text);
	if (nearest)
		fw_hint(err, "did you mean \"%s\"?", nearest);
	return FW_EINVAL;
}

int fw_config_number(const struct fw_json *v, double least, double most, bool whole, double *ret, struct fw_error *err)
{
	if (v->type != FW_JSON_NUMBER)
		return fw_config_wanted(v, "a number", err);
	if (v->number < least || v->number > most || (whole && v->number != floor(v->number)))
		return fw_fail(err, FW_EINVAL, NULL, 0, "%s wants a %snumber from %.15g to %.15g", v->key.p, whole ? "whole " : "", least,
			most);
	*ret = v->number;
	return 0;
}

int fw_config_text_list(struct fw_config *c, const struct fw_json *v, struct fw_config_texts *ret, struct fw_error *err)
{
	unsigned n = v->type == FW_JSON_STRING ? 1 : v->count;
	if (v->type != FW_JSON_STRING && v->type != FW_JSON_ARRAY && !(v->type == FW_JSON_OBJECT && n == 0))
		return fw_config_wanted(v, "a list of texts", err);
	struct fw_str *items = FW_NEW_ARRAY(&c->arena, n + 1, struct fw_str);
	if (!items)
		return fw_config_no_memory(err);
	const struct fw_json *item = v->type == FW_JSON_STRING ? v : v->child;
	for (unsigned i = 0; i < n; i++, item = item->next) {
		if (item->type != FW_JSON_STRING || item->string.n == 0)
			return fw_config_wanted(v, "a list of texts", err);
		items[i] = item->string;
	}
	*ret = (struct fw_config_texts){ items, n };
	return 0;
}

int fw_config_age(const struct fw_json *v, int64_t *ret, struct fw_error *err)
{
	const char *text;
	int rc = fw_config_text(v, &text, err);
	if (rc < 0)
		return rc;
	size_t digits = strspn(text, "0123456789");
	int64_t unit = strcmp(text + digits, "mo") == 0 ? FW_CONFIG_MONTH_S : strcmp(text + digits, "y") == 0 ? FW_CONFIG_YEAR_S : 0;
	int64_t s = unit && digits > 0 && digits < 6 ? atoi(text) * unit : fw_duration_s(v->string);
	if (s > 0) {
		*ret = s;
		return 0;
	}
	fw_fail(err, FW_EINVAL, NULL, 0, "%s wants a duration and got \"%s\"", v->key.p, text);
	fw_hint(err, "write a number and h, d, w, mo or y, such as \"90d\" or \"25mo\"");
	return FW_EINVAL;
}
