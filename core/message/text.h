/* The text part of a message, made from its HTML: for those who read mail as text. Headings, paragraphs, lists, quotations and tables keep
 * their lines; a link is "text (address)", a picture its `alt`; scripts, styles, comments and what is hidden are left out. */
#ifndef FW_MESSAGE_TEXT_H
#define FW_MESSAGE_TEXT_H

#include "base/buf.h"

/* Appends the text, in lines of at most FW_TEXT_COLUMNS characters unless a single word or address is longer, each ended by "\n". Any
 * bytes will do as HTML. 0; FW_ELIMIT: it makes more than FW_LIMIT_MESSAGE_PART_BYTES; FW_ENOMEM. On failure nothing is appended. */
int fw_text_from_html(struct fw_str html, struct fw_buf *out);
enum { FW_TEXT_COLUMNS = 78 };

#endif
