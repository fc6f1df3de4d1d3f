#include "message/template_html.h"

#include <string.h>

#include "base/str.h"

static const char *const addresses[] = { "action", "background", "cite", "codebase", "data", "formaction", "href", "icon", "longdesc",
	"lowsrc", "manifest", "ping", "poster", "src", "srcset", "xlink:href", NULL };

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void gather(struct fw_html *h, char c)
{
	if (h->n < sizeof h->word)
		h->word[h->n] = fw_fold_char(c);
	h->n++;
}

static bool word_is(const struct fw_html *h, const char *text)
{
	size_t n = strlen(text);
	return h->n == n && memcmp(h->word, text, n) == 0;
}

static void begin_name(struct fw_html *h, enum fw_html_mode mode)
{
	h->mode = mode;
	h->n = 0;
}

/* A tag's name is complete. */
static void end_name(struct fw_html *h)
{
	h->raw = h->closing ? FW_HTML_PLAIN : word_is(h, "script") ? FW_HTML_CODE : word_is(h, "style") ? FW_HTML_CSS : FW_HTML_PLAIN;
	h->mode = FW_HTML_TAG;
}

/* An attribute's name is complete. */
static void end_attribute(struct fw_html *h)
{
	h->value = FW_HTML_PLAIN;
	if (h->n > 2 && h->word[0] == 'o' && h->word[1] == 'n')
		h->value = FW_HTML_CODE;
	else if (word_is(h, "style"))
		h->value = FW_HTML_CSS;
	else if (word_is(h, "srcdoc"))
		h->value = FW_HTML_CODE;
	for (const char *const *name = addresses; *name; name++)
		if (word_is(h, *name))
			h->value = FW_HTML_URL;
	h->mode = FW_HTML_EQUALS;
}

static void end_tag(struct fw_html *h)
{
	h->mode = h->raw ? FW_HTML_RAW : FW_HTML_TEXT;
	h->value = h->raw;
	h->n = 0;
}

static void read_open(struct fw_html *h, char c)
{
	if (c == '!')
		begin_name(h, FW_HTML_MARKUP);
	else if (c == '?')
		h->mode = FW_HTML_DECLARATION;
	else if (c == '/' && !h->closing)
		h->closing = true;
	else if (is_letter(c)) {
		begin_name(h, FW_HTML_NAME);
		gather(h, c);
	} else if (h->closing && c != '>')
		h->mode = FW_HTML_DECLARATION;
	else if (c != '<' || h->closing)
		h->mode = FW_HTML_TEXT;
}

/* In a tag, outside of values. */
static void read_tag(struct fw_html *h, char c)
{
	if (c == '>') {
		end_tag(h);
	} else if (c == '=' && h->mode != FW_HTML_TAG) {
		h->mode = FW_HTML_BEFORE_VALUE;
	} else if (c == '=') { /* of a name that a tag of the template cut off: it may be any attribute's */
		h->value = FW_HTML_CODE;
		h->mode = FW_HTML_BEFORE_VALUE;
	} else if (c == '/') {
		h->mode = FW_HTML_TAG;
	} else if (!is_space(c)) {
		begin_name(h, FW_HTML_ATTRIBUTE);
		gather(h, c);
	}
}

static void read_name(struct fw_html *h, char c)
{
	bool ends = is_space(c) || c == '/' || c == '>' || (c == '=' && h->mode == FW_HTML_ATTRIBUTE);
	if (!ends) {
		gather(h, c);
		return;
	}
	if (h->mode == FW_HTML_NAME)
		end_name(h);
	else
		end_attribute(h);
	read_tag(h, c);
}

static void read_before_value(struct fw_html *h, char c)
{
	if (c == '"' || c == '\'') {
		h->quote = c;
		h->mode = FW_HTML_VALUE;
	} else if (c == '>') {
		end_tag(h);
	} else if (!is_space(c)) {
		h->mode = FW_HTML_BARE_VALUE;
	}
}

static void read_markup(struct fw_html *h, char c)
{
	gather(h, c);
	if (word_is(h, "--")) {
		h->mode = FW_HTML_COMMENT_OPEN;
		h->dashes = 0;
	} else if (!word_is(h, "-")) {
		h->mode = c == '>' ? FW_HTML_TEXT : FW_HTML_DECLARATION;
	}
}

static void read_comment(struct fw_html *h, char c)
{
	bool opening = h->mode == FW_HTML_COMMENT_OPEN;
	if (opening && c == '[') {
		h->mode = FW_HTML_DECLARATION; /* <!--[if mso]> … <![endif]--> */
		return;
	}
	if (c == '>' && (h->dashes >= 2 || opening)) {
		h->mode = FW_HTML_TEXT;
		return;
	}
	h->dashes = c == '-' ? h->dashes + 1 : 0;
	if (!opening || c != '-' || h->dashes > 1)
		h->mode = FW_HTML_COMMENT;
}

/* Only its own end tag ends a script or a style. */
static void read_raw(struct fw_html *h, char c)
{
	const char *end = h->value == FW_HTML_CODE ? "/script" : "/style";
	if (c == '<') {
		h->n = 1; /* "<" was read, and what follows it is gathered behind it */
		h->word[0] = '<';
		return;
	}
	if (h->n == 0)
		return;
	if (h->n == 1 + strlen(end) && (is_space(c) || c == '/' || c == '>')) {
		h->raw = FW_HTML_PLAIN;
		h->closing = true;
		h->mode = FW_HTML_TAG;
		read_tag(h, c);
		return;
	}
	h->n = h->n < 1 + strlen(end) && fw_fold_char(c) == end[h->n - 1] ? h->n + 1 : 0;
}

size_t fw_html_read(struct fw_html *h, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = p[i];
		switch (h->mode) {
		case FW_HTML_TEXT:
			if (c == '<') {
				begin_name(h, FW_HTML_OPEN);
				h->closing = false;
			}
			break;
		case FW_HTML_OPEN: read_open(h, c); break;
		case FW_HTML_NAME: case FW_HTML_ATTRIBUTE: read_name(h, c); break;
		case FW_HTML_TAG: case FW_HTML_EQUALS: read_tag(h, c); break;
		case FW_HTML_BEFORE_VALUE:
			read_before_value(h, c);
			if (h->mode == FW_HTML_VALUE && h->value == FW_HTML_URL)
				return i + 1;
			break;
		case FW_HTML_VALUE: h->mode = c == h->quote ? FW_HTML_TAG : h->mode; break;
		case FW_HTML_BARE_VALUE:
			if (c == '>')
				end_tag(h);
			else if (is_space(c))
				h->mode = FW_HTML_TAG;
			break;
		case FW_HTML_MARKUP: read_markup(h, c); break;
		case FW_HTML_DECLARATION: h->mode = c == '>' ? FW_HTML_TEXT : h->mode; break;
		case FW_HTML_COMMENT_OPEN: case FW_HTML_COMMENT: read_comment(h, c); break;
		case FW_HTML_RAW: read_raw(h, c); break;
		}
	}
	return n;
}

void fw_html_interrupt(struct fw_html *h)
{
	if (h->mode == FW_HTML_NAME)
		end_name(h);
	if (h->mode == FW_HTML_ATTRIBUTE || h->mode == FW_HTML_EQUALS)
		h->mode = FW_HTML_TAG;
	if (h->mode == FW_HTML_RAW)
		h->n = 0;
	if (h->mode == FW_HTML_COMMENT_OPEN)
		h->mode = FW_HTML_COMMENT;
	h->dashes = 0;
}

bool fw_html_same(const struct fw_html *a, const struct fw_html *b)
{
	if (a->mode != b->mode)
		return false;
	switch (a->mode) {
	case FW_HTML_VALUE: return a->value == b->value && a->quote == b->quote && a->raw == b->raw;
	case FW_HTML_TAG: return a->raw == b->raw;
	case FW_HTML_RAW: return a->value == b->value;
	default: return true;
	}
}

const char *fw_html_place(const struct fw_html *h)
{
	switch (h->mode) {
	case FW_HTML_TEXT: return "in text";
	case FW_HTML_VALUE: return h->value == FW_HTML_URL ? "in an address" : "in an attribute";
	case FW_HTML_BEFORE_VALUE: case FW_HTML_BARE_VALUE: return "in a value without quotes";
	case FW_HTML_MARKUP: case FW_HTML_DECLARATION: return "in a declaration";
	case FW_HTML_COMMENT_OPEN: case FW_HTML_COMMENT: return "in a comment";
	case FW_HTML_RAW: return h->value == FW_HTML_CODE ? "in a script" : "in a style sheet";
	default: return "inside a tag";
	}
}
