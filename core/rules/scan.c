#include "rules/scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/map.h"
#include "rules/lex.h"

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
	struct fw_lexer lex;
	struct fw_scan *scan;
	int depth;
};

static bool ends_expression(const struct fw_token *t)
{
	if (t->kind == FW_TOKEN_NAME || t->kind == FW_TOKEN_STRING || t->kind == FW_TOKEN_NUMBER)
		return true;
	static const char *const enders[] = { "}", ")", "]", "true", "false", "nil", "end", "..." };
	for (size_t i = 0; i < sizeof enders / sizeof *enders; i++)
		if (fw_str_is(t->text, enders[i]))
			return t->kind != FW_TOKEN_END;
	return false;
}

/* A token that can only begin another entry after a complete expression. */
static bool begins_entry(const struct scanner *s)
{
	const struct fw_token *t = &s->lex.now, *before = &s->lex.before, *earlier = &s->lex.earlier;
	if (!ends_expression(before))
		return false;
	if (t->kind == FW_TOKEN_NAME || t->kind == FW_TOKEN_NUMBER)
		return true;
	if (t->kind == FW_TOKEN_KEYWORD &&
	    (fw_str_is(t->text, "function") || fw_str_is(t->text, "true") || fw_str_is(t->text, "false")))
		return true;
	/* Text is not indexed, unless a call took it: ["name"] begins an entry then. */
	bool text = before->kind == FW_TOKEN_STRING;
	bool argument = text && (earlier->kind == FW_TOKEN_NAME || fw_str_is(earlier->text, ")") || fw_str_is(earlier->text, "]"));
	bool word = before->kind == FW_TOKEN_KEYWORD && !fw_str_is(before->text, "end");
	if (fw_lex_at(&s->lex, "[") && !argument && (text || before->kind == FW_TOKEN_NUMBER || word))
		return true;
	bool callable = before->kind == FW_TOKEN_NAME || fw_str_is(before->text, ")") || fw_str_is(before->text, "]") ||
		fw_str_is(before->text, "}");
	return t->kind == FW_TOKEN_STRING && (text || !callable);
}

static int read_table(struct scanner *s, struct table **ret_table);

/* Block words inside an expression: `function … end` and what nests in it. */
static int block_step(const struct scanner *s)
{
	if (fw_lex_at(&s->lex, "function") || fw_lex_at(&s->lex, "if") || fw_lex_at(&s->lex, "do") || fw_lex_at(&s->lex, "repeat"))
		return 1;
	return fw_lex_at(&s->lex, "end") || fw_lex_at(&s->lex, "until") ? -1 : 0;
}

/* `country = "US" or "CA"` is "US" to Lua, whatever comes after. */
static int refuse_choice(struct scanner *s)
{
	bool or = fw_lex_at(&s->lex, "or");
	struct fw_str text = s->lex.before.text, word = s->lex.now.text;
	fw_fail(s->lex.err, FW_EINVAL, s->lex.name, s->lex.before.line, "\"%.*s\" %.*s … is always %s", (int)(text.n < 40 ? text.n : 40),
		text.p, (int)word.n, word.p, or ? "the first value" : "the second value");
	fw_hint(s->lex.err, or ? "for one of several write a list: { \"US\", \"CA\" }"
		: "for all of several write all_of { \"a\", \"b\" }");
	return FW_EINVAL;
}

/* One entry's expression, up to the comma, semicolon or brace that ends it; the first table in it is remembered. */
static int read_expression(struct scanner *s, struct table **ret_first)
{
	int blocks = 0, brackets = 0, tokens = 0;
	bool constant = s->lex.now.kind == FW_TOKEN_STRING || s->lex.now.kind == FW_TOKEN_NUMBER;
	for (bool fresh = true; s->lex.now.kind != FW_TOKEN_END; fresh = false, tokens++) {
		if (tokens == 1 && constant && (fw_lex_at(&s->lex, "or") || fw_lex_at(&s->lex, "and")))
			return refuse_choice(s);
		if (blocks == 0 && brackets == 0) {
			if (fw_lex_at(&s->lex, ",") || fw_lex_at(&s->lex, ";") || fw_lex_at(&s->lex, "}"))
				return 0;
			if (!fresh && begins_entry(s)) {
				const char *quote = s->lex.before.kind == FW_TOKEN_STRING ? "\"" : "";
				struct fw_str text = s->lex.before.text;
				fw_fail(s->lex.err, FW_EINVAL, s->lex.name, s->lex.before.end_line, "a comma is missing after %s%.*s%s",
					quote, (int)(text.n < 40 ? text.n : 40), text.p, quote);
				fw_hint(s->lex.err, "entries of a table are separated by commas");
				return FW_EINVAL;
			}
		}
		if (fw_lex_at(&s->lex, "{")) {
			struct table *t = NULL;
			int r = read_table(s, &t);
			if (r < 0)
				return r;
			if (!*ret_first)
				*ret_first = t;
			continue;
		}
		blocks += block_step(s);
		brackets += (fw_lex_at(&s->lex, "(") || fw_lex_at(&s->lex, "[")) - (fw_lex_at(&s->lex, ")") || fw_lex_at(&s->lex, "]"));
		if (blocks < 0 || brackets < 0)
			return 0;
		int r = fw_lex_advance(&s->lex);
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

/* The key before "=", if one is written: Name = …, ["text"] = …, [1] = …. Leaves s->lex.now at the value. */
static int read_key(struct scanner *s, struct entry *e)
{
	struct scanner saved = *s;
	int r = 0;
	if (s->lex.now.kind == FW_TOKEN_NAME) {
		e->key = s->lex.now.text;
		if ((r = fw_lex_advance(&s->lex)) < 0)
			return r;
		if (fw_lex_at(&s->lex, "="))
			return fw_lex_advance(&s->lex);
	} else if (fw_lex_at(&s->lex, "[")) {
		if ((r = fw_lex_advance(&s->lex)) < 0)
			return r;
		struct fw_token key = s->lex.now;
		if ((r = fw_lex_advance(&s->lex)) < 0)
			return r;
		bool whole = fw_lex_at(&s->lex, "]");
		if (whole && (r = fw_lex_advance(&s->lex)) < 0)
			return r;
		bool number = key.kind == FW_TOKEN_NUMBER && strspn(key.text.p, "0123456789") == key.text.n && key.text.n < 9;
		if (whole && fw_lex_at(&s->lex, "=") && (key.kind == FW_TOKEN_STRING || number)) {
			if (key.kind == FW_TOKEN_STRING)
				e->key = key.text;
			else
				e->number = atoi(key.text.p);
			return fw_lex_advance(&s->lex);
		}
	}
	e->key = (struct fw_str){ 0 };
	*s = saved;
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
			fw_fail(s->lex.err, FW_EINVAL, s->lex.name, e->line, "\"%.*s\" stands twice in one table (first on line %d)",
				(int)e->key.n, e->key.p, other->line);
		else
			fw_fail(s->lex.err, FW_EINVAL, s->lex.name, e->line, "[%d] stands twice in one table (first on line %d)", e->number,
				other->line);
		fw_hint(s->lex.err, "Lua would keep only the last one");
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
		return t ? fw_fail(s->lex.err, FW_ELIMIT, s->lex.name, s->lex.now.line, "tables are nested more than %d deep", DEEPEST)
		         : FW_ENOMEM;
	int r = fw_lex_advance(&s->lex);
	while (r == 0 && s->lex.now.kind != FW_TOKEN_END && !fw_lex_at(&s->lex, "}")) {
		struct entry *e = FW_NEW(s->arena, struct entry);
		if (!e)
			return FW_ENOMEM;
		e->line = s->lex.now.line;
		if ((r = read_key(s, e)) < 0)
			return r;
		if (!e->key.p && !e->number)
			e->number = ++t->positional;
		if ((r = read_expression(s, &e->value)) < 0 || (r = add_entry(s, t, e)) < 0) {
			return r;
		}
		if (fw_lex_at(&s->lex, ",") || fw_lex_at(&s->lex, ";"))
			r = fw_lex_advance(&s->lex);
		else if (!fw_lex_at(&s->lex, "}"))
			break;
	}
	s->depth--;
	if (r == 0 && fw_lex_at(&s->lex, "}"))
		r = fw_lex_advance(&s->lex);
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
	int line = s->lex.now.line;
	int r = fw_lex_advance(&s->lex);
	if (r == 0 && s->lex.now.kind == FW_TOKEN_NAME) {
		struct fw_str word = s->lex.before.text, name = s->lex.now.text;
		fw_fail(s->lex.err, FW_EINVAL, s->lex.name, s->lex.now.line, "the name of a %.*s stands in quotes", (int)word.n, word.p);
		fw_hint(s->lex.err, "write %.*s \"%.*s\" { … }", (int)word.n, word.p, (int)(name.n < 60 ? name.n : 60), name.p);
		return FW_EINVAL;
	}
	if (r == 0 && fw_lex_at(&s->lex, "("))
		r = fw_lex_advance(&s->lex);
	if (r < 0 || s->lex.now.kind != FW_TOKEN_STRING)
		return r;
	struct fw_str id = s->lex.now.text;
	if ((r = fw_lex_advance(&s->lex)) < 0)
		return r;
	while (fw_lex_at(&s->lex, ")") || fw_lex_at(&s->lex, "("))
		if ((r = fw_lex_advance(&s->lex)) < 0)
			return r;
	if (!fw_lex_at(&s->lex, "{"))
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
	const struct fw_token *t = &s->lex.before;
	if (t->kind == FW_TOKEN_STRING || t->kind == FW_TOKEN_NUMBER || !t->text.p)
		return true;
	for (size_t i = 0; i < sizeof may_precede / sizeof *may_precede; i++)
		if (t->kind != FW_TOKEN_NAME && fw_str_is(t->text, may_precede[i]))
			return true;
	return t->kind == FW_TOKEN_NAME;
}

int fw_scan_create(struct fw_arena *a, const char *name, const char *text, struct fw_scan **ret_scan, struct fw_error *err)
{
	struct scanner s = { .arena = a, .lex = { .name = name, .p = text, .line = 1, .err = err } };
	struct declaration *last = NULL;
	s.scan = FW_NEW(a, struct fw_scan);
	if (!s.scan)
		return FW_ENOMEM;
	int r = fw_lex_advance(&s.lex);
	while (r == 0 && s.lex.now.kind != FW_TOKEN_END) {
		struct table *unused = NULL;
		if (s.lex.now.kind == FW_TOKEN_NAME && is_declaration(s.lex.now.text) && begins_statement(&s))
			r = read_declaration(&s, &last);
		else if (fw_lex_at(&s.lex, "{"))
			r = read_table(&s, &unused);
		else
			r = fw_lex_advance(&s.lex);
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
