/* Money as people read it: how many digits an amount has behind its point is its currency's. */
#ifndef FW_FACT_AMOUNT_H
#define FW_FACT_AMOUNT_H

#include <stddef.h>

enum { FW_AMOUNT_TEXT = 64 };

/* "59.90" of 59.9 EUR, "1234" of 1234 JPY, "1.250" of 1.25 KWD: the digits of ISO 4217, two where it does not say, no grouping, a point
 * wherever the reader is. Returns the text's length; of what is too large for it, or no number, 0. */
size_t fw_amount_text(double amount, const char *currency, char buf[FW_AMOUNT_TEXT]);

#endif
