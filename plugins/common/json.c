#include "json.h"

#include <string.h>
#include <yajl/yajl_parse.h>

struct reading {
	const struct common_json_path *paths;
	size_t n_paths;
	common_json_take take;
	void *ctx;
	unsigned depth; /* of objects and lists */
	struct {
		unsigned on_path; /* how many of them, from the outermost, the path leads through */
		bool hit;         /* the value that comes is the path's next */
	} at[COMMON_JSON_WANTED];
};

static int value(struct reading *r, enum common_json_type type, const void *p, size_t n)
{
	for (size_t i = 0; i < r->n_paths; i++) {
		if (r->at[i].hit && !r->paths[i].keys[r->at[i].on_path])
			r->take(r->ctx, i, type, p, n);
		r->at[i].hit = false;
	}
	return 1;
}

static int on_null(void *ctx)
{
	return value(ctx, COMMON_JSON_OTHER, NULL, 0);
}

static int on_boolean(void *ctx, int is)
{
	return value(ctx, COMMON_JSON_BOOLEAN, is ? "true" : "false", is ? 4 : 5);
}

static int on_number(void *ctx, const char *text, size_t n)
{
	return value(ctx, COMMON_JSON_NUMBER, text, n);
}

static int on_string(void *ctx, const unsigned char *text, size_t n)
{
	return value(ctx, COMMON_JSON_STRING, text, n);
}

static int on_start_map(void *ctx)
{
	struct reading *r = ctx;
	for (size_t i = 0; i < r->n_paths; i++)
		if (r->depth == 0 || (r->at[i].hit && r->paths[i].keys[r->at[i].on_path])) {
			r->at[i].on_path++;
			r->at[i].hit = false;
		}
	value(r, COMMON_JSON_OTHER, NULL, 0);
	return ++r->depth <= COMMON_JSON_DEPTH;
}

static int on_key(void *ctx, const unsigned char *key, size_t n)
{
	struct reading *r = ctx;
	for (size_t i = 0; i < r->n_paths; i++) {
		const char *wanted = r->at[i].on_path == r->depth ? r->paths[i].keys[r->at[i].on_path - 1] : NULL;
		r->at[i].hit = wanted && strlen(wanted) == n && memcmp(wanted, key, n) == 0;
	}
	return 1;
}

static int on_start_array(void *ctx)
{
	struct reading *r = ctx;
	value(r, COMMON_JSON_OTHER, NULL, 0);
	return ++r->depth <= COMMON_JSON_DEPTH;
}

static int on_end(void *ctx)
{
	struct reading *r = ctx;
	for (size_t i = 0; i < r->n_paths; i++)
		if (r->at[i].on_path == r->depth)
			r->at[i].on_path--;
	r->depth--;
	return 1;
}

int common_json_read(const char *json, size_t n, const struct common_json_path *paths, size_t n_paths, common_json_take take, void *ctx)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null, .yajl_boolean = on_boolean, .yajl_number = on_number, .yajl_string = on_string,
		.yajl_start_map = on_start_map, .yajl_map_key = on_key, .yajl_end_map = on_end,
		.yajl_start_array = on_start_array, .yajl_end_array = on_end,
	};
	struct reading r = { .paths = paths, .n_paths = n_paths, .take = take, .ctx = ctx };
	yajl_handle handle = n_paths <= COMMON_JSON_WANTED ? yajl_alloc(&callbacks, NULL, &r) : NULL;
	if (!handle)
		return -1;
	bool read = yajl_parse(handle, (const unsigned char *)json, n) == yajl_status_ok && yajl_complete_parse(handle) == yajl_status_ok;
	yajl_free(handle);
	return read ? 0 : -1;
}

struct getting {
	char *out;
	size_t room, n;
	bool found;
};

static void get(void *ctx, size_t which, enum common_json_type type, const char *p, size_t n)
{
	struct getting *g = ctx;
	(void)which;
	g->found = type != COMMON_JSON_OTHER && n < g->room;
	if (!g->found)
		return;
	memcpy(g->out, p, n);
	g->out[n] = '\0';
	g->n = n;
}

bool common_json_get(const char *json, size_t n, struct common_json_path path, char *out, size_t room, size_t *ret_n)
{
	struct getting g = { .out = out, .room = room };
	if (common_json_read(json, n, &path, 1, get, &g) < 0 || !g.found)
		return false;
	*ret_n = g.n;
	return true;
}
