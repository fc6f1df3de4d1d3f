/* The control socket: a JSON object a line in, one a line out. {"command":"reload"} and "rollback" wait for the outcome. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/master.h"
#include "server/spool.h"
#include "store/store.h"

int fw_control_open(struct fw_master *m, struct fw_error *err)
{
	char text[4200];
	struct fw_address a;
	snprintf(text, sizeof text, "unix:%s/control.sock", m->config->run);
	if (fw_address_parse(fw_str(text), NULL, &a, err) < 0) {
		fw_fail(err, FW_EINVAL, m->config->file, 0, "the path of the run folder is too long for the socket in it");
		fw_hint(err, "set run to a shorter path");
		return FW_EINVAL;
	}
	mode_t before = umask(0177);
	m->control_fd = fw_address_listen(&a, err);
	umask(before);
	if (m->control_fd < 0)
		return m->control_fd;
	return 0;
}

static void drop(struct fw_control_client *c)
{
	close(c->fd);
	*c = (struct fw_control_client){ .fd = -1 };
}

void fw_control_close(struct fw_master *m)
{
	char path[4096];
	for (unsigned i = 0; i < FW_LIMIT_CONTROL_CLIENTS; i++)
		if (m->clients[i].fd >= 0)
			drop(&m->clients[i]);
	if (m->control_fd < 0)
		return;
	close(m->control_fd);
	m->control_fd = -1;
	snprintf(path, sizeof path, "%s/control.sock", m->config->run);
	unlink(path);
}

void fw_control_accept(struct fw_master *m)
{
	int fd = accept4(m->control_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	for (unsigned i = 0; i < FW_LIMIT_CONTROL_CLIENTS; i++) {
		if (m->clients[i].fd >= 0)
			continue;
		m->clients[i] = (struct fw_control_client){ .fd = fd };
		return;
	}
	close(fd);
}

/* An answer is a few kilobytes: what does not fit the socket's buffer was asked by somebody who does not read. */
static void say(struct fw_control_client *c, struct fw_buf *b)
{
	fw_buf_putc(b, '\n');
	if (b->failed || send(c->fd, b->data, b->n, MSG_NOSIGNAL) != (ssize_t)b->n)
		drop(c);
}

static void say_text(struct fw_control_client *c, const char *json)
{
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_buf_puts(&b, json);
	say(c, &b);
	fw_buf_finish(&b);
}

void fw_control_answer(struct fw_master *m, uint64_t attempt)
{
	for (unsigned i = 0; i < FW_LIMIT_CONTROL_CLIENTS; i++) {
		struct fw_control_client *c = &m->clients[i];
		if (c->fd < 0 || c->waits_for == 0 || c->waits_for > attempt)
			continue;
		c->waits_for = 0;
		say_text(c, m->outcome);
	}
}

static void write_time(struct fw_json_out *o, const char *key, int64_t us)
{
	char text[32];
	fw_json_key(o, key);
	fw_json_text_value(o, fw_time_text(us, text));
}

static void write_workers(const struct fw_master *m, const struct fw_generation *g, struct fw_json_out *o)
{
	fw_json_key(o, "workers");
	fw_json_open_array(o);
	for (unsigned i = 0; g && i < FW_LIMIT_WORKERS; i++) {
		const struct fw_slot_page *p = &m->shared->slots[g->bank][i];
		if (g->workers[i].pid <= 0)
			continue;
		fw_json_open_object(o);
		fw_json_key(o, "pid");
		fw_json_number(o, g->workers[i].pid);
		write_time(o, "since", atomic_load(&p->started_us));
		fw_json_key(o, "requests");
		fw_json_number(o, (double)(atomic_load(&p->counts[FW_COUNT_REQUESTS]) - atomic_load(&p->requests_before)));
		fw_json_key(o, "connections");
		fw_json_number(o, (double)atomic_load(&p->open));
		fw_json_close_object(o);
	}
	fw_json_close_array(o);
}

static void write_generation(const struct fw_master *m, struct fw_json_out *o)
{
	const struct fw_generation *g = m->current;
	if (!g)
		return;
	fw_json_key(o, "generation");
	fw_json_number(o, g->number);
	write_time(o, "since", g->since_us);
	fw_json_key(o, "kept");
	fw_json_bool(o, g->load != FW_LOAD_FILES);
	fw_json_key(o, "loader");
	fw_json_number(o, g->loader);
	fw_json_key(o, "loaded");
	fw_json_raw(o, fw_str(g->about));
}

/* What the workers have seen of rules in trouble; each rule once, set aside before failed. */
static void write_troubles(const struct fw_master *m, const char *key, const char *what, struct fw_json_out *o)
{
	char text[sizeof(struct fw_trouble)];
	int64_t now = fw_now_us();
	fw_json_key(o, key);
	fw_json_open_array(o);
	for (unsigned i = 0; m->current && i < FW_LIMIT_WORKERS; i++) {
		const struct fw_slot_page *p = &m->shared->slots[m->current->bank][i];
		for (unsigned k = 0; k < FW_TROUBLES; k++) {
			struct fw_trouble t = p->troubles[k];
			if (!t.rule[0] || strncmp(t.what, what, sizeof t.what) != 0 || (t.until_us && t.until_us < now))
				continue;
			snprintf(text, sizeof text, "%.*s (%.*s)", (int)sizeof t.rule - 1, t.rule, (int)sizeof t.place - 1, t.place);
			fw_json_text_value(o, text);
		}
	}
	fw_json_close_array(o);
}

/* Of all that workers have heard of the store. */
static enum fw_store_promise worst_promise(const struct fw_master *m)
{
	int32_t worst = FW_PROMISE_NOT_KNOWN;
	for (unsigned i = 0; i < FW_BANKS * FW_LIMIT_WORKERS; i++) {
		int32_t promise = atomic_load(&m->shared->slots[i / FW_LIMIT_WORKERS][i % FW_LIMIT_WORKERS].promise);
		worst = promise > worst ? promise : worst;
	}
	return (enum fw_store_promise)worst;
}

/* What the decision logs of all workers have come to; where there is one. */
static void write_logged(const struct fw_master *m, struct fw_json_out *o)
{
	uint64_t dropped = 0;
	for (int i = FW_DECISIONS_FAILED; i < FW_DECISIONS_COUNTS; i++)
		dropped += fw_shared_logged(m->shared, (enum fw_decisions_count)i);
	fw_json_key(o, "logged");
	fw_json_open_object(o);
	fw_json_key(o, "written");
	fw_json_number(o, (double)fw_shared_logged(m->shared, FW_DECISIONS_WRITTEN));
	fw_json_key(o, "bytes");
	fw_json_number(o, (double)fw_shared_logged(m->shared, FW_DECISIONS_BYTES));
	fw_json_key(o, "dropped");
	fw_json_number(o, (double)dropped);
	fw_json_close_object(o);
}

static void write_status(const struct fw_master *m, struct fw_json_out *o)
{
	char text[FW_ADDRESS_TEXT];
	fw_json_open_object(o);
	fw_json_key(o, "version");
	fw_json_text_value(o, FW_VERSION);
	fw_json_key(o, "pid");
	fw_json_number(o, getpid());
	write_time(o, "started", m->shared->started_us);
	fw_json_key(o, "state");
	fw_json_text_value(o, m->stopping ? "stopping" : m->next ? "loading" : m->old ? "draining" : "serving");
	fw_json_key(o, "listen");
	fw_json_open_array(o);
	for (unsigned i = 0; i < m->sockets.n; i++)
		fw_json_text_value(o, fw_address_text(&m->sockets.addresses[i], text));
	fw_json_close_array(o);
	write_generation(m, o);
	write_workers(m, m->current, o);
	write_troubles(m, "setAside", "set_aside", o);
	write_troubles(m, "failing", "failed", o);
	fw_json_key(o, "draining");
	fw_json_number(o, m->old ? m->old->number : 0);
	fw_json_key(o, "lastLoad");
	fw_json_raw(o, fw_str(m->outcome[0] ? m->outcome : "null"));
	fw_json_key(o, "durability");
	fw_json_text_value(o, m->config->durability);
	fw_json_key(o, "promise");
	fw_json_text_value(o, fw_store_promise_text(worst_promise(m)));
	write_logged(m, o);
	fw_json_key(o, "shadow");
	fw_shadow_write(&m->shared->shadow[atomic_load(&m->shared->bank)], o);
	if (m->config->spool) {
		fw_json_key(o, "spool");
		fw_spool_write(m->shared, o);
	}
	fw_json_close_object(o);
}

static void say_status(const struct fw_master *m, struct fw_control_client *c)
{
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	write_status(m, &o);
	say(c, &b);
	fw_buf_finish(&b);
}

static void refuse(struct fw_control_client *c, const char *why)
{
	char text[200];
	snprintf(text, sizeof text, "{\"ok\":false,\"errors\":[{\"message\":\"%s\"}]}", why);
	say_text(c, text);
}

/* A rollback goes before a reload that is asked for later, and not after one whose outcome is not known: what it would lead back to is not
 * known then either. */
static void load(struct fw_master *m, struct fw_control_client *c, bool rollback)
{
	if (m->stopping) {
		refuse(c, "the server is stopping");
	} else if (rollback && (m->next || m->reload_wanted || !m->current)) {
		refuse(c, "a load is under way: wait for its outcome, then ask again");
	} else {
		c->waits_for = m->attempts + 1 + (!rollback && m->rollback_wanted);
		m->rollback_wanted |= rollback;
		m->reload_wanted |= !rollback;
	}
}

static void obey(struct fw_master *m, struct fw_control_client *c, struct fw_str line)
{
	struct fw_arena a;
	struct fw_json *v = NULL;
	fw_arena_init(&a, NULL, 0, 1 << 16);
	fw_json_parse(&a, line.p, line.n, &v, NULL);
	struct fw_str command = fw_json_text(v, "command");
	if (command.p && fw_str_is(command, "status")) {
		say_status(m, c);
	} else if (command.p && (fw_str_is(command, "reload") || fw_str_is(command, "rollback"))) {
		load(m, c, fw_str_is(command, "rollback"));
	} else {
		refuse(c, "the commands are reload, rollback and status");
	}
	fw_arena_finish(&a);
}

void fw_control_read(struct fw_master *m, struct fw_control_client *c)
{
	ssize_t n = recv(c->fd, c->line + c->n, sizeof c->line - c->n, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->n += (size_t)n;
	for (char *end; c->fd >= 0 && (end = memchr(c->line, '\n', c->n));) {
		char line[FW_CONTROL_LINE];
		size_t length = (size_t)(end - c->line);
		memcpy(line, c->line, length);
		c->n -= length + 1;
		memmove(c->line, end + 1, c->n);
		obey(m, c, (struct fw_str){ line, length });
	}
	if (c->fd >= 0 && c->n == sizeof c->line)
		drop(c);
}
