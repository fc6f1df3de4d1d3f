/* Whether a row is what its key says it is, for `store check`. */
#ifndef FW_PEOPLE_CHECK_H
#define FW_PEOPLE_CHECK_H

#include "people/people.h"

/* Records, outboxes, dead letters, wake rows and suppressions are read as a whole; what no key of key.h begins like is somebody else's, and
 * what was sent is message/'s. `scratch` is reset. 0, FW_EINVAL with what is wrong and whose it is, or FW_ENOMEM. */
int fw_people_check_row(struct fw_arena *scratch, uint32_t bucket, const struct fw_row *row, struct fw_error *err);

#endif
