#include <stdio.h>
#include <string.h>

#include "message/template_html.h"
#include "message/template_own.h"

enum { DELIMITER_BYTES = 16, INDENT_BYTES = 64 };

struct open_section {
	uint32_t piece;
	struct fw_html place;
};

struct parser {
	struct fw_arena *arena;
	struct fw_template *t;
	struct fw_error *err;
	struct fw_piece *pieces;
	uint32_t n, size;
	const char *begin, *p, *end;
	const char *counted; /* lines are counted up to here */
	int line;
	struct fw_str open, close;
	char delimiters[2][DELIMITER_BYTES];
	bool line_begins;    /* of a partial: an indentation is due before what comes next */
	struct fw_html place;
	struct open_section sections[FW_LIMIT_TEMPLATE_DEPTH];
	uint32_t depth;
};

/* A tag as it was found: from the first byte of its opening to behind its closing delimiter. */
struct tag {
	const char *at, *behind;
	char sigil;          /* 0: a variable */
	struct fw_str text;  /* between, trimmed */
	bool alone;          /* on its line, which is then no output */
	struct fw_str space; /* before it on that line */
	int line;
};

static int line_at(struct parser *ps, const char *p)
{
	for (; ps->counted < p; ps->counted++)
		ps->line += *ps->counted == '\n';
	return ps->line;
}

static int fail(struct parser *ps, int line, const char *hint, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static int fail(struct parser *ps, int line, const char *hint, const char *fmt, ...)
{
	char message[sizeof ps->err->message];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	fw_fail(ps->err, FW_EINVAL, ps->t->file, line, "%s", message);
	if (hint)
		fw_hint(ps->err, "%s", hint);
	return FW_EINVAL;
}

static int no_memory(struct parser *ps)
{
	return fw_fail(ps->err, FW_ENOMEM, ps->t->file, 0, "out of memory");
}

static struct fw_piece *add(struct parser *ps, enum fw_piece_kind kind, int line)
{
	if (ps->n == ps->size) {
		uint32_t size = ps->size ? ps->size * 2 : 8;
		struct fw_piece *more = FW_NEW_ARRAY(ps->arena, size, struct fw_piece);
		if (!more)
			return NULL;
		if (ps->n)
			memcpy(more, ps->pieces, ps->n * sizeof *more);
		ps->pieces = more;
		ps->size = size;
	}
	struct fw_piece *piece = &ps->pieces[ps->n++];
	*piece = (struct fw_piece){ .kind = kind, .line = line };
	return piece;
}

/* Something of this line is about to be written. */
static int begin_line(struct parser *ps)
{
	if (!ps->line_begins)
		return 0;
	ps->line_begins = false;
	return add(ps, FW_PIECE_INDENT, 0) ? 0 : FW_ENOMEM;
}

static int add_run(struct parser *ps, const char *p, size_t n)
{
	if (n == 0)
		return 0;
	struct fw_piece *piece = begin_line(ps) < 0 ? NULL : add(ps, FW_PIECE_TEXT, 0);
	if (!piece)
		return FW_ENOMEM;
	piece->text = (struct fw_str){ p, n };
	piece->write = ps->t->form == FW_TEMPLATE_HEADER ? FW_WRITE_HEADER : FW_WRITE_PLAIN;
	return 0;
}

/* A partial's lines are pieces of their own. */
static int add_lines(struct parser *ps, const char *p, size_t n)
{
	while (n > 0) {
		const char *newline = ps->t->partial ? memchr(p, '\n', n) : NULL;
		size_t length = newline ? (size_t)(newline - p) + 1 : n;
		if (add_run(ps, p, length) < 0)
			return FW_ENOMEM;
		ps->line_begins = newline != NULL;
		p += length;
		n -= length;
	}
	return 0;
}

static int add_text(struct parser *ps, const char *p, size_t n)
{
	if (ps->t->form != FW_TEMPLATE_HTML)
		return add_lines(ps, p, n) < 0 ? no_memory(ps) : 0;
	while (n > 0) {
		size_t length = fw_html_read(&ps->place, p, n);
		bool address = ps->place.mode == FW_HTML_VALUE && ps->place.value == FW_HTML_URL && p[length - 1] == ps->place.quote;
		if (add_lines(ps, p, length) < 0 || (address && !add(ps, FW_PIECE_ADDRESS, 0)))
			return no_memory(ps);
		p += length;
		n -= length;
	}
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A tag that only tells what to do and has its line for itself takes the line with it. */
static void look_around(const struct parser *ps, struct tag *tag)
{
	const char *before = tag->at, *behind = tag->behind;
	while (before > ps->begin && is_blank(before[-1]))
		before--;
	tag->space = (struct fw_str){ before, (size_t)(tag->at - before) };
	if (!tag->sigil || !strchr("#^/>!=", tag->sigil) || (before > ps->begin && before[-1] != '\n'))
		return;
	while (behind < ps->end && is_blank(*behind))
		behind++;
	if (behind < ps->end && *behind == '\r' && behind + 1 < ps->end && behind[1] == '\n')
		behind++;
	if (behind < ps->end && *behind != '\n')
		return;
	tag->alone = true;
	tag->behind = behind < ps->end ? behind + 1 : behind;
}

/* Reads the tag whose opening delimiter stands at `at`. */
static int read_tag(struct parser *ps, const char *at, struct tag *tag)
{
	const char *p = at + ps->open.n;
	char close[DELIMITER_BYTES + 2];
	size_t n = 0;
	*tag = (struct tag){ .at = at, .line = line_at(ps, at) };
	while (p < ps->end && (is_blank(*p) || *p == '\n' || *p == '\r'))
		p++;
	if (p < ps->end && strchr("#^/>!={&<$", *p) && *p)
		tag->sigil = *p++;
	if (tag->sigil == '{' || tag->sigil == '=')
		close[n++] = tag->sigil == '{' ? '}' : '=';
	memcpy(close + n, ps->close.p, ps->close.n);
	n += ps->close.n;
	const char *end = memmem(p, (size_t)(ps->end - p), close, n);
	if (!end) {
		char hint[80];
		snprintf(hint, sizeof hint, "write %.*s where it ends", (int)n, close);
		return fail(ps, tag->line, hint, "a tag begins here that is never closed");
	}
	tag->text = fw_str_trim((struct fw_str){ p, (size_t)(end - p) });
	tag->behind = end + n;
	look_around(ps, tag);
	return 0;
}

static int refuse_name(struct parser *ps, const struct tag *tag, struct fw_str name)
{
	static const char *const words[] = { "if", "each", "unless", "with" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t n = strlen(words[i]);
		if (name.n > n && memcmp(name.p, words[i], n) == 0 && is_blank(name.p[n]))
			return fail(ps, tag->line, "a section needs no word: {{#cart.items}} … {{/cart.items}}, and {{^cart.items}} where "
				"there is none",
				"there is no \"%s\" in templates", words[i]);
	}
	if (name.n == 0)
		return fail(ps, tag->line, "{{traits.first_name}} writes a value", "a tag without a name");
	return fail(ps, tag->line, "names are words with points between: {{traits.first_name}}", "\"%.*s\" is no name",
		(int)(name.n < 60 ? name.n : 60), name.p);
}

/* "a.b" into its parts; "." has none. */
static int read_name(struct parser *ps, const struct tag *tag, struct fw_str name, struct fw_piece *piece)
{
	uint32_t n = 1;
	bool bad = name.n == 0 || name.n > FW_LIMIT_ID_BYTES;
	for (size_t i = 0; i < name.n; i++) {
		n += name.p[i] == '.';
		bad |= (unsigned char)name.p[i] <= ' ' || name.p[i] == '{' || name.p[i] == '}';
		bad |= name.n > 1 && name.p[i] == '.' && (i == 0 || i + 1 == name.n || name.p[i + 1] == '.');
	}
	if (bad)
		return refuse_name(ps, tag, name);
	piece->name = name;
	if (fw_str_is(name, "."))
		return 0;
	struct fw_str *parts = FW_NEW_ARRAY(ps->arena, n, struct fw_str);
	if (!parts)
		return no_memory(ps);
	piece->parts = parts;
	piece->n_parts = n;
	const char *p = name.p, *end = name.p + name.n;
	for (uint32_t i = 0; i < n; i++) {
		const char *point = memchr(p, '.', (size_t)(end - p));
		parts[i] = (struct fw_str){ p, (size_t)((point ? point : end) - p) };
		p = point ? point + 1 : end;
	}
	return 0;
}

/* How a variable is written where the HTML stands. */
static int find_place(struct parser *ps, const struct tag *tag, bool unescaped, enum fw_write *ret)
{
	fw_html_interrupt(&ps->place);
	const struct fw_html *h = &ps->place;
	const char *place = fw_html_place(h);
	enum fw_write write = FW_WRITE_HTML;
	switch (h->mode) {
	case FW_HTML_TEXT:
		*ret = unescaped ? FW_WRITE_PLAIN : FW_WRITE_HTML;
		return 0;
	case FW_HTML_COMMENT:
		*ret = FW_WRITE_NOTHING;
		return 0;
	case FW_HTML_BEFORE_VALUE: case FW_HTML_BARE_VALUE:
		return fail(ps, tag->line, "put quotes around the value", "a variable stands %s", place);
	case FW_HTML_VALUE: case FW_HTML_RAW:
		if (h->value == FW_HTML_CODE)
			return fail(ps, tag->line, "take it out: no mail program runs it", "a variable stands in a script");
		if (h->value == FW_HTML_URL)
			write = FW_WRITE_ADDRESS;
		else if (h->value == FW_HTML_CSS)
			write = FW_WRITE_CSS;
		break;
	default:
		return fail(ps, tag->line, "variables stand in text and in quoted values of attributes; \"<\" in text is written &lt;",
			"a variable stands %s", place);
	}
	if (unescaped)
		return fail(ps, tag->line, "write it with two braces: it is made fit for its place",
			"an unescaped variable stands %s", place);
	*ret = write;
	return 0;
}

/* A variable behind "url(" would lose what addresses are made of. */
static bool in_css_address(const struct parser *ps, const char *at)
{
	const char *p = at;
	while (p > ps->begin && (p[-1] == '\'' || p[-1] == '"' || is_blank(p[-1])))
		p--;
	return p - ps->begin >= 4 && fw_str_equal_fold((struct fw_str){ p - 4, 4 }, FW_STR("url("));
}

static int add_variable(struct parser *ps, const struct tag *tag)
{
	bool unescaped = tag->sigil == '{' || tag->sigil == '&';
	enum fw_write write = ps->t->form == FW_TEMPLATE_HEADER ? FW_WRITE_HEADER : FW_WRITE_PLAIN;
	if (ps->t->form == FW_TEMPLATE_HTML && find_place(ps, tag, unescaped, &write) < 0)
		return FW_EINVAL;
	if (write == FW_WRITE_CSS && in_css_address(ps, tag->at))
		return fail(ps, tag->line, "use <img src=\"…\"> or the attribute background", "a variable stands in an address in a style");
	struct fw_piece *piece = add(ps, FW_PIECE_VARIABLE, tag->line);
	if (!piece)
		return no_memory(ps);
	struct fw_str name = tag->text;
	const char *bar = name.n ? memchr(name.p, '|', name.n) : NULL;
	piece->write = write;
	if (bar) {
		piece->has_fallback = true;
		piece->text = fw_str_trim((struct fw_str){ bar + 1, (size_t)(name.p + name.n - bar - 1) });
		name = fw_str_trim((struct fw_str){ name.p, (size_t)(bar - name.p) });
	}
	return read_name(ps, tag, name, piece);
}

/* A tag that writes nothing itself ends a name of HTML that is being read. */
static int check_structure(struct parser *ps, const struct tag *tag)
{
	if (ps->t->form != FW_TEMPLATE_HTML)
		return 0;
	fw_html_interrupt(&ps->place);
	if (ps->place.mode == FW_HTML_BEFORE_VALUE || ps->place.mode == FW_HTML_BARE_VALUE)
		return fail(ps, tag->line, "put quotes around the value", "a section stands in a value without quotes");
	return 0;
}

static int open_section(struct parser *ps, const struct tag *tag)
{
	if (ps->depth == FW_LIMIT_TEMPLATE_DEPTH)
		return fail(ps, tag->line, NULL, "sections are nested more than %d deep", FW_LIMIT_TEMPLATE_DEPTH);
	if (check_structure(ps, tag) < 0)
		return FW_EINVAL;
	struct fw_piece *piece = add(ps, tag->sigil == '#' ? FW_PIECE_SECTION : FW_PIECE_INVERTED, tag->line);
	if (!piece)
		return no_memory(ps);
	ps->sections[ps->depth++] = (struct open_section){ ps->n - 1, ps->place };
	if (tag->text.n && memchr(tag->text.p, '|', tag->text.n))
		return fail(ps, tag->line, "only variables have one: {{name|fallback}}", "a section has no fallback");
	return read_name(ps, tag, tag->text, piece);
}

static int close_section(struct parser *ps, const struct tag *tag)
{
	struct fw_str name = tag->text;
	int shown = (int)(name.n < 60 ? name.n : 60);
	if (ps->depth == 0)
		return fail(ps, tag->line, "a section begins with {{#name}} or {{^name}}", "{{/%.*s}} closes what was never opened",
			shown, name.p);
	const struct open_section *s = &ps->sections[--ps->depth];
	struct fw_piece *piece = &ps->pieces[s->piece];
	if (!fw_str_equal(name, piece->name)) {
		char hint[120];
		snprintf(hint, sizeof hint, "{{/%.*s}} has to come first", (int)(piece->name.n < 60 ? piece->name.n : 60), piece->name.p);
		return fail(ps, tag->line, hint, "{{/%.*s}} stands in the section of line %d", shown, name.p, piece->line);
	}
	piece->end = ps->n;
	if (check_structure(ps, tag) < 0)
		return FW_EINVAL;
	if (ps->t->form == FW_TEMPLATE_HTML && !fw_html_same(&ps->place, &s->place)) {
		char place[40];
		snprintf(place, sizeof place, "%s", fw_html_place(&s->place));
		return fail(ps, tag->line, "begin and end a section in the same tag, or outside of tags",
			"the section of line %d begins %s and ends %s", piece->line, place, fw_html_place(&ps->place));
	}
	return 0;
}

static int add_partial(struct parser *ps, const struct tag *tag)
{
	if (ps->t->form == FW_TEMPLATE_HTML && ps->place.mode != FW_HTML_TEXT)
		return fail(ps, tag->line, "it can stand where text can", "a partial is included %s", fw_html_place(&ps->place));
	if (tag->text.n && tag->text.p[0] == '*')
		return fail(ps, tag->line, "choose with sections: {{#a}}{{> a}}{{/a}}", "a partial's name is written out, not looked up");
	struct fw_piece *piece = add(ps, FW_PIECE_PARTIAL, tag->line);
	if (!piece)
		return no_memory(ps);
	if (tag->alone && tag->space.n > INDENT_BYTES)
		return fail(ps, tag->line, NULL, "a partial is indented by more than %d", INDENT_BYTES);
	piece->text = tag->alone ? tag->space : (struct fw_str){ NULL, 0 };
	if (!ps->t->in_set)
		return fail(ps, tag->line, "put it into a file of templates/", "only template files include partials");
	return read_name(ps, tag, tag->text, piece);
}

/* {{=<% %>=}} */
static int set_delimiters(struct parser *ps, const struct tag *tag)
{
	struct fw_str s = tag->text, parts[2] = { { NULL, 0 }, { NULL, 0 } };
	size_t at = 0;
	while (at < s.n && (unsigned char)s.p[at] > ' ')
		at++;
	parts[0] = (struct fw_str){ s.p, at };
	parts[1] = fw_str_trim((struct fw_str){ s.p + at, s.n - at });
	for (int i = 0; i < 2; i++) {
		bool bad = parts[i].n == 0 || parts[i].n > DELIMITER_BYTES;
		for (size_t k = 0; k < parts[i].n; k++)
			bad |= (unsigned char)parts[i].p[k] <= ' ' || parts[i].p[k] == '=';
		if (bad)
			return fail(ps, tag->line, "write two marks with a space between, such as {{=<% %>=}}", "these are no delimiters");
	}
	for (int i = 0; i < 2; i++)
		memcpy(ps->delimiters[i], parts[i].p, parts[i].n);
	ps->open = (struct fw_str){ ps->delimiters[0], parts[0].n };
	ps->close = (struct fw_str){ ps->delimiters[1], parts[1].n };
	return 0;
}

static int take(struct parser *ps, const struct tag *tag)
{
	if (!tag->alone && tag->sigil != '!' && tag->sigil != '=' && begin_line(ps) < 0)
		return no_memory(ps);
	switch (tag->sigil) {
	case '!': return 0;
	case '=': return set_delimiters(ps, tag);
	case '#': case '^': return open_section(ps, tag);
	case '/': return close_section(ps, tag);
	case '>': return add_partial(ps, tag);
	case '<': case '$': return fail(ps, tag->line, "use partials: {{> name}}", "parents and blocks are not part of these templates");
	default: return add_variable(ps, tag);
	}
}

static int parse(struct parser *ps)
{
	while (ps->p < ps->end) {
		const char *at = memmem(ps->p, (size_t)(ps->end - ps->p), ps->open.p, ps->open.n);
		struct tag tag;
		if (!at)
			return add_text(ps, ps->p, (size_t)(ps->end - ps->p));
		int ret = read_tag(ps, at, &tag);
		const char *until = ret == 0 && tag.alone ? tag.space.p : at;
		if (ret == 0)
			ret = add_text(ps, ps->p, (size_t)(until - ps->p));
		if (ret == 0)
			ret = take(ps, &tag);
		if (ret < 0)
			return ret;
		ps->p = tag.behind;
	}
	return 0;
}

static int check_end(struct parser *ps)
{
	if (ps->depth) {
		const struct fw_piece *piece = &ps->pieces[ps->sections[ps->depth - 1].piece];
		int shown = (int)(piece->name.n < 60 ? piece->name.n : 60);
		char hint[120];
		snprintf(hint, sizeof hint, "write {{/%.*s}} where it ends", shown, piece->name.p);
		return fail(ps, piece->line, hint, "the section \"%.*s\" is never closed", shown, piece->name.p);
	}
	if (ps->t->form == FW_TEMPLATE_HTML && ps->place.mode != FW_HTML_TEXT)
		return fail(ps, line_at(ps, ps->end), "is a \">\", a quotation mark or \"-->\" missing?", "the template ends %s",
			fw_html_place(&ps->place));
	return 0;
}

int fw_template_parse_text(struct fw_arena *arena, struct fw_template *t, struct fw_str text, struct fw_error *err)
{
	struct parser ps = { .arena = arena, .t = t, .err = err, .line = 1, .open = FW_STR("{{"), .close = FW_STR("}}") };
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		text = (struct fw_str){ text.p + 3, text.n - 3 };
	ps.begin = ps.p = ps.counted = text.n ? text.p : "";
	ps.end = ps.begin + text.n;
	ps.line_begins = t->partial;
	if (!fw_utf8_valid(text))
		return fail(&ps, 0, "save it as UTF-8", "the template is not UTF-8");
	int ret = parse(&ps);
	if (ret == 0)
		ret = check_end(&ps);
	t->pieces = ps.pieces;
	t->n_pieces = ps.n;
	return ret;
}

int fw_template_parse(struct fw_arena *arena, const char *name, struct fw_str text, enum fw_template_form form,
	struct fw_template **ret, struct fw_error *err)
{
	struct fw_template *t = FW_NEW(arena, struct fw_template);
	if (!t)
		return fw_fail(err, FW_ENOMEM, name, 0, "out of memory");
	t->name = fw_str(name);
	t->file = name;
	t->form = form;
	int code = fw_template_parse_text(arena, t, text, err);
	if (code == 0)
		code = fw_template_list_names(arena, t, 1, err);
	if (code == 0)
		*ret = t;
	return code;
}
