/* A request becomes facts: where, by what device, from where, when. */
#ifndef FW_SIGNAL_SIGNAL_H
#define FW_SIGNAL_SIGNAL_H

#include "base/zone.h"
#include "fact/facts.h"

/* Fills what follows from facts already there, and only where it is absent: continent and in_eu from the country; hour,
 * weekday and date from the clock, in the zone of `timezone`, else of the trait `timezone`, else in all zones of the
 * country. For visitors that were given (rule tests, the command line). 0 or FW_ENOMEM. */
int fw_signal_derive(struct fw_zone_set *zones, struct fw_facts *f);

#endif
