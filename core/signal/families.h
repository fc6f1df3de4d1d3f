/* Other people's words for browsers and systems to ours: families without the form of the device. The texts returned are
 * constants, or slices of what was asked. */
#ifndef FW_SIGNAL_FAMILIES_H
#define FW_SIGNAL_FAMILIES_H

#include "base/str.h"

/* ua-parser's: "Mobile Safari" → "Safari", "Chrome Mobile iOS" → "Chrome"; others as they are. */
struct fw_str fw_family_of_browser(struct fw_str family);
/* ua-parser's: "Mac OS X" → "macOS", "Ubuntu" → "Linux"; others as they are. */
struct fw_str fw_family_of_os(struct fw_str family);

/* A client hint's: "Google Chrome" → "Chrome". NULL for what is no browser's name: engines, and the invented brands. */
const char *fw_family_of_brand(struct fw_str brand);
/* A client hint's: "Chrome OS" → "ChromeOS". NULL for "Unknown" and the like. */
const char *fw_family_of_platform(struct fw_str platform);

#endif
