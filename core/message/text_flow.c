#include "message/text_flow.h"

#include <stdio.h>

#include "base/error.h"
#include "base/limits.h"
#include "message/text.h"

void fw_flow_init(struct fw_flow *f, struct fw_buf *out)
{
	*f = (struct fw_flow){ .out = out, .begin = out->n, .wraps = true };
}

static void put(struct fw_flow *f, const char *p, size_t n)
{
	if (n > (size_t)FW_LIMIT_MESSAGE_PART_BYTES - (f->out->n - f->begin))
		f->ret = FW_ELIMIT;
	if (f->ret == 0)
		fw_buf_add(f->out, p, n);
}

/* What stands before a line, into buf of 16 bytes a nest; marks of items are written once. */
static unsigned write_prefix(struct fw_flow *f, char *buf)
{
	unsigned n = 0;
	for (unsigned i = 0; i < f->depth; i++) {
		struct fw_flow_nest *nest = &f->nests[i];
		char mark[16] = "> ";
		if (!nest->quote && nest->due && nest->ordered)
			snprintf(mark, sizeof mark, "%d. ", nest->number);
		else if (!nest->quote)
			snprintf(mark, sizeof mark, "%*s", (int)nest->width, nest->due ? "- " : "");
		nest->due = false;
		memcpy(buf + n, mark, strlen(mark));
		n += (unsigned)strlen(mark);
	}
	return n;
}

static void begin_word(struct fw_flow *f)
{
	char prefix[16 * FW_FLOW_NESTED];
	bool empty = f->out->n == f->begin;
	f->first = empty || f->breaks > 0;
	for (unsigned i = 0; i < f->breaks && !empty; i++)
		put(f, "\n", 1);
	if (f->first) {
		f->column = write_prefix(f, prefix);
		put(f, prefix, f->column);
	} else if (f->space) {
		put(f, " ", 1);
		f->column++;
	}
	f->breaks = 0;
	f->space = false;
	f->in_word = true;
	f->word = f->out->n;
	for (int i = 0; i < FW_FLOW_MARKS; i++)
		if (f->since[i] == FW_FLOW_DUE)
			f->since[i] = f->word;
}

void fw_flow_begin(struct fw_flow *f, enum fw_flow_mark mark)
{
	f->since[mark] = f->in_word ? f->out->n : FW_FLOW_DUE;
}

struct fw_str fw_flow_since(const struct fw_flow *f, enum fw_flow_mark mark)
{
	size_t from = f->since[mark];
	return from < f->out->n ? (struct fw_str){ f->out->data + from, f->out->n - from } : (struct fw_str){ "", 0 };
}

void fw_flow_add(struct fw_flow *f, const char *p, size_t n, unsigned characters)
{
	if (!f->in_word)
		begin_word(f);
	put(f, p, n);
	f->column += characters;
}

static unsigned count_characters(const char *p, size_t n)
{
	unsigned characters = 0;
	for (size_t i = 0; i < n; i++)
		characters += (p[i] & 0xc0) != 0x80;
	return characters;
}

void fw_flow_word(struct fw_flow *f, struct fw_str text)
{
	if (text.n)
		fw_flow_add(f, text.p, text.n, count_characters(text.p, text.n));
}

/* A word that does not fit goes to a line of its own: the space before it becomes a line's end. */
void fw_flow_end_word(struct fw_flow *f)
{
	bool fits = !f->wraps || f->column <= FW_TEXT_COLUMNS;
	bool spaced = f->in_word && !f->first && f->word > f->begin && f->out->data[f->word - 1] == ' ';
	f->in_word = false;
	if (fits || !spaced || f->ret < 0 || f->out->failed)
		return;
	char prefix[16 * FW_FLOW_NESTED];
	size_t length = f->out->n - f->word;
	unsigned n = write_prefix(f, prefix);
	put(f, prefix, n); /* room for it */
	if (f->ret < 0 || f->out->failed)
		return;
	memmove(f->out->data + f->word + n, f->out->data + f->word, length);
	memcpy(f->out->data + f->word, prefix, n);
	f->out->data[f->word - 1] = '\n';
	f->column = n + count_characters(f->out->data + f->word + n, length);
	for (int i = 0; i < FW_FLOW_MARKS; i++)
		if (f->since[i] != FW_FLOW_DUE && f->since[i] >= f->word)
			f->since[i] += n;
}

void fw_flow_space(struct fw_flow *f)
{
	fw_flow_end_word(f);
	f->space = true;
}

void fw_flow_break(struct fw_flow *f, unsigned n)
{
	fw_flow_end_word(f);
	f->space = false;
	if (f->breaks < n)
		f->breaks = n;
}

void fw_flow_open(struct fw_flow *f, bool quote, bool ordered, int first)
{
	if (f->depth == FW_FLOW_NESTED) {
		f->deeper++;
		return;
	}
	f->nests[f->depth++] = (struct fw_flow_nest){ .quote = quote, .ordered = ordered, .number = first - 1, .width = quote ? 2 : 0 };
}

void fw_flow_close(struct fw_flow *f, bool quote)
{
	if (f->deeper > 0) {
		f->deeper--;
		return;
	}
	for (unsigned i = f->depth; i > 0; i--)
		if (f->nests[i - 1].quote == quote) {
			f->depth = i - 1;
			return;
		}
}

void fw_flow_item(struct fw_flow *f)
{
	fw_flow_break(f, 1);
	unsigned i = f->depth;
	while (i > 0 && f->nests[i - 1].quote)
		i--;
	if (i == 0 || f->deeper > 0)
		return;
	struct fw_flow_nest *nest = &f->nests[i - 1];
	char mark[16];
	nest->due = true;
	if (nest->number < 99999)
		nest->number++;
	nest->width = nest->ordered ? (unsigned)snprintf(mark, sizeof mark, "%d. ", nest->number) : 2;
}

void fw_flow_rule(struct fw_flow *f, char mark, unsigned n)
{
	fw_flow_break(f, 1);
	for (unsigned i = 0; i < n; i++)
		fw_flow_add(f, &mark, 1, 1);
	fw_flow_break(f, 2);
}
