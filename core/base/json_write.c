#include "base/json.h"

#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"

void fw_json_out_init(struct fw_json_out *o, struct fw_buf *buf)
{
	*o = (struct fw_json_out){ .buf = buf };
}

static void before_value(struct fw_json_out *o)
{
	if (o->comma)
		fw_buf_putc(o->buf, ',');
	o->comma = true;
}

static void open_with(struct fw_json_out *o, char c)
{
	before_value(o);
	fw_buf_putc(o->buf, c);
	o->comma = false;
}

static void close_with(struct fw_json_out *o, char c)
{
	fw_buf_putc(o->buf, c);
	o->comma = true;
}

void fw_json_open_object(struct fw_json_out *o)
{
	open_with(o, '{');
}

void fw_json_close_object(struct fw_json_out *o)
{
	close_with(o, '}');
}

void fw_json_open_array(struct fw_json_out *o)
{
	open_with(o, '[');
}

void fw_json_close_array(struct fw_json_out *o)
{
	close_with(o, ']');
}

static void put_escape(struct fw_buf *b, unsigned char c)
{
	switch (c) {
	case '"': fw_buf_puts(b, "\\\""); break;
	case '\\': fw_buf_puts(b, "\\\\"); break;
	case '\n': fw_buf_puts(b, "\\n"); break;
	case '\r': fw_buf_puts(b, "\\r"); break;
	case '\t': fw_buf_puts(b, "\\t"); break;
	default: fw_buf_printf(b, "\\u%04x", c);
	}
}

static bool needs_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

/* Whether one of eight bytes needs an escape, but for what is no ASCII. */
static bool any_needs_escape(uint64_t x)
{
	return (fw_bytes_below(x, 0x20) | fw_bytes_equal(x, '"') | fw_bytes_equal(x, '\\')) != 0;
}

/* How many bytes from the first on need no escape. */
static size_t plain_run(struct fw_str s)
{
	size_t i = 0;
	while (i + 8 <= s.n && !any_needs_escape(fw_bytes_at(s.p + i)))
		i += 8;
	while (i < s.n && !needs_escape((unsigned char)s.p[i]))
		i++;
	return i;
}

/* Well-formed text, in runs between the few characters that need an escape. */
static void put_valid(struct fw_buf *b, struct fw_str s)
{
	while (s.n) {
		size_t run = plain_run(s);
		fw_buf_add(b, s.p, run);
		if (run < s.n)
			put_escape(b, (unsigned char)s.p[run++]);
		s = (struct fw_str){ s.p + run, s.n - run };
	}
}

/* Whether the text is ASCII without anything that needs an escape: most texts are, and it is quickly seen. */
static bool is_plain(struct fw_str s)
{
	size_t i = 0;
	for (; i + 8 <= s.n; i += 8) {
		uint64_t x = fw_bytes_at(s.p + i);
		if (x & FW_BYTES_HIGH || any_needs_escape(x))
			return false;
	}
	for (; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80 || needs_escape((unsigned char)s.p[i]))
			return false;
	return true;
}

static size_t valid_length(struct fw_str s)
{
	size_t longest = s.n < 4 ? s.n : 4;
	for (size_t n = 1; n <= longest; n++)
		if (fw_utf8_valid((struct fw_str){ s.p, n }))
			return n;
	return 0;
}

static void put_string(struct fw_buf *b, struct fw_str s)
{
	fw_buf_putc(b, '"');
	if (is_plain(s)) {
		fw_buf_add(b, s.p, s.n);
	} else if (fw_utf8_valid(s)) {
		put_valid(b, s);
	} else {
		while (s.n) {
			size_t n = valid_length(s);
			if (n)
				put_valid(b, (struct fw_str){ s.p, n });
			else
				fw_buf_puts(b, "\xef\xbf\xbd");
			s.p += n ? n : 1;
			s.n -= n ? n : 1;
		}
	}
	fw_buf_putc(b, '"');
}

struct fw_str fw_json_written(struct fw_arena *a, struct fw_str s)
{
	struct fw_buf buf;
	struct fw_str ret = { NULL, 0 };
	fw_buf_init(&buf, 0);
	put_string(&buf, s);
	if (!buf.failed)
		ret = (struct fw_str){ fw_arena_strndup(a, buf.data, buf.n), buf.n };
	fw_buf_finish(&buf);
	return ret;
}

void fw_json_key_str(struct fw_json_out *o, struct fw_str key)
{
	before_value(o);
	put_string(o->buf, key);
	fw_buf_putc(o->buf, ':');
	o->comma = false;
}

void fw_json_key(struct fw_json_out *o, const char *key)
{
	fw_json_key_str(o, fw_str(key));
}

void fw_json_string(struct fw_json_out *o, struct fw_str s)
{
	before_value(o);
	put_string(o->buf, s);
}

void fw_json_text_value(struct fw_json_out *o, const char *s)
{
	if (s)
		fw_json_string(o, fw_str(s));
	else
		fw_json_null(o);
}

void fw_json_number(struct fw_json_out *o, double x)
{
	char text[32];
	if (!isfinite(x)) {
		fw_json_null(o);
		return;
	}
	before_value(o);
	fw_buf_add(o->buf, text, fw_number_text(x, text));
}

void fw_json_bool(struct fw_json_out *o, bool b)
{
	before_value(o);
	fw_buf_puts(o->buf, b ? "true" : "false");
}

void fw_json_null(struct fw_json_out *o)
{
	before_value(o);
	fw_buf_puts(o->buf, "null");
}

void fw_json_raw(struct fw_json_out *o, struct fw_str json)
{
	before_value(o);
	fw_buf_add(o->buf, json.p, json.n);
}

static int compare_keys(const void *x, const void *y)
{
	const struct fw_json *const *a = x, *const *b = y;
	return fw_str_compare((*a)->key, (*b)->key);
}

static void write_object(struct fw_json_out *o, const struct fw_json *v)
{
	const struct fw_json **sorted = calloc(v->count ? v->count : 1, sizeof *sorted);
	if (!sorted) {
		o->buf->failed = true;
		return;
	}
	size_t n = 0;
	for (const struct fw_json *m = v->child; m; m = m->next)
		sorted[n++] = m;
	qsort(sorted, n, sizeof *sorted, compare_keys);
	fw_json_open_object(o);
	for (size_t i = 0; i < n; i++) {
		fw_json_key_str(o, sorted[i]->key);
		fw_json_tree(o, sorted[i]);
	}
	fw_json_close_object(o);
	free(sorted);
}

void fw_json_tree(struct fw_json_out *o, const struct fw_json *v)
{
	switch (v->type) {
	case FW_JSON_NULL: fw_json_null(o); break;
	case FW_JSON_BOOL: fw_json_bool(o, v->boolean); break;
	case FW_JSON_NUMBER: fw_json_number(o, v->number); break;
	case FW_JSON_STRING: fw_json_string(o, v->string); break;
	case FW_JSON_ARRAY:
		fw_json_open_array(o);
		for (const struct fw_json *e = v->child; e; e = e->next)
			fw_json_tree(o, e);
		fw_json_close_array(o);
		break;
	case FW_JSON_OBJECT: write_object(o, v); break;
	}
}
