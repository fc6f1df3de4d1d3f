/* A message that came back: whatever it is, what is read of it keeps its form; and replies of a mail server, a byte at a time as in one
 * piece. */
#include <stdint.h>
#include <stdlib.h>

#include <floorwalker/plugin.h>

#include "../../plugins/email/bounce.c"
#include "../../plugins/email/reply.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_printable(const char *text, size_t room)
{
	size_t n = strnlen(text, room);
	if (n == room)
		abort();
	for (size_t i = 0; i < n; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			abort();
}

static void check_bounce(const char *p, size_t n)
{
	struct email_bounce b;
	email_bounce_read(p, n, &b);
	check_printable(b.reason, sizeof b.reason);
	check_printable(b.recipient, sizeof b.recipient);
	check_printable(b.status, sizeof b.status);
	if (b.verdict == EMAIL_BOUNCED && strncmp(b.status, "5.", 2) != 0)
		abort();
	if (b.n_tags > 2 * EMAIL_BOUNCE_TAGS)
		abort();
	for (size_t i = 0; i < b.n_tags; i++) {
		if (strspn(b.tags[i], "abcdefghijklmnopqrstuvwxyz0123456789-") != strnlen(b.tags[i], sizeof b.tags[i]) ||
			!strchr(b.tags[i], '-'))
			abort();
	}
}

static void check_replies(const char *p, size_t n)
{
	struct email_reply whole = { 0 }, bytes = { 0 };
	struct email_result result;
	size_t at = 0, used;
	while (at < n) {
		int rc = email_reply_take(&whole, p + at, n - at, &used), same = 0;
		for (size_t i = 0; i < used; i++) {
			size_t one;
			same = email_reply_take(&bytes, p + at + i, 1, &one);
			if ((same || one != 1) && i + 1 < used)
				abort();
		}
		if (same != rc)
			abort();
		if (rc < 0)
			return;
		at += used;
		if (rc == 0)
			continue;
		if (whole.code != bytes.code || strcmp(whole.text, bytes.text) != 0)
			abort();
		check_printable(whole.text, sizeof whole.text);
		email_reply_judge(EMAIL_STAGE_RCPT, whole.code, whole.text, &result);
		if (result.bounced && (result.outcome != FW_PLUGIN_FAILED || whole.code / 100 != 5))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	check_bounce((const char *)data, n);
	check_replies((const char *)data, n);
	return 0;
}
