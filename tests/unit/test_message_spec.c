/* The tests of the Mustache specification (tests/data/mustache-spec), each as files of a rule set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "message/template.h"

static char *read_file(const char *name, size_t *ret_n)
{
	char path[4096];
	snprintf(path, sizeof path, FW_TESTS "/data/mustache-spec/%s.json", name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	char *text = malloc(1 << 20);
	assert_non_null(text);
	*ret_n = fread(text, 1, 1 << 20, f);
	fclose(f);
	return text;
}

static void add(struct fw_files *files, struct fw_str name, const char *mark, const char *ending, struct fw_str text)
{
	char path[300];
	snprintf(path, sizeof path, FW_TEMPLATES_FOLDER "%s%.*s.%s", mark, (int)name.n, name.p, ending);
	assert_int_equal(fw_files_add(files, path, text.p, text.n, false), 0);
}

/* The template as a file of the form and its partials beside it; what comes out, or the first error, into `out`. */
static void render(const struct fw_json *t, const char *ending, enum fw_template_form form, struct fw_buf *out)
{
	struct fw_arena a;
	struct fw_files files = { 0 };
	struct fw_errors errors;
	struct fw_templates *set;
	struct fw_error err;
	struct fw_json none = { .type = FW_JSON_OBJECT };
	const struct fw_json *partials = fw_json_get(t, "partials"), *data = fw_json_get(t, "data");
	fw_arena_init(&a, NULL, 0, 0);
	fw_errors_init(&errors);
	add(&files, FW_STR("main"), "", ending, fw_json_get(t, "template")->string);
	for (const struct fw_json *p = partials ? partials->child : NULL; p; p = p->next)
		add(&files, p->key, "_", ending, p->string);
	int ret = fw_templates_load(&files, &a, &errors, &set);
	if (ret == 0)
		ret = fw_template_render(fw_templates_find(set, FW_STR("main"), form), data ? data : &none, out, NULL, &err);
	else
		err = errors.items[0];
	if (ret < 0)
		fw_buf_printf(out, "error: %s", err.message);
	fw_errors_finish(&errors);
	fw_files_finish(&files);
	fw_arena_finish(&a);
}

/* What ours say on purpose in place of what the specification only recommends. */
static const char *other_answer(struct fw_str name)
{
	return fw_str_is(name, "Failed Lookup") ? "error: there is no partial \"text\"" : NULL;
}

/* A lonely "<" of these tests would begin a tag of HTML, where what follows it is refused. In plain text it is only a mark. */
static bool opens_tag(struct fw_str name)
{
	return fw_str_is(name, "Recursion") || fw_str_is(name, "Variable Name Collision");
}

static void run(const char *module, unsigned expected)
{
	struct fw_arena a;
	struct fw_json *spec;
	struct fw_error err;
	size_t n;
	unsigned ran = 0;
	char *text = read_file(module, &n);
	fw_arena_init(&a, NULL, 0, 0);
	assert_int_equal(fw_json_parse(&a, text, n, &spec, &err), 0);
	for (const struct fw_json *t = fw_json_get(spec, "tests")->child; t; t = t->next) {
		struct fw_str name = fw_json_get(t, "name")->string;
		const char *other = other_answer(name), *wanted = other ? other : fw_json_get(t, "expected")->string.p;
		bool as_text = opens_tag(name);
		struct fw_buf out;
		fw_buf_init(&out, 0);
		render(t, as_text ? "txt" : "html", as_text ? FW_TEMPLATE_TEXT : FW_TEMPLATE_HTML, &out);
		if (strcmp(fw_buf_text(&out), wanted) != 0)
			fail_msg("%s, %s:\n%s\nin place of\n%s", module, name.p, fw_buf_text(&out), wanted);
		fw_buf_finish(&out);
		ran++;
	}
	assert_int_equal(ran, expected);
	fw_arena_finish(&a);
	free(text);
}

static void test_comments(void **state)
{
	(void)state;
	run("comments", 12);
}

static void test_delimiters(void **state)
{
	(void)state;
	run("delimiters", 14);
}

static void test_interpolation(void **state)
{
	(void)state;
	run("interpolation", 42);
}

static void test_inverted(void **state)
{
	(void)state;
	run("inverted", 22);
}

static void test_partials(void **state)
{
	(void)state;
	run("partials", 12);
}

static void test_sections(void **state)
{
	(void)state;
	run("sections", 34);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comments), cmocka_unit_test(test_delimiters), cmocka_unit_test(test_interpolation),
		cmocka_unit_test(test_inverted), cmocka_unit_test(test_partials), cmocka_unit_test(test_sections),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
