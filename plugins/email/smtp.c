#include "smtp_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const char too_long[] = "the mail server took too long";
static const char too_late[] = "no connection to the mail server was free in time";

static void work(struct fw_plugin_instance *self, void *data);

static int64_t now_us(const struct email_smtp *s)
{
	return s->host->monotonic_us(s->host);
}

static void give_time(struct email_connection *c, int64_t ms)
{
	c->until_us = now_us(c->smtp) + ms * 1000;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Whether the connection's message may no longer be handed over. */
static int is_late(const struct email_connection *c)
{
	return c->sends_data && now_us(c->smtp) >= c->job->last_us;
}

/* Has `work` called from the loop: what it finds must not reach the host from within the host's own call. */
static int kick(struct email_smtp *s)
{
	if (!s->kick)
		s->kick = s->host->timer_start(s->host, 0, 0, work, s);
	return s->kick ? 0 : -1;
}

void email_job_free(struct email_job *job)
{
	if (!job)
		return;
	email_text_free(&job->data);
	free(job);
}

/* The host may have begun the next attempt of one that it gave up: what is said of the message would be taken for that one's. */
static void tell(struct email_smtp *s, struct email_job *job, const struct email_result *result)
{
	if (now_us(s) < job->until_us)
		s->sent(s->self, job->id, job->until_us, result);
	email_job_free(job);
}

/* For the next connection, before all others. */
static void put_back(struct email_smtp *s, struct email_job *job)
{
	job->next = s->first;
	s->first = job;
	if (!job->next)
		s->last = &job->next;
	s->n_waiting++;
}

static struct email_job *take_job(struct email_smtp *s)
{
	struct email_job *job = s->first;
	s->first = job->next;
	if (!s->first)
		s->last = &s->first;
	s->n_waiting--;
	return job;
}

/* What waits and cannot be handed over later than `at_us`, from the first on: who came first is the first to be late. */
static void turn_away(struct email_smtp *s, int64_t at_us, const char *reason)
{
	struct email_result result = { .outcome = FW_PLUGIN_RETRY };
	snprintf(result.reason, sizeof result.reason, "%s", reason);
	for (size_t n = s->n_waiting; n > 0 && s->first->last_us <= at_us; n--)
		tell(s, take_job(s), &result);
}

/* Connections. */

static void destroy(struct email_connection *c)
{
	static const struct linger at_once = { 1, 0 };
	struct email_smtp *s = c->smtp;
	/* The end of a message must not go out after nobody waits for it any more: what the kernel still holds is to be forgotten. */
	if (c->job && c->data_at)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	for (struct email_connection **at = &s->connections; *at; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			break;
		}
	s->n_connections--;
	s->n_connecting -= c->state == EMAIL_CONNECTING;
	if (c->watch && !s->stopped)
		s->host->unwatch(c->watch);
	if (c->easy) {
		curl_multi_remove_handle(s->multi, c->easy);
		curl_easy_cleanup(c->easy);
	}
	email_text_free(&c->out);
	free(c);
}

/* Ends a connection that has nothing to do; that the server is told so is a courtesy. */
static void part(struct email_connection *c)
{
	size_t n;
	if (c->state == EMAIL_READY)
		curl_easy_send(c->easy, "QUIT\r\n", 6, &n);
	destroy(c);
}

/* The connection is of no more use. Its message goes over another one if the server had ended this one before it began. */
void email_lose(struct email_connection *c, const char *reason)
{
	struct email_smtp *s = c->smtp;
	struct email_job *job = c->job;
	struct email_result result = { .outcome = FW_PLUGIN_RETRY };
	int connecting = c->state == EMAIL_CONNECTING;
	snprintf(result.reason, sizeof result.reason, "%s", reason);
	if (c->refused)
		result = c->result;
	int stale = c->done > 0 && (!c->heard || (c->refused && c->reply.code == 421 && c->stage <= EMAIL_STAGE_RCPT));
	destroy(c);
	/* All that were kept may be over; one that is new is never counted so. */
	if (job && stale && job->again < s->config->connections) {
		job->again++;
		put_back(s, job);
	} else if (job) {
		tell(s, job, &result);
	}
	if (connecting && s->n_connections == 0)
		turn_away(s, INT64_MAX, result.reason);
	else if (connecting)
		s->hold_us = now_us(s) + EMAIL_HOLD_MS * 1000;
	if (s->first)
		kick(s);
}

/* The dialogue. */

static void add_command(struct email_connection *c, const char *before, const char *address, const char *after)
{
	email_add_text(&c->out, before);
	email_add_text(&c->out, address);
	email_add_text(&c->out, after);
}

static void ask_next(struct email_connection *c)
{
	char after[64];
	switch (c->stage) {
	case EMAIL_STAGE_MAIL:
		snprintf(after, sizeof after, c->sizes ? "> SIZE=%zu\r\n" : ">\r\n", c->job->data.n);
		add_command(c, "MAIL FROM:<", c->job->from, after);
		break;
	case EMAIL_STAGE_RCPT:
		add_command(c, "RCPT TO:<", c->job->to, ">\r\n");
		break;
	case EMAIL_STAGE_DATA:
		email_add_text(&c->out, "DATA\r\n");
		break;
	case EMAIL_STAGE_BODY:
		c->sends_data = 1;
		break;
	case EMAIL_STAGE_RESET:
		email_add_text(&c->out, "RSET\r\n");
		break;
	}
}

static void begin(struct email_connection *c, struct email_job *job)
{
	c->job = job;
	c->state = EMAIL_ASKING;
	c->heard = c->refused = c->sends_data = 0;
	c->data_at = 0;
	give_time(c, c->smtp->config->timeout_ms);
	c->over_us = c->until_us;
	c->until_us = earlier(c->over_us, job->last_us);
	for (c->stage = EMAIL_STAGE_MAIL; c->stage <= EMAIL_STAGE_DATA; c->stage++) {
		ask_next(c);
		if (!c->pipelines)
			break;
	}
	c->stage = EMAIL_STAGE_MAIL;
}

/* The connection is free for the next message, if there is one. */
static void rest(struct email_connection *c)
{
	c->state = EMAIL_READY;
	give_time(c, EMAIL_IDLE_MS);
	kick(c->smtp);
}

/* Tells what came of the message. */
static void finish(struct email_connection *c)
{
	static const struct email_result delivered = { .outcome = FW_PLUGIN_DELIVERED };
	struct email_job *job = c->job;
	struct email_result result = c->refused ? c->result : delivered;
	c->job = NULL;
	c->done++;
	tell(c->smtp, job, &result);
	if (c->refused && c->stage != EMAIL_STAGE_BODY) {
		c->stage = EMAIL_STAGE_RESET;
		ask_next(c);
	} else {
		rest(c);
	}
}

/* A reply to what stands in `stage`. -1: the connection is to end. */
static int on_reply(struct email_connection *c)
{
	int code = c->reply.code, wanted = c->stage == EMAIL_STAGE_DATA ? code == 354 : code / 100 == 2;
	if (c->state == EMAIL_READY || (c->stage == EMAIL_STAGE_RESET && !wanted))
		return -1;
	if (c->stage == EMAIL_STAGE_RESET) {
		rest(c);
		return 0;
	}
	if (!wanted && !c->refused) {
		email_reply_judge(c->stage, code, c->reply.text, &c->result);
		c->refused = 1;
	}
	/* 421: the server ends the connection. 354 in spite of a refusal: what would come now must not become a message. A reply before
	 * all of the message is sent: what is left of it must not be taken for commands. */
	if (code == 421 || (c->refused && code == 354) || (c->stage == EMAIL_STAGE_BODY && c->sends_data))
		return -1;
	c->heard = 1;
	if (c->stage == EMAIL_STAGE_BODY || (c->refused && (!c->pipelines || c->stage == EMAIL_STAGE_DATA))) {
		finish(c);
		return 0;
	}
	c->stage++;
	if (!c->pipelines || c->stage == EMAIL_STAGE_BODY)
		ask_next(c);
	return 0;
}

static int receive(struct email_connection *c)
{
	char bytes[4096];
	for (;;) {
		size_t n = 0, used;
		CURLcode rc = curl_easy_recv(c->easy, bytes, sizeof bytes, &n);
		if (rc == CURLE_AGAIN)
			return 0;
		if (rc != CURLE_OK || n == 0)
			return -1;
		for (const char *p = bytes; n > 0; p += used, n -= used) {
			int whole = email_reply_take(&c->reply, p, n, &used);
			if (whole < 0 || (whole > 0 && on_reply(c) < 0))
				return -1;
		}
	}
}

/* Sends `*at` and what follows of it. 1: all is sent; 0: later; -1: it cannot be. */
static int send_from(struct email_connection *c, const struct email_text *t, size_t *at)
{
	while (*at < t->n) {
		size_t n = 0;
		CURLcode rc = curl_easy_send(c->easy, t->p + *at, t->n - *at, &n);
		if (rc == CURLE_AGAIN)
			return 0;
		if (rc != CURLE_OK)
			return -1;
		*at += n;
	}
	return 1;
}

static int send_out(struct email_connection *c)
{
	int rc = c->out.failed ? -1 : send_from(c, &c->out, &c->out_at);
	if (rc <= 0)
		return rc;
	c->out.n = c->out_at = 0;
	if (!c->sends_data)
		return 1;
	if (is_late(c))
		return -1;
	rc = send_from(c, &c->job->data, &c->data_at);
	if (rc > 0) {
		c->sends_data = 0;
		c->until_us = earlier(c->over_us, c->job->answer_us);
	}
	return rc;
}

static void on_ready(struct fw_plugin_instance *self, void *data, int fd, int events);

/* Sends what there is and watches for what is still to come. Ends the connection when that cannot be. */
static void go_on(struct email_connection *c)
{
	const struct fw_host *host = c->smtp->host;
	int rc = send_out(c), events = FW_PLUGIN_READABLE | (rc == 0 ? FW_PLUGIN_WRITABLE : 0);
	if (rc >= 0 && c->watched != events) {
		if (c->watch)
			host->unwatch(c->watch);
		c->watch = host->watch(host, c->fd, events, on_ready, c);
		c->watched = events;
	}
	if (rc < 0 || !c->watch)
		email_lose(c, is_late(c) ? too_long : "the connection to the mail server broke");
}

static void on_ready(struct fw_plugin_instance *self, void *data, int fd, int events)
{
	struct email_connection *c = data;
	(void)self;
	(void)fd;
	(void)events;
	if (receive(c) == 0)
		go_on(c);
	else if (c->state == EMAIL_READY)
		part(c);
	else
		email_lose(c, c->reply.code == 421 && c->reply.n_text ? c->reply.text : "the mail server ended the connection");
}

void email_connected(struct email_connection *c, int fd)
{
	c->smtp->n_connecting--;
	c->fd = fd;
	rest(c);
	go_on(c);
}

static void connect_one(struct email_smtp *s)
{
	struct email_connection *c = calloc(1, sizeof *c);
	if (!c)
		return;
	*c = (struct email_connection){ .smtp = s, .state = EMAIL_CONNECTING, .next = s->connections };
	s->connections = c;
	s->n_connections++;
	s->n_connecting++;
	/* libcurl keeps the time; ours is for the case that it does not. */
	give_time(c, s->config->timeout_ms + 2 * EMAIL_TICK_MS);
	if (email_dial(c) < 0)
		email_lose(c, "out of memory");
}

/* Of a worker that drains: a connection without a message gets none any more. */
static void part_idle(struct email_smtp *s)
{
	struct email_connection *next;
	for (struct email_connection *c = s->connections; c; c = next) {
		next = c->next;
		if (c->state == EMAIL_READY)
			part(c);
	}
}

/* Gives jobs to connections, and makes as many of those as there are jobs for. */
static void work(struct fw_plugin_instance *self, void *data)
{
	struct email_smtp *s = data;
	struct email_connection *next;
	(void)self;
	s->kick = NULL;
	turn_away(s, now_us(s), too_late);
	for (struct email_connection *c = s->connections; c && s->first; c = next) {
		next = c->next;
		if (c->state == EMAIL_READY) {
			begin(c, take_job(s));
			go_on(c);
		}
	}
	while (s->n_waiting > s->n_connecting && s->n_connections < s->config->connections && now_us(s) >= s->hold_us) {
		unsigned before = s->n_connections;
		connect_one(s);
		if (s->n_connections == before)
			break;
	}
	if (s->draining && !s->first)
		part_idle(s);
}

/* Time limits, and jobs that were held back. */
static void on_tick(struct fw_plugin_instance *self, void *data)
{
	struct email_smtp *s = data;
	struct email_connection *next;
	int64_t now = now_us(s);
	(void)self;
	for (struct email_connection *c = s->connections; c; c = next) {
		next = c->next;
		if (now < c->until_us)
			continue;
		if (c->state == EMAIL_READY)
			part(c);
		else
			email_lose(c, too_long);
	}
	turn_away(s, now, too_late);
	if (s->first)
		kick(s);
}

struct email_smtp *email_smtp_create(const struct fw_host *host, struct fw_plugin_instance *self, const struct email_config *config,
	email_sent sent)
{
	struct email_smtp *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	*s = (struct email_smtp){ .host = host, .self = self, .config = config, .sent = sent, .last = &s->first };
	s->multi = email_dial_create(s);
	s->tick = s->multi ? host->timer_start(host, EMAIL_TICK_MS, 1, on_tick, s) : NULL;
	if (!s->tick) {
		email_smtp_destroy(s);
		return NULL;
	}
	return s;
}

void email_smtp_destroy(struct email_smtp *s)
{
	if (!s)
		return;
	s->stopped = 1;
	while (s->connections) {
		email_job_free(s->connections->job);
		part(s->connections);
	}
	while (s->first)
		email_job_free(take_job(s));
	if (s->multi)
		curl_multi_cleanup(s->multi);
	free(s);
}

void email_smtp_drain(struct email_smtp *s)
{
	s->draining = 1;
	if (!s->first)
		part_idle(s);
}

void email_smtp_stuff(const struct email_text *message, struct email_text *ret)
{
	const char *p = message->p, *end = p + message->n, *line = p;
	while (line < end && (line = memchr(line, '\n', (size_t)(end - line)))) {
		if (++line < end && *line == '.' && line - p >= 2 && line[-2] == '\r') {
			email_add(ret, p, (size_t)(line - p));
			email_add_char(ret, '.');
			p = line;
		}
	}
	email_add(ret, p, (size_t)(end - p));
	email_add_text(ret, ".\r\n");
	ret->failed |= message->failed;
}

int email_smtp_send(struct email_smtp *s, struct email_job *job)
{
	if (s->n_waiting >= EMAIL_WAITING || kick(s) < 0)
		return -1;
	job->next = NULL;
	*s->last = job;
	s->last = &job->next;
	s->n_waiting++;
	return 0;
}
