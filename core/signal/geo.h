/* Addresses to places, from a MaxMind DB file (GeoLite2, DB-IP, IP2Location and the like). */
#ifndef FW_SIGNAL_GEO_H
#define FW_SIGNAL_GEO_H

#include "base/error.h"
#include "base/str.h"
#include "signal/ip.h"
#include "signal/place.h"

struct fw_geo;

/* Opens a database. It is copied into memory that forked processes share, so that a lookup reads no disk and the file may
 * be replaced in any way. Returns 0, FW_EIO (no such file …), FW_EINVAL (no database, or a broken one), FW_ELIMIT or
 * FW_ENOMEM, with the reason in `err`. */
int fw_geo_open(const char *path, struct fw_geo **ret_geo, struct fw_error *err);
void fw_geo_destroy(struct fw_geo *geo);

/* Reads nested records (country.iso_code) and flat ones (country_code); texts live as long as the database. 0; FW_ENOENT
 * when the database does not know the address (an IPv6 one in an IPv4 database included), or FW_EINVAL when it turns out
 * to be broken there. */
int fw_geo_find(const struct fw_geo *geo, const struct fw_ip *ip, struct fw_place *ret);

#endif
