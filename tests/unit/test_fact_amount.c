/* Amounts have the digits of their currency. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>

#include "fact/amount.h"

static void test_digits(void **state)
{
	(void)state;
	static const struct {
		double amount;
		const char *currency, *text;
	} table[] = {
		{ 59.9, "EUR", "59.90" }, { 80, "EUR", "80.00" }, { 0, "USD", "0.00" }, { 0.1 + 0.2, "USD", "0.30" }, { -5.5, "GBP",
			"-5.50" },
		{ 1234567.891, "EUR", "1234567.89" }, { 1234, "JPY", "1234" }, { 1234.4, "KRW", "1234" }, { 1.25, "KWD", "1.250" },
		{ 3, "CLF", "3.0000" }, { 3, "XXX", "3.00" }, { 3, "JP", "3.00" }, { 3, "F XP", "3.00" },
		{ 3, "", "3.00" }, { NAN, "EUR", "" }, { INFINITY, "EUR", "" }, { 1e300, "EUR", "" },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char buf[FW_AMOUNT_TEXT];
		size_t n = fw_amount_text(table[i].amount, table[i].currency, buf);
		if (n != strlen(table[i].text) || memcmp(buf, table[i].text, n) != 0)
			fail_msg("%f %s: %.*s", table[i].amount, table[i].currency, (int)n, buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_digits) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
