/* Lua source as tokens, for scan.c: whatever it is, it comes to an end. Not for other rooms. */
#ifndef FW_RULES_LEX_H
#define FW_RULES_LEX_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

enum fw_token_kind { FW_TOKEN_END, FW_TOKEN_NAME, FW_TOKEN_KEYWORD, FW_TOKEN_STRING, FW_TOKEN_NUMBER, FW_TOKEN_PUNCTUATION };

struct fw_token {
	enum fw_token_kind kind;
	struct fw_str text; /* of a string: its content when it has no escapes */
	int line, end_line;
};

struct fw_lexer {
	const char *name, *p; /* the file's name, and what is left of its text */
	int line;
	struct fw_token now, before, earlier; /* the next one, the one read last, and the one before that */
	struct fw_error *err;
};

/* Reads the next token into `now`. 0, or FW_EINVAL for curly quotes. */
int fw_lex_advance(struct fw_lexer *s);
/* Whether the next token is this keyword or mark. */
bool fw_lex_at(const struct fw_lexer *s, const char *text);

#endif
