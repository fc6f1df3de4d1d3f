/* Proof that a server which knows the identity key has vouched for a userId. */
#ifndef FW_SERVER_SIGNED_H
#define FW_SERVER_SIGNED_H

#include <stdbool.h>

#include "base/str.h"

/* Whether `hash` is the lower-case hexadecimal HMAC-SHA256 of the id under the key. False without key or hash. */
bool fw_signed_verify(struct fw_str key, struct fw_str id, struct fw_str hash);

#endif
