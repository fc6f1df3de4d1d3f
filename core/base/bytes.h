/* Eight bytes of a text at a time, in one word (H. S. Warren, Hacker's Delight, 6-1; A. Mycroft's test for a zero byte).
 * Each test answers a word with the high bit set in every byte it is true of. Where a test says so only the lowest such
 * byte is certain, which is the first of the text; that none is set is always certain. */
#ifndef FW_BASE_BYTES_H
#define FW_BASE_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define FW_BYTES_ALL(c) (0x0101010101010101u * (uint64_t)(unsigned char)(c))
#define FW_BYTES_HIGH FW_BYTES_ALL(0x80)

static inline uint64_t fw_bytes_at(const char *p)
{
	uint64_t x;
	memcpy(&x, p, sizeof x);
	return le64toh(x);
}

static inline void fw_bytes_put(char *p, uint64_t x)
{
	x = htole64(x);
	memcpy(p, &x, sizeof x);
}

/* Bytes below `least`, at most 0x80. The lowest is certain. */
static inline uint64_t fw_bytes_below(uint64_t x, unsigned char least)
{
	return (x - FW_BYTES_ALL(least)) & ~x & FW_BYTES_HIGH;
}

/* Bytes that are c. The lowest is certain. */
static inline uint64_t fw_bytes_equal(uint64_t x, char c)
{
	return fw_bytes_below(x ^ FW_BYTES_ALL(c), 1);
}

/* Upper-case letters of ASCII; all are certain. */
static inline uint64_t fw_bytes_upper(uint64_t x)
{
	uint64_t seven = x & ~FW_BYTES_HIGH;
	return (seven + FW_BYTES_ALL(0x80 - 'A')) & ~(seven + FW_BYTES_ALL(0x80 - 'Z' - 1)) & ~x & FW_BYTES_HIGH;
}

/* The place of the first byte of those found, which must not be none. */
static inline unsigned fw_bytes_first(uint64_t found)
{
	return (unsigned)__builtin_ctzll(found) / 8;
}

#endif
