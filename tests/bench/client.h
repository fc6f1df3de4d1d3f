/* Connections to an HTTP server on loopback, one request at a time on each, as many requests a second as it answers. */
#ifndef FW_BENCH_CLIENT_H
#define FW_BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLIENT_ANSWER_BYTES = 64 << 10, CLIENT_BODY_BYTES = 1 << 20 };

struct client_conn {
	int fd;           /* -1: to be opened with the next request */
	bool busy;
	int64_t begin_us; /* of the request */
	unsigned number;  /* 0 … n_conns - 1 */
	char *answer;     /* of CLIENT_ANSWER_BYTES */
	size_t n;
};

struct client {
	uint16_t port;
	int epoll;
	struct client_conn *conns;
	unsigned n_conns, n_busy;
};

int client_init(struct client *c, uint16_t port, unsigned n_conns); /* 0 or -1 */
void client_finish(struct client *c);

/* `text` is the head and the body. False: the connection broke, and the request may have arrived or not. */
bool client_send(struct client *c, struct client_conn *conn, const char *text, size_t n);

/* An answer has come; `status` 0: none will, for the connection broke. The body is terminated. */
typedef void (*client_answered)(void *ctx, struct client_conn *conn, int status, int64_t took_us, const char *body, size_t n);
/* Waits at most so long, and calls for every answer that has come. */
void client_wait(struct client *c, int ms, client_answered answered, void *ctx);

int64_t client_now_us(void); /* monotonic */

/* Times that something took. */
struct client_times {
	uint32_t *us;
	size_t n, size;
};
void client_times_add(struct client_times *t, int64_t us);
/* The time that a share of them did not go beyond; sorts. 0: there are none. */
uint32_t client_times_at(struct client_times *t, double share);
void client_times_finish(struct client_times *t);

#endif
