/* Redis to test with: real servers and clusters of them, each in a folder of the test's own, on ports that nobody else is given,
 * and gone with the test however it ends. */
#ifndef FW_TESTS_LIB_REDIS_H
#define FW_TESTS_LIB_REDIS_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib_temporary.h"

enum { REDIS_NODES = 8, REDIS_SLOTS = 16384, REDIS_WAIT_MS = 60000, REDIS_ARGUMENTS = 80, REDIS_PATH = TEMPORARY_PATH + 32, REDIS_ID = 41 };

struct redis_options {
	const char *password; /* of the default user and of "shop"; NULL: none, and anybody is the default user */
	const char *certificates; /* a folder that redis_certificates filled: it speaks TLS only (and plainly on its socket) */
	bool appendonly;      /* what is acknowledged outlives the process; with one sync a second a busy disk may hold a write back */
	bool cluster;
	const char *more[8];  /* further arguments, up to NULL */
};

struct redis_server {
	struct redis_options options;
	char folder[REDIS_PATH], socket[REDIS_PATH + 8], id[REDIS_ID]; /* id: in a cluster */
	int port, bus_port, held[2]; /* held: sockets that keep the ports for it while it is down */
	pid_t pid;            /* 0: it is down */
	bool paused;
	redisContext *admin;
};

static inline void redis_fail(const char *what, const char *why)
{
	fprintf(stderr, "redis: %s: %s\n", what, why);
	abort();
}

static inline void redis_pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	nanosleep(&t, NULL);
}

/* Starts a program that ends with this process; its output goes to `log`. */
static inline pid_t redis_spawn(const char *const *argv, const char *log)
{
	pid_t parent = getpid();
	fflush(NULL);
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(126);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Runs one to its end, which has to be a good one. */
static inline void redis_run(const char *const *argv, const char *log)
{
	int status = 0;
	pid_t pid = redis_spawn(argv, log);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		redis_fail(argv[0], log);
}

/* A CA of its own (ca.crt), and a certificate for 127.0.0.1 and localhost that it signed (server.crt, server.key). */
static inline void redis_certificates(const char *folder)
{
	char ca[REDIS_PATH], ca_key[REDIS_PATH], server[REDIS_PATH], key[REDIS_PATH], log[REDIS_PATH];
	snprintf(ca, sizeof ca, "%s/ca.crt", folder);
	snprintf(ca_key, sizeof ca_key, "%s/ca.key", folder);
	snprintf(server, sizeof server, "%s/server.crt", folder);
	snprintf(key, sizeof key, "%s/server.key", folder);
	snprintf(log, sizeof log, "%s/openssl.log", folder);
	redis_run((const char *const[]){ "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
		"-days", "2", "-subj", "/CN=test CA", "-keyout", ca_key, "-out", ca, NULL }, log);
	redis_run((const char *const[]){ "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
		"-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-addext",
		"basicConstraints=critical,CA:FALSE", "-CA", ca, "-CAkey", ca_key, "-keyout", key, "-out", server, NULL }, log);
}

/* A free loopback port. The socket that is answered is bound to it and never listens: so Redis, which asks for the address
 * to be reused, gets it, and nobody else is given it. */
static inline int redis_hold_port(int *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 || bind(fd, (struct sockaddr *)&at, n) < 0 ||
		getsockname(fd, (struct sockaddr *)&at, &n) < 0)
		redis_fail("bind", "no free port");
	*ret_port = ntohs(at.sin_port);
	return fd;
}

/* Its folder is made below `root`. Start it afterwards. */
static inline void redis_server_init(struct redis_server *r, const char *root, const char *name, const struct redis_options *options)
{
	*r = (struct redis_server){ .options = *options };
	snprintf(r->folder, sizeof r->folder, "%.95s/%s", root, name);
	snprintf(r->socket, sizeof r->socket, "%s/%s/s", root, name);
	if (mkdir(r->folder, 0700) < 0)
		redis_fail("mkdir", r->folder);
	r->held[0] = redis_hold_port(&r->port);
	r->held[1] = redis_hold_port(&r->bus_port);
}

/* Asks over its socket: the answer, to be freed. Connects (again) as needed; ends the test when it is out of reach. */
static inline redisReply *redis_vask(struct redis_server *r, const char *format, va_list args)
{
	struct timeval most = { REDIS_WAIT_MS / 1000, 0 };
	if (!r->admin) {
		r->admin = redisConnectUnixWithTimeout(r->socket, most);
		if (!r->admin || r->admin->err || redisSetTimeout(r->admin, most) != REDIS_OK)
			redis_fail("connect", r->socket);
		if (r->options.password)
			freeReplyObject(redisCommand(r->admin, "AUTH %s", r->options.password));
	}
	redisReply *reply = redisvCommand(r->admin, format, args);
	if (!reply)
		redis_fail(format, r->admin->errstr);
	return reply;
}

static inline redisReply *redis_ask(struct redis_server *r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	redisReply *reply = redis_vask(r, format, args);
	va_end(args);
	return reply;
}

/* Tells it something that it must not refuse. */
static inline void redis_tell(struct redis_server *r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	redisReply *reply = redis_vask(r, format, args);
	va_end(args);
	if (reply->type == REDIS_REPLY_ERROR)
		redis_fail(format, reply->str);
	freeReplyObject(reply);
}

/* Whether what it answers to a command is, or has in it, this text. */
static inline bool redis_says(struct redis_server *r, const char *command, const char *text)
{
	redisReply *reply = redis_ask(r, command);
	bool says = reply->str && strstr(reply->str, text);
	freeReplyObject(reply);
	return says;
}

static inline void redis_forget(struct redis_server *r)
{
	if (r->admin)
		redisFree(r->admin);
	r->admin = NULL;
}

/* It has not ended, and answers; what it has on its disk is loaded. */
static inline bool redis_server_is_up(struct redis_server *r)
{
	int status;
	if (waitpid(r->pid, &status, WNOHANG) == r->pid)
		redis_fail("the server ended at its start", r->folder);
	redisContext *c = redisConnectUnix(r->socket);
	bool there = c && !c->err;
	if (c)
		redisFree(c);
	return there && redis_says(r, "PING", "PONG");
}

/* What it is started with; formatted texts live in `text`. */
struct redis_arguments {
	const char *argv[REDIS_ARGUMENTS];
	unsigned n;
	char text[2048];
	size_t used;
};

/* Adds these, up to NULL. */
static inline void redis_add(struct redis_arguments *a, const char *first, ...)
{
	va_list args;
	va_start(args, first);
	for (const char *p = first; p; p = va_arg(args, const char *)) {
		if (a->n + 1 == REDIS_ARGUMENTS)
			redis_fail("too many arguments", p);
		a->argv[a->n++] = p;
	}
	va_end(args);
}

static inline const char *redis_text(struct redis_arguments *a, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	size_t room = sizeof a->text - a->used;
	int n = vsnprintf(a->text + a->used, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room)
		redis_fail("too long", format);
	a->used += (size_t)n + 1;
	return a->text + a->used - (size_t)n - 1;
}

static inline void redis_add_options(struct redis_arguments *a, const struct redis_server *r)
{
	const struct redis_options *o = &r->options;
	const char *port = redis_text(a, "%d", r->port), *from = o->certificates;
	if (from)
		redis_add(a, "--port", "0", "--tls-port", port, "--tls-cert-file", redis_text(a, "%s/server.crt", from), "--tls-key-file",
			redis_text(a, "%s/server.key", from), "--tls-ca-cert-file", redis_text(a, "%s/ca.crt", from), "--tls-auth-clients",
			"no", "--tls-cluster", "yes", "--tls-replication", "yes", NULL);
	else
		redis_add(a, "--port", port, NULL);
	if (o->password)
		redis_add(a, "--requirepass", o->password, "--masterauth", o->password, "--user", "shop", "on",
			redis_text(a, ">%s", o->password), "~*", "&*", "+@all", NULL);
	if (o->cluster)
		redis_add(a, "--cluster-enabled", "yes", "--cluster-port", redis_text(a, "%d", r->bus_port), "--cluster-node-timeout",
			"1000", "--cluster-allow-replica-migration", "no", NULL);
	for (size_t i = 0; i < sizeof o->more / sizeof *o->more && o->more[i]; i++)
		redis_add(a, o->more[i], NULL);
}

/* Starts it, or starts it again with what it has on its disk, on the same ports; returns when it answers. */
static inline void redis_server_start(struct redis_server *r)
{
	struct redis_arguments a = { .n = 0 };
	redis_add(&a, "redis-server", "--bind", "127.0.0.1", "--save", "", "--unixsocketperm", "700", "--unixsocket", r->socket, "--dir",
		r->folder, "--appendonly", r->options.appendonly ? "yes" : "no", "--appendfsync", "always",
		"--repl-diskless-sync-delay", "0",
		"--repl-ping-replica-period", "1", NULL);
	redis_add_options(&a, r);
	unlink(r->socket); /* one that was killed leaves it */
	r->pid = redis_spawn(a.argv, redis_text(&a, "%s/log", r->folder));
	for (long ms = 0; !redis_server_is_up(r); ms += 5) {
		if (ms > REDIS_WAIT_MS)
			redis_fail("it does not answer", r->folder);
		redis_pause_ms(5);
	}
	if (r->options.cluster) {
		redisReply *id = redis_ask(r, "CLUSTER MYID");
		snprintf(r->id, sizeof r->id, "%s", id->str);
		freeReplyObject(id);
	}
}

/* Ends it with a signal; what is on its disk stays. */
static inline void redis_server_stop(struct redis_server *r, int signal_)
{
	redis_forget(r);
	if (r->pid <= 0)
		return;
	kill(r->pid, signal_);
	kill(r->pid, SIGCONT);
	waitpid(r->pid, NULL, 0);
	r->pid = 0;
	r->paused = false;
}

/* While it is paused nothing is answered, and connections stay open. */
static inline void redis_server_pause(struct redis_server *r, bool pause)
{
	kill(r->pid, pause ? SIGSTOP : SIGCONT);
	r->paused = pause;
}

/* Its folder goes with its root. */
static inline void redis_server_finish(struct redis_server *r)
{
	redis_server_stop(r, SIGKILL);
	for (int i = 0; i < 2; i++)
		close(r->held[i]);
}

/* Three primaries and a replica of each, and nodes that were added. */
struct redis_cluster {
	struct redis_server nodes[REDIS_NODES];
	unsigned n;
};

static inline bool redis_node_answers(const struct redis_server *r)
{
	return r->pid > 0 && !r->paused;
}

/* Who serves each slot, as this node sees it: whether all are served and each primary has `replicas` of them. */
static inline bool redis_cluster_seen_by(struct redis_cluster *c, struct redis_server *node, unsigned replicas,
	struct redis_server **ret_owners)
{
	redisReply *ranges = redis_ask(node, "CLUSTER SLOTS");
	unsigned n = 0;
	bool whole = ranges->type == REDIS_REPLY_ARRAY;
	for (size_t i = 0; whole && i < ranges->elements; i++) {
		redisReply **range = ranges->element[i]->element;
		struct redis_server *owner = NULL;
		for (unsigned k = 0; k < c->n; k++)
			if (strcmp(c->nodes[k].id, range[2]->element[2]->str) == 0)
				owner = &c->nodes[k];
		whole = owner && ranges->element[i]->elements >= 3 + replicas;
		for (long long slot = range[0]->integer; whole && slot <= range[1]->integer; slot++, n++)
			ret_owners[slot] = owner;
	}
	freeReplyObject(ranges);
	return whole && n == REDIS_SLOTS && redis_says(node, "CLUSTER INFO", "cluster_state:ok");
}

/* Waits until all nodes that answer see the same, every slot is served and each primary has so many replicas, whose links are up. */
static inline void redis_cluster_settle(struct redis_cluster *c, unsigned replicas)
{
	static struct redis_server *owners[2][REDIS_SLOTS];
	for (long ms = 0;; ms += 5) {
		bool settled = true, first = true;
		for (unsigned i = 0; settled && i < c->n; i++) {
			struct redis_server *node = &c->nodes[i];
			if (!redis_node_answers(node))
				continue;
			settled = redis_cluster_seen_by(c, node, replicas, owners[!first]) &&
				(first || memcmp(owners[0], owners[1], sizeof owners[0]) == 0) &&
				!redis_says(node, "INFO replication", "master_link_status:down");
			first = false;
		}
		if (settled)
			return;
		if (ms > REDIS_WAIT_MS)
			redis_fail("the cluster does not settle", c->nodes[0].folder);
		redis_pause_ms(5);
	}
}

static inline void redis_cluster_start(struct redis_cluster *c, const char *root, const struct redis_options *options)
{
	struct redis_options o = *options;
	struct redis_arguments a = { .n = 0 };
	o.cluster = true;
	c->n = 6;
	redis_add(&a, "redis-cli", "--cluster", "create", NULL);
	for (unsigned i = 0; i < c->n; i++) {
		redis_server_init(&c->nodes[i], root, redis_text(&a, "node-%u", i), &o);
		redis_server_start(&c->nodes[i]);
		redis_add(&a, redis_text(&a, "127.0.0.1:%d", c->nodes[i].port), NULL);
	}
	redis_add(&a, "--cluster-replicas", "1", "--cluster-yes", NULL);
	if (o.password)
		redis_add(&a, "--no-auth-warning", "-a", o.password, NULL);
	if (o.certificates)
		redis_add(&a, "--tls", "--cacert", redis_text(&a, "%s/ca.crt", o.certificates), NULL);
	redis_run(a.argv, redis_text(&a, "%s/redis-cli.log", root));
	redis_cluster_settle(c, 1);
}

static inline void redis_cluster_finish(struct redis_cluster *c)
{
	for (unsigned i = 0; i < c->n; i++)
		redis_server_finish(&c->nodes[i]);
	c->n = 0;
}

/* Who serves a slot, as soon as a node that answers sees all of them served. */
static inline struct redis_server *redis_cluster_primary(struct redis_cluster *c, unsigned slot)
{
	static struct redis_server *owners[REDIS_SLOTS];
	for (long ms = 0; ms < REDIS_WAIT_MS; ms += 5) {
		for (unsigned i = 0; i < c->n; i++)
			if (redis_node_answers(&c->nodes[i]) && redis_cluster_seen_by(c, &c->nodes[i], 0, owners))
				return owners[slot];
		redis_pause_ms(5);
	}
	redis_fail("no node sees all slots served", c->nodes[0].folder);
	return NULL;
}

/* A replica of this primary that answers. */
static inline struct redis_server *redis_cluster_replica(struct redis_cluster *c, const struct redis_server *primary)
{
	for (unsigned i = 0; i < c->n; i++) {
		if (!redis_node_answers(&c->nodes[i]))
			continue;
		redisReply *role = redis_ask(&c->nodes[i], "ROLE");
		bool is = role->elements > 2 && strcmp(role->element[0]->str, "slave") == 0 && role->element[2]->integer == primary->port;
		freeReplyObject(role);
		if (is)
			return &c->nodes[i];
	}
	redis_fail("no replica of", primary->folder);
	return NULL;
}

/* Waits until this node serves the slot in the eyes of all that answer. */
static inline void redis_cluster_wait_primary(struct redis_cluster *c, unsigned slot, const struct redis_server *primary)
{
	for (long ms = 0;; ms += 5) {
		redis_cluster_settle(c, 0);
		if (redis_cluster_primary(c, slot) == primary)
			return;
		if (ms > REDIS_WAIT_MS)
			redis_fail("it does not become the primary", primary->folder);
		redis_pause_ms(5);
	}
}

/* The primary of the slot and its replica change places, in agreement. Returns the new primary. A replica gives up after five seconds
 * and tells nobody, and on a busy machine the cluster may take the new one for dead, and the old one back: so it is asked again. */
static inline struct redis_server *redis_cluster_failover(struct redis_cluster *c, unsigned slot)
{
	enum { ASKED_AGAIN_MS = 6000, PAUSE_MS = 5 };
	struct redis_server *replica = redis_cluster_replica(c, redis_cluster_primary(c, slot));
	for (long ms = 0, asked = -ASKED_AGAIN_MS; ms <= REDIS_WAIT_MS; ms += PAUSE_MS) {
		if (redis_says(replica, "INFO replication", "role:master")) {
			redis_cluster_settle(c, 0);
			if (redis_cluster_primary(c, slot) == replica)
				return replica;
		} else if (ms >= asked + ASKED_AGAIN_MS) {
			freeReplyObject(redis_ask(replica, "CLUSTER FAILOVER")); /* it may have no primary to agree with just now */
			asked = ms;
		}
		redis_pause_ms(PAUSE_MS);
	}
	redis_fail("it does not become the primary", replica->folder);
	return NULL;
}

/* The keys of a slot, one after the other, so that a moment comes at which it has some here and some there. */
static inline void redis_cluster_move_keys(struct redis_server *from, const struct redis_server *to, unsigned slot)
{
	for (bool more = true; more;) {
		redisReply *keys = redis_ask(from, "CLUSTER GETKEYSINSLOT %u 1", slot);
		more = keys->elements > 0;
		if (more && from->options.password)
			redis_tell(from, "MIGRATE 127.0.0.1 %d %s 0 60000 AUTH %s", to->port, keys->element[0]->str,
				from->options.password);
		else if (more)
			redis_tell(from, "MIGRATE 127.0.0.1 %d %s 0 60000", to->port, keys->element[0]->str);
		freeReplyObject(keys);
	}
}

/* Begins to move a slot: from now on keys of it that are not there any more are asked for at `to`. */
static inline struct redis_server *redis_cluster_open_slot(struct redis_cluster *c, unsigned slot, struct redis_server *to)
{
	struct redis_server *from = redis_cluster_primary(c, slot);
	redis_tell(to, "CLUSTER SETSLOT %u IMPORTING %s", slot, from->id);
	redis_tell(from, "CLUSTER SETSLOT %u MIGRATING %s", slot, to->id);
	return from;
}

static inline void redis_cluster_close_slot(struct redis_cluster *c, unsigned slot, struct redis_server *to)
{
	redis_tell(to, "CLUSTER SETSLOT %u NODE %s", slot, to->id);
	for (unsigned i = 0; i < c->n; i++)
		if (&c->nodes[i] != to && redis_node_answers(&c->nodes[i]) && redis_says(&c->nodes[i], "INFO replication", "role:master"))
			redis_tell(&c->nodes[i], "CLUSTER SETSLOT %u NODE %s", slot, to->id);
}

#endif
