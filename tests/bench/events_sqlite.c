/* The peer of durable events: SQLite as its manual says (write-ahead log, synchronous=FULL), one transaction an event, in process,
 * without a network or a line of JSON to read.
 *
 *   events_sqlite FILE PEOPLE even|zipf SECONDS SEED
 *
 * Each event is a row under its messageId, which is unique, and a change to its person's row, which is there beforehand and carries
 * 400 bytes, as a record would. Makes FILE with its people when it is not there. Prints one JSON object. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "crowd.h"

enum { RECORD_BYTES = 400, TEMPLATES = 64 };

static const char tables[] =
	"CREATE TABLE IF NOT EXISTS people (id TEXT PRIMARY KEY, events INTEGER NOT NULL, last_at TEXT, record BLOB NOT NULL) "
	"WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS events (message_id TEXT PRIMARY KEY, person TEXT NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL) "
	"WITHOUT ROWID;";
static const char settings[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-262144; PRAGMA mmap_size=4294967296;";

static void must(sqlite3 *db, int rc)
{
	if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
		return;
	fprintf(stderr, "events_sqlite: %s\n", sqlite3_errmsg(db));
	exit(1);
}

static void step(sqlite3 *db, sqlite3_stmt *s)
{
	must(db, sqlite3_step(s));
	must(db, sqlite3_reset(s));
}

static void make_people(sqlite3 *db, uint32_t n)
{
	sqlite3_stmt *insert;
	char id[CROWD_UUID_BYTES];
	unsigned char record[RECORD_BYTES];
	must(db, sqlite3_prepare_v2(db, "INSERT INTO people VALUES (?, 0, NULL, ?)", -1, &insert, NULL));
	must(db, sqlite3_exec(db, "BEGIN", NULL, NULL, NULL));
	for (uint32_t i = 0; i < n; i++) {
		crowd_person_id(i, id);
		for (unsigned b = 0; b < RECORD_BYTES; b++)
			record[b] = (unsigned char)(crowd_mix(i + b) >> 13);
		must(db, sqlite3_bind_text(insert, 1, id, sizeof id, SQLITE_STATIC));
		must(db, sqlite3_bind_blob(insert, 2, record, sizeof record, SQLITE_STATIC));
		step(db, insert);
	}
	must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
	must(db, sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL));
	must(db, sqlite3_finalize(insert));
}

struct peer {
	sqlite3 *db;
	sqlite3_stmt *begin, *insert, *update, *commit;
	struct fw_buf templates[TEMPLATES];
	struct crowd_draw draw;
	struct client_times times;
	uint64_t seed, made;
};

static void store_one(struct peer *p)
{
	char id[CROWD_UUID_BYTES], message[CROWD_UUID_BYTES], at[CROWD_TIME_BYTES];
	const struct fw_buf *body = &p->templates[p->made % TEMPLATES];
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	crowd_time((int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000, at);
	crowd_person_id(crowd_draw_next(&p->draw), id);
	crowd_message_id(p->seed, p->made++, message);
	step(p->db, p->begin);
	must(p->db, sqlite3_bind_text(p->insert, 1, message, sizeof message, SQLITE_STATIC));
	must(p->db, sqlite3_bind_text(p->insert, 2, id, sizeof id, SQLITE_STATIC));
	must(p->db, sqlite3_bind_text(p->insert, 3, at, sizeof at, SQLITE_STATIC));
	must(p->db, sqlite3_bind_text(p->insert, 4, body->data, (int)body->n, SQLITE_STATIC));
	step(p->db, p->insert);
	must(p->db, sqlite3_bind_text(p->update, 1, at, sizeof at, SQLITE_STATIC));
	must(p->db, sqlite3_bind_text(p->update, 2, id, sizeof id, SQLITE_STATIC));
	step(p->db, p->update);
	if (sqlite3_changes(p->db) != 1)
		abort();
	step(p->db, p->commit);
}

static void run(struct peer *p, double seconds)
{
	int64_t begin = client_now_us(), end = begin + (int64_t)(seconds * 1e6), now = begin;
	while (now < end) {
		int64_t from = now;
		store_one(p);
		now = client_now_us();
		client_times_add(&p->times, now - from);
	}
	double took = (double)(now - begin) / 1e6;
	printf("{\"events\":%zu,\"seconds\":%.3f,\"perSecond\":%.0f", p->times.n, took, took > 0 ? (double)p->times.n / took : 0);
	printf(",\"p50_us\":%u,\"p99_us\":%u,\"version\":\"%s\"}\n", client_times_at(&p->times, 0.5), client_times_at(&p->times, 0.99),
		sqlite3_libversion());
}

static void prepare(struct peer *p)
{
	must(p->db, sqlite3_prepare_v2(p->db, "BEGIN IMMEDIATE", -1, &p->begin, NULL));
	must(p->db, sqlite3_prepare_v2(p->db, "INSERT INTO events VALUES (?, ?, ?, ?)", -1, &p->insert, NULL));
	must(p->db, sqlite3_prepare_v2(p->db, "UPDATE people SET events = events + 1, last_at = ? WHERE id = ?", -1, &p->update, NULL));
	must(p->db, sqlite3_prepare_v2(p->db, "COMMIT", -1, &p->commit, NULL));
	for (unsigned i = 0; i < TEMPLATES; i++) {
		fw_buf_init(&p->templates[i], 0);
		crowd_event(i * 77, i % CROWD_EVENTS, i, 0, &p->templates[i]);
	}
}

int main(int argc, char **argv)
{
	struct peer p = { 0 };
	uint32_t people = argc == 6 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
	if (!people || crowd_draw_init(&p.draw, argv[3], people, strtoull(argv[5], NULL, 10)) < 0) {
		fprintf(stderr, "usage: events_sqlite FILE PEOPLE even|zipf SECONDS SEED\n");
		return 2;
	}
	p.seed = strtoull(argv[5], NULL, 10);
	bool fresh = access(argv[1], F_OK) < 0;
	must(NULL, sqlite3_open(argv[1], &p.db));
	must(p.db, sqlite3_exec(p.db, settings, NULL, NULL, NULL));
	must(p.db, sqlite3_exec(p.db, tables, NULL, NULL, NULL));
	if (fresh)
		make_people(p.db, people);
	prepare(&p);
	run(&p, strtod(argv[4], NULL));
	sqlite3_finalize(p.begin);
	sqlite3_finalize(p.insert);
	sqlite3_finalize(p.update);
	sqlite3_finalize(p.commit);
	sqlite3_close(p.db);
	for (unsigned i = 0; i < TEMPLATES; i++)
		fw_buf_finish(&p.templates[i]);
	client_times_finish(&p.times);
	crowd_draw_finish(&p.draw);
	return 0;
}
