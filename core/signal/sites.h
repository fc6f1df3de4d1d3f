/* What kind of site a host is: search engines, social networks and so on. The table is made when the program is built, of
 * a public list and sites.txt. */
#ifndef FW_SIGNAL_SITES_H
#define FW_SIGNAL_SITES_H

#include "base/str.h"

enum fw_site {
	FW_SITE_NONE, /* not in the table */
	FW_SITE_SEARCH, FW_SITE_SOCIAL, FW_SITE_VIDEO, FW_SITE_SHOPPING, FW_SITE_EMAIL,
	FW_SITE_REFERRAL, /* none of these, though its parent may be */
};

/* By host, its parents included ("m.facebook.com"), or by the name that campaigns use for it ("facebook"); ASCII case
 * folded. */
enum fw_site fw_site_of(struct fw_str host_or_name);

#endif
