/* One arena for each test of a file: cmocka_unit_test_setup_teardown(test, begin, end). */
#ifndef FW_TESTS_LIB_ARENA_H
#define FW_TESTS_LIB_ARENA_H

#include "base/arena.h"

static struct fw_arena arena;

static inline int begin(void **state)
{
	(void)state;
	fw_arena_init(&arena, NULL, 0, 0);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	fw_arena_finish(&arena);
	return 0;
}

#endif
