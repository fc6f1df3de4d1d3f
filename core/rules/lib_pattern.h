/* Matching of Lua's patterns, with Lua 5.4's meaning and messages.
 *
 * The matcher backtracks over an explicit stack, as long as the pattern has quantifiers and parentheses, so it neither
 * recurses nor gives up on a pattern for being too complex; its steps are charged to the running call. */
#ifndef FW_RULES_LIB_PATTERN_H
#define FW_RULES_LIB_PATTERN_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum { FW_PATTERN_CAPTURES = 32, FW_PATTERN_CHOICES = 12 };

struct fw_capture {
	const char *at;
	ptrdiff_t n; /* its length, or one of lib_pattern.c's marks */
};

/* What to undo or to try next when the match fails further on. */
struct fw_choice {
	int kind;
	const char *subject, *pattern;
	ptrdiff_t n;
};

struct fw_pattern {
	lua_State *L;
	struct fw_str subject;
	const char *begin, *end; /* of the pattern, after the anchor */
	bool anchored;
	size_t steps; /* not charged yet */
	int n_captures;
	size_t n_choices;
	struct fw_choice *choices, few_choices[FW_PATTERN_CHOICES];
	struct fw_capture captures[FW_PATTERN_CAPTURES];
};

/* Prepares matching of strings that stay on the Lua stack meanwhile. A '^' at the beginning anchors unless
 * `literal_caret`. Pushes one value, to be left below while `m` is used. Raises if the pattern is too long. */
void fw_pattern_init(struct fw_pattern *m, lua_State *L, struct fw_str subject, struct fw_str pattern, bool literal_caret);

/* Matches at exactly this place of the subject (its end included). Returns where the match ends, or NULL. Raises on a
 * malformed pattern, when it gets to the malformed part. */
const char *fw_pattern_match(struct fw_pattern *m, const char *at);

/* What was captured by the last match, which went from `from` to `to`. `fw_pattern_push` pushes capture i (from 0; 0 is
 * the whole match in a pattern without captures); `fw_pattern_push_all` pushes all, the whole match for none if `whole`,
 * and returns how many. */
void fw_pattern_push(struct fw_pattern *m, int i, const char *from, const char *to);
int fw_pattern_push_all(struct fw_pattern *m, const char *from, const char *to, bool whole);

/* Charges the steps not charged yet; to be called before a library function returns or calls out. */
void fw_pattern_settle(struct fw_pattern *m);

/* True if the text has no character that means something in a pattern. */
bool fw_pattern_plain(struct fw_str pattern);

#endif
