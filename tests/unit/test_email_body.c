/* The plugin email: what it signs, and what it puts into bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <openssl/hmac.h>

#include "../../plugins/email/text.c"
#include "../../plugins/email/token.c"
#include "../../plugins/email/body.c"

static const char *key = "ours";

static int sign(const struct fw_host *host, struct fw_plugin_text what, unsigned char ret_mac[32])
{
	unsigned n = 32;
	(void)host;
	return key && HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)what.p, what.n, ret_mac, &n) ? 0 : -1;
}

static const struct fw_host host = { .sign = sign };

static void test_tokens(void **state)
{
	struct email_text t = { 0 };
	struct email_token token;
	const char *target = "https://shop.example/a?b=ü&c=\"<'";
	(void)state;
	assert_int_equal(email_token_add(&host, "m1", EMAIL_TOKEN_CLICK, 1764147600, target, &t), 0);
	assert_int_equal(strspn(t.p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"), t.n);
	assert_int_equal(email_token_read(&host, t.p, t.n, EMAIL_TOKEN_CLICK, &token), COMMON_SIGNED);
	assert_string_equal(token.id, "m1");
	assert_string_equal(token.target, target);
	assert_int_equal(token.at_s, 1764147600);
	/* For nothing else, not a byte shorter, and with no byte another. */
	assert_int_equal(email_token_read(&host, t.p, t.n, EMAIL_TOKEN_UNSUBSCRIBE, &token), COMMON_FORGED);
	for (size_t n = 0; n < t.n; n++)
		assert_int_equal(email_token_read(&host, t.p, n, EMAIL_TOKEN_CLICK, &token), COMMON_FORGED);
	for (size_t i = 0; i < t.n; i++) {
		char was = t.p[i];
		for (const char *c = "AZaz09-_=+/.% \n"; *c; c++) {
			t.p[i] = *c;
			/* The last character has bits that say nothing. */
			if (*c != was && (i + 1 < t.n || t.n % 4 == 0))
				assert_int_equal(email_token_read(&host, t.p, t.n, EMAIL_TOKEN_CLICK, &token), COMMON_FORGED);
		}
		t.p[i] = was;
	}
	/* Another plugin's key is another. */
	key = "theirs";
	assert_int_equal(email_token_read(&host, t.p, t.n, EMAIL_TOKEN_CLICK, &token), COMMON_FORGED);
	key = NULL;
	assert_int_equal(email_token_read(&host, t.p, t.n, EMAIL_TOKEN_CLICK, &token), COMMON_UNKNOWN_YET);
	key = "ours";
	email_text_free(&t);
}

/* What is signed for one thing is no token for another, though the bytes that were signed could be told apart in two ways. */
static void test_tags(void **state)
{
	char tag[EMAIL_TAG_BYTES + 1], id[COMMON_ID_BYTES + 1], longest[] = "0123456789012345678901234567890123456789";
	(void)state;
	assert_int_equal(email_tag_make(&host, longest, tag), 0);
	assert_int_equal(strlen(tag), EMAIL_TAG_BYTES);
	assert_int_equal(strspn(tag, "abcdefghijklmnopqrstuvwxyz0123456789-"), EMAIL_TAG_BYTES);
	assert_int_equal(email_tag_read(&host, tag, id), COMMON_SIGNED);
	assert_string_equal(id, longest);
	for (size_t i = 0; i < sizeof tag - 1; i++) {
		char was = tag[i];
		tag[i] = was == '7' ? '8' : '7';
		assert_int_equal(email_tag_read(&host, tag, id), COMMON_FORGED);
		tag[i] = '\0';
		assert_int_equal(email_tag_read(&host, tag, id), COMMON_FORGED);
		tag[i] = was;
	}
	assert_int_equal(email_tag_read(&host, "-", id), COMMON_FORGED);
	assert_int_equal(email_tag_read(&host, "m1", id), COMMON_FORGED);
	assert_false(common_id_is_fit("0123456789012345678901234567890123456789x", 41));
	assert_false(common_id_is_fit("A", 1) || common_id_is_fit("", 0) || common_id_is_fit("a.b", 3));
}

static struct email_inset inset(int required, int clicks, int opens)
{
	return (struct email_inset){ &host, "m1", 1764147600, "https://shop.example", "https://shop.example/email/u/T",
		"https://shop.example/account",
		"Shop & Co\n1 Road", required, clicks, opens };
}

static char *html_of(const struct email_inset *in, const char *html)
{
	struct email_text t = { 0 };
	assert_int_equal(email_body_html(in, (struct fw_plugin_text){ html, strlen(html) }, &t), 0);
	assert_int_equal(t.failed, 0);
	return t.p;
}

static void test_placeholders(void **state)
{
	struct email_inset in = inset(1, 0, 0);
	struct email_text t = { 0 };
	(void)state;
	const char *html = "<a href=\"https://floorwalker.invalid/unsubscribe\">no</a> 100% <a "
		"href='https://floorwalker.invalid/preferences'>x</a> %postal_address% %other% %";
	char *made = html_of(&in, html);
	assert_string_equal(made, "<a href=\"https://shop.example/email/u/T\">no</a> 100% <a href='https://shop.example/account'>x</a> "
		"Shop &amp; Co<br>1 Road %other% %");
	free(made);
	assert_int_equal(email_body_text(&in, (struct fw_plugin_text){ "%postal_address%: https://floorwalker.invalid/unsubscribe",
		57 }, &t), 0);
	assert_string_equal(t.p, "Shop & Co\n1 Road: https://shop.example/email/u/T");
	email_text_free(&t);
}

/* A marketing message has the address and the way out, whatever the template forgot; others are left alone. */
static void test_what_must_be_there(void **state)
{
	struct email_inset marketing = inset(1, 0, 0), service = inset(0, 0, 0);
	struct email_text t = { 0 };
	(void)state;
	char *made = html_of(&marketing, "<html><body><p>x</p></BODY></html>");
	assert_string_equal(made, "<html><body><p>x</p><p style=\"font-size:small\">Shop &amp; Co<br>1 Road<br>"
		"<a href=\"https://shop.example/email/u/T\">Unsubscribe</a></p>\n</BODY></html>");
	free(made);
	made = html_of(&marketing, "%postal_address%");
	assert_non_null(strstr(made, "<p style=\"font-size:small\"><a href=\"https://shop.example/email/u/T\">Unsubscribe</a></p>"));
	free(made);
	made = html_of(&service, "<p>x");
	assert_string_equal(made, "<p>x");
	free(made);
	assert_int_equal(email_body_text(&marketing, (struct fw_plugin_text){ "x", 1 }, &t), 0);
	assert_string_equal(t.p, "x\n\n-- \nShop & Co\n1 Road\nUnsubscribe: https://shop.example/email/u/T\n");
	email_text_free(&t);
}

static void test_links_are_counted(void **state)
{
	static const struct { const char *before, *value, *after, *target; } links[] = {
		{ "<a href=\"", "https://shop.example/x?a=1&amp;b=2", "\">", "https://shop.example/x?a=1&b=2" },
		{ "<A class=x HREF='", "HTTP://other.example/&#39;&#x22;", "'>", "HTTP://other.example/'\"" },
		{ "<a title=\"a>b\" href = ", "https://shop.example/q", ">", "https://shop.example/q" },
		{ "<p><area alt href=\"", " https://shop.example/&notaref ", "\">", "https://shop.example/&notaref" },
		{ "<!-- <a href=\"https://c.example/\"> --><a href=\"", "https://shop.example/", "\">", "https://shop.example/" },
	};
	static const char *const left[] = {
		"<a href=\"mailto:a@b.example\">", "<a href=\"javascript:x\">", "<a href=\"#top\">", "<a href=\"/path\">",
			"<link href=\"https://x.example/\">",
		"<abbr href=\"https://x.example/\">", "<a data-href=\"https://x.example/\">", "<a href=\"https://x.example/a b\">",
		"<a href=\"https://x.example/",
		"<a href>", "<a href=", "<a =\"https://x.example/\">", "<a/", "<a", "<", "<!--", "<a href=\"https://x.example/&#10;x\">",
		"<a href=\"https://shop.example/email/u/T\">", "<a href=\"https://shop.example/account\">",
		"<a href='https://x.example/\xc2\xa0", "https://x.example/",
	};
	struct email_inset in = inset(0, 1, 0);
	struct email_token token;
	(void)state;
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		char html[400];
		snprintf(html, sizeof html, "%s%s%ssome</a>", links[i].before, links[i].value, links[i].after);
		char *made = html_of(&in, html);
		char *at = made + strlen(links[i].before);
		assert_memory_equal(made, links[i].before, strlen(links[i].before));
		assert_memory_equal(at, "https://shop.example/email/c/", 29);
		size_t n = strcspn(at + 29, "\"'> ");
		assert_int_equal(email_token_read(&host, at + 29, n, EMAIL_TOKEN_CLICK, &token), COMMON_SIGNED);
		assert_string_equal(token.target, links[i].target);
		free(made);
	}
	for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
		char *made = html_of(&in, left[i]);
		assert_string_equal(made, left[i]);
		free(made);
	}
	/* A link that is too long for a token leads where it led. */
	char html[EMAIL_TARGET_BYTES + 100];
	int n = snprintf(html, sizeof html, "<a href=\"https://x.example/");
	memset(html + n, 'x', EMAIL_TARGET_BYTES);
	memcpy(html + n + EMAIL_TARGET_BYTES, "\">", 3);
	char *made = html_of(&in, html);
	assert_string_equal(made, html);
	free(made);
}

static void test_opens_are_counted(void **state)
{
	struct email_inset in = inset(0, 0, 1);
	struct email_token token;
	(void)state;
	char *made = html_of(&in, "<body></body>");
	assert_memory_equal(made, "<body><img src=\"https://shop.example/email/o/", 45);
	size_t n = strcspn(made + 45, ".");
	assert_int_equal(email_token_read(&host, made + 45, n, EMAIL_TOKEN_OPEN, &token), COMMON_SIGNED);
	assert_string_equal(made + 45 + n, ".gif\" width=\"1\" height=\"1\" alt=\"\">\n</body>");
	free(made);
	struct email_text t = { 0 };
	key = NULL;
	assert_true(email_body_html(&in, (struct fw_plugin_text){ "x", 1 }, &t) < 0);
	key = "ours";
	email_text_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_tokens), cmocka_unit_test(test_tags), cmocka_unit_test(test_placeholders),
		cmocka_unit_test(test_what_must_be_there), cmocka_unit_test(test_links_are_counted),
		cmocka_unit_test(test_opens_are_counted) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
