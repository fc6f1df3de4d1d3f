/* What commits over Redis cost: the store's beside the same script as fast as a client can ask for it.
 *
 *   redis_cost store URL server|replicated PEOPLE DEPTH SECONDS   DEPTH batches of fw_store_commit under way from one loop, as a worker has
 *   redis_cost plain SOCKET server|replicated PEOPLE DEPTH SECONDS  the same commands, made beforehand, DEPTH of them and (replicated) one
 *                                                                 WAIT 1 in a pipeline of a hiredis connection that blocks
 *   redis_cost script                                             the script's text
 *
 * A batch replaces the row of one person, evenly drawn. Their rows are made first, which is not measured; the Redis is to be empty.
 * Prints one JSON object; what does not end as it should ends the program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench_store.h"
#include "client.h"
#include "crowd.h"
#include "people/key.h"
#include "store/redis_script.h"
#include "store/redis_tag.h"

enum { RECORD_BYTES = 437, CHUNK = 16384, MOST_DEPTH = 4096, WARM_PART = 10 };

static void stop(const char *what, const char *why)
{
	fprintf(stderr, "redis_cost: %s: %s\n", what, why);
	exit(1);
}

/* What a worker writes for a person: the key of the row, and bytes as many as an average record has. */
struct write {
	struct fw_key key;
	char record[RECORD_BYTES];
	struct fw_change change;
	struct fw_batch batch;
};

static void make_write(struct write *w, uint32_t person, uint64_t expected)
{
	char id[CROWD_UUID_BYTES];
	crowd_person_id(person, id);
	fw_key_person(&(struct fw_person_id){ FW_PERSON_ANONYMOUS, { id, sizeof id } }, &w->key);
	memset(w->record, 'a' + (int)(person % 26), sizeof w->record);
	w->change = (struct fw_change){ FW_CHANGE_PUT, fw_key_str(&w->key), { w->record, sizeof w->record }, expected };
	w->batch = (struct fw_batch){ w->key.bucket, &w->change, 1 };
}

/* --- through the store */

struct load;

struct slot { /* of a batch that is under way */
	struct load *load;
	uint32_t person;
	int64_t begin_us;
};

struct load {
	struct bench_store store;
	struct crowd_draw draw;
	uint64_t *versions; /* of the people's rows */
	bool *busy;         /* whose batch is under way */
	uint32_t people, filled;
	unsigned n_busy;
	bool measured;
	int64_t end_us;
	struct client_times times;
	struct slot slots[MOST_DEPTH];
};

static void on_committed(void *ctx, int rc, uint64_t version);

/* Nothing, when everybody has a row, or the time is over. */
static void commit_next(struct slot *s, int64_t now_us)
{
	struct load *l = s->load;
	struct write w;
	if (l->measured ? now_us >= l->end_us : l->filled == l->people)
		return;
	do
		s->person = l->measured ? crowd_draw_next(&l->draw) : l->filled++;
	while (l->busy[s->person]);
	l->busy[s->person] = true;
	l->n_busy++;
	s->begin_us = now_us;
	make_write(&w, s->person, l->versions[s->person]);
	if (fw_store_commit(l->store.store, &w.batch, on_committed, s) < 0)
		stop("a batch", "was not taken");
}

static void on_committed(void *ctx, int rc, uint64_t version)
{
	struct slot *s = ctx;
	struct load *l = s->load;
	int64_t now_us = fw_monotonic_us();
	if (rc < 0)
		stop("a batch", rc == FW_ECONFLICT ? "had a conflict" : "was not written");
	l->versions[s->person] = version;
	l->busy[s->person] = false;
	l->n_busy--;
	if (l->measured)
		client_times_add(&l->times, now_us - s->begin_us);
	commit_next(s, now_us);
}

/* Until everybody has a row, or for so long. */
static void go(struct load *l, unsigned depth, double seconds)
{
	int64_t now_us = fw_monotonic_us();
	l->measured = seconds > 0;
	l->end_us = now_us + (int64_t)(seconds * 1e6);
	for (unsigned i = 0; i < depth; i++) {
		l->slots[i].load = l;
		commit_next(&l->slots[i], now_us);
	}
	while (l->n_busy > 0)
		bench_store_turn(&l->store);
}

static int through_store(const char *url, const char *durability, uint32_t people, unsigned depth, double seconds)
{
	struct load *l = calloc(1, sizeof *l);
	if (!l || !(l->versions = calloc(people, sizeof *l->versions)) || !(l->busy = calloc(people, sizeof *l->busy)))
		stop("memory", "there is not enough");
	l->people = people;
	if (crowd_draw_init(&l->draw, "even", people, 7) < 0 || bench_store_reach(&l->store, url, durability) < 0)
		return -1;
	go(l, depth, 0);
	go(l, depth, seconds / WARM_PART);
	l->times.n = 0;
	int64_t begin_us = fw_monotonic_us(), cpu_us = bench_own_cpu_us();
	go(l, depth, seconds);
	double took = (double)(fw_monotonic_us() - begin_us) / 1e6, n = (double)l->times.n;
	printf("{\"commits\":%.0f,\"perSecond\":%.0f,\"cpu_us\":%.2f,\"p50_us\":%u,\"p99_us\":%u,\"resubmitted\":%llu}\n", n, n / took,
		(double)(bench_own_cpu_us() - cpu_us) / n, client_times_at(&l->times, 0.5), client_times_at(&l->times, 0.99),
		(unsigned long long)fw_store_counters(l->store.store)->resubmitted);
	client_times_finish(&l->times);
	crowd_draw_finish(&l->draw);
	bench_store_close(&l->store);
	free(l->busy);
	free(l->versions);
	free(l);
	return 0;
}

/* --- plainly */

struct plain {
	redisContext *redis;
	struct fw_redis_scripts scripts;
	uint32_t tags[FW_STORE_BUCKETS];
	struct crowd_draw draw;
	uint64_t sequence;
	unsigned depth;
	bool waits;
	struct fw_buf commands;       /* of a chunk, pipeline after pipeline */
	size_t ends[CHUNK + 1];       /* of each pipeline */
};

/* For so many commits, of `first` and those after (all in turn), or of people that are drawn (`first` < 0). Returns how many pipelines. */
static unsigned make_chunk(struct plain *p, int64_t first, unsigned n)
{
	static const char wait[] = "*3\r\n$4\r\nWAIT\r\n$1\r\n1\r\n$4\r\n1000\r\n";
	unsigned pipelines = 0;
	fw_buf_clear(&p->commands);
	for (unsigned i = 0; i < n; i++) {
		struct write w;
		char *command;
		make_write(&w, first < 0 ? crowd_draw_next(&p->draw) : (uint32_t)first + i, FW_VERSION_ANY);
		int length = fw_redis_command_commit(&command, &p->scripts, p->tags[w.batch.bucket], 1, ++p->sequence, fw_now_us(),
			&w.batch);
		if (length < 0)
			stop("memory", "there is not enough");
		fw_buf_add(&p->commands, command, (size_t)length);
		redisFreeCommand(command);
		if ((i + 1) % p->depth != 0 && i + 1 != n)
			continue;
		if (p->waits)
			fw_buf_add(&p->commands, wait, sizeof wait - 1);
		p->ends[pipelines++] = p->commands.n;
	}
	if (p->commands.failed)
		stop("memory", "there is not enough");
	return pipelines;
}

static void expect(struct plain *p, bool confirmation)
{
	redisReply *reply = NULL;
	uint64_t version;
	if (redisGetReply(p->redis, (void **)&reply) != REDIS_OK)
		stop("Redis", p->redis->errstr);
	if (reply->type == REDIS_REPLY_ERROR)
		stop("Redis", reply->str);
	if (confirmation ? reply->type != REDIS_REPLY_INTEGER || reply->integer < 1 : fw_redis_read_outcome(reply, &version) < 0)
		stop("Redis", confirmation ? "no replica confirms" : "a batch was not written");
	freeReplyObject(reply);
}

/* Returns how long it took, in microseconds. */
static int64_t run_chunk(struct plain *p, unsigned pipelines, unsigned n)
{
	int64_t begin_us = fw_monotonic_us();
	size_t at = 0;
	for (unsigned i = 0; i < pipelines; at = p->ends[i++]) {
		unsigned of = n < p->depth ? n : p->depth;
		if (redisAppendFormattedCommand(p->redis, p->commands.data + at, p->ends[i] - at) != REDIS_OK)
			stop("memory", "there is not enough");
		for (unsigned k = 0; k < of; k++)
			expect(p, false);
		if (p->waits)
			expect(p, true);
		n -= of;
	}
	return fw_monotonic_us() - begin_us;
}

static void connect_plain(struct plain *p, const char *socket)
{
	p->redis = redisConnectUnix(socket);
	if (!p->redis || p->redis->err)
		stop(socket, p->redis ? p->redis->errstr : "out of memory");
	freeReplyObject(redisCommand(p->redis, "SCRIPT LOAD %s", fw_redis_script_text(FW_REDIS_SCRIPT_COMMIT)));
}

static int plainly(const char *socket, const char *durability, uint32_t people, unsigned depth, double seconds)
{
	struct plain *p = calloc(1, sizeof *p);
	uint64_t commits = 0;
	int64_t took_us = 0;
	if (!p || crowd_draw_init(&p->draw, "even", people, 7) < 0 || fw_redis_scripts_init(&p->scripts) < 0)
		stop("memory", "there is not enough");
	p->depth = depth;
	p->waits = strcmp(durability, "replicated") == 0;
	fw_buf_init(&p->commands, 0);
	fw_redis_tags(p->tags);
	connect_plain(p, socket);
	for (uint32_t at = 0; at < people; at += CHUNK) {
		unsigned n = people - at < CHUNK ? people - at : CHUNK;
		run_chunk(p, make_chunk(p, at, n), n);
	}
	while ((double)took_us < seconds * 1e6) {
		took_us += run_chunk(p, make_chunk(p, -1, CHUNK), CHUNK);
		commits += CHUNK;
	}
	printf("{\"commits\":%llu,\"perSecond\":%.0f}\n", (unsigned long long)commits, (double)commits / (double)took_us * 1e6);
	redisFree(p->redis);
	fw_buf_finish(&p->commands);
	crowd_draw_finish(&p->draw);
	free(p);
	return 0;
}

int main(int argc, char **argv)
{
	int rc = -1;
	if (argc == 2 && strcmp(argv[1], "script") == 0)
		return fputs(fw_redis_script_text(FW_REDIS_SCRIPT_COMMIT), stdout) < 0;
	unsigned long people = argc == 7 ? strtoul(argv[4], NULL, 10) : 0, depth = argc == 7 ? strtoul(argv[5], NULL, 10) : 0;
	if (people > 0 && people <= UINT32_MAX && depth > 0 && depth <= MOST_DEPTH && depth < people && strtod(argv[6], NULL) > 0) {
		if (strcmp(argv[1], "store") == 0)
			rc = through_store(argv[2], argv[3], (uint32_t)people, (unsigned)depth, strtod(argv[6], NULL));
		else if (strcmp(argv[1], "plain") == 0)
			rc = plainly(argv[2], argv[3], (uint32_t)people, (unsigned)depth, strtod(argv[6], NULL));
	}
	if (rc < 0)
		fprintf(stderr, "usage: redis_cost store URL server|replicated PEOPLE DEPTH SECONDS | plain SOCKET server|replicated "
			"PEOPLE DEPTH SECONDS | script\n");
	return rc < 0 ? 1 : 0;
}
