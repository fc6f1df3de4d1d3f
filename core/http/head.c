#include "http/parse.h"

#include <http_parser.h>

#include "http/syntax.h"
#include "http/uri.h"

static const char *const method_names[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

const char *fw_http_method_name(enum fw_http_method method)
{
	return method_names[method];
}

const char *fw_http_reason_name(enum fw_http_reason reason)
{
	static const char *const names[] = { "malformed", "ambiguous", "timeout", "body_size", "url_size", "encoding",
		"expectation", "header_size", "not_served", "overload" };
	return names[reason];
}

struct reading {
	struct fw_http_head *head;
	struct fw_http_refusal *refusal;
	unsigned room; /* for fields */
	unsigned ends;
	bool in_value;
	unsigned n_hosts, n_lengths, n_encodings, n_transfers;
	struct fw_str target, encoding, expect;
};

static enum fw_http_progress malformed(struct reading *r, const char *message)
{
	return refuse(r->refusal, 400, FW_HTTP_REASON_MALFORMED, message);
}

static enum fw_http_progress ambiguous(struct reading *r, const char *message)
{
	return refuse(r->refusal, 400, FW_HTTP_REASON_AMBIGUOUS, message);
}

/* The request line, which http-parser takes in more forms than one: "METHOD target HTTP/1.x", single blanks. */
static enum fw_http_progress read_request_line(struct reading *r, const char *line, size_t n,
	const struct fw_http_limits *limits)
{
	const char *blank = memchr(line, ' ', n);
	struct fw_str method = { line, blank ? (size_t)(blank - line) : n };
	if (!blank || !is_token(method))
		return malformed(r, "the request line is malformed");
	const char *version = line + n - 8;
	if (version <= blank + 1 || version[-1] != ' ' || memcmp(version, "HTTP/", 5) != 0 || version[6] != '.')
		return malformed(r, "the request line is malformed");
	r->target = (struct fw_str){ blank + 1, (size_t)(version - 1 - (blank + 1)) };
	for (size_t i = 0; i < r->target.n; i++) {
		if ((unsigned char)r->target.p[i] <= ' ' || (unsigned char)r->target.p[i] >= 0x7f || r->target.p[i] == '#')
			return malformed(r, "the request target has characters that must be escaped");
	}
	if (r->target.n == 0)
		return malformed(r, "the request line is malformed");
	if (r->target.n > limits->url_bytes)
		return refuse(r->refusal, 414, FW_HTTP_REASON_URL_SIZE, "the request target is too long");
	if (version[5] != '1' || (version[7] != '0' && version[7] != '1'))
		return refuse(r->refusal, 505, FW_HTTP_REASON_NOT_SERVED, "only HTTP/1.0 and HTTP/1.1 are spoken here");
	r->head->minor = (unsigned)(version[7] - '0');
	for (unsigned i = 0; i < FW_HTTP_METHODS; i++) {
		if (fw_str_is(method, method_names[i])) {
			r->head->method = (enum fw_http_method)i;
			return FW_HTTP_DONE;
		}
	}
	return refuse(r->refusal, 501, FW_HTTP_REASON_NOT_SERVED, "this method is not served");
}

static int on_field(http_parser *p, const char *at, size_t n)
{
	struct reading *r = p->data;
	struct fw_http_head *h = r->head;
	if (h->n_fields == 0 || r->in_value) {
		if (h->n_fields == r->room)
			return 1;
		h->fields[h->n_fields++] = (struct fw_http_field){ { at, 0 }, { at, 0 } };
	}
	h->fields[h->n_fields - 1].name.n += n;
	r->in_value = false;
	return 0;
}

static int on_value(http_parser *p, const char *at, size_t n)
{
	struct reading *r = p->data;
	struct fw_str *value = &r->head->fields[r->head->n_fields - 1].value;
	if (!r->in_value)
		*value = (struct fw_str){ at, 0 };
	value->n += n;
	r->in_value = true;
	return 0;
}

static int on_headers_complete(http_parser *p)
{
	struct reading *r = p->data;
	r->ends++;
	r->head->keep_alive = http_should_keep_alive(p);
	return 1; /* the body is not its business */
}

static const http_parser_settings settings = {
	.on_header_field = on_field, .on_header_value = on_value, .on_headers_complete = on_headers_complete,
};

static enum fw_http_progress run_parser(struct reading *r, const char *head, size_t n)
{
	http_parser p;
	http_parser_init(&p, HTTP_REQUEST);
	p.data = r;
	http_parser_execute(&p, &settings, head, n);
	switch (HTTP_PARSER_ERRNO(&p)) {
	case HPE_OK:
		return r->ends == 1 ? FW_HTTP_DONE : malformed(r, "the headers are malformed");
	case HPE_UNEXPECTED_CONTENT_LENGTH:
	case HPE_INVALID_CONTENT_LENGTH:
	case HPE_INVALID_TRANSFER_ENCODING:
		return ambiguous(r, "the length of the body is ambiguous");
	case HPE_INVALID_URL:
		return malformed(r, "the request target is malformed");
	default:
		return malformed(r, "the headers are malformed");
	}
}

/* "example.org", "[::1]:8080"; empty is allowed where a request has no authority. */
static bool host_valid(struct fw_str host)
{
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];
		bool name = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':'; /* nearly all */
		if (!name && (strchr("#^`|", c) || (!is_token_char(c) && !strchr(":[]();=", c))))
			return false;
	}
	return true;
}

/* Absolute form is served when its authority is the Host it came with; then there is only one reading. */
static enum fw_http_progress read_target(struct reading *r)
{
	struct fw_http_head *h = r->head;
	struct fw_str t = r->target;
	if (fw_str_is(t, "*") && h->method == FW_HTTP_OPTIONS) {
		h->path = t;
		return FW_HTTP_DONE;
	}
	if (t.p[0] != '/') {
		size_t scheme = t.n > 7 && fw_str_equal_fold((struct fw_str){ t.p, 7 }, FW_STR("http://"))    ? 7
		                : t.n > 8 && fw_str_equal_fold((struct fw_str){ t.p, 8 }, FW_STR("https://")) ? 8
		                                                                                              : 0;
		if (scheme == 0)
			return malformed(r, "the request target is no path");
		t = (struct fw_str){ t.p + scheme, t.n - scheme };
		size_t n = 0;
		while (n < t.n && t.p[n] != '/' && t.p[n] != '?')
			n++;
		if (!h->host.p || !fw_str_equal_fold((struct fw_str){ t.p, n }, h->host))
			return ambiguous(r, "the request target names another host than the Host header");
		t = (struct fw_str){ t.p + n, t.n - n };
	}
	const char *mark = t.n ? memchr(t.p, '?', t.n) : NULL;
	h->path = (struct fw_str){ t.p, mark ? (size_t)(mark - t.p) : t.n };
	if (mark)
		h->query = (struct fw_str){ mark + 1, t.n - h->path.n - 1 };
	if (h->path.n == 0)
		h->path = FW_STR("/");
	return FW_HTTP_DONE;
}

static bool read_length(struct fw_str text, uint64_t *ret)
{
	uint64_t v = 0;
	if (text.n == 0 || text.n > 18)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(text.p[i] - '0');
	}
	*ret = v;
	return true;
}

/* Remembers the headers that this server acts upon. */
static enum fw_http_progress note_field(struct reading *r, const struct fw_http_field *f)
{
	struct fw_http_head *h = r->head;
	switch (f->name.n) {
	case 4:
		if (fw_str_equal_fold(f->name, FW_STR("host"))) {
			h->host = f->value;
			r->n_hosts++;
		}
		break;
	case 6:
		if (fw_str_equal_fold(f->name, FW_STR("expect")))
			r->expect = f->value;
		break;
	case 11:
		if (fw_str_equal_fold(f->name, FW_STR("traceparent")) && fw_traceparent_valid(f->value))
			h->traceparent = f->value;
		break;
	case 14:
		if (!fw_str_equal_fold(f->name, FW_STR("content-length")))
			break;
		if (r->n_lengths++ || !read_length(f->value, &h->content_length))
			return ambiguous(r, "the Content-Length is not one plain number");
		break;
	case 16:
		if (fw_str_equal_fold(f->name, FW_STR("content-encoding"))) {
			r->encoding = f->value;
			r->n_encodings++;
		}
		break;
	case 17:
		if (!fw_str_equal_fold(f->name, FW_STR("transfer-encoding")))
			break;
		if (r->n_transfers++ || !fw_str_equal_fold(f->value, FW_STR("chunked")))
			return ambiguous(r, "the only transfer coding served is chunked");
		h->chunked = true;
		break;
	default:
		break;
	}
	return FW_HTTP_DONE;
}

static struct fw_str trim(struct fw_str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s.p++, s.n--;
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static enum fw_http_progress read_fields(struct reading *r)
{
	struct fw_http_head *h = r->head;
	for (unsigned i = 0; i < h->n_fields; i++) {
		struct fw_http_field *f = &h->fields[i];
		if (!is_token(f->name))
			return malformed(r, "a header's name is malformed");
		for (size_t k = 0; k < f->value.n; k++) {
			if (is_control(f->value.p[k]) && f->value.p[k] != '\t')
				return malformed(r, "a header has a control character");
		}
		f->value = trim(f->value);
		if (note_field(r, f) == FW_HTTP_BAD)
			return FW_HTTP_BAD;
	}
	if (h->chunked && r->n_lengths)
		return ambiguous(r, "Content-Length and Transfer-Encoding exclude each other");
	if (h->chunked && h->minor == 0)
		return ambiguous(r, "HTTP/1.0 has no transfer codings");
	if (r->n_hosts > 1 || (r->n_hosts == 0 && h->minor == 1))
		return ambiguous(r, "a request has one Host header");
	if (!host_valid(h->host))
		return ambiguous(r, "the Host header is malformed");
	return FW_HTTP_DONE;
}

/* What is well-formed and still not served. */
static enum fw_http_progress read_wishes(struct reading *r)
{
	struct fw_http_head *h = r->head;
	h->gzip = fw_str_equal_fold(r->encoding, FW_STR("gzip"));
	if (r->n_encodings > 1 || (r->encoding.n && !h->gzip && !fw_str_equal_fold(r->encoding, FW_STR("identity"))))
		return refuse(r->refusal, 415, FW_HTTP_REASON_ENCODING, "the only content coding accepted is gzip");
	h->expect_continue = h->minor == 1 && fw_str_equal_fold(r->expect, FW_STR("100-continue"));
	if (r->expect.n && h->minor == 1 && !h->expect_continue)
		return refuse(r->refusal, 417, FW_HTTP_REASON_EXPECTATION, "this expectation cannot be met");
	return FW_HTTP_DONE;
}

enum fw_http_progress fw_http_parse_head(const char *head, size_t n, const struct fw_http_limits *limits,
	struct fw_http_field *fields, unsigned room, struct fw_http_head *ret, struct fw_http_refusal *refusal)
{
	*ret = (struct fw_http_head){ .fields = fields };
	struct reading r = { .head = ret, .refusal = refusal, .room = room };
	const char *cr = memchr(head, '\r', n);
	if (!cr || cr - head < 8 || cr[1] != '\n')
		return malformed(&r, "the request line is malformed");
	if (read_request_line(&r, head, (size_t)(cr - head), limits) == FW_HTTP_BAD || run_parser(&r, head, n) == FW_HTTP_BAD
	    || read_fields(&r) == FW_HTTP_BAD || read_target(&r) == FW_HTTP_BAD || read_wishes(&r) == FW_HTTP_BAD)
		return FW_HTTP_BAD;
	return FW_HTTP_DONE;
}
