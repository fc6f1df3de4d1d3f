/* Makes people by living their lives: every event goes through the code that events of a daemon go through, session after session, in an
 * order without an order, so that the data grows as it would.
 *
 *   people_make FOLDER PEOPLE history|live
 *
 *   history  ninety days, imported: no messageId is remembered
 *   live     all of it within the last two days, as it happened: every messageId still counts; and then they are swept away
 *
 * Prints one JSON object: the bytes of a record, and of the disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "bench_store.h"
#include "crowd.h"
#include "people/sweep.h"

enum { MAKERS = 2, SQUADS = 16, SQUAD_PEOPLE = 240, SQUAD_EVENTS = SQUAD_PEOPLE * CROWD_SESSION_EVENTS };
#define DAY_US INT64_C(86400000000)

/* People whose events are on their way together. */
struct squad {
	struct maker *maker;
	struct fw_people_event events[SQUAD_EVENTS];
	struct fw_people_group group;
	struct fw_arena arena;
	bool busy;
};

struct maker {
	struct bench_store store;
	struct squad squads[SQUADS];
	uint32_t n, next, end; /* of a session: from `next` up to `end` */
	unsigned session, n_busy;
	bool live;
	const char *folder;
	int64_t now_us;
	struct fw_buf text;
};

static void stop(const char *what, const char *why)
{
	fprintf(stderr, "people_make: %s: %s\n", what, why);
	exit(1);
}

static int64_t time_of(const struct maker *m, uint32_t person, unsigned nth)
{
	int64_t apart = m->live ? DAY_US * 3 / 8 : 20 * DAY_US, first = m->live ? 46 * DAY_US / 24 : 90 * DAY_US;
	int64_t chance = (int64_t)(crowd_mix(person ^ UINT64_C(0x71000000000)) % (uint64_t)(m->live ? DAY_US / 24 : DAY_US));
	return m->now_us - first + apart * (nth / CROWD_SESSION_EVENTS) + chance + (nth % CROWD_SESSION_EVENTS) * INT64_C(45000000);
}

static void put_event(struct maker *m, struct squad *q, uint32_t person, unsigned j, struct fw_people_event *e)
{
	unsigned nth = m->session * CROWD_SESSION_EVENTS + j;
	int64_t at_us = time_of(m, person, nth);
	struct fw_refusal refusal;
	struct fw_json *tree;
	fw_buf_clear(&m->text);
	crowd_event(person, nth, nth, at_us, &m->text);
	if (m->text.failed || fw_json_parse(&q->arena, m->text.data, m->text.n, &tree, NULL) < 0)
		stop("an event", "no JSON");
	struct fw_event_frame frame = { .type = -1, .received_us = m->live ? at_us : m->now_us, .imported = !m->live,
		.sent_at = fw_json_text(tree, "timestamp") };
	memset(e, 0, sizeof *e);
	if (fw_event_read(&q->arena, tree, &frame, &e->event, &refusal) < 0)
		stop("an event", refusal.message);
	e->id = (struct fw_person_id){ FW_PERSON_ANONYMOUS, e->event.anonymous_id };
	e->behaviour = true;
	e->import_file = 1;
	e->import_offset = ((int64_t)m->session * m->n + m->next) * 4000 + j * 500;
}

static void on_stored(void *ctx, int rc);

static void send_next(struct squad *q)
{
	struct maker *m = q->maker;
	unsigned n = 0;
	fw_arena_reset(&q->arena);
	for (unsigned i = 0; i < SQUAD_PEOPLE && m->next < m->end; i++, m->next++)
		for (unsigned j = 0; j < CROWD_SESSION_EVENTS; j++)
			put_event(m, q, crowd_scatter(m->next, m->n), j, &q->events[n++]);
	if (!n)
		return;
	q->busy = true;
	m->n_busy++;
	q->group = (struct fw_people_group){ .done = on_stored, .ctx = q };
	fw_people_apply(m->store.people, q->events, n, &q->group);
}

static void on_stored(void *ctx, int rc)
{
	struct squad *q = ctx;
	if (rc < 0)
		stop("storing", "failed");
	q->busy = false;
	q->maker->n_busy--;
}

/* The lives of those from `begin` to `end`. */
static void live(struct maker *m, uint32_t begin, uint32_t end)
{
	m->end = end;
	for (m->session = 0; m->session < CROWD_SESSIONS; m->session++) {
		m->next = begin;
		while (m->next < end || m->n_busy) {
			for (unsigned i = 0; i < SQUADS; i++)
				if (!m->squads[i].busy)
					send_next(&m->squads[i]);
			if (m->n_busy)
				bench_store_turn(&m->store);
		}
	}
}

static void start(struct maker *m)
{
	if (bench_store_open(&m->store) < 0)
		exit(1);
	fw_buf_init(&m->text, 0);
	for (unsigned i = 0; i < SQUADS; i++) {
		m->squads[i].maker = m;
		fw_arena_init(&m->squads[i].arena, NULL, 0, 0);
	}
}

/* Each in a process of its own, as workers are. */
static void make(struct maker *m)
{
	pid_t makers[MAKERS];
	for (unsigned i = 0; i < MAKERS; i++) {
		if ((makers[i] = fork()) < 0)
			stop("a process", "cannot be made");
		if (makers[i] == 0) {
			start(m);
			live(m, (uint32_t)((uint64_t)m->n * i / MAKERS), (uint32_t)((uint64_t)m->n * (i + 1) / MAKERS));
			bench_store_close(&m->store);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < MAKERS; i++) {
		int status;
		if (waitpid(makers[i], &status, 0) < 0 || status != 0)
			stop("making people", "failed");
	}
}

/* --- what they take */

struct records {
	uint32_t *bytes;
	uint32_t n;
	uint64_t sum;
};

static void on_record(void *ctx, int rc, const struct fw_person *person)
{
	struct records *r = ctx;
	struct fw_str record = person->record;
	if (rc < 0 || !record.n)
		stop("a person", "cannot be read");
	r->bytes[r->n++] = (uint32_t)record.n;
	r->sum += record.n;
}

static int by_value(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
	return (a > b) - (a < b);
}

static void print_records(struct maker *m)
{
	struct records r = { .bytes = calloc(m->n, sizeof *r.bytes) };
	struct fw_arena arena;
	char id[CROWD_UUID_BYTES];
	fw_arena_init(&arena, NULL, 0, 0);
	for (uint32_t i = 0; r.bytes && i < m->n; i++) {
		struct fw_person_id who = { FW_PERSON_ANONYMOUS, { id, sizeof id } };
		crowd_person_id(i, id);
		fw_people_load(m->store.people, &who, (struct fw_str){ NULL, 0 }, false, &arena, on_record, &r);
		fw_arena_reset(&arena);
	}
	if (r.n != m->n)
		stop("people", "not all of them are there");
	qsort(r.bytes, r.n, sizeof *r.bytes, by_value);
	printf(",\"record\":{\"mean\":%.1f,\"p50\":%u,\"p99\":%u,\"most\":%u}", (double)r.sum / r.n, r.bytes[r.n / 2],
		r.bytes[r.n / 100 * 99], r.bytes[r.n - 1]);
	free(r.bytes);
	fw_arena_finish(&arena);
}

static void print_store(struct maker *m, const char *name)
{
	char path[512];
	struct stat file;
	struct fw_store_health h;
	fw_store_health(m->store.store, &h);
	snprintf(path, sizeof path, "%s/data.mdb", m->store.url + strlen("lmdb:"));
	if (stat(path, &file) < 0)
		stop(path, "is not there");
	printf(",\"%s\":{\"rows\":%llu,\"used_bytes\":%llu,\"disk_bytes\":%lld}", name, (unsigned long long)h.rows,
		(unsigned long long)h.used_bytes, (long long)file.st_blocks * 512);
}

struct step {
	bool over;
	int rc;
};

static void on_step(void *ctx, int rc)
{
	struct step *s = ctx;
	s->over = true;
	s->rc = rc;
}

/* Three days later. */
static void sweep(struct maker *m)
{
	static const struct fw_sweep_options options = { .anonymous_s = 90 * 86400, .known_s = 90 * 86400 };
	bench_store_close(&m->store); /* a step waits for its answer, so it had better come at once */
	bench_keeper_stop(&m->store);
	if (bench_keeper_start(&m->store, m->folder, "commit") < 0 || bench_store_open(&m->store) < 0)
		exit(1);
	struct fw_sweep *s = fw_sweep_create(m->store.people, &options);
	if (!s)
		stop("sweeping", "out of memory");
	while (fw_sweep_counts(s)->buckets < FW_STORE_BUCKETS) {
		struct step step = { false, 0 };
		fw_sweep_step(s, m->now_us + 3 * DAY_US, on_step, &step);
		while (!step.over)
			bench_store_turn(&m->store);
		if (step.rc < 0)
			stop("sweeping", "failed");
	}
	fw_sweep_destroy(s);
}

int main(int argc, char **argv)
{
	struct maker *m = calloc(1, sizeof *m);
	m->n = argc == 4 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
	if (!m->n || (strcmp(argv[3], "live") != 0 && strcmp(argv[3], "history") != 0)) {
		fprintf(stderr, "usage: people_make FOLDER PEOPLE history|live\n");
		return 2;
	}
	m->folder = argv[1];
	m->live = strcmp(argv[3], "live") == 0;
	m->now_us = fw_now_us();
	if (bench_keeper_start(&m->store, m->folder, "interval") < 0)
		return 1;
	int64_t begin = fw_monotonic_us();
	make(m);
	printf("{\"people\":%u,\"events\":%llu,\"seconds\":%.1f,\"keeper_cpu_us\":%lld", m->n, (unsigned long long)m->n * CROWD_EVENTS,
		(double)(fw_monotonic_us() - begin) / 1e6, (long long)bench_keeper_cpu_us(&m->store));
	if (bench_store_open(&m->store) < 0)
		return 1;
	print_records(m);
	print_store(m, "made");
	if (m->live) {
		sweep(m);
		print_store(m, "swept");
	}
	puts("}");
	bench_store_close(&m->store);
	bench_keeper_stop(&m->store);
	free(m);
	return 0;
}
