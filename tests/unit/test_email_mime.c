/* The plugin email: what a message looks like on the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../plugins/email/text.c"
#include "../../plugins/email/mime.c"

static struct fw_plugin_problem problem;

static struct fw_plugin_text text_of(const char *s)
{
	return (struct fw_plugin_text){ s, s ? strlen(s) : 0 };
}

/* A message with this subject, sender's name and bodies; NULL: it is refused. To be freed. */
static char *written(const char *subject, const char *name, const char *html, const char *text)
{
	struct email_text t = { 0 };
	struct email_mailbox from = { .address = "hello@shop.example" };
	snprintf(from.name, sizeof from.name, "%s", name);
	struct email_mail mail = { .from = &from, .to = "ada@mail.example", .subject = text_of(subject), .html = text_of(html),
		.text = text_of(text),
		.id = "m1", .message_id = "m1-00@shop.example", .at_s = 1764147600, .list_id = "news.shop.example",
		.feedback_id = "cart:marketing:shop1",
		.unsubscribe = "https://shop.example/email/u/TOKEN" };
	problem = (struct fw_plugin_problem){ .message = "" };
	int rc = email_mime_write(&mail, &t, &problem);
	assert_int_equal(t.failed, 0);
	if (rc == 0)
		return t.p;
	assert_true(problem.message[0]);
	email_text_free(&t);
	return NULL;
}

/* Every line ends with CRLF, is within the limit, and is of printable ASCII. */
static void check_lines(const char *mail, size_t most)
{
	for (const char *line = mail; *line;) {
		size_t n = strcspn(line, "\r\n");
		assert_in_range(n, 0, most);
		for (size_t i = 0; i < n; i++)
			assert_true((line[i] >= 0x20 && line[i] < 0x7f) || line[i] == '\t');
		assert_memory_equal(line + n, "\r\n", 2);
		assert_true(n == 0 || line[0] != '.');
		line += n + 2;
	}
}

static void test_a_whole_message(void **state)
{
	(void)state;
	char *mail = written("Your cart", "Shop", "<p>Hello</p>\n", "Hello\n");
	assert_non_null(mail);
	assert_string_equal(mail, "From: Shop <hello@shop.example>\r\nTo: ada@mail.example\r\nSubject: Your cart\r\n"
		"Date: Wed, 26 Nov 2025 09:00:00 +0000\r\nMessage-ID: <m1-00@shop.example>\r\nX-Floorwalker-Message: m1\r\nList-Id: "
		"<news.shop.example>\r\n"
		"Feedback-ID: cart:marketing:shop1\r\nList-Unsubscribe: <https://shop.example/email/u/TOKEN>\r\n"
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n "
		"boundary=\"=_m1\"\r\n\r\n"
		"--=_m1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nHello\r\n"
		"--=_m1\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: "
		"quoted-printable\r\n\r\n<p>Hello</p>\r\n--=_m1--\r\n");
	free(mail);
	mail = written("Your cart", "", NULL, "Hello");
	assert_non_null(strstr(mail, "From: hello@shop.example\r\n"));
	assert_non_null(strstr(mail, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"));
	free(mail);
}

/* The examples are RFC 2047's way, checked with a second implementation when they were written. */
static void test_encoded_words(void **state)
{
	static const struct { const char *subject, *line; } subjects[] = {
		{ "Grüße", "Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n" },
		{ "Über alles", "Subject: =?utf-8?Q?=C3=9Cber_alles?=\r\n" },
		{ "Пять", "Subject: =?utf-8?B?0J/Rj9GC0Yw=?=\r\n" },
		{ "a =?utf-8?Q?b?= c", "Subject: =?utf-8?B?YSA9P3V0Zi04P1E/Yj89IGM=?=\r\n" },
		{ " led by a blank", "Subject: =?utf-8?Q?_led_by_a_blank?=\r\n" },
		{ "plain (with) \"signs\"; and: = ?", "Subject: plain (with) \"signs\"; and: = ?\r\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
		char *mail = written(subjects[i].subject, "", NULL, "x");
		assert_non_null(mail);
		if (!strstr(mail, subjects[i].line))
			fail_msg("%s\n%s", subjects[i].line, mail);
		free(mail);
	}
}

static void test_long_headers_fold(void **state)
{
	char words[900] = "", umlauts[900] = "", one[900] = "";
	(void)state;
	for (size_t i = 0; i < 100; i++)
		memcpy(words + i * 8, " wordword", 9);
	for (size_t i = 0; i < 300; i++)
		memcpy(umlauts + i * 3, "€", 3);
	umlauts[899] = 0;
	memset(one, 'x', 890);
	const char *subjects[] = { words + 1, one };
	for (size_t i = 0; i < 2; i++) {
		char *mail = written(subjects[i], "A shop with a name that has more than sixty characters, for whatever reason there "
			"may be", "<p>x", "x");
		assert_non_null(mail);
		check_lines(mail, 78);
		free(mail);
	}
	/* Cut in the middle of a character: still a message. */
	char *mail = written(umlauts, "Süße Schuhe", "<p>x", "x");
	check_lines(mail, 78);
	assert_non_null(strstr(mail, "From: =?utf-8?"));
	free(mail);
}

static void test_names(void **state)
{
	static const struct { const char *name, *line; } names[] = {
		{ "Shop & Söhne", "From: =?utf-8?Q?Shop_=26_S=C3=B6hne?= <hello@shop.example>\r\n" },
		{ "Shop, Inc.", "From: \"Shop, Inc.\" <hello@shop.example>\r\n" },
		{ "the \"Shop\" \\", "From: \"the \\\"Shop\\\" \\\\\" <hello@shop.example>\r\n" },
		{ "Shop & Sons", "From: Shop & Sons <hello@shop.example>\r\n" },
		{ "=?utf-8?Q?x?=", "From: =?utf-8?B?PT91dGYtOD9RP3g/PQ==?= <hello@shop.example>\r\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *mail = written("s", names[i].name, NULL, "x");
		if (strncmp(mail, names[i].line, strlen(names[i].line)) != 0)
			fail_msg("%s\n%s", names[i].line, mail);
		free(mail);
	}
}

static void test_nothing_gets_into_a_header(void **state)
{
	static const char *const bad[] = { "a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\x01", "a\x7f", "", "  " };
	struct email_mailbox m;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_null(written(bad[i], "Shop", NULL, "x"));
	assert_null(written("s", "a\r\nBcc: x@y.example", NULL, "x"));
	assert_null(written("s", "Shop", NULL, NULL));
	struct email_text t = { 0 };
	struct email_mail nul = { .from = &(struct email_mailbox){ .address = "a@b.example" }, .to = "a@b.example", .subject = { "a\0b",
		3 },
		.text = { "x", 1 }, .id = "m", .message_id = "m@b" };
	assert_int_equal(email_mime_write(&nul, &t, &problem), -1);
	nul.subject = text_of("s");
	nul.to = "a@b.example>\r\nDATA";
	assert_int_equal(email_mime_write(&nul, &t, &problem), -1);
	assert_null(t.p);
	assert_int_equal(email_mailbox_read("Shop\n <a@b.example>", 19, &m, &problem), -1);
	assert_int_equal(email_mailbox_read("Shop", 4, &m, &problem), -1);
	assert_int_equal(email_mailbox_read("Shop a@b.example>", 17, &m, &problem), -1);
	assert_int_equal(email_mailbox_read("\"A, \\\"B\\\"\" <a@b.example>", 24, &m, &problem), 0);
	assert_string_equal(m.name, "A, \"B\"");
	assert_string_equal(m.address, "a@b.example");
	assert_int_equal(email_mailbox_read(" <a@b.example> ", 15, &m, &problem), 0);
	assert_string_equal(m.name, "");
	assert_int_equal(email_mailbox_read("\"", 1, &m, &problem), -1);
	assert_int_equal(email_mailbox_read("\"<a@b.example>", 14, &m, &problem), 0);
}

static void test_addresses(void **state)
{
	static const char *const good[] = { "a@b.example", "a.b+c@d-e.example", "!#$%&'*+-/=?^_`{|}~@b.example", "a@1.example" };
	static const char *const bad[] = { "", "a", "@b.example", "a@", "a@b", "a b@c.example", "a@b..example", ".a@b.example",
		"a.@b.example",
		"a..b@c.example", "a@-b.example", "a@b-.example", "a@b.example.", "\"a\"@b.example", "a@b@c.example", "a,b@c.example",
		"<a@b.example>",
		"a@[127.0.0.1]", "ä@b.example", "a@bä.example", "a@b.example\r\n", "a@b.example\nRCPT TO:<c@d.example>", "a\x01@b.example",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b.example" };
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(email_address_is_fit(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (email_address_is_fit(bad[i], strlen(bad[i])))
			fail_msg("%s", bad[i]);
	assert_false(email_address_is_fit("a@b.example\0", 12));
}

/* Undoes quoted-printable, RFC 2045 §6.7, in another way than the writer does it. */
static size_t undo_quoted_printable(const char *p, char *ret)
{
	size_t n = 0;
	for (; *p; p++) {
		unsigned c;
		if (*p != '=')
			ret[n++] = *p;
		else if (p[1] == '\r')
			p += 2;
		else if (sscanf(p + 1, "%2X", &c) == 1)
			ret[n++] = (char)c, p += 2;
	}
	return n;
}

static void test_quoted_printable(void **state)
{
	static const struct { const char *body, *lines; } bodies[] = {
		{ "a=b", "a=3Db\r\n" }, { "a \nb\t\r\nc ", "a=20\r\nb=09\r\nc=20\r\n" }, { ".\n..\n.a", "=2E\r\n=2E.\r\n=2Ea\r\n" },
			{ "\n\n", "\r\n\r\n" },
		{ "From me\nfrom you\n From", "=46rom me\r\nfrom you\r\n From\r\n" }, { "a\rb", "a\r\nb\r\n" },
	};
	char body[3000], back[6000];
	(void)state;
	/* A line has 76 bytes, of which the "=" before a soft break is one; the last of a line wants none. */
	struct email_text whole = { 0 };
	memset(body, 'x', sizeof body);
	add_quoted_printable(&whole, body, 75 + 76);
	assert_int_equal(whole.n, 75 + 3 + 76 + 2);
	assert_memory_equal(whole.p + 75, "=\r\n", 3);
	email_text_free(&whole);
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct email_text t = { 0 };
		add_quoted_printable(&t, bodies[i].body, strlen(bodies[i].body));
		assert_string_equal(t.p, bodies[i].lines);
		email_text_free(&t);
	}
	/* Of every length, with what is hexed anywhere: lines keep the limit, and the text comes back. */
	for (size_t n = 1; n < 400; n++) {
		struct email_text t = { 0 };
		for (size_t i = 0; i < n; i++)
			body[i] = " =.x\tF\x80yz"[(i * 7 + n * n) % 9];
		add_quoted_printable(&t, body, n);
		check_lines(t.p, 76);
		size_t m = undo_quoted_printable(t.p, back);
		assert_int_equal(m, n + 2);
		assert_memory_equal(back, body, n);
		email_text_free(&t);
	}
}

static void test_base64_where_it_is_shorter(void **state)
{
	char body[4000];
	size_t n = 0;
	(void)state;
	for (int i = 0; i < 200; i++)
		n += (size_t)snprintf(body + n, sizeof body - n, "€ëя%s", i % 5 ? "" : i % 2 ? "\n" : "\r\n");
	char *mail = written("s", "Shop", body, NULL);
	assert_non_null(strstr(mail, "Content-Transfer-Encoding: base64\r\n\r\n"));
	check_lines(mail, 78);
	unsigned char back[6000];
	char joined[8000];
	size_t m = 0;
	for (const char *p = strstr(mail, "\r\n\r\n") + 4; *p; p++)
		if (*p != '\r' && *p != '\n')
			joined[m++] = *p;
	size_t length = (size_t)EVP_DecodeBlock(back, (unsigned char *)joined, (int)m);
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		if (body[i] == '\n')
			assert_int_equal(back[at++], '\r');
		if (body[i] != '\r')
			assert_int_equal(back[at++], (unsigned char)body[i]);
	}
	assert_in_range(length - at, 0, 2);
	free(mail);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_whole_message), cmocka_unit_test(test_encoded_words),
		cmocka_unit_test(test_long_headers_fold), cmocka_unit_test(test_names), cmocka_unit_test(test_nothing_gets_into_a_header),
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_quoted_printable),
		cmocka_unit_test(test_base64_where_it_is_shorter) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
