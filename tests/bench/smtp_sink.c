/* A mail server on loopback that takes everything and keeps nothing: it counts messages, and those that came again, by what stands in
 * their header X-Floorwalker-Message.
 *
 *   smtp_sink
 *
 * Listens on a free port, which is its first line. Of extensions it offers none. A line on its input is a command, answered by a line:
 *
 *   report      {"messages","distinct","again","unnamed","bytes","first_us","last_us","connections"}: since the last reset; a
 *               message is there when its last line is; microseconds since 1970
 *   reset       forgets what came, and answers {}
 *   save FILE   the next message is written there as it was before dots were doubled, without its last line; {}
 *
 * It ends with its input. */
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"

enum { MESSAGE_BYTES = 256 << 10, REPLIES_BYTES = 4096, LINE_BYTES = 1000, SEEN_FIRST = 1 << 17 };

struct sink {
	struct event_base *base;
	struct event *input;
	uint64_t *seen;           /* hashes of ids, 0: free; of a power of two */
	size_t seen_size, distinct;
	uint64_t messages, again, unnamed, bytes, connections;
	int64_t first_us, last_us;
	char line[512];
	size_t line_n;
	char save[512];           /* "": nothing is to be saved */
};

struct conn {
	struct sink *sink;
	struct event *event;
	int fd;
	bool in_data, over;
	size_t n, looked;         /* of `in`; how far there is no end of the message */
	char replies[REPLIES_BYTES];
	size_t n_replies;
	char in[MESSAGE_BYTES];
};

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- what came */

static bool insert(uint64_t *seen, size_t size, uint64_t hash)
{
	size_t at = hash & (size - 1);
	while (seen[at] && seen[at] != hash)
		at = (at + 1) & (size - 1);
	bool is_new = !seen[at];
	seen[at] = hash;
	return is_new;
}

static void grow(struct sink *s)
{
	uint64_t *more = calloc(s->seen_size * 2, sizeof *more);
	if (!more)
		abort();
	for (size_t i = 0; i < s->seen_size; i++)
		if (s->seen[i])
			insert(more, s->seen_size * 2, s->seen[i]);
	free(s->seen);
	s->seen = more;
	s->seen_size *= 2;
}

static void save(struct sink *s, const char *p, size_t n)
{
	FILE *f = fopen(s->save, "w");
	for (size_t i = 0; f && i < n; i++)
		if (!(p[i] == '.' && (i == 0 || p[i - 1] == '\n')))
			fputc(p[i], f);
	if (!f || fclose(f) != 0)
		fprintf(stderr, "smtp_sink: %s: %s\n", s->save, strerror(errno));
	s->save[0] = '\0';
}

/* n without the line that ends it. */
static void take_message(struct sink *s, const char *p, size_t n)
{
	static const char name[] = "\r\nX-Floorwalker-Message: ";
	const char *end = memmem(p, n, "\r\n\r\n", 4);
	const char *id = end ? memmem(p, (size_t)(end + 2 - p), name, sizeof name - 1) : NULL;
	s->last_us = now_us();
	if (s->messages++ == 0)
		s->first_us = s->last_us;
	s->bytes += n;
	if (s->save[0])
		save(s, p, n);
	if (!id) {
		s->unnamed++;
		return;
	}
	id += sizeof name - 1;
	size_t id_n = (size_t)((const char *)memchr(id, '\r', (size_t)(end + 2 - id)) - id);
	uint64_t hash = fw_hash(id, id_n);
	if (insert(s->seen, s->seen_size, hash ? hash : 1))
		s->distinct++;
	else
		s->again++;
	if (s->distinct > s->seen_size / 2)
		grow(s);
}

/* --- the dialogue */

static void close_conn(struct conn *c)
{
	event_free(c->event);
	close(c->fd);
	free(c);
}

static void reply(struct conn *c, const char *text)
{
	size_t n = strlen(text);
	if (c->n_replies + n > sizeof c->replies) {
		c->over = true;
		return;
	}
	memcpy(c->replies + c->n_replies, text, n);
	c->n_replies += n;
}

static void take_command(struct conn *c, const char *line)
{
	static const char *const fine[] = { "HELO", "EHLO", "MAIL", "RCPT", "RSET", "NOOP" };
	if (strncasecmp(line, "DATA", 4) == 0) {
		c->in_data = true;
		reply(c, "354 go on\r\n");
		return;
	}
	if (strncasecmp(line, "QUIT", 4) == 0) {
		reply(c, "221 goodbye\r\n");
		c->over = true;
		return;
	}
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		if (strncasecmp(line, fine[i], 4) == 0) {
			reply(c, i < 2 ? "250 sink.test\r\n" : "250 2.0.0 fine\r\n");
			return;
		}
	reply(c, "502 5.5.1 what?\r\n");
}

static void drop(struct conn *c, size_t n)
{
	memmove(c->in, c->in + n, c->n - n);
	c->n -= n;
	c->looked = 0;
}

/* Takes a command or a message from what has come. False: neither is whole. */
static bool take_next(struct conn *c)
{
	if (c->in_data) {
		/* Behind the reply to DATA an empty message is its last line alone. */
		size_t from = c->looked > 4 ? c->looked - 4 : 0;
		char *end = c->n >= 3 && memcmp(c->in, ".\r\n", 3) == 0 ? c->in : memmem(c->in + from, c->n - from, "\r\n.\r\n", 5);
		c->looked = c->n;
		if (!end)
			return false;
		size_t length = end == c->in ? 0 : (size_t)(end + 2 - c->in);
		take_message(c->sink, c->in, length);
		c->in_data = false;
		reply(c, "250 2.0.0 taken\r\n");
		drop(c, length + 3);
		return true;
	}
	char *end = memmem(c->in, c->n, "\r\n", 2);
	if (!end) {
		c->over |= c->n > LINE_BYTES;
		return false;
	}
	*end = '\0';
	take_command(c, c->in);
	drop(c, (size_t)(end + 2 - c->in));
	return true;
}

/* Replies are small, and a client that does not read them is none of ours. */
static void on_ready(evutil_socket_t fd, short what, void *ctx)
{
	struct conn *c = ctx;
	(void)what;
	ssize_t n = recv(fd, c->in + c->n, sizeof c->in - c->n, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* also when a message is larger than it may be */
		close_conn(c);
		return;
	}
	c->n += (size_t)n;
	while (!c->over && take_next(c)) {
	}
	if (c->n_replies && send(fd, c->replies, c->n_replies, MSG_NOSIGNAL) != (ssize_t)c->n_replies)
		c->over = true;
	c->n_replies = 0;
	if (c->over)
		close_conn(c);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *address, int length, void *ctx)
{
	struct sink *s = ctx;
	struct conn *c = malloc(sizeof *c);
	int one = 1;
	(void)l;
	(void)address;
	(void)length;
	if (!c)
		abort();
	memset(c, 0, offsetof(struct conn, in));
	c->sink = s;
	c->fd = fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (!(c->event = event_new(s->base, fd, EV_READ | EV_PERSIST, on_ready, c)) || event_add(c->event, NULL) < 0)
		abort();
	s->connections++;
	static const char greeting[] = "220 sink.test ready\r\n";
	if (send(fd, greeting, sizeof greeting - 1, MSG_NOSIGNAL) < 0)
		close_conn(c);
}

/* --- commands */

static void report(const struct sink *s)
{
	printf("{\"messages\":%llu,\"distinct\":%zu,\"again\":%llu,\"unnamed\":%llu,\"bytes\":%llu,\"first_us\":%lld,\"last_us\":%lld,"
		"\"connections\":%llu}\n", (unsigned long long)s->messages, s->distinct, (unsigned long long)s->again,
		(unsigned long long)s->unnamed, (unsigned long long)s->bytes, (long long)s->first_us, (long long)s->last_us,
		(unsigned long long)s->connections);
}

static void reset(struct sink *s)
{
	memset(s->seen, 0, s->seen_size * sizeof *s->seen);
	s->distinct = 0;
	s->messages = s->again = s->unnamed = s->bytes = s->connections = 0;
	s->first_us = s->last_us = 0;
}

static void obey(struct sink *s, const char *line)
{
	if (strcmp(line, "report") == 0) {
		report(s);
	} else {
		if (strcmp(line, "reset") == 0)
			reset(s);
		else if (strncmp(line, "save ", 5) == 0)
			snprintf(s->save, sizeof s->save, "%s", line + 5);
		puts("{}");
	}
	fflush(stdout);
}

static void on_input(evutil_socket_t fd, short what, void *ctx)
{
	struct sink *s = ctx;
	char *end;
	(void)what;
	ssize_t n = read(fd, s->line + s->line_n, sizeof s->line - 1 - s->line_n);
	if (n <= 0) {
		event_base_loopbreak(s->base);
		return;
	}
	s->line_n += (size_t)n;
	while ((end = memchr(s->line, '\n', s->line_n))) {
		*end = '\0';
		obey(s, s->line);
		s->line_n -= (size_t)(end + 1 - s->line);
		memmove(s->line, end + 1, s->line_n);
	}
}

static struct evconnlistener *listen_somewhere(struct sink *s)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	struct evconnlistener *l = evconnlistener_new_bind(s->base, on_accept, s, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 512,
		(struct sockaddr *)&address, sizeof address);
	if (!l || getsockname(evconnlistener_get_fd(l), (struct sockaddr *)&address, &length) < 0)
		return l;
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return l;
}

int main(void)
{
	struct sink s = { .base = event_base_new(), .seen_size = SEEN_FIRST };
	s.seen = calloc(s.seen_size, sizeof *s.seen);
	s.input = s.base ? event_new(s.base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, &s) : NULL;
	struct evconnlistener *l = s.input && s.seen ? listen_somewhere(&s) : NULL;
	if (!l || event_add(s.input, NULL) < 0) {
		fprintf(stderr, "smtp_sink: cannot listen: %s\n", strerror(errno));
		return 1;
	}
	event_base_dispatch(s.base);
	evconnlistener_free(l);
	event_free(s.input);
	event_base_free(s.base);
	free(s.seen);
	return 0;
}
