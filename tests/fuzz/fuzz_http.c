/* Requests, one after another. However the bytes are cut, the same requests are found, with the same parts and bodies, and
 * the same refusal: a reader that depends on where packets end can be led astray. The first byte seeds the cuts. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "http/parse.h"
#include "http/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { FIELDS = 24 };

struct cuts {
	uint64_t state; /* 0: never cut */
};

static size_t next_cut(struct cuts *c, size_t n)
{
	if (c->state == 0)
		return n;
	c->state ^= c->state << 13;
	c->state ^= c->state >> 7;
	c->state ^= c->state << 17;
	size_t size = 1 + c->state % (c->state & 64 ? 4 : 100);
	return size < n ? size : n;
}

static void mix(uint64_t *digest, const void *p, size_t n)
{
	*digest = *digest * 31 + fw_hash(p, n) + n;
}

static void mix_text(uint64_t *digest, struct fw_str s)
{
	mix(digest, s.p ? s.p : "", s.n);
}

static void mix_refusal(uint64_t *digest, const struct fw_http_refusal *r)
{
	if (r->status < 400 || r->status > 505 || r->reason >= FW_HTTP_REASONS || !r->message)
		abort();
	mix(digest, &r->status, sizeof r->status);
	mix(digest, r->message, strlen(r->message));
}

static void mix_head(uint64_t *digest, const struct fw_http_head *h)
{
	mix_text(digest, h->path);
	mix_text(digest, h->query);
	mix_text(digest, h->host);
	for (unsigned i = 0; i < h->n_fields; i++) {
		mix_text(digest, h->fields[i].name);
		mix_text(digest, h->fields[i].value);
		if (h->fields[i].name.n == 0 || memchr(h->fields[i].value.p, '\n', h->fields[i].value.n))
			abort();
	}
	uint64_t rest[] = { h->method, h->minor, h->keep_alive, h->chunked, h->gzip, h->expect_continue, h->content_length };
	mix(digest, rest, sizeof rest);
	char path[512];
	size_t n;
	if (h->path.n <= sizeof path && fw_uri_decode_path(h->path, path, &n)) {
		if (n > h->path.n || memchr(path, '\0', n))
			abort();
		mix(digest, path, n);
	}
}

/* Takes a body; returns the bytes used, and in *ret_whole whether it was all there. */
static size_t take_body(const char *data, size_t n, const struct fw_http_head *head, const struct fw_http_limits *limits,
	struct cuts *cuts, uint64_t *digest, bool *ret_whole)
{
	struct fw_http_body body;
	struct fw_http_refusal refusal;
	enum fw_http_progress r = fw_http_body_begin(&body, head, limits, &refusal);
	uint64_t sum = 0;
	size_t at = 0, total = 0;
	while (r == FW_HTTP_MORE && at < n) {
		struct fw_str piece;
		size_t used, give = next_cut(cuts, n - at);
		r = fw_http_body_feed(&body, data + at, give, &used, &piece, limits, &refusal);
		if (used == 0 || used > give || piece.n > used)
			abort();
		for (size_t i = 0; i < piece.n; i++)
			sum = sum * 131 + (unsigned char)piece.p[i];
		total += piece.n;
		at += used;
	}
	if (total > limits->body_bytes)
		abort();
	mix(digest, &sum, sizeof sum);
	mix(digest, &total, sizeof total);
	if (r == FW_HTTP_BAD)
		mix_refusal(digest, &refusal);
	*ret_whole = r == FW_HTTP_DONE;
	return at;
}

/* Everything that was found, as one number. */
static uint64_t read_all(const char *data, size_t n, struct cuts cuts)
{
	struct fw_http_limits limits;
	struct fw_http_field fields[FIELDS];
	struct fw_http_refusal refusal;
	uint64_t digest = 0;
	fw_http_limits_default(&limits);
	limits.headers = FIELDS - 1;
	limits.header_bytes = 1024;
	limits.url_bytes = 256;
	limits.body_bytes = 2000;
	for (bool whole = true; whole && n > 0;) {
		struct fw_http_scan scan = { 0 };
		struct fw_http_head head;
		enum fw_http_progress r = FW_HTTP_MORE;
		for (size_t given = 0; r == FW_HTTP_MORE && given < n;) {
			given += next_cut(&cuts, n - given);
			r = fw_http_scan_head(&scan, data, given, &limits, &refusal);
		}
		if (r == FW_HTTP_DONE)
			r = fw_http_parse_head(data + scan.start, scan.end - scan.start, &limits, fields, scan.lines, &head, &refusal);
		if (r == FW_HTTP_BAD)
			mix_refusal(&digest, &refusal);
		if (r != FW_HTTP_DONE)
			return digest;
		mix_head(&digest, &head);
		data += scan.end;
		n -= scan.end;
		size_t used = take_body(data, n, &head, &limits, &cuts, &digest, &whole);
		data += used;
		n -= used;
	}
	return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0)
		return 0;
	const char *text = (const char *)data + 1;
	uint64_t once = read_all(text, n - 1, (struct cuts){ 0 });
	if (read_all(text, n - 1, (struct cuts){ data[0] * UINT64_C(0x9e3779b97f4a7c15) + 1 }) != once)
		abort();
	return 0;
}
