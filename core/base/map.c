#include "base/map.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"

void fw_map_init(struct fw_map *m, struct fw_arena *arena)
{
	*m = (struct fw_map){ .arena = arena };
}

/* XXH3, which is at its best with short keys; nothing outside this process ever sees it. */
static uint32_t hash_of(struct fw_str key)
{
	return (uint32_t)XXH3_64bits(key.p, key.n);
}

static struct fw_map_entry *find(const struct fw_map *m, struct fw_str key, uint32_t hash)
{
	for (uint32_t i = hash & (m->size - 1);; i = (i + 1) & (m->size - 1)) {
		struct fw_map_entry *e = &m->entries[i];
		if (!e->key || (e->hash == hash && e->n == key.n && memcmp(e->key, key.p, key.n) == 0))
			return e;
	}
}

uint32_t fw_map_get(const struct fw_map *m, struct fw_str key)
{
	if (m->count == 0)
		return FW_MAP_NONE;
	const struct fw_map_entry *e = find(m, key, hash_of(key));
	return e->key ? e->value : FW_MAP_NONE;
}

static int grow(struct fw_map *m)
{
	struct fw_map bigger = { .size = m->size ? m->size * 2 : 16, .count = m->count, .arena = m->arena };
	bigger.entries = FW_NEW_ARRAY(m->arena, bigger.size, struct fw_map_entry);
	if (!bigger.entries)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < m->size; i++) {
		const struct fw_map_entry *e = &m->entries[i];
		if (e->key)
			*find(&bigger, (struct fw_str){ e->key, e->n }, e->hash) = *e;
	}
	*m = bigger;
	return 0;
}

int fw_map_put(struct fw_map *m, struct fw_str key, uint32_t value)
{
	if (m->count * 4 >= m->size * 3 && grow(m) < 0)
		return FW_ENOMEM;
	uint32_t hash = hash_of(key);
	struct fw_map_entry *e = find(m, key, hash);
	if (!e->key) {
		char *copy = fw_arena_strndup(m->arena, key.p, key.n);
		if (!copy)
			return FW_ENOMEM;
		*e = (struct fw_map_entry){ .key = copy, .n = (uint32_t)key.n, .hash = hash };
		m->count++;
	}
	e->value = value;
	return 0;
}
