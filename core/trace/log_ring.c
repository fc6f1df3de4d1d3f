#include "trace/log_ring.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"

/* Each item has its size before it; one that would not fit before the end of the memory begins anew, and this stands in its place. */
enum { HEAD = sizeof(uint64_t) };
#define SKIP UINT64_MAX

static size_t whole(size_t n)
{
	return HEAD + ((n + HEAD - 1) & ~(size_t)(HEAD - 1));
}

static void set_head(char *at, uint64_t n)
{
	memcpy(at, &n, sizeof n);
}

static uint64_t get_head(const char *at)
{
	uint64_t n;
	memcpy(&n, at, sizeof n);
	return n;
}

int fw_log_ring_init(struct fw_log_ring *r, size_t size)
{
	*r = (struct fw_log_ring){ .size = size & ~(size_t)(HEAD - 1) };
	r->memory = malloc(size);
	return r->memory ? 0 : FW_ENOMEM;
}

void fw_log_ring_finish(struct fw_log_ring *r)
{
	free(r->memory);
	*r = (struct fw_log_ring){ .memory = NULL };
}

char *fw_log_ring_begin(struct fw_log_ring *r, size_t n)
{
	size_t put = atomic_load_explicit(&r->put, memory_order_relaxed), taken = atomic_load_explicit(&r->taken, memory_order_acquire);
	if (n > r->size || whole(n) > r->size)
		return NULL;
	size_t place = put % r->size, skipped = r->size - place < whole(n) ? r->size - place : 0;
	if (skipped + whole(n) > r->size - (put - taken))
		return NULL;
	if (skipped) {
		set_head(r->memory + place, SKIP);
		place = 0;
	}
	set_head(r->memory + place, n);
	r->begun = put + skipped + whole(n);
	return r->memory + place + HEAD;
}

void fw_log_ring_end(struct fw_log_ring *r)
{
	atomic_store_explicit(&r->put, r->begun, memory_order_release);
}

bool fw_log_ring_first(struct fw_log_ring *r, struct fw_str *ret)
{
	size_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed), place = taken % r->size;
	if (taken == atomic_load_explicit(&r->put, memory_order_acquire))
		return false;
	if (get_head(r->memory + place) == SKIP) {
		atomic_store_explicit(&r->taken, taken + r->size - place, memory_order_release);
		place = 0;
	}
	*ret = (struct fw_str){ r->memory + place + HEAD, get_head(r->memory + place) };
	return true;
}

void fw_log_ring_drop(struct fw_log_ring *r)
{
	size_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed);
	atomic_store_explicit(&r->taken, taken + whole(get_head(r->memory + taken % r->size)), memory_order_release);
}
