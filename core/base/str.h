/* Text: slices, ASCII case folding, and the nearest right name for a hint. */
#ifndef FW_BASE_STR_H
#define FW_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A slice of somebody else's bytes; p is NULL for "no text". Not terminated. */
struct fw_str {
	const char *p;
	size_t n;
};

#define FW_STR(literal) ((struct fw_str){ (literal), sizeof(literal) - 1 })
/* The same where a constant table begins. */
#define FW_STR_ENTRY(literal) { (literal), sizeof(literal) - 1 }

static inline struct fw_str fw_str(const char *s)
{
	return (struct fw_str){ s, s ? strlen(s) : 0 };
}

static inline bool fw_str_is(struct fw_str s, const char *text)
{
	size_t n = strlen(text);
	return s.n == n && memcmp(s.p, text, n) == 0;
}

static inline char fw_fold_char(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Writes the ASCII case-folded text to out (same length; out may be s.p itself). */
void fw_fold(struct fw_str s, char *out);
bool fw_is_folded(struct fw_str s); /* folding would change nothing */
bool fw_str_equal(struct fw_str a, struct fw_str b);
bool fw_str_equal_fold(struct fw_str a, struct fw_str b);
int fw_str_compare(struct fw_str a, struct fw_str b); /* bytewise, as strcmp */
/* Where `needle` begins in `s` under ASCII folding, or NULL; an empty needle is found at once. */
const char *fw_str_find_fold(struct fw_str s, struct fw_str needle);
struct fw_str fw_str_trim(struct fw_str s);

/* Bounded Damerau-Levenshtein distance under ASCII folding; more than `most` is reported as most + 1. */
int fw_edit_distance(const char *a, const char *b, int most);

/* The name nearest to `wrong` among n, or NULL if none is near enough to be worth a hint. */
const char *fw_nearest(const char *wrong, const char *const *names, size_t n);
/* The same among n names (const char *) that stand `size` bytes apart, such as &items[0].id. */
const char *fw_nearest_in(const char *wrong, const void *first, size_t n, size_t size);

/* Digits, with a minus where it is one, terminated; buf holds 24. The length. */
size_t fw_whole_text(int64_t x, char *buf);
/* The shortest decimal text that reads back as the same number; whole numbers below 1e17 are their digits, so that an id that
 * was told as a number (to 2^53, what a double counts to) is the same as one told as a text. buf holds 32. */
size_t fw_number_text(double x, char *buf);
/* A JSON number and nothing else. */
bool fw_number_parse(struct fw_str s, double *ret);
/* What a character of base64 stands for, in either alphabet (RFC 4648, sections 4 and 5); -1: it is in none. */
int fw_base64_digit(char c);
/* True if the bytes are well-formed UTF-8. */
bool fw_utf8_valid(struct fw_str s);
/* The length of the longest beginning of at most `most` bytes that cuts no character. */
static inline size_t fw_utf8_cut(struct fw_str s, size_t most)
{
	if (s.n <= most)
		return s.n;
	while (most > 0 && ((unsigned char)s.p[most] & 0xc0) == 0x80)
		most--;
	return most;
}

#endif
