/* The plugin sms: its configuration, what it asks of a gateway, and what comes of each answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib_sms.h"

static struct fw_plugin_problem problem;
static int64_t within_us = 60000000; /* what the host gives */

static int deliver(const char *to, const char *json)
{
	struct fw_plugin_message m = { sizeof m, 1, "m1", to, text_of(json), h.now_us + within_us };
	problem = (struct fw_plugin_problem){ .message = "" };
	return floorwalker_plugin.deliver(self, &m, &problem);
}

static int deliver_hello(void)
{
	return deliver("+4930123456", "{\"rule\":\"r\",\"content\":{\"text\":\"Hello – Ann\"}}");
}

static void test_settings(void **state)
{
	static const struct {
		const char *const *base;
		const char *key, *value, *says;
	} bad[] = {
		{ kannel, "gateway", "smpp", "gateway is none" },
		{ kannel, "url", "127.0.0.1:13013", "url is no address" },
		{ kannel, "url", "http://u:p@127.0.0.1", "url is no address" },
		{ kannel, "url", "http:///x", "url is no address" },
		{ kannel, "username", "", "username is empty" },
		{ kannel, "password", "a\nb", "password is empty, too long or has a control character" },
		{ kannel, "from", "a long sender's name", "from is nothing" },
		{ kannel, "from", "MG0123456789abcdef0123456789abcdef", "from is nothing" },
		{ kannel, "token", "x", "token is nothing that the gateway \"kannel\" has" },
		{ kannel, "secret", "short", "secret is too short" },
		{ kannel, "callback", "shop.example", "callback is no address" },
		{ kannel, "help", "я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я "
			"я я я я я я я я я я я я я я я я я я я "
			"я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я я", "help takes more" },
		{ kannel, "usrname", "x", "usrname is not known" },
		{ twilio, "account", "AC1/..", "account is none" },
		{ twilio, "callback", NULL, "callback is not set" },
		{ twilio, "secret", "0123456789abcdef", "secret is nothing" },
	};
	static const double counts[] = { -1, 0.5, 2.5, 11 };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		configured(bad[i].base, bad[i].key, bad[i].value);
		problem = (struct fw_plugin_problem){ .message = "" };
		assert_int_equal(floorwalker_plugin.configure(&host, configuration(), &problem), -1);
		if (!strstr(problem.message, bad[i].says))
			fail_msg("%s: \"%s\" instead of \"%s\"", bad[i].key, problem.message, bad[i].says);
	}
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		configured(kannel, NULL, NULL);
		h.max_segments = counts[i];
		problem = (struct fw_plugin_problem){ .message = "" };
		assert_int_equal(floorwalker_plugin.configure(&host, configuration(), &problem), -1);
		assert_int_equal(strncmp(problem.message, "max_segments is ", 16), 0);
		assert_string_equal(problem.hint, "a whole number from 1 to 10 goes there");
	}
	configured(kannel, NULL, NULL);
	problem = (struct fw_plugin_problem){ .message = "" };
	assert_int_equal(floorwalker_plugin.configure(&host, text_of("{\"max_segments\":\"5\"}"), &problem), -1);
	assert_string_equal(problem.message, "max_segments is \"5\"");
	assert_int_equal(floorwalker_plugin.configure(&host, text_of("{\"secret\":1234567890123456}"), &problem), -1);
	assert_string_equal(problem.message, "secret is no text");
	assert_int_equal(floorwalker_plugin.configure(&host, configuration(), &problem), 0);
	configured(twilio, NULL, NULL);
	assert_int_equal(floorwalker_plugin.configure(&host, configuration(), &problem), 0);
}

static void test_kannel_is_asked(void **state)
{
	char token[COMMON_MARK_BYTES + 1], report[256];
	(void)state;
	begin_with(kannel, "smsc", "A");
	assert_int_equal(deliver_hello(), FW_PLUGIN_PENDING);
	token_of(token);
	snprintf(report, sizeof report, "X-Kannel-DLR-Url: http://127.0.0.1:8080/sms/report/kannel/%s?type=%%d&answer=%%A\n", token);
	assert_string_equal(h.method, "POST");
	assert_string_equal(h.url, "http://127.0.0.1:13013/cgi-bin/sendsms");
	assert_string_equal(h.body, "Hello - Ann");
	assert_non_null(strstr(h.headers, "Content-Type: text/plain; charset=UTF-8\nX-Kannel-Username: u\nX-Kannel-Password: p\n"
		"X-Kannel-From: 12345\nX-Kannel-To: +4930123456\nX-Kannel-Coding: 0\nX-Kannel-SMSC: A\nX-Kannel-DLR-Mask: 31\n"));
	assert_non_null(strstr(h.headers, report));
	gateway_says(202, "3: Queued for later delivery", -1);
	assert_string_equal(h.result_id, "m1");
	assert_int_equal(h.outcome, FW_PLUGIN_ACCEPTED);
	assert_int_equal(h.metrics[SMS_METRIC_ACCEPTED], 1);
	assert_int_equal(h.metrics[SMS_METRIC_SEGMENTS], 1);

	/* The same token in each attempt, and a path of the operator's own. */
	end(state);
	begin_with(kannel, "url", "http://127.0.0.1:13013/send/");
	assert_int_equal(deliver("+4930123456", "{\"content\":{\"text\":\"Привет\"}}"), FW_PLUGIN_PENDING);
	assert_string_equal(h.url, "http://127.0.0.1:13013/send");
	assert_non_null(strstr(h.headers, "X-Kannel-Coding: 2\n"));
	assert_non_null(strstr(h.headers, report));
	assert_null(strstr(h.headers, "SMSC"));
}

static void test_what_is_never_sent(void **state)
{
	char json[2048];
	(void)state;
	begin(kannel);
	assert_int_equal(deliver("u-7", "{\"content\":{\"text\":\"a\"}}"), FW_PLUGIN_FAILED);
	assert_int_equal(deliver("+4930123456", "{\"content\":{}}"), FW_PLUGIN_FAILED);
	assert_non_null(strstr(problem.message, "content.text is missing"));
	assert_int_equal(deliver("+4930123456", "{\"content\":{\"text\":\"\"}}"), FW_PLUGIN_FAILED);
	assert_int_equal(deliver("+4930123456", "{\"content\":{\"text\":\"\\u200b\"}}"), FW_PLUGIN_FAILED);
	snprintf(json, sizeof json, "{\"content\":{\"text\":\"%0460d\"}}", 0);
	assert_int_equal(deliver("+4930123456", json), FW_PLUGIN_FAILED);
	assert_string_equal(problem.message, "the text takes 4 segments, and max_segments is 3");
	assert_int_equal(h.metrics[SMS_METRIC_REFUSED], 5);
	snprintf(json, sizeof json, "{\"content\":{\"text\":\"%0459d\"}}", 0);
	assert_int_equal(h.asks, 0);
	assert_int_equal(deliver("+4930123456", json), FW_PLUGIN_PENDING);
	assert_int_equal(h.asks, 1);
	h.unsigned_yet = true;
	assert_int_equal(deliver_hello(), FW_PLUGIN_RETRY);
	h.unsigned_yet = false;
	h.no_http = true;
	assert_int_equal(deliver_hello(), FW_PLUGIN_RETRY);
}

/* The host makes the next attempt when the time of this one is over: the gateway is not asked beyond it, nor is its answer told then. */
static void test_time(void **state)
{
	(void)state;
	begin(kannel);
	assert_int_equal(deliver_hello(), FW_PLUGIN_PENDING);
	assert_int_equal(h.timeout_ms, 10000);
	within_us = 4000000;
	assert_int_equal(deliver_hello(), FW_PLUGIN_PENDING);
	assert_int_equal(h.timeout_ms, 3000);
	h.now_us += within_us - 1;
	gateway_says(202, "0: Accepted", -1);
	assert_int_equal(h.results, 1);
	h.now_us = 1000000000;
	assert_int_equal(deliver_hello(), FW_PLUGIN_PENDING);
	h.now_us += within_us;
	gateway_says(202, "0: Accepted", -1);
	assert_int_equal(h.results, 1);
	within_us = 0;
	assert_int_equal(deliver_hello(), FW_PLUGIN_RETRY);
	assert_int_equal(h.asks, 3);
	within_us = 60000000;
}

static void test_kannel_answers(void **state)
{
	static const struct {
		int status, outcome;
		bool loud;
	} answers[] = {
		{ 202, FW_PLUGIN_ACCEPTED, false }, { 200, FW_PLUGIN_ACCEPTED, false }, { 301, FW_PLUGIN_RETRY, true },
		{ 400, FW_PLUGIN_FAILED, false }, { 403, FW_PLUGIN_RETRY, true }, { 404, FW_PLUGIN_RETRY, true },
		{ 429, FW_PLUGIN_RETRY, false },
		{ 500, FW_PLUGIN_RETRY, false }, { 503, FW_PLUGIN_RETRY, false }, { 0, FW_PLUGIN_RETRY, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		begin(kannel);
		deliver_hello();
		gateway_says(answers[i].status, "Because \"so\".\n", -1);
		assert_int_equal(h.results, 1);
		assert_int_equal(h.outcome, answers[i].outcome);
		assert_int_equal(h.logs, answers[i].loud);
		if (answers[i].status == 400)
			assert_string_equal(h.reason, "the gateway answered 400: Because 'so'.");
		end(state);
	}
	assert_string_equal(h.reason, "the gateway does not answer: connection refused");
	/* Said once a minute, however many messages wait. */
	begin(kannel);
	for (unsigned i = 0; i < 5; i++) {
		deliver_hello();
		gateway_says(403, "Authorization failed for sendsms", -1);
	}
	assert_int_equal(h.logs, 1);
	assert_non_null(strstr(h.log, "messages wait: the gateway answered 403: Authorization failed for sendsms; look at url, username"));
	h.now_us += 60000000;
	deliver_hello();
	gateway_says(403, "", -1);
	assert_int_equal(h.logs, 2);
	/* The worker ends with one on its way. */
	deliver_hello();
	deliver_hello();
}

static void test_twilio_is_asked(void **state)
{
	char token[COMMON_MARK_BYTES + 1], body[512];
	(void)state;
	begin(twilio);
	assert_int_equal(deliver_hello(), FW_PLUGIN_PENDING);
	token_of(token);
	snprintf(body, sizeof body, "To=%%2B4930123456&From=%%2B15559998888&Body=Hello%%20-%%20Ann&StatusCallback="
		"https%%3A%%2F%%2Fd.test%%2Fsms%%2Freport%%2Ftwilio%%2F%s", token);
	assert_string_equal(h.url, "https://api.test/2010-04-01/Accounts/AC1/Messages.json");
	assert_string_equal(h.method, "POST");
	assert_string_equal(h.headers, "Content-Type: application/x-www-form-urlencoded\n");
	assert_string_equal(h.user, "AC1");
	assert_string_equal(h.password, "tok");
	assert_string_equal(h.body, body);
	gateway_says(201, "{\"sid\":\"SM1\",\"status\":\"queued\"}", -1);
	assert_int_equal(h.outcome, FW_PLUGIN_ACCEPTED);
	end(state);
	begin_with(twilio, "from", "MG0123456789abcdef0123456789abcdef");
	deliver_hello();
	assert_non_null(strstr(h.body, "&MessagingServiceSid=MG0123456789abcdef0123456789abcdef&Body="));
}

static void test_twilio_answers(void **state)
{
	(void)state;
	begin(twilio);
	deliver_hello();
	gateway_says(429, "{\"code\":20429,\"message\":\"Too Many Requests\"}", 7000);
	assert_int_equal(h.outcome, FW_PLUGIN_RETRY);
	assert_int_equal(h.after_ms, 7000);
	deliver_hello();
	gateway_says(400, "{\"code\":20429}", -1);
	assert_int_equal(h.outcome, FW_PLUGIN_RETRY);
	deliver_hello();
	gateway_says(502, "<html>", -1);
	assert_int_equal(h.outcome, FW_PLUGIN_RETRY);
	assert_int_equal(h.logs, 0);
	deliver_hello();
	gateway_says(401, "{\"code\":20003,\"message\":\"Authenticate\"}", -1);
	assert_int_equal(h.outcome, FW_PLUGIN_RETRY);
	assert_int_equal(h.logs, 1);
	deliver_hello();
	gateway_says(400, "{\"code\":21408,\"message\":\"Permission\\nmissing for \\\"region\\\"\"}", -1);
	assert_int_equal(h.outcome, FW_PLUGIN_FAILED);
	assert_string_equal(h.reason, "the gateway answered 400, code 21408: Permissionmissing for 'region'");
	assert_int_equal(h.suppressions + h.events, 0);
}

/* The number is no good, or its holder wants nothing: the message is over when that is stored, and not before. */
static void test_twilio_knows_the_number(void **state)
{
	(void)state;
	begin(twilio);
	deliver_hello();
	gateway_says(400, "{\"code\":21610,\"message\":\"Attempt to send to unsubscribed recipient\"}", -1);
	assert_string_equal(h.suppressed, "+4930123456");
	assert_string_equal(h.suppression, "{\"reason\":\"stop\",\"source\":\"sms\"}");
	assert_int_equal(h.results, 0);
	host_says(200, "{\"changed\":true}");
	assert_int_equal(h.outcome, FW_PLUGIN_FAILED);
	assert_int_equal(h.metrics[SMS_METRIC_STOPS], 1);
	/* No confirmation: it would be refused as well. */
	assert_int_equal(h.asks, 1);

	deliver_hello();
	gateway_says(400, "{\"code\":21610}", -1);
	host_says(503, "{}");
	assert_int_equal(h.outcome, FW_PLUGIN_RETRY);

	deliver_hello();
	gateway_says(400, "{\"code\":21614,\"message\":\"not a mobile number\"}", -1);
	assert_string_equal(h.event, "bounced");
	assert_string_equal(h.event_id, "m1");
	assert_string_equal(h.event_json, "{\"reason\":\"the gateway answered 400, code 21614: not a mobile number\"}");
	assert_int_equal(h.results, 2);
	host_says(200, "{\"changed\":true}");
	assert_int_equal(h.results, 3);
	assert_int_equal(h.outcome, FW_PLUGIN_FAILED);

	deliver_hello();
	gateway_says(400, "{\"code\":21211}", -1);
	host_says(404, "{}");
	assert_int_equal(h.suppressions, 3);
	assert_string_equal(h.suppression, "{\"reason\":\"bounced\",\"source\":\"sms\"}");
	host_says(200, "{\"changed\":true}");
	assert_int_equal(h.outcome, FW_PLUGIN_FAILED);
	assert_int_equal(h.metrics[SMS_METRIC_STOPS], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_settings, end),
		cmocka_unit_test_teardown(test_kannel_is_asked, end),
		cmocka_unit_test_teardown(test_what_is_never_sent, end),
		cmocka_unit_test_teardown(test_time, end),
		cmocka_unit_test_teardown(test_kannel_answers, end),
		cmocka_unit_test_teardown(test_twilio_is_asked, end),
		cmocka_unit_test_teardown(test_twilio_answers, end),
		cmocka_unit_test_teardown(test_twilio_knows_the_number, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
