/* Telephone numbers: E.164 (ITU-T E.164, 6.1) in the form in which the host keeps them. */
#ifndef SMS_E164_H
#define SMS_E164_H

#include <stdbool.h>
#include <stddef.h>

enum { SMS_NUMBER = 17 }; /* a "+", 15 digits, a terminator */

/* The normal form of a number: "+" and 7 to 15 digits, the first no 0. It begins with "+" or "00"; blanks, hyphens, points, slashes,
 * brackets and a "(0)" are left out. `bare`: without "+" or "00" it is one nonetheless, as gateways write them. False: it is none, such
 * as a short code or a name. */
bool sms_number(const char *text, size_t n, bool bare, char out[SMS_NUMBER]);

/* May messages come from it: a number, a short code of 3 to 8 digits, or a name of up to 11 letters, digits and blanks with a letter. */
bool sms_sender(const char *text);

#endif
