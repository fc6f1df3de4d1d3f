#include "http/internal.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

/* At the limit the connection that has idled longest makes room. */
static void make_room(struct fw_http_server *s)
{
	if (s->counters.open < s->limits.connections || !s->waiting[WAIT_IDLE].first)
		return;
	s->counters.idle_closed++;
	conn_drop(s->waiting[WAIT_IDLE].first);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	struct listener *l = arg;
	struct fw_http_server *s = l->server;
	union peer peer = { .any.sa_family = AF_UNSPEC };
	struct sockaddr_storage from;
	socklen_t n = sizeof from;
	make_room(s);
	if (s->counters.open >= s->limits.connections) {
		listeners_update(s);
		return;
	}
	int client = accept4(fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (client < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			s->exhausted = true; /* the next sweep tries again */
			listeners_update(s);
		}
		return;
	}
	peer.any.sa_family = from.ss_family;
	if (from.ss_family == AF_INET || from.ss_family == AF_INET6) {
		int one = 1;
		memcpy(&peer, &from, n < sizeof peer ? n : sizeof peer);
		setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	}
	s->now_us = fw_monotonic_us();
	conn_open(s, client, l->index, &peer);
}

void listeners_update(struct fw_http_server *s)
{
	bool full = s->counters.open >= s->limits.connections && !s->waiting[WAIT_IDLE].first;
	bool wanted = !s->paused && !s->exhausted && !s->draining && !full;
	for (unsigned i = 0; i < s->n_listeners; i++) {
		struct listener *l = &s->listeners[i];
		if (wanted == l->accepting || l->fd < 0)
			continue;
		if (wanted && event_add(&l->on_accept, NULL) < 0)
			continue;
		if (!wanted)
			event_del(&l->on_accept);
		l->accepting = wanted;
	}
}

void listeners_close(struct fw_http_server *s)
{
	for (unsigned i = 0; i < s->n_listeners; i++) {
		struct listener *l = &s->listeners[i];
		if (l->fd < 0)
			continue;
		event_del(&l->on_accept);
		close(l->fd);
		l->fd = -1;
		l->accepting = false;
	}
}

int fw_http_server_listen(struct fw_http_server *s, int fd, struct fw_error *err)
{
	if (s->n_listeners == MAX_LISTENERS)
		return fw_fail(err, FW_ELIMIT, NULL, 0, "a server has at most %d listening sockets", MAX_LISTENERS);
	struct listener *l = &s->listeners[s->n_listeners];
	if (evutil_make_socket_nonblocking(fd) < 0)
		return fw_fail(err, FW_EIO, NULL, 0, "the listening socket cannot be used: %s", strerror(errno));
	*l = (struct listener){ .server = s, .fd = fd, .index = (int)s->n_listeners };
	if (event_assign(&l->on_accept, s->base, fd, EV_READ | EV_PERSIST, on_accept, l) < 0)
		return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	s->n_listeners++;
	listeners_update(s);
	return l->index;
}

void fw_http_server_pause(struct fw_http_server *s, bool paused)
{
	s->paused = paused;
	listeners_update(s);
}
