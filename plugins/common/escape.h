/* Texts of others between the quotes of a JSON string. */
#ifndef COMMON_ESCAPE_H
#define COMMON_ESCAPE_H

#include <stddef.h>

enum { COMMON_ESCAPED_BYTES = 6 /* what one byte becomes at the most */ };

/* Writes UTF-8 so that it reads the same; `out` has room for COMMON_ESCAPED_BYTES times `n` and a NUL more. How long it became. */
size_t common_json_escape(const char *text, size_t n, char *out);
/* Printable ASCII without what would have to be escaped, at most room - 1 bytes: for a reason that a peer gave. */
void common_json_plain(const char *text, size_t n, char *out, size_t room);

#endif
