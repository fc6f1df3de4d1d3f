#include "batches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crowd.h"

enum { HEAD_BYTES = 512, AGAIN_US = 20000, LAST_ANSWERS_US = 30000000 };

/* A connection's request: the head ends where the body begins, at HEAD_BYTES. */
struct batch {
	char *text;
	size_t head_at, n;
	unsigned events;
	int64_t again_us; /* 0: not refused */
};

int batches_init(struct batches *b, uint16_t port, unsigned connections)
{
	if (!connections || !b->events_a_batch || client_init(&b->client, port, connections) < 0 ||
	    !(b->of_conns = calloc(connections, sizeof *b->of_conns)))
		return -1;
	for (unsigned i = 0; i < connections; i++)
		if (!(b->of_conns[i].text = malloc(CLIENT_BODY_BYTES + HEAD_BYTES)))
			return -1;
	return 0;
}

void batches_finish(struct batches *b)
{
	for (unsigned i = 0; i < b->client.n_conns; i++)
		free(b->of_conns[i].text);
	free(b->of_conns);
	client_times_finish(&b->times);
	client_finish(&b->client);
}

static char *put(char *at, const char *text, size_t n)
{
	memcpy(at, text, n);
	return at + n;
}

/* The events, and behind them the end of the body. */
static char *put_events(struct batches *b, struct batch *of, const char *now, char *at)
{
	const char *end = of->text + HEAD_BYTES + CLIENT_BODY_BYTES - BATCHES_EVENT_BYTES - sizeof ",]}";
	of->events = 0;
	while (of->events < b->events_a_batch && at < end) {
		char *to = at + (of->events ? 1 : 0);
		size_t n = b->put(b->ctx, now, to);
		if (!n) {
			b->over = true;
			break;
		}
		if (of->events++)
			*at = ',';
		at = to + n;
	}
	return put(at, "]}", 2);
}

/* False: there is nothing left to send. */
static bool make_batch(struct batches *b, struct batch *of)
{
	char now[CROWD_TIME_BYTES], head[HEAD_BYTES], *at = of->text + HEAD_BYTES;
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	crowd_time((int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000, now);
	at = put(at, "{", 1);
	if (!b->unsent) {
		at = put(at, "\"sentAt\":\"", 10);
		at = put(at, now, sizeof now);
		at = put(at, "\",", 2);
	}
	at = put(at, "\"batch\":[", 9);
	at = put_events(b, of, now, at);
	int n = snprintf(head, sizeof head, "POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n%s"
		"Content-Length: %zd\r\n\r\n", b->headers, at - of->text - HEAD_BYTES);
	of->head_at = HEAD_BYTES - (size_t)n;
	memcpy(of->text + of->head_at, head, (size_t)n);
	of->n = (size_t)(at - of->text) - of->head_at;
	return of->events > 0;
}

static void answered(void *ctx, struct client_conn *conn, int status, int64_t took_us, const char *body, size_t n)
{
	struct batches *b = ctx;
	struct batch *of = &b->of_conns[conn->number];
	char wanted[64];
	(void)n;
	snprintf(wanted, sizeof wanted, "\"accepted\":%u,\"rejected\":[]", of->events);
	b->last_us = client_now_us();
	if (status == 429 || status == 503) {
		of->again_us = b->last_us + AGAIN_US;
		b->refused++;
	} else if (status == 200 && strstr(body, wanted)) {
		client_times_add(&b->times, took_us);
		b->stored += of->events;
	} else if (b->wrong++ < 3) {
		fprintf(stderr, "a batch was answered %d %.300s\n", status, body);
	}
}

/* What was refused is sent again even when the time is over: whoever counts on it has it stored. */
static void send_next(struct batches *b, struct client_conn *conn, int64_t now, int64_t end)
{
	struct batch *of = &b->of_conns[conn->number];
	if (conn->busy || now < of->again_us || (!of->again_us && (now >= end || b->over)))
		return;
	if (!of->again_us && !make_batch(b, of))
		return;
	of->again_us = 0;
	if (!client_send(&b->client, conn, of->text + of->head_at, of->n))
		b->wrong++;
}

static bool is_owed(const struct batches *b)
{
	for (unsigned i = 0; i < b->client.n_conns; i++)
		if (b->client.conns[i].busy || b->of_conns[i].again_us)
			return true;
	return false;
}

void batches_run(struct batches *b, double seconds)
{
	int64_t now = client_now_us(), end = now + (int64_t)(seconds * 1e6);
	b->begin_us = b->last_us = now;
	while ((now < end && !b->over) || (is_owed(b) && now < (b->over ? b->last_us : end) + LAST_ANSWERS_US)) {
		for (unsigned i = 0; i < b->client.n_conns; i++)
			send_next(b, &b->client.conns[i], now, end);
		client_wait(&b->client, 10, answered, b);
		now = client_now_us();
	}
}

void batches_print(struct batches *b)
{
	double took = (double)(b->last_us - b->begin_us) / 1e6;
	unsigned owed = 0;
	for (unsigned i = 0; i < b->client.n_conns; i++)
		owed += b->client.conns[i].busy || b->of_conns[i].again_us;
	printf("\"events\":%llu,\"seconds\":%.3f,\"perSecond\":%.0f,\"requests\":%zu,\"refused\":%llu,\"wrong\":%llu,\"unanswered\":%u",
		(unsigned long long)b->stored, took, took > 0 ? (double)b->stored / took : 0, b->times.n, (unsigned long long)b->refused,
		(unsigned long long)b->wrong, owed);
	printf(",\"p50_us\":%u,\"p99_us\":%u,\"most_us\":%u", client_times_at(&b->times, 0.5), client_times_at(&b->times, 0.99),
		client_times_at(&b->times, 1));
}
