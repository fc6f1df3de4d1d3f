/* What the files of templates share: a template, parsed. Not for other rooms. */
#ifndef FW_MESSAGE_TEMPLATE_OWN_H
#define FW_MESSAGE_TEMPLATE_OWN_H

#include "base/limits.h"
#include "message/template.h"

enum fw_piece_kind {
	FW_PIECE_TEXT,
	FW_PIECE_VARIABLE,
	FW_PIECE_SECTION,
	FW_PIECE_INVERTED,
	FW_PIECE_PARTIAL,
	FW_PIECE_INDENT,  /* a line of a partial begins: the indentation of the tag that includes it goes here */
	FW_PIECE_ADDRESS, /* an attribute that is an address begins: what is written from here on is the part before a variable */
};

/* How a value, or the text of a header, is written. */
enum fw_write {
	FW_WRITE_PLAIN,
	FW_WRITE_HTML,
	FW_WRITE_ADDRESS,
	FW_WRITE_CSS,
	FW_WRITE_HEADER,
	FW_WRITE_NOTHING, /* in a comment */
};

struct fw_piece {
	enum fw_piece_kind kind;
	enum fw_write write;
	int line;
	uint32_t end;               /* of a section: the piece behind its last one */
	bool has_fallback;
	struct fw_str text;         /* the text; a variable's fallback; a partial's indentation */
	struct fw_str name;         /* of a variable, section or partial */
	const struct fw_str *parts; /* of a dotted name; none for "." */
	uint32_t n_parts;
	const struct fw_template *partial;
};

struct fw_template {
	struct fw_str name;  /* without the ending; a partial's without its "_" */
	const char *file;
	enum fw_template_form form;
	bool in_set, partial;
	struct fw_piece *pieces;
	uint32_t n_pieces;
	const struct fw_template_name *names;
	uint32_t n_names;
	uint32_t walked, listed; /* marks, while a set is being looked through */
};

/* What a rule says, as far as it is known before somebody is written to: a table. */
struct fw_send {
	const struct fw_json *content;      /* NULL: a function makes it, or the rule sends nothing */
	const struct fw_template **texts;   /* by member of it; NULL: the member is taken as it is */
};

struct fw_templates {
	struct fw_template *items; /* by form, partials behind the others, and by name */
	uint32_t n, n_partials;
	struct fw_send *sends;     /* by the rule's number; NULL until they are checked against a set */
};

/* Parses the text of t->file into pieces; it must outlive them. 0, FW_EINVAL (err) or FW_ENOMEM. */
int fw_template_parse_text(struct fw_arena *arena, struct fw_template *t, struct fw_str text, struct fw_error *err);
/* Lists the names that the template and its partials read; `round`, from 1, is another one for each template of a set. 0, FW_ELIMIT
 * (err) or FW_ENOMEM. */
int fw_template_list_names(struct fw_arena *arena, struct fw_template *t, uint32_t round, struct fw_error *err);
/* Adds an error for each name that nothing can have. `is_text`: the template is a text in a rule's `send`, which makes the content that
 * template files read. 0 or FW_EINVAL. */
int fw_template_check_names(const struct fw_template *t, const struct fw_ruleset *set, bool is_text, struct fw_errors *errors);
/* The partial of that form, or NULL. */
const struct fw_template *fw_templates_partial(const struct fw_templates *templates, struct fw_str name, enum fw_template_form form);

/* A rendering on its way. */
struct fw_rendering {
	struct fw_buf *out;
	size_t begin;   /* where the template's output began */
	size_t address; /* where the address being written began */
	int ret;        /* FW_ELIMIT: the output is full; what is written then is lost */
};
/* Appends bytes as they are. */
void fw_write_bytes(struct fw_rendering *r, const char *p, size_t n);
/* Appends text fit for its place. */
void fw_write_value(struct fw_rendering *r, enum fw_write how, struct fw_str text);

#endif
