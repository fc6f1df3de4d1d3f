#include <stdbool.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "signal/device.h"

enum { WAYS = 8, SETS = FW_LIMIT_AGENTS_KEPT / WAYS, KEY = 432 };
_Static_assert((SETS & (SETS - 1)) == 0, "the set is chosen by the bits of a hash");

/* A key is the user agent with the hints before it; longer ones are read anew each time, which is bounded too. */
struct entry {
	uint64_t used; /* when last; 0: never */
	uint32_t n;
	char key[KEY];
	struct fw_device device;
};

struct fw_device_cache {
	struct entry sets[SETS][WAYS]; /* pages that no user agent has come to are never touched */
	struct fw_device last;         /* of a user agent that is not kept */
	uint64_t calls, hits;
};

struct fw_device_cache *fw_device_cache_create(void)
{
	return calloc(1, sizeof(struct fw_device_cache));
}

void fw_device_cache_destroy(struct fw_device_cache *cache)
{
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
	struct entry *set = cache->sets[fw_hash(key, n) % SETS], *oldest = &set[0];
	for (int i = 0; i < WAYS; i++) {
		if (set[i].used && set[i].n == n && memcmp(set[i].key, key, n) == 0) {
			set[i].used = cache->calls;
			cache->hits++;
			return &set[i].device;
		}
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	fw_device_read(agents, user_agent, hints, &oldest->device);
	memcpy(oldest->key, key, n);
	oldest->n = (uint32_t)n;
	oldest->used = cache->calls;
	return &oldest->device;
}

void fw_device_cache_counts(const struct fw_device_cache *cache, uint64_t *ret_hits, uint64_t *ret_calls)
{
	*ret_hits = cache->hits;
	*ret_calls = cache->calls;
}
