#include "http/parse.h"
#include "http/syntax.h"

/* http-parser is not used here: as Debian builds it, any two bytes may end a chunk. */

enum { LENGTH, SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, TRAILER_LF };

static enum fw_http_progress too_large(struct fw_http_refusal *refusal)
{
	return refuse(refusal, 413, FW_HTTP_REASON_BODY_SIZE, "the body is too large");
}

static enum fw_http_progress malformed(struct fw_http_refusal *refusal)
{
	return refuse(refusal, 400, FW_HTTP_REASON_MALFORMED, "the chunked body is malformed");
}

enum fw_http_progress fw_http_body_begin(struct fw_http_body *body, const struct fw_http_head *head,
	const struct fw_http_limits *limits, struct fw_http_refusal *refusal)
{
	*body = (struct fw_http_body){ .state = head->chunked ? SIZE : LENGTH, .left = head->content_length };
	if (head->chunked)
		return FW_HTTP_MORE;
	if (head->content_length > limits->body_bytes)
		return too_large(refusal);
	return head->content_length == 0 ? FW_HTTP_DONE : FW_HTTP_MORE;
}

static enum fw_http_progress take_size(struct fw_http_body *b, char c, const struct fw_http_limits *limits,
	struct fw_http_refusal *refusal)
{
	int digit = hex_value(c);
	if (digit >= 0) {
		if (++b->digits > 15)
			return malformed(refusal);
		b->left = b->left << 4 | (uint64_t)digit;
		return FW_HTTP_MORE;
	}
	if (b->digits == 0 || (c != '\r' && c != ';'))
		return malformed(refusal);
	if (b->left > limits->body_bytes - b->taken)
		return too_large(refusal);
	b->state = c == ';' ? EXTENSION : SIZE_LF;
	return FW_HTTP_MORE;
}

/* A byte of an extension or a trailer: looked at, then dropped. */
static enum fw_http_progress take_extra(struct fw_http_body *b, char c, int at_cr, const struct fw_http_limits *limits,
	struct fw_http_refusal *refusal)
{
	if (c == '\r') {
		b->state = at_cr;
		return FW_HTTP_MORE;
	}
	if ((is_control(c) && c != '\t') || (b->state == TRAILER && b->line_empty && !is_token_char(c)))
		return malformed(refusal);
	b->line_empty = false;
	if (++b->extra > limits->header_bytes)
		return refuse(refusal, 431, FW_HTTP_REASON_HEADER_SIZE, "the trailers or chunk extensions are too large");
	return FW_HTTP_MORE;
}

static enum fw_http_progress expect(struct fw_http_body *b, char c, char wanted, int next, struct fw_http_refusal *refusal)
{
	if (c != wanted)
		return malformed(refusal);
	b->state = next;
	return FW_HTTP_MORE;
}

static enum fw_http_progress take_byte(struct fw_http_body *b, char c, const struct fw_http_limits *limits,
	struct fw_http_refusal *refusal)
{
	switch (b->state) {
	case SIZE:
		return take_size(b, c, limits, refusal);
	case EXTENSION:
		return take_extra(b, c, SIZE_LF, limits, refusal);
	case SIZE_LF:
		b->line_empty = true;
		return expect(b, c, '\n', b->left ? DATA : TRAILER, refusal);
	case DATA_CR:
		return expect(b, c, '\r', DATA_LF, refusal);
	case DATA_LF:
		b->digits = 0;
		return expect(b, c, '\n', SIZE, refusal);
	case TRAILER:
		return take_extra(b, c, TRAILER_LF, limits, refusal);
	default: /* TRAILER_LF */
		if (c == '\n' && b->line_empty)
			return FW_HTTP_DONE;
		b->line_empty = true;
		return expect(b, c, '\n', TRAILER, refusal);
	}
}

enum fw_http_progress fw_http_body_feed(struct fw_http_body *b, const char *data, size_t n, size_t *ret_used,
	struct fw_str *ret_piece, const struct fw_http_limits *limits, struct fw_http_refusal *refusal)
{
	size_t at = 0;
	enum fw_http_progress r = FW_HTTP_MORE;
	*ret_piece = (struct fw_str){ data, 0 };
	while (at < n && r == FW_HTTP_MORE && b->state != LENGTH && b->state != DATA)
		r = take_byte(b, data[at++], limits, refusal);
	if (r == FW_HTTP_MORE && at < n) {
		size_t take = n - at < b->left ? n - at : (size_t)b->left;
		*ret_piece = (struct fw_str){ data + at, take };
		at += take;
		b->left -= take;
		b->taken += take;
		if (b->left == 0 && b->state == LENGTH)
			r = FW_HTTP_DONE;
		else if (b->left == 0)
			b->state = DATA_CR;
	}
	*ret_used = at;
	return r;
}
