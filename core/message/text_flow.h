/* Words become lines: wrapped, indented and set apart. Not for other rooms. */
#ifndef FW_MESSAGE_TEXT_FLOW_H
#define FW_MESSAGE_TEXT_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { FW_FLOW_NESTED = 12 }; /* lists and quotations in one another; deeper ones are not indented */

/* What indents the lines in it: an item of a list, or a quotation. */
struct fw_flow_nest {
	bool quote, ordered;
	int number;     /* of the item */
	unsigned width; /* of what stands before it */
	bool due;       /* the mark was not yet written */
};

/* Whose text's beginning is remembered. */
enum fw_flow_mark { FW_FLOW_LINK, FW_FLOW_HEADING, FW_FLOW_MARKS };

struct fw_flow {
	struct fw_buf *out;
	size_t begin;   /* where the text began */
	int ret;        /* FW_ELIMIT: it became too long */
	unsigned breaks; /* line ends that are due before the next word */
	bool space;     /* a space is due before it */
	bool wraps;
	bool in_word, first; /* a word is being written, and it is the first of its line */
	size_t word;    /* where it began */
	unsigned column;
	struct fw_flow_nest nests[FW_FLOW_NESTED];
	unsigned depth, deeper;
	size_t since[FW_FLOW_MARKS]; /* where it began; FW_FLOW_DUE: with the next word */
};
#define FW_FLOW_DUE SIZE_MAX

void fw_flow_init(struct fw_flow *f, struct fw_buf *out);
/* The bytes of a word, or of a part of one, that are so many characters. */
void fw_flow_add(struct fw_flow *f, const char *p, size_t n, unsigned characters);
void fw_flow_word(struct fw_flow *f, struct fw_str text);
void fw_flow_end_word(struct fw_flow *f);
void fw_flow_space(struct fw_flow *f);
/* What is written from here on is a link's, or a heading's. */
void fw_flow_begin(struct fw_flow *f, enum fw_flow_mark mark);
/* What was written since then. */
struct fw_str fw_flow_since(const struct fw_flow *f, enum fw_flow_mark mark);
/* At least so many line ends before the next word. */
void fw_flow_break(struct fw_flow *f, unsigned n);
/* A list or a quotation begins or ends; ends that fit nothing are passed over. */
void fw_flow_open(struct fw_flow *f, bool quote, bool ordered, int first);
void fw_flow_close(struct fw_flow *f, bool quote);
/* An item of the innermost list begins. */
void fw_flow_item(struct fw_flow *f);
/* A line of n marks. */
void fw_flow_rule(struct fw_flow *f, char mark, unsigned n);

#endif
