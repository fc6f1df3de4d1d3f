#include "encoding.h"

#include <stdbool.h>
#include <string.h>

enum {
	GSM_SINGLE = 160, GSM_PART = 153,
	UCS2_SINGLE = 70, UCS2_PART = 67,
};

/* Beyond ASCII, in order. */
static const uint16_t letters[] = {
	0xa1, 0xa3, 0xa4, 0xa5, 0xa7, 0xbf, 0xc4, 0xc5, 0xc6, 0xc7, 0xc9, 0xd1, 0xd6, 0xd8, 0xdc, 0xdf, 0xe0, 0xe4, 0xe5, 0xe6, 0xe8, 0xe9,
	0xec, 0xf1, 0xf2, 0xf6, 0xf8, 0xf9, 0xfc, 0x393, 0x394, 0x398, 0x39b, 0x39e, 0x3a0, 0x3a3, 0x3a6, 0x3a8, 0x3a9,
};

/* Written with what the alphabet has. None is longer than what it stands for. */
static const struct {
	uint16_t first, last;
	const char *plain;
} substitutes[] = {
	{ 0x09, 0x09, " " }, { 0x60, 0x60, "'" }, { 0xa0, 0xa0, " " }, { 0xab, 0xab, "\"" }, { 0xad, 0xad, "" }, { 0xb4, 0xb4, "'" },
	{ 0xbb, 0xbb, "\"" }, { 0x2bc, 0x2bc, "'" }, { 0x2000, 0x200a, " " }, { 0x200b, 0x200f, "" }, { 0x2010, 0x2015, "-" },
	{ 0x2018, 0x201b, "'" }, { 0x201c, 0x201f, "\"" }, { 0x2022, 0x2022, "-" }, { 0x2026, 0x2026, "..." }, { 0x2028, 0x2029, "\n" },
	{ 0x202f, 0x202f, " " }, { 0x2032, 0x2032, "'" }, { 0x2033, 0x2033, "\"" }, { 0x2039, 0x203a, "'" }, { 0x2044, 0x2044, "/" },
	{ 0x205f, 0x205f, " " }, { 0x2060, 0x2060, "" }, { 0x2212, 0x2212, "-" }, { 0x3000, 0x3000, " " }, { 0xfeff, 0xfeff, "" },
};

int32_t sms_utf8(const char *text, size_t n, size_t *at)
{
	const unsigned char *p = (const unsigned char *)text + *at;
	size_t left = n - *at;
	unsigned more = p[0] < 0x80 ? 0 : p[0] < 0xc2 ? 4 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : p[0] < 0xf5 ? 3 : 4;
	if (more > 3 || left <= more)
		return -1;
	uint32_t c = more == 0 ? p[0] : p[0] & (0x3fu >> more);
	for (unsigned i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if ((more == 2 && c < 0x800) || (more == 3 && (c < 0x10000 || c > 0x10ffff)) || (c >= 0xd800 && c <= 0xdfff))
		return -1;
	*at += more + 1;
	return (int32_t)c;
}

/* Septets of a character; 0: the alphabet lacks it. */
static unsigned septets(int32_t c)
{
	if (c == '\n' || c == '\r')
		return 1;
	if (c == '\f' || c == 0x20ac)
		return 2;
	if (c >= ' ' && c <= '~')
		return strchr("[\\]^{|}~", c) ? 2 : c != '`';
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
		if (letters[i] == c)
			return 1;
	return 0;
}

static const char *substitute(int32_t c)
{
	for (size_t i = 0; i < sizeof substitutes / sizeof *substitutes; i++)
		if (c >= substitutes[i].first && c <= substitutes[i].last)
			return substitutes[i].plain;
	return NULL;
}

/* Counts units; a character of two (an escape and its code, a pair of surrogates) is not cut in two. */
struct count {
	unsigned single, part;
	unsigned units, parts, in_part;
};

static void count(struct count *c, unsigned width)
{
	c->units += width;
	if (c->parts == 0 || c->in_part + width > c->part) {
		c->parts++;
		c->in_part = 0;
	}
	c->in_part += width;
}

static unsigned segments(const struct count *c)
{
	return c->units == 0 ? 0 : c->units <= c->single ? 1 : c->parts;
}

/* In the default alphabet: the text is written anew. False when it has a character too many. */
static bool write_gsm(const char *text, size_t n, char *out, struct sms_text *ret)
{
	struct count c = { .single = GSM_SINGLE, .part = GSM_PART };
	size_t at = 0, written = 0;
	while (at < n) {
		size_t from = at;
		int32_t ch = sms_utf8(text, n, &at);
		unsigned width = septets(ch);
		const char *plain = width ? NULL : substitute(ch);
		if (!width && !plain)
			return false;
		if (width) {
			count(&c, width);
			memcpy(out + written, text + from, at - from);
			written += at - from;
		}
		for (; plain && *plain; plain++) {
			count(&c, 1);
			out[written++] = *plain;
		}
	}
	out[written] = '\0';
	*ret = (struct sms_text){ SMS_GSM, written, c.units, segments(&c) };
	return true;
}

int sms_encode(const char *text, size_t n, char *out, struct sms_text *ret)
{
	struct count c = { .single = UCS2_SINGLE, .part = UCS2_PART };
	for (size_t at = 0; at < n;) {
		int32_t ch = sms_utf8(text, n, &at);
		if (ch <= 0)
			return -1;
		count(&c, ch > 0xffff ? 2 : 1);
	}
	if (write_gsm(text, n, out, ret))
		return 0;
	memcpy(out, text, n);
	out[n] = '\0';
	*ret = (struct sms_text){ SMS_UCS2, n, c.units, segments(&c) };
	return 0;
}
