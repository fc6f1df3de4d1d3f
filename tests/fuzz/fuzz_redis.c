/* What comes from a Redis, and the URLs that lead there. The first byte says what the others are: a URL, which no error shows; a
 * notice; or replies of the protocol, read as each of those that are expected: whatever they are, they are read or refused. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/redis_own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_url(struct fw_arena *a, const char *text)
{
	struct fw_redis_url u;
	struct fw_error err;
	if (fw_redis_url_parse(a, text, &u, &err) < 0) {
		if (strlen(text) > 16 && strstr(err.message, text))
			abort(); /* there may be a password in it */
		return;
	}
	if (u.n_hosts == 0 || u.n_hosts > FW_LIMIT_REDIS_SEEDS)
		abort();
	for (unsigned i = 0; i < u.n_hosts; i++)
		if (!u.hosts[i].name || !u.hosts[i].name[0] || u.hosts[i].port > 65535)
			abort();
}

static void on_row(void *ctx, struct fw_str key, uint64_t version)
{
	uint64_t *sum = ctx;
	*sum += version;
	for (size_t i = 0; i < key.n; i++)
		*sum += (unsigned char)key.p[i];
}

static void read_reply(struct fw_arena *a, const redisReply *reply)
{
	struct fw_row row, *rows;
	size_t n;
	bool more;
	uint64_t version, sum = 0;
	if (fw_redis_read_row(reply, FW_STR("key"), a, &row) == 0 && row.value.p)
		on_row(&sum, row.value, row.version);
	if (fw_redis_read_rows(reply, a, &rows, &n, &more) == 0)
		for (size_t i = 0; i < n; i++)
			on_row(&sum, rows[i].key, rows[i].version);
	if (fw_redis_read_outcome(reply, &version) == 0 && reply->type != REDIS_REPLY_STRING)
		abort();
	on_row(&sum, fw_redis_info(reply, "role"), fw_redis_info_number(reply, "used_memory"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_arena a;
	uint64_t sum = 0;
	if (n < 1)
		return 0;
	fw_arena_init(&a, NULL, 0, 1 << 24);
	char *text = fw_arena_strndup(&a, (const char *)data + 1, n - 1);
	if (data[0] == 'u') {
		read_url(&a, text);
	} else if (data[0] == 'n') {
		fw_redis_read_notice((struct fw_str){ text, n - 1 }, on_row, &sum);
	} else {
		redisReader *reader = redisReaderCreate();
		void *reply = NULL;
		redisReaderFeed(reader, text, n - 1);
		while (redisReaderGetReply(reader, &reply) == REDIS_OK && reply) {
			read_reply(&a, reply);
			freeReplyObject(reply);
			reply = NULL;
		}
		redisReaderFree(reader);
	}
	fw_arena_finish(&a);
	return 0;
}
