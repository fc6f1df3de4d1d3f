/* A hash map from text to a 32-bit value; keys are copied. Text is compared bytewise: fold before if need be. */
#ifndef FW_BASE_MAP_H
#define FW_BASE_MAP_H

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct fw_map_entry {
	const char *key;
	uint32_t n, hash, value;
};

struct fw_map {
	struct fw_map_entry *entries; /* open addressing; key NULL is free */
	uint32_t size, count;         /* size: a power of two, or 0 */
	struct fw_arena *arena;       /* where keys and tables live; must outlive the map */
};

#define FW_MAP_NONE UINT32_MAX

void fw_map_init(struct fw_map *m, struct fw_arena *arena);
/* FW_MAP_NONE when the key is absent. */
uint32_t fw_map_get(const struct fw_map *m, struct fw_str key);
/* Adds or replaces; 0 or FW_ENOMEM. */
int fw_map_put(struct fw_map *m, struct fw_str key, uint32_t value);

#endif
