/* A growable byte buffer for output. Failure is sticky: append freely, ask once at the end. */
#ifndef FW_BASE_BUF_H
#define FW_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"

struct fw_buf {
	char *data; /* owned; not terminated unless fw_buf_text was called */
	size_t n, size;
	size_t limit; /* 0: none */
	bool failed;  /* memory or limit ran out; what was appended since is missing */
};

void fw_buf_init(struct fw_buf *b, size_t limit);
/* In memory of the caller's: it never grows, and is not finished. */
void fw_buf_init_fixed(struct fw_buf *b, void *memory, size_t size);
void fw_buf_finish(struct fw_buf *b);
/* Forgets the content, keeps the memory. */
void fw_buf_clear(struct fw_buf *b);
void fw_buf_printf(struct fw_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *fw_buf_grow(struct fw_buf *b, size_t n); /* fw_buf_reserve, the long way */
/* Room for n more bytes: returns where to write them, or NULL. Commit them with b->n += n. */
static inline char *fw_buf_reserve(struct fw_buf *b, size_t n)
{
	return !b->failed && n <= b->size - b->n ? b->data + b->n : fw_buf_grow(b, n);
}

static inline void fw_buf_add(struct fw_buf *b, const void *data, size_t n)
{
	char *p = n ? fw_buf_reserve(b, n) : NULL;
	if (!p)
		return;
	memcpy(p, data, n);
	b->n += n;
}

static inline void fw_buf_puts(struct fw_buf *b, const char *s)
{
	fw_buf_add(b, s, strlen(s));
}

static inline void fw_buf_putc(struct fw_buf *b, char c)
{
	fw_buf_add(b, &c, 1);
}

/* Copies the content into an arena, and finishes the buffer. 0; FW_ENOMEM: it had failed, or the arena is used up. */
int fw_buf_keep(struct fw_buf *b, struct fw_arena *a, struct fw_str *ret);
/* The content as a terminated string; "" when nothing could be kept. */
const char *fw_buf_text(struct fw_buf *b);

#endif
