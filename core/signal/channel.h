/* The default-channel rules themselves. */
#ifndef FW_SIGNAL_CHANNEL_H
#define FW_SIGNAL_CHANNEL_H

#include "signal/sites.h"

/* The traffic source, a word of the closed list of the fact `source`, of a visit that somebody labelled: the first rule
 * that fits, ASCII case folded. `site` is the kind of site that `source` names. */
const char *fw_channel_of(struct fw_str source, enum fw_site site, struct fw_str medium, struct fw_str campaign);

/* The traffic source of a visit that came through a link on a site, unlabelled. */
const char *fw_channel_of_site(enum fw_site site);

#endif
