/* URLs, addresses behind proxies, languages: the small parsers of untrusted text. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "signal/ip.h"
#include "signal/language.h"
#include "signal/url.h"

static void assert_text(struct fw_str got, const char *expected)
{
	if (!fw_str_is(got, expected))
		fail_msg("expected \"%s\", got \"%.*s\"", expected, (int)got.n, got.p);
}

static void check_url(const char *text, const char *host, const char *path, const char *query)
{
	struct fw_url u;
	bool ok = fw_url_parse(fw_str(text), &u);
	if (!host) {
		if (ok)
			fail_msg("\"%s\" was taken for a URL of host \"%.*s\"", text, (int)u.host.n, u.host.p);
		return;
	}
	if (!ok)
		fail_msg("\"%s\" was refused", text);
	if (host[0] || u.host.n)
		assert_text(u.host, host);
	assert_text(u.path, path);
	assert_text(u.query, query);
}

static void test_url(void **state)
{
	(void)state;
	check_url("https://shop.example/sale?a=1&b=2#top", "shop.example", "/sale", "a=1&b=2");
	check_url("https://shop.example", "shop.example", "/", "");
	check_url("https://shop.example?x=1", "shop.example", "/", "x=1");
	check_url("https://shop.example#a?b/c", "shop.example", "/", "");
	check_url("http://user:pw@shop.example:8080/x", "shop.example", "/x", "");
	check_url("http://evil.example@shop.example/", "shop.example", "/", "");
	check_url("http://shop.example/@evil.example", "shop.example", "/@evil.example", "");
	check_url("http://[2001:db8::1]:80/x", "[2001:db8::1]", "/x", "");
	check_url("http://shop.example./", "shop.example", "/", "");
	check_url("android-app://com.google.android.gm/", "com.google.android.gm", "/", "");
	check_url("HTTPS://Shop.Example/", "Shop.Example", "/", "");
	check_url("/sale?x=1", "", "/sale", "x=1");
	check_url("https://shop.example/gr\xc3\xb6\xc3\x9f" "e", "shop.example", "/gr\xc3\xb6\xc3\x9f" "e", "");
	check_url("https://shop.example//a", "shop.example", "//a", "");

	static const char *const refused[] = { "", "#", "//evil.example/", "shop.example/sale", "https:/shop.example", "https:///x",
		"https://", "://x", "1http://x/", "https://sh op/", "https://shop.example/a b", "https://shop.example/\x01",
		"https://shop.example\t/", "https://shop..example/", "https://.example/", "https://shop.example:8o/", "https://[::1/",
		"https://[::1]x/", "https://[]/", "https://[gg::]/", "https://sh%6fp.example/", "https://shop\\.example/",
		"javascript:alert(1)", "mailto:a@b.example", "about:blank", "https://k\xc3\xb6ln.example/" };
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		check_url(refused[i], NULL, NULL, NULL);
}

static void test_url_bounds(void **state)
{
	(void)state;
	struct fw_url u;
	char *text = malloc(FW_LIMIT_URL_BYTES + 1);
	memset(text, 'a', FW_LIMIT_URL_BYTES + 1);
	memcpy(text, "https://a/", 10);
	assert_true(fw_url_parse((struct fw_str){ text, FW_LIMIT_URL_BYTES }, &u));
	assert_false(fw_url_parse((struct fw_str){ text, FW_LIMIT_URL_BYTES + 1 }, &u));
	memset(text, 'h', 300);
	memcpy(text, "https://", 8);
	assert_false(fw_url_parse((struct fw_str){ text, 300 }, &u)); /* a host of 292 bytes */
	free(text);
}

static void test_params(void **state)
{
	(void)state;
	struct fw_str query = fw_str("&a=1&&b&c=&=d&e=f=g"), name, value;
	static const char *const expected[][2] = { { "a", "1" }, { "b", "" }, { "c", "" }, { "", "d" }, { "e", "f=g" } };
	for (size_t i = 0; i < 5; i++) {
		assert_true(fw_url_next_param(&query, &name, &value));
		assert_text(name, expected[i][0]);
		assert_text(value, expected[i][1]);
	}
	assert_false(fw_url_next_param(&query, &name, &value));
}

static void test_decode(void **state)
{
	(void)state;
	static const char *const table[][3] = { { "spring+sale%21%20%C3%A4", "spring sale! \xc3\xa4", "spring+sale! \xc3\xa4" },
		{ "a+b", "a b", "a+b" }, { "%2B%2f", "+/", "+/" } };
	static const char *const refused[] = { "%", "%4", "%zz", "a%00b", "%0a", "%ff", "%c3", "\x01", "\xff", "%C0%AF" };
	static const char *const paths[][2] = { { "/gr%C3%B6%C3%9Fe", "/gr\xc3\xb6\xc3\x9f" "e" }, { "/100%", "/100%" }, { "/\xff", "" } };
	struct fw_arena a, small;
	struct fw_str got;
	fw_arena_init(&a, NULL, 0, 0);
	fw_arena_init(&small, NULL, 0, 8);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		for (int form = 0; form < 2; form++) {
			assert_int_equal(fw_url_decode(&a, fw_str(table[i][0]), form == 1, &got), 0);
			assert_text(got, table[i][form ? 1 : 2]);
		}
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		assert_int_equal(fw_url_decode(&a, fw_str(refused[i]), true, &got), 0);
		assert_null(got.p);
	}
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		assert_int_equal(fw_url_path_text(&a, fw_str(paths[i][0]), &got), 0);
		if (paths[i][1][0] || got.n)
			assert_text(got, paths[i][1]);
	}
	assert_int_equal(fw_url_decode(&small, fw_str("/a/long/path/and/no/room"), false, &got), FW_ENOMEM);
	fw_arena_finish(&small);
	fw_arena_finish(&a);
}

static void test_hosts(void **state)
{
	(void)state;
	assert_true(fw_url_host_in(fw_str("m.Shop.example"), fw_str("shop.example")));
	assert_true(fw_url_host_in(fw_str("shop.example"), fw_str("SHOP.example")));
	assert_false(fw_url_host_in(fw_str("notshop.example"), fw_str("shop.example")));
	assert_false(fw_url_host_in(fw_str("shop.example"), fw_str("m.shop.example")));
	assert_false(fw_url_host_in(fw_str("shop.example"), (struct fw_str){ 0 }));
}

static void test_ip(void **state)
{
	(void)state;
	static const char *const same[][2] = { { "192.0.2.1", "192.0.2.1" }, { "192.0.2.1:443", "192.0.2.1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" }, { "[::ffff:c000:201]:1", "192.0.2.1" }, { "2001:DB8::1", "2001:db8::1" },
		{ "[2001:db8::1]", "2001:db8::1" }, { "[2001:db8::1]:65535", "2001:db8::1" }, { "fe80::1%eth0", "fe80::1" },
		{ " 192.0.2.1 ", "192.0.2.1" } };
	static const char *const refused[] = { "", "unknown", "_hidden", "192.0.2", "192.0.2.256", "192.0.2.1:x", "192.0.2.1:123456",
		"[192.0.2.1]", "[::1", "[::1]x", "[::1]:x", "::1]", "0x7f.1", "192.0.02.1.1", "1.1.1.1, 2.2.2.2" };
	struct fw_ip ip;
	char buf[64];
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		assert_true(fw_ip_parse(fw_str(same[i][0]), &ip));
		assert_string_equal(fw_ip_text(&ip, buf), same[i][1]);
	}
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (fw_ip_parse(fw_str(refused[i]), &ip))
			fail_msg("\"%s\" was taken for an address", refused[i]);
	assert_false(fw_ip_parse((struct fw_str){ "192.0.2.1\0", 10 }, &ip));
}

static bool is_in(const char *network, const char *address)
{
	struct fw_network n;
	struct fw_ip ip;
	struct fw_error err;
	assert_int_equal(fw_network_parse(fw_str(network), &n, &err), 0);
	assert_true(fw_ip_parse(fw_str(address), &ip));
	return fw_network_has(&n, 1, &ip);
}

static void test_networks(void **state)
{
	(void)state;
	assert_true(is_in("10.0.0.0/8", "10.255.0.1"));
	assert_false(is_in("10.0.0.0/8", "11.0.0.1"));
	assert_true(is_in("192.0.2.128/25", "::ffff:192.0.2.200"));
	assert_false(is_in("192.0.2.128/25", "192.0.2.127"));
	assert_true(is_in("0.0.0.0/0", "203.0.113.9"));
	assert_false(is_in("0.0.0.0/0", "2001:db8::1"));
	assert_true(is_in("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(is_in("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(is_in("::1", "::1"));
	assert_true(is_in("::/0", "192.0.2.1"));
	static const char *const refused[] = { "", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "2001:db8::/129", "/8",
		"localhost", "10.0.0.1:80" };
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct fw_network n;
		struct fw_error err = { 0 };
		assert_int_equal(fw_network_parse(fw_str(refused[i]), &n, &err), FW_EINVAL);
		assert_true(err.message[0]);
	}
}

/* The client's address as text; "peer's" headers: x is X-Forwarded-For, f is Forwarded, NULL: not sent. */
static void check_client(const char *peer, const char *x, const char *f, const char *expected)
{
	struct fw_network trusted[2];
	struct fw_ip from, client;
	struct fw_forwarded h = { fw_str(x), fw_str(f) };
	char buf[64];
	assert_int_equal(fw_network_parse(FW_STR("10.0.0.0/8"), &trusted[0], NULL), 0);
	assert_int_equal(fw_network_parse(FW_STR("2001:db8:ffff::/48"), &trusted[1], NULL), 0);
	if (peer)
		assert_true(fw_ip_parse(fw_str(peer), &from));
	bool known = fw_ip_client(peer ? &from : NULL, &h, trusted, 2, &client);
	if (known != (expected != NULL) || (known && strcmp(fw_ip_text(&client, buf), expected) != 0))
		fail_msg("%s, X-Forwarded-For %s, Forwarded %s: got %s", peer ? peer : "unix",
			x ? x : "-", f ? f : "-", known ? buf : "nothing");
	assert_int_equal(fw_forwarded_at_all(&h), x || f);
}

static void test_client(void **state)
{
	(void)state;
	check_client("192.0.2.1", NULL, NULL, "192.0.2.1");
	check_client("192.0.2.1", "198.51.100.7", NULL, "192.0.2.1"); /* not trusted: its word is worth nothing */
	check_client("10.0.0.1", NULL, NULL, "10.0.0.1");
	check_client("10.0.0.1", "198.51.100.7", NULL, "198.51.100.7");
	check_client("10.0.0.1", "1.1.1.1, 198.51.100.7, 10.0.0.9", NULL, "198.51.100.7");
	check_client("10.0.0.1", "10.0.0.8, 10.0.0.9", NULL, "10.0.0.8");
	check_client("10.0.0.1", "garbage, 198.51.100.7", NULL, "198.51.100.7");
	check_client("10.0.0.1", "198.51.100.7, unknown", NULL, NULL);
	check_client("10.0.0.1", "198.51.100.7, ,10.0.0.2", NULL, NULL);
	check_client("10.0.0.1", "", NULL, "10.0.0.1");
	check_client("10.0.0.1", "\"1.1.1.1, 198.51.100.7", NULL, "198.51.100.7"); /* no quotes in this header */
	check_client("2001:db8:ffff::1", NULL, "for=\"[2001:db8::1]:4711\";proto=https", "2001:db8::1");
	check_client("10.0.0.1", NULL, "for=192.0.2.43, FOR=\"198.51.100.17:80\";by=10.0.0.1", "198.51.100.17");
	check_client("10.0.0.1", NULL, "by=10.0.0.1;for=192.0.2.43 , proto=http;for=10.0.0.4", "192.0.2.43");
	check_client("10.0.0.1", NULL, "for=unknown", NULL);
	check_client("10.0.0.1", NULL, "for=_secret", NULL);
	check_client("10.0.0.1", NULL, "proto=https", NULL);
	/* What a client sent must not swallow what the proxy added. */
	check_client("10.0.0.1", NULL, "for=1.1.1.1;x=\", for=198.51.100.7", NULL);
	check_client("10.0.0.1", NULL, "for=1.1.1.1;x=\", for=\"[2001:db8::9]\"", NULL);
	check_client("10.0.0.1", NULL, "for=1.1.1.1;x=\"\\, for=\"[2001:db8::9]\"", NULL);
	check_client("10.0.0.1", NULL, "for=1.1.1.1;x\", for=198.51.100.7;host=\"a\\\"b\"", NULL); /* found by fuzz_forwarded */
	check_client("10.0.0.1", NULL, "for=1.1.1.1;x=\", for=198.51.100.7;host=\"\"", NULL);
	check_client("10.0.0.1", NULL, "for=\"1.1.1.1\" , for=\"198.51.100.7\";host=\"a\\\"b\"", "198.51.100.7");
	/* Nor may a header that the proxy does not write. */
	check_client("10.0.0.1", "1.1.1.1", "for=198.51.100.7", NULL);
	check_client("10.0.0.1", "198.51.100.7", "for=198.51.100.7", "198.51.100.7");
	check_client(NULL, "198.51.100.7", NULL, "198.51.100.7");
	check_client(NULL, NULL, NULL, NULL);
}

static void test_many_hops(void **state)
{
	(void)state;
	char header[4096];
	size_t n = 0;
	for (int i = 0; i < 200; i++)
		n += (size_t)snprintf(header + n, sizeof header - n, "%s%s", i ? ", " : "",
			i == 190 ? "198.51.100.7" : i < 190 ? "1.1.1.1" : "10.0.0.1");
	check_client("10.0.0.1", header, NULL, "198.51.100.7");
}

static void check_language(const char *locale, const char *header, const char *expected)
{
	char out[FW_LANGUAGE_TEXT];
	bool ok = locale ? fw_language_of_locale(fw_str(locale), out) : fw_language_of_header(fw_str(header), out);
	if (ok != (expected != NULL) || (ok && strcmp(out, expected) != 0))
		fail_msg("\"%s\": got %s", locale ? locale : header, ok ? out : "nothing");
}

static void test_language(void **state)
{
	(void)state;
	check_language("en_CA", NULL, "en-CA");
	check_language("EN-ca", NULL, "en-CA");
	check_language("de", NULL, "de");
	check_language("zh_hant_tw", NULL, "zh-Hant-TW");
	check_language("es-419", NULL, "es-419");
	check_language("en_US.UTF-8", NULL, "en-US");
	check_language("ca_ES@valencia", NULL, "ca-ES");
	check_language("", NULL, NULL);
	check_language("C", NULL, NULL);
	check_language("*", NULL, NULL);
	check_language("en--US", NULL, NULL);
	check_language("en-abcdefghi", NULL, NULL);
	check_language("12", NULL, NULL);
	check_language("en-aaaaaaa-aaaaaaa-aaaaaaa-aaaaaaa-aaaaaaa", NULL, NULL);
	check_language(NULL, "en-CA,en;q=0.9,fr;q=0.8", "en-CA");
	check_language(NULL, "fr;q=0.5, de ; q=0.7 ,en;q=0.7", "de");
	check_language(NULL, "*;q=1, nl;q=0.1", "nl");
	check_language(NULL, "en;q=0", NULL);
	check_language(NULL, "en;q=2,fr;q=0.3", "fr");
	check_language(NULL, "en;q=0.9999,fr;q=0.3", "fr");
	check_language(NULL, ",,;q=1,sv", "sv");
	check_language(NULL, "da;q=1.000", "da");
	check_language(NULL, "", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_url_bounds),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_ip),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_many_hops),
		cmocka_unit_test(test_language),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
