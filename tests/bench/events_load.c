/* Events over HTTP, as many as are stored: each connection sends a batch and waits until it is told that the batch is stored.
 *
 *   events_load PORT PEOPLE even|zipf CONNECTIONS EVENTS_A_BATCH SECONDS SEED
 *
 * Every event has a messageId of its own; whose it is is drawn anew for each. What is refused (429, 503) is sent again a little later, as
 * clients do. Prints one JSON object; exit status 1 when a batch was answered with anything else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "crowd.h"

enum { TEMPLATES = 512, HEAD_BYTES = 256, AGAIN_US = 20000, LAST_ANSWERS_US = 30000000 };

/* A connection's request: the head ends where the body begins, at HEAD_BYTES. */
struct batch {
	char *text;
	size_t head_at, n;
	int64_t again_us; /* 0: not refused */
};

struct load {
	struct client client;
	struct crowd_draw draw;
	struct fw_buf templates[TEMPLATES];
	struct batch *batches;
	struct client_times times;
	unsigned events_a_batch;
	uint64_t seed, made, stored, refused, wrong;
	int64_t last_us; /* the last answer */
};

static void make_templates(struct load *l)
{
	for (unsigned i = 0; i < TEMPLATES; i++) {
		fw_buf_init(&l->templates[i], 0);
		crowd_event(i * 77, i % CROWD_EVENTS, i, 0, &l->templates[i]);
		if (l->templates[i].failed)
			abort();
	}
}

static size_t put_event(struct load *l, const char *now, char *to)
{
	const struct fw_buf *t = &l->templates[l->made % TEMPLATES];
	memcpy(to, t->data, t->n);
	crowd_person_id(crowd_draw_next(&l->draw), to + CROWD_ANONYMOUS_ID_AT);
	crowd_message_id(l->seed, l->made++, to + CROWD_MESSAGE_ID_AT);
	memcpy(to + CROWD_TIMESTAMP_AT, now, CROWD_TIME_BYTES);
	return t->n;
}

static char *put(char *at, const char *text, size_t n)
{
	memcpy(at, text, n);
	return at + n;
}

static void make_batch(struct load *l, struct batch *b)
{
	char now[CROWD_TIME_BYTES], head[HEAD_BYTES], *at = b->text + HEAD_BYTES;
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	crowd_time((int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000, now);
	at = put(at, "{\"sentAt\":\"", 11);
	at = put(at, now, sizeof now);
	at = put(at, "\",\"batch\":[", 11);
	for (unsigned i = 0; i < l->events_a_batch; i++) {
		if (i)
			*at++ = ',';
		at += put_event(l, now, at);
	}
	at = put(at, "]}", 2);
	int n = snprintf(head, sizeof head, "POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
		"Content-Length: %zd\r\n\r\n", at - b->text - HEAD_BYTES);
	b->head_at = HEAD_BYTES - (size_t)n;
	memcpy(b->text + b->head_at, head, (size_t)n);
	b->n = (size_t)(at - b->text) - b->head_at;
}

static void answered(void *ctx, struct client_conn *conn, int status, int64_t took_us, const char *body, size_t n)
{
	struct load *l = ctx;
	char wanted[64];
	(void)n;
	snprintf(wanted, sizeof wanted, "\"accepted\":%u,\"rejected\":[]", l->events_a_batch);
	l->last_us = client_now_us();
	if (status == 429 || status == 503) {
		l->batches[conn->number].again_us = l->last_us + AGAIN_US;
		l->refused++;
	} else if (status == 200 && strstr(body, wanted)) {
		client_times_add(&l->times, took_us);
		l->stored += l->events_a_batch;
	} else if (l->wrong++ < 3) {
		fprintf(stderr, "events_load: %d %.300s\n", status, body);
	}
}

static void send_next(struct load *l, struct client_conn *conn, int64_t now, int64_t end)
{
	struct batch *b = &l->batches[conn->number];
	if (conn->busy || now >= end || now < b->again_us)
		return;
	if (!b->again_us)
		make_batch(l, b);
	b->again_us = 0;
	if (!client_send(&l->client, conn, b->text + b->head_at, b->n))
		l->wrong++;
}

static void run(struct load *l, double seconds)
{
	int64_t begin = client_now_us(), end = begin + (int64_t)(seconds * 1e6), now = begin;
	while (now < end || (l->client.n_busy && now < end + LAST_ANSWERS_US)) {
		for (unsigned i = 0; i < l->client.n_conns; i++)
			send_next(l, &l->client.conns[i], now, end);
		client_wait(&l->client, 10, answered, l);
		now = client_now_us();
	}
	double took = (double)(l->last_us - begin) / 1e6;
	printf("{\"events\":%llu,\"seconds\":%.3f,\"perSecond\":%.0f,\"requests\":%zu,\"refused\":%llu,\"wrong\":%llu,\"unanswered\":%u",
		(unsigned long long)l->stored, took, took > 0 ? (double)l->stored / took : 0, l->times.n, (unsigned long long)l->refused,
		(unsigned long long)l->wrong, l->client.n_busy);
	printf(",\"p50_us\":%u,\"p99_us\":%u,\"most_us\":%u}\n", client_times_at(&l->times, 0.5), client_times_at(&l->times, 0.99),
		client_times_at(&l->times, 1));
}

static int start(struct load *l, char **argv)
{
	unsigned connections = (unsigned)atoi(argv[4]);
	l->events_a_batch = (unsigned)atoi(argv[5]);
	l->seed = strtoull(argv[7], NULL, 10);
	if (!connections || !l->events_a_batch || crowd_draw_init(&l->draw, argv[3], (uint32_t)strtoul(argv[2], NULL, 10), l->seed) < 0 ||
	    client_init(&l->client, (uint16_t)atoi(argv[1]), connections) < 0 || !(l->batches = calloc(connections, sizeof *l->batches)))
		return -1;
	for (unsigned i = 0; i < connections; i++)
		if (!(l->batches[i].text = malloc(CLIENT_BODY_BYTES + HEAD_BYTES)))
			return -1;
	make_templates(l);
	return 0;
}

int main(int argc, char **argv)
{
	struct load l = { 0 };
	if (argc != 8 || start(&l, argv) < 0) {
		fprintf(stderr, "usage: events_load PORT PEOPLE even|zipf CONNECTIONS EVENTS_A_BATCH SECONDS SEED\n");
		return 2;
	}
	run(&l, strtod(argv[6], NULL));
	for (unsigned i = 0; i < TEMPLATES; i++)
		fw_buf_finish(&l.templates[i]);
	for (unsigned i = 0; i < l.client.n_conns; i++)
		free(l.batches[i].text);
	free(l.batches);
	client_times_finish(&l.times);
	crowd_draw_finish(&l.draw);
	client_finish(&l.client);
	return l.wrong ? 1 : 0;
}
