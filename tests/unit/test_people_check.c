/* `store check` looked at checksums alone, while the log sent people to it for records that cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "people/check.h"
#include "people/key.h"

static void test_records(void **state)
{
	struct fw_arena arena, scratch;
	struct fw_buf bytes;
	struct fw_key key, message;
	struct fw_error err = { 0 };
	struct fw_person_id id = { FW_PERSON_ANONYMOUS, FW_STR("a-somebody") };
	(void)state;
	fw_arena_init(&arena, NULL, 0, 0);
	fw_arena_init(&scratch, NULL, 0, 0);
	fw_buf_init(&bytes, 0);
	fw_record_write(fw_record_new(&arena, id.id), &bytes);
	fw_key_person(&id, &key);
	struct fw_row row = { fw_key_str(&key), { bytes.data, bytes.n }, 7 };
	assert_int_equal(fw_people_check_row(&scratch, key.bucket, &row, &err), 0);
	row.value.n--;
	assert_int_equal(fw_people_check_row(&scratch, key.bucket, &row, &err), FW_EINVAL);
	assert_non_null(strstr(err.message, "a-somebody"));
	fw_key_message(&key, 20000, 99, &message);
	row = (struct fw_row){ fw_key_str(&message), FW_STR(""), 7 };
	assert_int_equal(fw_people_check_row(&scratch, key.bucket, &row, &err), 0);
	row = (struct fw_row){ FW_STR("D0123456789abcdef"), FW_STR("{\"code\":"), 7 };
	assert_int_equal(fw_people_check_row(&scratch, 1, &row, &err), FW_EINVAL);
	row.value = FW_STR("{\"code\":\"no_event\",\"message\":\"m\",\"sender\":\"write\",\"bytes\":2,\"event\":{}}");
	assert_int_equal(fw_people_check_row(&scratch, 1, &row, &err), 0);
	fw_buf_finish(&bytes);
	fw_arena_finish(&scratch);
	fw_arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_records) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
