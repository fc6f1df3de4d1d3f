/* What a person costs in process.
 *
 *   people_cost read FOLDER PEOPLE TIMES     reading people (made by people_make), evenly drawn, and their facts from it; FOLDER may be
 *                                            the URL of a Redis that has them (people_copy)
 *   people_cost event FOLDER HOURS BEHIND…   an event, when the person has so many behind him in so many hours
 *   people_cost ids PEOPLE N                 the anonymousIds of N different people, one a line
 *   people_cost state FOLDER SOCKET          of a daemon: what its keeper has counted, groups and syncs; entries that wait in outboxes
 *   people_cost record FOLDER SOCKET ID      of a daemon: the bytes of a person's record, and their limit
 *
 * All but `ids` print JSON. FOLDER of `event` must not be there. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "bench_store.h"
#include "client.h"
#include "crowd.h"
#include "store/redis_url.h"

enum { TOGETHER = 10, AT_ONCE = 20, ROUNDS = 200 };

/* --- reading */

struct reader {
	struct bench_store store;
	struct fw_arena arena;
	struct fw_str record;
	uint64_t bytes;
	bool over;
};

static void on_record(void *ctx, int rc, const struct fw_person *person)
{
	struct reader *r = ctx;
	struct fw_str record = person->record;
	if (rc < 0 || !record.n)
		abort();
	r->record = record;
	r->bytes += record.n;
	r->over = true;
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void print_ns(const char *name, struct client_times *t)
{
	printf(",\"%s\":{\"p50_us\":%.3f,\"p99_us\":%.3f}", name, client_times_at(t, 0.5) / 1e3, client_times_at(t, 0.99) / 1e3);
	client_times_finish(t);
}

static int open_people(struct bench_store *b, const char *where)
{
	if (fw_redis_url_is(where))
		return bench_store_reach(b, where, NULL);
	return bench_keeper_start(b, where, "interval") < 0 ? -1 : bench_store_open(b);
}

static int read_people(const char *where, uint32_t people, unsigned long times)
{
	struct reader r = { 0 };
	struct crowd_draw draw;
	struct client_times loads = { 0 }, fills = { 0 };
	char id[CROWD_UUID_BYTES];
	if (!people || crowd_draw_init(&draw, "even", people, 5) < 0 || open_people(&r.store, where) < 0)
		return -1;
	fw_arena_init(&r.arena, NULL, 0, 0);
	for (unsigned long i = 0; i < times; i++) {
		struct fw_person_id who = { FW_PERSON_ANONYMOUS, { id, sizeof id } };
		struct fw_facts facts;
		crowd_person_id(crowd_draw_next(&draw), id);
		fw_facts_init(&facts, &r.arena, true);
		facts.has_clock = true;
		facts.now_us = fw_now_us();
		r.over = false;
		int64_t begin = now_ns();
		fw_people_load(r.store.people, &who, (struct fw_str){ NULL, 0 }, false, &r.arena, on_record, &r);
		while (!r.over)
			bench_store_turn(&r.store);
		int64_t loaded = now_ns();
		if (fw_profile_fill(r.record, &facts) < 0)
			abort();
		client_times_add(&fills, now_ns() - loaded);
		client_times_add(&loads, loaded - begin);
		fw_arena_reset(&r.arena);
	}
	printf("{\"reads\":%lu,\"record_bytes\":%.1f", times, (double)r.bytes / (double)times);
	print_ns("load", &loads);
	print_ns("fill", &fills);
	puts("}");
	fw_arena_finish(&r.arena);
	bench_store_close(&r.store);
	if (r.store.keeper)
		bench_keeper_stop(&r.store);
	return 0;
}

static int print_ids(uint32_t people, unsigned long n)
{
	char id[CROWD_UUID_BYTES];
	for (unsigned long i = 0; people && i < n; i++) {
		crowd_person_id(crowd_scatter(i, people), id);
		printf("%.36s\n", id);
	}
	return people ? 0 : -1;
}

static int print_state(const char *folder, const char *socket)
{
	struct bench_store b;
	struct fw_store_health h = { 0 };
	if (bench_store_join(&b, folder, socket) < 0)
		return -1;
	for (int turns = 0; !h.reachable && turns < 1000; turns++) {
		bench_store_turn(&b);
		fw_store_health(b.store, &h);
	}
	int waiting = bench_store_outbox(&b, INT_MAX);
	printf("{\"groups\":%llu,\"syncs\":%llu,\"outbox\":%d}\n", (unsigned long long)h.groups, (unsigned long long)h.syncs, waiting);
	bench_store_close(&b);
	return h.reachable && waiting >= 0 ? 0 : -1;
}

static void on_bytes(void *ctx, int rc, const struct fw_person *person)
{
	*(long *)ctx = rc < 0 ? rc : (long)person->record.n;
}

static int print_record(const char *folder, const char *socket, const char *text)
{
	struct bench_store b;
	struct fw_arena arena;
	struct fw_person_id id;
	long bytes = LONG_MAX; /* no answer yet */
	if (bench_store_join(&b, folder, socket) < 0)
		return -1;
	fw_arena_init(&arena, NULL, 0, 0);
	if (fw_person_id_parse(&arena, fw_str(text), &id, NULL) < 0)
		bytes = -1;
	else
		fw_people_load(b.people, &id, (struct fw_str){ NULL, 0 }, false, &arena, on_bytes, &bytes);
	while (bytes == LONG_MAX)
		bench_store_turn(&b);
	printf("{\"bytes\":%ld,\"limit\":%d}\n", bytes, FW_LIMIT_RECORD_BYTES);
	fw_arena_finish(&arena);
	bench_store_close(&b);
	return bytes > 0 ? 0 : -1;
}

/* --- events */

/* TOGETHER people who live at the same pace. */
struct lives {
	unsigned first;        /* of them */
	unsigned long most, n; /* events that each is to have behind him, and has */
	int64_t begin_us, step_us; /* when the first was, and how far apart they are */
	double own_us[ROUNDS], keeper_us[ROUNDS]; /* what an event took then, processor time */
};

struct liver {
	struct bench_store store;
	struct fw_arena arena;
	struct fw_buf text;
	struct fw_people_event events[TOGETHER * AT_ONCE];
	struct fw_people_group group;
	unsigned people; /* who have lived */
	bool over;
};

static void on_stored(void *ctx, int rc)
{
	struct liver *l = ctx;
	if (rc < 0)
		abort();
	l->over = true;
}

static void make_event(struct liver *l, unsigned person, unsigned long nth, int64_t at_us, struct fw_people_event *e)
{
	struct fw_refusal refusal;
	struct fw_json *tree;
	fw_buf_clear(&l->text);
	crowd_event(person, (unsigned)(crowd_mix(nth) % CROWD_EVENTS), nth, at_us, &l->text);
	if (fw_json_parse(&l->arena, l->text.data, l->text.n, &tree, NULL) < 0)
		abort();
	struct fw_event_frame frame = { .type = -1, .received_us = at_us, .sent_at = fw_json_text(tree, "timestamp") };
	memset(e, 0, sizeof *e);
	if (fw_event_read(&l->arena, tree, &frame, &e->event, &refusal) < 0)
		abort();
	e->id = (struct fw_person_id){ FW_PERSON_ANONYMOUS, e->event.anonymous_id };
	e->behaviour = true;
}

/* `each` events more for each of them. */
static void live_on(struct liver *l, struct lives *of, unsigned each, double *ret_own_us, double *ret_keeper_us)
{
	unsigned n = 0;
	fw_arena_reset(&l->arena);
	for (unsigned i = 0; i < each; i++)
		for (unsigned p = 0; p < TOGETHER; p++)
			make_event(l, of->first + p, of->n + i, of->begin_us + (int64_t)(of->n + i) * of->step_us, &l->events[n++]);
	l->group = (struct fw_people_group){ .done = on_stored, .ctx = l };
	l->over = false;
	int64_t own_us = bench_own_cpu_us(), keeper_us = bench_keeper_cpu_us(&l->store);
	fw_people_apply(l->store.people, l->events, n, &l->group);
	while (!l->over)
		bench_store_turn(&l->store);
	*ret_own_us = (double)(bench_own_cpu_us() - own_us) / n;
	*ret_keeper_us = (double)(bench_keeper_cpu_us(&l->store) - keeper_us) / n;
	of->n += each;
}

static void next_people(struct liver *l, struct lives *of)
{
	double own_us, keeper_us;
	of->first = l->people += TOGETHER;
	of->n = 0;
	while (of->n < of->most)
		live_on(l, of, of->most - of->n < AT_ONCE ? (unsigned)(of->most - of->n) : AT_ONCE, &own_us, &keeper_us);
}

/* Round by round one event for each, whatever they have behind them. Those who have little behind them soon have more, so each
 * round has its own. */
static void go_round(struct liver *l, struct lives *lives, int n)
{
	for (unsigned round = 0; round < ROUNDS; round++)
		for (int i = 0; i < n; i++) {
			if (round == 0 || lives[i].most < ROUNDS)
				next_people(l, &lives[i]);
			live_on(l, &lives[i], 1, &lives[i].own_us[round], &lives[i].keeper_us[round]);
		}
}

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return (a > b) - (a < b);
}

static double median(double *of)
{
	qsort(of, ROUNDS, sizeof *of, by_value);
	return of[ROUNDS / 2];
}

static int live_lives(const char *folder, unsigned long hours, char **behind, int n)
{
	struct liver *l = calloc(1, sizeof *l);
	struct lives *lives = calloc((size_t)n, sizeof *lives);
	if (!l || !lives || bench_keeper_start(&l->store, folder, "commit") < 0 || bench_store_open(&l->store) < 0) {
		free(lives);
		free(l);
		return -1;
	}
	fw_arena_init(&l->arena, NULL, 0, 0);
	fw_buf_init(&l->text, 0);
	for (int i = 0; i < n; i++) { /* over the same time however many, so that their number alone differs */
		lives[i].most = strtoul(behind[i], NULL, 10);
		lives[i].step_us = (int64_t)hours * 3600 * 1000000 / (int64_t)(lives[i].most + ROUNDS);
		lives[i].begin_us = fw_now_us() - (int64_t)hours * 3600 * 1000000;
	}
	go_round(l, lives, n);
	for (int i = 0; i < n; i++)
		printf("%c{\"behind\":%lu,\"own_us\":%.3f,\"keeper_us\":%.3f}", i ? ',' : '[', lives[i].most, median(lives[i].own_us),
			median(lives[i].keeper_us));
	puts("]");
	fw_buf_finish(&l->text);
	fw_arena_finish(&l->arena);
	bench_store_close(&l->store);
	bench_keeper_stop(&l->store);
	free(lives);
	free(l);
	return 0;
}

int main(int argc, char **argv)
{
	int rc = -1;
	if (argc == 5 && strcmp(argv[1], "read") == 0)
		rc = read_people(argv[2], (uint32_t)strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
	else if (argc == 4 && strcmp(argv[1], "state") == 0)
		rc = print_state(argv[2], argv[3]);
	else if (argc == 5 && strcmp(argv[1], "record") == 0)
		rc = print_record(argv[2], argv[3], argv[4]);
	else if (argc == 4 && strcmp(argv[1], "ids") == 0)
		rc = print_ids((uint32_t)strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
	else if (argc > 4 && strcmp(argv[1], "event") == 0)
		rc = live_lives(argv[2], strtoul(argv[3], NULL, 10), argv + 4, argc - 4);
	if (rc < 0)
		fprintf(stderr, "usage: people_cost read FOLDER|URL PEOPLE TIMES | event FOLDER HOURS BEHIND… | ids PEOPLE N | state "
			"FOLDER SOCKET | record FOLDER SOCKET ID\n");
	return rc < 0 ? 1 : 0;
}
