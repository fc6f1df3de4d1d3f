/* A product a line: JSON objects, or values between tabs under a header. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "catalog/own.h"

static int no_memory(const struct fw_feed *f, struct fw_error *err)
{
	return fw_fail(err, FW_ENOMEM, NULL, f->lines, "out of memory");
}

/* A value as text; a number is one, too. A list is one value each. */
static void take(struct fw_feed *f, int field, const struct fw_json *v)
{
	char number[32];
	if (v->type == FW_JSON_STRING)
		fw_item_set(&f->item, (enum fw_item_field)field, v->string);
	else if (v->type == FW_JSON_NUMBER)
		fw_item_set(&f->item, (enum fw_item_field)field, (struct fw_str){ number, fw_number_text(v->number, number) });
	for (const struct fw_json *e = v->type == FW_JSON_ARRAY && field == FW_ITEM_TYPE ? v->child : NULL; e; e = e->next)
		if (e->type == FW_JSON_STRING)
			fw_item_set(&f->item, FW_ITEM_TYPE, e->string);
}

static int read_object(struct fw_feed *f, struct fw_str line, struct fw_error *err)
{
	struct fw_json *object;
	struct fw_error why;
	int rc = fw_json_parse(&f->scratch, line.p, line.n, &object, &why);
	if (rc == FW_ENOMEM)
		return no_memory(f, err);
	if (rc < 0)
		return fw_fail(err, FW_EINVAL, NULL, f->lines, "it is no JSON: %.300s", why.message);
	if (object->type != FW_JSON_OBJECT)
		return fw_fail(err, FW_EINVAL, NULL, f->lines, "%s stands where a product, an object, was expected",
			fw_json_type_name(object->type));
	fw_item_clear(&f->item, f->lines);
	for (const struct fw_json *m = object->child; m; m = m->next) {
		int field = fw_item_field(m->key);
		if (field >= 0)
			take(f, field, m);
	}
	fw_arena_reset(&f->scratch);
	return fw_feed_add(f, err);
}

/* The next value of a line, without its quotes; moves behind it. Quotes hold tabs and line ends, and a quote that is written twice. What
 * only begins with one is taken as it stands. */
static struct fw_str next_value(char **at, char *end)
{
	char *p = *at;
	if (p < end && *p == '"') {
		char *to = p + 1;
		for (char *from = to; from < end; from++) {
			if (*from == '"' && from + 1 < end && from[1] == '"') {
				*to++ = *from++;
			} else if (*from != '"') {
				*to++ = *from;
			} else if (from + 1 == end || from[1] == '\t') {
				*at = from + 1;
				return (struct fw_str){ p + 1, (size_t)(to - p - 1) };
			} else {
				*to++ = *from;
			}
		}
	}
	char *tab = p < end ? memchr(p, '\t', (size_t)(end - p)) : NULL;
	*at = tab ? tab : end;
	return (struct fw_str){ p, (size_t)(*at - p) };
}

static int read_header(struct fw_feed *f, struct fw_str line, struct fw_error *err)
{
	size_t n = 1;
	bool has_id = false;
	for (size_t i = 0; i < line.n; i++)
		n += line.p[i] == '\t';
	if (!(f->columns = calloc(n, 1)))
		return no_memory(f, err);
	char *at = (char *)(uintptr_t)line.p, *end = at + line.n;
	for (size_t i = 0; i < n; i++, at += at < end) {
		int field = fw_item_field(next_value(&at, end));
		f->columns[i] = (int8_t)field;
		has_id |= field == FW_ITEM_ID;
	}
	f->n_columns = n;
	if (has_id)
		return 0;
	fw_fail(err, FW_EINVAL, NULL, f->lines, "its first line names no column \"id\"");
	fw_hint(err, "a feed is JSON lines, RSS 2.0 with the g: fields of Google Merchant, or its text: names in the first line, tabs "
		"between");
	return FW_EINVAL;
}

static int read_row(struct fw_feed *f, struct fw_str line, struct fw_error *err)
{
	char *at = (char *)(uintptr_t)line.p, *end = at + line.n;
	fw_item_clear(&f->item, f->lines);
	for (size_t i = 0; i < f->n_columns && at <= end; i++, at++) {
		struct fw_str value = next_value(&at, end);
		if (f->columns[i] >= 0)
			fw_item_set(&f->item, (enum fw_item_field)f->columns[i], value);
		if (at == end)
			break;
	}
	return fw_feed_add(f, err);
}

static int read_line(struct fw_feed *f, struct fw_error *err)
{
	struct fw_str line = { f->line.data, f->line.n };
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	int rc = 0;
	if (fw_str_trim(line).n)
		rc = f->form == FW_FEED_LINES ? read_object(f, line, err) : f->columns ? read_row(f, line, err) : read_header(f, line, err);
	fw_buf_clear(&f->line);
	return rc;
}

/* Whether quotes are open at the end of the bytes, at whose beginning they were or not. */
static bool stays_quoted(const struct fw_feed *f)
{
	bool quoted = false, begins = true;
	const char *p = f->line.data;
	for (size_t i = 0; i < f->line.n; i++) {
		if (quoted && p[i] == '"' && i + 1 < f->line.n && p[i + 1] == '"')
			i++;
		else if (p[i] == '"' && (begins || quoted))
			quoted = !quoted && begins;
		begins = !quoted && p[i] == '\t';
	}
	return quoted;
}

int fw_feed_lines(struct fw_feed *f, const char *bytes, size_t n, bool last, struct fw_error *err)
{
	const char *at = bytes, *end = bytes ? bytes + n : NULL;
	int rc = 0;
	while (rc == 0 && at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		fw_buf_add(&f->line, at, (size_t)((line_end ? line_end : end) - at));
		if (f->line.failed)
			return fw_fail(err, FW_ELIMIT, NULL, f->lines + 1, "a line is longer than %d bytes", FW_LIMIT_FEED_LINE_BYTES);
		if (!line_end)
			return 0;
		at = line_end + 1;
		f->lines++;
		if (f->form == FW_FEED_TABS && f->columns && memchr(f->line.data ? f->line.data : "", '"', f->line.n) && stays_quoted(f))
			fw_buf_putc(&f->line, '\n'); /* the value goes on in the next line */
		else
			rc = read_line(f, err);
	}
	if (rc == 0 && last && f->line.n) {
		f->lines++;
		rc = read_line(f, err);
	}
	return rc;
}
