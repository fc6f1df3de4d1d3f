#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "http/route.h"
#include "http/uri.h"

static int targets[4];

enum { GET = FW_HTTP_MASK(FW_HTTP_GET), POST = FW_HTTP_MASK(FW_HTTP_POST), DELETE = FW_HTTP_MASK(FW_HTTP_DELETE) };

static struct fw_http_routes *shop(void)
{
	struct fw_http_routes *r = fw_http_routes_create();
	struct fw_error err;
	assert_non_null(r);
	assert_int_equal(fw_http_route_add(r, POST, "/v1/decide", FW_HTTP_ROUTE_EXACT, "web", &targets[0], &err), 0);
	assert_int_equal(fw_http_route_add(r, GET, "/v1/visitors/", FW_HTTP_ROUTE_PREFIX, "web", &targets[1], &err), 0);
	assert_int_equal(fw_http_route_add(r, DELETE, "/v1/visitors/", FW_HTTP_ROUTE_PREFIX, "web", &targets[2], &err), 0);
	assert_int_equal(fw_http_route_add(r, GET, "/v1/", FW_HTTP_ROUTE_PREFIX, "log", &targets[3], &err), 0);
	return r;
}

static void test_find(void **state)
{
	(void)state;
	struct fw_http_routes *r = shop();
	struct fw_http_route_match m = fw_http_route_find(r, FW_HTTP_POST, FW_STR("/v1/decide"));
	assert_int_equal(m.status, 200);
	assert_ptr_equal(m.target, &targets[0]);
	assert_string_equal(m.owner, "web");
	m = fw_http_route_find(r, FW_HTTP_GET, FW_STR("/v1/decide"));
	assert_int_equal(m.status, 405);
	char buf[64];
	assert_string_equal(fw_http_allow_text(m.allowed, buf, sizeof buf), "POST");
	m = fw_http_route_find(r, FW_HTTP_HEAD, FW_STR("/v1/visitors/u%2F7/timeline"));
	assert_ptr_equal(m.target, &targets[1]);
	assert_true(fw_str_is(m.rest, "u%2F7/timeline"));
	m = fw_http_route_find(r, FW_HTTP_DELETE, FW_STR("/v1/visitors/"));
	assert_ptr_equal(m.target, &targets[2]);
	assert_int_equal(m.rest.n, 0);
	m = fw_http_route_find(r, FW_HTTP_PUT, FW_STR("/v1/visitors/a"));
	assert_string_equal(fw_http_allow_text(m.allowed, buf, sizeof buf), "GET, HEAD, DELETE");
	m = fw_http_route_find(r, FW_HTTP_GET, FW_STR("/v1/visitors"));
	assert_ptr_equal(m.target, &targets[3]);
	assert_int_equal(fw_http_route_find(r, FW_HTTP_GET, FW_STR("/v1")).status, 404);
	assert_int_equal(fw_http_route_find(r, FW_HTTP_GET, FW_STR("/V1/decide")).status, 404);
	fw_http_routes_destroy(r);
}

static void refuses(struct fw_http_routes *r, unsigned methods, const char *path, enum fw_http_route_kind kind,
	const char *owner, const char *message)
{
	struct fw_error err = { 0 };
	assert_int_equal(fw_http_route_add(r, methods, path, kind, owner, NULL, &err), FW_EINVAL);
	assert_string_equal(err.message, message);
}

static void test_claims(void **state)
{
	(void)state;
	struct fw_http_routes *r = shop();
	refuses(r, GET, "/v1/decide", FW_HTTP_ROUTE_EXACT, "log", "web and log both claim \"/v1/decide\"");
	refuses(r, POST, "/v1/decide", FW_HTTP_ROUTE_EXACT, "web", "web claims \"/v1/decide\" twice");
	refuses(r, GET, "/v1/visitors/", FW_HTTP_ROUTE_PREFIX, "email", "web and email both claim \"/v1/visitors/\"");
	refuses(r, GET, "v1", FW_HTTP_ROUTE_EXACT, "web", "web claims \"v1\", which is no path");
	refuses(r, GET, "/sms", FW_HTTP_ROUTE_PREFIX, "sms", "sms claims \"/sms\", which is no path that ends with a slash");
	refuses(r, 0, "/x", FW_HTTP_ROUTE_EXACT, "web", "web claims \"/x\" for no method that is served");
	fw_http_routes_destroy(r);
	fw_http_routes_destroy(NULL);
}

static void path_is(const char *raw, const char *decoded)
{
	char out[128];
	size_t n = 0;
	bool ok = fw_uri_decode_path(fw_str(raw), out, &n);
	assert_int_equal(ok, decoded != NULL);
	if (decoded)
		assert_true(fw_str_is((struct fw_str){ out, n }, decoded));
}

static void test_paths(void **state)
{
	(void)state;
	path_is("/", "/");
	path_is("/a%41%c3%a9", "/aA\xc3\xa9");
	path_is("/a%2fb%2F..", "/a%2Fb%2F..");
	path_is("/...", "/...");
	path_is("//.a/b.", "//.a/b.");
	path_is("", NULL);
	path_is("a", NULL);
	path_is("/.", NULL);
	path_is("/..", NULL);
	path_is("/a/./b", NULL);
	path_is("/a/%2e%2e", NULL);
	path_is("/a/.%2E/b", NULL);
	path_is("/%", NULL);
	path_is("/%4", NULL);
	path_is("/%4g", NULL);
	path_is("/%00", NULL);
	path_is("/%0a", NULL);
	path_is("/%7f", NULL);
	path_is("/%c3", NULL);
}

static void test_params(void **state)
{
	(void)state;
	struct fw_str query = FW_STR("ab=1&a=2&&a=3&c&d=");
	assert_true(fw_str_is(fw_uri_param(query, "a"), "2"));
	assert_true(fw_str_is(fw_uri_param(query, "ab"), "1"));
	assert_true(fw_str_is(fw_uri_param(query, "c"), ""));
	assert_true(fw_str_is(fw_uri_param(query, "d"), ""));
	assert_null(fw_uri_param(query, "b").p);
	assert_null(fw_uri_param((struct fw_str){ NULL, 0 }, "b").p);
}

static void test_traceparent(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool valid;
	} all[] = {
		{ "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true },
		{ "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff", true },
		{ "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", false },
		{ "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", true },
		{ "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x", false },
		{ "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true },
		{ "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false },
		{ "00-00000000000000000000000000000000-b7ad6b7169203331-01", false },
		{ "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false },
		{ "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false },
		{ "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false },
		{ "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false },
		{ "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false },
		{ "", false },
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (fw_traceparent_valid(fw_str(all[i].text)) != all[i].valid)
			fail_msg("%s", all[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find), cmocka_unit_test(test_claims), cmocka_unit_test(test_paths),
		cmocka_unit_test(test_params), cmocka_unit_test(test_traceparent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
