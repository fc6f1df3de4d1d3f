#include "body.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "token.h"

/* Adds a postal address as HTML, a line a line. */
static void add_address_html(struct email_text *t, const char *address)
{
	for (const char *end; (end = strchr(address, '\n')); address = end + 1) {
		email_add_html(t, address, (size_t)(end - address));
		email_add_text(t, "<br>");
	}
	email_add_html(t, address, strlen(address));
}

/* What is missing from a marketing message and has to be there: where it came from, and the way out. */
static void add_footer(const struct email_inset *inset, int html, int address, int link, struct email_text *ret)
{
	if (html && (address || link)) {
		email_add_text(ret, "<p style=\"font-size:small\">");
		if (address)
			add_address_html(ret, inset->address);
		email_add_text(ret, address && link ? "<br>" : "");
		if (link) {
			email_add_text(ret, "<a href=\"");
			email_add_html(ret, inset->unsubscribe, strlen(inset->unsubscribe));
			email_add_text(ret, "\">Unsubscribe</a>");
		}
		email_add_text(ret, "</p>\n");
		return;
	}
	if (address || link)
		email_add_text(ret, "\n\n-- \n");
	if (address) {
		email_add_text(ret, inset->address);
		email_add_text(ret, "\n");
	}
	if (link) {
		email_add_text(ret, "Unsubscribe: ");
		email_add_text(ret, inset->unsubscribe);
		email_add_text(ret, "\n");
	}
}

/* Adds `p` with the placeholders replaced; tells whether the address and the way out are in it. */
static void add_replaced(const struct email_inset *inset, const char *p, size_t n, int html, int *ret_address, int *ret_link,
	struct email_text *ret)
{
	const struct { const char *name, *value; int *found; } insets[] = {
		{ "https://floorwalker.invalid/unsubscribe", inset->unsubscribe, ret_link },
		{ "https://floorwalker.invalid/preferences", inset->preferences, NULL },
		{ "%postal_address%", inset->address, ret_address },
	};
	while (n > 0) {
		size_t before = 0, skip = 1, i;
		while (before < n && p[before] != '%' && p[before] != 'h') /* what they begin with */
			before++;
		email_add(ret, p, before);
		p += before;
		n -= before;
		if (n == 0)
			return;
		for (i = 0; i < sizeof insets / sizeof *insets; i++) {
			skip = strlen(insets[i].name);
			if (n >= skip && memcmp(p, insets[i].name, skip) == 0)
				break;
		}
		if (i == sizeof insets / sizeof *insets) {
			skip = 1;
			email_add_char(ret, *p);
		} else {
			if (!html)
				email_add_text(ret, insets[i].value);
			else if (insets[i].value == inset->address)
				add_address_html(ret, insets[i].value);
			else
				email_add_html(ret, insets[i].value, strlen(insets[i].value));
			if (insets[i].found)
				*insets[i].found = 1;
		}
		p += skip;
		n -= skip;
	}
}

/* Where the address has one line, a template may have it written out. */
static int has_address(const struct email_inset *inset, struct fw_plugin_text body)
{
	return memmem(body.p, body.n, inset->address, strlen(inset->address)) != NULL;
}

int email_body_text(const struct email_inset *inset, struct fw_plugin_text text, struct email_text *ret)
{
	int address = has_address(inset, text), link = 0;
	add_replaced(inset, text.p, text.n, 0, &address, &link, ret);
	if (inset->required)
		add_footer(inset, 0, !address, !link, ret);
	return 0;
}

/* HTML. */

/* The character that a reference stands for, when it is one that occurs in addresses; its length in *ret_skip. 0: it is none. */
static char referred(const char *p, size_t n, size_t *ret_skip)
{
	static const struct { const char *name; char c; } names[] = { { "&amp;", '&' }, { "&quot;", '"' }, { "&apos;", '\'' },
		{ "&lt;", '<' }, { "&gt;", '>' } };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (n >= strlen(names[i].name) && memcmp(p, names[i].name, strlen(names[i].name)) == 0) {
			*ret_skip = strlen(names[i].name);
			return names[i].c;
		}
	if (n < 4 || p[1] != '#')
		return 0;
	int hex = p[2] == 'x' || p[2] == 'X';
	unsigned code = 0;
	size_t at = hex ? 3 : 2;
	for (; at < n && at < 10 && (hex ? isxdigit((unsigned char)p[at]) : isdigit((unsigned char)p[at])); at++)
		code = code * (hex ? 16 : 10) + (unsigned)(isdigit((unsigned char)p[at]) ? p[at] - '0' : (p[at] | 0x20) - 'a' + 10);
	if (at == n || p[at] != ';' || code <= 0x20 || code > 0x7e)
		return 0;
	*ret_skip = at + 1;
	return (char)code;
}

/* An attribute's value as the address that a browser would go to; empty: it is not one to count. */
static void read_target(const struct email_inset *inset, const char *p, size_t n, char ret[EMAIL_TARGET_BYTES + 1])
{
	size_t m = 0, own = strlen(inset->url);
	ret[0] = '\0';
	while (n > 0 && isspace((unsigned char)*p))
		p++, n--;
	while (n > 0 && isspace((unsigned char)p[n - 1]))
		n--;
	for (size_t i = 0, skip; i < n; i += skip) {
		char c = p[i];
		skip = 1;
		if (c == '&' && (c = referred(p + i, n - i, &skip)) == 0 && (i + 1 == n || p[i + 1] != '#'))
			c = '&';
		/* White space and control characters in an address: whatever that leads to, it is not ours to say. */
		if ((unsigned char)c <= 0x20 || c == 0x7f || m == EMAIL_TARGET_BYTES) {
			ret[0] = '\0';
			return;
		}
		ret[m++] = c;
	}
	int web = (m > 7 && email_same(ret, "http://", 7)) || (m > 8 && email_same(ret, "https://", 8));
	int ours = m > own + 7 && memcmp(ret, inset->url, own) == 0 && memcmp(ret + own, "/email/", 7) == 0;
	ret[m] = '\0';
	if (!web || ours || strcmp(ret, inset->preferences) == 0)
		ret[0] = '\0';
}

/* The value of a tag's href, between quotes or not. `p` is behind the tag's name, `n` ends before ">". p NULL: none. */
static struct fw_plugin_text href_of(const char *p, size_t n)
{
	const char *end = p + n;
	while (p < end) {
		while (p < end && (isspace((unsigned char)*p) || *p == '/'))
			p++;
		const char *name = p;
		while (p < end && !isspace((unsigned char)*p) && *p != '=' && *p != '/')
			p++;
		size_t length = (size_t)(p - name);
		while (p < end && isspace((unsigned char)*p))
			p++;
		if (p == end || *p != '=') {
			p += length == 0 && p < end;
			continue;
		}
		p++;
		while (p < end && isspace((unsigned char)*p))
			p++;
		char quote = p < end && (*p == '"' || *p == '\'') ? *p++ : 0;
		const char *value = p;
		while (p < end && (quote ? *p != quote : !isspace((unsigned char)*p)))
			p++;
		struct fw_plugin_text found = { value, (size_t)(p - value) };
		p += quote && p < end;
		if (length == 4 && email_same(name, "href", 4))
			return found;
	}
	return (struct fw_plugin_text){ NULL, 0 };
}

/* Where the tag ends that begins at `p`: its ">", not one in quotes; NULL: it has no end. */
static const char *tag_end(const char *p, const char *end)
{
	char quote = 0;
	for (; p < end; p++) {
		if (quote ? *p == quote : *p == '>') {
			if (!quote)
				return p;
			quote = 0;
		} else if (!quote && (*p == '"' || *p == '\'')) {
			quote = *p;
		}
	}
	return NULL;
}

/* The next tag that is a link, from `p` on; comments are passed over. */
static const char *next_link(const char *p, const char *end, struct fw_plugin_text *ret_href)
{
	while (p < end && (p = memchr(p, '<', (size_t)(end - p)))) {
		size_t n = (size_t)(end - p), name = 0;
		if (n >= 4 && memcmp(p, "<!--", 4) == 0) {
			const char *close = memmem(p + 4, n - 4, "-->", 3);
			p = close ? close + 3 : end;
			continue;
		}
		const char *close = tag_end(p, end);
		if (!close)
			return NULL;
		if (n > 3 && email_same(p + 1, "a", 1) && isspace((unsigned char)p[2]))
			name = 2;
		else if (n > 6 && email_same(p + 1, "area", 4) && isspace((unsigned char)p[5]))
			name = 5;
		if (name) {
			*ret_href = href_of(p + name, (size_t)(close - p) - name);
			if (ret_href->p)
				return close;
		}
		p = close + 1;
	}
	return NULL;
}

static int add_link(const struct email_inset *inset, char what, const char *target, const char *after, struct email_text *ret)
{
	const char path[] = { '/', 'e', 'm', 'a', 'i', 'l', '/', what, '/', '\0' };
	email_add_html(ret, inset->url, strlen(inset->url));
	email_add_text(ret, path);
	int rc = email_token_add(inset->host, inset->id, what, inset->at_s, target, ret);
	email_add_text(ret, after);
	return rc;
}

/* Adds the HTML with its links counted. */
static int add_counted(const struct email_inset *inset, const char *p, size_t n, struct email_text *ret)
{
	const char *end = p + n, *close;
	char target[EMAIL_TARGET_BYTES + 1];
	struct fw_plugin_text href;
	for (const char *at = p; (close = next_link(at, end, &href)); at = close) {
		read_target(inset, href.p, href.n, target);
		if (!target[0])
			continue;
		/* A value without quotes cannot end the tag: a token has none of its characters. */
		email_add(ret, p, (size_t)(href.p - p));
		if (add_link(inset, EMAIL_TOKEN_CLICK, target, "", ret) < 0)
			return -1;
		p = href.p + href.n;
	}
	email_add(ret, p, (size_t)(end - p));
	return 0;
}

/* Where what is added to the end of the HTML goes: before the last </body>. */
static size_t body_end(const struct email_text *t)
{
	const char *p;
	for (size_t n = t->n; n > 0 && (p = memrchr(t->p, '<', n)); n = (size_t)(p - t->p))
		if (t->n - (size_t)(p - t->p) > 6 && email_same(p, "</body", 6))
			return (size_t)(p - t->p);
	return t->n;
}

int email_body_html(const struct email_inset *inset, struct fw_plugin_text html, struct email_text *ret)
{
	struct email_text whole = { 0 };
	int address = has_address(inset, html), link = 0, rc = 0;
	add_replaced(inset, html.p, html.n, 1, &address, &link, &whole);
	size_t at = body_end(&whole);
	if (inset->clicks && whole.p)
		rc = add_counted(inset, whole.p, at, ret);
	else
		email_add(ret, whole.p, at);
	if (inset->required)
		add_footer(inset, 1, !address, !link, ret);
	if (inset->opens && rc == 0) {
		email_add_text(ret, "<img src=\"");
		rc = add_link(inset, EMAIL_TOKEN_OPEN, NULL, ".gif\" width=\"1\" height=\"1\" alt=\"\">\n", ret);
	}
	if (whole.p)
		email_add(ret, whole.p + at, whole.n - at);
	ret->failed |= whole.failed;
	email_text_free(&whole);
	return rc < 0 ? -1 : 0;
}
