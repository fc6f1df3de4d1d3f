/* JSON. Reading: strict RFC 8259 into a tree in an arena, with yajl; what nearly every text is made of is read by a
 * quicker reader before it. Writing: onto an fw_buf. */
#ifndef FW_BASE_JSON_H
#define FW_BASE_JSON_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum fw_json_type { FW_JSON_NULL, FW_JSON_BOOL, FW_JSON_NUMBER, FW_JSON_STRING, FW_JSON_ARRAY, FW_JSON_OBJECT };

struct fw_json {
	enum fw_json_type type;
	bool boolean;
	double number;         /* FW_JSON_NUMBER; a number beyond a double's range is refused */
	struct fw_str string;  /* FW_JSON_STRING, terminated as well; of a number, how people read it, where somebody said so */
	struct fw_str key;     /* set in an object's members, terminated as well */
	struct fw_json *child; /* first element or member */
	struct fw_json *next;  /* next of the same parent */
	unsigned count;        /* elements or members */
};

/* Parses the whole text. Nesting beyond FW_LIMIT_JSON_DEPTH, bytes that are not UTF-8 and anything after the value
 * are errors. Of members with one key the last counts. Strings are unescaped into the arena.
 * Returns 0, FW_EINVAL (err: what and the byte offset in the message) or FW_ENOMEM. */
int fw_json_parse(struct fw_arena *a, const char *text, size_t n, struct fw_json **ret_value, struct fw_error *err);

/* The text of a member of the outermost object, the last of that name, without a tree: what it takes does not grow with the
 * text. Reads as far as the text is JSON. In the arena, terminated; p NULL: no such member, or it is no text. */
struct fw_str fw_json_peek(struct fw_arena *a, const char *text, size_t n, const char *key);

/* The member, or NULL; NULL too when `object` is NULL or no object. */
struct fw_json *fw_json_member(const struct fw_json *object, struct fw_str key);
static inline struct fw_json *fw_json_get(const struct fw_json *object, const char *key)
{
	return fw_json_member(object, fw_str(key));
}
/* The member's text when it is a non-empty string, else {NULL, 0}. */
static inline struct fw_str fw_json_text(const struct fw_json *object, const char *key)
{
	const struct fw_json *v = fw_json_get(object, key);
	return v && v->type == FW_JSON_STRING && v->string.n ? v->string : (struct fw_str){ 0 };
}
const char *fw_json_type_name(enum fw_json_type type); /* "a string", "an object" … */

/* A writer that places commas and nothing else. Keys and strings are escaped; bytes that are not UTF-8 become U+FFFD. */
struct fw_json_out {
	struct fw_buf *buf;
	bool comma; /* a comma is due before the next value or key */
};

void fw_json_out_init(struct fw_json_out *o, struct fw_buf *buf);
void fw_json_open_object(struct fw_json_out *o);
void fw_json_close_object(struct fw_json_out *o);
void fw_json_open_array(struct fw_json_out *o);
void fw_json_close_array(struct fw_json_out *o);
void fw_json_key(struct fw_json_out *o, const char *key);
void fw_json_key_str(struct fw_json_out *o, struct fw_str key);
void fw_json_string(struct fw_json_out *o, struct fw_str s);
void fw_json_text_value(struct fw_json_out *o, const char *s); /* NULL writes null */
void fw_json_number(struct fw_json_out *o, double x);          /* shortest form; not finite writes null */
void fw_json_bool(struct fw_json_out *o, bool b);
void fw_json_null(struct fw_json_out *o);
/* The text as a JSON string, in the arena; p is NULL when memory is used up. */
struct fw_str fw_json_written(struct fw_arena *a, struct fw_str s);
/* Bytes that are one JSON value already. */
void fw_json_raw(struct fw_json_out *o, struct fw_str json);
/* A whole tree, members in key order. */
void fw_json_tree(struct fw_json_out *o, const struct fw_json *v);

#endif
