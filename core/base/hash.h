/* XXH64 with seed 0 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), from the library's own header. */
#ifndef FW_BASE_HASH_H
#define FW_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t fw_hash(const void *p, size_t n)
{
	return XXH64(p, n, 0);
}

#endif
