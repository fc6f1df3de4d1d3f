#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "http/parse.h"

/* What became of a text: 0 when it needs more, 200 when it is a whole request, else the status of its refusal. */
struct outcome {
	int status;
	enum fw_http_reason reason;
	struct fw_http_head head;
	struct fw_http_field fields[200];
	char body[256];
	size_t body_n, used;
};

static struct fw_http_limits limits;

static int refused(struct outcome *o, const struct fw_http_refusal *refusal)
{
	assert_non_null(refusal->message);
	o->status = refusal->status;
	o->reason = refusal->reason;
	return 0;
}

static void read_body(struct outcome *o, const char *text, size_t n, size_t step)
{
	struct fw_http_refusal refusal;
	struct fw_http_body body;
	enum fw_http_progress r = fw_http_body_begin(&body, &o->head, &limits, &refusal);
	while (r == FW_HTTP_MORE && o->used < n) {
		struct fw_str piece;
		size_t used, give = n - o->used < step ? n - o->used : step;
		r = fw_http_body_feed(&body, text + o->used, give, &used, &piece, &limits, &refusal);
		assert_true(used > 0 && used <= give && piece.n <= used);
		assert_true(o->body_n + piece.n <= sizeof o->body);
		memcpy(o->body + o->body_n, piece.p, piece.n);
		o->body_n += piece.n;
		o->used += used;
	}
	if (r == FW_HTTP_BAD)
		refused(o, &refusal);
	else
		o->status = r == FW_HTTP_DONE ? 200 : 0;
}

/* Reads a text that grows by `step` bytes at a time. */
static void read_text(struct outcome *o, const char *text, size_t n, size_t step)
{
	struct fw_http_refusal refusal;
	struct fw_http_scan scan = { 0 };
	enum fw_http_progress r = FW_HTTP_MORE;
	*o = (struct outcome){ 0 };
	for (size_t given = step < n ? step : n; r == FW_HTTP_MORE; given = given + step < n ? given + step : n) {
		r = fw_http_scan_head(&scan, text, given, &limits, &refusal);
		if (given == n)
			break;
	}
	if (r == FW_HTTP_MORE)
		return;
	if (r == FW_HTTP_DONE) {
		o->used = scan.end;
		assert_true(scan.lines <= sizeof o->fields / sizeof *o->fields);
		r = fw_http_parse_head(text + scan.start, scan.end - scan.start, &limits, o->fields, scan.lines, &o->head, &refusal);
	}
	if (r == FW_HTTP_BAD)
		refused(o, &refusal);
	else
		read_body(o, text, n, step);
}

static const char host[] = "GET / HTTP/1.1\r\nHost: x\r\n";
static const char chunked[] = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
	const char *before, *text;
	size_t n;
	int status;
	enum fw_http_reason reason;
} table[] = {
	{ host, TEXT("\r\n"), 200, 0 },
	{ host, TEXT(""), 0, 0 },
	{ host, TEXT("\r"), 0, 0 },
	{ host, TEXT("X-A: b\r\n\r\n"), 200, 0 },
	{ host, TEXT("Content-Length: 2\r\n\r\nhi"), 200, 0 },
	{ host, TEXT("Content-Length: 2\r\n\r\nh"), 0, 0 },
	{ host, TEXT("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ host, TEXT("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ host, TEXT("Transfer-Encoding: gzip, chunked\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ host, TEXT("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ host, TEXT("Transfer-Encoding: \"chunked\"\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ host, TEXT("Content-Length: 5\r\nContent-Length: 6\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ host, TEXT("Content-Length: 5\r\ncontent-length: 5\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ host, TEXT("Content-Length: +5\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ host, TEXT("Content-Length: 5,5\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ host, TEXT("Content-Length: \r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ host, TEXT("Content-Length: 99999999999999999999\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ host, TEXT("Content-Length: 1001\r\n\r\n"), 413, FW_HTTP_REASON_BODY_SIZE },
	{ host, TEXT("Host: x\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ host, TEXT("X-A : b\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ host, TEXT("X A: b\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ host, TEXT(": b\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ host, TEXT("X-A\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ host, TEXT("X-A: a\0b\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ host, TEXT("X-A: a\x7f\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ host, TEXT("X-A: a\r b\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ host, TEXT("X-A: a\r\n b\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ host, TEXT("X-A: a\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ host, TEXT("\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ host, TEXT("Expect: 200-ok\r\n\r\n"), 417, FW_HTTP_REASON_EXPECTATION },
	{ host, TEXT("Content-Encoding: deflate\r\n\r\n"), 415, FW_HTTP_REASON_ENCODING },
	{ "", TEXT("GET / HTTP/1.1\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ "", TEXT("GET / HTTP/1.0\r\n\r\n"), 200, 0 },
	{ "", TEXT("GET / HTTP/1.0\r\nHost: a b\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ "", TEXT("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ "", TEXT("GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ "", TEXT("GET http://x:1/ HTTP/1.1\r\nHost: x\r\n\r\n"), 400, FW_HTTP_REASON_AMBIGUOUS },
	{ "", TEXT("GET HTTPS://X/ HTTP/1.1\r\nHost: x\r\n\r\n"), 200, 0 },
	{ "", TEXT("GET / HTTP/1.1\r\n\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ "", TEXT("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ "", TEXT("GET / HTTP/1.1 \r\nHost: x\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ "", TEXT("GET /\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ "", TEXT("GET HTTP/1.1\r\nHost: x\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ "", TEXT("GET / HTTP/3.0\r\nHost: x\r\n\r\n"), 505, FW_HTTP_REASON_NOT_SERVED },
	{ "", TEXT("TRACE / HTTP/1.1\r\nHost: x\r\n\r\n"), 501, FW_HTTP_REASON_NOT_SERVED },
	{ "", TEXT("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), 200, 0 },
	{ "", TEXT("\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ "", TEXT("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ "", TEXT("\x16\x03\x01"), 400, FW_HTTP_REASON_MALFORMED },
	{ chunked, TEXT("2\r\nhi\r\n0\r\n\r\n"), 200, 0 },
	{ chunked, TEXT("1\r\nh\r\n01\r\ni\r\n00;a=b\r\nA: b\r\nC: d\r\n\r\n"), 200, 0 },
	{ chunked, TEXT("2\r\nhi\r\n0\r\n\r"), 0, 0 },
	{ chunked, TEXT("0x2\r\nhi\r\n0\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ chunked, TEXT("2\nhi\r\n0\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ chunked, TEXT("2\rXhi\r\n0\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ chunked, TEXT("2 \r\nhi\r\n0\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ chunked, TEXT("2;\n\r\nhi\r\n0\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ chunked, TEXT("2\r\nhiXX0\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ chunked, TEXT("2\r\nhi\n0\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ chunked, TEXT("\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ chunked, TEXT("0\r\n a: b\r\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ chunked, TEXT("0\r\na: b\n\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ chunked, TEXT("3e9\r\n"), 413, FW_HTTP_REASON_BODY_SIZE },
	{ chunked, TEXT("1000000000000000\r\n"), 400, FW_HTTP_REASON_MALFORMED },
	{ chunked, TEXT("fffffffffffffff\r\n"), 413, FW_HTTP_REASON_BODY_SIZE },
};

static void test_table(void **state)
{
	(void)state;
	char text[512];
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		size_t before = strlen(table[i].before), n = before + table[i].n;
		memcpy(text, table[i].before, before);
		memcpy(text + before, table[i].text, table[i].n);
		for (size_t step = 1; step <= n; step = step < 8 ? step + 1 : step * 2) {
			/* A copy of its own size, so that a sanitizer sees what is read beyond it. */
			char *copy = malloc(n);
			assert_non_null(copy);
			memcpy(copy, text, n);
			struct outcome o;
			read_text(&o, copy, n, step);
			if (o.status != table[i].status || o.reason != table[i].reason)
				fail_msg("%d (%s), not %d, step %zu, for:\n%s%s", o.status, fw_http_reason_name(o.reason), table[i].status,
					step, table[i].before, table[i].text);
			if (o.status == 200 && o.body_n)
				assert_memory_equal(o.body, "hi", 2);
			free(copy);
		}
	}
}

static void test_parts(void **state)
{
	(void)state;
	static const char text[] = "PUT /a/b?c=d HTTP/1.1\r\nHOST: shop.example:80\r\nX-A:  b \t\r\nX-Empty:\r\n"
		"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nConnection: close\r\n"
		"Content-Encoding: GZIP\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\nhi";
	struct outcome o;
	read_text(&o, text, sizeof text - 1, sizeof text);
	assert_int_equal(o.status, 200);
	assert_int_equal(o.head.method, FW_HTTP_PUT);
	assert_true(fw_str_is(o.head.path, "/a/b"));
	assert_true(fw_str_is(o.head.query, "c=d"));
	assert_true(fw_str_is(o.head.host, "shop.example:80"));
	assert_int_equal(o.head.traceparent.n, 55);
	assert_int_equal(o.head.n_fields, 8);
	assert_true(fw_str_is(o.head.fields[1].name, "X-A") && fw_str_is(o.head.fields[1].value, "b"));
	assert_true(fw_str_is(o.head.fields[2].name, "X-Empty") && o.head.fields[2].value.n == 0);
	assert_true(o.head.gzip && o.head.expect_continue && !o.head.keep_alive && !o.head.chunked);
	assert_int_equal(o.head.content_length, 2);
	assert_int_equal(o.head.minor, 1);
	assert_int_equal(o.used, sizeof text - 1);
}

/* Each limit, met exactly and exceeded by one. */
static void test_limits(void **state)
{
	(void)state;
	struct outcome o;
	char text[4096];
	for (int more = 0; more < 2; more++) {
		int n = snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\nHost: x\r\n\r\n", (int)limits.url_bytes - 1 + more, 0);
		read_text(&o, text, (size_t)n, (size_t)n);
		assert_int_equal(o.status, more ? 414 : 200);
		int rest = (int)sizeof "GET / HTTP/1.1\r\nHost: x\r\nA: \r\n\r\n" - 1;
		n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: x\r\nA: %0*d\r\n\r\n", (int)limits.header_bytes - rest + more, 0);
		read_text(&o, text, (size_t)n, (size_t)n);
		assert_int_equal(o.status, more ? 431 : 200);
		n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: x\r\n");
		for (unsigned i = 1; i < limits.headers + (unsigned)more; i++)
			n += snprintf(text + n, sizeof text - (size_t)n, "A: b\r\n");
		n += snprintf(text + n, sizeof text - (size_t)n, "\r\n");
		read_text(&o, text, (size_t)n, (size_t)n);
		assert_int_equal(o.status, more ? 431 : 200);
	}
}

static void test_limits_check(void **state)
{
	(void)state;
	struct fw_http_limits wrong;
	struct fw_error err;
	fw_http_limits_default(&wrong);
	assert_int_equal(fw_http_limits_check(&wrong, &err), 0);
	wrong.pipelined = 0;
	assert_int_equal(fw_http_limits_check(&wrong, &err), FW_EINVAL);
	assert_non_null(strstr(err.message, "pipelined"));
}

static int set_limits(void **state)
{
	(void)state;
	fw_http_limits_default(&limits);
	limits.body_bytes = 1000;
	limits.header_bytes = 600;
	limits.url_bytes = 200;
	limits.headers = 12;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table), cmocka_unit_test(test_parts), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_limits_check),
	};
	return cmocka_run_group_tests(tests, set_limits, NULL);
}
