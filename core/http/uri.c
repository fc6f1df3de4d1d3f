#include "http/uri.h"

#include "http/syntax.h"

/* The byte that an escape at p stands for, or -1. */
static int escaped(const char *p, size_t n)
{
	if (n < 3)
		return -1;
	int high = hex_value(p[1]), low = hex_value(p[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool decode(struct fw_str text, bool plus, bool keep_slash, char *out, size_t *ret_n)
{
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c == '+' && plus) {
			c = ' ';
		} else if (c == '%') {
			int v = escaped(text.p + i, text.n - i);
			if (v < 0 || is_control((char)v))
				return false;
			i += 2;
			if (v == '/' && keep_slash) {
				out[n++] = '%';
				out[n++] = '2';
				v = 'F';
			}
			c = (char)v;
		}
		out[n++] = c;
	}
	*ret_n = n;
	return fw_utf8_valid((struct fw_str){ out, n });
}

bool fw_uri_decode(struct fw_str text, bool plus, char *out, size_t *ret_n)
{
	return decode(text, plus, false, out, ret_n);
}

/* True if a segment of dots stands in a decoded path. */
static bool climbs(const char *path, size_t n)
{
	for (size_t at = 0; at < n;) {
		const char *slash = memchr(path + at, '/', n - at);
		size_t length = slash ? (size_t)(slash - path) - at : n - at;
		const char *segment = path + at;
		if ((length == 1 && segment[0] == '.') || (length == 2 && segment[0] == '.' && segment[1] == '.'))
			return true;
		at += length + 1;
	}
	return false;
}

bool fw_uri_decode_path(struct fw_str path, char *out, size_t *ret_n)
{
	size_t n;
	if (path.n == 0 || path.p[0] != '/' || !decode(path, false, true, out, &n) || climbs(out, n))
		return false;
	*ret_n = n;
	return true;
}

struct fw_str fw_uri_param(struct fw_str query, const char *name)
{
	size_t length = strlen(name);
	for (size_t at = 0; at < query.n;) {
		const char *p = query.p + at;
		const char *and = memchr(p, '&', query.n - at);
		size_t n = and ? (size_t)(and - p) : query.n - at;
		if (n >= length && memcmp(p, name, length) == 0) {
			if (n == length)
				return (struct fw_str){ p + n, 0 };
			if (p[length] == '=')
				return (struct fw_str){ p + length + 1, n - length - 1 };
		}
		at += n + 1;
	}
	return (struct fw_str){ NULL, 0 };
}

static bool lower_hex(const char *p, size_t n, bool *ret_zero)
{
	*ret_zero = true;
	for (size_t i = 0; i < n; i++) {
		if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
			return false;
		if (p[i] != '0')
			*ret_zero = false;
	}
	return true;
}

bool fw_traceparent_valid(struct fw_str t)
{
	enum { VERSION = 0, TRACE = 3, PARENT = 36, FLAGS = 53, BYTES = 55 };
	bool zero, no_trace, no_parent;
	if (t.n < BYTES || t.p[TRACE - 1] != '-' || t.p[PARENT - 1] != '-' || t.p[FLAGS - 1] != '-')
		return false;
	if (!lower_hex(t.p, 2, &zero) || !lower_hex(t.p + TRACE, 32, &no_trace) || !lower_hex(t.p + PARENT, 16, &no_parent))
		return false;
	if (no_trace || no_parent || !lower_hex(t.p + FLAGS, 2, &zero) || memcmp(t.p + VERSION, "ff", 2) == 0)
		return false;
	if (t.n == BYTES)
		return true;
	return memcmp(t.p, "00", 2) != 0 && t.p[BYTES] == '-';
}
