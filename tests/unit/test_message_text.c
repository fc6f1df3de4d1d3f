/* The text part that is made from a message's HTML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/error.h"
#include "base/limits.h"
#include "message/text.h"

static void check(const char *html, const char *expected)
{
	struct fw_buf out;
	fw_buf_init(&out, 0);
	assert_int_equal(fw_text_from_html(fw_str(html), &out), 0);
	assert_string_equal(fw_buf_text(&out), expected);
	fw_buf_finish(&out);
}

static void test_lines(void **state)
{
	(void)state;
	check("", "");
	check(" \n a\n\tb ", "a b\n");
	check("<p>a</p>\n\n<p>b<br>c<br/><br />d</p>", "a\n\nb\nc\n\nd\n");
	check("a<div>b</div>c<div><div>d</div></div>", "a\nb\nc\nd\n");
	check("x<b>y</b>z <i>a</i> b", "xyz a b\n");
	check("<h1>Long ago</h1><p>a</p><h2>Ü</h2>b<h3>c</h3>d", "Long ago\n========\n\na\n\nÜ\n-\n\nb\n\nc\n\nd\n");
	check("<h1>a<br>b</h1>c", "a\nb\n\nc\n");
	check("a<hr>b", "a\n---------------------------------------\n\nb\n");
	check("<pre>a  b\n\n\tc</pre> d  e", "a  b\n\n c\n\nd e\n");
}

static void test_lists(void **state)
{
	(void)state;
	check("a<ul><li>b</li><li>c<ol start=9><li>d<li>e</ol></li></ul>f", "a\n\n- b\n- c\n  9. d\n  10. e\n\nf\n");
	check("<ol><li>a<br>b</li></ol>", "1. a\n   b\n");
	check("<blockquote><p>a</p><p>b</p></blockquote>c", "> a\n\n> b\n\nc\n");
	check("<li>a</li></ul></ul><li>b", "a\n\nb\n");
	check("<ul><li><p>a</p></li><li></li><li>b</li></ul>", "- a\n\n- b\n");
}

static void test_tables(void **state)
{
	(void)state;
	check("<table><tr><th>What</th><th>Price</th></tr><tr><td>Boots</td><td>89</td></tr></table>x", "What Price\nBoots 89\n\nx\n");
	check("<table><tr><td><table><tr><td>a</td></tr></table></td></tr></table>", "a\n");
}

static void test_links(void **state)
{
	(void)state;
	check("<a href=\"https://shop.example/?a=1&amp;b=2\">Shop</a>.", "Shop (https://shop.example/?a=1&b=2).\n");
	check("<a href='https://shop.example/'>shop.example</a> <a href=https://shop.example>https://shop.example</a>",
		"shop.example https://shop.example\n");
	check("<a href=\"mailto:a@shop.example?subject=x\">Write</a> <a href=\"mailto:a@shop.example\">a@shop.example</a>",
		"Write (a@shop.example) a@shop.example\n");
	check("<a href=\"tel:+49301\">call</a> <a href=\"#top\">up</a> <a href=\"/x\">y</a> <a href=\"javascript:x\">z</a> <a name=n>w</a>",
		"call (+49301) up y z w\n");
	check("<a href=\"https://s.example/\"><img src=x alt=\"Boots\"></a> <a href=\"https://s.example/b\"><img src=x></a>",
		"Boots (https://s.example/) https://s.example/b\n");
	check("<li><a href=\"https://s.example\">s.example</a>", "s.example\n");
	check("<ul><li><a href=\"https://s.example\">s.example</a>", "- s.example\n");
	check("<a href=\"https://s.example/1\">a<a href=\"https://s.example/2\">b", "a (https://s.example/1)b (https://s.example/2)\n");
	check("a <a href=\"https://s.example\">b </a>c", "a b (https://s.example) c\n");
}

static void test_what_is_left_out(void **state)
{
	(void)state;
	check("<html><head><title>t</title><style>a<b</style></head><body>x<script>if (a</b) '</scr'</script>y</body>", "xy\n");
	check("<head><meta charset=utf-8><body>x", "x\n");
	check("a<!-- <p>b</p> -->c<!doctype html><?xml?><![endif]>d<!-->e", "acde\n");
	check("<!--[if mso]><p>a</p><![endif]-->b<!--[if !mso]><!-->c<!--<![endif]-->", "bc\n");
	check("<div style=\"color:red; DISPLAY :\nnone\">a<div>b</div>c</div>d<p hidden>e</p><img hidden alt=f>g", "dg\n");
	check("<div style=\"display:block\">a</div>", "a\n");
	check("a\xe2\x80\x8c\xc2\xad\xcd\x8f&zwnj;&shy;b", "ab\n");
	check("<svg><title>a</title><path/></svg>b<textarea>c<p></textarea>d", "bd\n");
	check("a\001\033b", "ab\n");
	check("<script>never closed", "");
}

static void test_characters(void **state)
{
	(void)state;
	check("&lt;b&gt; &amp;amp; &euro;&#8364;&#x20AC;&#X20ac &copy;&nbsp;&hellip;", "<b> &amp; €€€€ © …\n");
	check("&nosuch; & &; &amp &#; &#x; &#0;&#xd800;&#99999999999;",
		"&nosuch; & &; &amp &#; &#x; \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n");
	check("1 < 2 <3 </ 4", "1 < 2 <3 </ 4\n");
	check("\xff\xc3", "\xff\xc3\n");
	/* A control character got into an address with half a letter behind it. */
	check("<a href=\"https://s.example/\033\200\177\">a</a>", "a (https://s.example/\200)\n");
}

static void test_wrapping(void **state)
{
	(void)state;
	struct fw_buf html, out, expected;
	fw_buf_init(&html, 0);
	fw_buf_init(&out, 0);
	fw_buf_init(&expected, 0);
	fw_buf_puts(&html, "<ul><li>");
	for (int i = 0; i < 30; i++)
		fw_buf_puts(&html, i ? " wörter" : "wörter");
	fw_buf_puts(&html, "</ul>x <a "
		"href=\"https://shop.example/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/\">y</a>");
	for (int line = 0; line < 3; line++)
		for (int i = 0; i < (line < 2 ? 11 : 8); i++)
			fw_buf_printf(&expected, "%swörter", i ? " " : line ? "\n  " : "- ");
	fw_buf_puts(&expected, "\n\nx y\n(https://shop.example/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/)\n");
	assert_int_equal(fw_text_from_html((struct fw_str){ html.data, html.n }, &out), 0);
	assert_string_equal(fw_buf_text(&out), fw_buf_text(&expected));
	fw_buf_finish(&expected);
	fw_buf_finish(&out);
	fw_buf_finish(&html);
}

/* A line that is exactly full stays; one more character breaks it. */
static void test_full_line(void **state)
{
	(void)state;
	char html[FW_TEXT_COLUMNS + 2];
	memset(html, 'a', sizeof html - 1);
	html[sizeof html - 1] = '\0';
	html[FW_TEXT_COLUMNS / 2] = ' ';
	for (int n = FW_TEXT_COLUMNS; n <= FW_TEXT_COLUMNS + 1; n++) {
		struct fw_buf out;
		fw_buf_init(&out, 0);
		assert_int_equal(fw_text_from_html((struct fw_str){ html, (size_t)n }, &out), 0);
		assert_int_equal(out.data[FW_TEXT_COLUMNS / 2], n > FW_TEXT_COLUMNS ? '\n' : ' ');
		fw_buf_finish(&out);
	}
}

static void test_limit(void **state)
{
	(void)state;
	struct fw_buf html, out;
	fw_buf_init(&html, 0);
	fw_buf_init(&out, 0);
	fw_buf_puts(&out, "before");
	while (html.n < 2 * (size_t)FW_LIMIT_MESSAGE_PART_BYTES)
		fw_buf_puts(&html, "<p>12345678901234567890");
	assert_int_equal(fw_text_from_html((struct fw_str){ html.data, html.n }, &out), FW_ELIMIT);
	assert_int_equal(out.n, 6);
	fw_buf_finish(&out);
	fw_buf_finish(&html);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines), cmocka_unit_test(test_lists), cmocka_unit_test(test_tables), cmocka_unit_test(test_links),
		cmocka_unit_test(test_what_is_left_out), cmocka_unit_test(test_characters), cmocka_unit_test(test_wrapping),
		cmocka_unit_test(test_full_line), cmocka_unit_test(test_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
