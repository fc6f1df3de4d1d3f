/* A stream that is asked for: what is kept of its request, and whether there is room. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/json.h"
#include "server/admit.h"
#include "server/streams_own.h"

void fw_stream_headers(struct fw_http_request *request)
{
	fw_http_reply_header(request, "Cache-Control", "no-store");
	fw_http_reply_header(request, "X-Accel-Buffering", "no"); /* nginx would hold events back */
	fw_http_reply_header(request, "X-Content-Type-Options", "nosniff");
}

struct copying {
	char *at, *end;
};

/* Terminated; what there is no room for makes `at` NULL. */
static struct fw_str copy(struct copying *c, struct fw_str s)
{
	struct fw_str kept = { NULL, 0 };
	if (!s.p || !c->at)
		return kept;
	if ((size_t)(c->end - c->at) <= s.n) {
		c->at = NULL;
		return kept;
	}
	kept = (struct fw_str){ c->at, s.n };
	if (s.n)
		memcpy(c->at, s.p, s.n);
	c->at[s.n] = '\0';
	c->at += s.n + 1;
	return kept;
}

/* What is looked at of the request, for when it is over. False: it is too much. */
static bool keep_question(struct fw_stream *st, const struct fw_plugin_request *r, struct fw_str json, struct fw_str notice, size_t room)
{
	struct copying c = { st->text, st->text + room };
	const struct sockaddr *peer = fw_http_peer(r->http);
	size_t peer_n = peer->sa_family == AF_INET ? sizeof(struct sockaddr_in) : peer->sa_family == AF_INET6 ? sizeof st->peer
		: sizeof peer->sa_family;
	memcpy(&st->peer, peer, peer_n);
	st->ask.json = copy(&c, json);
	st->notice = copy(&c, notice).p;
	const struct {
		struct fw_str *to;
		const char *name;
	} headers[] = { { &st->from.user_agent, "User-Agent" }, { &st->from.accept_language, "Accept-Language" },
		{ &st->from.referer, "Referer" }, { &st->from.sec_gpc, "Sec-GPC" }, { &st->from.sec_ch_ua, "Sec-CH-UA" },
		{ &st->from.sec_ch_ua_mobile, "Sec-CH-UA-Mobile" }, { &st->from.sec_ch_ua_platform, "Sec-CH-UA-Platform" },
		{ &st->from.sec_ch_ua_form_factors, "Sec-CH-UA-Form-Factors" } };
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		*headers[i].to = copy(&c, fw_http_header(r->http, headers[i].name));
	st->from.forwarded = (struct fw_forwarded){ copy(&c, r->forwarded.x_forwarded_for), copy(&c, r->forwarded.forwarded) };
	st->from.peer = (const struct sockaddr *)(const void *)&st->peer;
	return c.at != NULL;
}

static size_t room_for(const struct fw_plugin_request *r, struct fw_str json, struct fw_str notice)
{
	enum { TEXTS = 16 };
	unsigned n;
	size_t size = TEXTS + json.n + notice.n + r->forwarded.x_forwarded_for.n + r->forwarded.forwarded.n;
	const struct fw_http_field *fields = fw_http_headers(r->http, &n);
	static const char *const counted[] = { "User-Agent", "Accept-Language", "Referer", "Sec-GPC" };
	for (unsigned i = 0; i < n; i++) {
		bool counts = fields[i].name.n >= 9 && fw_str_equal_fold((struct fw_str){ fields[i].name.p, 9 }, FW_STR("Sec-CH-UA"));
		for (size_t k = 0; k < sizeof counted / sizeof *counted && !counts; k++)
			counts = fw_str_equal_fold(fields[i].name, fw_str(counted[k]));
		size += counts ? fields[i].value.n : 0;
	}
	return size;
}

static uint64_t address_of(const struct fw_streams *s, struct fw_plugin_request *r)
{
	struct fw_ip ip;
	struct fw_str client;
	if (r->have == FW_PLUGIN_ACCESS_SECRET || !fw_admit_client(r, &ip, &client))
		return 0;
	return XXH64(client.p, client.n, s->seed) | 1;
}

static void never(void *ctx)
{
	(void)ctx;
}

static void never_closed(void *ctx, bool slow)
{
	(void)ctx;
	(void)slow;
}

/* There is no room: a browser asks again by itself if it is told so, and never after any other answer than a stream. */
static void put_off(struct fw_streams *s, struct fw_plugin_request *r)
{
	static const struct fw_http_stream_handlers nobody = { never, never_closed, NULL };
	char text[32];
	int n = snprintf(text, sizeof text, "retry: %u\n\n", fw_streams_spread(s, FW_LIMIT_STREAM_FULL_RETRY_MS));
	fw_count(s->worker->page, FW_COUNT_STREAMS_FULL, 1);
	fw_stream_headers(r->http);
	struct fw_http_stream *http = fw_http_stream_begin(r->http, FW_STREAM_TYPE, &nobody);
	if (http)
		fw_http_stream_end(http, text, (size_t)n);
}

static bool is_full(struct fw_streams *s, struct fw_plugin_request *r, uint64_t address)
{
	const struct fw_stream_limits *l = &s->worker->made->config->streams;
	if (address && l->streams_per_address && fw_streams_near(s, address) >= l->streams_per_address) {
		fw_count(s->worker->page, FW_COUNT_STREAMS_FULL, 1);
		fw_http_reply_header(r->http, "Retry-After", "10");
		fw_http_error(r->http, 429, "too_many", "too many streams are open from this address", NULL,
			"close those that nobody looks at");
		return true;
	}
	if (s->n >= l->streams) {
		put_off(s, r);
		return true;
	}
	return false;
}

void fw_streams_open(struct fw_streams *s, struct fw_plugin_request *r, struct fw_str json)
{
	struct fw_str notice = fw_json_peek(fw_http_arena(r->http), json.p ? json.p : "", json.n, "notice");
	size_t room = room_for(r, json, notice);
	uint64_t address = address_of(s, r);
	if (notice.n && (memchr(notice.p, '\n', notice.n) || memchr(notice.p, '\r', notice.n))) {
		fw_http_error(r->http, 400, "bad_request", "a notice is one line", "notice", NULL);
		return;
	}
	if (is_full(s, r, address))
		return;
	struct fw_stream *st = room <= FW_LIMIT_STREAM_ASK_BYTES ? calloc(1, sizeof *st + room) : NULL;
	if (!st || !keep_question(st, r, json, notice, room)) {
		free(st);
		bool large = room > FW_LIMIT_STREAM_ASK_BYTES;
		fw_http_error(r->http, large ? 413 : 503, large ? "too_large" : "unavailable",
			large ? "the question of a stream is too long"
			: "out of memory", NULL, large ? "ask for fewer slots, or with less context" : NULL);
		return;
	}
	st->all = s;
	st->request = r->http;
	st->watch.only_notice = st->notice != NULL;
	st->watch.asked_before = fw_shown_read(fw_http_header(r->http, "Last-Event-ID"), &st->watch.shown);
	st->ask.request = r;
	st->ask.secret = r->have == FW_PLUGIN_ACCESS_SECRET;
	st->ask.watch = &st->watch;
	fw_stream_come_near(st, address);
	st->counted = true;
	fw_streams_count(s, 1);
	fw_stream_look(st);
}
