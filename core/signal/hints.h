/* Client hints: what a browser says of itself in so many words (User-Agent Client Hints, WICG). */
#ifndef FW_SIGNAL_HINTS_H
#define FW_SIGNAL_HINTS_H

#include <stdbool.h>

#include "base/json.h"
#include "base/str.h"

enum fw_mobile { FW_MOBILE_UNTOLD, FW_MOBILE_NO, FW_MOBILE_YES };

/* All texts are constants. */
struct fw_hints {
	const char *browser; /* a family, or NULL: none told, or only an engine */
	const char *os;      /* a family, or NULL */
	const char *form;    /* a value of the fact `device`, or NULL */
	enum fw_mobile mobile;
};

/* From headers, n 0 for those that were not sent: Sec-CH-UA, -Mobile, -Platform, -Form-Factors. What cannot be read is
 * not told. */
void fw_hints_from_headers(struct fw_str brands, struct fw_str mobile, struct fw_str platform, struct fw_str forms,
	struct fw_hints *ret);

/* From a navigator.userAgentData object (context.userAgentData). */
void fw_hints_from_json(const struct fw_json *data, struct fw_hints *ret);

#endif
