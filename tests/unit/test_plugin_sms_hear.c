/* The plugin sms: reports of what was sent, and what people answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib_sms.h"

static void test_kannel_reports(void **state)
{
	static const struct {
		const char *type, *name, *json;
	} types[] = {
		{ "1", "delivered", "" }, { "2", "failed", "{\"reason\":\"NACK/11\"}" }, { "4", "deferred", "{\"reason\":\"NACK/11\"}" },
		{ "16", "failed", "{\"reason\":\"NACK/11\"}" }, { "8", NULL, NULL }, { "x", NULL, NULL }, { NULL, NULL, NULL },
	};
	char token[COMMON_MARK_BYTES + 1];
	(void)state;
	begin(kannel);
	token_of(token);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		struct fw_plugin_request r = { .segment = token,
			.params = { "answer", "NACK/11", types[i].type ? "type" : NULL, types[i].type } };
		h.event[0] = '\0';
		sms_report_kannel(self, &r);
		assert_string_equal(h.event, types[i].name ? types[i].name : "");
		if (types[i].name) {
			assert_string_equal(h.event_id, "m1");
			assert_string_equal(h.event_json, types[i].json);
			assert_int_equal(r.status, 0);
			host_says(200, "{\"changed\":true}");
		}
		/* A 204 would be asked again. */
		assert_int_equal(r.status, 200);
		assert_string_equal(r.said, "");
	}
	assert_int_equal(h.metrics[SMS_METRIC_REPORTS], 7);
}

static void test_reports_that_are_not_kept(void **state)
{
	char token[COMMON_MARK_BYTES + 1], other[COMMON_MARK_BYTES + 1];
	(void)state;
	begin(kannel);
	token_of(token);
	struct fw_plugin_request again = { .segment = token, .params = { "type", "1" } };
	sms_report_kannel(self, &again);
	host_says(503, "{}");
	assert_int_equal(again.status, 503);
	assert_string_equal(again.retry_after, "1");
	struct fw_plugin_request unknown = { .segment = token, .params = { "type", "1" } };
	sms_report_kannel(self, &unknown);
	host_says(404, "{}");
	assert_int_equal(unknown.status, 200);
	h.unsigned_yet = true;
	struct fw_plugin_request early = { .segment = token, .params = { "type", "1" } };
	sms_report_kannel(self, &early);
	assert_int_equal(early.status, 503);
	h.unsigned_yet = false;

	/* Somebody else's, with one byte changed, or none. */
	h.events = 0;
	for (size_t i = 0; i <= strlen(token); i++) {
		snprintf(other, sizeof other, "%s", token);
		other[i] = other[i] == '0' ? '1' : '0';
		if (i == strlen(token))
			other[0] = '\0';
		struct fw_plugin_request r = { .segment = other, .params = { "type", "1" } };
		sms_report_kannel(self, &r);
		assert_int_equal(r.status, 404);
	}
	struct fw_plugin_request longer = { .segment = token, .second = "x" }, none = { .segment = NULL };
	sms_report_kannel(self, &longer);
	assert_int_equal(longer.status, 404);
	sms_report_kannel(self, &none);
	assert_int_equal(none.status, 404);
	struct fw_plugin_request twilios = { .segment = token };
	sms_report_twilio(self, &twilios);
	assert_int_equal(twilios.status, 404);
	assert_int_equal(h.events, 0);
}

/* Posts a form as Twilio would, signed for the address with that port. */
static void post(void (*handle)(struct fw_plugin_instance *, struct fw_plugin_request *), const char *url, const char *path,
	const char *segment, const char *body, struct fw_plugin_request *ret)
{
	static char signature[32];
	char copy[512];
	struct sms_form form;
	snprintf(copy, sizeof copy, "%s", body);
	assert_true(sms_form_parse(copy, strlen(copy), &form));
	assert_int_equal(sms_twilio_signature("tok", url, &form, signature), 0);
	*ret = (struct fw_plugin_request){ .path = path, .segment = segment, .body = body, .signature = signature };
	handle(self, ret);
}

static void test_twilio_reports(void **state)
{
	char token[COMMON_MARK_BYTES + 1], url[256], path[128];
	struct fw_plugin_request r;
	(void)state;
	begin(twilio);
	token_of(token);
	snprintf(path, sizeof path, "/sms/report/twilio/%s", token);
	snprintf(url, sizeof url, "https://d.test%s", path);
	post(sms_report_twilio, url, path, token, "MessageSid=SM1&MessageStatus=sent&To=%2B4930123456", &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(h.events, 0);
	post(sms_report_twilio, url, path, token, "MessageSid=SM1&MessageStatus=delivered", &r);
	assert_string_equal(h.event, "delivered");
	host_says(200, "{\"changed\":true}");
	assert_int_equal(r.status, 200);
	assert_string_equal(r.said, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>");
	post(sms_report_twilio, url, path, token, "MessageStatus=undelivered&ErrorCode=30003&To=%2B4930123456", &r);
	assert_string_equal(h.event, "failed");
	assert_string_equal(h.event_json, "{\"reason\":\"the gateway's code 30003\"}");
	host_says(503, "{}");
	assert_int_equal(r.status, 503);
	post(sms_report_twilio, url, path, token, "MessageStatus=undelivered&ErrorCode=30006&To=%2B4930123456", &r);
	assert_string_equal(h.event, "bounced");
	host_says(200, "{}");
	assert_int_equal(h.suppressions, 0);
	/* First that nothing more is sent, then the event. */
	post(sms_report_twilio, url, path, token, "MessageStatus=failed&ErrorCode=30004&To=%2B4930123456", &r);
	assert_string_equal(h.suppressed, "+4930123456");
	assert_string_equal(h.suppression, "{\"reason\":\"blocked\",\"source\":\"sms\"}");
	host_says(200, "{\"changed\":true}");
	assert_string_equal(h.event, "failed");
	assert_int_equal(r.status, 0);
	host_says(200, "{\"changed\":true}");
	assert_int_equal(r.status, 200);
	post(sms_report_twilio, url, path, token, "MessageStatus=failed&ErrorCode=21610&To=%2B4930123456", &r);
	host_says(503, "{}");
	assert_int_equal(r.status, 503);
}

static void test_twilio_signatures(void **state)
{
	struct fw_plugin_request r;
	(void)state;
	begin(twilio);
	post(sms_in_twilio, "https://d.test/sms/in/twilio", "/sms/in/twilio", NULL, "From=%2B15550001111&Body=hello", &r);
	assert_int_equal(r.status, 200);
	post(sms_in_twilio, "https://d.test:443/sms/in/twilio", "/sms/in/twilio", NULL, "From=%2B15550001111&Body=hello", &r);
	assert_int_equal(r.status, 200);
	post(sms_in_twilio, "https://e.test/sms/in/twilio", "/sms/in/twilio", NULL, "From=%2B15550001111&Body=STOP", &r);
	assert_int_equal(r.status, 403);
	struct fw_plugin_request bare = { .path = "/sms/in/twilio", .body = "From=%2B15550001111&Body=STOP" };
	sms_in_twilio(self, &bare);
	assert_int_equal(bare.status, 403);
	struct fw_plugin_request broken = { .path = "/sms/in/twilio", .body = "From=%2" };
	sms_in_twilio(self, &broken);
	assert_int_equal(broken.status, 400);
	assert_int_equal(h.suppressions, 0);
	end(state);
	begin_with(twilio, "callback", "https://d.test:8443/behind");
	post(sms_in_twilio, "https://d.test:8443/behind/sms/in/twilio", "/sms/in/twilio", NULL, "Body=hello", &r);
	assert_int_equal(r.status, 200);
	post(sms_in_twilio, "https://d.test/behind/sms/in/twilio", "/sms/in/twilio", NULL, "Body=hello", &r);
	assert_int_equal(r.status, 200);
}

static struct fw_plugin_request from_kannel(const char *from, const char *text)
{
	return (struct fw_plugin_request){ .access = FW_PLUGIN_ACCESS_LOOPBACK, .params = { "from", from, "text", text, "coding", "0" } };
}

/* Answered when it is stored; confirmed when it was news. */
static void test_stop(void **state)
{
	(void)state;
	begin(kannel);
	struct fw_plugin_request r = from_kannel("15550001111", "Stop!");
	sms_in_kannel(self, &r);
	assert_string_equal(h.suppressed, "+15550001111");
	assert_string_equal(h.suppression, "{\"reason\":\"stop\",\"source\":\"sms\",\"lift\":false,\"id\":\"\"}");
	assert_int_equal(r.status, 0);
	assert_int_equal(h.asks, 0);
	host_says(503, "{}");
	assert_int_equal(r.status, 503);
	assert_int_equal(h.asks, 0);

	r = from_kannel("15550001111", "Stop!");
	sms_in_kannel(self, &r);
	host_says(200, "{\"changed\":true}");
	assert_int_equal(r.status, 200);
	assert_string_equal(r.type, "text/plain");
	assert_string_equal(r.said, "");
	assert_int_equal(h.asks, 1);
	assert_string_equal(h.body, "Shop: You will get no more messages. Reply START to get them again.");
	assert_non_null(strstr(h.headers, "X-Kannel-To: +15550001111\n"));
	assert_null(strstr(h.headers, "DLR"));
	gateway_says(202, "0: Accepted for delivery", -1);
	assert_int_equal(h.metrics[SMS_METRIC_REPLIES], 1);
	assert_int_equal(h.results, 0);

	r = from_kannel("15550001111", "STOP");
	sms_in_kannel(self, &r);
	host_says(200, "{\"changed\":false}");
	assert_int_equal(r.status, 200);
	assert_int_equal(h.asks, 1);
	assert_int_equal(h.logs, 0);

	r = from_kannel("15550001111", "please stop texting me");
	sms_in_kannel(self, &r);
	assert_string_equal(h.suppression, "{\"reason\":\"stop\",\"source\":\"sms: other words\",\"lift\":false,\"id\":\"\"}");
	host_says(200, "{\"changed\":true}");
	assert_int_equal(h.metrics[SMS_METRIC_PHRASES], 1);
	assert_non_null(strstr(h.log, "taken for an opt-out, from the number that ends in 11"));
	assert_int_equal(h.asks, 2);
	gateway_says(500, "", -1);
	assert_non_null(strstr(h.log, "an answer to a message was not sent"));
	assert_int_equal(h.metrics[SMS_METRIC_STOPS], 3);
}

static void test_start_and_help(void **state)
{
	(void)state;
	begin_with(kannel, "start_confirmation", "Welcome back");
	struct fw_plugin_request r = from_kannel(" 15550001111", "start");
	r.params[6] = "id";
	r.params[7] = "9\"\\\xff\n7";
	sms_in_kannel(self, &r);
	assert_string_equal(h.suppression, "{\"reason\":\"start\",\"source\":\"sms\",\"lift\":true,\"id\":\"9'/7\"}");
	host_says(200, "{\"changed\":true}");
	assert_string_equal(h.body, "Welcome back");
	assert_int_equal(h.asks, 1);
	gateway_says(202, "", -1);
	/* Help once a minute to each, and to no more than so many. */
	for (unsigned i = 0; i < 3; i++) {
		r = from_kannel("15550001111", "HELP");
		sms_in_kannel(self, &r);
		assert_int_equal(r.status, 200);
	}
	assert_int_equal(h.asks, 2);
	assert_string_equal(h.body, "Shop: Reply STOP to get no more messages.");
	h.now_us += 61000000;
	r = from_kannel("15550001111", "info");
	sms_in_kannel(self, &r);
	assert_int_equal(h.asks, 3);
	for (unsigned i = 0; i < 200; i++) {
		char number[24];
		snprintf(number, sizeof number, "155500%05u", i);
		r = from_kannel(number, "help");
		sms_in_kannel(self, &r);
		assert_int_equal(r.status, 200);
	}
	assert_int_equal(h.asks, 2 + SMS_HELPS_A_MINUTE);
	assert_int_equal(h.metrics[SMS_METRIC_HELPS], 204);
	assert_int_equal(h.suppressions, 1);
}

static void test_other_messages(void **state)
{
	(void)state;
	begin_with(kannel, "stop_confirmation", "");
	struct fw_plugin_request r = from_kannel("15550001111", "thank you");
	sms_in_kannel(self, &r);
	assert_int_equal(r.status, 200);
	r = from_kannel("15550001111", NULL);
	sms_in_kannel(self, &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(h.logs, 0);
	r = from_kannel("0171234567", "STOP");
	sms_in_kannel(self, &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(h.logs, 1);
	r = from_kannel("15550001111", "STOP");
	r.params[5] = "2";
	sms_in_kannel(self, &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(h.logs, 2);
	assert_int_equal(h.suppressions, 0);
	r = from_kannel("15550001111", "STOP");
	sms_in_kannel(self, &r);
	host_says(200, "{\"changed\":true}");
	assert_int_equal(r.status, 200);
	assert_int_equal(h.asks, 0);
}

static void test_who_may_tell(void **state)
{
	(void)state;
	begin(kannel);
	struct fw_plugin_request r = from_kannel("15550001111", "STOP");
	r.access = FW_PLUGIN_ACCESS_ANY;
	sms_in_kannel(self, &r);
	assert_int_equal(r.status, 403);
	r = from_kannel("15550001111", "STOP");
	r.access = FW_PLUGIN_ACCESS_WRITE;
	sms_in_kannel(self, &r);
	assert_int_equal(r.status, 403);
	end(state);
	begin_with(kannel, "secret", "0123456789abcdef");
	r = from_kannel("15550001111", "STOP");
	sms_in_kannel(self, &r);
	assert_int_equal(r.status, 403);
	r = (struct fw_plugin_request){ .params = { "secret", "0123456789abcdeg", "from", "15550001111", "text", "STOP" } };
	sms_in_kannel(self, &r);
	assert_int_equal(r.status, 403);
	assert_int_equal(h.suppressions, 0);
	r = (struct fw_plugin_request){ .access = FW_PLUGIN_ACCESS_ANY,
		.params = { "secret", "0123456789abcdef", "from", "15550001111", "text", "STOP" } };
	sms_in_kannel(self, &r);
	assert_int_equal(h.suppressions, 1);
	host_says(200, "{\"changed\":true}");
	assert_int_equal(r.status, 200);
	end(state);
	begin(twilio);
	r = from_kannel("15550001111", "STOP");
	sms_in_kannel(self, &r);
	assert_int_equal(r.status, 404);
}

/* Where Twilio looks after opt-outs itself it has answered the person already. */
static void test_opt_out_type(void **state)
{
	struct fw_plugin_request r;
	(void)state;
	begin(twilio);
	post(sms_in_twilio, "https://d.test/sms/in/twilio", "/sms/in/twilio", NULL, "From=%2B15550001111&Body=STOP", &r);
	host_says(200, "{\"changed\":true}");
	assert_int_equal(r.status, 200);
	assert_string_equal(r.type, "text/xml");
	assert_int_equal(h.asks, 1);
	assert_non_null(strstr(h.body, "To=%2B15550001111&From=%2B15559998888&Body=You%20will%20get%20no%20more"));
	assert_null(strstr(h.body, "StatusCallback"));
	post(sms_in_twilio, "https://d.test/sms/in/twilio", "/sms/in/twilio", NULL, "From=%2B15550001111&Body=genug&OptOutType=STOP", &r);
	assert_int_equal(h.suppressions, 2);
	host_says(200, "{\"changed\":true}");
	post(sms_in_twilio, "https://d.test/sms/in/twilio", "/sms/in/twilio", NULL,
		"From=%2B15550001111&Body=START&OptOutType=START&MessageSid=SM12", &r);
	assert_string_equal(h.suppression, "{\"reason\":\"start\",\"source\":\"sms\",\"lift\":true,\"id\":\"SM12\"}");
	host_says(200, "{\"changed\":true}");
	post(sms_in_twilio, "https://d.test/sms/in/twilio", "/sms/in/twilio", NULL, "From=%2B15550001111&Body=HELP&OptOutType=HELP", &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(h.asks, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_kannel_reports, end),
		cmocka_unit_test_teardown(test_reports_that_are_not_kept, end),
		cmocka_unit_test_teardown(test_twilio_reports, end),
		cmocka_unit_test_teardown(test_twilio_signatures, end),
		cmocka_unit_test_teardown(test_stop, end),
		cmocka_unit_test_teardown(test_start_and_help, end),
		cmocka_unit_test_teardown(test_other_messages, end),
		cmocka_unit_test_teardown(test_who_may_tell, end),
		cmocka_unit_test_teardown(test_opt_out_type, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
