#include "e164.h"

#include <string.h>

enum { LEAST = 7, MOST = 15, CODE_LEAST = 3, CODE_MOST = 8, NAME_MOST = 11 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool begins(const char *text, size_t n, const char *with)
{
	size_t length = strlen(with);
	return n >= length && memcmp(text, with, length) == 0;
}

bool sms_number(const char *text, size_t n, bool bare, char out[SMS_NUMBER])
{
	size_t i, digits = 0;
	while (n > 0 && text[0] == ' ') {
		text++;
		n--;
	}
	i = begins(text, n, "+") ? 1 : begins(text, n, "00") ? 2 : 0;
	if (i == 0 && !bare)
		return false;
	for (; i < n; i++) {
		if (begins(text + i, n - i, "(0)")) {
			i += 2;
			continue;
		}
		if (text[i] && strchr(" -./()", text[i]))
			continue;
		if (!is_digit(text[i]) || digits == MOST)
			return false;
		out[1 + digits++] = text[i];
	}
	if (digits < LEAST || out[1] == '0')
		return false;
	out[0] = '+';
	out[1 + digits] = '\0';
	return true;
}

bool sms_sender(const char *text)
{
	size_t n = strlen(text), digits = 0, letters = 0;
	char number[SMS_NUMBER];
	if (text[0] == '+')
		return sms_number(text, n, false, number) && strcmp(number, text) == 0;
	for (size_t i = 0; i < n; i++) {
		char low = (char)(text[i] | 0x20);
		if (is_digit(text[i]))
			digits++;
		else if (low >= 'a' && low <= 'z')
			letters++;
		else if (text[i] != ' ' || i == 0 || i == n - 1)
			return false;
	}
	return letters > 0 ? n <= NAME_MOST : digits == n && n >= CODE_LEAST && n <= CODE_MOST;
}
