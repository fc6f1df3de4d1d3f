/* What a person answers, or a message's text: what is sent of it is UTF-8 no longer than it was, costs the same when it is encoded once
 * more, and is never cut into more segments than its characters fill. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/sms/e164.h"
#include "../../plugins/sms/encoding.h"
#include "../../plugins/sms/keywords.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_sizes(const struct sms_text *size)
{
	unsigned single = size->alphabet == SMS_GSM ? 160 : 70, part = size->alphabet == SMS_GSM ? 153 : 67;
	unsigned least = size->units <= single ? size->units > 0 : (size->units + part - 1) / part;
	unsigned most = size->units <= single ? least : (size->units + part - 2) / (part - 1); /* each part but one short at most */
	if (size->segments < least || size->segments > most)
		abort();
}

static bool is_same(const struct sms_text *a, const struct sms_text *b)
{
	return a->alphabet == b->alphabet && a->units == b->units && a->segments == b->segments && a->n == b->n;
}

static void check_number(const char *text, size_t n, bool bare)
{
	char number[SMS_NUMBER], again[SMS_NUMBER];
	if (!sms_number(text, n, bare, number))
		return;
	if (!sms_number(number, strlen(number), false, again) || strcmp(number, again) != 0 || !sms_sender(number))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data;
	struct sms_text size, again;
	char *out = malloc(n + 1), *twice = malloc(n + 1);
	enum sms_word word = sms_word_of(text, n);
	if (!out || !twice)
		abort();
	check_number(text, n, false);
	check_number(text, n, true);
	if (sms_encode(text, n, out, &size) == 0) {
		if (size.n > n || strlen(out) != size.n || sms_encode(out, size.n, twice, &again) < 0)
			abort();
		if (!is_same(&size, &again) || strcmp(out, twice) != 0)
			abort();
		check_sizes(&size);
	} else if (word != SMS_WORD_NONE && !memchr(text, '\0', n)) {
		abort();
	}
	free(out);
	free(twice);
	return 0;
}
