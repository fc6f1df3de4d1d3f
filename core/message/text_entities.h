/* Named and numbered characters of HTML. Not for other rooms. */
#ifndef FW_MESSAGE_TEXT_ENTITIES_H
#define FW_MESSAGE_TEXT_ENTITIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* The character that a text begins with, which begins with "&": how many bytes name it, and its UTF-8 into `out` of 4. 0: it is
 * no such name, and "&" stands for itself. */
size_t fw_entity_read(struct fw_str s, char *out, size_t *ret_n);

#endif
