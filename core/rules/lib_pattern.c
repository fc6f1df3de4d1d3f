#include "rules/lib_pattern.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/lib.h"

enum { ESCAPE = '%' };

/* Lengths of captures that have none. */
enum { UNFINISHED = -1, POSITION = -2 };

/* Kinds of choices. */
enum {
	FEWER,  /* n more repetitions may be given back; go on from `subject` (then shorter) at `pattern` */
	MORE,   /* one more repetition of the item at `pattern` may be taken at `subject` */
	OPENED, /* undo: forget the last capture */
	CLOSED, /* undo: capture n is unfinished again */
};

enum { STEPS_AT_ONCE = 1024, STEPS_PER_INSTRUCTION = 2, BYTES_PER_STEP = 8 };

void fw_pattern_settle(struct fw_pattern *m)
{
	size_t instructions = m->steps / STEPS_PER_INSTRUCTION;
	m->steps %= STEPS_PER_INSTRUCTION;
	if (instructions)
		fw_lib_charge(m->L, instructions);
}

static void work(struct fw_pattern *m, size_t steps)
{
	m->steps += steps;
	if (m->steps >= STEPS_AT_ONCE)
		fw_pattern_settle(m);
}

void fw_pattern_init(struct fw_pattern *m, lua_State *L, struct fw_str subject, struct fw_str pattern, bool literal_caret)
{
	if (pattern.n > FW_LIMIT_PATTERN_BYTES)
		luaL_error(L, "a pattern may have %d bytes, this one has more", FW_LIMIT_PATTERN_BYTES);
	m->L = L;
	m->subject = subject;
	m->begin = pattern.p;
	m->end = pattern.p + pattern.n;
	m->anchored = !literal_caret && pattern.n > 0 && pattern.p[0] == '^';
	if (m->anchored)
		m->begin++;
	m->steps = pattern.n / BYTES_PER_STEP;
	m->n_captures = 0;
	m->n_choices = 0;
	/* On any way through the pattern, each of these characters leaves at most one choice. */
	size_t most = 0;
	for (const char *p = m->begin; p < m->end; p++)
		most += *p == '*' || *p == '+' || *p == '-' || *p == '?' || *p == '(' || *p == ')';
	if (most <= FW_PATTERN_CHOICES) {
		m->choices = m->few_choices;
		lua_pushnil(L);
	} else {
		m->choices = lua_newuserdatauv(L, most * sizeof *m->choices, 0);
	}
}

static void add_choice(struct fw_pattern *m, int kind, const char *subject, const char *pattern, ptrdiff_t n)
{
	m->choices[m->n_choices++] = (struct fw_choice){ kind, subject, pattern, n };
}

/* Where the single item (a character, class or set) that begins at p ends. */
static const char *item_end(struct fw_pattern *m, const char *p)
{
	char first = *p++;
	if (first == ESCAPE) {
		if (p == m->end)
			luaL_error(m->L, "malformed pattern (ends with '%%')");
		return p + 1;
	}
	if (first != '[')
		return p;
	if (p < m->end && *p == '^')
		p++;
	/* The first character of a set belongs to it even if it is a ']'. */
	for (bool is_first = true; p < m->end; is_first = false) {
		if (*p == ']' && !is_first)
			return p + 1;
		if (*p++ == ESCAPE && p < m->end)
			p++;
	}
	luaL_error(m->L, "malformed pattern (missing ']')");
	return NULL;
}

static bool in_class(unsigned char c, unsigned char class)
{
	bool is;
	int ascii = c < 128 ? c : -1; /* which no class holds */
	switch (class | 0x20) {
	case 'a': is = isalpha(ascii); break;
	case 'c': is = iscntrl(ascii); break;
	case 'd': is = isdigit(ascii); break;
	case 'g': is = isgraph(ascii); break;
	case 'l': is = islower(ascii); break;
	case 'p': is = ispunct(ascii); break;
	case 's': is = isspace(ascii); break;
	case 'u': is = isupper(ascii); break;
	case 'w': is = isalnum(ascii); break;
	case 'x': is = isxdigit(ascii); break;
	case 'z': is = c == 0; break;
	default: return c == class;
	}
	return isupper(class) ? !is : is;
}

/* `p` is at the '[', `end` after the ']'. */
static bool in_set(unsigned char c, const char *p, const char *end)
{
	const char *last = end - 1;
	p++;
	bool negated = *p == '^';
	if (negated)
		p++;
	while (p < last) {
		unsigned char low = (unsigned char)p[0];
		if (low == ESCAPE) {
			if (in_class(c, (unsigned char)p[1]))
				return !negated;
			p += 2;
		} else if (p[1] == '-' && p + 2 < last) {
			if (low <= c && c <= (unsigned char)p[2])
				return !negated;
			p += 3;
		} else {
			if (low == c)
				return !negated;
			p++;
		}
	}
	return negated;
}

static bool matches_item(struct fw_pattern *m, const char *s, const char *p, const char *end)
{
	work(m, 1 + (size_t)(end - p) / BYTES_PER_STEP);
	if (s >= m->subject.p + m->subject.n)
		return false;
	unsigned char c = (unsigned char)*s;
	switch (*p) {
	case '.': return true;
	case ESCAPE: return in_class(c, (unsigned char)p[1]);
	case '[': return in_set(c, p, end);
	default: return (unsigned char)*p == c;
	}
}

/* The steps below move *s and *p past what they matched, or return false. */

static bool match_item(struct fw_pattern *m, const char **s, const char **p)
{
	const char *item = *p, *end = item_end(m, item);
	char suffix = end < m->end ? *end : '\0';
	switch (suffix) {
	case '*':
	case '+':
	case '?': {
		ptrdiff_t n = 0, least = suffix == '+';
		while (matches_item(m, *s + n, item, end)) {
			n++;
			if (suffix == '?')
				break;
		}
		if (n < least)
			return false;
		*s += n;
		*p = end + 1;
		if (n > least)
			add_choice(m, FEWER, *s, *p, n - least);
		return true;
	}
	case '-':
		add_choice(m, MORE, *s, item, 0);
		*p = end + 1;
		return true;
	default:
		if (!matches_item(m, *s, item, end))
			return false;
		++*s;
		*p = end;
		return true;
	}
}

static bool open_capture(struct fw_pattern *m, const char **s, const char **p)
{
	if (m->n_captures >= FW_PATTERN_CAPTURES)
		luaL_error(m->L, "too many captures");
	bool position = *p + 1 < m->end && (*p)[1] == ')';
	m->captures[m->n_captures++] = (struct fw_capture){ *s, position ? POSITION : UNFINISHED };
	*p += position ? 2 : 1;
	add_choice(m, OPENED, NULL, NULL, 0);
	return true;
}

static bool close_capture(struct fw_pattern *m, const char **s, const char **p)
{
	int i = m->n_captures - 1;
	while (i >= 0 && m->captures[i].n != UNFINISHED)
		i--;
	if (i < 0)
		luaL_error(m->L, "invalid pattern capture");
	m->captures[i].n = *s - m->captures[i].at;
	++*p;
	add_choice(m, CLOSED, NULL, NULL, i);
	return true;
}

/* "%b()" */
static bool match_balanced(struct fw_pattern *m, const char **s, const char **p)
{
	if (m->end - *p < 4)
		luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
	char opens = (*p)[2], closes = (*p)[3];
	const char *end = m->subject.p + m->subject.n, *at = *s;
	if (at >= end || *at != opens)
		return false;
	for (size_t depth = 1; ++at < end;) {
		work(m, 1);
		if (*at == closes) {
			if (--depth == 0) {
				*s = at + 1;
				*p += 4;
				return true;
			}
		} else if (*at == opens) {
			depth++;
		}
	}
	return false;
}

/* "%f[set]" */
static bool match_frontier(struct fw_pattern *m, const char **s, const char **p)
{
	const char *set = *p + 2;
	if (set >= m->end || *set != '[')
		luaL_error(m->L, "missing '[' after '%%f' in pattern");
	const char *set_end = item_end(m, set);
	unsigned char before = *s == m->subject.p ? 0 : (unsigned char)(*s)[-1];
	unsigned char here = *s == m->subject.p + m->subject.n ? 0 : (unsigned char)**s;
	work(m, 1 + (size_t)(set_end - set) / BYTES_PER_STEP);
	*p = set_end;
	return !in_set(before, set, set_end) && in_set(here, set, set_end);
}

/* "%1" */
static bool match_again(struct fw_pattern *m, const char **s, const char **p)
{
	int i = (*p)[1] - '1';
	if (i < 0 || i >= m->n_captures || m->captures[i].n == UNFINISHED)
		luaL_error(m->L, "invalid capture index %%%d", i + 1);
	struct fw_capture c = m->captures[i];
	if (c.n == POSITION || m->subject.p + m->subject.n - *s < c.n)
		return false;
	work(m, (size_t)c.n / BYTES_PER_STEP);
	if (memcmp(c.at, *s, (size_t)c.n) != 0)
		return false;
	*s += c.n;
	*p += 2;
	return true;
}

static bool step(struct fw_pattern *m, const char **s, const char **p)
{
	char next = *p + 1 < m->end ? (*p)[1] : '\0';
	switch (**p) {
	case '(': return open_capture(m, s, p);
	case ')': return close_capture(m, s, p);
	case '$':
		if (*p + 1 != m->end)
			return match_item(m, s, p);
		++*p;
		return *s == m->subject.p + m->subject.n;
	case ESCAPE:
		if (next == 'b')
			return match_balanced(m, s, p);
		if (next == 'f')
			return match_frontier(m, s, p);
		if (next >= '0' && next <= '9')
			return match_again(m, s, p);
		return match_item(m, s, p);
	default: return match_item(m, s, p);
	}
}

/* Goes back to the last choice that leaves something to try; false if there is none. */
static bool retry(struct fw_pattern *m, const char **s, const char **p)
{
	while (m->n_choices > 0) {
		struct fw_choice *c = &m->choices[m->n_choices - 1];
		work(m, 1);
		switch (c->kind) {
		case OPENED: m->n_captures--; break;
		case CLOSED: m->captures[c->n].n = UNFINISHED; break;
		case FEWER:
			*s = --c->subject;
			*p = c->pattern;
			if (--c->n == 0)
				m->n_choices--;
			return true;
		default: {
			const char *end = item_end(m, c->pattern);
			if (!matches_item(m, c->subject, c->pattern, end))
				break;
			*s = ++c->subject;
			*p = end + 1;
			return true;
		}
		}
		m->n_choices--;
	}
	return false;
}

const char *fw_pattern_match(struct fw_pattern *m, const char *at)
{
	const char *s = at, *p = m->begin;
	m->n_captures = 0;
	m->n_choices = 0;
	work(m, 1);
	while (p < m->end) {
		work(m, 1);
		if (!step(m, &s, &p) && !retry(m, &s, &p))
			return NULL;
	}
	return s;
}

void fw_pattern_push(struct fw_pattern *m, int i, const char *from, const char *to)
{
	struct fw_capture c = { from, to - from };
	if (i < m->n_captures)
		c = m->captures[i];
	else if (i != 0)
		luaL_error(m->L, "invalid capture index %%%d", i + 1);
	if (c.n == UNFINISHED)
		luaL_error(m->L, "unfinished capture");
	if (c.n == POSITION) {
		lua_pushinteger(m->L, c.at - m->subject.p + 1);
		return;
	}
	work(m, (size_t)c.n / BYTES_PER_STEP);
	lua_pushlstring(m->L, c.at, (size_t)c.n);
}

int fw_pattern_push_all(struct fw_pattern *m, const char *from, const char *to, bool whole)
{
	int n = m->n_captures == 0 && whole ? 1 : m->n_captures;
	luaL_checkstack(m->L, n, "too many captures");
	for (int i = 0; i < n; i++)
		fw_pattern_push(m, i, from, to);
	return n;
}

bool fw_pattern_plain(struct fw_str pattern)
{
	for (size_t i = 0; i < pattern.n; i++)
		if (pattern.p[i] && strchr("^$*+?.([%-", pattern.p[i]))
			return false;
	return true;
}
