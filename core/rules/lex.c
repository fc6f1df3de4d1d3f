#include "rules/lex.h"

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

static struct fw_str skip_long(struct fw_lexer *s, int level)
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

static void skip_space(struct fw_lexer *s)
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

static struct fw_str skip_quoted(struct fw_lexer *s)
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

int fw_lex_advance(struct fw_lexer *s)
{
	s->earlier = s->before;
	s->before = s->now;
	skip_space(s);
	s->now = (struct fw_token){ .kind = FW_TOKEN_END, .line = s->line, .end_line = s->line };
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
		s->now.kind = is_keyword(s->now.text) ? FW_TOKEN_KEYWORD : FW_TOKEN_NAME;
	} else if ((c >= '0' && c <= '9') || (c == '.' && s->p[1] >= '0' && s->p[1] <= '9')) {
		while (is_name_char(*s->p, false) || *s->p == '.' || ((*s->p == '+' || *s->p == '-') && strchr("eEpP", s->p[-1])))
			s->p++;
		s->now.kind = FW_TOKEN_NUMBER;
		s->now.text = (struct fw_str){ begin, (size_t)(s->p - begin) };
	} else if (c == '"' || c == '\'') {
		s->now.kind = FW_TOKEN_STRING;
		s->now.text = skip_quoted(s);
	} else if (level >= 0) {
		s->now.kind = FW_TOKEN_STRING;
		s->now.text = skip_long(s, level);
	} else {
		static const char *const longer[] = { "...", "..", "==", "~=", "<=", ">=", "//", "<<", ">>", "::" };
		size_t n = 1;
		for (size_t i = 0; i < sizeof longer / sizeof *longer && n == 1; i++)
			if (strncmp(s->p, longer[i], strlen(longer[i])) == 0)
				n = strlen(longer[i]);
		s->p += n;
		s->now.kind = FW_TOKEN_PUNCTUATION;
		s->now.text = (struct fw_str){ begin, n };
	}
	s->now.end_line = s->line;
	return 0;
}

bool fw_lex_at(const struct fw_lexer *s, const char *text)
{
	return (s->now.kind == FW_TOKEN_PUNCTUATION || s->now.kind == FW_TOKEN_KEYWORD) && fw_str_is(s->now.text, text);
}
