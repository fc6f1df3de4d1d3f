/* What a text costs on the air: the GSM 7 bit default alphabet with its extension table (3GPP TS 23.038, 6.2.1) where every
 * character is in it, UCS-2 otherwise, and in how many segments (3GPP TS 23.040, 9.2.3.24.1). The gateways pack and split; what is
 * known here is what they will make of it. */
#ifndef SMS_ENCODING_H
#define SMS_ENCODING_H

#include <stddef.h>
#include <stdint.h>

enum sms_alphabet { SMS_GSM, SMS_UCS2 };

struct sms_text {
	enum sms_alphabet alphabet;
	size_t n;          /* bytes of UTF-8 */
	unsigned units;    /* septets, or 16-bit units */
	unsigned segments; /* 160 or 70 units in a single one, 153 or 67 in each of several; 0 for an empty text */
};

/* The text that is to be sent. Quotes, dashes, blanks and the like that the default alphabet lacks are written with what it has, if
 * that keeps the whole text in it; a text that needs UCS-2 anyway stays as it is. `out` takes n bytes and a terminator.
 * 0; -1: it is no UTF-8, or has a NUL. */
int sms_encode(const char *text, size_t n, char *out, struct sms_text *ret);

/* The character at *at, which moves behind it; -1: there is no UTF-8 (RFC 3629). *at < n. */
int32_t sms_utf8(const char *text, size_t n, size_t *at);

#endif
