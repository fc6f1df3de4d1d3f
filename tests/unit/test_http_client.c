/* The HTTP client against a server of the test's own, on the same loop: what it sends, what it takes for an answer, and that every ask
 * ends once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "http/client.h"

enum { MOST = 1100 };

/* The server: it keeps the last request and gives the answer that it is told to. */
static struct {
	struct event_base *base;
	struct evconnlistener *listener;
	struct bufferevent *open[MOST];
	unsigned connections, requests;
	unsigned port;
	char last[8192];
	const char *answer; /* NULL: none */
	size_t more;        /* bytes that follow it */
	bool closes;        /* once it has answered, and without having said so */
	struct fw_client *client;
} s;

static void drop(struct bufferevent *b)
{
	for (unsigned i = 0; i < MOST; i++)
		if (s.open[i] == b)
			s.open[i] = NULL;
	bufferevent_free(b);
}

static void on_event(struct bufferevent *b, short what, void *ctx)
{
	(void)ctx;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		drop(b);
}

static void on_written(struct bufferevent *b, void *ctx)
{
	(void)ctx;
	if (s.closes)
		drop(b);
}

static void on_read(struct bufferevent *b, void *ctx)
{
	(void)ctx;
	struct evbuffer *in = bufferevent_get_input(b);
	size_t n = evbuffer_get_length(in);
	char *text = (char *)evbuffer_pullup(in, -1);
	const char *end = text ? memmem(text, n, "\r\n\r\n", 4) : NULL;
	const char *length = end ? memmem(text, n, "Content-Length: ", 16) : NULL;
	if (!end || n < (size_t)(end - text) + 4 + (length && length < end ? strtoul(length + 16, NULL, 10) : 0))
		return;
	s.requests++;
	snprintf(s.last, sizeof s.last, "%.*s", (int)n, text);
	evbuffer_drain(in, n);
	if (!s.answer)
		return;
	bufferevent_setcb(b, on_read, on_written, on_event, NULL);
	bufferevent_write(b, s.answer, strlen(s.answer));
	char *more = calloc(1, s.more + 1);
	assert_non_null(more);
	memset(more, 'a', s.more);
	bufferevent_write(b, more, s.more);
	free(more);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *from, int n, void *ctx)
{
	(void)l, (void)from, (void)n, (void)ctx;
	struct bufferevent *b = bufferevent_socket_new(s.base, fd, BEV_OPT_CLOSE_ON_FREE);
	unsigned at = 0;
	while (s.open[at])
		at++;
	s.open[at] = b;
	s.connections++;
	bufferevent_setcb(b, on_read, NULL, on_event, NULL);
	bufferevent_enable(b, EV_READ | EV_WRITE);
}

static int begin(void **state)
{
	(void)state;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof to;
	memset(&s, 0, sizeof s);
	s.base = event_base_new();
	s.listener = evconnlistener_new_bind(s.base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 1024, (struct sockaddr *)&to, sizeof to);
	s.client = fw_client_create(s.base);
	if (!s.listener || !s.client || getsockname(evconnlistener_get_fd(s.listener), (struct sockaddr *)&to, &n) < 0)
		return -1;
	s.port = ntohs(to.sin_port);
	s.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	return 0;
}

static int finish(void **state)
{
	(void)state;
	fw_client_destroy(s.client);
	for (unsigned i = 0; i < MOST; i++)
		if (s.open[i])
			bufferevent_free(s.open[i]);
	evconnlistener_free(s.listener);
	event_base_free(s.base);
	return 0;
}

/* What an ask came to. */
struct got {
	unsigned times;
	int status;
	char body[256];
	size_t n;
	int64_t retry_after_ms;
	char problem[256];
	unsigned again; /* ask so often once more from within */
};

static struct fw_client_ask *ask(const struct fw_client_request *request, struct got *got);

static char *url(const char *path)
{
	static char text[256];
	snprintf(text, sizeof text, "http://127.0.0.1:%u%s", s.port, path);
	return text;
}

static void on_done(void *ctx, const struct fw_client_answer *answer)
{
	struct got *g = ctx;
	g->times++;
	g->status = answer->status;
	g->n = answer->body.n;
	snprintf(g->body, sizeof g->body, "%.*s", (int)(g->n < 200 ? g->n : 200), answer->body.p ? answer->body.p : "");
	g->retry_after_ms = answer->retry_after_ms;
	snprintf(g->problem, sizeof g->problem, "%s", answer->problem ? answer->problem : "");
	assert_true((answer->status == 0) == (answer->problem != NULL));
	if (g->again) {
		g->again--;
		ask(&(struct fw_client_request){ .url = url("/again") }, g);
	}
}

static struct fw_client_ask *ask(const struct fw_client_request *request, struct got *got)
{
	struct fw_client_ask *a = NULL;
	unsigned before = got->times;
	assert_int_equal(fw_client_ask(s.client, request, on_done, got, &a), 0);
	assert_int_equal(got->times, before); /* never before it returns */
	return a;
}

static void turn_until(const unsigned *n, unsigned wanted)
{
	while (*n < wanted)
		assert_int_equal(event_base_loop(s.base, EVLOOP_ONCE), 0);
}

static struct got answer_to(struct fw_client_request request)
{
	struct got got = { .times = 0 };
	if (!request.url)
		request.url = url("/");
	ask(&request, &got);
	turn_until(&got.times, 1);
	return got;
}

static bool sent(const char *text)
{
	return strstr(s.last, text) != NULL;
}

static void test_what_is_sent(void **state)
{
	(void)state;
	static const char *const headers[] = { "X-One: 1", "X-Empty:", "Content-Type: application/json", NULL };
	struct got got = answer_to((struct fw_client_request){ .url = url("/a?b=c%20d") });
	assert_int_equal(got.status, 200);
	assert_string_equal(got.body, "ok");
	assert_int_equal(got.retry_after_ms, -1);
	assert_int_equal(strncmp(s.last, "GET /a?b=c%20d HTTP/1.1\r\nHost: 127.0.0.1:", 40), 0);
	assert_true(sent("\r\nUser-Agent: floorwalker/"));
	assert_false(sent("Content-") || sent("Expect") || sent("Authorization"));

	answer_to((struct fw_client_request){ .body = FW_STR("a=b"), .headers = headers, .user = "ann", .password = "s3:cret" });
	assert_int_equal(strncmp(s.last, "POST / HTTP/1.1\r\n", 17), 0);
	assert_true(sent("\r\nX-One: 1\r\n") && sent("\r\nX-Empty:\r\n") && sent("\r\nContent-Type: application/json\r\n"));
	assert_true(sent("\r\nAuthorization: Basic YW5uOnMzOmNyZXQ=\r\n") && sent("\r\nContent-Length: 3\r\n") && sent("\r\n\r\na=b"));

	answer_to((struct fw_client_request){ .body = { "a\0b", 3 } });
	assert_false(sent("Content-Type"));
	assert_true(sent("\r\nContent-Length: 3\r\n"));
	answer_to((struct fw_client_request){ .method = "PUT" });
	assert_int_equal(strncmp(s.last, "PUT / ", 6), 0);
	assert_true(sent("\r\nContent-Length: 0\r\n"));
	answer_to((struct fw_client_request){ .method = "DELETE" });
	assert_int_equal(strncmp(s.last, "DELETE / ", 9), 0);
	assert_false(sent("Content-Length"));
	assert_int_equal(s.connections, 1);
	assert_int_equal(s.requests, 5);
}

static void test_head_has_no_body(void **state)
{
	(void)state;
	s.answer = "HTTP/1.1 204 No Content\r\nContent-Length: 1000\r\n\r\n";
	struct got got = answer_to((struct fw_client_request){ .method = "HEAD" });
	assert_int_equal(got.status, 204);
	assert_int_equal(got.n, 0);
	assert_int_equal(strncmp(s.last, "HEAD / ", 7), 0);
}

static void test_an_answer_is_an_answer(void **state)
{
	(void)state;
	s.answer = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
	assert_int_equal(answer_to((struct fw_client_request){ .method = "GET" }).status, 302);
	assert_int_equal(s.requests, 1);
	s.answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbad\r\n0\r\n\r\n";
	struct got got = answer_to((struct fw_client_request){ .method = "GET" });
	assert_int_equal(got.status, 500);
	assert_string_equal(got.body, "bad");
}

static void test_no_answer(void **state)
{
	(void)state;
	s.answer = NULL;
	struct got got = answer_to((struct fw_client_request){ .timeout_ms = 50 });
	assert_string_equal(got.problem, "there was no answer within 50 ms");
	s.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"; /* and then silence */
	assert_string_equal(answer_to((struct fw_client_request){ .timeout_ms = 50 }).problem, "there was no answer within 50 ms");
	s.closes = true;
	assert_int_equal(answer_to((struct fw_client_request){ .method = "GET" }).status, 0);
	s.answer = "220 mail.example ESMTP\r\n";
	assert_int_equal(answer_to((struct fw_client_request){ .method = "GET" }).status, 0);

	got = answer_to((struct fw_client_request){ .url = "http://ann:s3cret@127.0.0.1:1/" });
	assert_int_equal(got.status, 0);
	assert_non_null(strstr(got.problem, "127.0.0.1 port 1"));
	assert_null(strstr(got.problem, "s3cret"));
}

static void test_large_answers(void **state)
{
	(void)state;
	char head[64];
	snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", FW_LIMIT_CLIENT_BODY_BYTES);
	s.answer = head;
	s.more = FW_LIMIT_CLIENT_BODY_BYTES;
	assert_int_equal(answer_to((struct fw_client_request){ .method = "GET" }).n, FW_LIMIT_CLIENT_BODY_BYTES);
	snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", FW_LIMIT_CLIENT_BODY_BYTES + 1);
	s.more++;
	assert_string_equal(answer_to((struct fw_client_request){ .method = "GET" }).problem, "the answer is too large");
	s.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n";
	assert_string_equal(answer_to((struct fw_client_request){ .method = "GET" }).problem, "the answer is too large");
	s.answer = "HTTP/1.1 200 OK\r\nX-Long: ";
	s.more = FW_LIMIT_CLIENT_HEADER_BYTES;
	assert_int_equal(answer_to((struct fw_client_request){ .timeout_ms = 200 }).status, 0);
	/* Many small ones come to the same. */
	struct fw_buf many;
	fw_buf_init(&many, 0);
	fw_buf_puts(&many, "HTTP/1.1 200 OK\r\n");
	while (many.n < FW_LIMIT_CLIENT_HEADER_BYTES)
		fw_buf_puts(&many, "X-A: aaaaaaaaaaaaa\r\n");
	s.answer = fw_buf_text(&many);
	s.more = 0;
	assert_string_equal(answer_to((struct fw_client_request){ .timeout_ms = 2000 }).problem, "the answer's headers are too large");
	fw_buf_finish(&many);
}

static void test_retry_after(void **state)
{
	(void)state;
	const int64_t now = INT64_C(1700000000) * 1000000; /* Tue, 14 Nov 2023 22:13:20 GMT */
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "0", 0 }, { "120", 120000 }, { " 7 ", 7000 }, { "99999999999999999999999", FW_LIMIT_CLIENT_RETRY_MS },
		{ "Tue, 14 Nov 2023 22:15:20 GMT", 120000 }, { "Tuesday, 14-Nov-23 22:13:21 GMT", 1000 },
		{ "Tue Nov 14 22:13:30 2023", 10000 },
		{ "Tue, 14 Nov 2023 22:13:19 GMT", 0 }, { "Fri, 14 Nov 2053 22:13:19 GMT", FW_LIMIT_CLIENT_RETRY_MS },
		{ "", -1 }, { "soon", -1 }, { "-1", -1 }, { "1.5", -1 }, { "12 s", -1 }, { "2023-11-14 22:15:20", -1 },
		{ "Tue, 14 Nov 2023 22:15:20 GMT and something that makes it longer than any", -1 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(fw_client_retry_after_ms(fw_str(cases[i].text), now), cases[i].ms);

	s.answer = "HTTP/1.1 429 Too Many\r\nretry-after: 3\r\nContent-Length: 0\r\n\r\n";
	struct got got = answer_to((struct fw_client_request){ .method = "GET" });
	assert_int_equal(got.status, 429);
	assert_int_equal(got.retry_after_ms, 3000);
	s.answer = "HTTP/1.1 503 Away\r\nRetry-After: Fri, 14 Nov 2053 22:13:19 GMT\r\nContent-Length: 0\r\n\r\n";
	assert_int_equal(answer_to((struct fw_client_request){ .method = "GET" }).retry_after_ms, FW_LIMIT_CLIENT_RETRY_MS);
}

static void test_what_is_refused(void **state)
{
	(void)state;
	static const char *const urls[] = { NULL, "", "/path", "127.0.0.1:1/", "ftp://127.0.0.1/", "file:///etc/hostname", "http://",
		"http://a b/", "http://a/\r\nX: y", "gopher://127.0.0.1/", "smtp://127.0.0.1/" };
	struct fw_client_ask *a = NULL;
	struct got got = { .times = 0 };
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
		assert_int_equal(fw_client_ask(s.client, &(struct fw_client_request){ .url = urls[i] }, on_done, &got, &a), FW_EINVAL);
	assert_null(a);

	static const char *const wrong[] = { "X: a\r\nEvil: b", "X: a\nEvil: b", "X: a\r", "X: a\x01", "no colon", ": nothing",
		"a b: c", "" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		const char *const headers[] = { "X-Good: yes", wrong[i], NULL };
		got = answer_to((struct fw_client_request){ .headers = headers });
		assert_string_equal(got.problem, "a header is none: it must be a name, a colon and a value on one line");
	}
	static const char *const methods[] = { "", "GET /x", "GET\r\nX: y" };
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		assert_string_equal(answer_to((struct fw_client_request){ .method = methods[i] }).problem, "the method is none");
	assert_int_equal(s.connections, 0);
}

/* Asks that wait for a connection are given up in time as well, without having been sent. */
static void test_connections_to_a_host(void **state)
{
	(void)state;
	enum { WAITING = 20 };
	static struct got got[FW_LIMIT_CLIENT_CONNECTIONS + WAITING];
	struct fw_client_ask *asks[FW_LIMIT_CLIENT_CONNECTIONS];
	memset(got, 0, sizeof got);
	s.answer = NULL;
	for (unsigned i = 0; i < FW_LIMIT_CLIENT_CONNECTIONS; i++)
		asks[i] = ask(&(struct fw_client_request){ .url = url("/") }, &got[i]);
	turn_until(&s.requests, FW_LIMIT_CLIENT_CONNECTIONS);
	for (unsigned i = 0; i < WAITING; i++)
		ask(&(struct fw_client_request){ .url = url("/"), .timeout_ms = 50 }, &got[FW_LIMIT_CLIENT_CONNECTIONS + i]);
	for (unsigned i = 0; i < WAITING; i++) {
		turn_until(&got[FW_LIMIT_CLIENT_CONNECTIONS + i].times, 1);
		assert_string_equal(got[FW_LIMIT_CLIENT_CONNECTIONS + i].problem, "there was no answer within 50 ms");
	}
	assert_int_equal(s.requests, FW_LIMIT_CLIENT_CONNECTIONS);
	/* One that waits has its turn when another is over. */
	s.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	struct got last = { .times = 0 };
	ask(&(struct fw_client_request){ .url = url("/") }, &last);
	fw_client_drop(asks[0]);
	turn_until(&last.times, 1);
	assert_int_equal(last.status, 200);
	for (unsigned i = 1; i < FW_LIMIT_CLIENT_CONNECTIONS; i++)
		fw_client_drop(asks[i]);
}

static void test_asks_at_once(void **state)
{
	(void)state;
	static struct got got[FW_LIMIT_CLIENT_ASKS + 1];
	static struct fw_client_ask *asks[FW_LIMIT_CLIENT_ASKS + 1];
	memset(got, 0, sizeof got);
	s.answer = NULL;
	for (unsigned i = 0; i <= FW_LIMIT_CLIENT_ASKS; i++)
		asks[i] = ask(&(struct fw_client_request){ .url = url("/") }, &got[i]);
	turn_until(&got[FW_LIMIT_CLIENT_ASKS].times, 1);
	assert_string_equal(got[FW_LIMIT_CLIENT_ASKS].problem, "too many requests are on their way");
	for (unsigned i = 0; i < FW_LIMIT_CLIENT_ASKS; i++)
		fw_client_drop(asks[i]);
	s.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	assert_int_equal(answer_to((struct fw_client_request){ .method = "GET" }).status, 200);
	for (unsigned i = 0; i < FW_LIMIT_CLIENT_ASKS; i++)
		assert_int_equal(got[i].times, 0); /* who drops is not told */
}

static void test_asking_from_within(void **state)
{
	(void)state;
	struct got got = { .again = 5 };
	ask(&(struct fw_client_request){ .url = url("/") }, &got);
	turn_until(&got.times, 6);
	assert_int_equal(s.connections, 1);
	assert_true(sent("GET /again "));
	/* A connection that was closed in between is not the asker's trouble. */
	s.closes = true;
	assert_int_equal(answer_to((struct fw_client_request){ .method = "GET" }).status, 200);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(answer_to((struct fw_client_request){ .body = FW_STR("x") }).status, 200);
}

static void test_no_proxy_is_taken_from_the_environment(void **state)
{
	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(answer_to((struct fw_client_request){ .method = "GET" }).status, 200);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
}

static void on_end(void *ctx, const struct fw_client_answer *answer)
{
	unsigned *ended = ctx;
	struct fw_client_ask *a;
	assert_int_equal(answer->status, 0);
	assert_string_equal(answer->problem, "the client ends");
	++*ended;
	assert_int_equal(fw_client_ask(s.client, &(struct fw_client_request){ .url = url("/") }, on_end, ended, &a), FW_EBUSY);
}

static void test_destroy_ends_what_is_open(void **state)
{
	(void)state;
	unsigned ended = 0;
	struct fw_client_ask *a;
	s.answer = NULL;
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(fw_client_ask(s.client, &(struct fw_client_request){ .url = url("/") }, on_end, &ended, &a), 0);
	turn_until(&s.requests, 10);
	fw_client_destroy(s.client);
	assert_int_equal(ended, 40);
	s.client = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_sent, begin, finish),
		cmocka_unit_test_setup_teardown(test_head_has_no_body, begin, finish),
		cmocka_unit_test_setup_teardown(test_an_answer_is_an_answer, begin, finish),
		cmocka_unit_test_setup_teardown(test_no_answer, begin, finish),
		cmocka_unit_test_setup_teardown(test_large_answers, begin, finish),
		cmocka_unit_test_setup_teardown(test_retry_after, begin, finish),
		cmocka_unit_test_setup_teardown(test_what_is_refused, begin, finish),
		cmocka_unit_test_setup_teardown(test_connections_to_a_host, begin, finish),
		cmocka_unit_test_setup_teardown(test_asks_at_once, begin, finish),
		cmocka_unit_test_setup_teardown(test_asking_from_within, begin, finish),
		cmocka_unit_test_setup_teardown(test_no_proxy_is_taken_from_the_environment, begin, finish),
		cmocka_unit_test_setup_teardown(test_destroy_ends_what_is_open, begin, finish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
