#include "signal/url.h"

#include "base/bytes.h"
#include "base/limits.h"

static bool is_letter(char c)
{
	c = fw_fold_char(c);
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct fw_str rest(struct fw_str s, size_t from)
{
	return (struct fw_str){ s.p + from, s.n - from };
}

static size_t position(struct fw_str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

static bool is_plain(struct fw_str s)
{
	size_t i = 0;
	for (; i + 8 <= s.n; i += 8) {
		uint64_t x = fw_bytes_at(s.p + i);
		if (fw_bytes_below(x, ' ' + 1) | fw_bytes_equal(x, 0x7f))
			return false;
	}
	for (; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

/* Letters, digits, '-', '_' and single dots; or hexadecimal digits, colons and dots in brackets. */
static bool is_host(struct fw_str s)
{
	bool bracket = s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']';
	if (s.n == 0 || s.n > 255 || s.p[0] == '.')
		return false;
	for (size_t i = bracket; i < s.n - bracket; i++) {
		char c = s.p[i];
		if (bracket ? !(is_digit(c) || c == ':' || c == '.' || (fw_fold_char(c) >= 'a' && fw_fold_char(c) <= 'f')) :
				!(is_letter(c) || is_digit(c) || c == '-' || c == '_' || (c == '.' && s.p[i - 1] != '.')))
			return false;
	}
	return true;
}

static bool read_authority(struct fw_str authority, struct fw_str *ret_host)
{
	struct fw_str host = authority;
	for (size_t i = 0; i < authority.n; i++)
		if (authority.p[i] == '@')
			host = rest(authority, i + 1);
	size_t end = host.n && host.p[0] == '[' ? position(host, ']') + 1 : position(host, ':');
	if (end > host.n)
		return false;
	for (size_t i = end + 1; i < host.n; i++)
		if (!is_digit(host.p[i]))
			return false;
	if (end < host.n && host.p[end] != ':')
		return false;
	host.n = end;
	if (host.n > 1 && host.p[host.n - 1] == '.')
		host.n--;
	*ret_host = host;
	return is_host(host);
}

bool fw_url_parse(struct fw_str s, struct fw_url *ret)
{
	struct fw_url u = { .path = FW_STR("/"), .query = FW_STR("") };
	if (s.n == 0 || s.n > FW_LIMIT_URL_BYTES || !is_plain(s))
		return false;
	s.n = position(s, '#');
	if (s.n == 0)
		return false;
	if (s.p[0] != '/') {
		size_t colon = position(s, ':');
		for (size_t i = 0; i < colon; i++)
			if (!is_letter(s.p[i]) && (i == 0 || (!is_digit(s.p[i]) && !strchr("+-.", s.p[i]))))
				return false;
		if (colon == 0 || s.n < colon + 3 || s.p[colon + 1] != '/' || s.p[colon + 2] != '/')
			return false;
		u.scheme = (struct fw_str){ s.p, colon };
		s = rest(s, colon + 3);
		size_t slash = position(s, '/'), question = position(s, '?');
		struct fw_str authority = { s.p, slash < question ? slash : question };
		if (!read_authority(authority, &u.host))
			return false;
		s = rest(s, authority.n);
	} else if (s.n > 1 && s.p[1] == '/') {
		return false;
	}
	size_t question = position(s, '?');
	if (question > 0)
		u.path = (struct fw_str){ s.p, question };
	if (question < s.n)
		u.query = rest(s, question + 1);
	*ret = u;
	return true;
}

bool fw_url_next_param(struct fw_str *query, struct fw_str *ret_name, struct fw_str *ret_value)
{
	while (query->n > 0) {
		struct fw_str pair = { query->p, position(*query, '&') };
		*query = rest(*query, pair.n + (pair.n < query->n));
		if (pair.n == 0)
			continue;
		size_t equals = position(pair, '=');
		*ret_name = (struct fw_str){ pair.p, equals };
		*ret_value = rest(pair, equals + (equals < pair.n));
		return true;
	}
	return false;
}

static int hex(char c)
{
	if (is_digit(c))
		return c - '0';
	c = fw_fold_char(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Into `out`, which has room for all of it; false when it is not to be read. */
static bool decode(struct fw_str raw, bool form, char *out, size_t *ret_n)
{
	size_t n = 0;
	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];
		if (c == '%') {
			if (i + 2 >= raw.n || hex(raw.p[i + 1]) < 0 || hex(raw.p[i + 2]) < 0)
				return false;
			c = (char)(hex(raw.p[i + 1]) << 4 | hex(raw.p[i + 2]));
			i += 2;
		} else if (c == '+' && form) {
			c = ' ';
		}
		if ((unsigned char)c < ' ' || c == 0x7f)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	*ret_n = n;
	return fw_utf8_valid((struct fw_str){ out, n });
}

int fw_url_decode(struct fw_arena *a, struct fw_str raw, bool form, struct fw_str *ret)
{
	char *out = fw_arena_alloc(a, raw.n + 1);
	size_t n;
	if (!out)
		return FW_ENOMEM;
	*ret = decode(raw, form, out, &n) ? (struct fw_str){ out, n } : (struct fw_str){ 0 };
	return 0;
}

int fw_url_path_text(struct fw_arena *a, struct fw_str path, struct fw_str *ret)
{
	if (fw_url_decode(a, path, false, ret) < 0)
		return FW_ENOMEM;
	if (ret->n == 0 && fw_utf8_valid(path))
		*ret = path;
	return 0;
}

bool fw_url_host_in(struct fw_str host, struct fw_str parent)
{
	if (parent.n == 0 || host.n < parent.n)
		return false;
	if (!fw_str_equal_fold(rest(host, host.n - parent.n), parent))
		return false;
	return host.n == parent.n || host.p[host.n - parent.n - 1] == '.';
}
