#include "text.h"

#include <string.h>

#include "common/escape.h"

struct web_text web_text_in(const struct fw_host *host, struct fw_plugin_request *request, size_t room)
{
	char *p = host->request_alloc(request, room);
	return (struct web_text){ p, 0, room, !p };
}

void web_put(struct web_text *t, struct fw_plugin_text piece)
{
	if (t->failed || piece.n > t->room - t->n) {
		t->failed = 1;
		return;
	}
	if (piece.n)
		memcpy(t->p + t->n, piece.p, piece.n);
	t->n += piece.n;
}

void web_puts(struct web_text *t, const char *piece)
{
	web_put(t, (struct fw_plugin_text){ piece, strlen(piece) });
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

void web_put_percent(struct web_text *t, struct fw_plugin_text bytes)
{
	static const char digits[] = "0123456789ABCDEF", plain[] = "-._~";
	for (size_t i = 0; i < bytes.n; i++) {
		char c = bytes.p[i], escaped[3] = { '%', digits[(unsigned char)c >> 4], digits[(unsigned char)c & 15] };
		int is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr(plain, c));
		web_put(t, is_plain ? (struct fw_plugin_text){ bytes.p + i, 1 } : (struct fw_plugin_text){ escaped, 3 });
	}
}
