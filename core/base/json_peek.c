/* One text out of JSON, found in passing: nothing else is kept. */
#include <yajl/yajl_parse.h>

#include "base/json.h"
#include "base/limits.h"

struct peek {
	struct fw_arena *arena;
	struct fw_str wanted, found;
	int depth;
	bool is_object; /* the outermost value */
	bool here;      /* the next value is the member's */
};

/* Every value passes here; the member's loses what an earlier one of its name had. */
static int pass(struct peek *p)
{
	if (p->depth == 1 && p->here) {
		p->here = false;
		p->found = (struct fw_str){ NULL, 0 };
	}
	return 1;
}

static int on_null(void *ctx)
{
	return pass(ctx);
}

static int on_bool(void *ctx, int b)
{
	(void)b;
	return pass(ctx);
}

static int on_number(void *ctx, const char *text, size_t n)
{
	(void)text;
	(void)n;
	return pass(ctx);
}

static int on_string(void *ctx, const unsigned char *text, size_t n)
{
	struct peek *p = ctx;
	bool here = p->depth == 1 && p->here;
	pass(p);
	if (here)
		p->found = (struct fw_str){ fw_arena_strndup(p->arena, (const char *)text, n), n };
	return 1;
}

static int on_key(void *ctx, const unsigned char *text, size_t n)
{
	struct peek *p = ctx;
	p->here = p->depth == 1 && p->is_object && fw_str_equal((struct fw_str){ (const char *)text, n }, p->wanted);
	return 1;
}

static int open_container(struct peek *p, bool is_object)
{
	pass(p);
	if (p->depth == 0)
		p->is_object = is_object;
	return ++p->depth <= FW_LIMIT_JSON_DEPTH;
}

static int on_open_object(void *ctx)
{
	return open_container(ctx, true);
}

static int on_open_array(void *ctx)
{
	return open_container(ctx, false);
}

static int on_close(void *ctx)
{
	struct peek *p = ctx;
	p->depth--;
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null, .yajl_boolean = on_bool, .yajl_number = on_number, .yajl_string = on_string,
	.yajl_start_map = on_open_object, .yajl_map_key = on_key, .yajl_end_map = on_close,
	.yajl_start_array = on_open_array, .yajl_end_array = on_close,
};

struct fw_str fw_json_peek(struct fw_arena *a, const char *text, size_t n, const char *key)
{
	struct peek p = { .arena = a, .wanted = fw_str(key) };
	yajl_handle y = yajl_alloc(&callbacks, NULL, &p);
	if (!y)
		return p.found;
	/* What is not UTF-8 is refused by whoever reads the text as a whole. */
	yajl_config(y, yajl_dont_validate_strings, 1);
	yajl_parse(y, (const unsigned char *)text, n);
	yajl_free(y);
	return p.found;
}
