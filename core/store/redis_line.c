#include "store/redis_line.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"

enum state {
	DOWN, /* until the timer says to try again */
	CONNECTING,
	GREETING,
	UP,
};

enum { FIRST_AGAIN_MS = 10, LOOK_MS = 500, QUIET_MS = 1000, MOST_WORDS = 16 };

struct due {
	fw_redis_replied replied;
	void *ctx;
};

struct fw_redis_line {
	struct fw_redis_lines *lines;
	char host[256];
	unsigned port;
	fw_redis_turned turned;
	fw_redis_replied pushed;
	void *ctx;
	enum state state;
	struct bufferevent *bev; /* NULL: down */
	redisReader *reader;
	struct event *timer; /* down: to try again; else: to look whether it answers */
	int64_t again_ms, heard_us, down_us;
	struct due *due; /* replies that are due, a ring */
	size_t first, n, size;
	char trouble[160];
};

static void connect_now(struct fw_redis_line *l);

static void set_timer(struct fw_redis_line *l, int64_t ms)
{
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };
	evtimer_add(l->timer, &t);
}

/* --- what is due */

static bool add_due(struct fw_redis_line *l, fw_redis_replied replied, void *ctx)
{
	if (l->n == l->size) {
		size_t size = l->size ? l->size * 2 : 64;
		struct due *due = malloc(size * sizeof *due);
		if (!due)
			return false;
		for (size_t i = 0; i < l->n; i++)
			due[i] = l->due[(l->first + i) % l->size];
		free(l->due);
		l->due = due;
		l->first = 0;
		l->size = size;
	}
	l->due[(l->first + l->n++) % l->size] = (struct due){ replied, ctx };
	return true;
}

static struct due take_due(struct fw_redis_line *l)
{
	struct due d = l->due[l->first];
	l->first = (l->first + 1) % l->size;
	l->n--;
	return d;
}

/* Answers for all that were due at the call; what is sent meanwhile finds the connection down. */
static void give_up_due(struct fw_redis_line *l)
{
	while (l->n > 0) {
		struct due d = take_due(l);
		if (d.replied)
			d.replied(d.ctx, NULL);
	}
}

/* --- its life */

static void hang_up(struct fw_redis_line *l)
{
	if (l->bev)
		bufferevent_free(l->bev);
	if (l->reader)
		redisReaderFree(l->reader);
	l->bev = NULL;
	l->reader = NULL;
}

/* Between half and all of `ms`, so that not everybody comes back at once. */
static int64_t spread(int64_t ms)
{
	uint32_t random = 0;
	if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
		random = 0;
	return ms / 2 + (int64_t)(random % (uint32_t)(ms / 2 + 1));
}

static void lose(struct fw_redis_line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void lose(struct fw_redis_line *l, const char *format, ...)
{
	bool was_up = l->state == UP;
	va_list list;
	va_start(list, format);
	vsnprintf(l->trouble, sizeof l->trouble, format, list);
	va_end(list);
	hang_up(l);
	l->state = DOWN;
	if (was_up) {
		l->down_us = fw_monotonic_us();
		l->again_ms = FIRST_AGAIN_MS;
	}
	set_timer(l, spread(l->again_ms));
	l->again_ms = l->again_ms * 2 < FW_LIMIT_REDIS_AGAIN_MS ? l->again_ms * 2 : FW_LIMIT_REDIS_AGAIN_MS;
	give_up_due(l);
	if (was_up && l->turned)
		l->turned(l->ctx, false);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_redis_line *l = ctx;
	int64_t silent_ms = (fw_monotonic_us() - l->heard_us) / 1000;
	(void)fd;
	(void)what;
	if (l->state == DOWN) {
		connect_now(l);
		return;
	}
	if (l->state != UP && silent_ms >= FW_LIMIT_REDIS_CONNECT_MS) {
		lose(l, "it does not answer");
		return;
	}
	if (l->state == UP && l->n > 0 && silent_ms >= FW_LIMIT_REDIS_SILENT_MS) {
		lose(l, "it has not answered for %.1f s", (double)silent_ms / 1e3);
		return;
	}
	if (l->state == UP && l->n == 0 && silent_ms >= QUIET_MS && !l->pushed) {
		l->heard_us = fw_monotonic_us();
		fw_redis_line_say(l, NULL, NULL, "PING", NULL);
	}
	set_timer(l, LOOK_MS);
}

/* --- reading */

static void on_greeted(void *ctx, const redisReply *reply)
{
	struct fw_redis_line *l = ctx;
	if (reply && reply->type == REDIS_REPLY_ERROR && l->state == GREETING && l->trouble[0] == '\0')
		snprintf(l->trouble, sizeof l->trouble, "it refuses us: %.120s", reply->str);
}

static void on_ready(void *ctx, const redisReply *reply)
{
	struct fw_redis_line *l = ctx;
	if (!reply)
		return;
	on_greeted(l, reply);
	if (l->trouble[0])
		return; /* read() sees it, and hangs up */
	l->state = UP;
	l->again_ms = FIRST_AGAIN_MS;
	l->down_us = 0;
	if (l->turned)
		l->turned(l->ctx, true);
}

static bool feed(struct fw_redis_line *l, struct evbuffer *in)
{
	struct evbuffer_iovec part;
	while (evbuffer_peek(in, -1, NULL, &part, 1) > 0 && part.iov_len > 0) {
		if (redisReaderFeed(l->reader, part.iov_base, part.iov_len) != REDIS_OK)
			return false;
		evbuffer_drain(in, part.iov_len);
	}
	return true;
}

static void on_read(struct bufferevent *bev, void *ctx)
{
	struct fw_redis_line *l = ctx;
	void *reply = NULL;
	l->heard_us = fw_monotonic_us();
	bool understood = feed(l, bufferevent_get_input(bev));
	while (understood && (understood = redisReaderGetReply(l->reader, &reply) == REDIS_OK) && reply) {
		const redisReply *r = reply;
		struct due d = { l->pushed, l->ctx };
		if (l->n > 0)
			d = take_due(l);
		else if (!l->pushed)
			understood = false;
		if (understood && d.replied)
			d.replied(d.ctx, r);
		freeReplyObject(reply);
		reply = NULL;
		if (l->state == GREETING && l->trouble[0]) {
			char why[sizeof l->trouble];
			memcpy(why, l->trouble, sizeof why);
			lose(l, "%s", why);
			return;
		}
	}
	if (!understood)
		lose(l, "what it says is not Redis's protocol");
}

/* --- connecting */

static void greet(struct fw_redis_line *l)
{
	const struct fw_redis_url *u = &l->lines->url;
	char database[16];
	int rc = 0;
	l->state = GREETING;
	l->trouble[0] = '\0';
	snprintf(database, sizeof database, "%u", u->database);
	if (u->password)
		rc = u->user ? fw_redis_line_say(l, on_greeted, l, "AUTH", u->user, u->password, NULL)
			: fw_redis_line_say(l, on_greeted, l, "AUTH", u->password, NULL);
	if (rc == 0 && u->database)
		rc = fw_redis_line_say(l, on_greeted, l, "SELECT", database, NULL);
	if (rc == 0)
		rc = fw_redis_line_say(l, NULL, NULL, "CLIENT", "SETNAME", "floorwalker", NULL);
	if (rc == 0)
		rc = fw_redis_line_say(l, on_ready, l, "PING", NULL);
	if (rc < 0)
		lose(l, "out of memory");
}

/* What went wrong with a socket, or below TLS. */
static const char *cause_of(struct bufferevent *bev)
{
	unsigned long tls = bufferevent_get_openssl_error(bev);
	int dns = bufferevent_socket_get_dns_error(bev);
	const char *reason = tls ? ERR_reason_error_string(tls) : NULL;
	return reason ? reason : dns ? evutil_gai_strerror(dns) : evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR());
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
	struct fw_redis_line *l = ctx;
	if (what & BEV_EVENT_CONNECTED) {
		int fd = bufferevent_getfd(bev), on = 1;
		if (l->port) {
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
			setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
		}
		l->heard_us = fw_monotonic_us();
		greet(l);
	} else if (what & BEV_EVENT_EOF) {
		lose(l, "it closed the connection");
	} else if (what & BEV_EVENT_ERROR) {
		lose(l, l->state == UP ? "the connection was lost: %s" : "it cannot be reached: %s", cause_of(bev));
	}
}

static SSL *make_tls(struct fw_redis_line *l)
{
	SSL *ssl = SSL_new(l->lines->tls);
	struct in6_addr address;
	if (!ssl)
		return NULL;
	bool is_address = inet_pton(AF_INET, l->host, &address) == 1 || inet_pton(AF_INET6, l->host, &address) == 1;
	bool fine = is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), l->host) == 1
		: SSL_set1_host(ssl, l->host) == 1 && SSL_set_tlsext_host_name(ssl, l->host) == 1;
	if (!fine) {
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}

static struct bufferevent *make_bufferevent(struct fw_redis_line *l)
{
	const int how = BEV_OPT_CLOSE_ON_FREE; /* no deferred callbacks: one that is due when the loop ends is never freed */
	if (!l->lines->tls)
		return bufferevent_socket_new(l->lines->base, -1, how);
	SSL *ssl = make_tls(l);
	struct bufferevent *bev = ssl ? bufferevent_openssl_socket_new(l->lines->base, -1, ssl, BUFFEREVENT_SSL_CONNECTING, how) : NULL;
	if (!bev)
		SSL_free(ssl);
	else
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

static void connect_now(struct fw_redis_line *l)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX };
	int rc;
	l->state = CONNECTING;
	l->heard_us = fw_monotonic_us();
	l->bev = make_bufferevent(l);
	l->reader = redisReaderCreate();
	if (!l->bev || !l->reader) {
		lose(l, "out of memory");
		return;
	}
	bufferevent_setcb(l->bev, on_read, NULL, on_event, l);
	bufferevent_enable(l->bev, EV_READ | EV_WRITE);
	set_timer(l, LOOK_MS);
	if (l->port) {
		rc = bufferevent_socket_connect_hostname(l->bev, l->lines->dns, AF_UNSPEC, l->host, (int)l->port);
	} else {
		snprintf(path.sun_path, sizeof path.sun_path, "%.*s", (int)sizeof path.sun_path - 1, l->host);
		rc = bufferevent_socket_connect(l->bev, (struct sockaddr *)&path, sizeof path);
	}
	if (rc < 0 && l->state == CONNECTING)
		lose(l, "it cannot be reached: %s", evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
}

struct fw_redis_line *fw_redis_line_create(struct fw_redis_lines *lines, const char *host, unsigned port, fw_redis_turned turned,
	fw_redis_replied pushed, void *ctx)
{
	struct fw_redis_line *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	*l = (struct fw_redis_line){ .lines = lines, .port = port, .turned = turned, .pushed = pushed, .ctx = ctx,
		.again_ms = FIRST_AGAIN_MS, .down_us = fw_monotonic_us() };
	snprintf(l->host, sizeof l->host, "%s", host);
	snprintf(l->trouble, sizeof l->trouble, "it is being connected to");
	if (!(l->timer = evtimer_new(lines->base, on_timer, l))) {
		free(l);
		return NULL;
	}
	set_timer(l, 0);
	return l;
}

void fw_redis_line_destroy(struct fw_redis_line *l)
{
	if (!l)
		return;
	hang_up(l);
	l->state = DOWN;
	give_up_due(l);
	event_free(l->timer);
	free(l->due);
	free(l);
}

bool fw_redis_line_up(const struct fw_redis_line *l)
{
	return l->state == UP;
}

int64_t fw_redis_line_down_us(const struct fw_redis_line *l)
{
	return l->state == UP ? 0 : fw_monotonic_us() - l->down_us;
}

const char *fw_redis_line_trouble(const struct fw_redis_line *l)
{
	return l->state == UP ? "" : l->trouble;
}

/* --- writing */

int fw_redis_line_send(struct fw_redis_line *l, const char *command, size_t n, fw_redis_replied replied, void *ctx)
{
	if (l->state != UP && l->state != GREETING)
		return FW_EAWAY;
	bool first = l->n == 0;
	if (!l->pushed || l->state == GREETING) {
		if (!add_due(l, replied, ctx))
			return FW_ENOMEM;
	}
	if (bufferevent_write(l->bev, command, n) < 0) {
		if (!l->pushed || l->state == GREETING)
			l->n--;
		return FW_ENOMEM;
	}
	if (first)
		l->heard_us = fw_monotonic_us();
	return 0;
}

int fw_redis_line_say(struct fw_redis_line *l, fw_redis_replied replied, void *ctx, const char *word, ...)
{
	const char *words[MOST_WORDS];
	int n = 0;
	char *command = NULL;
	va_list list;
	va_start(list, word);
	for (; word && n < MOST_WORDS; word = va_arg(list, const char *))
		words[n++] = word;
	va_end(list);
	int length = redisFormatCommandArgv(&command, n, words, NULL);
	if (length < 0)
		return FW_ENOMEM;
	int rc = fw_redis_line_send(l, command, (size_t)length, replied, ctx);
	redisFreeCommand(command);
	return rc;
}

/* --- what they have in common */

static int make_context(struct fw_redis_lines *lines, struct fw_error *err)
{
	const struct fw_redis_url *u = &lines->url;
	const char *what = NULL;
	if (!(lines->tls = SSL_CTX_new(TLS_client_method())))
		return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	SSL_CTX_set_verify(lines->tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_min_proto_version(lines->tls, TLS1_2_VERSION);
	if (u->ca ? SSL_CTX_load_verify_locations(lines->tls, u->ca, NULL) != 1 : SSL_CTX_set_default_verify_paths(lines->tls) != 1)
		what = u->ca ? u->ca : "the system's list of authorities";
	else if (u->cert && SSL_CTX_use_certificate_chain_file(lines->tls, u->cert) != 1)
		what = u->cert;
	else if (u->key && SSL_CTX_use_PrivateKey_file(lines->tls, u->key, SSL_FILETYPE_PEM) != 1)
		what = u->key;
	if (!what)
		return 0;
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	fw_fail(err, FW_EINVAL, what, 0, "it cannot be used for TLS with Redis: %s", reason ? reason : "it cannot be read");
	fw_hint(err, "ca, cert and key of the store's URL name files in PEM");
	return FW_EINVAL;
}

int fw_redis_lines_init(struct fw_redis_lines *lines, struct fw_error *err)
{
	bool named = lines->url.cluster; /* its nodes may tell names */
	struct in6_addr address;
	for (unsigned i = 0; i < lines->url.n_hosts; i++) {
		const struct fw_redis_host *h = &lines->url.hosts[i];
		named |= h->port && inet_pton(AF_INET, h->name, &address) != 1 && inet_pton(AF_INET6, h->name, &address) != 1;
	}
	/* Without a resolver names are looked up in /etc/hosts alone. */
	if (named && !(lines->dns = evdns_base_new(lines->base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE)) &&
	    (lines->dns = evdns_base_new(lines->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE)))
		evdns_base_load_hosts(lines->dns, NULL);
	if (named && !lines->dns)
		return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	return lines->url.tls ? make_context(lines, err) : 0;
}

void fw_redis_lines_finish(struct fw_redis_lines *lines)
{
	if (lines->dns)
		evdns_base_free(lines->dns, 0);
	SSL_CTX_free(lines->tls);
	lines->dns = NULL;
	lines->tls = NULL;
}
