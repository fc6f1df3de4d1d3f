#include "base/buf.h"

#include "base/error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fw_buf_init(struct fw_buf *b, size_t limit)
{
	*b = (struct fw_buf){ .limit = limit };
}

void fw_buf_init_fixed(struct fw_buf *b, void *memory, size_t size)
{
	*b = (struct fw_buf){ .data = memory, .size = size, .limit = size };
}

void fw_buf_finish(struct fw_buf *b)
{
	free(b->data);
	*b = (struct fw_buf){ 0 };
}

void fw_buf_clear(struct fw_buf *b)
{
	b->n = 0;
	b->failed = false;
}

char *fw_buf_grow(struct fw_buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	if (n <= b->size - b->n)
		return b->data + b->n;
	if (n > SIZE_MAX / 4 || b->n > SIZE_MAX / 4 || (b->limit && b->n + n > b->limit)) {
		b->failed = true;
		return NULL;
	}
	size_t size = b->size ? b->size : 256;
	while (size - b->n < n)
		size *= 2;
	char *p = realloc(b->data, size);
	if (!p) {
		b->failed = true;
		return NULL;
	}
	b->data = p;
	b->size = size;
	return p + b->n;
}

void fw_buf_printf(struct fw_buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = n < 0 ? NULL : fw_buf_reserve(b, (size_t)n + 1);
	if (p) {
		vsnprintf(p, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

int fw_buf_keep(struct fw_buf *b, struct fw_arena *a, struct fw_str *ret)
{
	*ret = (struct fw_str){ b->failed ? NULL : fw_arena_strndup(a, b->n ? b->data : "", b->n), b->n };
	fw_buf_finish(b);
	return ret->p ? 0 : FW_ENOMEM;
}

const char *fw_buf_text(struct fw_buf *b)
{
	char *p = fw_buf_reserve(b, 1);
	if (!p)
		return "";
	*p = '\0';
	return b->data;
}
