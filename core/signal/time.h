/* The visitor's own hour, weekday and date. */
#ifndef FW_SIGNAL_TIME_H
#define FW_SIGNAL_TIME_H

#include "base/zone.h"
#include "fact/facts.h"

/* The zone a visitor is known to be in: `client` (what the client said), else the trait `timezone`, else `place` (where
 * the address or the visitor's description puts it). Names that tzdata does not know are passed over. NULL: not known. */
const struct fw_zone *fw_time_zone(struct fw_zone_set *zones, const struct fw_facts *f, struct fw_str client,
	struct fw_str place);

/* Fills those of hour, weekday and date that are absent from the clock of `f`: in `zone`, or with zone NULL in all zones
 * of the visitor's country (several values where they differ), or not at all. 0 or FW_ENOMEM. */
int fw_time_fill(struct fw_zone_set *zones, const struct fw_zone *zone, struct fw_facts *f);

#endif
