/* Message templates: Mustache to its specification (interpolation, sections, inverted sections, partials, comments, delimiters; no
 * lambdas, parents or dynamic names), read with a rule set, parsed once and then only read.
 *
 * What ours adds: {{name|fallback}} writes the fallback where the name has no value (missing, null, empty text); and every variable
 * is made fit for the place where it stands, which the parser finds by following the HTML around it.
 *
 * What has no value is false in a section, and so are false, 0 and an empty list. A list of plain values is written with ", "
 * between them, an object is not written. */
#ifndef FW_MESSAGE_TEMPLATE_H
#define FW_MESSAGE_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "rules/ruleset.h"

/* What a template's text is, and with that how its variables are written. In all of them a control character of a value becomes a
 * space, save tabs and line ends. */
enum fw_template_form {
	FW_TEMPLATE_HTML,   /* NAME.html: escaped for where they stand, see template_html.h */
	FW_TEMPLATE_TEXT,   /* NAME.txt: as they are */
	FW_TEMPLATE_SMS,    /* NAME.sms: as they are; what is blank at the file's end is left out */
	FW_TEMPLATE_FILES,  /* how many forms files have */
	FW_TEMPLATE_HEADER = FW_TEMPLATE_FILES, /* one line: line ends of text and values become a space, too */
};

struct fw_template;
struct fw_templates;

/* Parses the template files of a set into the arena, which must outlive them; the files' text may be forgotten afterwards.
 * 0, FW_EINVAL with each mistake in `errors` (a set that includes a partial which does not exist, or one in itself without an
 * end, is one), or FW_ENOMEM. A set without templates is fine. */
int fw_templates_load(const struct fw_files *files, struct fw_arena *arena, struct fw_errors *errors, struct fw_templates **ret);

/* What a template reads is held against what there is, in files and in the `send` of message rules: a template that does not
 * exist, a name that nothing has, a text in `send` that is no template, content that a template needs and a constant `send` lacks.
 * Adds what the templates of a rule use to the rule's `uses`, and keeps the texts of `send`, parsed, for fw_compose, in the set's
 * arena. 0, FW_EINVAL with each mistake in `errors`, or FW_ENOMEM. Call it once the set is loaded, in the loader. */
int fw_templates_check(struct fw_templates *templates, struct fw_ruleset *set, struct fw_errors *errors);

/* Both for a set that was just loaded: its files, its arena. */
int fw_templates_open(struct fw_ruleset *set, struct fw_errors *errors, struct fw_templates **ret);

/* NULL: there is none of that name and form. */
const struct fw_template *fw_templates_find(const struct fw_templates *templates, struct fw_str name, enum fw_template_form form);
/* How many files there are, partials left out. */
uint32_t fw_templates_count(const struct fw_templates *templates);

/* A template that is no file, such as a subject; `text` must outlive it. It includes no partials. 0, FW_EINVAL (err: line and cause;
 * `name` stands for the file) or FW_ENOMEM. */
int fw_template_parse(struct fw_arena *arena, const char *name, struct fw_str text, enum fw_template_form form,
	struct fw_template **ret, struct fw_error *err);

/* What a text member of `send` is: "html" is HTML, "subject", "preheader", "from" and "reply_to" are header lines, and all others
 * plain text. Those of a table in a rule file may have tags; what a function makes is never read as a template. */
enum fw_template_form fw_template_form_of(struct fw_str member);

/* What renderings could not say: variables without a value and without a fallback. Begin with zeros; they are added to. */
enum { FW_TEMPLATE_GAPS = 16 };
struct fw_template_gaps {
	uint32_t n;             /* how many there were; of the first FW_TEMPLATE_GAPS is known which */
	struct fw_template_gap {
		struct fw_str name;
		const char *file;
		int line;
	} items[FW_TEMPLATE_GAPS]; /* the templates' own memory */
};

/* Appends the template with `data`, an object. `gaps` may be NULL. 0; FW_ELIMIT: more than FW_LIMIT_MESSAGE_PART_BYTES came out of
 * it, or it took more than FW_LIMIT_TEMPLATE_STEPS or nested deeper than FW_LIMIT_TEMPLATE_DEPTH (err has which template); FW_ENOMEM.
 * On failure nothing is appended. It allocates nothing but what `out` grows by. */
int fw_template_render(const struct fw_template *template, const struct fw_json *data, struct fw_buf *out,
	struct fw_template_gaps *gaps, struct fw_error *err);

/* A name that a template or one of its partials reads. */
struct fw_template_name {
	struct fw_str name; /* dotted: "traits.first_name" */
	const char *file;   /* as in messages: "templates/cart-reminder.html" */
	int line;
	bool from_top; /* read outside of every section: it can only be what the data has at its top */
	bool needed;   /* a variable without a fallback, read so */
};
/* The names, in the order in which they stand; each may come several times. */
const struct fw_template_name *fw_template_names(const struct fw_template *template, uint32_t *ret_n);
/* What these names make use of, as bits of enum fw_uses. Names read inside a section count if a fact is called so: what
 * cannot be told apart is taken as used. `set` knows the segments. */
unsigned fw_template_uses(const struct fw_template *template, const struct fw_ruleset *set);

#endif
