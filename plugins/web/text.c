#include "text.h"

#include <string.h>

#include "common/escape.h"

struct web_text web_text_in(const struct fw_host *host, struct fw_plugin_request *request, size_t room)
{
	char *p = host->request_alloc(request, room);
	return (struct web_text){ p, 0, room, !p };
}

void web_put_string(struct web_text *t, struct fw_plugin_text bytes)
{
	web_puts(t, "\"");
	if (t->failed || t->room - t->n <= COMMON_ESCAPED_BYTES * bytes.n)
		t->failed = 1;
	else if (bytes.n)
		t->n += common_json_escape(bytes.p, bytes.n, t->p + t->n);
	web_puts(t, "\"");
}

static int is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' || c == '~';
}

void web_put_percent(struct web_text *t, struct fw_plugin_text bytes)
{
	static const char digits[] = "0123456789ABCDEF";
	for (const char *p = bytes.p, *end = p + bytes.n, *from; p < end;) {
		for (from = p; p < end && is_unreserved(*p);)
			p++;
		web_put(t, (struct fw_plugin_text){ from, (size_t)(p - from) });
		if (p == end)
			return;
		char escaped[3] = { '%', digits[(unsigned char)*p >> 4], digits[(unsigned char)*p & 15] };
		web_put(t, (struct fw_plugin_text){ escaped, sizeof escaped });
		p++;
	}
}
