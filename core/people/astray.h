/* After an unmerge the rows of the absorbed's ids lead to the other's record until they are told (undo.c): that is a moment, or a
 * worker's lease where whoever undid it died. */
#ifndef FW_PEOPLE_ASTRAY_H
#define FW_PEOPLE_ASTRAY_H

#include "people/flight.h"

/* As fw_follow, for whoever looks for a person by an id. If the record that it comes to does not go by the id, what the record's bucket
 * has to say to other rows is said, and the row followed once more: nobody is taken for somebody else. A record may lack an id for want
 * of room, too; such a row leads there nonetheless. `done` gets FW_EAWAY as well: the rows cannot be told now. */
void fw_follow_told(struct fw_follow *f, struct fw_people *p, const struct fw_person_id *id, bool for_batch, struct fw_arena *arena,
	fw_people_done done, void *ctx);

#endif
