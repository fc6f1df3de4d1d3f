/* After an unmerge the rows of the absorbed's ids lead to the other's record until they are told (undo.c): that is a moment, or a
 * worker's lease where whoever undid it died. So who follows a row looks whether the record goes by the row's id; if not, what the
 * record's bucket has to say to other rows is said first, and the row followed once more. */
#ifndef FW_PEOPLE_ASTRAY_H
#define FW_PEOPLE_ASTRAY_H

#include "people/flight.h"

/* Whether the record has the id whose row that is. True, too, of rows that are of no person's id, and where it cannot be known because
 * the secret is not. A record may lack an id without an unmerge, where it had no room for more: such a row leads there nonetheless. */
bool fw_goes_by(const struct fw_secret *s, const struct fw_record *record, const struct fw_person_id *row);

/* From that row to where it leads, into f->follow, told first if it leads astray. `done` gets the flight, and rc as fw_follow's. */
void fw_flight_follow(struct fw_flight *f, const struct fw_person_id *row, fw_people_done done);

#endif
