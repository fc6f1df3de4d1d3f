#include "store/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/lmdb.h"

struct verdict {
	int rc;
	struct fw_error err;
};

static _Noreturn void judge(int (*run)(void *ctx, struct fw_error *err), void *ctx, int out)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
	struct verdict v = { 0 };
	for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
		signal(fatal[i], SIG_DFL);
	/* LMDB and sanitizers have their own words for a broken page; the parent says what it means. */
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (nowhere >= 0)
		dup2(nowhere, STDERR_FILENO);
	v.rc = run(ctx, &v.err);
	ssize_t n = write(out, &v, sizeof v);
	_exit(n == sizeof v ? 0 : 1);
}

int fw_store_guarded(int (*run)(void *ctx, struct fw_error *err), void *ctx, const char *file, struct fw_error *err)
{
	int ends[2], status;
	struct verdict v;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fw_fail(err, FW_EIO, NULL, 0, "no pipe: %s", strerror(errno));
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		judge(run, ctx, ends[1]);
	}
	int reason = errno;
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return fw_fail(err, FW_EIO, NULL, 0, "no process to look at the data: %s", strerror(reason));
	}
	size_t got = 0;
	for (ssize_t n = 1; got < sizeof v && (n > 0 || errno == EINTR);)
		if ((n = read(ends[0], (char *)&v + got, sizeof v - got)) > 0)
			got += (size_t)n;
		else if (n == 0)
			break;
	close(ends[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (got == sizeof v) {
		if (v.rc < 0 && err)
			*err = v.err;
		return v.rc;
	}
	fw_fail(err, FW_EINVAL, file, 0, "the data is damaged: its pages cannot be read");
	fw_hint(err, "restore a backup with `floorwalker store restore`");
	return FW_EINVAL;
}

struct look {
	const char *folder;
	bool create, whole;
};

/* Every row, or the first of each bucket. What is damaged in a row alone does no harm: it is told when it is read. */
static int walk(const struct fw_lmdb *l, bool whole)
{
	MDB_txn *txn;
	MDB_cursor *cursor;
	MDB_val key, value;
	int rc = fw_lmdb_begin_read(l, &txn);
	if (rc != 0)
		return rc;
	if ((rc = mdb_cursor_open(txn, l->dbi, &cursor)) == 0) {
		struct fw_row row;
		uint32_t bucket = 0;
		char buf[FW_LMDB_KEY_BYTES];
		rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
		while (rc == 0) {
			fw_lmdb_row(&key, &value, &row);
			bucket = fw_lmdb_key_bucket(&key);
			if (!whole && bucket < FW_LMDB_OWN_BUCKET) {
				key = fw_lmdb_key(buf, bucket + 1, FW_STR(""));
				rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
			} else {
				rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
			}
		}
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int look(void *ctx, struct fw_error *err)
{
	const struct look *o = ctx;
	struct fw_lmdb l;
	uint64_t is = 0, should = 0;
	int rc = fw_lmdb_open(&l, o->folder, o->create ? FW_LMDB_CREATE : FW_LMDB_READ, err);
	if (rc < 0)
		return rc;
	rc = fw_lmdb_length(&l, &is, &should);
	bool reads = rc == 0;
#ifdef FW_BREAK_LOOK
	reads = false;
#endif
	int code = reads ? walk(&l, o->whole || is < should) : 0;
	if (rc < 0 || code != 0)
		rc = fw_lmdb_fail(err, code, o->folder, "the data cannot be read");
	else if (o->create && fw_lmdb_mend_length(&l) < 0)
		rc = fw_fail(err, FW_EIO, o->folder, 0, "the data cannot be lengthened");
	fw_lmdb_close(&l);
	return rc;
}

int fw_store_look(const char *folder, bool create, bool whole, struct fw_error *err)
{
	struct look o = { folder, create, whole };
	return fw_store_guarded(look, &o, folder, err);
}
