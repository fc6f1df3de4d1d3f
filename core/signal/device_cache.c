#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "signal/device.h"

enum { WAYS = 8, SETS = FW_LIMIT_AGENTS_KEPT / WAYS, KEY = 432 };
_Static_assert((SETS & (SETS - 1)) == 0, "the set is chosen by the bits of a hash");

/* A key is the user agent with the hints before it; longer ones are read anew each time, which is bounded too. */
struct entry {
	_Atomic uint32_t version; /* odd while the entry is being written: what a writer that died left is nobody's */
	uint32_t n;
	uint64_t used; /* when last; 0: never */
	char key[KEY];
	struct fw_device device;
};

typedef struct entry entry_sets[SETS][WAYS];

struct fw_device_cache {
	entry_sets *sets;      /* pages that no user agent has come to are never touched */
	void *own;             /* their memory, where it is not the caller's */
	struct fw_device last; /* of a user agent that is not kept */
	uint64_t clock, calls, hits;
};

size_t fw_device_cache_bytes(void)
{
	return sizeof(entry_sets);
}

/* An entry as it is in memory that another process may be writing; empty when it is being written. */
static void take(const struct entry *from, struct entry *to)
{
	uint32_t version = atomic_load_explicit(&from->version, memory_order_acquire);
	if (version == 0 && to->version == 0)
		return;
	to->n = from->n;
	to->used = from->used;
	memcpy(to->key, from->key, KEY);
	to->device = from->device;
	atomic_thread_fence(memory_order_acquire);
	bool whole = version % 2 == 0 && atomic_load_explicit(&from->version, memory_order_relaxed) == version;
	if (!whole)
		to->used = 0;
	to->version = 2;
}

void fw_device_cache_copy(void *memory, const void *from)
{
	entry_sets *to = memory;
	for (unsigned i = 0; i < SETS * WAYS; i++)
		take(&(*(const entry_sets *)from)[i / WAYS][i % WAYS], &(*to)[i / WAYS][i % WAYS]);
}

/* Empties the entry that a writer died in, and sets the clock behind the last use. */
static void mend(struct fw_device_cache *cache)
{
	for (unsigned i = 0; i < SETS * WAYS; i++) {
		struct entry *e = &(*cache->sets)[i / WAYS][i % WAYS];
		if (e->version % 2) {
			e->used = 0;
			e->version++;
		}
		if (e->used > cache->clock)
			cache->clock = e->used;
	}
}

struct fw_device_cache *fw_device_cache_create(void *memory)
{
	struct fw_device_cache *cache = calloc(1, sizeof *cache);
	if (!cache)
		return NULL;
	cache->sets = memory ? memory : (cache->own = calloc(1, sizeof(entry_sets)));
	if (!cache->sets) {
		free(cache);
		return NULL;
	}
	if (memory)
		mend(cache);
	return cache;
}

void fw_device_cache_destroy(struct fw_device_cache *cache)
{
	if (!cache)
		return;
	free(cache->own);
	free(cache);
}

static bool add(char key[KEY], size_t *n, const void *p, size_t length)
{
	if (length > KEY - *n)
		return false;
	if (length)
		memcpy(key + *n, p, length);
	*n += length;
	return true;
}

/* Hints hold nothing but pointers to constants, which stand for their texts. */
static bool make_key(struct fw_str user_agent, const struct fw_hints *hints, char key[KEY], size_t *ret_n)
{
	*ret_n = 0;
	return add(key, ret_n, &hints->browser, sizeof hints->browser) && add(key, ret_n, &hints->os, sizeof hints->os) &&
		add(key, ret_n, &hints->form, sizeof hints->form) && add(key, ret_n, &hints->mobile, sizeof hints->mobile) &&
		add(key, ret_n, user_agent.p, user_agent.n);
}

const struct fw_device *fw_device_find(struct fw_device_cache *cache, struct fw_agents *agents, struct fw_str user_agent,
	const struct fw_hints *hints)
{
	char key[KEY];
	size_t n;
	cache->calls++;
	if (!make_key(user_agent, hints, key, &n)) {
		fw_device_read(agents, user_agent, hints, &cache->last);
		return &cache->last;
	}
	struct entry *set = (*cache->sets)[fw_hash(key, n) % SETS], *oldest = &set[0];
	cache->clock++;
	for (int i = 0; i < WAYS; i++) {
		if (set[i].used && set[i].n == n && memcmp(set[i].key, key, n) == 0) {
			set[i].used = cache->clock;
			cache->hits++;
			return &set[i].device;
		}
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	uint32_t version = atomic_load_explicit(&oldest->version, memory_order_relaxed);
	atomic_store_explicit(&oldest->version, version + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	fw_device_read(agents, user_agent, hints, &oldest->device);
	memcpy(oldest->key, key, n);
	oldest->n = (uint32_t)n;
	oldest->used = cache->clock;
	atomic_store_explicit(&oldest->version, version + 2, memory_order_release);
	return &oldest->device;
}

void fw_device_cache_counts(const struct fw_device_cache *cache, uint64_t *ret_hits, uint64_t *ret_calls)
{
	*ret_hits = cache->hits;
	*ret_calls = cache->calls;
}
