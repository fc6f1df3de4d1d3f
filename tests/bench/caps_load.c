/* Decisions for a slot, each visitor asking several times, in an order without an order, from many connections at once; and how often
 * each of them was shown a rule's content.
 *
 *   caps_load PORT SLOT VISITORS TIMES CONNECTIONS LIMIT SEED
 *
 * Prints one JSON object: how many visitors saw it LIMIT times, and how many more or less often. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "crowd.h"

struct load {
	struct client client;
	const char *slot;
	unsigned visitors, times, limit;
	uint64_t seed, sent, total, wrong, shown;
	unsigned *asks;         /* per connection: the visitor asked for */
	unsigned *seen;         /* per visitor */
	struct client_times all, when_shown;
};

static void send_next(struct load *l, struct client_conn *conn)
{
	char body[512], text[1024], id[CROWD_UUID_BYTES];
	unsigned visitor = crowd_scatter(l->sent++, l->visitors * l->times) % l->visitors;
	crowd_person_id(crowd_mix(l->seed) + visitor, id);
	l->asks[conn->number] = visitor;
	int n = snprintf(body, sizeof body, "{\"anonymousId\":\"%.36s\",\"slots\":[\"%s\"],\"context\":{\"locale\":\"en-CA\","
		"\"page\":{\"type\":\"home\"}}}", id, l->slot);
	n = snprintf(text, sizeof text, "POST /v1/decide HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
		"Content-Length: %d\r\n\r\n%s", n, body);
	if (!client_send(&l->client, conn, text, (size_t)n))
		l->wrong++;
}

static void answered(void *ctx, struct client_conn *conn, int status, int64_t took_us, const char *body, size_t n)
{
	struct load *l = ctx;
	(void)n;
	client_times_add(&l->all, took_us);
	if (status != 200 || strstr(body, "\"degraded\"")) {
		if (l->wrong++ < 3)
			fprintf(stderr, "caps_load: %d %.300s\n", status, body);
	} else if (strstr(body, "\"reason\":\"rule\"")) {
		client_times_add(&l->when_shown, took_us);
		l->seen[l->asks[conn->number]]++;
		l->shown++;
	}
	if (l->sent < l->total)
		send_next(l, conn);
}

static void run(struct load *l)
{
	int64_t begin = client_now_us(), last = begin;
	for (unsigned i = 0; i < l->client.n_conns && l->sent < l->total; i++)
		send_next(l, &l->client.conns[i]);
	while (l->client.n_busy && client_now_us() < last + 30000000) {
		size_t before = l->all.n;
		client_wait(&l->client, 100, answered, l);
		if (l->all.n != before)
			last = client_now_us();
	}
	unsigned exact = 0, over = 0, under = 0;
	for (unsigned i = 0; i < l->visitors; i++) {
		exact += l->seen[i] == l->limit;
		over += l->seen[i] > l->limit;
		under += l->seen[i] < l->limit;
	}
	double took = (double)(last - begin) / 1e6;
	printf("{\"requests\":%zu,\"perSecond\":%.0f,\"wrong\":%llu,\"unanswered\":%u", l->all.n, took > 0 ? (double)l->all.n / took : 0,
		(unsigned long long)l->wrong, l->client.n_busy);
	printf(",\"shown\":%llu,\"exact\":%u,\"over\":%u,\"under\":%u", (unsigned long long)l->shown, exact, over, under);
	printf(",\"p50_us\":%u,\"p99_us\":%u", client_times_at(&l->all, 0.5), client_times_at(&l->all, 0.99));
	printf(",\"shown_p50_us\":%u,\"shown_p99_us\":%u}\n", client_times_at(&l->when_shown, 0.5), client_times_at(&l->when_shown, 0.99));
}

int main(int argc, char **argv)
{
	struct load l = { 0 };
	unsigned connections = argc == 8 ? (unsigned)atoi(argv[5]) : 0;
	if (connections) {
		l.slot = argv[2];
		l.visitors = (unsigned)atoi(argv[3]);
		l.times = (unsigned)atoi(argv[4]);
		l.limit = (unsigned)atoi(argv[6]);
		l.seed = strtoull(argv[7], NULL, 10);
		l.total = (uint64_t)l.visitors * l.times;
		l.asks = calloc(connections, sizeof *l.asks);
		l.seen = calloc(l.visitors ? l.visitors : 1, sizeof *l.seen);
	}
	if (!l.total || !l.asks || !l.seen || client_init(&l.client, (uint16_t)atoi(argv[1]), connections) < 0) {
		fprintf(stderr, "usage: caps_load PORT SLOT VISITORS TIMES CONNECTIONS LIMIT SEED\n");
		return 2;
	}
	run(&l);
	client_finish(&l.client);
	client_times_finish(&l.all);
	client_times_finish(&l.when_shown);
	free(l.asks);
	free(l.seen);
	return l.wrong ? 1 : 0;
}
