/* Sealing: AES-256-GCM (NIST SP 800-38D), by OpenSSL. What is sealed can be read and changed by nobody without the key. */
#ifndef FW_BASE_SEAL_H
#define FW_BASE_SEAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

enum { FW_SEAL_KEY = 32, FW_SEAL_MORE = 28 }; /* bytes of a key; by how much the sealed is longer: nonce (12) and tag (16) */

/* Appends nonce, tag and what is sealed. `beside` is not in it, but must be the same when it is opened; n 0: nothing is. The nonce is
 * random: a key is for 2^32 texts at most. 0, FW_EIO or FW_ENOMEM, with which the buffer is as it was. */
int fw_seal(const unsigned char key[FW_SEAL_KEY], struct fw_str beside, struct fw_str plain, struct fw_buf *out);
/* Opens it, into the arena. 0; FW_EINVAL: it was sealed with another key or beside something else, or is damaged; FW_EIO; FW_ENOMEM. */
int fw_unseal(const unsigned char key[FW_SEAL_KEY], struct fw_str beside, struct fw_str sealed, struct fw_arena *a, struct fw_str *ret);
/* Each thread keeps a cipher; one that ends gives it back. */
void fw_seal_forget(void);

#endif
