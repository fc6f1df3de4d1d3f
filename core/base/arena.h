/* An arena: memory that is given back all at once. A request owns one; nothing in it outlives the request. */
#ifndef FW_BASE_ARENA_H
#define FW_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

struct fw_arena_block;
enum { FW_ARENA_ALIGNMENT = _Alignof(max_align_t) };

struct fw_arena {
	char *at, *end;                /* the free part of the current block */
	struct fw_arena_block *blocks; /* those taken from the heap, newest first */
	char *first, *first_end;       /* the caller's own first block, or NULL */
	size_t used, limit;            /* bytes handed out, and the most that may be */
	size_t next_block;
};

/* `first` (of `size` bytes, may be NULL) is used before the heap and stays the caller's. `limit` bounds the bytes
 * handed out (0: no bound). */
void fw_arena_init(struct fw_arena *a, void *first, size_t size, size_t limit);

/* Gives everything back to the heap; the arena may be used again as if new. */
void fw_arena_reset(struct fw_arena *a);
void fw_arena_finish(struct fw_arena *a);

/* A moment of an arena: what is allocated after it can be given back alone. Nested ones are rewound innermost first. */
struct fw_arena_mark {
	struct fw_arena_block *block;
	char *at, *end;
	size_t used;
};
struct fw_arena_mark fw_arena_mark(const struct fw_arena *a);
void fw_arena_rewind(struct fw_arena *a, const struct fw_arena_mark *mark);

/* Uninitialized memory aligned for any type, or NULL when the heap or the limit is exhausted. A size of 0 gives a
 * pointer that must not be read. */
static inline void *fw_arena_alloc(struct fw_arena *a, size_t size);
static inline void *fw_arena_zalloc(struct fw_arena *a, size_t size);

/* n elements of `size` bytes, zeroed; NULL also when the product overflows. */
void *fw_arena_array(struct fw_arena *a, size_t n, size_t size) __attribute__((malloc));

/* A terminated copy, or text; NULL: no memory. */
char *fw_arena_strndup(struct fw_arena *a, const char *s, size_t n);
char *fw_arena_strdup(struct fw_arena *a, const char *s);
char *fw_arena_vprintf(struct fw_arena *a, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));
char *fw_arena_printf(struct fw_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What is here is what nearly every allocation needs; the rest is fw_arena_more, which is only called from here. */
void *fw_arena_more(struct fw_arena *a, size_t size) __attribute__((malloc));

static inline void *fw_arena_alloc(struct fw_arena *a, size_t size)
{
	size_t whole = (size + FW_ARENA_ALIGNMENT - 1) & ~(size_t)(FW_ARENA_ALIGNMENT - 1);
	if (whole - 1 >= (size_t)(a->end - a->at) || whole > a->limit - a->used)
		return fw_arena_more(a, size); /* a size of 0 as well, and one that is beyond all bounds */
	void *p = a->at;
	a->at += whole;
	a->used += whole;
	return p;
}

static inline void *fw_arena_zalloc(struct fw_arena *a, size_t size)
{
	void *p = fw_arena_alloc(a, size);
	if (p)
		memset(p, 0, size);
	return p;
}

#define FW_NEW(arena, type) ((type *)fw_arena_zalloc((arena), sizeof(type)))
#define FW_NEW_ARRAY(arena, n, type) ((type *)fw_arena_array((arena), (n), sizeof(type)))

#endif
