#include "fact/amount.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ISO 4217, minor units: those that are not two. */
static int digits_of(const char *currency)
{
	static const struct { const char *currencies; int digits; } table[] = {
		{ "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 0 },
		{ "BHD IQD JOD KWD LYD OMR TND", 3 },
		{ "CLF UYW", 4 },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strlen(currency) == 3 && strstr(table[i].currencies, currency))
			return table[i].digits;
	return 2;
}

size_t fw_amount_text(double amount, const char *currency, char buf[FW_AMOUNT_TEXT])
{
	int n = isfinite(amount) ? snprintf(buf, FW_AMOUNT_TEXT, "%.*f", digits_of(currency), amount) : 0;
	return n > 0 && n < FW_AMOUNT_TEXT ? (size_t)n : 0;
}
