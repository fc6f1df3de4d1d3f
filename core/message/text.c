#include "message/text.h"

#include <stdlib.h>

#include "base/error.h"
#include "message/text_entities.h"
#include "message/text_flow.h"

/* What an element does to the lines. */
enum effect { NOTHING, LINE, PARAGRAPH, CELL, ITEM, ORDERED, UNORDERED, QUOTE, HEADING, BREAK, RULE, LINK, PICTURE, AS_IT_IS, HIDDEN, RAW };

struct element {
	const char *name;
	enum effect effect;
};

static const struct element elements[] = {
	{ "a", LINK }, { "address", LINE }, { "article", LINE }, { "aside", LINE }, { "audio", HIDDEN }, { "blockquote", QUOTE },
	{ "body", LINE }, { "br", BREAK }, { "canvas", HIDDEN }, { "caption", LINE }, { "center", LINE }, { "dd", LINE }, { "div", LINE },
	{ "dl", PARAGRAPH }, { "dt", LINE }, { "fieldset", PARAGRAPH }, { "figcaption", LINE }, { "figure", PARAGRAPH }, { "footer", LINE },
	{ "form", PARAGRAPH }, { "h1", HEADING }, { "h2", HEADING }, { "h3", PARAGRAPH }, { "h4", PARAGRAPH }, { "h5", PARAGRAPH },
	{ "h6", PARAGRAPH }, { "head", HIDDEN }, { "header", LINE }, { "hr", RULE }, { "iframe", RAW }, { "img", PICTURE }, { "li", ITEM },
	{ "main", LINE }, { "math", HIDDEN }, { "nav", LINE }, { "object", HIDDEN }, { "ol", ORDERED }, { "option", LINE }, { "p",
		PARAGRAPH },
	{ "pre", AS_IT_IS }, { "script", RAW }, { "section", LINE }, { "style", RAW }, { "svg", HIDDEN }, { "table", PARAGRAPH },
	{ "td", CELL }, { "template", HIDDEN }, { "textarea", RAW }, { "th", CELL }, { "title", RAW }, { "tr", LINE }, { "ul", UNORDERED },
	{ "video", HIDDEN },
};

static const char *const empty_elements[] = { "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param",
	"source", "track", "wbr", NULL };

enum { NAME_BYTES = 16, ADDRESS_BYTES = 8192 };

struct tag {
	char name[NAME_BYTES]; /* folded; longer ones are cut off, and are none that we know */
	bool closing, closed;  /* "</a>", "<a/>" */
	bool hidden;
	struct fw_str href, alt, start;
};

struct reader {
	struct fw_flow flow;
	const char *p, *end;
	bool as_it_is;       /* in <pre> */
	bool in_link;
	struct fw_str href; /* of the link */
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_letter(char c)
{
	c = fw_fold_char(c);
	return c >= 'a' && c <= 'z';
}

static int compare_element(const void *x, const void *y)
{
	return strcmp(x, ((const struct element *)y)->name);
}

static enum effect effect_of(const char *name)
{
	const struct element *e = bsearch(name, elements, sizeof elements / sizeof *elements, sizeof *elements, compare_element);
	return e ? e->effect : NOTHING;
}

static bool is_empty(const char *name)
{
	for (const char *const *e = empty_elements; *e; e++)
		if (strcmp(name, *e) == 0)
			return true;
	return false;
}

/* "display: none", however it is spaced. */
static bool hides(struct fw_str style)
{
	static const char wanted[] = "display:none";
	size_t matched = 0;
	for (size_t i = 0; i < style.n && wanted[matched]; i++) {
		char c = fw_fold_char(style.p[i]);
		if (!is_space(c))
			matched = c == wanted[matched] ? matched + 1 : c == wanted[0];
	}
	return wanted[matched] == '\0';
}

static void take_attribute(struct tag *tag, struct fw_str name, struct fw_str value)
{
	if (fw_str_equal_fold(name, FW_STR("href")))
		tag->href = value;
	else if (fw_str_equal_fold(name, FW_STR("alt")))
		tag->alt = value;
	else if (fw_str_equal_fold(name, FW_STR("start")))
		tag->start = value;
	else if (fw_str_equal_fold(name, FW_STR("hidden")))
		tag->hidden = true;
	else if (fw_str_equal_fold(name, FW_STR("style")) && hides(value))
		tag->hidden = true;
}

static void skip_spaces(struct reader *r)
{
	while (r->p < r->end && is_space(*r->p))
		r->p++;
}

static struct fw_str read_value(struct reader *r)
{
	skip_spaces(r);
	if (r->p == r->end)
		return (struct fw_str){ r->p, 0 };
	char quote = *r->p == '"' || *r->p == '\'' ? *r->p : 0;
	const char *begin = r->p + (quote != 0), *p = begin;
	while (p < r->end && (quote ? *p != quote : !is_space(*p) && *p != '>'))
		p++;
	r->p = p < r->end && quote ? p + 1 : p;
	return (struct fw_str){ begin, (size_t)(p - begin) };
}

/* The tag at p, which begins with "<" and a letter or "</" and a letter. */
static void read_tag(struct reader *r, struct tag *tag)
{
	size_t n = 0;
	*tag = (struct tag){ .closing = r->p[1] == '/' };
	for (r->p += tag->closing ? 2 : 1; r->p < r->end && !is_space(*r->p) && *r->p != '>' && *r->p != '/'; r->p++)
		if (n < sizeof tag->name - 1)
			tag->name[n++] = fw_fold_char(*r->p);
	while (r->p < r->end && *r->p != '>') {
		const char *begin = r->p;
		if (is_space(*r->p) || *r->p == '/') {
			tag->closed = *r->p++ == '/';
			continue;
		}
		tag->closed = false;
		for (r->p++; r->p < r->end && !is_space(*r->p) && *r->p != '>' && *r->p != '/' && *r->p != '='; r->p++)
			;
		struct fw_str name = { begin, (size_t)(r->p - begin) };
		skip_spaces(r);
		struct fw_str value = { r->p, 0 };
		if (r->p < r->end && *r->p == '=') {
			r->p++;
			value = read_value(r);
		}
		take_attribute(tag, name, value);
	}
	r->p += r->p < r->end;
}

/* What carries no text: comments, declarations. */
static void skip_markup(struct reader *r)
{
	bool comment = r->end - r->p >= 4 && memcmp(r->p, "<!--", 4) == 0;
	const char *end = comment ? memmem(r->p + 2, (size_t)(r->end - r->p - 2), "-->", 3) : memchr(r->p, '>', (size_t)(r->end - r->p));
	r->p = end ? end + (comment ? 3 : 1) : r->end;
}

/* The content of a script, up to its own end tag. */
static void skip_raw(struct reader *r, const char *name)
{
	size_t n = strlen(name);
	while (r->p < r->end) {
		const char *at = memchr(r->p, '<', (size_t)(r->end - r->p));
		if (!at || (size_t)(r->end - at) < n + 2) {
			r->p = r->end;
			return;
		}
		r->p = at + 1;
		if (at[1] == '/' && fw_str_equal_fold((struct fw_str){ at + 2, n }, (struct fw_str){ name, n })) {
			const char *end = memchr(at, '>', (size_t)(r->end - at));
			r->p = end ? end + 1 : r->end;
			return;
		}
	}
}

static bool at_tag(const struct reader *r)
{
	return r->end - r->p >= 2 && (is_letter(r->p[1]) || (r->p[1] == '/' && r->end - r->p >= 3 && is_letter(r->p[2])));
}

/* All of an element that is not shown. A head ends at the latest where a body begins. */
static void skip_element(struct reader *r, const char *name)
{
	bool head = strcmp(name, "head") == 0;
	for (unsigned depth = 1; depth > 0 && r->p < r->end;) {
		const char *at = memchr(r->p, '<', (size_t)(r->end - r->p));
		struct tag tag;
		r->p = at ? at : r->end;
		if (!at)
			return;
		if (r->end - at >= 2 && (at[1] == '!' || at[1] == '?')) {
			skip_markup(r);
			continue;
		}
		if (!at_tag(r)) {
			r->p++;
			continue;
		}
		read_tag(r, &tag);
		if (head && !tag.closing && strcmp(tag.name, "body") == 0)
			return;
		if (strcmp(tag.name, name) == 0)
			depth = tag.closing ? depth - 1 : depth + !tag.closed;
		else if (!tag.closing && effect_of(tag.name) == RAW)
			skip_raw(r, tag.name);
	}
}

/* Fillers that previews of mail are padded with, and places where words may be broken. */
static bool is_invisible(const char *p, size_t n)
{
	static const char *const characters[] = { "\xc2\xad", "\xcd\x8f", "\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", "\xef\xbb\xbf" };
	for (size_t i = 0; i < sizeof characters / sizeof *characters; i++)
		if (n == strlen(characters[i]) && memcmp(p, characters[i], n) == 0)
			return true;
	return false;
}

static void write_character(struct reader *r, const char *p, size_t n)
{
	if (r->as_it_is && n == 1 && *p == '\n') {
		fw_flow_end_word(&r->flow);
		r->flow.breaks++;
	} else if ((n == 2 && memcmp(p, "\xc2\xa0", 2) == 0) || (r->as_it_is && (*p == ' ' || *p == '\t'))) {
		fw_flow_add(&r->flow, " ", 1, 1); /* no line is broken there */
	} else if (is_space(*p)) {
		fw_flow_space(&r->flow);
	} else if ((unsigned char)*p >= ' ' && *p != 0x7f && !is_invisible(p, n)) {
		fw_flow_add(&r->flow, p, n, 1);
	}
}

/* The next character of a text, which may be written as a name. */
static size_t next_character(struct fw_str s, char *out, size_t *ret_n)
{
	size_t n = *s.p == '&' ? fw_entity_read(s, out, ret_n) : 0;
	if (n > 0)
		return n;
	for (n = 1; n < s.n && n < 4 && (*s.p & 0x80) && (s.p[n] & 0xc0) == 0x80; n++)
		; /* bytes that belong to none do not hide a control character from what looks at the first */
	memcpy(out, s.p, n);
	*ret_n = n;
	return n;
}

/* How many bytes, from here on, are characters of a word and nothing else. */
static size_t plain_run(struct fw_str s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] > ' ' && s.p[n] < 0x7f && s.p[n] != '&')
		n++;
	return n;
}

static void write_text(struct reader *r, struct fw_str s)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		char character[4];
		size_t length = 0;
		n = plain_run((struct fw_str){ s.p + i, s.n - i });
		if (n > 0) {
			fw_flow_add(&r->flow, s.p + i, n, (unsigned)n);
			continue;
		}
		n = next_character((struct fw_str){ s.p + i, s.n - i }, character, &length);
		write_character(r, character, length);
	}
}

/* An address as text, without what it may be wrapped in; false: it leads nowhere for who reads text. */
static bool address_text(struct fw_str href, struct fw_buf *ret)
{
	for (size_t i = 0, n; i < href.n; i += n) {
		char character[4];
		size_t length = 0;
		n = next_character((struct fw_str){ href.p + i, href.n - i }, character, &length);
		if ((unsigned char)*character > ' ' && *character != 0x7f)
			fw_buf_add(ret, character, length);
	}
	static const char *const schemes[] = { "http://", "https://", "mailto:", "tel:" };
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes && !ret->failed; i++) {
		size_t n = strlen(schemes[i]);
		if (ret->n > n && fw_str_equal_fold((struct fw_str){ ret->data, n }, (struct fw_str){ schemes[i], n })) {
			size_t cut = schemes[i][n - 1] == ':' ? n : 0;
			const char *query = cut ? memchr(ret->data, '?', ret->n) : NULL;
			ret->n = query ? (size_t)(query - ret->data) : ret->n;
			memmove(ret->data, ret->data + cut, ret->n - cut);
			ret->n -= cut;
			return ret->n > 0;
		}
	}
	return false;
}

/* "https://shop.example/" is told by "shop.example". */
static bool says_the_same(struct fw_str text, struct fw_str address)
{
	text = fw_str_trim(text);
	const char *colon = memmem(address.p, address.n, "://", 3);
	struct fw_str bare = colon ? (struct fw_str){ colon + 3, address.n - (size_t)(colon + 3 - address.p) } : address;
	if (bare.n && bare.p[bare.n - 1] == '/' && !(text.n && text.p[text.n - 1] == '/'))
		bare.n--, address.n--;
	return fw_str_equal(text, bare) || fw_str_equal(text, address);
}

static void end_link(struct reader *r)
{
	struct fw_flow *f = &r->flow;
	struct fw_buf address;
	if (!r->in_link)
		return;
	r->in_link = false;
	fw_flow_end_word(f);
	fw_buf_init(&address, ADDRESS_BYTES);
	struct fw_str text = fw_flow_since(f, FW_FLOW_LINK);
	if (address_text(r->href, &address) && !says_the_same(text, (struct fw_str){ address.data, address.n })) {
		bool shown = text.n > 0, spaced = f->space;
		if (shown)
			f->space = true;
		fw_flow_word(f, shown ? FW_STR("(") : FW_STR(""));
		fw_flow_word(f, (struct fw_str){ address.data, address.n });
		fw_flow_word(f, shown ? FW_STR(")") : FW_STR(""));
		if (spaced)
			fw_flow_space(f);
	}
	fw_buf_finish(&address);
}

/* A heading of one line is underlined. */
static void end_heading(struct reader *r, const char *name)
{
	struct fw_flow *f = &r->flow;
	fw_flow_end_word(f);
	struct fw_str text = fw_flow_since(f, FW_FLOW_HEADING);
	if (text.n && f->breaks == 0 && f->depth == 0 && !memchr(text.p, '\n', text.n))
		fw_flow_rule(f, name[1] == '1' ? '=' : '-', f->column < FW_TEXT_COLUMNS ? f->column : FW_TEXT_COLUMNS);
	fw_flow_break(f, 2);
}

static void begin_list(struct reader *r, const struct tag *tag, bool ordered)
{
	int first = 0;
	for (size_t i = 0; i < tag->start.n && i < 4 && tag->start.p[i] >= '0' && tag->start.p[i] <= '9'; i++)
		first = first * 10 + (tag->start.p[i] - '0');
	fw_flow_break(&r->flow, r->flow.depth ? 1 : 2);
	fw_flow_open(&r->flow, false, ordered, first > 0 ? first : 1);
}

static void begin(struct reader *r, const struct tag *tag, enum effect effect)
{
	struct fw_flow *f = &r->flow;
	switch (effect) {
	case LINE: fw_flow_break(f, 1); break;
	case PARAGRAPH: fw_flow_break(f, 2); break;
	case CELL: fw_flow_space(f); break;
	case ITEM: fw_flow_item(f); break;
	case ORDERED: case UNORDERED: begin_list(r, tag, effect == ORDERED); break;
	case QUOTE:
		fw_flow_break(f, 2);
		fw_flow_open(f, true, false, 1);
		break;
	case HEADING:
		fw_flow_break(f, 2);
		fw_flow_begin(f, FW_FLOW_HEADING);
		break;
	case BREAK:
		fw_flow_break(f, f->breaks < 2 ? f->breaks + 1 : f->breaks);
		break;
	case RULE: fw_flow_rule(f, '-', FW_TEXT_COLUMNS / 2); break;
	case LINK:
		end_link(r);
		r->in_link = tag->href.n > 0;
		r->href = tag->href;
		fw_flow_begin(f, FW_FLOW_LINK);
		break;
	case PICTURE: write_text(r, tag->alt); break;
	case AS_IT_IS:
		fw_flow_break(f, 2);
		r->as_it_is = true;
		f->wraps = false;
		break;
	case NOTHING: case HIDDEN: case RAW: break;
	}
}

static void end(struct reader *r, const struct tag *tag, enum effect effect)
{
	struct fw_flow *f = &r->flow;
	switch (effect) {
	case LINE: case ITEM: fw_flow_break(f, 1); break;
	case PARAGRAPH: fw_flow_break(f, 2); break;
	case CELL: fw_flow_space(f); break;
	case ORDERED: case UNORDERED: case QUOTE:
		fw_flow_end_word(f);
		fw_flow_close(f, effect == QUOTE);
		fw_flow_break(f, f->depth && effect != QUOTE ? 1 : 2);
		break;
	case HEADING: end_heading(r, tag->name); break;
	case LINK: end_link(r); break;
	case AS_IT_IS:
		fw_flow_break(f, 2);
		r->as_it_is = false;
		f->wraps = true;
		break;
	case NOTHING: case BREAK: case RULE: case PICTURE: case HIDDEN: case RAW: break;
	}
}

static void take_tag(struct reader *r)
{
	struct tag tag;
	read_tag(r, &tag);
	enum effect effect = effect_of(tag.name);
	if (tag.closing)
		end(r, &tag, effect);
	else if (effect == RAW)
		skip_raw(r, tag.name);
	else if ((effect == HIDDEN || tag.hidden) && !is_empty(tag.name))
		skip_element(r, tag.name);
	else if (!tag.hidden)
		begin(r, &tag, effect);
}

int fw_text_from_html(struct fw_str html, struct fw_buf *out)
{
	struct reader r = { .p = html.p, .end = html.p + html.n };
	size_t begin = out->n;
	fw_flow_init(&r.flow, out);
	while (r.p < r.end && r.flow.ret == 0) {
		const char *at = memchr(r.p, '<', (size_t)(r.end - r.p)), *until = at ? at : r.end;
		write_text(&r, (struct fw_str){ r.p, (size_t)(until - r.p) });
		r.p = until;
		if (!at)
			break;
		if (r.end - at >= 2 && (at[1] == '!' || at[1] == '?')) {
			skip_markup(&r);
		} else if (at_tag(&r)) {
			take_tag(&r);
		} else {
			write_character(&r, at, 1);
			r.p++;
		}
	}
	end_link(&r);
	fw_flow_end_word(&r.flow);
	if (out->n > begin && r.flow.ret == 0)
		fw_buf_putc(out, '\n');
	int ret = out->failed ? FW_ENOMEM : r.flow.ret;
	if (ret < 0)
		out->n = begin;
	return ret;
}
