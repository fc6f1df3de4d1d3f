#include "http/internal.h"

#include <time.h>


static const char *phrase(int status)
{
	switch (status) {
	case 200: return "OK";
	case 201: return "Created";
	case 202: return "Accepted";
	case 204: return "No Content";
	case 206: return "Partial Content";
	case 301: return "Moved Permanently";
	case 302: return "Found";
	case 303: return "See Other";
	case 304: return "Not Modified";
	case 307: return "Temporary Redirect";
	case 308: return "Permanent Redirect";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 406: return "Not Acceptable";
	case 408: return "Request Timeout";
	case 409: return "Conflict";
	case 410: return "Gone";
	case 411: return "Length Required";
	case 412: return "Precondition Failed";
	case 413: return "Content Too Large";
	case 414: return "URI Too Long";
	case 415: return "Unsupported Media Type";
	case 417: return "Expectation Failed";
	case 421: return "Misdirected Request";
	case 422: return "Unprocessable Content";
	case 429: return "Too Many Requests";
	case 431: return "Request Header Fields Too Large";
	case 500: return "Internal Server Error";
	case 501: return "Not Implemented";
	case 502: return "Bad Gateway";
	case 503: return "Service Unavailable";
	case 504: return "Gateway Timeout";
	case 505: return "HTTP Version Not Supported";
	default: return "Unknown";
	}
}

static char *put(char *at, const char *text, size_t n)
{
	memcpy(at, text, n);
	return at + n;
}

#define PUT(at, literal) put((at), (literal), sizeof(literal) - 1)

static char *put_number(char *at, size_t v)
{
	char digits[24];
	return put(at, digits, fw_whole_text((int64_t)v, digits));
}

static char *put_two(char *at, int v)
{
	*at++ = (char)('0' + v / 10);
	*at++ = (char)('0' + v % 10);
	return at;
}

/* The Date and Server lines, made once a second (RFC 9110, 5.6.7). */
static void renew_date(struct fw_http_server *s, int64_t now_s)
{
	static const char days[7][4] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int year, month, day, second = (int)(now_s % 86400);
	int64_t today = now_s / 86400;
	fw_civil_from_days(today, &year, &month, &day);
	char *at = PUT(s->date, "Date: ");
	at = put(at, days[fw_weekday(today)], 3);
	at = put_two(PUT(at, ", "), day);
	*at++ = ' ';
	at = put(at, months[month - 1], 3);
	*at++ = ' ';
	at = put_two(put_two(at, year / 100 % 100), year % 100);
	at = put_two(PUT(at, " "), second / 3600);
	at = put_two(PUT(at, ":"), second / 60 % 60);
	at = put_two(PUT(at, ":"), second % 60);
	at = PUT(at, " GMT\r\nServer: floorwalker\r\n");
	s->date_n = (size_t)(at - s->date);
	s->date_s = now_s;
}

static char *put_status(char *at, int status)
{
	const char *why = phrase(status);
	at = PUT(at, "HTTP/1.1 ");
	*at++ = (char)('0' + status / 100 % 10);
	at = put_two(at, status % 100);
	*at++ = ' ';
	return PUT(put(at, why, strlen(why)), "\r\n");
}

enum { FIXED_BYTES = 300 };

/* Its status and date, with room for all of the answer. NULL: out of memory. */
static char *begin_head(struct fw_buf *to, const struct fw_http_request *req, int status, size_t more)
{
	struct fw_http_server *s = req->server;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (now.tv_sec != s->date_s)
		renew_date(s, now.tv_sec);
	size_t extra = 0;
	for (const struct reply_header *h = req->headers; h; h = h->next)
		extra += h->n;
	char *at = fw_buf_reserve(to, FIXED_BYTES + extra + req->head.traceparent.n + more);
	return at ? put(put_status(at, status), s->date, s->date_n) : NULL;
}

static char *end_head(char *at, const struct fw_http_request *req)
{
	if (req->head.traceparent.n)
		at = PUT(put(PUT(at, "traceparent: "), req->head.traceparent.p, req->head.traceparent.n), "\r\n");
	for (const struct reply_header *h = req->headers; h; h = h->next)
		at = put(at, h->line, h->n);
	return PUT(at, "\r\n");
}

static char *put_type(char *at, const char *content_type, size_t n)
{
	return n ? PUT(put(PUT(at, "Content-Type: "), content_type, n), "\r\n") : at;
}

void write_endless(struct fw_buf *to, const struct fw_http_request *req, const char *content_type)
{
	size_t type_n = strlen(content_type);
	char *at = begin_head(to, req, 200, type_n);
	if (!at)
		return;
	at = PUT(put_type(at, content_type, type_n), "Connection: close\r\n");
	to->n = (size_t)(end_head(at, req) - to->data);
}

void write_answer(struct fw_buf *to, const struct fw_http_request *req, int status, const char *content_type,
	const void *body, size_t n, bool close)
{
	bool bodiless = status == 204 || status == 304;
	size_t type_n = content_type && !bodiless ? strlen(content_type) : 0;
	size_t sent = bodiless || req->head.method == FW_HTTP_HEAD ? 0 : n;
	char *at = begin_head(to, req, status, type_n + sent);
	if (!at)
		return;
	at = put_type(at, content_type, type_n);
	if (!bodiless)
		at = PUT(put_number(PUT(at, "Content-Length: "), n), "\r\n");
	if (close)
		at = PUT(at, "Connection: close\r\n");
	else if (req->head.minor == 0)
		at = PUT(at, "Connection: keep-alive\r\n");
	at = end_head(at, req);
	if (sent)
		at = put(at, body, sent);
	to->n = (size_t)(at - to->data);
}
