/* Values out of a JSON text, read with yajl. */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum {
	COMMON_JSON_WANTED = 32, /* values at once, at most */
	COMMON_JSON_KEYS = 3,    /* that lead to one, the NULL at the end included */
	COMMON_JSON_DEPTH = 64,
};

enum common_json_type { COMMON_JSON_STRING, COMMON_JSON_NUMBER, COMMON_JSON_BOOLEAN, COMMON_JSON_OTHER /* null, an object, a list */ };

/* The keys of objects within one another, from the outermost, ended by NULL. */
struct common_json_path {
	const char *keys[COMMON_JSON_KEYS];
};

/* `p`: a string without its quotes and escapes, a number as it is written, "true" or "false", or NULL; it lives during the call. */
typedef void (*common_json_take)(void *ctx, size_t which, enum common_json_type type, const char *p, size_t n);

/* Calls `take` for every value that stands under one of the paths, in the order of the text: of members of one name the last is to count.
 * 0; -1: the text is no JSON, is nested deeper than COMMON_JSON_DEPTH, or there is no memory. What was taken until then was taken. */
int common_json_read(const char *json, size_t n, const struct common_json_path *paths, size_t n_paths, common_json_take take, void *ctx);

/* The string, number or boolean under one path, as text: "on", "21610", "true". `out` is terminated. False: there is none, it does not
 * fit, or the text is no JSON. */
bool common_json_get(const char *json, size_t n, struct common_json_path path, char *out, size_t room, size_t *ret_n);

#endif
