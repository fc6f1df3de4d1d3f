/* Against the vectors of RFC 4231, and whatever was asked before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mac.h"

static void expect(const void *key, size_t n_key, const void *text, size_t n, const char *hex)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char mac[FW_MAC];
	char found[2 * FW_MAC + 1];
	assert_int_equal(fw_mac(key, n_key, text, n, mac), 0);
	for (unsigned i = 0; i < FW_MAC; i++) {
		found[2 * i] = digits[mac[i] >> 4];
		found[2 * i + 1] = digits[mac[i] & 15];
	}
	found[sizeof found - 1] = '\0';
	assert_string_equal(found, hex);
}

static void expect_all(void)
{
	unsigned char key[131], data[50];
	static const char larger[] = "Test Using Larger Than Block-Size Key - Hash Key First";
	memset(key, 0x0b, 20);
	expect(key, 20, "Hi There", 8, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	expect("Jefe", 4, "what do ya want for nothing?", 28, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	memset(data, 0xdd, sizeof data);
	expect(key, 20, data, sizeof data, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
	expect(key, sizeof key, larger, sizeof larger - 1, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_vectors(void **state)
{
	(void)state;
	expect_all();
	expect_all();
}

/* With no key at all: not the one before. */
static void test_nothing(void **state)
{
	(void)state;
	expect("Jefe", 4, "", 0, "923598ca6d64af2a5dba79dcd021a8a0fe5c5f557519adaaf0ad532d4506dd30");
	expect("", 0, "", 0, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	expect(NULL, 0, NULL, 0, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* More keys than are kept ready, in turn and one of them between all others; one that is the beginning of another. */
static void test_many_keys(void **state)
{
	enum { KEYS = 9 };
	unsigned char first[KEYS][FW_MAC], mac[FW_MAC], key[KEYS];
	(void)state;
	memset(key, 'k', sizeof key);
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < KEYS; i++) {
			assert_int_equal(fw_mac(key, i, "text", 4, mac), 0);
			if (round == 0)
				memcpy(first[i], mac, sizeof mac);
			assert_memory_equal(mac, first[i], sizeof mac);
			for (unsigned k = 0; k < i; k++)
				assert_memory_not_equal(mac, first[k], sizeof mac);
			expect("Jefe", 4, "what do ya want for nothing?", 28,
				"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors), cmocka_unit_test(test_nothing), cmocka_unit_test(test_many_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
