/* Two people become one, and two again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "lib_arena.h"
#include "lib_profile.h"

static struct fw_record *person(const char *first, enum fw_id_kind kind, const char *id)
{
	struct fw_record *r = fw_record_new(&arena, fw_str(first));
	assert_int_equal(fw_record_add_id(r, FW_ID_ANONYMOUS, fw_str(first)), 0);
	if (id)
		assert_int_equal(fw_record_add_id(r, kind, fw_str(id)), 0);
	return r;
}

static void test_may_not(void **state)
{
	(void)state;
	struct fw_record *ann = person("a-1", FW_ID_USER, "ann"), *bob = person("a-2", FW_ID_USER, "bob");
	struct fw_record *guest = person("a-3", FW_ID_EMAIL, "e0@shop.example");
	assert_string_equal(fw_record_may_not_merge(ann, bob), "two_users");
	assert_null(fw_record_may_not_merge(ann, ann));
	assert_null(fw_record_may_not_merge(ann, guest));
	char text[40];
	for (int i = 1; i <= FW_LIMIT_IDS_OF_A_KIND; i++) {
		snprintf(text, sizeof text, "e%d@shop.example", i);
		assert_int_equal(fw_record_add_id(ann, FW_ID_EMAIL, fw_str(text)), 0);
	}
	assert_string_equal(fw_record_may_not_merge(ann, guest), "too_many_ids");
	fw_record_remove_id(ann, FW_ID_EMAIL, fw_str(text));
	assert_null(fw_record_may_not_merge(guest, ann));
	for (uint64_t i = 0; i + 1 < FW_LIMIT_MERGES; i++)
		assert_int_equal(fw_record_note_merge(ann, &(struct fw_merge){ .id = FW_STR("a-3"), .number = i }), 0);
	assert_null(fw_record_may_not_merge(guest, ann));
	assert_int_equal(fw_record_note_merge(ann, &(struct fw_merge){ .id = FW_STR("a-3"), .number = 0 }), 0);
	assert_null(fw_record_may_not_merge(guest, ann));
	assert_int_equal(fw_record_note_merge(ann, &(struct fw_merge){ .id = FW_STR("a-3"), .number = 1000 }), 0);
	assert_string_equal(fw_record_may_not_merge(guest, ann), "too_many_merges");
	assert_int_equal(fw_record_note_merge(ann, &(struct fw_merge){ .id = FW_STR("a-3"), .number = 1001 }), FW_ELIMIT);
}

static void test_merges(void **state)
{
	(void)state;
	struct fw_record *r = person("a-1", FW_ID_ANONYMOUS, "a-2");
	struct fw_merge m = { .kind = FW_ID_PHONE, .id = FW_STR("+4711"), .number = 7, .at_us = NOON + 1234, .seal = "key",
		.spilled_day = 20000, .spilled_days = 5 };
	assert_int_equal(fw_record_note_merge(r, &m), 0);
	assert_int_equal(fw_record_note_merge(r, &(struct fw_merge){ .kind = FW_ID_ANONYMOUS, .id = FW_STR("a-2"), .at_us = NOON - DAY }), 0);
	assert_int_equal(fw_record_note_merge(r, &m), 0);
	r = read_again(&arena, written(&arena, r));
	assert_true(fw_record_merge_at(r, 0, &m) && fw_str_is(m.id, "a-2") && m.number == 0 && m.at_us == NOON - DAY);
	assert_true(fw_record_merge_at(r, 1, &m) && fw_str_is(m.id, "+4711") && m.kind == FW_ID_PHONE && m.number == 7);
	assert_true(m.at_us == NOON + 1000 && memcmp(m.seal, "key", 4) == 0 && m.spilled_day == 20000 && m.spilled_days == 5);
	assert_false(fw_record_merge_at(r, 2, &m));
	int32_t days[4];
	assert_int_equal(fw_merge_spilled_days(&m, 20000 * DAY, days), 2);
	assert_true(days[0] == 20000 && days[1] == 19998);
	assert_int_equal(fw_record_seen(r, 1), FW_SEEN_ASK);
	assert_false(fw_record_forget_merge(r, FW_ID_PHONE, FW_STR("+4711"), 8));
	assert_true(fw_record_forget_merge(r, FW_ID_PHONE, FW_STR("+4711"), 7));
	assert_int_equal(fw_record_seen(r, 1), FW_SEEN_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_may_not, begin, end),
		cmocka_unit_test_setup_teardown(test_merges, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
