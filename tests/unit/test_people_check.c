/* `store check` looked at checksums alone, while the log sent people to it for records that cannot be read; and at none of what there is
 * for the sake of messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/pack.h"
#include "message/check.h"
#include "message/own.h"
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

struct looking {
	struct fw_arena scratch;
	uint32_t bucket;
};

static int look(struct looking *l, struct fw_str key, struct fw_str value)
{
	const struct fw_row row = { key, value, 7 };
	struct fw_error err = { 0 };
	int rc = fw_people_check_row(&l->scratch, l->bucket, &row, &err);
	if (rc == 0)
		rc = fw_message_check_row(&l->scratch, l->bucket, &row, &err);
	assert_true((rc == 0) == (err.message[0] == '\0'));
	return rc;
}

/* Fine as it is; not if a byte is missing or one too many, nor in another bucket. */
static void assert_checked(struct looking *l, struct fw_str key, struct fw_str value)
{
	char more[200];
	assert_true(value.n + 1 < sizeof more);
	memset(more, 0, sizeof more);
	if (value.n)
		memcpy(more, value.p, value.n);
	assert_int_equal(look(l, key, value), 0);
	assert_int_equal(look(l, key, (struct fw_str){ more, value.n + 1 }), FW_EINVAL);
	if (value.n)
		assert_int_equal(look(l, key, (struct fw_str){ more, value.n - 1 }), FW_EINVAL);
	assert_int_equal(look(l, (struct fw_str){ key.p, key.n - 1 }, value), FW_EINVAL);
	l->bucket++;
	assert_int_equal(look(l, key, value), FW_EINVAL);
	l->bucket--;
}

static void test_messages(void **state)
{
	struct looking l = { .bucket = 0 };
	struct fw_arena arena;
	const struct fw_secret secret = { .known = true };
	const struct fw_message_id id = { UINT64_C(0x1234567890abcdef), 7 };
	struct fw_sent sent = { FW_STR("email"), FW_STR("reminder"), INT64_C(1790000000000000), { 0 } };
	struct fw_key key, wake;
	struct fw_str value;
	struct fw_buf b;
	(void)state;
	fw_arena_init(&arena, NULL, 0, 0);
	fw_arena_init(&l.scratch, NULL, 0, 0);
	l.bucket = fw_store_bucket(id.person);
	fw_suppression_key(&secret, sent.channel, FW_STR("ann@shop.example"), &sent.suppression);
	assert_int_equal(fw_sent_write(&sent, &arena, &value), 0);
	fw_sent_key(l.bucket, id, &key);
	assert_checked(&l, fw_key_str(&key), value);
	sent.suppression.bucket ^= 1;
	assert_int_equal(fw_sent_write(&sent, &arena, &value), 0);
	assert_int_equal(look(&l, fw_key_str(&key), value), FW_EINVAL);
	sent.suppression.bucket ^= 1;
	for (int dead = 0; dead < 2; dead++) {
		wake = (struct fw_key){ .n = FW_KEY_WAKE, .bytes = { dead ? 'm' : 'M' } };
		fw_key_number(wake.bytes + 1, UINT64_C(1790000000000), 8);
		fw_key_number(wake.bytes + 9, id.person, 8);
		assert_checked(&l, fw_key_str(&wake), FW_STR(""));
	}
	l.bucket = sent.suppression.bucket;
	fw_buf_init(&b, 0);
	fw_pack_number(&b, UINT64_C(1790000000000));
	fw_pack_text(&b, FW_STR("bounced"));
	assert_checked(&l, fw_key_str(&sent.suppression), (struct fw_str){ b.data, b.n });
	fw_buf_finish(&b);
	fw_arena_finish(&l.scratch);
	fw_arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_records), cmocka_unit_test(test_messages) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
