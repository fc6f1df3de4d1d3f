#include "json.h"

#include <stdint.h>
#include <string.h>

enum { DEPTH_MOST = 64 };

struct at {
	const char *p, *end;
	int depth;
};

static int value(struct at *a);

static void blanks(struct at *a)
{
	while (a->p < a->end && (*a->p == ' ' || *a->p == '\t' || *a->p == '\n' || *a->p == '\r'))
		a->p++;
}

static int take(struct at *a, char c)
{
	if (a->p == a->end || *a->p != c)
		return 0;
	a->p++;
	return 1;
}

static int digits(struct at *a)
{
	const char *begin = a->p;
	while (a->p < a->end && *a->p >= '0' && *a->p <= '9')
		a->p++;
	return a->p > begin;
}

static int number(struct at *a)
{
	take(a, '-');
	if (!take(a, '0') && !digits(a))
		return 0;
	if (take(a, '.') && !digits(a))
		return 0;
	if (take(a, 'e') || take(a, 'E')) {
		if (!take(a, '+'))
			take(a, '-');
		return digits(a);
	}
	return 1;
}

static int hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int escape(struct at *a)
{
	if (a->p == a->end)
		return 0;
	char c = *a->p++;
	if (c != 'u')
		return c && strchr("\"\\/bfnrt", c) != NULL;
	for (int i = 0; i < 4; i++, a->p++)
		if (a->p == a->end || !hex(*a->p))
			return 0;
	return 1;
}

static int is_plain(char c)
{
	return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

/* Whether all eight bytes are plain: a byte of a difference to what is looked for is 0 where it is that, and taking 1 from it borrows its
 * highest bit (H. S. Warren, "Hacker's Delight", 6-1). */
static int are_plain(const char *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t x, quotes, escapes;
	memcpy(&x, p, sizeof x);
	quotes = x ^ ones * '"';
	escapes = x ^ ones * '\\';
	return ((((x - ones * 0x20) & ~x) | ((quotes - ones) & ~quotes) | ((escapes - ones) & ~escapes)) & high) == 0;
}

static int string(struct at *a)
{
	if (!take(a, '"'))
		return 0;
	for (;;) {
		while (a->end - a->p >= 8 && are_plain(a->p))
			a->p += 8;
		while (a->p < a->end && is_plain(*a->p))
			a->p++;
		if (take(a, '"'))
			return 1;
		if (!take(a, '\\') || !escape(a))
			return 0;
	}
}

static int word(struct at *a, const char *text)
{
	size_t n = strlen(text);
	if ((size_t)(a->end - a->p) < n || memcmp(a->p, text, n) != 0)
		return 0;
	a->p += n;
	return 1;
}

/* Members or elements up to the bracket that closes. */
static int inside(struct at *a, char closing)
{
	a->p++;
	if (++a->depth > DEPTH_MOST)
		return 0;
	blanks(a);
	for (int first = 1; !take(a, closing); first = 0) {
		if (!first && !take(a, ','))
			return 0;
		blanks(a);
		if (closing == '}') {
			if (!string(a))
				return 0;
			blanks(a);
			if (!take(a, ':'))
				return 0;
			blanks(a);
		}
		if (!value(a))
			return 0;
		blanks(a);
	}
	a->depth--;
	return 1;
}

static int value(struct at *a)
{
	if (a->p == a->end)
		return 0;
	switch (*a->p) {
	case '{': return inside(a, '}');
	case '[': return inside(a, ']');
	case '"': return string(a);
	case 't': return word(a, "true");
	case 'f': return word(a, "false");
	case 'n': return word(a, "null");
	default: return number(a);
	}
}

struct fw_plugin_text web_json_whole(struct fw_plugin_text text)
{
	struct at a = { text.p, text.p + text.n, 0 };
	struct fw_plugin_text none = { NULL, 0 };
	if (text.n == 0)
		return none;
	blanks(&a);
	const char *begin = a.p;
	if (!value(&a))
		return none;
	struct fw_plugin_text whole = { begin, (size_t)(a.p - begin) };
	blanks(&a);
	return a.p == a.end ? whole : none;
}

/* Past the bracket or comma before the next one; 0: there is none, and `rest` stands at the bracket that closes. */
static int step(struct fw_plugin_text *rest, char opening)
{
	struct at a = { rest->p, rest->p + rest->n, 0 };
	if (!take(&a, opening) && !take(&a, ','))
		return 0;
	blanks(&a);
	*rest = (struct fw_plugin_text){ a.p, (size_t)(a.end - a.p) };
	return a.p < a.end && *a.p != (opening == '{' ? '}' : ']');
}

int web_json_member(struct fw_plugin_text *rest, struct fw_plugin_text *ret_key)
{
	if (!step(rest, '{'))
		return 0;
	struct at a = { rest->p, rest->p + rest->n, 0 };
	if (!string(&a))
		return 0;
	*ret_key = (struct fw_plugin_text){ rest->p, (size_t)(a.p - rest->p) };
	blanks(&a);
	take(&a, ':');
	blanks(&a);
	*rest = (struct fw_plugin_text){ a.p, (size_t)(a.end - a.p) };
	return 1;
}

int web_json_element(struct fw_plugin_text *rest)
{
	return step(rest, '[');
}

struct fw_plugin_text web_json_value(struct fw_plugin_text *rest)
{
	struct at a = { rest->p, rest->p + rest->n, 0 };
	struct fw_plugin_text v = { NULL, 0 };
	if (!value(&a))
		return v;
	v = (struct fw_plugin_text){ rest->p, (size_t)(a.p - rest->p) };
	blanks(&a);
	*rest = (struct fw_plugin_text){ a.p, (size_t)(a.end - a.p) };
	return v;
}

void web_json_leave(struct fw_plugin_text *rest)
{
	struct at a = { rest->p, rest->p + rest->n, 0 };
	if (!take(&a, '}'))
		take(&a, ']');
	blanks(&a);
	*rest = (struct fw_plugin_text){ a.p, (size_t)(a.end - a.p) };
}

int web_json_next(struct fw_plugin_text *rest, struct fw_plugin_text *ret_key, struct fw_plugin_text *ret_value)
{
	if (!(ret_key ? web_json_member(rest, ret_key) : web_json_element(rest)))
		return 0;
	*ret_value = web_json_value(rest);
	return ret_value->p != NULL;
}

void web_json_members(struct fw_plugin_text object, const char *const *names, struct fw_plugin_text *ret)
{
	struct fw_plugin_text rest = object, key, v;
	for (size_t i = 0; names[i]; i++)
		ret[i] = (struct fw_plugin_text){ NULL, 0 };
	while (web_json_next(&rest, &key, &v))
		for (size_t i = 0; names[i]; i++)
			if (web_json_is((struct fw_plugin_text){ key.p + 1, key.n - 2 }, names[i]))
				ret[i] = v;
}
