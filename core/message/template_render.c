#include "message/template_own.h"

/* What a partial is indented by, with what indents the one that includes it. */
enum { INDENTED_BYTES = 1024 };

struct renderer {
	struct fw_rendering out;
	const struct fw_json *stack[FW_LIMIT_TEMPLATE_DEPTH + 1]; /* the data, and what sections have put upon it */
	uint32_t n_stack;
	uint32_t depth; /* of sections and partials */
	uint32_t steps;
	char indent[INDENTED_BYTES];
	size_t n_indent;
	struct fw_template_gaps *gaps;
	struct fw_error *err;
};

static int fail(struct renderer *r, const struct fw_template *t, const char *what, int most)
{
	return fw_fail(r->err, FW_ELIMIT, t->file, 0, "rendering it %s %d", what, most);
}

static int step(struct renderer *r, const struct fw_template *t, uint32_t n)
{
	r->steps += n;
	return r->steps <= FW_LIMIT_TEMPLATE_STEPS ? 0 : fail(r, t, "takes more steps than", FW_LIMIT_TEMPLATE_STEPS);
}

static const struct fw_json *member(struct renderer *r, const struct fw_json *object, struct fw_str name)
{
	if (!object || object->type != FW_JSON_OBJECT)
		return NULL;
	r->steps += object->count;
	return fw_json_member(object, name);
}

/* The innermost that has the name's first part; the other parts are looked up in that alone. NULL: no value. */
static const struct fw_json *look_up(struct renderer *r, const struct fw_piece *piece)
{
	const struct fw_json *found = NULL;
	if (piece->n_parts == 0)
		return r->stack[r->n_stack - 1];
	for (uint32_t i = r->n_stack; i > 0 && !found; i--)
		found = member(r, r->stack[i - 1], piece->parts[0]);
	for (uint32_t i = 1; i < piece->n_parts && found; i++)
		found = member(r, found, piece->parts[i]);
	return found;
}

static bool is_true(const struct fw_json *v)
{
	if (!v)
		return false;
	switch (v->type) {
	case FW_JSON_NULL: return false;
	case FW_JSON_BOOL: return v->boolean;
	case FW_JSON_NUMBER: return v->number < 0 || v->number > 0;
	case FW_JSON_STRING: return v->string.n > 0;
	case FW_JSON_ARRAY: return v->child != NULL;
	case FW_JSON_OBJECT: return true;
	}
	return false;
}

/* A plain value as text; false: it is none, or empty. `buf` holds 32. */
static bool plain_text(const struct fw_json *v, char *buf, struct fw_str *ret)
{
	switch (v->type) {
	case FW_JSON_STRING: *ret = v->string; break;
	case FW_JSON_NUMBER: *ret = v->string.n ? v->string : (struct fw_str){ buf, fw_number_text(v->number, buf) }; break;
	case FW_JSON_BOOL: *ret = v->boolean ? FW_STR("true") : FW_STR("false"); break;
	default: return false;
	}
	return ret->n > 0;
}

/* The plain values of a list with commas between; false: there is none. */
static bool write_list(struct renderer *r, const struct fw_piece *piece, const struct fw_json *list)
{
	bool any = false;
	for (const struct fw_json *v = list->child; v; v = v->next) {
		char buf[32];
		struct fw_str text;
		r->steps++;
		if (!plain_text(v, buf, &text))
			continue;
		if (any)
			fw_write_value(&r->out, piece->write, FW_STR(", "));
		fw_write_value(&r->out, piece->write, text);
		any = true;
	}
	return any;
}

static void note_gap(struct renderer *r, const struct fw_template *t, const struct fw_piece *piece)
{
	struct fw_template_gaps *gaps = r->gaps;
	if (!gaps || piece->write == FW_WRITE_NOTHING)
		return;
	if (gaps->n < FW_TEMPLATE_GAPS)
		gaps->items[gaps->n] = (struct fw_template_gap){ piece->name, t->file, piece->line };
	gaps->n++;
}

static void write_variable(struct renderer *r, const struct fw_template *t, const struct fw_piece *piece)
{
	const struct fw_json *v = look_up(r, piece);
	char buf[32];
	struct fw_str text;
	if (v && plain_text(v, buf, &text)) {
		fw_write_value(&r->out, piece->write, text);
		return;
	}
	if (v && v->type == FW_JSON_ARRAY && write_list(r, piece, v))
		return;
	if (piece->has_fallback)
		fw_write_value(&r->out, piece->write, piece->text);
	else
		note_gap(r, t, piece);
}

static int render(struct renderer *r, const struct fw_template *t, uint32_t from, uint32_t to);

static int render_inside(struct renderer *r, const struct fw_template *t, uint32_t from, uint32_t to)
{
	if (r->depth == FW_LIMIT_TEMPLATE_DEPTH)
		return fail(r, t, "nests deeper than", FW_LIMIT_TEMPLATE_DEPTH);
	r->depth++;
	int ret = render(r, t, from, to);
	r->depth--;
	return ret;
}

static int render_once(struct renderer *r, const struct fw_template *t, uint32_t at, const struct fw_json *value)
{
	r->stack[r->n_stack++] = value;
	int ret = render_inside(r, t, at + 1, t->pieces[at].end);
	r->n_stack--;
	return ret == 0 ? step(r, t, 1) : ret;
}

static int render_section(struct renderer *r, const struct fw_template *t, uint32_t at)
{
	const struct fw_json *v = look_up(r, &t->pieces[at]);
	if (!is_true(v))
		return 0;
	if (v->type != FW_JSON_ARRAY)
		return render_once(r, t, at, v);
	int ret = 0;
	for (const struct fw_json *item = v->child; item && ret == 0; item = item->next)
		ret = render_once(r, t, at, item);
	return ret;
}

static int render_partial(struct renderer *r, const struct fw_template *t, const struct fw_piece *piece)
{
	if (!piece->partial)
		return 0;
	if (r->n_indent + piece->text.n > sizeof r->indent)
		return fail(r, t, "is indented by more than", INDENTED_BYTES);
	if (piece->text.n)
		memcpy(r->indent + r->n_indent, piece->text.p, piece->text.n);
	r->n_indent += piece->text.n;
	int ret = render_inside(r, piece->partial, 0, piece->partial->n_pieces);
	r->n_indent -= piece->text.n;
	return ret;
}

static int render_piece(struct renderer *r, const struct fw_template *t, uint32_t at)
{
	const struct fw_piece *piece = &t->pieces[at];
	switch (piece->kind) {
	case FW_PIECE_TEXT:
		if (piece->write == FW_WRITE_HEADER)
			fw_write_value(&r->out, FW_WRITE_HEADER, piece->text);
		else
			fw_write_bytes(&r->out, piece->text.p, piece->text.n);
		return 0;
	case FW_PIECE_INDENT: fw_write_bytes(&r->out, r->indent, r->n_indent); return 0;
	case FW_PIECE_ADDRESS: r->out.address = r->out.out->n; return 0;
	case FW_PIECE_VARIABLE: write_variable(r, t, piece); return 0;
	case FW_PIECE_SECTION: return render_section(r, t, at);
	case FW_PIECE_INVERTED: return is_true(look_up(r, piece)) ? 0 : render_inside(r, t, at + 1, piece->end);
	case FW_PIECE_PARTIAL: return render_partial(r, t, piece);
	}
	return 0;
}

static int render(struct renderer *r, const struct fw_template *t, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to;) {
		const struct fw_piece *piece = &t->pieces[i];
		int ret = render_piece(r, t, i);
		if (ret == 0)
			ret = step(r, t, 1);
		if (ret == 0 && r->out.ret < 0)
			ret = fail(r, t, "makes more bytes than", FW_LIMIT_MESSAGE_PART_BYTES);
		if (ret < 0)
			return ret;
		i = piece->kind == FW_PIECE_SECTION || piece->kind == FW_PIECE_INVERTED ? piece->end : i + 1;
	}
	return 0;
}

int fw_template_render(const struct fw_template *template, const struct fw_json *data, struct fw_buf *out,
	struct fw_template_gaps *gaps, struct fw_error *err)
{
	struct renderer r = { .out = { .out = out, .begin = out->n }, .stack = { data }, .n_stack = 1, .gaps = gaps, .err = err };
	int ret = render(&r, template, 0, template->n_pieces);
	if (ret == 0 && out->failed)
		ret = fw_fail(err, FW_ENOMEM, template->file, 0, "out of memory");
	if (ret < 0)
		out->n = r.out.begin;
	return ret;
}
