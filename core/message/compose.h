/* What `send` makes becomes a message: its texts are written, its template is. */
#ifndef FW_MESSAGE_COMPOSE_H
#define FW_MESSAGE_COMPOSE_H

#include "decide/due.h"
#include "message/template.h"

/* Addresses in whose place a channel puts what only it knows; `.invalid` is nobody's (RFC 2606). plugin.h names them. */
#define FW_COMPOSE_UNSUBSCRIBE "https://floorwalker.invalid/unsubscribe"
#define FW_COMPOSE_PREFERENCES "https://floorwalker.invalid/preferences"

struct fw_to_compose {
	const struct fw_ruleset *set;
	const struct fw_templates *templates; /* checked against the set */
	uint32_t rule;
	struct fw_str content;         /* what `send` of the rule made */
	const struct fw_facts *facts;
	const char *id;                /* the message's */
	struct fw_template_gaps *gaps; /* added to; NULL: nobody asks */
};

/* Of a table in a rule file the texts may have tags, of what a function makes none is read. Where the content names a template,
 * "html" and "text" are made of that (of a text message "text" alone), the text from the HTML where no other is written. The result is
 * an object, in the arena, terminated. 0; FW_EINVAL, FW_ELIMIT (err says what cannot be written); FW_ENOMEM. */
int fw_compose(const struct fw_to_compose *what, struct fw_arena *arena, struct fw_str *ret, struct fw_error *err);

/* Writes one that may go, into its `content`, and has it go by that; what cannot be written is dead before anybody is bothered with it.
 * `what` lacks the rule, the content and the facts, which are the item's. 0, FW_EINVAL (the record is damaged), FW_ENOMEM. */
int fw_compose_due(struct fw_due_judging *j, struct fw_due_item *x, struct fw_to_compose what, struct fw_arena *arena);

/* What a channel is handed of a message: {"rule","visitor","class","track","content":{…}}, in the arena, terminated. `track`: opens and
 * links may be followed, of who lets behaviour be kept. 0 or FW_ENOMEM. */
int fw_compose_for_channel(const struct fw_rule *rule, struct fw_str visitor, bool track, struct fw_str content, struct fw_arena *arena,
	struct fw_str *ret);

#endif
