/* What was deleted is overwritten: every row carries marks in its key and its value, and the file is read for marks of rows
 * that are no more. Seen failing with FW_BREAK_SCRUB, and _GAPS, _KEYS, _BUFFERS or _READERS behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <ctype.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "lib_store.h"
#include "store/lmdb.h"

enum { ROWS = 1500, ROWS_LONG = 10000, BUCKETS = 7, MARK = 18, MOST_BYTES = 13000 };

/* What the rows are: `version` 0: the row is not there. A mark is '~', 'K' or 'V', and 16 digits that tell row and version. */
struct rows {
	struct store_test t;
	struct fw_store *s;
	unsigned n;
	uint32_t *version;
	uint64_t random;
};

static uint64_t random_below(struct rows *r, uint64_t n)
{
	r->random ^= r->random >> 12;
	r->random ^= r->random << 25;
	r->random ^= r->random >> 27;
	return (r->random * UINT64_C(0x2545f4914f6cdd1d) >> 11) % n;
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 31) * UINT64_C(0x9fb21c651e98df25);
	return x ^ x >> 28;
}

/* Invertible, so that a mark found tells its row. */
static uint64_t scramble(uint64_t x)
{
	return x * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t unscramble(uint64_t x)
{
	return x * UINT64_C(0xf1de83e19937733d);
}

/* Row and version (20 bits each), and a sum of both: half of one mark behind half of another is none. */
static uint64_t mark_of(unsigned row, uint32_t version)
{
	uint64_t x = (uint64_t)version << 20 | row;
	return scramble(mix(x) << 40 | x);
}

static void write_mark(char *to, char kind, unsigned row, uint32_t version)
{
	char text[MARK + 1];
	snprintf(text, sizeof text, "~%c%016llx", kind, (unsigned long long)mark_of(row, version));
	memcpy(to, text, MARK);
}

/* Of every kind: within a page, a page of its own, several. */
static size_t size_of(unsigned row, uint32_t version)
{
	static const size_t most[] = { 100, 600, 1900, 3900, MOST_BYTES };
	uint64_t x = mix((uint64_t)row * 65537 + version);
	return 2 * MARK + x / 5 % most[x % 5];
}

static void make_value(char *value, unsigned row, uint32_t version)
{
	size_t n = size_of(row, version);
	memset(value, '.', n);
	for (size_t at = 0; at + MARK <= n; at += 200 + MARK)
		write_mark(value + at, 'V', row, version);
	write_mark(value + n - MARK, 'V', row, version);
}

/* One row put or, with version 0, deleted. `o` counts outcomes. */
static void change(struct rows *r, unsigned row, uint32_t version, struct store_outcome *o)
{
	static char value[MOST_BYTES + 2 * MARK];
	char key[MARK];
	write_mark(key, 'K', row, 1);
	if (version)
		make_value(value, row, version);
	struct fw_change c = { version ? FW_CHANGE_PUT : FW_CHANGE_DELETE, { key, MARK }, { value, version ? size_of(row, version) : 0 },
		FW_VERSION_ANY };
	struct fw_batch b = { row % BUCKETS, &c, 1 };
	while (fw_store_commit(r->s, &b, store_on_committed, o) != 0)
		event_base_loop(r->t.base, EVLOOP_ONCE);
	r->version[row] = version;
}

static void open_rows(struct rows *r, const char *durability, unsigned n, uint64_t seed)
{
	*r = (struct rows){ .n = n, .random = seed, .version = calloc(n, sizeof *r->version) };
	store_test_init(&r->t, durability);
	store_test_start(&r->t);
	r->s = store_open(&r->t);
	assert_non_null(r->version);
}

static void close_rows(struct rows *r)
{
	fw_store_close(r->s);
	store_test_finish(&r->t);
	free(r->version);
}

/* So many changes, some in groups, some alone. */
static void churn(struct rows *r, unsigned changes, unsigned deletes_percent)
{
	struct store_outcome o = { 0 };
	for (unsigned i = 0; i < changes; i++) {
		unsigned row = (unsigned)random_below(r, r->n);
		bool gone = random_below(r, 100) < deletes_percent;
		change(r, row, gone ? 0 : (uint32_t)(2 + random_below(r, 1 << 19)), &o);
		if (random_below(r, 400) == 0)
			store_wait(&r->t, &o.came, i + 1);
	}
	store_wait(&r->t, &o.came, changes);
	assert_int_equal(o.rc, 0);
}

/* How many marks the file has of rows and versions that are no more. With `known`, those of versions that are there by it
 * (as the rows were before the last changes) are passed over. */
static unsigned count_dead(const struct rows *r, const uint32_t *known)
{
	char path[TEMPORARY_PATH + 32];
	struct stat st;
	unsigned dead = 0;
	snprintf(path, sizeof path, "%s/data.mdb", r->t.data);
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	char *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(file != MAP_FAILED);
	const char *end = file + st.st_size - MARK;
	for (const char *p = file; (p = memchr(p, '~', (size_t)(end - p))); p++) {
		char digits[17] = { 0 }, *stop;
		memcpy(digits, p + 2, 16);
		uint64_t x = unscramble(strtoull(digits, &stop, 16));
		unsigned row = x & 0xfffff;
		uint32_t version = x >> 20 & 0xfffff;
		if ((p[1] != 'K' && p[1] != 'V') || stop != digits + 16 || row >= r->n || scramble(x) != mark_of(row, version))
			continue;
		uint32_t now = r->version[row], then = known ? known[row] : 0;
		if (p[1] == 'K' ? !now && !then : now != version && then != version)
			dead++;
	}
	munmap(file, (size_t)st.st_size);
	close(fd);
	return dead;
}

static void check_rows(struct rows *r)
{
	static char value[MOST_BYTES + 2 * MARK];
	struct fw_store_check found;
	struct fw_error err = { 0 };
	char key[MARK + 1] = { 0 };
	unsigned there = 0;
	for (unsigned row = 0; row < r->n; row++) {
		write_mark(key, 'K', row, 1);
		struct store_outcome o = store_get(&r->t, r->s, row % BUCKETS, key);
		assert_int_equal(o.rc, 0);
		assert_int_equal(o.row.value.p != NULL, r->version[row] != 0);
		there += o.row.value.p != NULL;
		if (o.row.value.p) {
			make_value(value, row, r->version[row]);
			assert_int_equal(o.row.value.n, size_of(row, r->version[row]));
			assert_memory_equal(o.row.value.p, value, o.row.value.n);
		}
		fw_arena_reset(&r->t.arena);
	}
	/* All of them by their order, in a process of its own: this one has the file open. */
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		_exit(fw_keeper_check(&r->t.options, NULL, NULL, &found, &err) == 0 && found.rows == there ? 0 : 1);
	int status = 0;
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void on_scrubbed(void *ctx, int rc)
{
	struct store_outcome *o = ctx;
	o->rc = rc;
	o->came++;
}

static int scrub(struct rows *r)
{
	struct store_outcome o = { 0 };
	assert_int_equal(fw_store_scrub(r->s, on_scrubbed, &o), 0);
	store_wait(&r->t, &o.came, 1);
	return o.rc;
}

static unsigned rows_here(void)
{
	return getenv("FW_LONG") ? ROWS_LONG : ROWS;
}

/* Fifty persons among many go. Their rows are in the file until it is scrubbed, and then they are not. */
static void test_fifty_persons(void **state)
{
	struct rows r;
	struct store_outcome o = { 0 };
	open_rows(&r, *state, rows_here(), 5);
	for (unsigned row = 0; row < r.n; row++)
		change(&r, row, 1, &o);
	store_wait(&r.t, &o.came, r.n);
	assert_int_equal(scrub(&r), 0);
	assert_int_equal(count_dead(&r, NULL), 0);
	for (unsigned i = 0; i < 50; i++)
		change(&r, (unsigned)random_below(&r, r.n), 0, &o);
	store_wait(&r.t, &o.came, r.n + 50);
	assert_true(count_dead(&r, NULL) >= 50);
	assert_int_equal(scrub(&r), 0);
	assert_int_equal(count_dead(&r, NULL), 0);
	check_rows(&r);
	close_rows(&r);
}

/* Whatever was done before, and however often: rows that shrink, grow, go and come back. */
static void test_any_history(void **state)
{
	struct rows r;
	open_rows(&r, *state, rows_here(), 11);
	for (unsigned round = 0; round < 4; round++) {
		churn(&r, r.n * 2, round % 2 ? 70 : 25);
		assert_true(count_dead(&r, NULL) > r.n / 10);
		assert_int_equal(scrub(&r), 0);
		assert_int_equal(count_dead(&r, NULL), 0);
		check_rows(&r);
	}
	/* All but nothing left, then nothing. */
	struct store_outcome o = { 0 };
	for (unsigned row = 1; row < r.n; row++)
		change(&r, row, 0, &o);
	store_wait(&r.t, &o.came, r.n - 1);
	assert_int_equal(scrub(&r), 0);
	assert_int_equal(count_dead(&r, NULL), 0);
	check_rows(&r);
	close_rows(&r);
}

/* Others write on while it is scrubbed: what was deleted before is gone, and nothing of theirs is touched. */
static void test_while_others_write(void **state)
{
	(void)state;
	struct rows r;
	struct store_outcome scrubbed = { 0 }, written = { 0 };
	unsigned sent = 0;
	open_rows(&r, NULL, rows_here(), 17);
	churn(&r, r.n * 3, 40);
	uint32_t *then = malloc(r.n * sizeof *then);
	assert_non_null(then);
	memcpy(then, r.version, r.n * sizeof *then);
	assert_int_equal(fw_store_scrub(r.s, on_scrubbed, &scrubbed), 0);
	/* Versions that a row had in between were not deleted before, so each row is changed once. */
	for (unsigned row = 0; !scrubbed.came && row < r.n; row += 3) {
		change(&r, row, random_below(&r, 2) ? 0 : (1u << 19) + row, &written);
		sent++;
		if (sent % 16 == 0)
			store_wait(&r.t, &written.came, sent);
	}
	store_wait(&r.t, &scrubbed.came, 1);
	store_wait(&r.t, &written.came, sent);
	assert_int_equal(scrubbed.rc, 0);
	assert_true(sent > 100);
	assert_int_equal(count_dead(&r, then), 0);
	check_rows(&r);
	assert_int_equal(scrub(&r), 0);
	assert_int_equal(count_dead(&r, NULL), 0);
	free(then);
	close_rows(&r);
}

/* A process that reads the state of now until it is told to end, and then reads it all: its exit status tells of that. */
static pid_t start_reader(struct rows *r, int *ret_end)
{
	int ends[2];
	char byte = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid != 0) {
		close(ends[1]);
		assert_int_equal(read(ends[0], &byte, 1), 1);
		*ret_end = ends[0];
		return pid;
	}
	struct fw_lmdb l;
	MDB_txn *txn;
	MDB_cursor *cursor;
	MDB_val key, value;
	struct fw_row row;
	struct fw_error err;
	close(ends[0]);
	if (fw_lmdb_open(&l, r->t.data, FW_LMDB_READ, &err) < 0 || fw_lmdb_begin_read(&l, &txn) != 0)
		_exit(2);
	if (write(ends[1], "r", 1) != 1 || read(ends[1], &byte, 1) < 0 || mdb_cursor_open(txn, l.dbi, &cursor) != 0)
		_exit(3);
	unsigned n = 0, expected = 0;
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
		if (fw_lmdb_row(&key, &value, &row) < 0)
			_exit(4);
		n += fw_lmdb_key_bucket(&key) < BUCKETS;
	}
	for (unsigned i = 0; i < r->n; i++)
		expected += r->version[i] != 0; /* a copy of then */
	_exit(n == expected ? 0 : 5);
}

/* The state that somebody still reads stays whole; when he is done, the keeper goes on by itself. */
static void test_reader_in_the_way(void **state)
{
	(void)state;
	struct rows r;
	struct store_outcome o = { 0 };
	int end, status = 0;
	open_rows(&r, NULL, ROWS, 23);
	churn(&r, r.n * 2, 20);
	pid_t reader = start_reader(&r, &end);
	for (unsigned row = 0; row < r.n; row += 2)
		change(&r, row, 0, &o);
	store_wait(&r.t, &o.came, r.n / 2);
	assert_int_equal(scrub(&r), FW_EBUSY);
	assert_int_equal(scrub(&r), FW_EBUSY);
	churn(&r, 500, 50);
	assert_true(count_dead(&r, NULL) > 0);
	close(end);
	waitpid(reader, &status, 0);
	assert_int_equal(status, 0);
	/* Nobody asks again. */
	for (int64_t until = fw_monotonic_us() + STORE_WAIT_MS * INT64_C(1000); count_dead(&r, NULL) > 0;) {
		assert_true(fw_monotonic_us() < until);
		usleep(10000);
	}
	check_rows(&r);
	close_rows(&r);
}

/* Killed at any moment, again and again, the data is whole, and what was asked for is done by the next keeper. */
static void test_killed_meanwhile(void **state)
{
	struct rows r;
	open_rows(&r, *state, ROWS, 31);
	for (unsigned round = 0; round < (getenv("FW_LONG") ? 15 : 4); round++) {
		struct store_outcome o = { 0 };
		churn(&r, 1500, 40);
		assert_int_equal(fw_store_scrub(r.s, on_scrubbed, &o), 0);
		struct timeval t = { 0, (suseconds_t)random_below(&r, 40000) };
		event_base_loopexit(r.t.base, &t);
		event_base_dispatch(r.t.base);
		store_keeper_stop(&r.t, SIGKILL);
		store_keeper_start(&r.t);
		check_rows(&r);
		store_wait(&r.t, &o.came, 1);
		assert_int_equal(o.rc, 0);
		assert_int_equal(count_dead(&r, NULL), 0);
	}
	check_rows(&r);
	close_rows(&r);
}

int main(void)
{
	static char interval[] = "interval";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fifty_persons),
		{ "test_fifty_persons (interval)", test_fifty_persons, NULL, NULL, interval },
		cmocka_unit_test(test_any_history),
		{ "test_any_history (interval)", test_any_history, NULL, NULL, interval },
		cmocka_unit_test(test_while_others_write),
		cmocka_unit_test(test_reader_in_the_way),
		cmocka_unit_test(test_killed_meanwhile),
		{ "test_killed_meanwhile (interval)", test_killed_meanwhile, NULL, NULL, interval },
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
