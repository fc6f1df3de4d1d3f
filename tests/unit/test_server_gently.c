/* Work done gently: with less priority, which the caller keeps for itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>

#include "base/limits.h"
#include "server/gently.h"

static int note_priority(void *ctx)
{
	*(int *)ctx = getpriority(PRIO_PROCESS, 0);
	return -7;
}

static void test_priority(void **state)
{
	(void)state;
	int before = getpriority(PRIO_PROCESS, 0), during = 0, most = 19;
	assert_int_equal(fw_gently(note_priority, &during), -7);
	assert_int_equal(during, before + FW_LIMIT_LOADING_NICE < most ? before + FW_LIMIT_LOADING_NICE : most);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_priority),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
