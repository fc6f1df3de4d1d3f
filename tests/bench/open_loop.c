/* Requests at their own pace: each is due at a fixed time, whether or not the ones before it were answered, and its
 * latency counts from that time. So a server that stands still for a while cannot hide it.
 *
 *   open_loop PORT PATH BODIES RATE SECONDS CONNECTIONS
 *
 * BODIES has a body a line, posted in turn to 127.0.0.1. A connection that the server closes between two requests, or
 * with an answer that says so, is opened again; a request that gets no whole answer has failed. Prints a line a request:
 * when it was due (microseconds since 1970), the status (0: failed), its latency in microseconds. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 1024, ANSWER_BYTES = 64 << 10, LAST_ANSWERS_US = 10000000 };

struct request {
	char *text;
	size_t n;
};

struct connection {
	int fd;          /* or -1 */
	bool busy;
	int64_t due_us;
	char *answer;    /* of ANSWER_BYTES */
	size_t n;
};

struct load {
	uint16_t port;
	int epoll;
	struct request *requests;
	size_t n_requests;
	struct connection *connections;
	int n_connections;
	unsigned long sent, done;
};

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void close_connection(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* On loopback a connection is there at once, or not at all. */
static bool open_connection(struct load *l, struct connection *c)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(l->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
	int one = 1;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd >= 0 && connect(c->fd, (struct sockaddr *)&address, sizeof address) == 0 &&
	    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 && epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0)
		return true;
	close_connection(c);
	return false;
}

static void finish(struct load *l, struct connection *c, int status)
{
	printf("%lld\t%d\t%lld\n", (long long)c->due_us, status, (long long)(now_us() - c->due_us));
	c->busy = false;
	l->done++;
}

static void send_one(struct load *l, struct connection *c, int64_t due_us)
{
	const struct request *r = &l->requests[l->sent++ % l->n_requests];
	c->busy = true;
	c->due_us = due_us;
	c->n = 0;
	if ((c->fd < 0 && !open_connection(l, c)) || send(c->fd, r->text, r->n, MSG_NOSIGNAL) != (ssize_t)r->n) {
		close_connection(c);
		finish(l, c, 0);
	}
}

/* Where the answer ends, once it is whole; else 0. */
static size_t whole(const struct connection *c, int *ret_status, bool *ret_close)
{
	const char *body = memmem(c->answer, c->n, "\r\n\r\n", 4);
	size_t length = 0;
	if (!body || c->n < 12)
		return 0;
	*ret_status = atoi(c->answer + 9);
	for (const char *line = c->answer; line < body; line = (const char *)memmem(line, (size_t)(body + 2 - line), "\r\n", 2) + 2) {
		if (strncasecmp(line, "content-length:", 15) == 0)
			length = strtoul(line + 15, NULL, 10);
		if (strncasecmp(line, "connection: close", 17) == 0)
			*ret_close = true;
	}
	size_t end = (size_t)(body + 4 - c->answer) + length;
	return c->n >= end ? end : 0;
}

static void receive(struct load *l, struct connection *c)
{
	bool closing = false;
	int status = 0;
	ssize_t n = recv(c->fd, c->answer + c->n, ANSWER_BYTES - 1 - c->n, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_connection(c);
		if (c->busy)
			finish(l, c, 0);
		return;
	}
	c->n += (size_t)n;
	c->answer[c->n] = '\0';
	if (c->busy && whole(c, &status, &closing)) {
		if (closing)
			close_connection(c);
		finish(l, c, status);
	}
}

static void run(struct load *l, double rate, double seconds)
{
	struct epoll_event events[64];
	int64_t begin = now_us(), end = begin + (int64_t)(seconds * 1e6);
	unsigned long wanted = (unsigned long)(rate * seconds);
	int next = 0;
	while (l->done < wanted && now_us() < end + LAST_ANSWERS_US) {
		int64_t due = begin + (int64_t)((double)l->sent * 1e6 / rate);
		for (int i = 0; i < l->n_connections && l->sent < wanted && due <= now_us(); i++) {
			struct connection *c = &l->connections[next++ % l->n_connections];
			if (c->busy)
				continue;
			send_one(l, c, due);
			due = begin + (int64_t)((double)l->sent * 1e6 / rate);
		}
		/* Whole milliseconds of epoll_wait would be waited longer than requests are apart, and be counted as the server's. */
		int64_t left_us = due - now_us();
		struct timespec left = { .tv_nsec = left_us < 0 ? 0 : left_us < 1000 ? (long)left_us * 1000 : 1000000 };
		int n = epoll_pwait2(l->epoll, events, 64, &left, NULL);
		for (int i = 0; i < n; i++)
			receive(l, events[i].data.ptr);
	}
	for (int i = 0; i < l->n_connections; i++)
		if (l->connections[i].busy)
			finish(l, &l->connections[i], 0);
}

static bool read_bodies(struct load *l, const char *file, const char *path)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	FILE *f = fopen(file, "r");
	while (f && (n = getline(&line, &size, f)) > 0) {
		struct request *more = realloc(l->requests, (l->n_requests + 1) * sizeof *more);
		if (!more)
			break;
		l->requests = more;
		struct request *r = &l->requests[l->n_requests];
		int length = asprintf(&r->text, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
			"Content-Length: %zd\r\n\r\n%s", path, n, line);
		if (length < 0)
			break;
		r->n = (size_t)length;
		l->n_requests++;
	}
	free(line);
	if (f)
		fclose(f);
	return l->n_requests > 0;
}

int main(int argc, char **argv)
{
	struct load l = { .epoll = epoll_create1(EPOLL_CLOEXEC) };
	if (argc != 7 || l.epoll < 0 || !read_bodies(&l, argv[3], argv[2])) {
		fprintf(stderr, "usage: open_loop PORT PATH BODIES RATE SECONDS CONNECTIONS\n");
		return 2;
	}
	l.port = (uint16_t)atoi(argv[1]);
	l.n_connections = atoi(argv[6]) < MOST_CONNECTIONS ? atoi(argv[6]) : MOST_CONNECTIONS;
	l.connections = calloc((size_t)l.n_connections, sizeof *l.connections);
	for (int i = 0; l.connections && i < l.n_connections; i++) {
		l.connections[i].fd = -1;
		l.connections[i].answer = malloc(ANSWER_BYTES);
		if (!l.connections[i].answer)
			return 1;
	}
	if (!l.connections)
		return 1;
	run(&l, strtod(argv[4], NULL), strtod(argv[5], NULL));
	for (int i = 0; i < l.n_connections; i++) {
		close_connection(&l.connections[i]);
		free(l.connections[i].answer);
	}
	for (size_t i = 0; i < l.n_requests; i++)
		free(l.requests[i].text);
	free(l.connections);
	free(l.requests);
	close(l.epoll);
	return 0;
}
