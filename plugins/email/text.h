/* A text that grows. The first allocation that fails empties it for good, so that only its user at the end has to look. */
#ifndef EMAIL_TEXT_H
#define EMAIL_TEXT_H

#include <stddef.h>

struct email_text {
	char *p; /* terminated, NULL while nothing was added */
	size_t n, room;
	int failed;
};

void email_add(struct email_text *t, const void *p, size_t n);
void email_add_text(struct email_text *t, const char *s);
void email_add_char(struct email_text *t, char c);
/* As HTML text or the value of a quoted attribute. */
void email_add_html(struct email_text *t, const char *p, size_t n);
/* As a JSON text, with its quotes; the bytes are UTF-8. */
void email_add_json(struct email_text *t, const char *p, size_t n);
void email_text_free(struct email_text *t);

/* ASCII, of any case. */
int email_same(const char *a, const char *b, size_t n);
/* Where `what` begins; NULL: nowhere. */
const char *email_find(const char *p, size_t n, const char *what);

#endif
