/* Where the visitor is: what a database or the request says, to facts. */
#ifndef FW_SIGNAL_PLACE_H
#define FW_SIGNAL_PLACE_H

#include <stdbool.h>

#include "fact/facts.h"

/* Texts are somebody else's (a database's, a request's), n 0 where nothing is said. */
struct fw_place {
	char country[2]; /* ISO 3166-1 alpha-2, upper case; country[0] '\0': not known */
	char region[8];  /* ISO 3166-2, "CA-ON"; terminated, "" when not known */
	struct fw_str city, continent, timezone;
	bool in_eu_told, in_eu;
};

/* The country from its two letters, upper-cased; false, and nothing done, for anything else. */
bool fw_place_set_country(struct fw_place *place, struct fw_str code);
/* The region from what stands behind the hyphen, or from all of it, once the country is set. */
void fw_place_set_region(struct fw_place *place, struct fw_str code);

/* Overwrites a place with context.location: {"country":"CA","region":"ON","city":"Toronto"}, regions also as "CA-ON". Of
 * the place only what fits the same country and region stays. A location without a country of two letters says nothing. */
void fw_place_tell(struct fw_place *place, const struct fw_json *location);

/* Fills country, region, city, continent and in_eu; the last two from the country where the place does not say. `place`
 * texts are copied. 0 or FW_ENOMEM. */
int fw_place_fill(struct fw_facts *f, const struct fw_place *place);

#endif
