#include "base/pack.h"

/* The form of a text is in the low bits of its first number, the count of what follows above them. */
enum form {
	RAW,      /* bytes */
	NIBBLES,  /* half bytes */
	NUMBERED, /* half bytes, then a number with a leading 1 that keeps its zeros */
	HEX,      /* lower-case hexadecimal digits, two a byte */
	UUID,     /* 16 bytes */
	AGAIN,    /* the letters of the last NUMBERED one, and such a number where the others have their count */
	FORMS,
	FORM_BITS = 3,
};

/* One half byte for these; for the others one of 12 to 14 and a second one; 15 and two more for any byte at all. */
static const char frequent[] = "earstonil-cd";
static const char others[] = "bfghjkmpquvwxyz0123456789 _/.:&',+()@#%!?ABCDEFG";
enum { FREQUENT = sizeof frequent - 1, OTHERS = sizeof others - 1, ANY = 15 };
/* Of each character, its place in the two as they stand one after the other, from 1. */
static const unsigned char places[256] = {
	['e'] = 1, ['a'] = 2, ['r'] = 3, ['s'] = 4, ['t'] = 5, ['o'] = 6, ['n'] = 7, ['i'] = 8, ['l'] = 9, ['-'] = 10,
	['c'] = 11, ['d'] = 12, ['b'] = 13, ['f'] = 14, ['g'] = 15, ['h'] = 16, ['j'] = 17, ['k'] = 18, ['m'] = 19,
	['p'] = 20, ['q'] = 21, ['u'] = 22, ['v'] = 23, ['w'] = 24, ['x'] = 25, ['y'] = 26, ['z'] = 27, ['0'] = 28,
	['1'] = 29, ['2'] = 30, ['3'] = 31, ['4'] = 32, ['5'] = 33, ['6'] = 34, ['7'] = 35, ['8'] = 36, ['9'] = 37,
	[' '] = 38, ['_'] = 39, ['/'] = 40, ['.'] = 41, [':'] = 42, ['&'] = 43, ['\''] = 44, [','] = 45, ['+'] = 46,
	['('] = 47, [')'] = 48, ['@'] = 49, ['#'] = 50, ['%'] = 51, ['!'] = 52, ['?'] = 53, ['A'] = 54, ['B'] = 55,
	['C'] = 56, ['D'] = 57, ['E'] = 58, ['F'] = 59, ['G'] = 60,
};
enum { NIBBLES_MOST = 256 }; /* bytes of them in one text */

uint64_t fw_unpack_long(struct fw_unpack *u)
{
	uint64_t x = 0;
	for (unsigned shift = 0; u->p < u->end && shift < 64; shift += 7) {
		unsigned char byte = *u->p++;
		x |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return x;
	}
	u->failed = true;
	u->p = u->end;
	return 0;
}

static void fail(struct fw_unpack *u)
{
	u->failed = true;
	u->p = u->end;
}

/* The next n bytes, or NULL. */
static const unsigned char *take(struct fw_unpack *u, uint64_t n)
{
	const unsigned char *p = u->p;
	if (n > (uint64_t)(u->end - u->p)) {
		fail(u);
		return NULL;
	}
	u->p += n;
	return p;
}

unsigned char fw_unpack_byte(struct fw_unpack *u)
{
	const unsigned char *p = take(u, 1);
	return p ? *p : 0;
}

uint32_t fw_unpack_bounded(struct fw_unpack *u, uint32_t most)
{
	uint64_t x = fw_unpack_number(u);
	if (x <= most)
		return (uint32_t)x;
	fail(u);
	return 0;
}

uint64_t fw_unpack_fixed(struct fw_unpack *u)
{
	uint64_t x = 0;
	const unsigned char *p = take(u, 8);
	for (int i = 7; p && i >= 0; i--)
		x = x << 8 | p[i];
	return x;
}

struct fw_str fw_unpack_bytes(struct fw_unpack *u)
{
	uint64_t n = fw_unpack_number(u);
	const unsigned char *p = take(u, n);
	return p ? (struct fw_str){ (const char *)p, (size_t)n } : (struct fw_str){ 0 };
}

static size_t stored_bytes(enum form form, uint64_t n)
{
	return form == UUID ? 16 : form == AGAIN ? 0 : form == RAW ? (size_t)n : (size_t)((n + 1) / 2);
}

/* Half bytes as text; the number of bytes written, or SIZE_MAX. */
static size_t unpack_nibbles(const unsigned char *p, size_t n, char *out)
{
	unsigned char x[2 * NIBBLES_MOST];
	size_t length = 0;
	if (n > sizeof x)
		return SIZE_MAX;
	for (size_t i = 0; i < (n + 1) / 2; i++) {
		x[2 * i] = p[i] >> 4;
		x[2 * i + 1] = p[i] & 0x0f;
	}
	for (size_t i = 0; i < n; ) {
		if (x[i] < FREQUENT) {
			out[length++] = frequent[x[i++]];
		} else if (x[i] < ANY && i + 1 < n && (x[i] - FREQUENT) * 16 + x[i + 1] < OTHERS) {
			out[length++] = others[(x[i] - FREQUENT) * 16 + x[i + 1]];
			i += 2;
		} else if (x[i] == ANY && i + 2 < n) {
			out[length++] = (char)(x[i + 1] << 4 | x[i + 2]);
			i += 3;
		} else {
			return SIZE_MAX;
		}
	}
	return length;
}

static size_t unpack_number_text(uint64_t x, char *out)
{
	char digits[24];
	size_t n = 0;
	for (; x > 1; x /= 10)
		digits[n++] = (char)('0' + x % 10);
	for (size_t i = 0; i < n; i++)
		out[i] = digits[n - 1 - i];
	return x == 1 ? n : SIZE_MAX; /* it began with the 1 that keeps zeros */
}

static size_t unpack_hex(const unsigned char *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = "0123456789abcdef"[i % 2 ? p[i / 2] & 0x0f : p[i / 2] >> 4];
	return n;
}

static size_t unpack_uuid(const unsigned char *p, char *out)
{
	static const unsigned char groups[] = { 8, 4, 4, 4, 12 }; /* digits */
	size_t n = 0;
	for (size_t i = 0; i < sizeof groups; p += groups[i++] / 2) {
		if (i > 0)
			out[n++] = '-';
		n += unpack_hex(p, groups[i], out + n);
	}
	return n;
}

struct fw_packed fw_unpack_packed(struct fw_unpack *u, struct fw_str *prefix)
{
	const unsigned char *begin = u->p;
	uint64_t head = fw_unpack_number(u), n = head >> FORM_BITS;
	enum form form = (enum form)(head & ((1 << FORM_BITS) - 1));
	struct fw_packed packed = { .number = 0 };
	if (form == AGAIN) {
		u->failed |= prefix->n == 0;
		return (struct fw_packed){ *prefix, n };
	}
	if (form >= FORMS || n > 2 * (uint64_t)(u->end - u->p))
		fail(u);
	else
		take(u, stored_bytes(form, n));
	packed.letters = (struct fw_str){ (const char *)begin, (size_t)(u->p - begin) };
	if (form == NUMBERED) {
		*prefix = packed.letters;
		packed.number = fw_unpack_number(u);
		u->failed |= packed.number == 0;
	}
	return packed;
}

/* What the form's bytes say into `out`; the length, or SIZE_MAX. */
static size_t unpack_form(enum form form, const unsigned char *p, size_t n, char *out)
{
	switch (form) {
	case RAW: memcpy(out, p, n); return n;
	case HEX: return unpack_hex(p, n, out);
	case UUID: return unpack_uuid(p, out);
	default: return unpack_nibbles(p, n, out);
	}
}

struct fw_str fw_packed_text(const struct fw_packed *packed, struct fw_arena *a)
{
	enum { NUMBER_OR_UUID_ROOM = 40 };
	struct fw_unpack u;
	fw_unpack_init(&u, packed->letters);
	uint64_t head = fw_unpack_number(&u);
	enum form form = (enum form)(head & ((1 << FORM_BITS) - 1));
	size_t n = (size_t)(head >> FORM_BITS);
	const unsigned char *p = u.failed ? NULL : take(&u, stored_bytes(form, n));
	char *out = p ? fw_arena_alloc(a, n + NUMBER_OR_UUID_ROOM) : NULL;
	size_t length = out ? unpack_form(form, p, n, out) : SIZE_MAX;
	if (length != SIZE_MAX && packed->number) {
		size_t digits = unpack_number_text(packed->number, out + length);
		length = digits == SIZE_MAX ? SIZE_MAX : length + digits;
	}
	if (length == SIZE_MAX)
		return (struct fw_str){ NULL, 0 };
	out[length] = '\0';
	return (struct fw_str){ out, length };
}

struct fw_str fw_unpack_text(struct fw_unpack *u, struct fw_arena *a)
{
	struct fw_str none = { NULL, 0 };
	struct fw_packed packed = fw_unpack_packed(u, &none);
	struct fw_str text = u->failed ? none : fw_packed_text(&packed, a);
	if (!text.p) {
		fail(u);
		return none;
	}
	return text;
}

void fw_unpack_skip_text(struct fw_unpack *u)
{
	struct fw_str none = { NULL, 0 };
	fw_unpack_packed(u, &none);
}

void fw_pack_number(struct fw_buf *out, uint64_t x)
{
	enum { MOST = 10 };
	unsigned char bytes[MOST], *p = bytes;
	bool fits = !out->failed && out->size - out->n >= MOST;
	if (fits)
		p = (unsigned char *)out->data + out->n;
	size_t n = 0;
	for (; x >= 0x80; x >>= 7)
		p[n++] = (unsigned char)(x | 0x80);
	p[n++] = (unsigned char)x;
	if (fits)
		out->n += n;
	else
		fw_buf_add(out, bytes, n);
}

void fw_pack_signed(struct fw_buf *out, int64_t x)
{
	fw_pack_number(out, (uint64_t)x << 1 ^ (uint64_t)(x >> 63));
}

void fw_pack_fixed(struct fw_buf *out, uint64_t x)
{
	unsigned char bytes[8];
	for (int i = 0; i < 8; i++, x >>= 8)
		bytes[i] = (unsigned char)(x & 0xff);
	fw_buf_add(out, bytes, sizeof bytes);
}

void fw_pack_bytes(struct fw_buf *out, struct fw_str bytes)
{
	fw_pack_number(out, bytes.n);
	fw_buf_add(out, bytes.p, bytes.n);
}

/* Half bytes, collected two by two. */
struct nibbles {
	unsigned char bytes[NIBBLES_MOST];
	size_t n;
};

static void put_nibble(struct nibbles *out, unsigned x)
{
	if (out->n % 2)
		out->bytes[out->n / 2] |= (unsigned char)x;
	else
		out->bytes[out->n / 2] = (unsigned char)(x << 4);
	out->n++;
}

static void pack_nibbles(struct nibbles *out, struct fw_str text)
{
	for (size_t i = 0; i < text.n && out->n + 3 <= 2 * sizeof out->bytes; i++) {
		unsigned char c = (unsigned char)text.p[i];
		unsigned place = places[c];
		if (place > FREQUENT) {
			put_nibble(out, FREQUENT + (place - 1 - FREQUENT) / 16);
			put_nibble(out, (place - 1 - FREQUENT) % 16);
		} else if (place) {
			put_nibble(out, place - 1);
		} else {
			put_nibble(out, ANY);
			put_nibble(out, c >> 4);
			put_nibble(out, c & 0x0f);
		}
	}
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The text's hexadecimal digits; with `dashes` only if they stand as in a UUID. False when it is no such text. */
static bool pack_hex(struct nibbles *out, struct fw_str text, bool dashes)
{
	for (size_t i = 0; i < text.n; i++) {
		bool dash = dashes && (i == 8 || i == 13 || i == 18 || i == 23);
		if (dash ? text.p[i] != '-' : hex_digit(text.p[i]) < 0)
			return false;
		if (!dash)
			put_nibble(out, (unsigned)hex_digit(text.p[i]));
	}
	return true;
}

static void put_form(struct fw_buf *out, enum form form, const struct nibbles *nibbles)
{
	fw_pack_number(out, (uint64_t)(form == UUID ? 0 : nibbles->n) << FORM_BITS | form);
	fw_buf_add(out, nibbles->bytes, (nibbles->n + 1) / 2);
}

static size_t trailing_digits(struct fw_str text)
{
	enum { MOST_DIGITS = 18 };
	size_t n = 0;
	while (n < text.n && n < MOST_DIGITS && text.p[text.n - 1 - n] >= '0' && text.p[text.n - 1 - n] <= '9')
		n++;
	return n;
}

static void put_raw(struct fw_buf *out, struct fw_str text)
{
	fw_pack_number(out, (uint64_t)text.n << FORM_BITS | RAW);
	fw_buf_add(out, text.p, text.n);
}

/* Letters and a number; where the letters are those of the text before, the number alone. */
static void put_numbered(struct fw_buf *out, struct fw_str text, size_t digits, struct nibbles *nibbles, struct fw_str *prefix)
{
	struct fw_str letters = { text.p, text.n - digits };
	uint64_t x = 1;
	for (size_t i = letters.n; i < text.n; i++)
		x = x * 10 + (uint64_t)(text.p[i] - '0');
	if (prefix->n && x >> (64 - FORM_BITS) == 0 && fw_str_equal(*prefix, letters)) {
		fw_pack_number(out, x << FORM_BITS | AGAIN);
	} else {
		pack_nibbles(nibbles, letters);
		put_form(out, NUMBERED, nibbles);
		fw_pack_number(out, x);
	}
	*prefix = letters;
}

void fw_pack_text_after(struct fw_buf *out, struct fw_str text, struct fw_str *prefix)
{
	enum { LONGEST = 160 }; /* three half bytes for each fit into `nibbles` */
	struct nibbles nibbles;
	size_t digits = trailing_digits(text);
	nibbles.n = 0; /* the bytes are written as they come */
	if (text.n > LONGEST) {
		put_raw(out, text);
		return;
	}
	if (text.n == 36 && pack_hex(&nibbles, text, true)) {
		put_form(out, UUID, &nibbles);
		return;
	}
	nibbles.n = 0;
	if (text.n > 8 && digits < text.n && pack_hex(&nibbles, text, false)) {
		put_form(out, HEX, &nibbles);
		return;
	}
	nibbles.n = 0;
	if (digits >= 2) {
		put_numbered(out, text, digits, &nibbles, prefix);
		return;
	}
	pack_nibbles(&nibbles, text);
	if ((nibbles.n + 1) / 2 < text.n)
		put_form(out, NIBBLES, &nibbles);
	else
		put_raw(out, text);
}

void fw_pack_text(struct fw_buf *out, struct fw_str text)
{
	struct fw_str none = { 0 };
	fw_pack_text_after(out, text, &none);
}
