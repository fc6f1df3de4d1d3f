#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t client_now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int client_init(struct client *c, uint16_t port, unsigned n_conns)
{
	*c = (struct client){ .port = port, .epoll = epoll_create1(EPOLL_CLOEXEC), .conns = calloc(n_conns, sizeof *c->conns) };
	if (c->epoll < 0 || !c->conns)
		return -1;
	for (; c->n_conns < n_conns; c->n_conns++) {
		c->conns[c->n_conns] = (struct client_conn){ .fd = -1, .number = c->n_conns, .answer = malloc(CLIENT_ANSWER_BYTES) };
		if (!c->conns[c->n_conns].answer)
			return -1;
	}
	return 0;
}

static void close_conn(struct client_conn *conn)
{
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
}

void client_finish(struct client *c)
{
	for (unsigned i = 0; i < c->n_conns; i++) {
		close_conn(&c->conns[i]);
		free(c->conns[i].answer);
	}
	free(c->conns);
	if (c->epoll >= 0)
		close(c->epoll);
}

/* On loopback a connection is there at once, or not at all. It takes a whole request at once, too. */
static bool open_conn(struct client *c, struct client_conn *conn)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(c->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = conn };
	int one = 1;
	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (conn->fd >= 0 && connect(conn->fd, (struct sockaddr *)&address, sizeof address) == 0 &&
	    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
		epoll_ctl(c->epoll, EPOLL_CTL_ADD, conn->fd, &event) == 0)
		return true;
	close_conn(conn);
	return false;
}

bool client_send(struct client *c, struct client_conn *conn, const char *text, size_t n)
{
	if (conn->fd < 0 && !open_conn(c, conn))
		return false;
	conn->begin_us = client_now_us();
	conn->n = 0;
	while (n) {
		ssize_t sent = send(conn->fd, text, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0) {
			close_conn(conn);
			return false;
		}
		text += sent;
		n -= (size_t)sent;
	}
	conn->busy = true;
	c->n_busy++;
	return true;
}

struct answer {
	int status;
	bool close;
	const char *body;
	size_t n;
};

static bool whole(const struct client_conn *conn, struct answer *ret)
{
	const char *end = memmem(conn->answer, conn->n, "\r\n\r\n", 4);
	if (!end || conn->n < 12)
		return false;
	*ret = (struct answer){ .status = atoi(conn->answer + 9), .body = end + 4 };
	for (const char *line = conn->answer; line < end; line = (const char *)memmem(line, (size_t)(end + 2 - line), "\r\n", 2) + 2) {
		if (strncasecmp(line, "content-length:", 15) == 0)
			ret->n = strtoul(line + 15, NULL, 10);
		if (strncasecmp(line, "connection: close", 17) == 0)
			ret->close = true;
	}
	return (size_t)(ret->body - conn->answer) + ret->n <= conn->n;
}

static void receive(struct client *c, struct client_conn *conn, client_answered answered, void *ctx)
{
	struct answer a = { 0 };
	ssize_t n = recv(conn->fd, conn->answer + conn->n, CLIENT_ANSWER_BYTES - 1 - conn->n, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	conn->n += n > 0 ? (size_t)n : 0;
	conn->answer[conn->n] = '\0';
	bool broken = n <= 0;
	if (!broken && !(conn->busy && whole(conn, &a)))
		return;
	if (broken || a.close)
		close_conn(conn);
	if (!conn->busy)
		return;
	conn->busy = false;
	c->n_busy--;
	answered(ctx, conn, a.status, client_now_us() - conn->begin_us, a.body ? a.body : "", a.n);
}

void client_wait(struct client *c, int ms, client_answered answered, void *ctx)
{
	struct epoll_event events[64];
	int n = epoll_wait(c->epoll, events, 64, ms);
	for (int i = 0; i < n; i++)
		receive(c, events[i].data.ptr, answered, ctx);
}

void client_times_add(struct client_times *t, int64_t us)
{
	if (t->n == t->size) {
		size_t size = t->size ? t->size * 2 : 4096;
		uint32_t *more = realloc(t->us, size * sizeof *more);
		if (!more)
			abort();
		t->us = more;
		t->size = size;
	}
	t->us[t->n++] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static int by_value(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
	return (a > b) - (a < b);
}

uint32_t client_times_at(struct client_times *t, double share)
{
	if (!t->n)
		return 0;
	qsort(t->us, t->n, sizeof *t->us, by_value);
	size_t at = (size_t)((double)t->n * share);
	return t->us[at < t->n ? at : t->n - 1];
}

void client_times_finish(struct client_times *t)
{
	free(t->us);
}
