#include "base/json_own.h"

#include <math.h>
#include <stdlib.h>
#include <yajl/yajl_parse.h>

#include "base/limits.h"

struct member {
	struct fw_json *value;
	unsigned position;
};

static int compare_members(const void *x, const void *y)
{
	const struct member *a = x, *b = y;
	int d = fw_str_compare(a->value->key, b->value->key);
	return d ? d : (a->position > b->position) - (a->position < b->position);
}

static bool has_duplicates(const struct fw_json *object)
{
	for (const struct fw_json *v = object->child; v; v = v->next)
		for (const struct fw_json *w = v->next; w; w = w->next)
			if (fw_str_equal(v->key, w->key))
				return true;
	return false;
}

/* Looked for once, when the object is complete: each with each when they are few, else in n log n. */
bool fw_json_drop_duplicates(struct fw_arena *a, struct fw_json *object)
{
	enum { FEW = 16 };
	if (object->count <= FEW && !has_duplicates(object))
		return true;
	struct member *members = FW_NEW_ARRAY(a, object->count, struct member);
	if (!members)
		return false;
	unsigned n = 0;
	for (struct fw_json *v = object->child; v; v = v->next, n++)
		members[n] = (struct member){ v, n };
	qsort(members, n, sizeof *members, compare_members);
	bool any = false;
	for (unsigned i = 1; i < n; i++)
		if (fw_str_equal(members[i - 1].value->key, members[i].value->key)) {
			members[i - 1].value->key.p = NULL;
			any = true;
		}
	for (struct fw_json **at = &object->child; any && *at;) {
		if ((*at)->key.p) {
			at = &(*at)->next;
			continue;
		}
		*at = (*at)->next;
		object->count--;
	}
	return true;
}

struct reader {
	struct fw_arena *arena;
	yajl_handle yajl;
	size_t end; /* of the outermost value, once that is complete; else 0 */
	struct fw_json *open[FW_LIMIT_JSON_DEPTH + 1]; /* the containers being read */
	struct fw_json *last[FW_LIMIT_JSON_DEPTH + 1]; /* the newest child of each */
	int depth;
	struct fw_json *root;
	struct fw_str key;
	int code;
	const char *why;
};

static int stop(struct reader *r, int code, const char *why)
{
	r->code = code;
	r->why = why;
	return 0;
}

static struct fw_json *add(struct reader *r, enum fw_json_type type)
{
	struct fw_json *v = FW_NEW(r->arena, struct fw_json);
	if (!v) {
		stop(r, FW_ENOMEM, "the value is too large");
		return NULL;
	}
	v->type = type;
	if (r->depth == 0) {
		r->root = v;
		r->end = yajl_get_bytes_consumed(r->yajl);
		return v;
	}
	struct fw_json *parent = r->open[r->depth - 1], *before = r->last[r->depth - 1];
	v->key = r->key;
	if (before)
		before->next = v;
	else
		parent->child = v;
	r->last[r->depth - 1] = v;
	parent->count++;
	return v;
}

static int on_null(void *ctx)
{
	return add(ctx, FW_JSON_NULL) != NULL;
}

static int on_bool(void *ctx, int b)
{
	struct fw_json *v = add(ctx, FW_JSON_BOOL);
	if (v)
		v->boolean = b != 0;
	return v != NULL;
}

static int on_number(void *ctx, const char *text, size_t n)
{
	struct reader *r = ctx;
	char small[64];
	char *copy = small;
	if (n >= sizeof small && !(copy = fw_arena_alloc(r->arena, n + 1)))
		return stop(r, FW_ENOMEM, "the value is too large");
	memcpy(copy, text, n);
	copy[n] = '\0';
	double x = strtod(copy, NULL);
	if (!isfinite(x))
		return stop(r, FW_EINVAL, "a number is too large");
	struct fw_json *v = add(r, FW_JSON_NUMBER);
	if (v)
		v->number = x;
	return v != NULL;
}

static int on_string(void *ctx, const unsigned char *text, size_t n)
{
	struct reader *r = ctx;
	struct fw_json *v = add(r, FW_JSON_STRING);
	if (!v)
		return 0;
	v->string = (struct fw_str){ fw_arena_strndup(r->arena, (const char *)text, n), n };
	return v->string.p ? 1 : stop(r, FW_ENOMEM, "the value is too large");
}

static int on_key(void *ctx, const unsigned char *text, size_t n)
{
	struct reader *r = ctx;
	r->key = (struct fw_str){ fw_arena_strndup(r->arena, (const char *)text, n), n };
	return r->key.p ? 1 : stop(r, FW_ENOMEM, "the value is too large");
}

static int open_container(struct reader *r, enum fw_json_type type)
{
	if (r->depth >= FW_LIMIT_JSON_DEPTH)
		return stop(r, FW_EINVAL, "the nesting is too deep");
	struct fw_json *v = add(r, type);
	if (!v)
		return 0;
	r->end = 0;
	r->open[r->depth] = v;
	r->last[r->depth] = NULL;
	r->depth++;
	return 1;
}

static int on_open_object(void *ctx)
{
	return open_container(ctx, FW_JSON_OBJECT);
}

static int on_open_array(void *ctx)
{
	return open_container(ctx, FW_JSON_ARRAY);
}

static int on_close(void *ctx)
{
	struct reader *r = ctx;
	if (--r->depth == 0)
		r->end = yajl_get_bytes_consumed(r->yajl);
	r->key = (struct fw_str){ 0 };
	return 1;
}

static int on_close_object(void *ctx)
{
	struct reader *r = ctx;
	if (!fw_json_drop_duplicates(r->arena, r->open[r->depth - 1]))
		return stop(r, FW_ENOMEM, "the value is too large");
	return on_close(ctx);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null, .yajl_boolean = on_bool, .yajl_number = on_number, .yajl_string = on_string,
	.yajl_start_map = on_open_object, .yajl_map_key = on_key, .yajl_end_map = on_close_object,
	.yajl_start_array = on_open_array, .yajl_end_array = on_close,
};

/* yajl takes form feed and vertical tab for white space, RFC 8259 does not. Inside strings yajl refuses them itself. */
static const char *foreign_space(const char *text, size_t n)
{
	const char *v = memchr(text, '\v', n), *f = memchr(text, '\f', n);
	return v ? v : f;
}

static const char *not_space(const char *text, size_t n)
{
	struct fw_str rest = fw_str_trim((struct fw_str){ text, n });
	return rest.n ? rest.p : NULL;
}

static int explain_yajl(yajl_handle y, const char *text, size_t n, struct fw_error *err)
{
	size_t at = yajl_get_bytes_consumed(y);
	unsigned char *why = yajl_get_error(y, 0, (const unsigned char *)text, n);
	struct fw_str line = fw_str_trim(fw_str(why ? (const char *)why : "not JSON"));
	fw_fail(err, FW_EINVAL, NULL, 0, "%.*s, near byte %zu", (int)line.n, line.p, at);
	if (why)
		yajl_free_error(y, why);
	return FW_EINVAL;
}

int fw_json_thorough(struct fw_arena *a, const char *text, size_t n, struct fw_json **ret_value, struct fw_error *err)
{
	const char *foreign = foreign_space(text, n);
	if (foreign)
		return fw_fail(err, FW_EINVAL, NULL, 0, "a form feed or vertical tab is not white space in JSON, at byte %zu",
			(size_t)(foreign - text));
	/* Here and not by yajl, which takes overlong forms for characters. */
	if (!fw_utf8_valid((struct fw_str){ text, n }))
		return fw_fail(err, FW_EINVAL, NULL, 0, "the text is not UTF-8");
	struct reader r = { .arena = a };
	yajl_handle y = r.yajl = yajl_alloc(&callbacks, NULL, &r);
	if (!y)
		return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	yajl_config(y, yajl_dont_validate_strings, 1);
	int ret = 0;
	yajl_status status = yajl_parse(y, (const unsigned char *)text, n);
	/* Of what follows the value yajl overlooks what is the beginning of a token. */
	const char *more = status == yajl_status_ok && r.end ? not_space(text + r.end, n - r.end) : NULL;
	if (status == yajl_status_ok)
		status = yajl_complete_parse(y);
	if (r.code)
		ret = fw_fail(err, r.code, NULL, 0, "%s, near byte %zu", r.why, yajl_get_bytes_consumed(y));
	else if (status != yajl_status_ok)
		ret = explain_yajl(y, text, n, err);
	else if (more)
		ret = fw_fail(err, FW_EINVAL, NULL, 0, "there is more after the value, at byte %zu", (size_t)(more - text));
	else if (!r.root)
		ret = fw_fail(err, FW_EINVAL, NULL, 0, "nothing where JSON was expected");
	else
		*ret_value = r.root;
	yajl_free(y);
	return ret;
}

int fw_json_parse(struct fw_arena *a, const char *text, size_t n, struct fw_json **ret_value, struct fw_error *err)
{
	return fw_json_quick(a, text, n, ret_value) ? 0 : fw_json_thorough(a, text, n, ret_value, err);
}

struct fw_json *fw_json_member(const struct fw_json *object, struct fw_str key)
{
	if (!object || object->type != FW_JSON_OBJECT)
		return NULL;
	for (struct fw_json *v = object->child; v; v = v->next)
		if (fw_str_equal(v->key, key))
			return v;
	return NULL;
}

const char *fw_json_type_name(enum fw_json_type type)
{
	static const char *const names[] = { "null", "true or false", "a number", "a string", "an array", "an object" };
	return names[type];
}
