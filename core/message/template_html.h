/* Where in an HTML text a tag of a template stands: a reader of what is written around it. It follows the tokens of the HTML standard
 * (section 13.2.5) as far as they decide how a value must be escaped. Not for other rooms. */
#ifndef FW_MESSAGE_TEMPLATE_HTML_H
#define FW_MESSAGE_TEMPLATE_HTML_H

#include <stdbool.h>
#include <stddef.h>

enum fw_html_mode {
	FW_HTML_TEXT,
	FW_HTML_OPEN,         /* after "<" */
	FW_HTML_NAME,         /* in a tag's name */
	FW_HTML_TAG,          /* in a tag, between its attributes */
	FW_HTML_ATTRIBUTE,    /* in an attribute's name */
	FW_HTML_EQUALS,       /* behind that name */
	FW_HTML_BEFORE_VALUE, /* behind "=" */
	FW_HTML_VALUE,        /* in quotes */
	FW_HTML_BARE_VALUE,
	FW_HTML_MARKUP,       /* after "<!" */
	FW_HTML_DECLARATION,  /* up to ">": a doctype, and both ends of a conditional comment, whose content is read as HTML */
	FW_HTML_COMMENT_OPEN, /* right behind "<!--" */
	FW_HTML_COMMENT,
	FW_HTML_RAW,          /* in script or style */
};

/* What an attribute's value is. */
enum fw_html_value { FW_HTML_PLAIN, FW_HTML_URL, FW_HTML_CSS, FW_HTML_CODE };

struct fw_html {
	enum fw_html_mode mode;
	enum fw_html_value value; /* of the attribute; in FW_HTML_RAW: of the element */
	char quote;
	bool closing;             /* the tag began with "</" */
	unsigned dashes;          /* that were just read, of a comment */
	unsigned n;
	char word[16];            /* the name being read, folded; longer ones are cut off and mean nothing */
	enum fw_html_value raw;   /* FW_HTML_CSS, FW_HTML_CODE: the tag's content is no HTML */
};

/* Reads on. Stops behind the quote that opens an address, else at the end; returns how many bytes were read. */
size_t fw_html_read(struct fw_html *h, const char *p, size_t n);
/* A tag of the template stands here. It ends what was being read of a name. */
void fw_html_interrupt(struct fw_html *h);
/* Both are the same place, so that it makes no difference which of two ways led there. */
bool fw_html_same(const struct fw_html *a, const struct fw_html *b);
/* "in an attribute", for people. */
const char *fw_html_place(const struct fw_html *h);

#endif
