#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message/template_own.h"

static const char *const endings[FW_TEMPLATE_FILES] = { "html", "txt", "sms" };

static int compare(const void *x, const void *y)
{
	const struct fw_template *a = x, *b = y;
	if (a->form != b->form)
		return a->form < b->form ? -1 : 1;
	if (a->partial != b->partial)
		return a->partial ? 1 : -1;
	return fw_str_compare(a->name, b->name);
}

static const struct fw_template *find(const struct fw_templates *t, struct fw_str name, enum fw_template_form form, bool partial)
{
	struct fw_template key = { .name = name, .form = form, .partial = partial };
	return t->n ? bsearch(&key, t->items, t->n, sizeof *t->items, compare) : NULL;
}

const struct fw_template *fw_templates_find(const struct fw_templates *templates, struct fw_str name, enum fw_template_form form)
{
	return find(templates, name, form, false);
}

const struct fw_template *fw_templates_partial(const struct fw_templates *templates, struct fw_str name, enum fw_template_form form)
{
	return find(templates, name, form, true);
}

uint32_t fw_templates_count(const struct fw_templates *templates)
{
	return templates->n - templates->n_partials;
}

/* "winter/_header" is the partial "winter/header". */
static struct fw_str without_mark(struct fw_arena *arena, struct fw_str name, bool *ret_marked)
{
	const char *slash = memrchr(name.p, '/', name.n);
	size_t at = slash ? (size_t)(slash - name.p) + 1 : 0;
	*ret_marked = at < name.n && name.p[at] == '_';
	if (!*ret_marked)
		return name;
	char *copy = fw_arena_strndup(arena, name.p, name.n);
	if (copy)
		memmove(copy + at, copy + at + 1, name.n - at - 1);
	return (struct fw_str){ copy, copy ? name.n - 1 : 0 };
}

static int read_file(struct fw_templates *set, struct fw_arena *arena, const struct fw_file *file, struct fw_error *err)
{
	struct fw_template *t = &set->items[set->n];
	char *name = fw_arena_strdup(arena, file->name), *text = fw_arena_strndup(arena, file->text, file->n);
	*t = (struct fw_template){ .file = name, .in_set = true };
	if (!name || !text)
		return fw_fail(err, FW_ENOMEM, file->name, 0, "out of memory");
	if (file->n > (size_t)FW_LIMIT_TEMPLATE_BYTES)
		return fw_fail(err, FW_ELIMIT, name, 0, "the template is larger than %d bytes", FW_LIMIT_TEMPLATE_BYTES);
	const char *begin = name + sizeof FW_TEMPLATES_FOLDER - 1, *point = strrchr(name, '.');
	while (t->form + 1 < FW_TEMPLATE_FILES && strcmp(point + 1, endings[t->form]) != 0)
		t->form++;
	t->name = without_mark(arena, (struct fw_str){ begin, (size_t)(point - begin) }, &t->partial);
	if (!t->name.p)
		return fw_fail(err, FW_ENOMEM, name, 0, "out of memory");
	struct fw_str whole = { text, file->n };
	while (t->form == FW_TEMPLATE_SMS && whole.n && (unsigned char)whole.p[whole.n - 1] <= ' ')
		whole.n--; /* an editor's last line end would be paid for */
	int ret = fw_template_parse_text(arena, t, whole, err);
	if (ret == 0) {
		set->n++;
		set->n_partials += t->partial;
	}
	return ret;
}

static int refuse_partial(const struct fw_templates *set, const struct fw_template *t, const struct fw_piece *piece, struct fw_error *err)
{
	char name[FW_LIMIT_ID_BYTES + 1], nearest_name[FW_LIMIT_ID_BYTES + 1] = "";
	snprintf(name, sizeof name, "%.*s", (int)piece->name.n, piece->name.p);
	int nearest = 4;
	for (uint32_t i = 0; i < set->n; i++) {
		const struct fw_template *other = &set->items[i];
		char other_name[FW_LIMIT_ID_BYTES + 1];
		snprintf(other_name, sizeof other_name, "%.*s", (int)other->name.n, other->name.p);
		int distance = other->partial && other->form == t->form ? fw_edit_distance(name, other_name, nearest) : nearest;
		if (distance < nearest) {
			nearest = distance;
			snprintf(nearest_name, sizeof nearest_name, "%s", other_name);
		}
	}
	fw_fail(err, FW_EINVAL, t->file, piece->line, "there is no partial \"%s\"", name);
	const char *slash = strrchr(name, '/');
	int folder = slash ? (int)(slash - name) + 1 : 0;
	if (nearest_name[0])
		fw_hint(err, "did you mean {{> %s}}?", nearest_name);
	else
		fw_hint(err, "it would be the file " FW_TEMPLATES_FOLDER "%.*s_%s.%s", folder, name, name + folder, endings[t->form]);
	return FW_EINVAL;
}

static int link_partials(const struct fw_templates *set, struct fw_template *t, struct fw_arena *arena, struct fw_errors *errors)
{
	int ret = 0;
	for (uint32_t i = 0; i < t->n_pieces; i++) {
		struct fw_piece *piece = &t->pieces[i];
		bool marked;
		if (piece->kind != FW_PIECE_PARTIAL)
			continue;
		struct fw_str name = without_mark(arena, piece->name, &marked);
		if (!name.p)
			return fw_fail(fw_errors_add(errors), FW_ENOMEM, t->file, 0, "out of memory");
		piece->name = name;
		piece->partial = fw_templates_partial(set, name, t->form);
		if (!piece->partial)
			ret = refuse_partial(set, t, piece, fw_errors_add(errors));
	}
	return ret;
}

enum { WALKING = 1, WALKED = 2 };

/* Partials that include each other outside of sections never end; inside of one they end with the data. */
static int check_ends(struct fw_template *t, unsigned depth, struct fw_errors *errors)
{
	if (depth > FW_LIMIT_TEMPLATE_DEPTH)
		return fw_fail(fw_errors_add(errors), FW_ELIMIT, t->file, 0, "partials include one another more than %d deep",
			FW_LIMIT_TEMPLATE_DEPTH);
	t->walked = WALKING;
	for (uint32_t i = 0; i < t->n_pieces;) {
		const struct fw_piece *piece = &t->pieces[i];
		struct fw_template *other = (struct fw_template *)piece->partial;
		if (other && other->walked == WALKING) {
			struct fw_error *err = fw_errors_add(errors);
			fw_fail(err, FW_EINVAL, t->file, piece->line, "{{> %.*s}} includes itself without an end", (int)other->name.n,
				other->name.p);
			fw_hint(err, "inside of a section it ends with the data: {{#children}}{{> %.*s}}{{/children}}", (int)other->name.n,
				other->name.p);
			return FW_EINVAL;
		}
		int ret = other && !other->walked ? check_ends(other, depth + 1, errors) : 0;
		if (ret < 0)
			return ret;
		i = piece->kind == FW_PIECE_SECTION || piece->kind == FW_PIECE_INVERTED ? piece->end : i + 1;
	}
	t->walked = WALKED;
	return 0;
}

static int link_all(struct fw_templates *set, struct fw_arena *arena, struct fw_errors *errors)
{
	int ret = 0;
	for (uint32_t i = 0; i < set->n; i++) {
		int linked = link_partials(set, &set->items[i], arena, errors);
		ret = ret < 0 ? ret : linked;
	}
	for (uint32_t i = 0; i < set->n && ret == 0; i++)
		ret = set->items[i].walked ? 0 : check_ends(&set->items[i], 0, errors);
	for (uint32_t i = 0; i < set->n && ret == 0; i++) {
		struct fw_error err;
		ret = fw_template_list_names(arena, &set->items[i], i + 1, &err);
		if (ret < 0)
			*fw_errors_add(errors) = err;
	}
	return ret == FW_ELIMIT ? FW_EINVAL : ret;
}

int fw_templates_load(const struct fw_files *files, struct fw_arena *arena, struct fw_errors *errors, struct fw_templates **ret)
{
	uint32_t n = 0;
	int code = 0;
	for (uint32_t i = 0; i < files->n; i++)
		n += fw_file_is_template(&files->items[i]);
	struct fw_templates *set = FW_NEW(arena, struct fw_templates);
	if (n > FW_LIMIT_TEMPLATES) {
		fw_fail(fw_errors_add(errors), FW_EINVAL, FW_TEMPLATES_FOLDER, 0, "more than %d templates", FW_LIMIT_TEMPLATES);
		return FW_EINVAL;
	}
	if (!set || !(set->items = FW_NEW_ARRAY(arena, n, struct fw_template)))
		return fw_fail(fw_errors_add(errors), FW_ENOMEM, NULL, 0, "out of memory");
	for (uint32_t i = 0; i < files->n; i++) {
		struct fw_error err;
		int read = fw_file_is_template(&files->items[i]) ? read_file(set, arena, &files->items[i], &err) : 0;
		if (read < 0)
			*fw_errors_add(errors) = err;
		code = read == 0 || code == FW_ENOMEM ? code : read == FW_ENOMEM ? read : FW_EINVAL;
	}
	if (code < 0)
		return code;
	qsort(set->items, set->n, sizeof *set->items, compare);
	code = link_all(set, arena, errors);
	if (code == 0)
		*ret = set;
	return code;
}
