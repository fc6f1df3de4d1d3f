/* Text that is put together in a request's memory. */
#ifndef WEB_TEXT_H
#define WEB_TEXT_H

#include <string.h>

#include <floorwalker/plugin.h>

/* A piece of memory of the request's that text is put together in. `failed`: there was not enough. */
struct web_text {
	char *p;
	size_t n, room;
	int failed;
};

struct web_text web_text_in(const struct fw_host *host, struct fw_plugin_request *request, size_t room);

static inline void web_put(struct web_text *t, struct fw_plugin_text piece)
{
	if (t->failed || piece.n > t->room - t->n) {
		t->failed = 1;
		return;
	}
	if (piece.n)
		memcpy(t->p + t->n, piece.p, piece.n);
	t->n += piece.n;
}

static inline void web_puts(struct web_text *t, const char *piece)
{
	web_put(t, (struct fw_plugin_text){ piece, strlen(piece) });
}

/* A text as a JSON string, quotes included. */
void web_put_string(struct web_text *t, struct fw_plugin_text bytes);
/* As a part of an address: what RFC 3986 does not reserve stays, the rest is escaped. */
enum { WEB_PERCENT_BYTES = 3 };
void web_put_percent(struct web_text *t, struct fw_plugin_text bytes);

#endif
