#include "rules/scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/map.h"

enum token_kind { END, NAME, KEYWORD, STRING, NUMBER, PUNCTUATION };

struct token {
	enum token_kind kind;
	struct fw_str text; /* of a string: its content when it has no escapes */
	int line, end_line;
};

struct entry {
	struct fw_str key;  /* or none: positional, numbered */
	int number;
	int line;
	struct table *value; /* the first table constructor in its expression, or NULL */
	struct entry *next;
};

struct table {
	struct entry *first, *last;
	int positional;
	uint32_t entries;
	struct fw_map by_name; /* of large tables: the number of each named entry in `named` */
	struct entry **named;
	uint32_t n_named, named_size;
};

struct declaration {
	struct fw_str id;
	int line;
	struct table *table;
	struct declaration *next;
};

struct fw_scan {
	struct declaration *declarations;
};

struct scanner {
	struct fw_arena *arena;
	const char *name, *p;
	int line;
	struct token now, before, earlier; /* `before` is the one read last */
	struct fw_scan *scan;
	struct fw_error *err;
	int depth;
};

static bool is_name_char(char c, bool first)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

static bool is_keyword(struct fw_str s)
{
	static const char *const words[] = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto",
		"if", "in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (fw_str_is(s, words[i]))
			return true;
	return false;
}

/* The level of a long bracket that opens at p ("[[" is 0, "[=[" 1), or -1. */
static int long_level(const char *p)
{
	int level = 0;
	if (*p++ != '[')
		return -1;
	while (*p == '=')
		p++, level++;
	return *p == '[' ? level : -1;
}

static struct fw_str skip_long(struct scanner *s, int level)
{
	const char *begin = s->p + level + 2;
	for (s->p = begin; *s->p; s->p++) {
		if (*s->p == '\n')
			s->line++;
		if (*s->p != ']')
			continue;
		int n = 0;
		while (s->p[1 + n] == '=')
			n++;
		if (n == level && s->p[1 + n] == ']') {
			struct fw_str content = { begin, (size_t)(s->p - begin) };
			s->p += level + 2;
			return content;
		}
	}
	return (struct fw_str){ begin, (size_t)(s->p - begin) };
}

static void skip_space(struct scanner *s)
{
	for (;;) {
		if (*s->p == '\n') {
			s->line++;
			s->p++;
		} else if (*s->p == ' ' || *s->p == '\t' || *s->p == '\r') {
			s->p++;
		} else if (s->p[0] == '-' && s->p[1] == '-') {
			s->p += 2;
			int level = long_level(s->p);
			if (level >= 0)
				skip_long(s, level);
			else
				while (*s->p && *s->p != '\n')
					s->p++;
		} else {
			return;
		}
	}
}

static struct fw_str skip_quoted(struct scanner *s)
{
	char quote = *s->p++;
	const char *begin = s->p;
	while (*s->p && *s->p != quote && *s->p != '\n') {
		if (*s->p == '\\' && s->p[1]) {
			if (s->p[1] == '\n')
				s->line++;
			s->p++;
		}
		s->p++;
	}
	struct fw_str content = { begin, (size_t)(s->p - begin) };
	if (*s->p == quote)
		s->p++;
	return content;
}

static bool is_curly_quote(const char *p)
{
	return (unsigned char)p[0] == 0xe2 && (unsigned char)p[1] == 0x80 && (unsigned char)p[2] >= 0x98 && (unsigned char)p[2] <= 0x9f;
}

/* Reads the next token into s->now. */
static int advance(struct scanner *s)
{
	s->earlier = s->before;
	s->before = s->now;
	skip_space(s);
	s->now = (struct token){ .kind = END, .line = s->line, .end_line = s->line };
	char c = *s->p;
	const char *begin = s->p;
	if (!c)
		return 0;
	if (is_curly_quote(s->p)) {
		fw_fail(s->err, FW_EINVAL, s->name, s->line, "curly quotes (%.3s) are not quotes in Lua", s->p);
		fw_hint(s->err, "write them straight: \"");
		return FW_EINVAL;
	}
	int level = long_level(s->p);
	if (is_name_char(c, true)) {
		while (is_name_char(*s->p, false))
			s->p++;
		s->now.text = (struct fw_str){ begin, (size_t)(s->p - begin) };
		s->now.kind = is_keyword(s->now.text) ? KEYWORD : NAME;
	} else if ((c >= '0' && c <= '9') || (c == '.' && s->p[1] >= '0' && s->p[1] <= '9')) {
		while (is_name_char(*s->p, false) || *s->p == '.' || ((*s->p == '+' || *s->p == '-') && strchr("eEpP", s->p[-1])))
			s->p++;
		s->now.kind = NUMBER;
		s->now.text = (struct fw_str){ begin, (size_t)(s->p - begin) };
	} else if (c == '"' || c == '\'') {
		s->now.kind = STRING;
		s->now.text = skip_quoted(s);
	} else if (level >= 0) {
		s->now.kind = STRING;
		s->now.text = skip_long(s, level);
	} else {
		static const char *const longer[] = { "...", "..", "==", "~=", "<=", ">=", "//", "<<", ">>", "::" };
		size_t n = 1;
		for (size_t i = 0; i < sizeof longer / sizeof *longer && n == 1; i++)
			if (strncmp(s->p, longer[i], strlen(longer[i])) == 0)
				n = strlen(longer[i]);
		s->p += n;
		s->now.kind = PUNCTUATION;
		s->now.text = (struct fw_str){ begin, n };
	}
	s->now.end_line = s->line;
	return 0;
}

static bool at(const struct scanner *s, const char *text)
{
	return (s->now.kind == PUNCTUATION || s->now.kind == KEYWORD) && fw_str_is(s->now.text, text);
}

static bool ends_expression(const struct token *t)
{
	if (t->kind == NAME || t->kind == STRING || t->kind == NUMBER)
		return true;
	static const char *const enders[] = { "}", ")", "]", "true", "false", "nil", "end", "..." };
	for (size_t i = 0; i < sizeof enders / sizeof *enders; i++)
		if (fw_str_is(t->text, enders[i]))
			return t->kind != END;
	return false;
}

/* A token that can only begin another entry after a complete expression. */
static bool begins_entry(const struct scanner *s)
{
	const struct token *t = &s->now;
	if (!ends_expression(&s->before))
		return false;
	if (t->kind == NAME || t->kind == NUMBER || (t->kind == KEYWORD && (fw_str_is(t->text, "function") || fw_str_is(t->text,
		"true") || fw_str_is(t->text, "false"))))
		return true;
	/* Text is not indexed, unless a call took it: ["name"] begins an entry then. */
	bool argument = s->before.kind == STRING && (s->earlier.kind == NAME || fw_str_is(s->earlier.text, ")") ||
		fw_str_is(s->earlier.text, "]"));
	if (at(s, "[") && !argument && (s->before.kind == STRING || s->before.kind == NUMBER || (s->before.kind == KEYWORD &&
		!fw_str_is(s->before.text, "end"))))
		return true;
	bool callable = s->before.kind == NAME || s->before.kind == STRING || fw_str_is(s->before.text, ")") || fw_str_is(s->before.text,
		"]") || fw_str_is(s->before.text, "}");
	return (t->kind == STRING && !callable) || (t->kind == STRING && s->before.kind == STRING);
}

static int read_table(struct scanner *s, struct table **ret_table);

/* Block words inside an expression: `function … end` and what nests in it. */
static int block_step(const struct scanner *s)
{
	if (at(s, "function") || at(s, "if") || at(s, "do") || at(s, "repeat"))
		return 1;
	return at(s, "end") || at(s, "until") ? -1 : 0;
}

/* `country = "US" or "CA"` is "US" to Lua, whatever comes after. */
static int refuse_choice(struct scanner *s)
{
	bool or = at(s, "or");
	fw_fail(s->err, FW_EINVAL, s->name, s->before.line, "\"%.*s\" %.*s … is always %s", (int)(s->before.text.n < 40 ? s->before.text.n
		: 40), s->before.text.p,
		(int)s->now.text.n, s->now.text.p, or ? "the first value" : "the second value");
	fw_hint(s->err, or ? "for one of several write a list: { \"US\", \"CA\" }" : "for all of several write all_of { \"a\", \"b\" }");
	return FW_EINVAL;
}

/* One entry's expression, up to the comma, semicolon or brace that ends it; the first table in it is remembered. */
static int read_expression(struct scanner *s, struct table **ret_first)
{
	int blocks = 0, brackets = 0, tokens = 0;
	bool constant = s->now.kind == STRING || s->now.kind == NUMBER;
	for (bool fresh = true; s->now.kind != END; fresh = false, tokens++) {
		if (tokens == 1 && constant && (at(s, "or") || at(s, "and")))
			return refuse_choice(s);
		if (blocks == 0 && brackets == 0) {
			if (at(s, ",") || at(s, ";") || at(s, "}"))
				return 0;
			if (!fresh && begins_entry(s)) {
				const char *quote = s->before.kind == STRING ? "\"" : "";
				fw_fail(s->err, FW_EINVAL, s->name, s->before.end_line, "a comma is missing after %s%.*s%s", quote,
					(int)(s->before.text.n < 40 ? s->before.text.n : 40), s->before.text.p, quote);
				fw_hint(s->err, "entries of a table are separated by commas");
				return FW_EINVAL;
			}
		}
		if (at(s, "{")) {
			struct table *t = NULL;
			int r = read_table(s, &t);
			if (r < 0)
				return r;
			if (!*ret_first)
				*ret_first = t;
			continue;
		}
		blocks += block_step(s);
		brackets += (at(s, "(") || at(s, "[")) - (at(s, ")") || at(s, "]"));
		if (blocks < 0 || brackets < 0)
			return 0;
		int r = advance(s);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Tables of more entries have their names in a map, and their positions are not compared. */
enum { LARGE = 64 };

static struct entry *find_entry(const struct table *t, struct fw_str key, int number)
{
	if (key.p && t->n_named > LARGE) {
		uint32_t i = fw_map_get(&t->by_name, key);
		return i == FW_MAP_NONE ? NULL : t->named[i];
	}
	for (uint32_t i = 0; key.p && i < t->n_named; i++)
		if (fw_str_equal(t->named[i]->key, key))
			return t->named[i];
	for (struct entry *e = key.p ? NULL : t->first; e; e = e->next)
		if (!e->key.p && e->number == number)
			return e;
	return NULL;
}

/* The key before "=", if one is written: Name = …, ["text"] = …, [1] = …. Leaves s->now at the value. */
static int read_key(struct scanner *s, struct entry *e)
{
	struct scanner saved = *s;
	int r = 0;
	if (s->now.kind == NAME) {
		e->key = s->now.text;
		if ((r = advance(s)) < 0)
			return r;
		if (at(s, "="))
			return advance(s);
	} else if (at(s, "[")) {
		if ((r = advance(s)) < 0)
			return r;
		struct token key = s->now;
		if ((r = advance(s)) < 0)
			return r;
		bool whole = at(s, "]");
		if (whole && (r = advance(s)) < 0)
			return r;
		bool number = key.kind == NUMBER && strspn(key.text.p, "0123456789") == key.text.n && key.text.n < 9;
		if (whole && at(s, "=") && (key.kind == STRING || number)) {
			if (key.kind == STRING)
				e->key = key.text;
			else
				e->number = atoi(key.text.p);
			return advance(s);
		}
	}
	e->key = (struct fw_str){ 0 };
	struct fw_error *err = s->err;
	*s = saved;
	s->err = err;
	return 0;
}

static int note_name(struct scanner *s, struct table *t, struct entry *e)
{
	if (!e->key.p)
		return 0;
	if (t->n_named == t->named_size) {
		uint32_t size = t->named_size ? t->named_size * 2 : 8;
		struct entry **more = FW_NEW_ARRAY(s->arena, size, struct entry *);
		if (!more)
			return FW_ENOMEM;
		if (t->n_named)
			memcpy(more, t->named, t->n_named * sizeof(struct entry *));
		t->named = more;
		t->named_size = size;
	}
	t->named[t->n_named++] = e;
	if (t->n_named <= LARGE)
		return 0;
	uint32_t first = t->n_named - 1;
	if (t->n_named == LARGE + 1) {
		fw_map_init(&t->by_name, s->arena);
		first = 0;
	}
	for (uint32_t i = first; i < t->n_named; i++)
		if (fw_map_put(&t->by_name, t->named[i]->key, i) < 0)
			return FW_ENOMEM;
	return 0;
}

static int add_entry(struct scanner *s, struct table *t, struct entry *e)
{
	const struct entry *other = e->key.p || t->entries <= LARGE ? find_entry(t, e->key, e->number) : NULL;
	if (other) {
		if (e->key.p)
			fw_fail(s->err, FW_EINVAL, s->name, e->line, "\"%.*s\" stands twice in one table (first on line %d)",
				(int)e->key.n, e->key.p, other->line);
		else
			fw_fail(s->err, FW_EINVAL, s->name, e->line, "[%d] stands twice in one table (first on line %d)", e->number,
				other->line);
		fw_hint(s->err, "Lua would keep only the last one");
		return FW_EINVAL;
	}
	int r = note_name(s, t, e);
	if (r < 0)
		return r;
	t->entries++;
	if (t->last)
		t->last->next = e;
	else
		t->first = e;
	t->last = e;
	return 0;
}

static int read_table(struct scanner *s, struct table **ret_table)
{
	enum { DEEPEST = 200 };
	struct table *t = FW_NEW(s->arena, struct table);
	if (!t || ++s->depth > DEEPEST)
		return t ? fw_fail(s->err, FW_ELIMIT, s->name, s->now.line, "tables are nested more than %d deep", DEEPEST) : FW_ENOMEM;
	int r = advance(s);
	while (r == 0 && s->now.kind != END && !at(s, "}")) {
		struct entry *e = FW_NEW(s->arena, struct entry);
		if (!e)
			return FW_ENOMEM;
		e->line = s->now.line;
		if ((r = read_key(s, e)) < 0)
			return r;
		if (!e->key.p && !e->number)
			e->number = ++t->positional;
		if ((r = read_expression(s, &e->value)) < 0 || (r = add_entry(s, t, e)) < 0) {
			return r;
		}
		if (at(s, ",") || at(s, ";"))
			r = advance(s);
		else if (!at(s, "}"))
			break;
	}
	s->depth--;
	if (r == 0 && at(s, "}"))
		r = advance(s);
	*ret_table = t;
	return r;
}

static bool is_declaration(struct fw_str name)
{
	static const char *const words[] = { "slot", "segment", "rule", "guard", "cap", "test" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (fw_str_is(name, words[i]))
			return true;
	return false;
}

static int read_declaration(struct scanner *s, struct declaration **last)
{
	int line = s->now.line;
	int r = advance(s);
	if (r == 0 && s->now.kind == NAME) {
		fw_fail(s->err, FW_EINVAL, s->name, s->now.line, "the name of a %.*s stands in quotes", (int)s->before.text.n,
			s->before.text.p);
		fw_hint(s->err, "write %.*s \"%.*s\" { … }", (int)s->before.text.n, s->before.text.p, (int)(s->now.text.n < 60
			? s->now.text.n : 60), s->now.text.p);
		return FW_EINVAL;
	}
	if (r == 0 && at(s, "("))
		r = advance(s);
	if (r < 0 || s->now.kind != STRING)
		return r;
	struct fw_str id = s->now.text;
	if ((r = advance(s)) < 0)
		return r;
	while (at(s, ")") || at(s, "("))
		if ((r = advance(s)) < 0)
			return r;
	if (!at(s, "{"))
		return 0;
	struct declaration *d = FW_NEW(s->arena, struct declaration);
	if (!d)
		return FW_ENOMEM;
	d->id = id;
	d->line = line;
	if (*last)
		(*last)->next = d;
	else
		s->scan->declarations = d;
	*last = d;
	return read_table(s, &d->table);
}

/* Not so `x = rule`, `v.slot`, `local test`. */
static bool begins_statement(const struct scanner *s)
{
	static const char *const may_precede[] = { "}", ")", "]", ";", "end", "then", "do", "else", "repeat", "return", "true", "false",
		"nil" };
	const struct token *t = &s->before;
	if (t->kind == STRING || t->kind == NUMBER || !t->text.p)
		return true;
	for (size_t i = 0; i < sizeof may_precede / sizeof *may_precede; i++)
		if (t->kind != NAME && fw_str_is(t->text, may_precede[i]))
			return true;
	return t->kind == NAME;
}

int fw_scan_create(struct fw_arena *a, const char *name, const char *text, struct fw_scan **ret_scan, struct fw_error *err)
{
	struct scanner s = { .arena = a, .name = name, .p = text, .line = 1, .err = err };
	struct declaration *last = NULL;
	s.scan = FW_NEW(a, struct fw_scan);
	if (!s.scan)
		return FW_ENOMEM;
	int r = advance(&s);
	while (r == 0 && s.now.kind != END) {
		struct table *unused = NULL;
		if (s.now.kind == NAME && is_declaration(s.now.text) && begins_statement(&s))
			r = read_declaration(&s, &last);
		else if (at(&s, "{"))
			r = read_table(&s, &unused);
		else
			r = advance(&s);
	}
	if (r < 0)
		return r;
	*ret_scan = s.scan;
	return 0;
}

/* The last dot before `end`, or the beginning. */
static const char *last_dot(const char *path, size_t end)
{
	const char *p = memrchr(path, '.', end);
	return p ? p : path;
}

int fw_scan_line(const struct fw_scan *scan, int line, const char *id, const char *path)
{
	const struct declaration *d = scan->declarations;
	while (d && !(d->line == line && fw_str_is(d->id, id)))
		d = d->next;
	const struct table *t = d ? d->table : NULL;
	while (t && *path) {
		size_t n = strcspn(path, ".");
		const struct entry *e = *path == '#' ? find_entry(t, (struct fw_str){ 0 }, atoi(path + 1)) : NULL;
		for (size_t end = *path == '#' ? 0 : strlen(path); end && !e; end = (size_t)(last_dot(path, end) - path))
			e = find_entry(t, (struct fw_str){ path, n = end }, 0); /* a name may have dots in it */
		if (!e)
			break;
		line = e->line;
		t = e->value;
		path += n + (path[n] == '.');
	}
	return line;
}
