/* What a visitor uses: form of the device, system, browser. */
#ifndef FW_SIGNAL_DEVICE_H
#define FW_SIGNAL_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "signal/agents.h"
#include "signal/hints.h"

enum { FW_DEVICE_TEXT = 48 };

/* "" for what is not known: everything, when there is neither a user agent nor a hint. */
struct fw_device {
	const char *form; /* a value of the fact `device`, or "" */
	char os[FW_DEVICE_TEXT], browser[FW_DEVICE_TEXT];
};

/* Hints outrank the user agent, save where it names a bot, a television, a console or something worn, which browsers on
 * these do not hint at. Costs what fw_agents_read costs. */
void fw_device_read(struct fw_agents *agents, struct fw_str user_agent, const struct fw_hints *hints, struct fw_device *ret);

/* The devices of user agents seen lately: FW_LIMIT_AGENTS_KEPT of them in fixed memory, the least lately used of a few
 * making room. One per worker; but the memory may be one that other processes of this program read. */
struct fw_device_cache;

/* How much memory, in bytes. */
size_t fw_device_cache_bytes(void);
/* What `from` remembers, also while its worker is writing there, now in `memory`: both of that size, zero at first. */
void fw_device_cache_copy(void *memory, const void *from);
/* `memory` is of that size, zero at first, and stays the caller's: what it remembers goes on being remembered, save an entry
 * whose writer died in it. NULL: memory of its own. NULL: out of memory. */
struct fw_device_cache *fw_device_cache_create(void *memory);
void fw_device_cache_destroy(struct fw_device_cache *cache);

/* As fw_device_read, remembered. The answer is valid until the next call. */
const struct fw_device *fw_device_find(struct fw_device_cache *cache, struct fw_agents *agents, struct fw_str user_agent,
	const struct fw_hints *hints);
/* How many of the calls were answered from memory, and how many there were. */
void fw_device_cache_counts(const struct fw_device_cache *cache, uint64_t *ret_hits, uint64_t *ret_calls);

#endif
