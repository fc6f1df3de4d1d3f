/* The plugin email: what comes back, and what servers reply. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include <floorwalker/plugin.h>

#include "../../plugins/email/bounce.c"
#include "../../plugins/email/reply.c"

#define ORIGINAL "Return-path: <b+M1-0a@bounce.shop.example>\nFrom: Shop <hello@shop.example>\nTo: nobody@mail.example\n" \
	"Message-ID: <m1-0a@shop.example>\n\nThe boots are still there. 4.1.1\n"

/* As Exim 4.96 writes it: a report, Status without a meaning, the code in Diagnostic-Code. */
#define EXIM(diagnostic, more) "X-Failed-Recipients: nobody@mail.example\nAuto-Submitted: auto-replied\n" \
	"From: Mail Delivery System <Mailer-Daemon@mx.shop.example>\nTo: b+m1-0a@bounce.shop.example\nReferences: <m1-0a@shop.example>\n" \
	"Content-Type: multipart/report; report-type=delivery-status; boundary=1764-eximdsn-17\nMIME-Version: 1.0\n" \
	"Subject: Mail delivery failed: returning message to sender\n\n--1764-eximdsn-17\nContent-type: text/plain; charset=us-ascii\n\n" \
	"This message was created automatically by mail delivery software.\n" more "\n--1764-eximdsn-17\nContent-type: " \
		"message/delivery-status\n\n" \
	"Reporting-MTA: dns; mx.shop.example\n\nAction: failed\nFinal-Recipient: rfc822;nobody@mail.example\nStatus: 5.0.0\n" diagnostic \
	"\n--1764-eximdsn-17\nContent-type: message/rfc822\n\n" ORIGINAL "\n--1764-eximdsn-17--\n"

/* As OpenSMTPD 6.8 writes it: no report but mixed, no Diagnostic-Code, the reply in the text alone, the header instead of the message. */
static const char opensmtpd[] = "From: Mailer Daemon <MAILER-DAEMON@mx.shop.example>\r\nTo: b+m1-0a@bounce.shop.example\r\n"
	"Subject: Delivery status notification: error\r\nMIME-Version: 1.0\r\nContent-Type: "
	"multipart/mixed;boundary=\"8612345/mx.shop.example\"\r\n\r\n"
	"This is a MIME-encapsulated message.\r\n\r\n--8612345/mx.shop.example\r\nContent-Description: Notification\r\n"
	"Content-Type: text/plain; charset=us-ascii\r\n\r\n    Hi!\r\n\r\n    This is the MAILER-DAEMON, please DO NOT REPLY to this "
	"email.\r\n\r\n"
	"    An error has occurred while attempting to deliver a message for\r\n    the following list of recipients:\r\n\r\n"
	"nobody@mail.example: 550 5.1.1 no such user\r\n\r\n    Below is a copy of the original message:\r\n\r\n"
	"--8612345/mx.shop.example\r\nContent-Description: Delivery Report\r\nContent-Type: message/delivery-status\r\n\r\n"
	"Reporting-MTA: dns; mx.shop.example\r\n\r\nFinal-Recipient: rfc822; nobody@mail.example\r\nAction: failed\r\nStatus: 5.0.0\r\n\r\n"
	"--8612345/mx.shop.example\r\nContent-Description: Message headers\r\nContent-Type: text/rfc822-headers\r\n\r\n"
	"From: Shop <hello@shop.example>\r\nMessage-ID:\r\n <m1-0a@shop.example>\r\n\r\n--8612345/mx.shop.example--\r\n";

static struct email_bounce read_text(const char *text)
{
	struct email_bounce b;
	char *copy = strdup(text);
	assert_non_null(copy);
	email_bounce_read(copy, strlen(copy), &b);
	free(copy);
	return b;
}

static void test_exim(void **state)
{
	(void)state;
	struct email_bounce b = read_text(EXIM("Diagnostic-Code: smtp; 550 5.1.1 <nobody@mail.example>:\n no such user\n",
		"550 5.1.1 who?\n"));
	assert_int_equal(b.verdict, EMAIL_BOUNCED);
	assert_string_equal(b.status, "5.1.1");
	assert_string_equal(b.recipient, "nobody@mail.example");
	assert_string_equal(b.reason, "550 5.1.1 <nobody@mail.example>: no such user");
	/* The envelope's come first, from the report and from what is reported on; then those of Message-ID. */
	assert_int_equal(b.n_tags, 4);
	for (size_t i = 0; i < b.n_tags; i++)
		assert_string_equal(b.tags[i], "m1-0a");
	b = read_text(EXIM("Diagnostic-Code: smtp; 550 5.7.1 not wanted\n", ""));
	assert_int_equal(b.verdict, EMAIL_FAILED);
	assert_string_equal(b.status, "5.7.1");
	b = read_text(EXIM("Diagnostic-Code: smtp; 552 5.2.2 full\n", ""));
	assert_int_equal(b.verdict, EMAIL_DEFERRED);
	b = read_text(EXIM("Diagnostic-Code: smtp; 550 No such user here\n", ""));
	assert_int_equal(b.verdict, EMAIL_BOUNCED);
	/* Exim itself: no code at all. */
	b = read_text(EXIM("", "  nobody@mail.example\n    Unrouteable address\n"));
	assert_int_equal(b.verdict, EMAIL_BOUNCED);
	b = read_text(EXIM("", "  nobody@mail.example\n    retry timeout exceeded\n"));
	assert_int_equal(b.verdict, EMAIL_FAILED);
	assert_string_equal(b.status, "5.0.0");
}

static void test_opensmtpd(void **state)
{
	(void)state;
	struct email_bounce b = read_text(opensmtpd);
	assert_int_equal(b.verdict, EMAIL_BOUNCED);
	assert_string_equal(b.status, "5.1.1");
	assert_string_equal(b.recipient, "nobody@mail.example");
	assert_int_equal(b.n_tags, 2);
	assert_string_equal(b.tags[0], "m1-0a");
	assert_string_equal(b.tags[1], "m1-0a");
}

/* The first recipient that failed counts; a delay is none. */
static void test_groups_and_actions(void **state)
{
	(void)state;
	struct email_bounce b = read_text("Content-Type: multipart/report; boundary=\"b b\"\n\n--b b\nContent-Type: "
		"message/delivery-status\n\n"
		"Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822;a@x.example\nAction: delayed\nStatus: 4.4.1\n\n"
		"Final-Recipient: rfc822;b@x.example\nAction: FAILED (see below)\nStatus: 5.4.4 (no such host)\n--b b--\n");
	assert_int_equal(b.verdict, EMAIL_BOUNCED);
	assert_string_equal(b.recipient, "b@x.example");
	b = read_text("Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\nAction: "
		"delayed\nStatus: 4.4.1\n");
	assert_int_equal(b.verdict, EMAIL_DEFERRED);
	b = read_text("Content-Type: message/delivery-status\n\nAction: delivered\nStatus: 2.0.0\n");
	assert_int_equal(b.verdict, EMAIL_DELIVERED);
	b = read_text("Content-Type: message/delivery-status\n\nAction: relayed\nStatus: 2.0.0\n");
	assert_int_equal(b.verdict, EMAIL_NOTHING);
	b = read_text("Content-Type: message/delivery-status\n\nAction: failed\n");
	assert_int_equal(b.verdict, EMAIL_FAILED);
	/* A code beside Status that disagrees: the other server knew better. */
	b = read_text("Content-Type: message/delivery-status\n\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: X-Unix; from 127.5.1.1, "
		"version 5.1.9.2: 5.2.2\n");
	assert_string_equal(b.status, "5.2.2");
}

static void test_complaints(void **state)
{
	(void)state;
	const char *form = "From: <fbl@mail.example>\nTo: abuse@shop.example\nContent-Type: multipart/report; "
		"report-type=feedback-report;\n boundary=\"=x\"\n\n"
		"--=x\nContent-Type: text/plain\n\nAn abuse report. 5.1.1\n--=x\nContent-Type: "
		"message/feedback-report\n\nFeedback-Type: %s\nVersion: 1\n"
		"Original-Mail-From: <b+m1-0a@bounce.shop.example>\nOriginal-Rcpt-To: ada@mail.example\n\n--=x\nContent-Type: "
		"message/rfc822\n\n"
		"Message-ID: <m1-0a@shop.example>\n\nx\n--=x--\n";
	static const struct { const char *type; enum email_verdict verdict; } types[] = { { "abuse", EMAIL_COMPLAINED }, { "Fraud",
		EMAIL_COMPLAINED },
		{ "not-spam", EMAIL_NOTHING }, { "auth-failure", EMAIL_NOTHING } };
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		char text[2000];
		snprintf(text, sizeof text, form, types[i].type);
		struct email_bounce b = read_text(text);
		assert_int_equal(b.verdict, types[i].verdict);
		if (b.verdict != EMAIL_COMPLAINED)
			continue;
		assert_string_equal(b.recipient, "ada@mail.example");
		assert_int_equal(b.n_tags, 2);
		assert_string_equal(b.tags[0], "m1-0a");
	}
}

/* Words alone, of a server; and people's answers, which are no reports whatever they quote. */
static void test_words_alone(void **state)
{
	(void)state;
	struct email_bounce b = read_text("From: MAILER-DAEMON@mx.example\nTo: b+m1-0a@bounce.shop.example\nSubject: failure notice\n\n"
		"Hi. This is the mail program at mx.example.\n<nobody@mail.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
		"--- Below this line is a copy of the message.\n\nReturn-Path: <b+m1-0b@bounce.shop.example>\nMessage-ID: "
		"<m1-0c@shop.example>\n\nx\n");
	assert_int_equal(b.verdict, EMAIL_BOUNCED);
	assert_string_equal(b.status, "5.1.1");
	assert_int_equal(b.n_tags, 2);
	assert_string_equal(b.tags[0], "m1-0a");
	assert_string_equal(b.tags[1], "m1-0c");
	b = read_text("From: Ada <ada@mail.example>\nTo: b+m1-0a@bounce.shop.example\nAuto-Submitted: auto-replied\n\nI am away. 550 "
		"5.1.1 no such user\n");
	assert_int_equal(b.verdict, EMAIL_NOTHING);
	b = read_text("From: postmaster@mx.example\n\nYour mail is on its way, be patient.\n");
	assert_int_equal(b.verdict, EMAIL_NOTHING);
	b = read_text("");
	assert_int_equal(b.verdict, EMAIL_NOTHING);
}

static void test_replies(void **state)
{
	static const struct { enum email_stage stage; int code; const char *text; int outcome, bounced; const char *status; } replies[] = {
		{ EMAIL_STAGE_RCPT, 550, "550 5.1.1 no such user", FW_PLUGIN_FAILED, 1, "5.1.1" },
		{ EMAIL_STAGE_RCPT, 550, "550-5.1.1 no such user 550 5.1.1 at all", FW_PLUGIN_FAILED, 1, "5.1.1" },
		{ EMAIL_STAGE_RCPT, 556, "556 5.1.10 takes no mail", FW_PLUGIN_FAILED, 1, "5.1.10" },
		{ EMAIL_STAGE_RCPT, 550, "550 5.4.4 no such host", FW_PLUGIN_FAILED, 1, "5.4.4" },
		{ EMAIL_STAGE_RCPT, 550, "550 User unknown", FW_PLUGIN_FAILED, 1, "5.1.1" },
		{ EMAIL_STAGE_RCPT, 550, "550 relay not permitted", FW_PLUGIN_FAILED, 0, "" },
		{ EMAIL_STAGE_RCPT, 550, "550 5.7.1 relaying denied for 10.5.1.1", FW_PLUGIN_FAILED, 0, "5.7.1" },
		{ EMAIL_STAGE_RCPT, 552, "552 5.2.2 mailbox full", FW_PLUGIN_RETRY, 0, "5.2.2" },
		{ EMAIL_STAGE_RCPT, 450, "450 4.2.0 greylisted", FW_PLUGIN_RETRY, 0, "4.2.0" },
		{ EMAIL_STAGE_RCPT, 451, "451 5.1.1 says two things", FW_PLUGIN_RETRY, 0, "5.1.1" },
		{ EMAIL_STAGE_MAIL, 550, "550 5.1.8 bad sender", FW_PLUGIN_FAILED, 0, "5.1.8" },
		{ EMAIL_STAGE_RCPT, 550, "550 5.1.7 bad sender", FW_PLUGIN_FAILED, 0, "5.1.7" },
		{ EMAIL_STAGE_MAIL, 550, "550 5.1.1 who are you", FW_PLUGIN_FAILED, 0, "5.1.1" },
		{ EMAIL_STAGE_MAIL, 530, "530 5.7.0 authentication required", FW_PLUGIN_RETRY, 0, "5.7.0" },
		{ EMAIL_STAGE_MAIL, 421, "421 4.7.0 too many", FW_PLUGIN_RETRY, 0, "4.7.0" },
		{ EMAIL_STAGE_BODY, 554, "554 5.7.1 spam", FW_PLUGIN_FAILED, 0, "5.7.1" },
		{ EMAIL_STAGE_BODY, 550, "550 5.1.1 no such user", FW_PLUGIN_FAILED, 1, "5.1.1" },
		{ EMAIL_STAGE_BODY, 452, "452 4.3.1 disk full", FW_PLUGIN_RETRY, 0, "4.3.1" },
		{ EMAIL_STAGE_DATA, 554, "554 no valid recipients", FW_PLUGIN_FAILED, 0, "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
		struct email_result r;
		email_reply_judge(replies[i].stage, replies[i].code, replies[i].text, &r);
		if (r.outcome != replies[i].outcome || r.bounced != replies[i].bounced || strcmp(r.status, replies[i].status) != 0)
			fail_msg("%s: outcome %d, bounced %d, status \"%s\"", replies[i].text, r.outcome, r.bounced, r.status);
		assert_string_equal(r.reason, replies[i].text);
	}
}

/* In one piece or byte by byte, with LF as with CRLF. */
static void test_replies_are_put_together(void **state)
{
	static const char text[] = "250-one\r\n250 two \xff\t.\n354 go on\r\n550\r\n";
	static const char *const wanted[] = { "250-one 250 two ??.", "354 go on", "550" };
	(void)state;
	for (size_t piece = 1; piece <= sizeof text - 1; piece++) {
		struct email_reply r = { 0 };
		size_t at = 0, n = 0, used;
		while (at < sizeof text - 1) {
			size_t m = sizeof text - 1 - at < piece ? sizeof text - 1 - at : piece;
			int rc = email_reply_take(&r, text + at, m, &used);
			assert_in_range(rc, 0, 1);
			at += used;
			if (rc)
				assert_string_equal(r.text, wanted[n++]);
		}
		assert_int_equal(n, 3);
	}
	static const char *const bad[] = { "hello\r\n", "25\r\n", "650 x\r\n", "250+x\r\n", "\r\n", "250-a\r\n251 b\r\n" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct email_reply r = { 0 };
		size_t used;
		assert_int_equal(email_reply_take(&r, bad[i], strlen(bad[i]), &used), -1);
	}
	/* A line without an end, and a reply without one. */
	struct email_reply r = { 0 };
	char line[EMAIL_REPLY_LINE + 1];
	size_t used;
	memset(line, '2', sizeof line);
	assert_int_equal(email_reply_take(&r, line, sizeof line, &used), -1);
	r = (struct email_reply){ 0 };
	for (int i = 0; i < 1000; i++)
		assert_int_equal(email_reply_take(&r, "250-and\r\n", 9, &used), 0);
	assert_int_equal(email_reply_take(&r, "250 done\r\n", 10, &used), 1);
	assert_true(strlen(r.text) == EMAIL_REPLY_TEXT - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_exim), cmocka_unit_test(test_opensmtpd),
		cmocka_unit_test(test_groups_and_actions),
		cmocka_unit_test(test_complaints), cmocka_unit_test(test_words_alone), cmocka_unit_test(test_replies),
		cmocka_unit_test(test_replies_are_put_together) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
