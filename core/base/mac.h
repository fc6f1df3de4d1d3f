/* HMAC-SHA256 (RFC 2104, FIPS 180-4), by OpenSSL. */
#ifndef FW_BASE_MAC_H
#define FW_BASE_MAC_H

#include <stddef.h>

enum { FW_MAC = 32 };

/* The code of `n` bytes under a key, which may be of any length. Each thread keeps what OpenSSL looks up by name and makes of the last
 * keys, which takes longer than the hashing of a short text. 0, or FW_ENOMEM: `ret` is nothing that can be compared. */
int fw_mac(const void *key, size_t n_key, const void *text, size_t n, unsigned char ret[FW_MAC]);

#endif
