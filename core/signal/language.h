/* Languages as clients write them, to BCP 47. */
#ifndef FW_SIGNAL_LANGUAGE_H
#define FW_SIGNAL_LANGUAGE_H

#include <stdbool.h>

#include "base/str.h"

enum { FW_LANGUAGE_TEXT = 36 };

/* "en_CA", "en-ca", "en_CA.UTF-8" → "en-CA", terminated. False for what is no language. */
bool fw_language_of_locale(struct fw_str locale, char out[FW_LANGUAGE_TEXT]);

/* The language that an Accept-Language header likes best, the first of those it likes equally. False when it names
 * none. */
bool fw_language_of_header(struct fw_str header, char out[FW_LANGUAGE_TEXT]);

#endif
