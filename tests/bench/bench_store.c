#include "bench_store.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/keeper.h"

enum { REACH_TURNS = 1000 };

static int fail(const struct fw_error *err)
{
	char text[1200];
	fprintf(stderr, "bench: %s\n", fw_error_text(err, text, sizeof text));
	return -1;
}

int bench_keeper_start(struct bench_store *b, const char *folder, const char *durability)
{
	struct fw_error err = { 0 };
	int listener, beat[2];
	char here[400] = "";
	memset(b, 0, sizeof *b);
	if (folder[0] != '/' && !getcwd(here, sizeof here - 1))
		return -1;
	snprintf(b->url, sizeof b->url, "lmdb:%s%s%s", here, here[0] ? "/" : "", folder);
	snprintf(b->socket, sizeof b->socket, "%s.sock", folder);
	b->options = (struct fw_store_options){ .url = b->url, .socket = b->socket, .durability = durability };
	if (fw_keeper_bind(&b->options, &listener, &err) < 0)
		return fail(&err);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, beat) < 0 || (b->keeper = fork()) < 0)
		return -1;
	if (b->keeper == 0) {
		close(beat[0]);
		fw_keeper_run(&b->options, listener, beat[1]);
	}
	close(beat[1]);
	close(listener);
	b->beat = beat[0];
	return 0;
}

void bench_keeper_stop(struct bench_store *b)
{
	close(b->beat);
	waitpid(b->keeper, NULL, 0);
	unlink(b->socket);
}

int bench_store_open(struct bench_store *b)
{
	static const struct fw_people_options people = { .currency = "EUR" };
	struct fw_error err = { 0 };
	b->store = NULL;
	b->people = NULL;
	b->base = event_base_new();
	if (b->base && fw_store_open(&b->options, b->base, &b->store, &err) == 0 && (b->people = fw_people_create(b->store, &people)))
		return 0;
	bench_store_close(b);
	return fail(&err);
}

int bench_store_join(struct bench_store *b, const char *folder, const char *socket)
{
	*b = (struct bench_store){ .keeper = 0 };
	snprintf(b->url, sizeof b->url, "lmdb:%s", folder);
	snprintf(b->socket, sizeof b->socket, "%s", socket);
	b->options = (struct fw_store_options){ .url = b->url, .socket = b->socket };
	return bench_store_open(b);
}

int bench_store_reach(struct bench_store *b, const char *url, const char *durability)
{
	struct fw_store_health h = { 0 };
	*b = (struct bench_store){ .keeper = 0 };
	snprintf(b->url, sizeof b->url, "%s", url);
	b->options = (struct fw_store_options){ .url = b->url, .durability = durability };
	if (bench_store_open(b) < 0)
		return -1;
	for (int turns = 0; !h.reachable && turns < REACH_TURNS; turns++) {
		bench_store_turn(b);
		fw_store_health(b->store, &h);
	}
	if (h.reachable)
		return 0;
	fprintf(stderr, "bench: %s\n", h.message);
	bench_store_close(b);
	return -1;
}

void bench_store_close(struct bench_store *b)
{
	fw_store_close(b->store);
	fw_people_destroy(b->people);
	if (b->base)
		event_base_free(b->base);
}

void bench_store_turn(struct bench_store *b)
{
	if (event_base_loop(b->base, EVLOOP_ONCE) != 0)
		abort();
}

struct outbox {
	int entries;
	bool over;
};

static void on_entries(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct outbox *o = ctx;
	(void)rows;
	(void)more;
	o->entries = rc < 0 || o->entries < 0 ? -1 : o->entries + (int)n;
	o->over = true;
}

int bench_store_outbox(struct bench_store *b, unsigned most)
{
	struct outbox o = { .entries = 0 };
	struct fw_arena arena;
	fw_arena_init(&arena, NULL, 0, 0);
	for (uint32_t bucket = 0; bucket < FW_STORE_BUCKETS && o.entries >= 0 && (unsigned)o.entries < most; bucket++) {
		o.over = false;
		fw_arena_reset(&arena);
		fw_store_scan(b->store, bucket, FW_STR("O"), (struct fw_str){ NULL, 0 }, most - (unsigned)o.entries, &arena, on_entries,
			&o);
		while (!o.over)
			bench_store_turn(b);
	}
	fw_arena_finish(&arena);
	return o.entries;
}

int64_t bench_own_cpu_us(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000) + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

int64_t bench_keeper_cpu_us(const struct bench_store *b)
{
	char path[64];
	unsigned long long ns = 0;
	snprintf(path, sizeof path, "/proc/%d/schedstat", (int)b->keeper);
	FILE *f = fopen(path, "r");
	if (f && fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	if (f)
		fclose(f);
	return (int64_t)(ns / 1000);
}
