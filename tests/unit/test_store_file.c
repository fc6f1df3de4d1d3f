/* The data file: growing, full, damaged, of another version, copied, restored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/mount.h>

#include "base/limits.h"
#include "lib_store.h"
#include "store/lmdb.h"
#include "store/wire.h"

/* A row of some size whose bytes tell its number. */
static void put_row(struct store_test *t, struct fw_store *s, unsigned n, size_t size, int *ret_rc)
{
	char key[16];
	static char value[FW_LIMIT_STORE_VALUE_BYTES];
	snprintf(key, sizeof key, "row%u", n);
	memset(value, 'a' + (int)(n % 26), size);
	struct fw_change c = { FW_CHANGE_PUT, fw_str(key), { value, size }, FW_VERSION_ANY };
	*ret_rc = store_commit(t, s, n % FW_STORE_BUCKETS, &c, 1).rc;
}

static bool row_is_there(struct store_test *t, struct fw_store *s, unsigned n, size_t size)
{
	char key[16];
	snprintf(key, sizeof key, "row%u", n);
	struct store_outcome o = store_get(t, s, n % FW_STORE_BUCKETS, key);
	bool there = o.rc == 0 && o.row.value.p;
	if (there) {
		assert_int_equal(o.row.value.n, size);
		assert_int_equal(o.row.value.p[0], 'a' + (int)(n % 26));
		assert_int_equal(o.row.value.p[size - 1], 'a' + (int)(n % 26));
	}
	fw_arena_reset(&t->arena);
	return there;
}

/* More than the first map holds, in one group and over several; a reader follows, and one that opened before too. */
static void test_growing(void **state)
{
	(void)state;
	struct store_test t;
	int rc;
	store_test_init(&t, NULL);
	store_test_start(&t);
	struct fw_store *s = store_open(&t);
	put_row(&t, s, 0, 100, &rc);
	assert_true(row_is_there(&t, s, 0, 100));
	/* A stopped keeper finds many batches at once: one group, larger than the map has room for. */
	static char value[FW_LIMIT_STORE_VALUE_BYTES];
	struct store_outcome o = { 0 };
	unsigned groups = 5, each = 20;
	for (unsigned g = 0; g < groups; g++) {
		kill(t.keeper, SIGSTOP);
		for (unsigned i = 0; i < each; i++) {
			unsigned n = 1 + g * each + i;
			char key[16];
			snprintf(key, sizeof key, "row%u", n);
			memset(value, 'a' + (int)(n % 26), sizeof value);
			struct fw_change c = { FW_CHANGE_PUT, fw_str(key), { value, sizeof value }, FW_VERSION_NONE };
			struct fw_batch b = { n % FW_STORE_BUCKETS, &c, 1 };
			assert_int_equal(fw_store_commit(s, &b, store_on_committed, &o), 0);
		}
		kill(t.keeper, SIGCONT);
		store_wait(&t, &o.came, (g + 1) * each);
		assert_int_equal(o.rc, 0);
	}
	for (unsigned n = 1; n <= groups * each; n++)
		assert_true(row_is_there(&t, s, n, sizeof value));
	struct fw_store_health h;
	fw_store_health(s, &h);
	assert_true(h.size_bytes > FW_LIMIT_STORE_MAP_BYTES);
	assert_true(h.used_bytes > groups * each * sizeof value);
	assert_int_equal(h.rows, groups * each + 1);
	/* And a keeper that starts on a file of that size. */
	store_keeper_stop(&t, SIGTERM);
	store_keeper_start(&t);
	put_row(&t, s, 0, 200, &rc);
	assert_int_equal(rc, 0);
	assert_true(row_is_there(&t, s, 0, 200));
	fw_store_close(s);
	store_test_finish(&t);
}

/* A disk of a few megabytes: what does not fit is refused, alone; what was there stays; with room again it goes on. */
static void test_full_disk(void **state)
{
	(void)state;
	struct store_test t;
	char folder[128];
	unsigned stored = 0;
	int rc = 0;
	store_test_init(&t, NULL);
	snprintf(folder, sizeof folder, "%s", t.data);
	if (mkdir(folder, 0700) < 0 || mount("floorwalker", folder, "tmpfs", 0, "size=6m") < 0) {
		fprintf(stderr, "SKIPPED: the full disk cannot be tested, a small tmpfs cannot be mounted (that takes root)\n");
		store_test_finish(&t);
		skip();
	}
	store_test_start(&t);
	struct fw_store *s = store_open(&t);
	struct fw_store_health h;
	while (rc == 0) {
		put_row(&t, s, stored, 10000, &rc);
		stored += rc == 0;
	}
	assert_int_equal(rc, FW_EFULL);
	assert_true(stored > 100);
	fw_store_health(s, &h);
	assert_true(h.full);
	assert_non_null(strstr(h.message, "full"));
	/* Again and again: it neither dies nor loses anything. */
	for (unsigned i = 0; i < 20; i++) {
		put_row(&t, s, stored + i, 1000000, &rc);
		assert_int_equal(rc, FW_EFULL);
	}
	assert_int_equal(waitpid(t.keeper, NULL, WNOHANG), 0);
	for (unsigned n = 0; n < stored; n++)
		assert_true(row_is_there(&t, s, n, 10000));
	/* Small and large in one group: only the large one is refused. A little room is made first. */
	struct fw_change gone[40];
	char keys[40][16];
	for (unsigned i = 0; i < 40; i++) {
		snprintf(keys[i], sizeof keys[i], "row%u", i);
		gone[i] = (struct fw_change){ FW_CHANGE_DELETE, fw_str(keys[i]), { 0 }, FW_VERSION_ANY };
	}
	mount("floorwalker", folder, "tmpfs", MS_REMOUNT, "size=7m");
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(store_commit(&t, s, i, &gone[i], 1).rc, 0);
	static char value[FW_LIMIT_STORE_VALUE_BYTES];
	memset(value, 'x', sizeof value);
	mount("floorwalker", folder, "tmpfs", MS_REMOUNT, "size=6500k");
	struct store_outcome o[9] = { { 0 } };
	unsigned good = 0;
	kill(t.keeper, SIGSTOP);
	for (unsigned i = 0; i < 9; i++) {
		char key[16];
		snprintf(key, sizeof key, "mixed%u", i);
		struct fw_change c = { FW_CHANGE_PUT, fw_str(key), { value, i == 4 ? sizeof value : 100 }, FW_VERSION_NONE };
		struct fw_batch b = { i, &c, 1 };
		assert_int_equal(fw_store_commit(s, &b, store_on_committed, &o[i]), 0);
	}
	kill(t.keeper, SIGCONT);
	for (unsigned i = 0; i < 9; i++) {
		store_wait(&t, &o[i].came, 1);
		good += o[i].rc == 0;
	}
	assert_int_equal(o[4].rc, FW_EFULL);
	assert_int_equal(good, 8);
	/* Room again. */
	mount("floorwalker", folder, "tmpfs", MS_REMOUNT, "size=40m");
	put_row(&t, s, stored + 100, 1000000, &rc);
	assert_int_equal(rc, 0);
	fw_store_health(s, &h);
	assert_false(h.full);
	assert_true(h.reachable);
	fw_store_close(s);
	store_keeper_stop(&t, SIGTERM);
	umount2(folder, MNT_DETACH);
	store_test_finish(&t);
}

static void write_at(const char *path, off_t at, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, bytes, n, at), n);
	close(fd);
}

static off_t size_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* Some rows, with nobody left who has them open. */
static void fill(struct store_test *t, char path[128])
{
	int rc;
	store_test_init(t, NULL);
	store_test_start(t);
	struct fw_store *s = store_open(t);
	for (unsigned i = 0; i < 300; i++) {
		put_row(t, s, i, 700, &rc);
		assert_int_equal(rc, 0);
	}
	fw_store_close(s);
	store_keeper_stop(t, SIGTERM);
	close(t->listener);
	t->listener = -1;
	snprintf(path, 128, "%s/data.mdb", t->data);
}

static void assert_refused(struct store_test *t, const char *why, const char *hint)
{
	struct fw_error err = { 0 };
	assert_int_equal(fw_keeper_bind(&t->options, &t->listener, &err), FW_EINVAL);
	if (!strstr(err.message, why) || !strstr(err.hint, hint)) {
		fprintf(stderr, "%s; %s\n", err.message, err.hint);
		fail();
	}
}

/* Whatever has happened to the file: refused before anything starts, with what to do. */
static void test_damaged_files(void **state)
{
	(void)state;
	struct store_test t;
	char path[128];
	static char garbage[8192];
	memset(garbage, 0x5a, sizeof garbage);

	fill(&t, path);
	assert_int_equal(truncate(path, 0), 0);
	assert_refused(&t, "empty", "store restore");
	store_test_finish(&t);

	fill(&t, path);
	assert_int_equal(truncate(path, size_of(path) / 2), 0);
	assert_refused(&t, "damaged", "store restore");
	/* A worker that finds it so is told too. */
	struct fw_store *s;
	struct fw_error err;
	assert_int_equal(fw_store_open(&t.options, t.base, &s, &err), FW_EINVAL);
	assert_non_null(strstr(err.message, "cut off"));
	store_test_finish(&t);

	fill(&t, path);
	write_at(path, 0, garbage, sizeof garbage);
	assert_refused(&t, "damaged, or no store's data", "store restore");
	store_test_finish(&t);

	fill(&t, path);
	for (off_t at = 2 * 4096; at < size_of(path); at += 4096)
		write_at(path, at, garbage, 4096);
	assert_refused(&t, "damaged", "store restore");
	store_test_finish(&t);
}

/* Changes the number of the format, as another version would have written it. */
static void set_format(struct store_test *t, unsigned format, const char *name)
{
	struct fw_lmdb l;
	MDB_txn *txn;
	char row[31] = "floorwalker";
	memcpy(row, name, 11);
	fw_put_number(row + 11, format, 4);
	assert_int_equal(fw_lmdb_open(&l, t->data, FW_LMDB_WRITE, NULL), 0);
	assert_int_equal(mdb_txn_begin(l.env, NULL, 0, &txn), 0);
	assert_int_equal(fw_lmdb_put_own(txn, l.dbi, FW_STR("format"), (struct fw_str){ row, sizeof row }), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	fw_lmdb_close(&l);
}

static void test_other_versions(void **state)
{
	(void)state;
	struct store_test t;
	char path[128];
	fill(&t, path);
	set_format(&t, FW_LMDB_FORMAT + 1, "floorwalker");
	assert_refused(&t, "newer version (format 2; this one reads up to 1)", "start the newer version");
	store_test_finish(&t);
	fill(&t, path);
	set_format(&t, 0, "floorwalker");
	assert_refused(&t, "older version (format 0; this one reads 1)", "store restore");
	store_test_finish(&t);
	fill(&t, path);
	set_format(&t, 1, "doorwatcher");
	assert_refused(&t, "another program", "store restore");
	store_test_finish(&t);
}

/* A byte of one row: that row is an error with its name, the others are read, and the check finds it. */
static void test_damaged_row(void **state)
{
	(void)state;
	struct store_test t;
	char path[128];
	fill(&t, path);
	int fd = open(path, O_RDWR);
	static char page[4096];
	bool found = false;
	for (off_t at = 8192; pread(fd, page, sizeof page, at) == sizeof page; at += 4096) {
		char *p = memmem(page, sizeof page, "row123", 6);
		if (!p || p + 500 > page + sizeof page)
			continue;
		/* Copies in pages that are free now do no harm. */
		p[6 + FW_LMDB_ROW_HEAD + 50] ^= 1;
		assert_int_equal(pwrite(fd, page, sizeof page, at), sizeof page);
		found = true;
	}
	close(fd);
	assert_true(found);
	store_test_start(&t);
	struct fw_store_check check;
	struct fw_error err;
	assert_int_equal(fw_keeper_check(&t.options, NULL, NULL, &check, &err), FW_EINVAL);
	assert_int_equal(check.rows, 300);
	assert_int_equal(check.damaged, 1);
	assert_non_null(strstr(err.message, "row123"));
	struct fw_store *s = store_open(&t);
	struct store_outcome o = store_get(&t, s, 123, "row123");
	assert_int_equal(o.rc, FW_EIO);
	struct fw_store_health h;
	fw_store_health(s, &h);
	assert_non_null(strstr(h.message, "\"row123\" of bucket 123 is damaged"));
	assert_int_equal(store_scan(&t, s, 123, "", (struct fw_str){ 0 }, 10).rc, FW_EIO);
	assert_true(row_is_there(&t, s, 122, 700));
	/* It can be written over. */
	int rc;
	put_row(&t, s, 123, 700, &rc);
	assert_int_equal(rc, 0);
	assert_true(row_is_there(&t, s, 123, 700));
	fw_store_close(s);
	store_test_finish(&t);
}

static int refuse_one(void *ctx, uint32_t bucket, const struct fw_row *row, struct fw_error *err)
{
	unsigned *seen = ctx;
	(void)bucket;
	++*seen;
	return fw_str_is(row->key, "row7") ? fw_fail(err, FW_EINVAL, NULL, 0, "no record") : 0;
}

static void test_check(void **state)
{
	(void)state;
	struct store_test t;
	char path[128];
	struct fw_store_check check;
	struct fw_error err;
	unsigned seen = 0;
	fill(&t, path);
	assert_int_equal(fw_keeper_check(&t.options, NULL, NULL, &check, &err), 0);
	assert_int_equal(check.rows, 300);
	assert_true(check.bytes > 300 * 700);
	assert_int_equal(fw_keeper_check(&t.options, refuse_one, &seen, &check, &err), FW_EINVAL);
	assert_int_equal(seen, 300);
	assert_int_equal(check.refused, 1);
	assert_non_null(strstr(err.message, "no record"));
	store_test_finish(&t);
}

/* A backup taken while others write is one moment of it, and comes back as that. */
static void test_backup(void **state)
{
	(void)state;
	struct store_test t;
	char to[128];
	struct fw_error err = { 0 };
	int rc, status;
	store_test_init(&t, NULL);
	store_test_start(&t);
	struct fw_store *s = store_open(&t);
	snprintf(to, sizeof to, "%s/backup", t.root);
	/* Two rows that are always equal, changed as long as the other process copies. */
	for (unsigned i = 0; i < 200; i++)
		put_row(&t, s, i, 5000, &rc);
	fflush(NULL);
	pid_t copier = fork();
	if (copier == 0)
		_exit(fw_keeper_backup(&t.options, to, &err) == 0 ? 0 : 1);
	unsigned n = 0;
	do {
		char value[16];
		snprintf(value, sizeof value, "%u", n++);
		struct fw_change pair[] = { { FW_CHANGE_PUT, FW_STR("left"), fw_str(value), FW_VERSION_ANY },
			{ FW_CHANGE_PUT, FW_STR("right"), fw_str(value), FW_VERSION_ANY } };
		assert_int_equal(store_commit(&t, s, 5, pair, 2).rc, 0);
	} while (waitpid(copier, &status, WNOHANG) == 0);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(fw_keeper_backup(&t.options, to, &err), FW_EINVAL); /* never over another one */
	put_row(&t, s, 0, 77, &rc);
	assert_int_equal(fw_keeper_restore(&t.options, to, &err), FW_EBUSY);
	assert_non_null(strstr(err.message, "keeps this data"));
	store_keeper_stop(&t, SIGTERM);
	assert_int_equal(fw_keeper_restore(&t.options, to, &err), 0);
	store_keeper_start(&t);
	/* The handle that was open all the time sees the restored data once the keeper is back. */
	assert_int_equal(store_put(&t, s, 6, "after", "v", FW_VERSION_ANY).rc, 0);
	assert_true(row_is_there(&t, s, 0, 5000));
	assert_true(row_is_there(&t, s, 199, 5000));
	struct store_outcome left = store_get(&t, s, 5, "left"), right = store_get(&t, s, 5, "right");
	if (left.row.value.p || right.row.value.p)
		assert_true(fw_str_equal(left.row.value, right.row.value));
	assert_true(fw_str_is(store_get(&t, s, 6, "after").row.value, "v"));
	/* What is no backup is refused, and the data stays. */
	assert_true(fw_keeper_restore(&t.options, t.root, &err) < 0);
	fw_store_close(s);
	store_test_finish(&t);
}

/* Readers that died in the middle of their reading have places in the table; they are cleared when those are needed. */
static void test_reader_places(void **state)
{
	(void)state;
	struct store_test t;
	store_test_init(&t, NULL);
	store_test_start(&t);
	struct fw_store *s = store_open(&t);
	assert_int_equal(store_put(&t, s, 1, "k", "v", FW_VERSION_ANY).rc, 0);
	fw_store_close(s);
	fflush(NULL);
	pid_t taker = fork();
	if (taker == 0) {
		/* All places, by transactions that nobody ends. */
		struct fw_lmdb l;
		MDB_txn *txn;
		if (fw_lmdb_open(&l, t.data, FW_LMDB_READ, NULL) < 0)
			_exit(1);
		int rc;
		while ((rc = mdb_txn_begin(l.env, NULL, MDB_RDONLY, &txn)) == 0)
			;
		_exit(rc == MDB_READERS_FULL ? 0 : 1);
	}
	int status;
	waitpid(taker, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 0);
	s = store_open(&t);
	assert_true(fw_str_is(store_get(&t, s, 1, "k").row.value, "v"));
	fw_store_close(s);
	store_test_finish(&t);
}

/* Two keepers of one folder there are not. */
static void test_one_keeper(void **state)
{
	(void)state;
	struct store_test t;
	struct fw_error err;
	int fd;
	store_test_init(&t, NULL);
	store_test_start(&t);
	struct fw_store *s = store_open(&t);
	assert_int_equal(store_put(&t, s, 1, "k", "v", FW_VERSION_ANY).rc, 0);
	assert_int_equal(fw_keeper_bind(&t.options, &fd, &err), FW_EBUSY);
	assert_non_null(strstr(err.hint, "stop the daemon"));
	fw_store_close(s);
	store_test_finish(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_damaged_files),
		cmocka_unit_test(test_other_versions),
		cmocka_unit_test(test_damaged_row),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_backup),
		cmocka_unit_test(test_reader_places),
		cmocka_unit_test(test_one_keeper),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
