#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

/* A visitor given as { consent = {} } was "too large": an arena without a block had no address for nothing. */
static void nothing_has_an_address(void **state)
{
	(void)state;
	struct fw_arena a;
	fw_arena_init(&a, NULL, 0, 0);
	assert_non_null(fw_arena_alloc(&a, 0));
	assert_non_null(FW_NEW_ARRAY(&a, 0, double));
	fw_arena_finish(&a);
}

static void pieces_are_aligned_and_apart(void **state)
{
	(void)state;
	char first[256];
	struct fw_arena a;
	fw_arena_init(&a, first + 1, sizeof first - 1, 0);
	char *before = NULL;
	for (size_t size = 0; size < 600; size += 7) {
		char *p = fw_arena_alloc(&a, size);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		assert_ptr_not_equal(p, before);
		for (size_t i = 0; i < size; i++)
			p[i] = (char)i;
		before = p;
	}
	fw_arena_finish(&a);
}

static void the_limit_holds(void **state)
{
	(void)state;
	struct fw_arena a;
	fw_arena_init(&a, NULL, 0, 1000);
	assert_non_null(fw_arena_alloc(&a, 600));
	assert_null(fw_arena_alloc(&a, 600));
	assert_null(fw_arena_alloc(&a, SIZE_MAX));
	assert_null(FW_NEW_ARRAY(&a, SIZE_MAX / 4, double));
	fw_arena_reset(&a);
	assert_non_null(fw_arena_alloc(&a, 600));
	fw_arena_finish(&a);
}

static void what_came_after_a_mark_is_given_back(void **state)
{
	(void)state;
	char first[256];
	struct fw_arena a;
	fw_arena_init(&a, first, sizeof first, 100000);
	for (int round = 0; round < 3; round++) { /* in the caller's block, then in the first of the heap's, then in a later one */
		char *kept = fw_arena_strdup(&a, "kept"), *again = NULL;
		struct fw_arena_mark mark = fw_arena_mark(&a);
		for (int i = 0; i < 100; i++) {
			char *p = fw_arena_alloc(&a, 50);
			assert_non_null(p);
			assert_true(i || !again || p == again);
			if (i == 0)
				again = p;
			if (i % 7 == 0)
				assert_non_null(fw_arena_alloc(&a, 20000));
			if (i % 7 == 3)
				fw_arena_rewind(&a, &mark);
		}
		fw_arena_rewind(&a, &mark);
		assert_string_equal(kept, "kept");
		assert_int_equal(a.used, mark.used); /* the limit counts what is there */
		assert_non_null(fw_arena_alloc(&a, round ? 6000 : 200));
	}
	fw_arena_finish(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_came_after_a_mark_is_given_back),
		cmocka_unit_test(nothing_has_an_address),
		cmocka_unit_test(pieces_are_aligned_and_apart),
		cmocka_unit_test(the_limit_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
