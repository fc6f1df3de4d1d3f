#include "bounce.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Bytes of the message. */
struct span {
	const char *p;
	size_t n;
};

struct field {
	struct span name, value; /* the value as it is, folds included */
};

/* One recipient's part of a delivery status. */
struct delivery {
	struct span action, status, diagnostic, recipient;
};

struct walk {
	struct email_bounce *bounce;
	struct delivery delivery;
	struct span text;      /* the first part that is text */
	struct span feedback;  /* Feedback-Type */
	int has_delivery, from_daemon;
	unsigned parts;
	char ids[EMAIL_BOUNCE_TAGS][64];
	size_t n_ids;
};

static int is_text(struct span s, const char *text)
{
	return strlen(text) == s.n && strncasecmp(s.p, text, s.n) == 0;
}

static int begins(struct span s, const char *text)
{
	return strlen(text) <= s.n && strncasecmp(s.p, text, strlen(text)) == 0;
}

static int has_words(struct span s, const char *words)
{
	size_t n = strlen(words);
	for (; s.n >= n; s.p++, s.n--)
		if (strncasecmp(s.p, words, n) == 0)
			return 1;
	return 0;
}

static struct span trimmed(struct span s)
{
	while (s.n > 0 && isspace((unsigned char)*s.p))
		s.p++, s.n--;
	while (s.n > 0 && isspace((unsigned char)s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Takes the next line off `from`, without its end; 0: there is none. */
static int take_line(struct span *from, struct span *ret)
{
	if (from->n == 0)
		return 0;
	const char *end = memchr(from->p, '\n', from->n);
	size_t n = end ? (size_t)(end - from->p) : from->n, took = end ? n + 1 : n;
	*ret = (struct span){ from->p, n > 0 && from->p[n - 1] == '\r' ? n - 1 : n };
	from->p += took;
	from->n -= took;
	return 1;
}

/* Takes the next field of a header off `from`; 0: the header ends, and its empty line is taken too. A line that is no field is
 * passed over with what continues it. */
static int take_field(struct span *from, struct field *ret)
{
	struct span line, more;
	while (take_line(from, &line)) {
		const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL, *end = line.p + line.n;
		if (line.n == 0)
			return 0;
		while (from->n > 0 && (*from->p == ' ' || *from->p == '\t') && take_line(from, &more))
			end = more.p + more.n;
		if (!colon)
			continue;
		ret->name = trimmed((struct span){ line.p, (size_t)(colon - line.p) });
		ret->value = trimmed((struct span){ colon + 1, (size_t)(end - (colon + 1)) });
		return 1;
	}
	return 0;
}

/* Status codes. */

enum email_verdict email_status_verdict(const char *status)
{
	if (status[0] == '2')
		return EMAIL_DELIVERED;
	if (status[0] == '4' || strcmp(status, "5.2.2") == 0)
		return EMAIL_DEFERRED;
	/* These two of 5.1 are about the sender. */
	if (strcmp(status, "5.1.7") == 0 || strcmp(status, "5.1.8") == 0)
		return EMAIL_FAILED;
	return strncmp(status, "5.1.", 4) == 0 || strcmp(status, "5.4.4") == 0 ? EMAIL_BOUNCED : EMAIL_FAILED;
}

/* The length of an enhanced status code at `p`, which no letter, digit or dot goes before or follows; 0: there is none. */
static size_t code_at(const char *p, size_t n, const char *begin)
{
	size_t at = 1;
	if (n < 5 || (*p != '2' && *p != '4' && *p != '5') || (p > begin && (isalnum((unsigned char)p[-1]) || p[-1] == '.')))
		return 0;
	for (int part = 0; part < 2; part++) {
		size_t digits = 0;
		if (at == n || p[at++] != '.')
			return 0;
		while (at < n && digits < 3 && isdigit((unsigned char)p[at]))
			at++, digits++;
		if (digits == 0)
			return 0;
	}
	if (at < n && (isalnum((unsigned char)p[at]) || (p[at] == '.' && at + 1 < n && isdigit((unsigned char)p[at + 1]))))
		return 0;
	return at;
}

/* Finds a code: with `behind` one right behind a reply code of its class ("550 5.1.1", "550-5.1.1"), else any. */
static int find_code(struct span s, int behind, char ret[EMAIL_STATUS_BYTES])
{
	for (size_t i = 0; i < s.n; i++) {
		size_t n = code_at(s.p + i, s.n - i, s.p);
		if (n == 0 || (behind && (i < 4 || (s.p[i - 1] != ' ' && s.p[i - 1] != '-') || s.p[i - 4] != s.p[i]
				|| !isdigit((unsigned char)s.p[i - 3]) || !isdigit((unsigned char)s.p[i - 2]))))
			continue;
		snprintf(ret, EMAIL_STATUS_BYTES, "%.*s", (int)n, s.p + i);
		return 1;
	}
	return 0;
}

static int says_nothing(const char *status)
{
	return !status[0] || strcmp(status + 1, ".0.0") == 0;
}

/* What servers write that know no such codes, or give 5.0.0. */
static int says_nobody(struct span s)
{
	static const char *const words[] = { "user unknown", "unknown user", "no such user", "no such mailbox", "mailbox not found",
		"unrouteable address", "no mailbox here by that name", "invalid recipient" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (has_words(s, words[i]))
			return 1;
	return 0;
}

enum email_verdict email_reason_verdict(const char *p, size_t n, char ret_status[EMAIL_STATUS_BYTES])
{
	struct span s = { p, n < EMAIL_REASON_BYTES ? n : EMAIL_REASON_BYTES };
	ret_status[0] = '\0';
	if (!find_code(s, 1, ret_status))
		find_code(s, 0, ret_status);
	if (says_nothing(ret_status) && ret_status[0] != '2' && ret_status[0] != '4' && says_nobody(s))
		snprintf(ret_status, EMAIL_STATUS_BYTES, "5.1.1");
	return ret_status[0] ? email_status_verdict(ret_status) : EMAIL_FAILED;
}

/* Tags. */

static int is_tag_char(char c)
{
	return isalnum((unsigned char)c) || c == '-';
}

/* Keeps every "<before>TAG@" of `s`. */
static void keep_tags(struct span s, const char *before, char into[][64], size_t *n_into)
{
	size_t skip = strlen(before);
	for (size_t i = 0; i + skip < s.n && *n_into < EMAIL_BOUNCE_TAGS; i++) {
		size_t n = 0;
		if (strncasecmp(s.p + i, before, skip) != 0 || (i > 0 && isalnum((unsigned char)s.p[i - 1]) && *before != '<'))
			continue;
		while (i + skip + n < s.n && n < 63 && is_tag_char(s.p[i + skip + n])) {
			into[*n_into][n] = (char)tolower((unsigned char)s.p[i + skip + n]);
			n++;
		}
		into[*n_into][n] = '\0';
		if (i + skip + n < s.n && s.p[i + skip + n] == '@' && strchr(into[*n_into], '-'))
			++*n_into;
	}
}

static void keep_envelope_tags(struct walk *w, struct span s)
{
	keep_tags(s, "b+", w->bounce->tags, &w->bounce->n_tags);
}

static void keep_message_ids(struct walk *w, struct span s)
{
	keep_tags(s, "<", w->ids, &w->n_ids);
}

/* Parts. */

/* A parameter of a header's value, without quotes; p NULL: it has none of that name. */
static struct span parameter(struct span value, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i + n < value.n; i++) {
		if (strncasecmp(value.p + i, name, n) != 0 || (i > 0 && value.p[i - 1] != ';' && !isspace((unsigned char)value.p[i - 1])))
			continue;
		struct span rest = trimmed((struct span){ value.p + i + n, value.n - i - n });
		if (rest.n == 0 || *rest.p != '=')
			continue;
		rest = trimmed((struct span){ rest.p + 1, rest.n - 1 });
		int quoted = rest.n > 0 && *rest.p == '"';
		rest.p += quoted;
		rest.n -= (size_t)quoted;
		size_t m = 0;
		while (m < rest.n && (quoted ? rest.p[m] != '"' : rest.p[m] != ';' && !isspace((unsigned char)rest.p[m])))
			m++;
		return (struct span){ rest.p, m };
	}
	return (struct span){ NULL, 0 };
}

/* The groups of a delivery status: the first recipient that failed, else the first. */
static void read_delivery(struct walk *w, struct span part)
{
	struct field f;
	while (part.n > 0) {
		struct delivery d = { 0 };
		while (take_field(&part, &f)) {
			if (is_text(f.name, "Action"))
				d.action = f.value;
			else if (is_text(f.name, "Status"))
				d.status = f.value;
			else if (is_text(f.name, "Diagnostic-Code"))
				d.diagnostic = f.value;
			else if (is_text(f.name, "Final-Recipient") || (is_text(f.name, "Original-Recipient") && !d.recipient.p))
				d.recipient = f.value;
		}
		if (!d.action.p && !d.status.p)
			continue;
		if (!w->has_delivery || (begins(d.action, "failed") && !begins(w->delivery.action, "failed")))
			w->delivery = d;
		w->has_delivery = 1;
	}
}

static void read_feedback(struct walk *w, struct span part)
{
	struct field f;
	while (take_field(&part, &f)) {
		if (is_text(f.name, "Feedback-Type"))
			w->feedback = f.value;
		else if (is_text(f.name, "Original-Mail-From"))
			keep_envelope_tags(w, f.value);
		else if (is_text(f.name, "Original-Rcpt-To") && !w->delivery.recipient.p)
			w->delivery.recipient = f.value;
	}
}

/* The header of the message that is reported on. */
static void read_original(struct walk *w, struct span part)
{
	struct field f;
	while (take_field(&part, &f)) {
		if (is_text(f.name, "Return-Path"))
			keep_envelope_tags(w, f.value);
		else if (is_text(f.name, "Message-ID"))
			keep_message_ids(w, f.value);
	}
}

/* The header of the report itself. */
static void read_envelope(struct walk *w, struct field f)
{
	static const char *const receivers[] = { "To", "Delivered-To", "Envelope-To", "X-Original-To" };
	for (size_t i = 0; i < sizeof receivers / sizeof *receivers; i++)
		if (is_text(f.name, receivers[i]))
			keep_envelope_tags(w, f.value);
	if (is_text(f.name, "In-Reply-To") || is_text(f.name, "References"))
		keep_message_ids(w, f.value);
	if (is_text(f.name, "X-Failed-Recipients"))
		w->delivery.recipient = f.value;
	int from = is_text(f.name, "From") && (has_words(f.value, "mailer-daemon@") || has_words(f.value, "postmaster@"));
	if (from || is_text(f.name, "X-Failed-Recipients") || (is_text(f.name, "Return-Path") && is_text(f.value, "<>")))
		w->from_daemon = 1;
}

static void walk_part(struct walk *w, struct span part, unsigned depth);

static void walk_parts(struct walk *w, struct span body, struct span boundary, unsigned depth)
{
	struct span line, rest = body;
	const char *begin = NULL;
	while (take_line(&rest, &line)) {
		if (line.n < boundary.n + 2 || memcmp(line.p, "--", 2) != 0 || memcmp(line.p + 2, boundary.p, boundary.n) != 0)
			continue;
		if (begin)
			walk_part(w, (struct span){ begin, (size_t)(line.p - begin) }, depth + 1);
		begin = rest.p;
		if (line.n >= boundary.n + 4 && memcmp(line.p + 2 + boundary.n, "--", 2) == 0)
			return;
	}
	if (begin)
		walk_part(w, (struct span){ begin, (size_t)(body.p + body.n - begin) }, depth + 1);
}

static void walk_part(struct walk *w, struct span part, unsigned depth)
{
	struct span type = { "", 0 };
	struct field f;
	if (depth > EMAIL_BOUNCE_DEPTH || w->parts++ >= EMAIL_BOUNCE_PARTS)
		return;
	while (take_field(&part, &f)) {
		if (is_text(f.name, "Content-Type"))
			type = f.value;
		if (depth == 0)
			read_envelope(w, f);
	}
	struct span boundary = begins(type, "multipart/") ? parameter(type, "boundary") : (struct span){ NULL, 0 };
	if (boundary.n)
		walk_parts(w, part, boundary, depth);
	else if (begins(type, "message/delivery-status") || begins(type, "message/global-delivery-status"))
		read_delivery(w, part);
	else if (begins(type, "message/feedback-report"))
		read_feedback(w, part);
	else if (begins(type, "message/rfc822") || begins(type, "text/rfc822-headers") || begins(type, "message/global"))
		read_original(w, part);
	else if (!w->text.p && (type.n == 0 || begins(type, "text/plain")))
		w->text = part;
}

/* What it comes to. */

/* Copies what can be printed, folds and runs of blanks as one blank. */
static void copy_printable(struct span s, char *ret, size_t room)
{
	size_t n = 0;
	s = trimmed(s);
	for (size_t i = 0; i < s.n && n + 1 < room; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (isspace(c) && n > 0 && ret[n - 1] == ' ')
			continue;
		ret[n++] = isspace(c) ? ' ' : c > 0x20 && c < 0x7f ? (char)c : '?';
	}
	ret[n] = '\0';
}

/* "rfc822; somebody@there", "smtp; 550 …": what is behind the type. */
static struct span untyped(struct span s)
{
	const char *semicolon = s.n ? memchr(s.p, ';', s.n) : NULL;
	if (!semicolon || semicolon - s.p > 12)
		return trimmed(s);
	return trimmed((struct span){ semicolon + 1, s.n - (size_t)(semicolon + 1 - s.p) });
}

static void judge_delivery(struct walk *w)
{
	struct email_bounce *b = w->bounce;
	struct delivery *d = &w->delivery;
	char told[EMAIL_STATUS_BYTES] = "", found[EMAIL_STATUS_BYTES] = "";
	struct span reason = untyped(d->diagnostic);
	find_code(d->status, 0, told);
	if (reason.n)
		email_reason_verdict(reason.p, reason.n, found);
	if (says_nothing(found) && says_nothing(told) && w->text.n)
		email_reason_verdict(w->text.p, w->text.n, found);
	memcpy(b->status, says_nothing(found) && told[0] ? told : found, sizeof b->status);
	copy_printable(reason.n ? reason : d->status, b->reason, sizeof b->reason);
	if (begins(d->action, "delayed"))
		b->verdict = EMAIL_DEFERRED;
	else if (begins(d->action, "delivered"))
		b->verdict = EMAIL_DELIVERED;
	else if (begins(d->action, "relayed") || begins(d->action, "expanded"))
		b->verdict = EMAIL_NOTHING;
	else
		b->verdict = b->status[0] && b->status[0] != '2' ? email_status_verdict(b->status) : EMAIL_FAILED;
}

void email_bounce_read(const char *p, size_t n, struct email_bounce *ret)
{
	struct walk w = { .bounce = ret };
	struct span whole = { p, n };
	*ret = (struct email_bounce){ .verdict = EMAIL_NOTHING };
	walk_part(&w, whole, 0);
	if (begins(w.feedback, "abuse") || begins(w.feedback, "fraud") || begins(w.feedback, "opt-out")) {
		ret->verdict = EMAIL_COMPLAINED;
		copy_printable(w.feedback, ret->reason, sizeof ret->reason);
	} else if (w.has_delivery) {
		judge_delivery(&w);
	} else if (w.from_daemon && w.text.n && !w.feedback.p) {
		/* A report of words alone; one without any code that is known says nothing. */
		enum email_verdict verdict = email_reason_verdict(w.text.p, w.text.n, ret->status);
		ret->verdict = ret->status[0] && ret->status[0] != '2' ? verdict : EMAIL_NOTHING;
		copy_printable(w.text, ret->reason, sizeof ret->reason);
	}
	if (ret->verdict == EMAIL_NOTHING)
		return;
	copy_printable(untyped(w.delivery.recipient), ret->recipient, sizeof ret->recipient);
	/* Older servers give the message back within the text: signed tags are true wherever they stand. */
	if (ret->n_tags == 0)
		keep_envelope_tags(&w, whole);
	if (w.n_ids == 0)
		keep_message_ids(&w, whole);
	for (size_t i = 0; i < w.n_ids; i++)
		memcpy(ret->tags[ret->n_tags++], w.ids[i], sizeof w.ids[i]);
}
