/* A connection to a Redis: commands go out in the order of the calls, answers come in that order. It connects by itself, again
 * and again. Only for core/store/. */
#ifndef FW_STORE_REDIS_LINE_H
#define FW_STORE_REDIS_LINE_H

#include <hiredis/hiredis.h>
#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/redis_url.h"

struct event_base;
struct evdns_base;
struct fw_redis_line;

/* What connections of a handle have in common; lives longer than they. */
struct fw_redis_lines {
	struct event_base *base;
	struct evdns_base *dns;
	SSL_CTX *tls; /* NULL: none */
	struct fw_redis_url url;
};

/* `lines.base` and `.url` are set. 0; FW_EINVAL: a file of the URL is not what it should be, as `err` tells; FW_ENOMEM. To be finished
 * either way. */
int fw_redis_lines_init(struct fw_redis_lines *lines, struct fw_error *err);
void fw_redis_lines_finish(struct fw_redis_lines *lines);

/* `reply` is valid during the call. NULL: the connection was lost before it came. */
typedef void (*fw_redis_replied)(void *ctx, const redisReply *reply);
/* It is up now, or lost. Not from within a call of this header. */
typedef void (*fw_redis_turned)(void *ctx, bool up);

/* `pushed`, if not NULL, takes every reply: of a connection that only subscribes. NULL: no memory. */
struct fw_redis_line *fw_redis_line_create(struct fw_redis_lines *lines, const char *host, unsigned port, fw_redis_turned turned,
	fw_redis_replied pushed, void *ctx);
/* What waits is answered with NULL before it returns. Not from within a callback of the line. NULL is fine. */
void fw_redis_line_destroy(struct fw_redis_line *l);

/* Whether commands may be sent. */
bool fw_redis_line_up(const struct fw_redis_line *l);
/* For how long it has not been up; 0: it is. */
int64_t fw_redis_line_down_us(const struct fw_redis_line *l);
/* Why not, for a person; "" when it is up. */
const char *fw_redis_line_trouble(const struct fw_redis_line *l);

/* Sends one command, as hiredis formats it. `replied` may be NULL: the reply is of no interest. 0; FW_EAWAY: it is not up, `replied` is not
 * called; FW_ENOMEM, the same. */
int fw_redis_line_send(struct fw_redis_line *l, const char *command, size_t n, fw_redis_replied replied, void *ctx);
/* The same from words, ended by NULL. */
int fw_redis_line_say(struct fw_redis_line *l, fw_redis_replied replied, void *ctx, const char *word, ...) __attribute__((sentinel));

#endif
