/* Which ids an event tells: normal forms, placeholders, and what it takes for an id to be proven. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "lib_arena.h"
#include "lib_profile.h"
#include "profile/identify.h"

static void test_emails(void **state)
{
	(void)state;
	static const struct { const char *told, *normal; } emails[] = {
		{ "ann@shop.example", "ann@shop.example" },
		{ "  Ann.Lee+Boots@Shop.EXAMPLE\n", "ann.lee+boots@shop.example" },
		{ "o'neil@mail.shop.example", "o'neil@mail.shop.example" },
		{ "a..b@docomo.example", "a..b@docomo.example" },
		{ "j\xc3\xbcrgen@m\xc3\xbcller.example", "j\xc3\xbcrgen@m\xc3\xbcller.example" },
		{ "a@1und1.de", "a@1und1.de" },
		{ "", NULL }, { "ann", NULL }, { "@shop.example", NULL }, { "ann@", NULL }, { "ann@localhost", NULL },
		{ "ann@shop..example", NULL }, { "ann@.example", NULL }, { "ann@shop.", NULL }, { "ann@-shop.example", NULL },
		{ "ann@shop-.example", NULL }, { "ann@shop.e", NULL }, { "ann@10.0.0.1", NULL }, { "ann@[10.0.0.1]", NULL },
		{ "ann lee@shop.example", NULL }, { "ann@bob@shop.example", NULL }, { "\"ann\"@shop.example", NULL },
		{ "Ann <ann@shop.example>", NULL }, { ".ann@shop.example", NULL }, { "ann.@shop.example", NULL },
		{ "ann@shop.example, bob@shop.example", NULL }, { "mailto:ann@shop.example", NULL }, { "ann@sh_op.example", NULL },
		{ "ann\x01@shop.example", NULL }, { "ann@shop.example?", NULL },
	};
	for (size_t i = 0; i < sizeof emails / sizeof *emails; i++) {
		char out[FW_EMAIL_BYTES];
		size_t n = 0;
		bool is_one = fw_normal_email(fw_str(emails[i].told), out, &n);
		if (is_one != (emails[i].normal != NULL))
			fail_msg("%s", emails[i].told);
		if (is_one)
			assert_true(fw_str_is((struct fw_str){ out, n }, emails[i].normal));
	}
	char long_one[400], out[FW_EMAIL_BYTES];
	size_t n;
	memset(long_one, 'a', sizeof long_one);
	memcpy(long_one + 64, "@shop.example", 13);
	assert_true(fw_normal_email((struct fw_str){ long_one, 77 }, out, &n));
	assert_false(fw_normal_email((struct fw_str){ long_one, sizeof long_one }, out, &n));
	memcpy(long_one + 64, "a@shop.example", 14);
	assert_false(fw_normal_email((struct fw_str){ long_one, 78 }, out, &n));
}

static void test_phones(void **state)
{
	(void)state;
	static const struct { const char *told, *normal; } phones[] = {
		{ "+4915112345678", "+4915112345678" }, { " +49 151 / 123-456.78 ", "+4915112345678" },
		{ "+1 (415) 555-2671", "+14155552671" },
		{ "0049 151 12345678", "+4915112345678" }, { "+49 (0)151 12345678", "+4915112345678" }, { "+290 1234", "+2901234" },
		{ "+123456789012345", "+123456789012345" },
		{ "", NULL }, { "+", NULL }, { "+123456", NULL }, { "+1234567890123456", NULL }, { "0151 12345678", NULL },
		{ "4155552671", NULL },
		{ "+0151 12345678", NULL }, { "000151 12345678", NULL }, { "+49 151 1234 ext 5", NULL }, { "+49+151123456", NULL },
		{ "++4915112345678", NULL },
		{ "+49151123456\xc2\xb2", NULL },
	};
	for (size_t i = 0; i < sizeof phones / sizeof *phones; i++) {
		char out[FW_PHONE_BYTES];
		size_t n = 0;
		bool is_one = fw_normal_phone(fw_str(phones[i].told), out, &n);
		if (is_one != (phones[i].normal != NULL))
			fail_msg("%s", phones[i].told);
		if (is_one)
			assert_true(fw_str_is((struct fw_str){ out, n }, phones[i].normal));
	}
}

/* Of a channel that is neither nobody is found, whatever its addresses look like. */
static void test_addresses(void **state)
{
	(void)state;
	static const struct { const char *channel, *told, *normal; enum fw_id_kind kind; } addresses[] = {
		{ "email", " Ann@Shop.Example ", "ann@shop.example", FW_ID_EMAIL },
		{ "sms", "+1 (415) 555-2671", "+14155552671", FW_ID_PHONE },
		{ "email", "+14155552671", NULL, 0 }, { "sms", "ann@shop.example", NULL, 0 },
		{ "push", "ann@shop.example", NULL, 0 }, { "push", "+14155552671", NULL, 0 }, { "", "", NULL, 0 },
	};
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		char out[FW_EMAIL_BYTES];
		struct fw_claim claim = { .kind = FW_ID_KINDS };
		bool is_one = fw_normal_address(fw_str(addresses[i].channel), fw_str(addresses[i].told), out, &claim);
		if (is_one != (addresses[i].normal != NULL))
			fail_msg("%s: %s", addresses[i].channel, addresses[i].told);
		if (is_one)
			assert_true(claim.kind == addresses[i].kind && fw_str_is(claim.text, addresses[i].normal));
	}
}

static void test_placeholders(void **state)
{
	(void)state;
	static const char *const blocked[] = { "0", "000", "-", "--", "00000000-0000-0000-0000-000000000000", "-1", "null", "NULL",
		" Undefined ", "NaN", "none", "n/a", "unknown", "anonymous", "Guest", "[object Object]", "Test@Test.com", "" };
	static const char *const fine[] = { "1", "10", "0a", "-10", "u-0", "nullable", "guest-7", "anonymous2", "ann@shop.example",
		"10000000-0000-0000-0000-000000000000" };
	for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++)
		if (!fw_id_is_blocked(fw_str(blocked[i])))
			fail_msg("%s", blocked[i]);
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		if (fw_id_is_blocked(fw_str(fine[i])))
			fail_msg("%s", fine[i]);
}

static const char *claimed(const char *text, bool proven_user, bool proven_all, unsigned *ret_blocked)
{
	static const char *const kinds[FW_ID_KINDS] = { "anonymous", "user", "email", "phone", "other" };
	struct fw_event e = event_at(&arena, text, NOON);
	struct fw_claim claims[FW_CLAIMS_MOST];
	unsigned n = 0;
	assert_int_equal(fw_identify(&arena, &e, proven_user, proven_all, claims, &n, ret_blocked), 0);
	const char *all = "";
	for (unsigned i = 0; i < n; i++)
		all = fw_arena_printf(&arena, "%s%s%s=%.*s", all, i ? " " : "", kinds[claims[i].kind], (int)claims[i].text.n,
			claims[i].text.p);
	return all;
}

#define EVERYTHING "{\"type\":\"identify\",\"userId\":\"u-7\",\"anonymousId\":\"a-1\",\"traits\":{\"email\":\" Ann@Shop.example\"," \
	"\"phone\":\"+49 151 12345678\",\"ids\":{\"Loyalty\":123,\"crm\":\" C-9 \"}}," \
	"\"context\":{\"traits\":{\"email\":\"ann@shop.example\"}," \
	"\"externalIds\":[{\"type\":\"braze_id\",\"id\":\"b:1\",\"collection\":\"users\",\"encoding\":\"none\"},{\"type\":\"email\"," \
	"\"id\":\"ANN@home.example\"}]}}"

static void test_proof(void **state)
{
	(void)state;
	unsigned blocked;
	assert_string_equal(claimed(EVERYTHING, false, false, &blocked), "anonymous=a-1");
	assert_string_equal(claimed(EVERYTHING, true, false, &blocked), "anonymous=a-1 user=u-7");
	assert_string_equal(claimed(EVERYTHING, false, true, &blocked),
		"anonymous=a-1 user=u-7 email=ann@shop.example phone=+4915112345678 "
		"other=loyalty:123 other=crm:C-9 other=braze_id:b:1 email=ann@home.example");
	assert_int_equal(blocked, 0);
	const char *alias = "{\"type\":\"alias\",\"userId\":\"u-7\",\"previousId\":\"a-before\"}";
	assert_string_equal(claimed(alias, false, false, &blocked), "");
	assert_string_equal(claimed(alias, true, false, &blocked), "user=u-7 anonymous=a-before");
	/* Only an alias speaks of an id of before, and a group's traits are not the visitor's. */
	assert_string_equal(claimed("{\"type\":\"page\",\"userId\":\"u-7\",\"previousId\":\"a-before\"}", true, true, &blocked),
		"user=u-7");
	assert_string_equal(claimed("{\"type\":\"group\",\"userId\":\"u-7\",\"groupId\":\"g\","
		"\"traits\":{\"email\":\"office@shop.example\"}}", true, true,
		&blocked), "user=u-7");
	assert_string_equal(claimed("{\"type\":\"page\",\"userId\":\"u-7\",\"traits\":{\"email\":7,\"phone\":{},\"ids\":[1]},"
		"\"context\":{\"externalIds\":{}}}",
		true, true, &blocked), "user=u-7");
}

static void test_left_out(void **state)
{
	(void)state;
	unsigned blocked;
	assert_string_equal(claimed("{\"type\":\"identify\",\"userId\":\"NULL\",\"anonymousId\":\"a-1\","
		"\"traits\":{\"email\":\"test@test.com\","
		"\"phone\":\"000\",\"ids\":{\"loyalty\":\"0\",\"crm\":\"c\"}}}", true, true, &blocked), "anonymous=a-1 other=crm:c");
	assert_int_equal(blocked, 4);
	/* A claim that is a placeholder counts as one, proven or not. */
	assert_string_equal(claimed("{\"type\":\"page\",\"userId\":0,\"anonymousId\":\"undefined\"}", false, false, &blocked), "");
	assert_int_equal(blocked, 2);
	/* One event is one user's; systems have names without a colon, of at most 40 bytes; ids have texts. */
	assert_string_equal(claimed("{\"type\":\"identify\",\"userId\":\"u-7\",\"traits\":{\"ids\":{\"user_id\":\"u-8\",\"a:b\":\"1\","
		"\"\":\"2\","
		"\"crm\":true,\"system-with-a-name-that-is-far-too-long-for-it\":\"3\",\"anonymous\":\"a-3\"}}}", false, true, &blocked),
		"user=u-7 anonymous=a-3");
	const char *many = "";
	for (int i = 0; i < 40; i++)
		many = fw_arena_printf(&arena, "%s%s\"s%d\":%d", many, i ? "," : "", i, i + 1);
	const char *all = claimed(fw_arena_printf(&arena, "{\"type\":\"identify\",\"userId\":\"u-7\","
		"\"traits\":{\"ids\":{%s}}}", many), true, true, &blocked);
	assert_true(strstr(all, "user=u-7 other=s") == all);
	assert_null(strstr(all, "s15:16"));
	assert_non_null(strstr(all, "s14:15"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_emails, begin, end),
		cmocka_unit_test_setup_teardown(test_phones, begin, end),
		cmocka_unit_test_setup_teardown(test_addresses, begin, end),
		cmocka_unit_test_setup_teardown(test_placeholders, begin, end),
		cmocka_unit_test_setup_teardown(test_proof, begin, end),
		cmocka_unit_test_setup_teardown(test_left_out, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
