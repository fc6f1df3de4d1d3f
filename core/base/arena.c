#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_HEAP_BLOCK = 4096, LARGEST_BLOCK = 1 << 20 };

struct fw_arena_block {
	struct fw_arena_block *next;
	max_align_t data[];
};

void fw_arena_init(struct fw_arena *a, void *first, size_t size, size_t limit)
{
	*a = (struct fw_arena){ .limit = limit ? limit : SIZE_MAX, .next_block = FIRST_HEAP_BLOCK };
	if (first) {
		uintptr_t p = (uintptr_t)first, aligned = (p + FW_ARENA_ALIGNMENT - 1) & ~(uintptr_t)(FW_ARENA_ALIGNMENT - 1);
		a->first = (char *)first + (aligned - p);
		a->first_end = (char *)first + size;
		a->at = a->first;
		a->end = a->first_end;
	}
}

static void free_blocks(struct fw_arena *a, const struct fw_arena_block *up_to)
{
	while (a->blocks != up_to) {
		struct fw_arena_block *next = a->blocks->next;
		free(a->blocks);
		a->blocks = next;
	}
}

void fw_arena_reset(struct fw_arena *a)
{
	free_blocks(a, NULL);
	a->at = a->first;
	a->end = a->first_end;
	a->used = 0;
	a->next_block = FIRST_HEAP_BLOCK;
}

struct fw_arena_mark fw_arena_mark(const struct fw_arena *a)
{
	return (struct fw_arena_mark){ a->blocks, a->at, a->end, a->used };
}

void fw_arena_rewind(struct fw_arena *a, const struct fw_arena_mark *mark)
{
	free_blocks(a, mark->block);
	a->at = mark->at;
	a->end = mark->end;
	a->used = mark->used;
}

void fw_arena_finish(struct fw_arena *a)
{
	fw_arena_reset(a);
}

static int add_block(struct fw_arena *a, size_t size)
{
	size_t want = a->next_block > size ? a->next_block : size;
	struct fw_arena_block *b = malloc(sizeof *b + want);
	if (!b)
		return -1;
	b->next = a->blocks;
	a->blocks = b;
	a->at = (char *)b->data;
	a->end = a->at + want;
	if (a->next_block < LARGEST_BLOCK)
		a->next_block *= 2;
	return 0;
}

void *fw_arena_more(struct fw_arena *a, size_t size)
{
	if (size > SIZE_MAX / 2)
		return NULL;
	size = size ? (size + FW_ARENA_ALIGNMENT - 1) & ~(size_t)(FW_ARENA_ALIGNMENT - 1) : FW_ARENA_ALIGNMENT;
	if (size > a->limit - a->used)
		return NULL;
	if (size > (size_t)(a->end - a->at) && add_block(a, size) < 0)
		return NULL;
	void *p = a->at;
	a->at += size;
	a->used += size;
	return p;
}

void *fw_arena_array(struct fw_arena *a, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return fw_arena_zalloc(a, bytes);
}

char *fw_arena_strndup(struct fw_arena *a, const char *s, size_t n)
{
	char *p = fw_arena_alloc(a, n + 1);
	if (!p)
		return NULL;
	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *fw_arena_strdup(struct fw_arena *a, const char *s)
{
	return fw_arena_strndup(a, s, strlen(s));
}

char *fw_arena_vprintf(struct fw_arena *a, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	char *p = n < 0 ? NULL : fw_arena_alloc(a, (size_t)n + 1);
	if (p)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

char *fw_arena_printf(struct fw_arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *p = fw_arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}
