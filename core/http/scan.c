#include "http/parse.h"
#include "http/syntax.h"

/* Room for the longest method, the version and the blanks around the target. */
enum { REQUEST_LINE_REST = 24 };

static enum fw_http_progress too_long(const struct fw_http_scan *scan, struct fw_http_refusal *refusal)
{
	if (scan->lines == 0)
		return refuse(refusal, 414, FW_HTTP_REASON_URL_SIZE, "the request target is too long");
	return refuse(refusal, 431, FW_HTTP_REASON_HEADER_SIZE, "the headers are too large");
}

/* A line's bytes, its CR included and its LF not. */
static enum fw_http_progress check_line(const char *line, size_t n, const struct fw_http_scan *scan,
	struct fw_http_refusal *refusal)
{
	if (n == 0 || line[n - 1] != '\r')
		return refuse(refusal, 400, FW_HTTP_REASON_MALFORMED, "a line ends without a carriage return");
	if (n == 1)
		return scan->lines == 0 ? refuse(refusal, 400, FW_HTTP_REASON_MALFORMED, "the request line is empty")
		                        : FW_HTTP_DONE;
	if (line[0] == ' ' || line[0] == '\t')
		return refuse(refusal, 400, FW_HTTP_REASON_MALFORMED, "a line begins with a blank");
	return FW_HTTP_MORE;
}

static enum fw_http_progress begin(struct fw_http_scan *scan, const char *data, size_t n, struct fw_http_refusal *refusal)
{
	if (n >= 2 && data[0] == '\r' && data[1] == '\n')
		scan->start = scan->line = scan->at = 2;
	/* Whoever speaks another protocol is told at once rather than after the deadline. */
	if (scan->start < n && !is_token_char(data[scan->start]) && data[scan->start] != '\r')
		return refuse(refusal, 400, FW_HTTP_REASON_MALFORMED, "this is no HTTP request");
	return FW_HTTP_MORE;
}

enum fw_http_progress fw_http_scan_head(struct fw_http_scan *scan, const char *data, size_t n,
	const struct fw_http_limits *limits, struct fw_http_refusal *refusal)
{
	if (n == 0 || (n == 1 && data[0] == '\r'))
		return FW_HTTP_MORE;
	if (scan->at == scan->start && begin(scan, data, n, refusal) == FW_HTTP_BAD)
		return FW_HTTP_BAD;
	while (scan->at < n) {
		const char *lf = memchr(data + scan->at, '\n', n - scan->at);
		if (!lf)
			break;
		size_t length = (size_t)(lf - data) - scan->line;
		if (scan->lines == 0 && length > limits->url_bytes + REQUEST_LINE_REST)
			return too_long(scan, refusal);
		if ((size_t)(lf - data) + 1 - scan->start > limits->header_bytes)
			return too_long(scan, refusal);
		enum fw_http_progress r = check_line(data + scan->line, length, scan, refusal);
		scan->at = scan->line = (size_t)(lf - data) + 1;
		if (r == FW_HTTP_DONE)
			scan->end = scan->at;
		if (r != FW_HTTP_MORE)
			return r;
		if (++scan->lines > limits->headers + 1)
			return refuse(refusal, 431, FW_HTTP_REASON_HEADER_SIZE, "there are too many headers");
	}
	scan->at = n;
	size_t most = scan->lines == 0 ? limits->url_bytes + REQUEST_LINE_REST : limits->header_bytes;
	if (n - scan->start > most || n - scan->start > limits->header_bytes)
		return too_long(scan, refusal);
	return FW_HTTP_MORE;
}
