/* Who looked at what is kept of a person, or changed it: one line of the log, and nothing else. */
#ifndef FW_PEOPLE_AUDIT_H
#define FW_PEOPLE_AUDIT_H

#include "people/people.h"

/* The person is named by a keyed hash of the id, the same for the same id, of which the log alone tells nothing; `by` is who did it,
 * `action` a constant. `done` (may be NULL) comes once the line is written, which may be before it returns. */
void fw_people_audit(struct fw_people *p, const char *action, const struct fw_person_id *id, const char *by,
	fw_people_done done, void *ctx);

#endif
