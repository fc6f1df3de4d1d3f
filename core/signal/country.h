/* What follows from a country alone. */
#ifndef FW_SIGNAL_COUNTRY_H
#define FW_SIGNAL_COUNTRY_H

#include <stdbool.h>

#include "base/str.h"

/* The continent ("AF", "AN", "AS", "EU", "NA", "OC", "SA") of a country of ISO 3166-1 alpha-2, case folded, or {NULL, 0}
 * when there is no such country. Where two continents could claim one, the geographers' choice that the usual databases
 * make: Cyprus and Russia are Europe, Turkey and the Caucasus Asia. */
struct fw_str fw_country_continent(struct fw_str code);

/* Whether the law of the European Union holds there: its 27 members, and those of their territories with a code of
 * their own to which the treaties apply (Article 355(1) and (4) TFEU). */
bool fw_country_in_eu(struct fw_str code);

#endif
