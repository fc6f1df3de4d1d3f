#include "reply.h"

#include <ctype.h>
#include <floorwalker/plugin.h>
#include <stdio.h>
#include <string.h>

static void keep_text(struct email_reply *r, const char *p, size_t n)
{
	if (r->n_text && r->n_text + 1 < sizeof r->text)
		r->text[r->n_text++] = ' ';
	for (size_t i = 0; i < n && r->n_text + 1 < sizeof r->text; i++)
		r->text[r->n_text++] = p[i] >= 0x20 && p[i] < 0x7f ? p[i] : '?';
	r->text[r->n_text] = '\0';
}

/* A whole line, without its end. 1: it is the last of its reply; -1: it is no line of one. */
static int take_whole(struct email_reply *r, const char *p, size_t n)
{
	if (n < 3 || p[0] < '2' || p[0] > '5' || !isdigit((unsigned char)p[1]) || !isdigit((unsigned char)p[2])
			|| (n > 3 && p[3] != ' ' && p[3] != '-'))
		return -1;
	int code = (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
	if (r->more && code != r->code)
		return -1;
	if (!r->more)
		r->n_text = 0;
	r->code = code;
	r->more = n > 3 && p[3] == '-';
	keep_text(r, p, n);
	return !r->more;
}

int email_reply_take(struct email_reply *r, const char *p, size_t n, size_t *used)
{
	for (*used = 0; *used < n;) {
		char c = p[(*used)++];
		if (c != '\n') {
			if (r->n_line == sizeof r->line)
				return -1;
			r->line[r->n_line++] = c;
			continue;
		}
		size_t length = r->n_line > 0 && r->line[r->n_line - 1] == '\r' ? r->n_line - 1 : r->n_line;
		r->n_line = 0;
		int rc = take_whole(r, r->line, length);
		if (rc)
			return rc;
	}
	return 0;
}

void email_reply_judge(enum email_stage stage, int code, const char *text, struct email_result *ret)
{
	enum email_verdict verdict = email_reason_verdict(text, strlen(text), ret->status);
	int about_recipient = stage == EMAIL_STAGE_RCPT || stage == EMAIL_STAGE_BODY;
	ret->bounced = 0;
	ret->outcome = FW_PLUGIN_FAILED;
	snprintf(ret->reason, sizeof ret->reason, "%s", text);
	/* 503 and 530 are about the dialogue: that the password is missing is nothing that a message can help. */
	if (code / 100 != 5 || code == 503 || code == 530 || (about_recipient && verdict == EMAIL_DEFERRED && ret->status[0] == '5'))
		ret->outcome = FW_PLUGIN_RETRY;
	else
		ret->bounced = about_recipient && verdict == EMAIL_BOUNCED;
}
