/* Whether what is kept of a message that was sent can be read, for `store check`. */
#ifndef FW_MESSAGE_CHECK_H
#define FW_MESSAGE_CHECK_H

#include "people/key.h"

/* Of any other row it says nothing. `scratch` is reset. 0, FW_EINVAL with what is wrong, or FW_ENOMEM. */
int fw_message_check_row(struct fw_arena *scratch, uint32_t bucket, const struct fw_row *row, struct fw_error *err);

#endif
