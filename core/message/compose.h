/* What `send` makes becomes a message: its texts are written, its template is. */
#ifndef FW_MESSAGE_COMPOSE_H
#define FW_MESSAGE_COMPOSE_H

#include "decide/decide.h"
#include "message/template.h"

/* Addresses in whose place a channel puts what only it knows; `.invalid` is nobody's (RFC 2606). plugin.h names them. */
#define FW_COMPOSE_UNSUBSCRIBE "https://floorwalker.invalid/unsubscribe"
#define FW_COMPOSE_PREFERENCES "https://floorwalker.invalid/preferences"

/* `content` is what `send` of the rule made; of a table in a rule file its texts may have tags, of what a function makes none is read.
 * Where it names a template, "html" and "text" are made of that (of a text message "text" alone), the text from the HTML where no other is
 * written. `id` is the message's. The result is an object, in the arena, terminated. 0; FW_EINVAL, FW_ELIMIT (err says what cannot be
 * written); FW_ENOMEM. */
int fw_compose(const struct fw_templates *templates, const struct fw_ruleset *set, uint32_t rule, struct fw_str content,
	const struct fw_facts *facts, const char *id, struct fw_arena *arena, struct fw_str *ret, struct fw_error *err);

#endif
