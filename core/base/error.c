#include "base/error.h"

#include <stdio.h>
#include <string.h>

int fw_fail(struct fw_error *err, int code, const char *file, int line, const char *fmt, ...)
{
	if (!err)
		return code;
	snprintf(err->file, sizeof err->file, "%s", file ? file : "");
	err->line = line;
	err->hint[0] = '\0';
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->message, sizeof err->message, fmt, ap);
	va_end(ap);
	return code;
}

void fw_hint(struct fw_error *err, const char *fmt, ...)
{
	if (!err)
		return;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof err->hint, fmt, ap);
	va_end(ap);
}

const char *fw_error_text(const struct fw_error *err, char *buf, unsigned long size)
{
	char place[300] = "";
	if (err->file[0] && err->line > 0)
		snprintf(place, sizeof place, "%s:%d: ", err->file, err->line);
	else if (err->file[0])
		snprintf(place, sizeof place, "%s: ", err->file);
	snprintf(buf, size, "%s%s%s%s", place, err->message, err->hint[0] ? "; " : "", err->hint);
	return buf;
}
