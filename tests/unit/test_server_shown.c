/* What whoever asks shows already, as text: it comes back as it was, and what is no such text changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "server/shown.h"

static void test_there_and_back(void **state)
{
	(void)state;
	srand48(7);
	for (unsigned n = 0; n <= FW_LIMIT_SHOWN; n++) {
		struct fw_shown s = { .hash = (uint64_t)mrand48() << 32 | (uint32_t)mrand48(), .n = n }, back = { .hash = 1 }, again;
		char text[FW_SHOWN_TEXT], more[FW_SHOWN_TEXT];
		for (unsigned i = 0; i < n; i++)
			s.places[i] = (struct fw_cap_place){ 1790000000000 + lrand48() % 100000,
				(uint64_t)mrand48() << 32 | (uint32_t)mrand48() };
		size_t length = fw_shown_write(&s, text);
		assert_int_equal(length, strlen(text));
		assert_true(fw_shown_read(fw_str(text), &back));
		assert_true(back.hash == s.hash && back.n == n);
		assert_memory_equal(back.places, s.places, n * sizeof *s.places);
		/* Read once more, nothing is added. */
		assert_true(fw_shown_read(fw_str(text), &back));
		assert_int_equal(back.n, n);
		/* A byte more, less or other: either it is not read, or it is written as it is. */
		for (size_t i = 0; i < length; i++) {
			again = (struct fw_shown){ .n = 0 };
			memcpy(more, text, length);
			more[i] = (char)(32 + lrand48() % 95);
			if (fw_shown_read((struct fw_str){ more, length }, &again) && again.hash) {
				char written[FW_SHOWN_TEXT];
				assert_int_equal(fw_shown_write(&again, written), length);
				assert_memory_equal(written, more, length);
			}
			again = (struct fw_shown){ .n = 0 };
			bool cut = fw_shown_read((struct fw_str){ text, i }, &again);
			assert_true(cut == (i >= 16 && (i - 16) % 30 == 0));
		}
	}
}

static void test_decisions(void **state)
{
	(void)state;
	struct fw_shown s = { .n = 0 };
	assert_true(fw_shown_read(FW_STR("019a0b1c-2d3e-7abc-8def-0123456789ab"), &s));
	assert_int_equal(s.n, 1);
	assert_true(s.places[0].at_ms == 0x019a0b1c2d3e && s.places[0].rule == 0 && s.hash == 0);
	static const char *const bad[] = { "", "x", "019a0b1c-2d3e-4abc-8def-0123456789ab", "019A0B1C-2d3e-7abc-8def-0123456789ab",
		"019a0b1c-2d3e-7abc-8def-0123456789a", "019a0b1c02d3e-7abc-8def-0123456789ab", "0123456789abcde", "0123456789abcdeg",
		"0123456789abcdef.", "0123456789abcdef.0123456789ab-0123456789abcde", "0123456789abcdef,0123456789ab-0123456789abcdef" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct fw_shown before = s;
		assert_false(fw_shown_read(fw_str(bad[i]), &s));
		assert_memory_equal(&s, &before, sizeof s);
	}
	/* More than there may be are left out. */
	for (unsigned i = 0; i < 3 * FW_LIMIT_SHOWN; i++) {
		char id[] = "019a0b1c-2d00-7abc-8def-0123456789ab";
		id[11] = "0123456789abcdef"[i / 16];
		id[12] = "0123456789abcdef"[i % 16];
		assert_true(fw_shown_read(fw_str(id), &s));
	}
	assert_int_equal(s.n, FW_LIMIT_SHOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_decisions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
