#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/json_own.h"
#include "base/limits.h"

/* The text's copy, being read in place: eight zero bytes, which no JSON has, end it. Texts and keys stay where they are. */
struct quick {
	char *at;
	uint64_t beyond_ascii; /* not 0 when a text may have bytes that are not ASCII */
	struct fw_arena *arena;
};

static bool read_value(struct quick *q, struct fw_json *v, int depth);

static void skip_space(struct quick *q)
{
	while (*q->at == ' ' || *q->at == '\n' || *q->at == '\r' || *q->at == '\t')
		q->at++;
}

static bool take(struct quick *q, char c)
{
	if (*q->at != c)
		return false;
	q->at++;
	return true;
}

static bool take_word(struct quick *q, const char *word, size_t n)
{
	if (strncmp(q->at, word, n) != 0)
		return false;
	q->at += n;
	return true;
}

/* Whether a byte needs no look: neither quote nor backslash nor control character. */
static bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

/* The character that a backslash and c stand for, or 0. */
static char escaped(char c)
{
	switch (c) {
	case '"':
	case '\\':
	case '/': return c;
	case 'b': return '\b';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	default: return 0;
	}
}

/* The first byte that needs a look. */
static char *skip_plain(struct quick *q, char *p)
{
	for (;; p += 8) {
		uint64_t x = fw_bytes_at(p), found = fw_bytes_below(x, 0x20) | fw_bytes_equal(x, '"') | fw_bytes_equal(x, '\\');
		q->beyond_ascii |= x & FW_BYTES_HIGH;
		if (found)
			return p + fw_bytes_first(found);
	}
}

/* After the opening quote. What an escape stands for is shorter than itself, so a text is made where it stands. */
static bool read_text(struct quick *q, struct fw_str *ret)
{
	char *begin = q->at, *p = skip_plain(q, begin), *out = p;
	while (*p != '"') {
		if (is_plain(*p)) {
			q->beyond_ascii |= (unsigned char)*p & 0x80;
			*out++ = *p++;
			continue;
		}
		char c = *p == '\\' ? escaped(p[1]) : 0;
		if (!c)
			return false;
		*out++ = c;
		p += 2;
	}
	*out = '\0';
	q->at = p + 1;
	*ret = (struct fw_str){ begin, (size_t)(out - begin) };
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A whole number of up to 15 digits is a double as it is; any other number is strtod's. */
static bool read_number(struct quick *q, double *ret)
{
	enum { EXACT_DIGITS = 15 };
	const char *begin = q->at;
	bool negative = take(q, '-');
	const char *digits = q->at;
	int64_t whole = 0;
	while (is_digit(*q->at) && q->at - digits < EXACT_DIGITS)
		whole = whole * 10 + (*q->at++ - '0');
	if (q->at == digits || (*digits == '0' && q->at - digits > 1))
		return false;
	if (!is_digit(*q->at) && *q->at != '.' && (*q->at | 0x20) != 'e') {
		*ret = negative ? -(double)whole : (double)whole;
		return true;
	}
	while (is_digit(*q->at))
		q->at++;
	if (take(q, '.')) {
		if (!is_digit(*q->at))
			return false;
		while (is_digit(*q->at))
			q->at++;
	}
	if (take(q, 'e') || take(q, 'E')) {
		if (!take(q, '+'))
			take(q, '-');
		if (!is_digit(*q->at))
			return false;
		while (is_digit(*q->at))
			q->at++;
	}
	*ret = strtod(begin, NULL);
	return isfinite(*ret);
}

static bool read_array(struct quick *q, struct fw_json *array, int depth)
{
	struct fw_json **next = &array->child;
	skip_space(q);
	if (take(q, ']'))
		return true;
	do {
		struct fw_json *v = *next = FW_NEW(q->arena, struct fw_json);
		if (!v || !read_value(q, v, depth))
			return false;
		next = &v->next;
		array->count++;
		skip_space(q);
	} while (take(q, ','));
	return take(q, ']');
}

static bool read_object(struct quick *q, struct fw_json *object, int depth)
{
	struct fw_json **next = &object->child;
	skip_space(q);
	if (take(q, '}'))
		return true;
	do {
		struct fw_json *v = *next = FW_NEW(q->arena, struct fw_json);
		skip_space(q);
		if (!v || !take(q, '"') || !read_text(q, &v->key))
			return false;
		skip_space(q);
		if (!take(q, ':') || !read_value(q, v, depth))
			return false;
		next = &v->next;
		object->count++;
		skip_space(q);
	} while (take(q, ','));
	return take(q, '}') && fw_json_drop_duplicates(q->arena, object);
}

static bool read_value(struct quick *q, struct fw_json *v, int depth)
{
	skip_space(q);
	switch (*q->at) {
	case '{':
	case '[':
		v->type = *q->at++ == '{' ? FW_JSON_OBJECT : FW_JSON_ARRAY;
		if (depth == FW_LIMIT_JSON_DEPTH)
			return false;
		return v->type == FW_JSON_OBJECT ? read_object(q, v, depth + 1) : read_array(q, v, depth + 1);
	case '"':
		q->at++;
		v->type = FW_JSON_STRING;
		return read_text(q, &v->string);
	case 't':
		v->type = FW_JSON_BOOL;
		v->boolean = true;
		return take_word(q, "true", 4);
	case 'f':
		v->type = FW_JSON_BOOL;
		return take_word(q, "false", 5);
	case 'n':
		v->type = FW_JSON_NULL;
		return take_word(q, "null", 4);
	default:
		v->type = FW_JSON_NUMBER;
		return read_number(q, &v->number);
	}
}

bool fw_json_quick(struct fw_arena *a, const char *text, size_t n, struct fw_json **ret_value)
{
	struct fw_arena_mark before = fw_arena_mark(a);
	char *copy = fw_arena_alloc(a, n + 8);
	struct fw_json *root = FW_NEW(a, struct fw_json);
	struct quick q = { copy, 0, a };
	bool done = copy && root;
	if (done) {
		memcpy(copy, text, n);
		memset(copy + n, 0, 8);
		done = read_value(&q, root, 0);
	}
	if (done) {
		skip_space(&q);
		done = q.at == copy + n && (!q.beyond_ascii || fw_utf8_valid((struct fw_str){ text, n }));
	}
	if (done)
		*ret_value = root;
	else
		fw_arena_rewind(a, &before);
	return done;
}
