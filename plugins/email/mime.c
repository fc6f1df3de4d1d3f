#include "mime.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/problem.h"

enum {
	LINE = 76,         /* with the CRLF 78 */
	WORD = 75,         /* an encoded word, RFC 2047 §2 */
	WORD_AROUND = 12,  /* "=?utf-8?Q?" and "?=" */
	LOCAL_BYTES = 64,  /* what is before the "@" */
	LABEL_BYTES = 63,
	BASE64_LINE = 57,  /* bytes that make a line of 76 */
};

static int is_atom(unsigned char c)
{
	return isalnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* A header made of it cannot become two, and no terminal is told what to do. */
static int is_clean(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7f)
			return 0;
	return 1;
}

static int is_ascii(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] >= 0x80)
			return 0;
	return 1;
}

/* Addresses. */

static int domain_is_fit(const char *p, size_t n)
{
	size_t label = 0, labels = 1;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		if (c == '.') {
			if (label == 0 || p[i - 1] == '-')
				return 0;
			label = 0;
			labels++;
		} else if ((c >= 0x80 || !isalnum(c)) && (c != '-' || label == 0)) {
			return 0;
		} else if (++label > LABEL_BYTES) {
			return 0;
		}
	}
	return label > 0 && p[n - 1] != '-' && labels > 1;
}

int email_address_is_fit(const char *address, size_t n)
{
	const char *at = memchr(address, '@', n);
	size_t local = at ? (size_t)(at - address) : 0;
	if (n > EMAIL_ADDRESS_BYTES || local == 0 || local > LOCAL_BYTES || address[0] == '.' || at[-1] == '.')
		return 0;
	for (size_t i = 0; i < local; i++)
		if (address[i] == '.' ? address[i + 1] == '.' : (unsigned char)address[i] >= 0x80 || !is_atom((unsigned char)address[i]))
			return 0;
	return domain_is_fit(at + 1, n - local - 1);
}

static struct fw_plugin_text trimmed(const char *p, size_t n)
{
	while (n > 0 && (*p == ' ' || *p == '\t'))
		p++, n--;
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return (struct fw_plugin_text){ p, n };
}

/* A name without its quotes. -1: it is too long. */
static int unquote(struct fw_plugin_text from, char ret[EMAIL_NAME_BYTES + 1])
{
	size_t m = 0;
	int quoted = from.n >= 2 && from.p[0] == '"' && from.p[from.n - 1] == '"';
	for (size_t i = quoted ? 1 : 0; i < from.n - (quoted ? 1 : 0); i++) {
		if (quoted && from.p[i] == '\\' && i + 2 < from.n)
			i++;
		if (m == EMAIL_NAME_BYTES)
			return -1;
		ret[m++] = from.p[i];
	}
	ret[m] = '\0';
	return 0;
}

int email_mailbox_read(const char *text, size_t n, struct email_mailbox *ret, struct fw_plugin_problem *problem)
{
	if (!is_clean(text, n))
		return common_refuse(problem, "", "the address has a control character in it");
	struct fw_plugin_text all = trimmed(text, n), name = { "", 0 }, address = all;
	if (all.n && all.p[all.n - 1] == '>') {
		const char *open = memrchr(all.p, '<', all.n);
		if (!open)
			return common_refuse(problem, "", "the address has a \">\" without its \"<\"");
		name = trimmed(all.p, (size_t)(open - all.p));
		address = trimmed(open + 1, (size_t)(all.p + all.n - 1 - (open + 1)));
	}
	if (!email_address_is_fit(address.p, address.n))
		return common_refuse(problem, "write \"Shop <hello@shop.example>\", the address in ASCII", "\"%.*s\" is no e-mail address",
			(int)(address.n > 300 ? 300 : address.n), address.p);
	if (unquote(name, ret->name) < 0)
		return common_refuse(problem, "", "the name before the address is longer than 200 bytes");
	snprintf(ret->address, sizeof ret->address, "%.*s", (int)address.n, address.p);
	return 0;
}

/* Headers. */

/* How many bytes the line has that is being written. */
static size_t column(const struct email_text *t)
{
	const char *end = t->p ? memrchr(t->p, '\n', t->n) : NULL;
	return end ? (size_t)(t->p + t->n - (end + 1)) : t->n;
}

/* Adds words of ASCII, folded before one that would make the line too long. */
static void add_folded(struct email_text *t, const char *p, size_t n)
{
	while (n > 0) {
		size_t word = 1;
		while (word < n && p[word] != ' ')
			word++;
		if (*p == ' ' && column(t) + word > LINE)
			email_add_text(t, "\r\n");
		email_add(t, p, word);
		p += word;
		n -= word;
	}
}

static size_t char_bytes(const char *p, size_t n)
{
	size_t m = 1;
	while (m < n && ((unsigned char)p[m] & 0xc0) == 0x80)
		m++;
	return m;
}

/* What of an encoded word stands for itself wherever one may be, RFC 2047 §5 (3). */
static int is_plain_in_word(unsigned char c)
{
	return (c < 0x80 && isalnum(c)) || (c && strchr("!*+-/", c));
}

static size_t q_bytes(const char *p, size_t n)
{
	size_t m = 0;
	for (size_t i = 0; i < n; i++)
		m += is_plain_in_word((unsigned char)p[i]) || p[i] == ' ' ? 1 : 3;
	return m;
}

static void add_hex(struct email_text *t, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char hex[3] = { '=', digits[c >> 4], digits[c & 15] };
	email_add(t, hex, sizeof hex);
}

static void add_word(struct email_text *t, const char *p, size_t n, int base64)
{
	unsigned char text[WORD + 4];
	email_add_text(t, base64 ? "=?utf-8?B?" : "=?utf-8?Q?");
	if (base64) {
		email_add(t, text, (size_t)EVP_EncodeBlock(text, (const unsigned char *)p, (int)n));
	} else {
		for (size_t i = 0; i < n; i++)
			if (p[i] == ' ')
				email_add_char(t, '_');
			else if (is_plain_in_word((unsigned char)p[i]))
				email_add_char(t, p[i]);
			else
				add_hex(t, (unsigned char)p[i]);
	}
	email_add_text(t, "?=");
}

/* Adds encoded words, each of whole characters, in the shorter of the two encodings. A line holds one, the first what fits behind
 * the header's name. */
static void add_encoded(struct email_text *t, const char *p, size_t n)
{
	int base64 = q_bytes(p, n) > (n + 2) / 3 * 4;
	for (int first = 1; n > 0; first = 0) {
		if (!first)
			email_add_text(t, "\r\n ");
		size_t at = column(t), room = (LINE - at < WORD ? LINE - at : WORD) - WORD_AROUND, m = 0, used = 0;
		while (m < n) {
			size_t next = char_bytes(p + m, n - m);
			size_t takes = base64 ? (m + next + 2) / 3 * 4 : used + q_bytes(p + m, next);
			if (takes > room)
				break;
			used = takes;
			m += next;
		}
		/* A "character" of more bytes than a line has is none: it is taken apart. */
		if (m == 0)
			m = n < 12 ? n : 12;
		add_word(t, p, m, base64);
		p += m;
		n -= m;
	}
}

/* Free text: as it is where it is plain and folds well. */
static void add_unstructured(struct email_text *t, const char *p, size_t n)
{
	size_t word = 0, longest = 0;
	for (size_t i = 0; i < n; i++) {
		word = p[i] == ' ' ? 0 : word + 1;
		longest = word > longest ? word : longest;
	}
	if (!is_ascii(p, n) || longest > LINE - 20 || memchr(p, '\t', n) || memmem(p, n, "=?", 2) || memmem(p, n, "  ", 2) || p[0] == ' '
			|| p[n - 1] == ' ')
		add_encoded(t, p, n);
	else
		add_folded(t, p, n);
}

static void add_mailbox(struct email_text *t, const char *header, const struct email_mailbox *m)
{
	size_t n = strlen(m->name);
	int atoms = n > 0, quotable = n > 0 && n < 60 && is_ascii(m->name, n) && !strstr(m->name, "=?") && !strchr(m->name, '\t');
	for (size_t i = 0; i < n; i++)
		atoms = atoms && (is_atom((unsigned char)m->name[i]) || (m->name[i] == ' ' && i > 0 && m->name[i - 1] != ' ' && i + 1 < n));
	email_add_text(t, header);
	if (quotable && atoms) {
		add_folded(t, m->name, n);
	} else if (quotable) {
		email_add_char(t, '"');
		for (size_t i = 0; i < n; i++) {
			if (m->name[i] == '"' || m->name[i] == '\\')
				email_add_char(t, '\\');
			email_add_char(t, m->name[i]);
		}
		email_add_char(t, '"');
	} else if (n) {
		add_encoded(t, m->name, n);
	}
	if (n)
		email_add_text(t, column(t) + strlen(m->address) + 3 > LINE ? "\r\n <" : " <");
	email_add_text(t, m->address);
	email_add_text(t, n ? ">\r\n" : "\r\n");
}

/* In UTC and in English, whatever the process's locale. */
static void add_date(struct email_text *t, int64_t at_s)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t at = (time_t)at_s;
	struct tm tm;
	char text[64];
	gmtime_r(&at, &tm);
	snprintf(text, sizeof text, "Date: %.3s, %d %.3s %d %02d:%02d:%02d +0000\r\n", days + tm.tm_wday * 3, tm.tm_mday,
		months + tm.tm_mon * 3, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	email_add_text(t, text);
}

static void add_header(struct email_text *t, const char *name, const char *before, const char *value, const char *after)
{
	email_add_text(t, name);
	if (strlen(name) + strlen(before) + strlen(value) + strlen(after) > LINE)
		email_add_text(t, "\r\n");
	email_add_char(t, ' ');
	email_add_text(t, before);
	email_add_text(t, value);
	email_add_text(t, after);
	email_add_text(t, "\r\n");
}

static void add_headers(struct email_text *t, const struct email_mail *mail)
{
	add_mailbox(t, "From: ", mail->from);
	add_header(t, "To:", "", mail->to, "");
	if (mail->reply_to)
		add_mailbox(t, "Reply-To: ", mail->reply_to);
	email_add_text(t, "Subject: ");
	add_unstructured(t, mail->subject.p, mail->subject.n);
	email_add_text(t, "\r\n");
	add_date(t, mail->at_s);
	add_header(t, "Message-ID:", "<", mail->message_id, ">");
	add_header(t, "X-Floorwalker-Message:", "", mail->id, "");
	if (mail->list_id)
		add_header(t, "List-Id:", "<", mail->list_id, ">");
	if (mail->feedback_id)
		add_header(t, "Feedback-ID:", "", mail->feedback_id, "");
	if (mail->unsubscribe) {
		add_header(t, "List-Unsubscribe:", "<", mail->unsubscribe, ">");
		add_header(t, "List-Unsubscribe-Post:", "", "List-Unsubscribe=One-Click", "");
	}
	email_add_text(t, "MIME-Version: 1.0\r\n");
}

/* Bodies. */

/* The length of a line's end at `p`: CRLF, LF or CR; 0: there is none. */
static size_t line_end(const char *p, size_t n)
{
	return *p == '\r' ? (n > 1 && p[1] == '\n' ? 2 : 1) : *p == '\n' ? 1 : 0;
}

/* Whether quoted-printable must write the byte as hex: also what a server might take for the end, or for a new mailbox entry. */
static int is_hexed(const char *p, size_t n, size_t col)
{
	unsigned char c = (unsigned char)*p;
	if (c == ' ' || c == '\t')
		return n == 1 || line_end(p + 1, n - 1) > 0;
	return c < 0x20 || c > 0x7e || c == '=' || (col == 0 && (c == '.' || (c == 'F' && n >= 5 && memcmp(p, "From ", 5) == 0)));
}

/* How many bytes from `p` on, which begins no line, stand for themselves wherever in a line they are, and `most` at most. */
static size_t plain_bytes(const char *p, size_t n, size_t most)
{
	size_t m = 0;
	while (m < n && m < most && ((p[m] > 0x20 && p[m] < 0x7f && p[m] != '=')
			|| (p[m] == ' ' && m + 1 < n && line_end(p + m + 1, n - m - 1) == 0)))
		m++;
	return m;
}

static void add_quoted_printable(struct email_text *t, const char *p, size_t n)
{
	size_t col = 0;
	while (n > 0) {
		size_t plain = col > 0 && col < LINE - 1 ? plain_bytes(p, n, LINE - 1 - col) : 0;
		email_add(t, p, plain);
		col += plain;
		p += plain;
		n -= plain;
		if (n == 0)
			break;
		size_t end = line_end(p, n);
		if (end) {
			email_add_text(t, "\r\n");
			col = 0;
			p += end;
			n -= end;
			continue;
		}
		/* The last byte of a line needs no room for the "=" of a soft break. */
		int last = n == 1 || line_end(p + 1, n - 1) > 0;
		size_t takes = is_hexed(p, n, col) ? 3 : 1;
		if (col + takes > (last ? LINE : LINE - 1)) {
			email_add_text(t, "=\r\n");
			col = 0;
			takes = is_hexed(p, n, col) ? 3 : 1;
		}
		if (takes == 3)
			add_hex(t, (unsigned char)*p);
		else
			email_add_char(t, *p);
		col += takes;
		p++;
		n--;
	}
	if (col)
		email_add_text(t, "\r\n");
}

static void add_base64(struct email_text *t, const char *p, size_t n)
{
	struct email_text lines = { 0 };
	unsigned char text[LINE + 1];
	while (n > 0) {
		size_t end = line_end(p, n);
		if (end)
			email_add_text(&lines, "\r\n");
		else
			email_add_char(&lines, *p);
		p += end ? end : 1;
		n -= end ? end : 1;
	}
	for (size_t at = 0; at < lines.n; at += BASE64_LINE) {
		size_t m = lines.n - at < BASE64_LINE ? lines.n - at : BASE64_LINE;
		email_add(t, text, (size_t)EVP_EncodeBlock(text, (const unsigned char *)lines.p + at, (int)m));
		email_add_text(t, "\r\n");
	}
	t->failed |= lines.failed;
	email_text_free(&lines);
}

static void add_part(struct email_text *t, const char *type, struct fw_plugin_text body)
{
	size_t hexed = 0;
	for (size_t i = 0; i < body.n; i++)
		hexed += (unsigned char)body.p[i] >= 0x80 || body.p[i] == '=';
	int base64 = hexed > body.n / 6; /* there quoted-printable becomes the longer */
	email_add_text(t, "Content-Type: ");
	email_add_text(t, type);
	email_add_text(t, "; charset=utf-8\r\nContent-Transfer-Encoding: ");
	email_add_text(t, base64 ? "base64\r\n\r\n" : "quoted-printable\r\n\r\n");
	if (base64)
		add_base64(t, body.p, body.n);
	else
		add_quoted_printable(t, body.p, body.n);
}

/* "=_" is in no line of either encoding: a boundary with it cannot be in a body. */
static void add_boundary(struct email_text *t, const struct email_mail *mail, const char *before, const char *after)
{
	email_add_text(t, before);
	email_add_text(t, "=_");
	email_add_text(t, mail->id);
	email_add_text(t, after);
}

static void add_bodies(struct email_text *t, const struct email_mail *mail)
{
	if (!mail->html.p || !mail->text.p) {
		add_part(t, mail->html.p ? "text/html" : "text/plain", mail->html.p ? mail->html : mail->text);
		return;
	}
	add_boundary(t, mail, "Content-Type: multipart/alternative;\r\n boundary=\"", "\"\r\n\r\n");
	add_boundary(t, mail, "--", "\r\n");
	add_part(t, "text/plain", mail->text);
	add_boundary(t, mail, "--", "\r\n");
	add_part(t, "text/html", mail->html);
	add_boundary(t, mail, "--", "--\r\n");
}

static int texts_are_clean(const struct email_mail *mail)
{
	const char *texts[] = { mail->from->name, mail->from->address, mail->reply_to ? mail->reply_to->name : NULL, mail->id,
		mail->message_id, mail->list_id, mail->feedback_id, mail->unsubscribe };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i] && !is_clean(texts[i], strlen(texts[i])))
			return 0;
	return 1;
}

int email_mime_write(const struct email_mail *mail, struct email_text *ret, struct fw_plugin_problem *problem)
{
	if (!mail->subject.p || trimmed(mail->subject.p, mail->subject.n).n == 0)
		return common_refuse(problem, "", "the message has no \"subject\"");
	if (!is_clean(mail->subject.p, mail->subject.n))
		return common_refuse(problem, "", "the subject has a line break or another control character in it");
	if (mail->subject.n > EMAIL_SUBJECT_BYTES)
		return common_refuse(problem, "", "the subject is longer than 1000 bytes");
	if (!email_address_is_fit(mail->to, strlen(mail->to)))
		return common_refuse(problem, "", "the recipient is no e-mail address that can be written to");
	if (!texts_are_clean(mail))
		return common_refuse(problem, "", "a header has a line break or another control character in it");
	if (!mail->html.p && !mail->text.p)
		return common_refuse(problem, "", "the message has neither \"html\" nor \"text\"");
	if (mail->html.n > EMAIL_BODY_BYTES || mail->text.n > EMAIL_BODY_BYTES)
		return common_refuse(problem, "", "the message is larger than 2 MiB");
	add_headers(ret, mail);
	add_bodies(ret, mail);
	return 0;
}
