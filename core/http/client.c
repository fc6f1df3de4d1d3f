#include "http/client.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "http/syntax.h"

/* Of all hosts together: open, and kept for the next ask. */
enum { CONNECTIONS = 256, CONNECTIONS_KEPT = 64 };

struct fw_client {
	struct event_base *base;
	CURLM *multi;
	struct event *timer; /* libcurl's own */
	struct fw_client_ask *asks;
	unsigned n;
	bool ends;
};

struct fw_client_ask {
	struct fw_client *client;
	struct fw_client_ask *next, **back;
	CURL *easy;
	struct curl_slist *headers;
	bool added; /* to the multi handle */
	/* The whole time that it may take: libcurl does not count the time that an ask waits for a connection. Also ends, in the loop's
	 * next turn, what could not be begun. */
	struct event *late;
	uint32_t timeout_ms;
	const char *problem; /* NULL: none yet */
	struct fw_buf body;
	size_t header_bytes;
	fw_client_done done;
	void *ctx;
	char why[CURL_ERROR_SIZE];
};

static void free_ask(struct fw_client_ask *a)
{
	if (!a)
		return;
	if (a->added)
		curl_multi_remove_handle(a->client->multi, a->easy);
	curl_easy_cleanup(a->easy);
	curl_slist_free_all(a->headers);
	if (a->late)
		event_free(a->late);
	fw_buf_finish(&a->body);
	free(a);
}

static void unlink_ask(struct fw_client_ask *a)
{
	*a->back = a->next;
	if (a->next)
		a->next->back = a->back;
	a->client->n--;
}

void fw_client_drop(struct fw_client_ask *a)
{
	unlink_ask(a);
	free_ask(a);
}

static void end(struct fw_client_ask *a, const struct fw_client_answer *answer)
{
	unlink_ask(a);
	a->done(a->ctx, answer);
	free_ask(a);
}

static void end_without(struct fw_client_ask *a, const char *problem)
{
	struct fw_client_answer none = { .retry_after_ms = -1, .problem = problem };
	end(a, &none);
}

static void on_late(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_client_ask *a = ctx;
	(void)fd;
	(void)what;
	if (!a->problem)
		snprintf(a->why, sizeof a->why, "there was no answer within %u ms", a->timeout_ms);
	end_without(a, a->problem ? a->problem : a->why);
}

int64_t fw_client_retry_after_ms(struct fw_str value, int64_t now_us)
{
	char text[64];
	int64_t ms = 0;
	value = fw_str_trim(value);
	if (value.n == 0 || value.n >= sizeof text)
		return -1;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	if (strspn(text, "0123456789") == value.n) {
		for (size_t i = 0; i < value.n && ms <= FW_LIMIT_CLIENT_RETRY_MS; i++)
			ms = ms * 10 + (text[i] - '0') * 1000;
	} else {
		/* Every form of a date begins with the day's name; libcurl reads more than dates. */
		time_t at = fw_fold_char(text[0]) >= 'a' && fw_fold_char(text[0]) <= 'z' ? curl_getdate(text, NULL) : -1;
		if (at == -1)
			return -1;
		ms = (int64_t)at * 1000 - now_us / 1000;
	}
	return ms < 0 ? 0 : ms > FW_LIMIT_CLIENT_RETRY_MS ? FW_LIMIT_CLIENT_RETRY_MS : ms;
}

static void conclude(struct fw_client_ask *a, CURLcode code)
{
	struct fw_client_answer answer = { .body = { a->body.data, a->body.n }, .retry_after_ms = -1 };
	struct curl_header *retry;
	long status = 0;
	if (code != CURLE_OK) {
		end_without(a, a->problem ? a->problem : a->why[0] ? a->why : curl_easy_strerror(code));
		return;
	}
	curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, &status);
	answer.status = (int)status;
	if (curl_easy_header(a->easy, "Retry-After", 0, CURLH_HEADER, -1, &retry) == CURLHE_OK)
		answer.retry_after_ms = fw_client_retry_after_ms(fw_str(retry->value), fw_now_us());
	end(a, &answer);
}

/* Tells those that have ended. Whoever is told may ask, and drop others. */
static void tell(struct fw_client *c)
{
	const CURLMsg *m;
	int left;
	while ((m = curl_multi_info_read(c->multi, &left))) {
		struct fw_client_ask *a = NULL;
		if (m->msg == CURLMSG_DONE && curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &a) == CURLE_OK)
			conclude(a, m->data.result);
	}
}

static void on_socket(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_client *c = ctx;
	int running, ready = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	curl_multi_socket_action(c->multi, fd, ready, &running);
	tell(c);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_client *c = ctx;
	int running;
	(void)fd;
	(void)what;
	curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	tell(c);
}

/* libcurl says what it wants to know of a socket, and when it wants to be called anyway. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *of_socket)
{
	struct fw_client *c = ctx;
	struct event *event = of_socket;
	short events = (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
	(void)easy;
	if (event)
		event_free(event);
	event = what == CURL_POLL_REMOVE ? NULL : event_new(c->base, fd, events, on_socket, c);
	curl_multi_assign(c->multi, fd, event);
	return what == CURL_POLL_REMOVE || (event && event_add(event, NULL) == 0) ? 0 : -1;
}

static int set_timer(CURLM *multi, long ms, void *ctx)
{
	struct fw_client *c = ctx;
	struct timeval wait = { ms / 1000, ms % 1000 * 1000 };
	(void)multi;
	return ms < 0 ? event_del(c->timer) : event_add(c->timer, &wait);
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct fw_client_ask *a = ctx;
	n *= size;
	if (n > FW_LIMIT_CLIENT_BODY_BYTES - a->body.n) {
		a->problem = "the answer is too large";
		return 0;
	}
	fw_buf_add(&a->body, data, n);
	if (a->body.failed)
		a->problem = "out of memory";
	return a->body.failed ? 0 : n;
}

/* Interim answers count, too: somebody could send them for ever. */
static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct fw_client_ask *a = ctx;
	(void)data;
	n *= size;
	a->header_bytes += n;
	if (a->header_bytes <= FW_LIMIT_CLIENT_HEADER_BYTES)
		return n;
	a->problem = "the answer's headers are too large";
	return 0;
}

/* What is the same for all. */
static bool set_ways(struct fw_client_ask *a)
{
	CURL *e = a->easy;
	return curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK
		/* A name that is being looked up when its time is over is left to its thread: waiting for it would hold up the loop. */
		&& curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_USERAGENT, "floorwalker/" FW_VERSION) == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_ERRORBUFFER, a->why) == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_PRIVATE, a) == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_WRITEDATA, a) == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_HEADERDATA, a) == CURLE_OK;
}

static bool add_header(struct fw_client_ask *a, const char *line)
{
	struct curl_slist *more = curl_slist_append(a->headers, line);
	if (more)
		a->headers = more;
	return more != NULL;
}

static size_t token_length(const char *text)
{
	size_t n = 0;
	while (is_token_char(text[n]))
		n++;
	return n;
}

/* Nothing that could begin another header, or end them; the length of the name, or 0. */
static size_t header_name(const char *line)
{
	size_t n = token_length(line);
	if (line[n] != ':')
		return 0;
	for (const char *c = line + n; *c; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return 0;
	return n;
}

static bool set_headers(struct fw_client_ask *a, const struct fw_client_request *r)
{
	bool typed = false, fits = true;
	for (size_t i = 0; r->headers && r->headers[i] && fits; i++) {
		const char *line = r->headers[i];
		size_t n = header_name(line);
		char empty[128];
		if (n == 0 || n + 2 > sizeof empty) {
			a->problem = "a header is none: it must be a name, a colon and a value on one line";
			return true;
		}
		typed = typed || fw_str_equal_fold((struct fw_str){ line, n }, FW_STR("content-type"));
		/* libcurl's way to say that a header has no value. */
		snprintf(empty, sizeof empty, "%.*s;", (int)n, line);
		fits = add_header(a, fw_str_trim(fw_str(line + n + 1)).n ? line : empty);
	}
	/* What libcurl adds by itself: a type that nobody said, and a question whether it may send. */
	return fits && add_header(a, "Expect:") && (typed || add_header(a, "Content-Type:"))
		&& curl_easy_setopt(a->easy, CURLOPT_HTTPHEADER, a->headers) == CURLE_OK;
}

static bool set_request(struct fw_client_ask *a, const struct fw_client_request *r)
{
	CURL *e = a->easy;
	const char *method = r->method ? r->method : r->body.p ? "POST" : "GET";
	/* A method that has a meaning without a body says that there is none by not naming its length. */
	bool bare = !r->body.p && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "DELETE") == 0);
	if (method[0] == '\0' || method[token_length(method)]) {
		a->problem = "the method is none";
		return true;
	}
	bool fits = bare || (curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n) == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, r->body.p ? r->body.p : "") == CURLE_OK);
	if (fits && strcmp(method, "HEAD") == 0)
		fits = curl_easy_setopt(e, CURLOPT_NOBODY, 1L) == CURLE_OK;
	if (fits && r->user)
		fits = curl_easy_setopt(e, CURLOPT_USERNAME, r->user) == CURLE_OK
			&& curl_easy_setopt(e, CURLOPT_PASSWORD, r->password ? r->password : "") == CURLE_OK;
	return fits && curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK
		&& curl_easy_setopt(e, CURLOPT_URL, r->url) == CURLE_OK && set_headers(a, r);
}

static int check_url(const char *url)
{
	CURLU *u = curl_url();
	char *scheme = NULL;
	int rc = u ? FW_EINVAL : FW_ENOMEM;
	if (u && url && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK && curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK
		&& (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0))
		rc = 0;
	curl_free(scheme);
	curl_url_cleanup(u);
	return rc;
}

static bool begin(struct fw_client_ask *a, const struct fw_client_request *r)
{
	if (!(a->easy = curl_easy_init()) || !set_ways(a) || !set_request(a, r))
		return false;
	if (!a->problem && a->client->n >= FW_LIMIT_CLIENT_ASKS)
		a->problem = "too many requests are on their way";
	if (!a->problem && !(a->added = curl_multi_add_handle(a->client->multi, a->easy) == CURLM_OK))
		return false;
	struct timeval wait = { a->timeout_ms / 1000, a->timeout_ms % 1000 * 1000 };
	if (!(a->late = evtimer_new(a->client->base, on_late, a)) || event_add(a->late, &wait) < 0)
		return false;
	if (a->problem)
		event_active(a->late, EV_TIMEOUT, 0);
	return true;
}

int fw_client_ask(struct fw_client *c, const struct fw_client_request *r, fw_client_done done, void *ctx, struct fw_client_ask **ret)
{
	int rc = c->ends ? FW_EBUSY : check_url(r->url);
	struct fw_client_ask *a = rc == 0 ? calloc(1, sizeof *a) : NULL;
	if (!a)
		return rc < 0 ? rc : FW_ENOMEM;
	*a = (struct fw_client_ask){ .client = c, .done = done, .ctx = ctx };
	a->timeout_ms = r->timeout_ms ? r->timeout_ms : (uint32_t)FW_LIMIT_CLIENT_MS;
	if (a->timeout_ms > FW_LIMIT_CLIENT_MOST_MS)
		a->timeout_ms = FW_LIMIT_CLIENT_MOST_MS;
	fw_buf_init(&a->body, 0);
	if (!begin(a, r)) {
		free_ask(a);
		return FW_ENOMEM;
	}
	a->next = c->asks;
	a->back = &c->asks;
	if (a->next)
		a->next->back = &a->next;
	c->asks = a;
	c->n++;
	*ret = a;
	return 0;
}

struct fw_client *fw_client_create(struct event_base *base)
{
	struct fw_client *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->base = base;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(c);
		return NULL;
	}
	c->multi = curl_multi_init();
	c->timer = evtimer_new(base, on_timer, c);
	if (c->multi && c->timer && curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch_socket) == CURLM_OK
		&& curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c) == CURLM_OK
		&& curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK
		&& curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c) == CURLM_OK
		&& curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)FW_LIMIT_CLIENT_CONNECTIONS) == CURLM_OK
		&& curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CONNECTIONS) == CURLM_OK
		&& curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT) == CURLM_OK)
		return c;
	fw_client_destroy(c);
	return NULL;
}

void fw_client_destroy(struct fw_client *c)
{
	if (!c)
		return;
	c->ends = true;
	while (c->asks)
		end_without(c->asks, "the client ends");
	curl_multi_cleanup(c->multi);
	if (c->timer)
		event_free(c->timer);
	curl_global_cleanup();
	free(c);
}
