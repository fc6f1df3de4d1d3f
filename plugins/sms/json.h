/* One value out of a JSON text, read with yajl. */
#ifndef SMS_JSON_H
#define SMS_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* The string, number or boolean that stands under the keys of `path` (ended by NULL) in objects within one another, as text: "on", "21610",
 * "true". Of members with one key the last counts. `out` is terminated. False: there is none, it does not fit, or the text is no JSON or
 * nested deeper than 64. */
bool sms_json_get(const char *json, size_t n, const char *const *path, char *out, size_t room, size_t *ret_n);

/* A text of a peer's, between the quotes of a JSON string: printable ASCII without what would have to be escaped, at most room - 1
 * bytes. */
void sms_json_plain(const char *text, size_t n, char *out, size_t room);

#endif
