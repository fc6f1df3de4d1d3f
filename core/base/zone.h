/* Time zones: IANA names to local time, read from the machine's tzdata (TZif, RFC 9636), without the process-wide
 * state of tzset. */
#ifndef FW_BASE_ZONE_H
#define FW_BASE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct fw_zone;     /* one zone; immutable once loaded */
struct fw_zone_set; /* all zones used by this process, each loaded once, on demand; not for several threads */

struct fw_zone_set *fw_zone_set_create(void); /* NULL: out of memory */
void fw_zone_set_destroy(struct fw_zone_set *set);

/* The zone of an IANA name ("Europe/Berlin", "UTC"; case as tzdata has it), or NULL when there is none such. The name
 * is untrusted: nothing outside the zone directory is ever opened, unknown names are remembered up to a bound. The zone
 * lives as long as the set. */
const struct fw_zone *fw_zone_find(struct fw_zone_set *set, struct fw_str name);
const char *fw_zone_name(const struct fw_zone *zone);

/* The zones in use in a country (ISO 3166-1 alpha-2), from zone.tab: how many, and the list in `ret_zones`, owned by
 * the set. 0 for an unknown country. */
size_t fw_zone_of_country(struct fw_zone_set *set, struct fw_str country, const struct fw_zone *const **ret_zones);

/* Seconds east of UTC at an instant (seconds since 1970). */
int32_t fw_zone_offset(const struct fw_zone *zone, int64_t at_s);

/* A local time (days since 1970-01-01, second of the day) as an instant. A time that a clock change skips is the moment
 * after the gap (the instant at which the clock jumps); one that it repeats is its first occurrence, or its last. */
int64_t fw_zone_instant(const struct fw_zone *zone, int64_t days, int32_t second, bool last);

#endif
