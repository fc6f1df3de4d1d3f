/* Paths, query texts and trace contexts as they stand in requests. */
#ifndef FW_HTTP_URI_H
#define FW_HTTP_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Undoes %XX (and '+', where `plus`) into out, which holds text.n bytes. False on a broken escape, an escaped control
 * character or bytes that are not UTF-8. */
bool fw_uri_decode(struct fw_str text, bool plus, char *out, size_t *ret_n);

/* A path for routing: decoded as above, except that an escaped slash stays "%2F". False also for segments "." and "..",
 * escaped or not, and for what does not begin with a slash. out holds path.n bytes. */
bool fw_uri_decode_path(struct fw_str path, char *out, size_t *ret_n);

/* The raw value of the first parameter of that (plain) name in a query, or p NULL. */
struct fw_str fw_uri_param(struct fw_str query, const char *name);

/* W3C Trace Context: a traceparent of version 00, or of a later one that begins in the same way. */
bool fw_traceparent_valid(struct fw_str text);

#endif
