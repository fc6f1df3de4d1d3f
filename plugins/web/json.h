/* JSON taken apart where it lies: values are pieces of the text, and stay what they were written as. */
#ifndef WEB_JSON_H
#define WEB_JSON_H

#include <string.h>

#include <floorwalker/plugin.h>

/* The one value that the text is, without the blanks around it. p NULL: it is no JSON, or nested deeper than 64. */
struct fw_plugin_text web_json_whole(struct fw_plugin_text text);

/* The next member of an object, or element of an array, of a text that is JSON. Begin with `rest` as the whole value; it moves on.
 * `ret_key` is the key with its quotes, as it is written; NULL: it is an array. 0: there is no further one, or it is no such value. */
int web_json_next(struct fw_plugin_text *rest, struct fw_plugin_text *ret_key, struct fw_plugin_text *ret_value);

/* The same in parts, so that what lies within is read in the same pass. `web_json_member`: the key of an object's next member, and `rest`
 * begins with its value; `web_json_element`: `rest` begins with an array's next element; 0: there is no further one, and `rest` is at the
 * bracket that closes, which `web_json_leave` goes past. The value is taken by `web_json_value`, which goes past it (p NULL: it is none),
 * or its own members or elements are. */
int web_json_member(struct fw_plugin_text *rest, struct fw_plugin_text *ret_key);
int web_json_element(struct fw_plugin_text *rest);
struct fw_plugin_text web_json_value(struct fw_plugin_text *rest);
void web_json_leave(struct fw_plugin_text *rest);

/* The members of those names (ended by NULL), which need no escapes, in one pass; of several with one name the last. p NULL: there is
 * none. */
void web_json_members(struct fw_plugin_text object, const char *const *names, struct fw_plugin_text *ret);

/* Whether a piece of text is exactly that. */
static inline int web_json_is(struct fw_plugin_text text, const char *what)
{
	size_t n = strlen(what);
	return text.n == n && memcmp(text.p, what, n) == 0;
}

#endif
