/* What a Retry-After says, at some moment: a wait between nothing and the limit, or that it says nothing; and digits are read as seconds
 * whenever it is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int64_t wait_at(struct fw_str value, int64_t now_us)
{
	int64_t ms = fw_client_retry_after_ms(value, now_us);
	if (ms < -1 || ms > FW_LIMIT_CLIENT_RETRY_MS)
		abort();
	return ms;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct fw_str value = { (const char *)data, n }, bare = fw_str_trim(value);
	const int64_t now_us = INT64_C(1700000000) * 1000000;
	bool digits = bare.n > 0;
	for (size_t i = 0; i < bare.n; i++)
		digits = digits && bare.p[i] >= '0' && bare.p[i] <= '9';
	int64_t early = wait_at(value, now_us), late = wait_at(value, now_us + INT64_C(60000000));
	if (digits && bare.n < 10 && (early != late || early < 0))
		abort();
	if ((early < 0) != (late < 0) || late > early)
		abort();
	return 0;
}
