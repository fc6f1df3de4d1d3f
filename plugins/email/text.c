#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/escape.h"

void email_add(struct email_text *t, const void *p, size_t n)
{
	if (t->failed)
		return;
	if (n >= t->room - t->n || !t->p) {
		size_t room = t->room ? t->room : 256;
		while (room - t->n <= n)
			room *= 2;
		char *grown = realloc(t->p, room);
		if (!grown) {
			email_text_free(t);
			t->failed = 1;
			return;
		}
		t->p = grown;
		t->room = room;
	}
	if (n)
		memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = '\0';
}

void email_add_text(struct email_text *t, const char *s)
{
	email_add(t, s, strlen(s));
}

void email_add_char(struct email_text *t, char c)
{
	email_add(t, &c, 1);
}

void email_add_html(struct email_text *t, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		switch (p[i]) {
		case '&': email_add_text(t, "&amp;"); break;
		case '<': email_add_text(t, "&lt;"); break;
		case '>': email_add_text(t, "&gt;"); break;
		case '"': email_add_text(t, "&quot;"); break;
		case '\'': email_add_text(t, "&#39;"); break;
		default: email_add_char(t, p[i]);
		}
}

void email_text_free(struct email_text *t)
{
	free(t->p);
	*t = (struct email_text){ 0 };
}

void email_add_json(struct email_text *t, const char *p, size_t n)
{
	char piece[64 * COMMON_ESCAPED_BYTES + 1];
	email_add_char(t, '"');
	for (size_t i = 0; i < n; i += 64)
		email_add(t, piece, common_json_escape(p + i, n - i < 64 ? n - i : 64, piece));
	email_add_char(t, '"');
}

int email_same(const char *a, const char *b, size_t n)
{
	return strncasecmp(a, b, n) == 0;
}

const char *email_find(const char *p, size_t n, const char *what)
{
	return n ? memmem(p, n, what, strlen(what)) : NULL;
}
