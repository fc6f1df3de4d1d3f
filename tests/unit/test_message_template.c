/* Templates beyond the specification: fallbacks, the place a variable stands in, mistakes, limits, what a template reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "lib_rules.h"
#include "message/template.h"

struct templates {
	struct fw_arena arena;
	struct fw_files files;
	struct fw_errors errors;
	struct fw_templates *set;
	char said[1200];
};

/* Files as name and text, ended by NULL. What is wrong comes back as text, or NULL. */
static const char *load(struct templates *t, const char *const *files)
{
	*t = (struct templates){ .set = NULL };
	fw_arena_init(&t->arena, NULL, 0, 0);
	fw_errors_init(&t->errors);
	for (; *files; files += 2) {
		char path[200];
		snprintf(path, sizeof path, FW_TEMPLATES_FOLDER "%s", files[0]);
		assert_int_equal(fw_files_add(&t->files, path, files[1], strlen(files[1]), false), 0);
	}
	int ret = fw_templates_load(&t->files, &t->arena, &t->errors, &t->set);
	if (ret == 0)
		return NULL;
	assert_int_equal(ret, FW_EINVAL);
	return fw_error_text(&t->errors.items[0], t->said, sizeof t->said);
}

static void finish(struct templates *t)
{
	fw_errors_finish(&t->errors);
	fw_files_finish(&t->files);
	fw_arena_finish(&t->arena);
}

/* What a text gives, or what is wrong with it. */
static void check(enum fw_template_form form, const char *text, const char *json, const char *expected)
{
	struct fw_arena a;
	struct fw_json *data;
	struct fw_error err;
	struct fw_buf out;
	char said[1200];
	fw_arena_init(&a, NULL, 0, 0);
	fw_buf_init(&out, 0);
	assert_int_equal(fw_json_parse(&a, json, strlen(json), &data, &err), 0);
	fw_buf_puts(&out, "+");
	struct fw_template *t;
	int rc = fw_template_parse(&a, "t", fw_str(text), form, &t, &err);
	if (rc == 0)
		rc = fw_template_render(t, data, &out, NULL, &err);
	if (rc < 0) {
		assert_int_equal(out.n, 1);
		assert_string_equal(fw_error_text(&err, said, sizeof said), expected);
	} else {
		assert_string_equal(fw_buf_text(&out) + 1, expected);
	}
	fw_buf_finish(&out);
	fw_arena_finish(&a);
}

static void html(const char *text, const char *json, const char *expected)
{
	check(FW_TEMPLATE_HTML, text, json, expected);
}

static void plain(const char *text, const char *json, const char *expected)
{
	check(FW_TEMPLATE_TEXT, text, json, expected);
}

static void test_fallbacks(void **state)
{
	(void)state;
	html("Hi {{name|there}}!", "{}", "Hi there!");
	html("Hi {{ name | dear  customer }}!", "{\"name\":null}", "Hi dear  customer!");
	html("{{name|x}}{{n|x}}{{f|x}}{{e|x}}{{l|x}}{{o|x}}", "{\"name\":\"Ann\",\"n\":0,\"f\":false,\"e\":\"\",\"l\":[],\"o\":{}}",
		"Ann0falsexxx");
	html("{{a.b.c|<&>}}", "{\"a\":{\"b\":1}}", "&lt;&amp;&gt;");
	html("<a href=\"/?q={{q|a b}}\">", "{}", "<a href=\"/?q=a%20b\">");
	html("{{.|x}}{{x|}}", "{}", "x");
}

static void test_values(void **state)
{
	(void)state;
	plain("{{a}} {{b}} {{c}} {{d}}", "{\"a\":80.5,\"b\":true,\"c\":1e21,\"d\":-0.25}", "80.5 true 1e+21 -0.25");
	plain("{{l}}", "{\"l\":[\"a\",1,null,[\"x\"],{\"k\":1},\"\",\"b\"]}", "a, 1, b");
	plain("{{#n}}yes{{/n}}{{^n}}no{{/n}}", "{\"n\":0}", "no");
	plain("{{#n}}yes{{/n}}{{^n}}no{{/n}}", "{\"n\":\"\"}", "no");
	plain("{{#n}}yes{{/n}}{{^n}}no{{/n}}", "{\"n\":-1}", "yes");
	plain("{{#n}}yes{{/n}}{{^n}}no{{/n}}", "{\"n\":{}}", "yes");
	plain("a\001b{{v}}", "{\"v\":\"\\u0000x\\u001b\\n\\t\\r\\u007f\"}", "a\001b x \n\t\r ");
	plain("{{{v}}}{{&v}}", "{\"v\":\"<\"}", "<<");
	plain("\xef\xbb\xbf{{v}}", "{\"v\":\"x\"}", "x");
}

/* A tag in a file with the line ends of Windows takes its whole line with it. */
static void test_lines(void **state)
{
	(void)state;
	plain("a\r\n  {{#x}}\r\nb\r\n{{/x}}  \r\nc", "{\"x\":1}", "a\r\nb\r\nc");
	plain("{{!\n a\n b\n}}\nc", "{}", "c");
}

static void test_header(void **state)
{
	(void)state;
	check(FW_TEMPLATE_HEADER, "Hi {{n}}\r\nBcc: x", "{\"n\":\"a\\r\\nBcc: b\\u0000\\tc\"}", "Hi a  Bcc: b  c  Bcc: x");
	check(FW_TEMPLATE_HEADER, "{{{n}}} & {{&n}}", "{\"n\":\"<\\n>\"}", "< > & < >");
	check(FW_TEMPLATE_HEADER, "{{n|a\nb}}", "{}", "a b");
	check(FW_TEMPLATE_HEADER, "{{> x}}", "{}", "t:1: only template files include partials; put it into a file of templates/");
}

static void test_html(void **state)
{
	(void)state;
	const char *data = "{\"v\":\"<b>&\\\"'\"}", *escaped = "&lt;b&gt;&amp;&quot;&#39;";
	char expected[200];
	html("{{v}}", data, escaped);
	html("{{{v}}}{{&v}}", data, "<b>&\"'<b>&\"'");
	snprintf(expected, sizeof expected, "<p title=\"%s\" class='%s'>", escaped, escaped);
	html("<p title=\"{{v}}\" class='{{v}}'>", data, expected);
	html("5 < 6 {{v}} a<1 {{v}}", "{\"v\":\"x\"}", "5 < 6 x a<1 x");
	html("<!-- {{v}} -->{{v}}", "{\"v\":\"x\"}", "<!--  -->x");
	html("<!-->{{v}}<!--->{{v}}", "{\"v\":\"x\"}", "<!-->x<!--->x");
	/* Both kinds of conditional comments hold HTML. */
	html("<!--[if mso]><a href=\"{{v}}\">{{v}}</a><![endif]-->", "{\"v\":\"javascript:1<\"}",
		"<!--[if mso]><a href=\"#\">javascript:1&lt;</a><![endif]-->");
	html("<!--[if !mso]><!-->{{v}}<!--<![endif]-->{{v}}", "{\"v\":\"<\"}", "<!--[if !mso]><!-->&lt;<!--<![endif]-->&lt;");
	html("<p style=\"color:{{v}};width:{{w}}%\">", "{\"v\":\"#fff;x:expression(1)\",\"w\":50}",
		"<p style=\"color:#fffxexpression1;width:50%\">");
	html("<style>a{color:{{v}}}</style>{{v}}", "{\"v\":\"red}</style>\"}", "<style>a{color:redstyle}</style>red}&lt;/style&gt;");
	html("<td{{#v}} class=\"{{v}}\"{{/v}}>", "{\"v\":\"a\"}", "<td class=\"a\">");
	html("<p>{{#v}}<b>{{.}}</b>{{/v}}</p>", "{\"v\":[1,2]}", "<p><b>1</b><b>2</b></p>");
	html("<script>if (1) {}</script><SCRIPT >x</script x>{{v}}", "{\"v\":\"&\"}",
		"<script>if (1) {}</script><SCRIPT >x</script x>&amp;");
	html("<p a=b c>{{v}}<br/>{{v}}", "{\"v\":\"&\"}", "<p a=b c>&amp;<br/>&amp;");
}

static void test_addresses(void **state)
{
	(void)state;
	const char *data = "{\"u\":\"https://shop.example/a b?x=1&y='%41%4\\u00fc#f\",\"j\":\" "
		"JavaScript:alert(1)\",\"v\":\"../x?y=1&z#\\\"\","
		"\"m\":\"a+b@shop.example\",\"d\":\"data:text/html,x\",\"h\":\"en.evil/\",\"t\":\"java\\tscript:x\",\"r\":\"/care?a=1\"}";
	/* A whole one. */
	html("<a href=\"{{u}}\">", data, "<a href=\"https://shop.example/a%20b?x=1&amp;y=%27%41%254%C3%BC#f\">");
	html("<a href='{{j}}'><img src=\"{{d}}\">", data, "<a href='#'><img src=\"#\">");
	html("<a href=\" {{j}}\" HREF =\n\"{{t}}\">", data, "<a href=\" #\" HREF =\n\"#\">");
	html("<a href=\"{{r}}\">", data, "<a href=\"/care?a=1\">");
	html("<a href=\"{{#no}}x{{/no}}{{^no}}{{j}}{{/no}}\">", data, "<a href=\"#\">");
	html("<a href=\"{{no}}{{j}}\">", data, "<a href=\"#\">");
	/* A part of one. */
	html("<a href=\"https://shop.example/p/{{v}}/x\">", data, "<a href=\"https://shop.example/p/..%2Fx%3Fy%3D1%26z%23%22/x\">");
	html("<a href=\"https://shop.example?q={{v}}\">", data, "<a href=\"https://shop.example?q=..%2Fx%3Fy%3D1%26z%23%22\">");
	html("<a href=\"{{r}}&amp;b={{v}}\">", data, "<a href=\"/care?a=1&amp;b=..%2Fx%3Fy%3D1%26z%23%22\">");
	html("<a href=\"https://{{h}}.shop.example/{{h}}\">", data, "<a href=\"https://enevil.shop.example/en.evil%2F\">");
	html("<a href=\"https://shop.example{{h}}\">", data, "<a href=\"https://shop.exampleenevil\">");
	html("<a href=\"//shop{{h}}\">", data, "<a href=\"//shopenevil\">");
	html("<a href=\"mailto:{{m}}?subject={{v}}\">", data, "<a href=\"mailto:a+b@shop.example?subject=..%2Fx%3Fy%3D1%26z%23%22\">");
	html("<a href=\"javascript:x({{v}})\">", data, "<a href=\"javascript:x()\">");
	html("<a href=\"cart/{{v}}\">", data, "<a href=\"cart/..%2Fx%3Fy%3D1%26z%23%22\">");
	html("<img srcset=\"{{u}} 1x, {{j}} 2x\">", data,
		"<img srcset=\"https://shop.example/a%20b?x=1&amp;y=%27%41%254%C3%BC#f 1x, # 2x\">");
	html("<v:fill xlink:href=\"{{j}}\" background='{{j}}'>", data, "<v:fill xlink:href=\"#\" background='#'>");
	html("{{#l}}<a href=\"{{.}}\">{{/l}}", "{\"l\":[\"vbscript:x\",\"HTTPS://a\",\"tel:+49\",\"b:c\",\":x\"]}",
		"<a href=\"#\"><a href=\"HTTPS://a\"><a href=\"tel:+49\"><a href=\"#\"><a href=\"#\">");
}

static void test_refused_places(void **state)
{
	(void)state;
	html("<a href={{u}}>", "{}", "t:1: a variable stands in a value without quotes; put quotes around the value");
	html("\n<a {{u}}>", "{}",
		"t:2: a variable stands inside a tag; variables stand in text and in quoted values of attributes; \"<\" in text is "
			"written &lt;");
	html("<{{u}}>", "{}",
		"t:1: a variable stands inside a tag; variables stand in text and in quoted values of attributes; \"<\" in text is "
			"written &lt;");
	html("<a onclick=\"{{u}}\">", "{}", "t:1: a variable stands in a script; take it out: no mail program runs it");
	html("<script>\n{{u}}</script>", "{}", "t:2: a variable stands in a script; take it out: no mail program runs it");
	html("<a href{{#x}}=\"{{u}}\"{{/x}}>", "{}", "t:1: a variable stands in a script; take it out: no mail program runs it");
	html("<a href=\"{{{u}}}\">", "{}",
		"t:1: an unescaped variable stands in an address; write it with two braces: it is made fit for its place");
	html("<a title=\"{{&u}}\">", "{}",
		"t:1: an unescaped variable stands in an attribute; write it with two braces: it is made fit for its place");
	html("<p style=\"background: url( '{{u}}')\">", "{}",
		"t:1: a variable stands in an address in a style; use <img src=\"…\"> or the attribute background");
	html("{{#x}}<a title=\"{{/x}}\">", "{}",
		"t:1: the section of line 1 begins in text and ends in an attribute; begin and end a section in the same tag, or outside "
			"of tags");
	html("<a {{#x}}href=\"{{/x}}\">", "{}",
		"t:1: the section of line 1 begins inside a tag and ends in an address; begin and end a section in the same tag, or "
			"outside of tags");
	html("<a href={{#x}}\"a\"{{/x}}>", "{}", "t:1: a section stands in a value without quotes; put quotes around the value");
	html("x\n<a title=\"y", "{}", "t:2: the template ends in an attribute; is a \">\", a quotation mark or \"-->\" missing?");
}

static void test_mistakes(void **state)
{
	(void)state;
	plain("a\n{{#b}}\n{{#c}}{{/c}}", "{}", "t:2: the section \"b\" is never closed; write {{/b}} where it ends");
	plain("{{/b}}", "{}", "t:1: {{/b}} closes what was never opened; a section begins with {{#name}} or {{^name}}");
	plain("{{#a}}\n{{^b}}\n{{/a}}", "{}", "t:3: {{/a}} stands in the section of line 2; {{/b}} has to come first");
	plain("a\n{{b", "{}", "t:2: a tag begins here that is never closed; write }} where it ends");
	plain("{{{b}}", "{}", "t:1: a tag begins here that is never closed; write }}} where it ends");
	plain("{{ }}", "{}", "t:1: a tag without a name; {{traits.first_name}} writes a value");
	plain("{{first name}}", "{}", "t:1: \"first name\" is no name; names are words with points between: {{traits.first_name}}");
	plain("{{a..b}}", "{}", "t:1: \"a..b\" is no name; names are words with points between: {{traits.first_name}}");
	plain("{{#if cart}}{{/if}}", "{}", "t:1: there is no \"if\" in templates; a section needs no word: {{#cart.items}} … "
		"{{/cart.items}}, and "
		"{{^cart.items}} where there is none");
	plain("{{#a|b}}{{/a|b}}", "{}", "t:1: a section has no fallback; only variables have one: {{name|fallback}}");
	plain("{{<a}}{{/a}}", "{}", "t:1: parents and blocks are not part of these templates; use partials: {{> name}}");
	plain("{{=<<=}}", "{}", "t:1: these are no delimiters; write two marks with a space between, such as {{=<% %>=}}");
	plain("{{=<% %>=}}<%a", "{}", "t:1: a tag begins here that is never closed; write %> where it ends");
	plain("a\xff", "{}", "t: the template is not UTF-8; save it as UTF-8");
}

static void mistake(const char *const *files, const char *expected)
{
	struct templates t;
	const char *said = load(&t, files);
	assert_string_equal(said ? said : "nothing", expected);
	finish(&t);
}

static void test_partials(void **state)
{
	(void)state;
	mistake((const char *const[]){ "a.html", "x\n{{> hedder}}", "_header.html", "", NULL },
		"templates/a.html:2: there is no partial \"hedder\"; did you mean {{> header}}?");
	mistake((const char *const[]){ "a.txt", "{{> in/foot}}", "_header.html", "", NULL },
		"templates/a.txt:1: there is no partial \"in/foot\"; it would be the file templates/in/_foot.txt");
	mistake((const char *const[]){ "_a.html", "{{> b}}", "_b.html", "{{#x}}{{> a}}{{/x}}\n{{> a}}", NULL },
		"templates/_b.html:2: {{> a}} includes itself without an end; inside of a section it ends with the data: "
		"{{#children}}{{> a}}{{/children}}");
	mistake((const char *const[]){ "a.html", "<a href=\"{{> b}}\">", "_b.html", "", NULL },
		"templates/a.html:1: a partial is included in an address; it can stand where text can");
	mistake((const char *const[]){ "a.html", "{{> *b}}", NULL },
		"templates/a.html:1: a partial's name is written out, not looked up; choose with sections: {{#a}}{{> a}}{{/a}}");
	struct templates t;
	struct fw_buf out;
	struct fw_error err;
	struct fw_json data = { .type = FW_JSON_OBJECT };
	assert_null(load(&t, (const char *const[]){ "w/a.sms", "{{> _b}} {{> w/b}}", "_b.sms", "1{{> w/b}}\r\n", "w/_b.sms", "2", "c.html",
		"", NULL }));
	fw_buf_init(&out, 0);
	assert_int_equal(fw_templates_count(t.set), 2);
	assert_null(fw_templates_find(t.set, FW_STR("b"), FW_TEMPLATE_SMS));
	assert_null(fw_templates_find(t.set, FW_STR("w/a"), FW_TEMPLATE_TEXT));
	assert_int_equal(fw_template_render(fw_templates_find(t.set, FW_STR("w/a"), FW_TEMPLATE_SMS), &data, &out, NULL, &err), 0);
	assert_string_equal(fw_buf_text(&out), "12 2");
	fw_buf_finish(&out);
	finish(&t);
}

/* The output, the steps and the nesting of a rendering have an end, and then nothing is written. */
static void test_limits(void **state)
{
	(void)state;
	enum { ITEMS = 1200 };
	struct fw_json items[ITEMS] = { { .type = FW_JSON_NULL } };
	struct fw_json list = { .type = FW_JSON_ARRAY, .key = FW_STR("l"), .child = items, .count = ITEMS };
	struct fw_json data = { .type = FW_JSON_OBJECT, .child = &list, .count = 1 };
	for (int i = 0; i < ITEMS; i++)
		items[i] = (struct fw_json){ .type = FW_JSON_STRING, .string = FW_STR("12345678"),
			.next = i + 1 < ITEMS ? &items[i + 1] : NULL };
	struct templates t;
	struct fw_buf out;
	struct fw_error err;
	fw_buf_init(&out, 0);
	assert_null(load(&t, (const char *const[]){ "bytes.txt", "{{#l}}{{l}}{{/l}}", "steps.txt", "{{#l}}{{#l}}{{/l}}{{/l}}",
		"deep.txt", "{{> tree}}", "_tree.txt", "{{#l}}{{> tree}}{{/l}}", NULL }));
	static const char *const expected[][2] = { { "bytes", "templates/bytes.txt: rendering it makes more bytes than 1048576" },
		{ "steps", "templates/steps.txt: rendering it takes more steps than 1000000" },
		{ "deep", "templates/_tree.txt: rendering it nests deeper than 64" } };
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		char said[1200];
		const struct fw_template *one = fw_templates_find(t.set, fw_str(expected[i][0]), FW_TEMPLATE_TEXT);
		assert_int_equal(fw_template_render(one, &data, &out, NULL, &err), FW_ELIMIT);
		assert_string_equal(fw_error_text(&err, said, sizeof said), expected[i][1]);
		assert_int_equal(out.n, 0);
	}
	fw_buf_finish(&out);
	finish(&t);
	char nested[FW_LIMIT_TEMPLATE_DEPTH * 6 + 12] = "";
	for (size_t i = 0; i <= FW_LIMIT_TEMPLATE_DEPTH; i++)
		memcpy(nested + i * 6, "{{#a}}", 6);
	plain(nested, "{}", "t:1: sections are nested more than 64 deep");
}

/* Memory that runs out at any place of a load is said, and nothing else is wrong then. */
static void test_memory(void **state)
{
	(void)state;
	static const char *const texts[] = { "{{#a}}{{b.c|d}}{{> p}}{{/a}}", "<a href=\"{{x}}\">{{#n}}{{> p}}{{/n}}</a>" };
	size_t limit = 0;
	for (int ret = FW_ENOMEM; ret < 0; limit += 8) {
		struct templates t = { .set = NULL };
		fw_arena_init(&t.arena, NULL, 0, limit + 1);
		fw_errors_init(&t.errors);
		assert_int_equal(fw_files_add(&t.files, FW_TEMPLATES_FOLDER "a.txt", texts[0], strlen(texts[0]), false), 0);
		assert_int_equal(fw_files_add(&t.files, FW_TEMPLATES_FOLDER "_p.txt", texts[1], strlen(texts[1]), false), 0);
		assert_int_equal(fw_files_add(&t.files, FW_TEMPLATES_FOLDER "_q.html", "{{a.b}}", 7, false), 0);
		assert_int_equal(fw_files_add(&t.files, FW_TEMPLATES_FOLDER "_p.txt", "", 0, true), 0);
		ret = fw_templates_load(&t.files, &t.arena, &t.errors, &t.set);
		if (ret < 0) {
			assert_int_equal(ret, FW_ENOMEM);
			assert_string_equal(t.errors.items[0].message, "out of memory");
		}
		finish(&t);
	}
	assert_true(limit > 1000);
}

static void test_gaps(void **state)
{
	(void)state;
	struct templates t;
	struct fw_buf out;
	struct fw_error err;
	struct fw_template_gaps gaps = { 0 };
	struct fw_json data = { .type = FW_JSON_OBJECT };
	fw_buf_init(&out, 0);
	assert_null(load(&t, (const char *const[]){ "a.txt", "{{a|x}}{{b.c}}\n{{d}}{{#e}}{{f}}{{/e}}", NULL }));
	assert_int_equal(fw_template_render(fw_templates_find(t.set, FW_STR("a"), FW_TEMPLATE_TEXT), &data, &out, &gaps, &err), 0);
	assert_int_equal(gaps.n, 2);
	assert_true(fw_str_is(gaps.items[0].name, "b.c") && gaps.items[0].line == 1);
	assert_true(fw_str_is(gaps.items[1].name, "d") && gaps.items[1].line == 2);
	assert_string_equal(gaps.items[1].file, "templates/a.txt");
	fw_buf_finish(&out);
	finish(&t);
}

/* Names as "name" with "^" in a section, "!" where it is needed, of a template and its partials. */
static void test_names(void **state)
{
	(void)state;
	struct templates t;
	struct fw_buf out;
	uint32_t n;
	fw_buf_init(&out, 0);
	assert_null(load(&t, (const char *const[]){ "a.html",
		"{{a}}{{b|x}}{{^c}}{{d}}{{> p}}{{/c}}{{#e.f}}{{g}}{{> p}}{{^h}}{{/h}}{{/e.f}}{{> p}}{{> p}}{{.}}<!--{{k}}-->",
		"_p.html", "{{i}}{{#j}}{{> p}}{{/j}}", NULL }));
	const struct fw_template_name *names = fw_template_names(fw_templates_find(t.set, FW_STR("a"), FW_TEMPLATE_HTML), &n);
	for (uint32_t i = 0; i < n; i++)
		fw_buf_printf(&out, "%s%.*s%s", i ? " " : "", (int)names[i].name.n, names[i].name.p,
			names[i].needed ? "!" : names[i].from_top ? "" : "^");
	assert_string_equal(fw_buf_text(&out), "a! b c d i j e.f g^ h^ i! j k");
	assert_string_equal(names[4].file, "templates/_p.html");
	fw_buf_finish(&out);
	finish(&t);
}

static const char slots[] = "segment 'near' { when = { country = 'DE' } } segment 'keen' { when = { viewed = { brand = 'x' } } }\n";

/* What is wrong with templates beside message rules; "" when nothing is, and then what the first rule uses. */
static void beside(const char *const *files, const char *rules, const char *expected, unsigned uses)
{
	struct templates t;
	struct rules r;
	char text[2000], said[1200];
	const char *wrong = load(&t, files);
	assert_null(wrong);
	snprintf(text, sizeof text, "%s%s", slots, rules);
	rules_open(&r, text, NULL);
	int ret = fw_templates_check(t.set, r.set, &t.errors);
	assert_string_equal(t.errors.n ? fw_error_text(&t.errors.items[0], said, sizeof said) : "", expected);
	assert_int_equal(ret, expected[0] ? FW_EINVAL : 0);
	if (ret == 0)
		assert_int_equal(r.set->rules[0].uses, uses);
	rules_finish(&r);
	finish(&t);
}

#define RULE(send) "rule 'r' { channel = 'email', on = 'Signed Up', send = " send " }"

static void test_check(void **state)
{
	(void)state;
	const char *const one[] = { "hello.html", "{{traits.name}} {{content.headline}}", "hello.sms", "{{event.id}}", NULL };
	beside(one, RULE("{ template = 'hello', headline = 'x' }"), "", FW_USES_PROFILE);
	beside(one, RULE("{ template = 'helo', headline = 'x' }"),
		"a.lua:2: rule \"r\": send: there is no template \"helo\"; did you mean \"hello\"?", 0);
	beside(one, RULE("{ template = 'other' }"),
		"a.lua:2: rule \"r\": send: there is no template \"other\"; it would be the file templates/other.html, beside the rules",
			0);
	beside(one, RULE("{ template = 'hello' }"), "a.lua:2: rule \"r\": send: it has no \"headline\", which templates/hello.html reads "
		"on line 1; "
		"add headline = \"…\", or write {{content.headline|…}} there", 0);
	beside(one, RULE("{ template = 5 }"),
		"a.lua:2: rule \"r\": send: a template is named by a text, not by a number; write template = \"cart-reminder\"", 0);
	beside(one, RULE("function(v) return { template = 'helo' } end"), "", 0);
	beside((const char *const[]){ "a.sms", "", NULL }, RULE("{ template = 'a' }"),
		"a.lua:2: rule \"r\": send: the template \"a\" is there as "
		".sms only, which channel \"email\" does not send", 0);
	beside((const char *const[]){ "a.html", "", NULL }, "rule 'r' { channel = 'sms', on = 'x', send = { template = 'a' } }",
		"a.lua:2: rule \"r\": send: the template \"a\" is there as .html only, which channel \"sms\" does not send; a text "
			"message has a file "
		"of its own, templates/NAME.sms", 0);
	beside((const char *const[]){ "a.html", "{{#content.list}}{{name}}{{/content.list}}{{^content.x}}{{content.y}}{{/content.x}}",
		NULL },
		RULE("{ template = 'a' }"), "", 0);
}

static void test_texts_of_send(void **state)
{
	(void)state;
	const char *const none[] = { NULL };
	beside(none, RULE("{ subject = 'Hi {{traits.first_name|there}}', text = '{{cart.items}}' }"), "",
		FW_USES_PROFILE | FW_USES_SESSION);
	beside(none, RULE("{ subject = 'Hi {{traits.name' }"),
		"a.lua:2: rule \"r\": send: subject: a tag begins here that is never closed; write }} where it ends", 0);
	beside(none, RULE("{ text = '{{content.subject}}', subject = 'x' }"),
		"a.lua:2: rule \"r\": send: text: {{content.subject}} reads what "
		"the texts of send only make; the content is there in template files", 0);
	beside(none, RULE("{ html = '<a href={{traits.url}}>' }"),
		"a.lua:2: rule \"r\": send: html: a variable stands in a value without quotes; "
		"put quotes around the value", 0);
	beside(none, RULE("{ subject = '{{frist_name}}' }"), "a.lua:2: rule \"r\": send: subject: there is no {{frist_name}}; what is "
		"known of a "
		"person is {{traits.NAME}}, what the event tells {{event.NAME}}", 0);
}

static void names(const char *text, const char *expected)
{
	beside((const char *const[]){ "a.html", text, NULL }, RULE("{ subject = 'x' }"), expected, 0);
}

static void test_known_names(void **state)
{
	(void)state;
	names("{{traits.x}}{{event.y}}{{country}}{{cart.items}}{{#cart}}{{total}}{{/cart}}{{content.z}}{{message.id}}{{unsubscribe_url}}"
		"{{preferences_url}}{{currency}}{{#segment.near}}x{{/segment.near}}{{#consent.email}}x{{/consent.email}}", "");
	names("{{contry}}", "templates/a.html:1: there is no {{contry}}; did you mean {{country}}?");
	names("\n{{unsubscribe_ulr}}", "templates/a.html:2: there is no {{unsubscribe_ulr}}; did you mean {{unsubscribe_url}}?");
	names("{{first_name}}", "templates/a.html:1: there is no {{first_name}}; what is known of a person is {{traits.NAME}}, what the "
		"event "
		"tells {{event.NAME}}, what `send` made {{content.NAME}}");
	names("{{cart.itmes}}", "templates/a.html:1: there is no {{cart.itmes}}; did you mean {{cart.items}}?");
	names("{{country.name}}", "templates/a.html:1: there is no {{country.name}}; did you mean {{country}}?");
	names("{{segment.neer}}", "templates/a.html:1: there is no segment \"neer\"");
	names("{{viewed}}", "templates/a.html:1: {{viewed}} is a count, and asked with a query; ask in a function: "
		"send = function(v) return { n = v:viewed { … } } end, and write {{content.n}}");
	names("{{#event.products}}{{whatever}}{{^none}}{{other}}{{/none}}{{/event.products}}", "");
}

/* What a template reads is what its rule makes use of, so that no guard is got round by writing it there. */
static void test_uses(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned uses;
	} rows[] = {
		{ "{{country}}", FW_USES_GEOGRAPHY }, { "{{content.country|}}{{content}}{{message.id}}", 0 }, { "{{orders}}",
			FW_USES_BEHAVIOUR },
		{ "{{#cart}}{{items}}{{/cart}}", FW_USES_SESSION }, { "{{^cart.items}}{{/cart.items}}", FW_USES_SESSION },
		{ "{{event.x}}", FW_USES_CONTEXT }, { "{{#segment.near}}{{/segment.near}}", FW_USES_GEOGRAPHY },
		{ "{{#segment.keen}}{{/segment.keen}}", FW_USES_BEHAVIOUR },
		{ "{{#segment}}{{near}}{{/segment}}", FW_USES_GEOGRAPHY | FW_USES_BEHAVIOUR },
		{ "{{#content.l}}{{country}}{{/content.l}}", FW_USES_GEOGRAPHY }, { "{{engagement.email}}", FW_USES_BEHAVIOUR },
		{ "{{> p}}", FW_USES_DEVICE },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		beside((const char *const[]){ "a.html", rows[i].text, "_p.html", "{{os}}", NULL }, RULE("{ template = 'a' }"), "",
			rows[i].uses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fallbacks), cmocka_unit_test(test_values), cmocka_unit_test(test_lines),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_html), cmocka_unit_test(test_addresses), cmocka_unit_test(test_refused_places),
		cmocka_unit_test(test_mistakes), cmocka_unit_test(test_partials), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_memory), cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_names), cmocka_unit_test(test_check), cmocka_unit_test(test_texts_of_send),
		cmocka_unit_test(test_known_names), cmocka_unit_test(test_uses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
