/* Reads texts, each ended by a NUL, and writes what the plugin sms makes of each: the alphabet, its units and segments, and what is
 * sent, ended by a NUL; "none" for what is no text. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "../../plugins/sms/encoding.h"

int main(void)
{
	char *text = NULL;
	size_t room = 0;
	ssize_t n;
	while ((n = getdelim(&text, &room, '\0', stdin)) > 0) {
		size_t length = (size_t)n - (text[n - 1] == '\0');
		struct sms_text size;
		char *out = malloc(length + 1);
		if (!out)
			return 1;
		if (sms_encode(text, length, out, &size) == 0)
			printf("%s %u %u %s", size.alphabet == SMS_GSM ? "GSM-7" : "UCS-2", size.units, size.segments, out);
		else
			printf("none");
		putchar('\0');
		free(out);
	}
	free(text);
	return 0;
}
