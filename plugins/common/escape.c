#include "escape.h"

#include <stdio.h>

size_t common_json_escape(const char *text, size_t n, char *out)
{
	char *at = out;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)text[i] < 0x20) {
			at += snprintf(at, COMMON_ESCAPED_BYTES + 1, "\\u%04x", (unsigned)text[i]);
			continue;
		}
		if (text[i] == '"' || text[i] == '\\')
			*at++ = '\\';
		*at++ = text[i];
	}
	*at = '\0';
	return (size_t)(at - out);
}

void common_json_plain(const char *text, size_t n, char *out, size_t room)
{
	size_t written = 0;
	for (size_t i = 0; i < n && written + 1 < room; i++) {
		char c = text[i] == '"' ? '\'' : text[i] == '\\' ? '/' : text[i];
		if (c >= ' ' && c <= '~')
			out[written++] = c;
	}
	out[written] = '\0';
}
