#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

void fw_fold(struct fw_str s, char *out)
{
	size_t i = 0;
	for (; i + 8 <= s.n; i += 8) {
		uint64_t x = fw_bytes_at(s.p + i);
		fw_bytes_put(out + i, x | fw_bytes_upper(x) >> 2); /* 0x20 is what the two cases differ by */
	}
	for (; i < s.n; i++)
		out[i] = fw_fold_char(s.p[i]);
}

bool fw_is_folded(struct fw_str s)
{
	size_t i = 0;
	for (; i + 8 <= s.n; i += 8)
		if (fw_bytes_upper(fw_bytes_at(s.p + i)))
			return false;
	for (; i < s.n; i++)
		if (fw_fold_char(s.p[i]) != s.p[i])
			return false;
	return true;
}

bool fw_str_equal(struct fw_str a, struct fw_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool fw_str_equal_fold(struct fw_str a, struct fw_str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (fw_fold_char(a.p[i]) != fw_fold_char(b.p[i]))
			return false;
	return true;
}

int fw_str_compare(struct fw_str a, struct fw_str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n ? memcmp(a.p, b.p, n) : 0;
	return d ? d : (a.n > b.n) - (a.n < b.n);
}

const char *fw_str_find_fold(struct fw_str s, struct fw_str needle)
{
	if (needle.n > s.n)
		return NULL;
	for (size_t i = 0; i + needle.n <= s.n; i++)
		if (fw_str_equal_fold((struct fw_str){ s.p + i, needle.n }, needle))
			return s.p + i;
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct fw_str fw_str_trim(struct fw_str s)
{
	while (s.n && is_blank(s.p[0]))
		s.p++, s.n--;
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

static int min3(int a, int b, int c)
{
	int m = a < b ? a : b;
	return m < c ? m : c;
}

int fw_edit_distance(const char *a, const char *b, int most)
{
	enum { WIDEST = 64 };
	int n = (int)strlen(a), m = (int)strlen(b);
	if (n >= WIDEST || m >= WIDEST || abs(n - m) > most)
		return most + 1;
	int before[WIDEST + 1] = { 0 }, last[WIDEST + 1], row[WIDEST + 1];
	for (int j = 0; j <= m; j++)
		last[j] = j;
	for (int i = 1; i <= n; i++) {
		row[0] = i;
		for (int j = 1; j <= m; j++) {
			char x = fw_fold_char(a[i - 1]), y = fw_fold_char(b[j - 1]);
			row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y));
			bool swapped = i > 1 && j > 1 && x == fw_fold_char(b[j - 2]) && y == fw_fold_char(a[i - 2]);
			if (swapped && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		memcpy(before, last, sizeof before);
		memcpy(last, row, sizeof last);
	}
	return last[m] > most ? most + 1 : last[m];
}

const char *fw_nearest(const char *wrong, const char *const *names, size_t n)
{
	return fw_nearest_in(wrong, names, n, sizeof *names);
}

const char *fw_nearest_in(const char *wrong, const void *first, size_t n, size_t size)
{
	int most = strlen(wrong) <= 3 ? 1 : strlen(wrong) <= 8 ? 2 : 3;
	const char *best = NULL;
	for (size_t i = 0; i < n; i++) {
		const char *name = *(const char *const *)((const char *)first + i * size);
		int d = fw_edit_distance(wrong, name, most);
		if (d <= most) {
			best = name;
			most = d - 1;
		}
	}
	return best;
}

size_t fw_whole_text(int64_t x, char *buf)
{
	char digits[24];
	size_t first = sizeof digits;
	uint64_t v = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
	digits[--first] = '\0';
	do
		digits[--first] = (char)('0' + v % 10);
	while ((v /= 10) && first > 1);
	if (x < 0)
		digits[--first] = '-';
	memcpy(buf, digits + first, sizeof digits - first);
	return sizeof digits - first - 1;
}

/* Of a number of at most two places, as prices are; 0: it is none. Its 15 digits come back from the double that is nearest to them (C11
 * 5.2.4.2.2, DBL_DIG), and division is rounded as reading them is. */
static size_t hundredths_text(double x, char *buf)
{
	double h = rint(x * 100), most = 1e15;
	if (!(fabs(h) < most) || h / 100 != x)
		return 0;
	int64_t all = (int64_t)fabs(h), places = all % 100;
	size_t n = 0;
	if (x < 0)
		buf[n++] = '-';
	n += fw_whole_text(all / 100, buf + n);
	buf[n++] = '.';
	buf[n++] = (char)('0' + places / 10);
	if (places % 10)
		buf[n++] = (char)('0' + places % 10);
	buf[n] = '\0';
	return n;
}

size_t fw_number_text(double x, char *buf)
{
	if (fabs(x) < 1e17 && x == floor(x)) /* 17 digits: what is larger has an exponent below, whatever its digits */
		return fw_whole_text((int64_t)x, buf);
	size_t short_one = hundredths_text(x, buf);
	if (short_one)
		return short_one;
	int n = 0;
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(buf, 32, "%.*g", digits, x);
		if (strtod(buf, NULL) == x)
			break;
	}
	return (size_t)n;
}

static const char *digits_end(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* RFC 8259 section 6. */
static bool is_json_number(const char *p, const char *end)
{
	if (p < end && *p == '-')
		p++;
	const char *q = digits_end(p, end);
	if (q == p || (*p == '0' && q - p > 1))
		return false;
	p = q;
	if (p < end && *p == '.') {
		q = digits_end(p + 1, end);
		if (q == p + 1)
			return false;
		p = q;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		q = digits_end(p, end);
		if (q == p)
			return false;
		p = q;
	}
	return p == end;
}

bool fw_number_parse(struct fw_str s, double *ret)
{
	char buf[64];
	if (s.n == 0 || s.n >= sizeof buf || !is_json_number(s.p, s.p + s.n))
		return false;
	memcpy(buf, s.p, s.n);
	buf[s.n] = '\0';
	double x = strtod(buf, NULL);
	if (!isfinite(x))
		return false;
	*ret = x;
	return true;
}

int fw_base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Unicode 15, table 3-7. */
bool fw_utf8_valid(struct fw_str s)
{
	const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;
	while (p < end) {
		if (end - p >= 8 && (fw_bytes_at((const char *)p) & FW_BYTES_HIGH) == 0) {
			p += 8;
			continue;
		}
		if (*p < 0x80) {
			p++;
			continue;
		}
		int more = *p >= 0xc2 && *p <= 0xdf ? 1 : *p >= 0xe0 && *p <= 0xef ? 2 : *p >= 0xf0 && *p <= 0xf4 ? 3 : 0;
		if (!more || end - p <= more)
			return false;
		unsigned char low = 0x80, high = 0xbf;
		if (*p == 0xe0) low = 0xa0;
		if (*p == 0xed) high = 0x9f;
		if (*p == 0xf0) low = 0x90;
		if (*p == 0xf4) high = 0x8f;
		if (p[1] < low || p[1] > high)
			return false;
		for (int i = 2; i <= more; i++)
			if ((p[i] & 0xc0) != 0x80)
				return false;
		p += more + 1;
	}
	return true;
}
