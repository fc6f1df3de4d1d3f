/* A bare sender over libcurl's multi interface, on libevent's loop: the yardstick of what e-mail costs. Its connections are kept, and each
 * has one message at a time.
 *
 *   smtp_peer PORT CONNECTIONS MESSAGES FILE SEED
 *
 * FILE is a message, as smtp_sink saved it: each that is sent is a copy of it, with a X-Floorwalker-Message of its own and an address that
 * is different for each, over 100 domains. Prints one JSON object; exit status 1 when a message was not taken. */
#include <curl/curl.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "client.h"

enum { ID_BYTES = 32, DOMAINS = 100 };

struct sender {
	struct event_base *base;
	struct event *timer;
	CURLM *multi;
	struct slot *slots;
	uint64_t messages, begun, sent, failed, connects, seed;
	char *message;
	size_t n, id_at;
	char url[64];
};

struct slot {
	struct sender *sender;
	CURL *easy;
	struct curl_slist *to;
	char id[ID_BYTES + 1];
	char error[CURL_ERROR_SIZE];
	size_t at;
};

static size_t put_part(const struct slot *c, size_t at, char *to, size_t most)
{
	const struct sender *s = c->sender;
	size_t n = s->n - at < most ? s->n - at : most;
	memcpy(to, s->message + at, n);
	for (size_t i = 0; i < ID_BYTES; i++)
		if (s->id_at + i >= at && s->id_at + i < at + n)
			to[s->id_at + i - at] = c->id[i];
	return n;
}

static size_t on_read(char *to, size_t size, size_t count, void *ctx)
{
	struct slot *c = ctx;
	size_t n = put_part(c, c->at, to, size * count);
	c->at += n;
	return n;
}

static void begin(struct slot *c)
{
	struct sender *s = c->sender;
	unsigned long long number = s->begun++;
	char to[64];
	snprintf(c->id, sizeof c->id, "%016llx%016llx", (unsigned long long)s->seed, number);
	snprintf(to, sizeof to, "user-%llu@mail-%llu.example", number, number % DOMAINS);
	c->at = 0;
	curl_slist_free_all(c->to);
	c->to = curl_slist_append(NULL, to);
	curl_easy_setopt(c->easy, CURLOPT_MAIL_RCPT, c->to);
	if (!c->to || curl_multi_add_handle(s->multi, c->easy) != CURLM_OK)
		abort();
}

static void on_sent(struct slot *c, CURLcode rc)
{
	struct sender *s = c->sender;
	long connects = 0;
	curl_easy_getinfo(c->easy, CURLINFO_NUM_CONNECTS, &connects);
	s->connects += (uint64_t)connects;
	s->sent += rc == CURLE_OK;
	if (rc != CURLE_OK && s->failed++ < 3)
		fprintf(stderr, "smtp_peer: %s\n", c->error[0] ? c->error : curl_easy_strerror(rc));
	curl_multi_remove_handle(s->multi, c->easy);
	if (s->begun < s->messages)
		begin(c);
	else if (s->sent + s->failed == s->messages)
		event_base_loopbreak(s->base);
}

static void look_for_sent(struct sender *s)
{
	CURLMsg *m;
	int left;
	while ((m = curl_multi_info_read(s->multi, &left))) {
		struct slot *c = NULL;
		CURLcode rc = m->data.result;
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
		on_sent(c, rc);
	}
}

/* --- libcurl on the loop */

static void on_ready(evutil_socket_t fd, short what, void *ctx)
{
	struct sender *s = ctx;
	int running;
	curl_multi_socket_action(s->multi, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0), &running);
	look_for_sent(s);
}

static void on_time(evutil_socket_t fd, short what, void *ctx)
{
	struct sender *s = ctx;
	int running;
	(void)fd;
	(void)what;
	curl_multi_socket_action(s->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	look_for_sent(s);
}

static int on_timer(CURLM *multi, long ms, void *ctx)
{
	struct sender *s = ctx;
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };
	(void)multi;
	if (ms < 0)
		evtimer_del(s->timer);
	else
		evtimer_add(s->timer, &t);
	return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *assigned)
{
	struct sender *s = ctx;
	struct event *e = assigned;
	short events = (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (e)
			event_free(e);
		curl_multi_assign(s->multi, fd, NULL);
		return 0;
	}
	if (e) {
		event_del(e);
		event_assign(e, s->base, fd, events, on_ready, s);
	} else if (!(e = event_new(s->base, fd, events, on_ready, s))) {
		return -1;
	}
	curl_multi_assign(s->multi, fd, e);
	return event_add(e, NULL);
}

/* --- */

static bool read_message(struct sender *s, const char *path)
{
	static const char name[] = "\r\nX-Floorwalker-Message: ";
	FILE *f = fopen(path, "r");
	if (!f || fseek(f, 0, SEEK_END) < 0)
		return false;
	s->n = (size_t)ftell(f);
	rewind(f);
	s->message = malloc(s->n + 1);
	bool whole = s->message && fread(s->message, 1, s->n, f) == s->n;
	fclose(f);
	const char *id = whole ? memmem(s->message, s->n, name, sizeof name - 1) : NULL;
	if (!id)
		return false;
	s->id_at = (size_t)(id + sizeof name - 1 - s->message);
	return s->id_at + ID_BYTES < s->n;
}

static bool make_slot(struct sender *s, struct slot *c)
{
	*c = (struct slot){ .sender = s, .easy = curl_easy_init() };
	if (!c->easy)
		return false;
	curl_easy_setopt(c->easy, CURLOPT_URL, s->url);
	curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->easy, CURLOPT_MAIL_FROM, "hello@shop.example");
	curl_easy_setopt(c->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c->easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(c->easy, CURLOPT_READDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)s->n);
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
	return true;
}

static bool start(struct sender *s, char **argv, unsigned connections)
{
	snprintf(s->url, sizeof s->url, "smtp://127.0.0.1:%d/shop.example", atoi(argv[1]));
	s->messages = strtoull(argv[3], NULL, 10);
	s->seed = strtoull(argv[5], NULL, 10);
	s->base = event_base_new();
	s->timer = s->base ? evtimer_new(s->base, on_time, s) : NULL;
	s->slots = calloc(connections, sizeof *s->slots);
	if (!s->timer || !s->slots || !s->messages || !read_message(s, argv[4]) || !(s->multi = curl_multi_init()))
		return false;
	curl_multi_setopt(s->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(s->multi, CURLMOPT_SOCKETDATA, s);
	curl_multi_setopt(s->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(s->multi, CURLMOPT_TIMERDATA, s);
	curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, (long)connections);
	curl_multi_setopt(s->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)connections);
	for (unsigned i = 0; i < connections; i++)
		if (!make_slot(s, &s->slots[i]))
			return false;
	return true;
}

static double cpu_us(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

int main(int argc, char **argv)
{
	struct sender s = { .messages = 0 };
	unsigned connections = argc == 6 ? (unsigned)atoi(argv[2]) : 0;
	curl_global_init(CURL_GLOBAL_ALL);
	if (!connections || !start(&s, argv, connections)) {
		fprintf(stderr, "usage: smtp_peer PORT CONNECTIONS MESSAGES FILE SEED\n");
		return 2;
	}
	int64_t begin_us = client_now_us();
	for (unsigned i = 0; i < connections && s.begun < s.messages; i++)
		begin(&s.slots[i]);
	event_base_dispatch(s.base);
	double took = (double)(client_now_us() - begin_us) / 1e6;
	printf("{\"sent\":%llu,\"failed\":%llu,\"connects\":%llu,\"seconds\":%.3f,\"cpu_us\":%.1f,"
		"\"messageBytes\":%zu,\"libcurl\":\"%s\"}\n",
		(unsigned long long)s.sent, (unsigned long long)s.failed, (unsigned long long)s.connects, took,
		cpu_us() / (double)s.messages, s.n, curl_version_info(CURLVERSION_NOW)->version);
	for (unsigned i = 0; i < connections; i++) {
		curl_easy_cleanup(s.slots[i].easy);
		curl_slist_free_all(s.slots[i].to);
	}
	curl_multi_cleanup(s.multi);
	event_free(s.timer);
	event_base_free(s.base);
	free(s.slots);
	free(s.message);
	curl_global_cleanup();
	return s.failed ? 1 : 0;
}
