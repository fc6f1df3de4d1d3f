#include "json.h"

#include <string.h>
#include <yajl/yajl_parse.h>

enum { DEPTH_MOST = 64 };

struct reading {
	const char *const *path;
	unsigned depth;   /* of objects and arrays */
	unsigned on_path; /* how many of them, from the outermost, the path leads through */
	bool hit;         /* the value that comes is the path's next */
	bool found;
	char *out;
	size_t room, n;
};

static int take(struct reading *r, const void *text, size_t n)
{
	bool wanted = r->hit && r->path[r->on_path] == NULL;
	r->hit = false;
	if (!wanted)
		return 1;
	r->found = n < r->room;
	if (r->found) {
		memcpy(r->out, text, n);
		r->out[n] = '\0';
		r->n = n;
	}
	return 1;
}

static int on_null(void *ctx)
{
	((struct reading *)ctx)->hit = false;
	return 1;
}

static int on_boolean(void *ctx, int value)
{
	return take(ctx, value ? "true" : "false", value ? 4 : 5);
}

static int on_number(void *ctx, const char *text, size_t n)
{
	return take(ctx, text, n);
}

static int on_string(void *ctx, const unsigned char *text, size_t n)
{
	return take(ctx, text, n);
}

static int on_start_map(void *ctx)
{
	struct reading *r = ctx;
	if (r->depth == 0 || (r->hit && r->path[r->on_path]))
		r->on_path++;
	r->hit = false;
	return ++r->depth <= DEPTH_MOST;
}

static int on_key(void *ctx, const unsigned char *key, size_t n)
{
	struct reading *r = ctx;
	const char *wanted = r->on_path == r->depth ? r->path[r->on_path - 1] : NULL;
	r->hit = wanted && strlen(wanted) == n && memcmp(wanted, key, n) == 0;
	return 1;
}

static int on_start_array(void *ctx)
{
	struct reading *r = ctx;
	r->hit = false;
	return ++r->depth <= DEPTH_MOST;
}

static int on_end(void *ctx)
{
	struct reading *r = ctx;
	if (r->on_path == r->depth)
		r->on_path--;
	r->depth--;
	return 1;
}

bool sms_json_get(const char *json, size_t n, const char *const *path, char *out, size_t room, size_t *ret_n)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null, .yajl_boolean = on_boolean, .yajl_number = on_number, .yajl_string = on_string,
		.yajl_start_map = on_start_map, .yajl_map_key = on_key, .yajl_end_map = on_end,
		.yajl_start_array = on_start_array, .yajl_end_array = on_end,
	};
	struct reading r = { .path = path, .out = out, .room = room };
	yajl_handle handle = yajl_alloc(&callbacks, NULL, &r);
	if (!handle)
		return false;
	bool read = yajl_parse(handle, (const unsigned char *)json, n) == yajl_status_ok && yajl_complete_parse(handle) == yajl_status_ok;
	yajl_free(handle);
	if (!read || !r.found)
		return false;
	*ret_n = r.n;
	return true;
}

void sms_json_plain(const char *text, size_t n, char *out, size_t room)
{
	size_t written = 0;
	for (size_t i = 0; i < n && written + 1 < room; i++) {
		char c = text[i] == '"' ? '\'' : text[i] == '\\' ? '/' : text[i];
		if (c >= ' ' && c <= '~')
			out[written++] = c;
	}
	out[written] = '\0';
}
