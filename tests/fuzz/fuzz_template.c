/* A template, its partial and its data, with a zero byte between: whatever they are, a rendering comes to an end, and what the data
 * says can neither begin markup nor leave its attribute. Up to the first zero byte the template, then "_p", then JSON. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "message/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct fw_str cut(struct fw_str *rest)
{
	const char *zero = rest->n ? memchr(rest->p, '\0', rest->n) : NULL;
	struct fw_str part = { rest->p, zero ? (size_t)(zero - rest->p) : rest->n };
	rest->p += part.n + (zero != NULL);
	rest->n -= part.n + (zero != NULL);
	return part;
}

static size_t count(struct fw_str text, char c)
{
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == c;
	return n;
}

/* The data with every text harmless. */
static void make_harmless(struct fw_json *v)
{
	if (v->type == FW_JSON_STRING && v->string.n)
		v->string = FW_STR("x");
	for (struct fw_json *child = v->child; child; child = child->next)
		make_harmless(child);
}

/* What a rendering leaves of HTML is the same whatever the texts say, unless the template itself lets some through unescaped. */
static void check_places(const struct fw_template *t, struct fw_json *data, struct fw_str said)
{
	struct fw_buf harmless;
	struct fw_error err;
	fw_buf_init(&harmless, 0);
	make_harmless(data);
	if (fw_template_render(t, data, &harmless, NULL, &err) == 0) {
		struct fw_str plain = { harmless.data, harmless.n };
		static const char marks[] = "<>\"'";
		for (size_t i = 0; i < sizeof marks - 1; i++)
			if (count(said, marks[i]) != count(plain, marks[i]))
				abort();
	}
	fw_buf_finish(&harmless);
}

static void render(const struct fw_template *t, struct fw_json *data, enum fw_template_form form, bool unescaped)
{
	struct fw_buf out;
	struct fw_error err = { .message = "" };
	struct fw_template_gaps gaps = { 0 };
	fw_buf_init(&out, 0);
	fw_buf_puts(&out, "+");
	int ret = fw_template_render(t, data, &out, &gaps, &err);
	if (ret < 0 ? out.n != 1 || !err.message[0] : out.n > (size_t)FW_LIMIT_MESSAGE_PART_BYTES + 1)
		abort();
	if (ret == 0 && form == FW_TEMPLATE_HTML && !unescaped)
		check_places(t, data, (struct fw_str){ out.data + 1, out.n - 1 });
	fw_buf_finish(&out);
}

static void check_header(struct fw_arena *a, struct fw_str text, const struct fw_json *data)
{
	struct fw_buf out;
	struct fw_error err = { .message = "" };
	fw_buf_init(&out, 0);
	struct fw_template *t;
	int ret = fw_template_parse(a, "t", text, FW_TEMPLATE_HEADER, &t, &err);
	if (ret == 0)
		ret = fw_template_render(t, data, &out, NULL, &err);
	for (size_t i = 0; i < out.n; i++)
		if ((unsigned char)out.data[i] < ' ')
			abort();
	if (ret < 0 && (out.n || !err.message[0]))
		abort();
	fw_buf_finish(&out);
}

/* It has unescaped variables, or delimiters with which they cannot be told. */
static bool lets_through(struct fw_str text)
{
	for (size_t i = 0; i + 2 < text.n; i++) {
		size_t k = i + 2;
		if (text.p[i] != '{' || text.p[i + 1] != '{')
			continue;
		while (k < text.n && (unsigned char)text.p[k] <= ' ')
			k++;
		if (k < text.n && strchr("{&=", text.p[k]))
			return true;
	}
	return false;
}

/* The template and its partial as files of one form. */
static void check_files(struct fw_arena *a, const char *ending, enum fw_template_form form, struct fw_str main, struct fw_str partial,
	struct fw_json *json)
{
	struct fw_files files = { 0 };
	struct fw_errors errors;
	struct fw_templates *set;
	char name[2][32];
	snprintf(name[0], sizeof name[0], FW_TEMPLATES_FOLDER "a.%s", ending);
	snprintf(name[1], sizeof name[1], FW_TEMPLATES_FOLDER "_p.%s", ending);
	fw_errors_init(&errors);
	if (fw_files_add(&files, name[0], main.n ? main.p : "", main.n, false) < 0
		|| fw_files_add(&files, name[1], partial.n ? partial.p : "", partial.n, false) < 0)
		abort();
	int ret = fw_templates_load(&files, a, &errors, &set);
	bool unescaped = lets_through(main) || lets_through(partial);
	if (ret == 0)
		render(fw_templates_find(set, FW_STR("a"), form), json, form, unescaped);
	else if (errors.n == 0 || !errors.items[0].message[0] || errors.items[0].line < 0)
		abort();
	fw_errors_finish(&errors);
	fw_files_finish(&files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_arena a;
	struct fw_error err;
	struct fw_str rest = { (const char *)data, n };
	if (n == 0 || n > 4096) /* the work of a rendering is bounded, but by more than a fuzzer should wait for */
		return 0;
	struct fw_str main = cut(&rest), partial = cut(&rest);
	struct fw_json none = { .type = FW_JSON_OBJECT }, *json = &none;
	fw_arena_init(&a, NULL, 0, 0);
	if (rest.n && fw_json_parse(&a, rest.p, rest.n, &json, &err) < 0)
		json = &none;
	check_header(&a, main, json);
	check_files(&a, "txt", FW_TEMPLATE_TEXT, main, partial, json);
	check_files(&a, "html", FW_TEMPLATE_HTML, main, partial, json); /* last: it changes the data */
	fw_arena_finish(&a);
	return 0;
}
