#include "trace/decision_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/folder.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "trace/log_file.h"
#include "trace/log_ring.h"
#include "trace/log_sets.h"

enum { PATH = 4096, WRITE_BYTES = 256 << 10, KNOWN_RECORDS = 1024, TIDY_EVERY_S = 60, AGAIN_S = 1, PART = 8, NAP_MS = 5 };

/* How an item lies in the ring; record and body follow. */
struct item {
	unsigned char id[FW_LOG_ID];
	int64_t at_us;
	uint64_t n_record, n_body;
	bool has_key;
	struct fw_seal_key key;
	unsigned char store_key[FW_SEAL_KEY];
};

/* A record that stands in the file, by what it is and whose. */
struct known {
	XXH128_hash_t hash;
	uint64_t person, at; /* at 0: none */
	uint32_t period;
};

struct fw_decision_log {
	struct fw_decision_log_options options;
	struct fw_log_ring ring;
	pthread_t thread;
	sem_t wake;
	_Atomic bool sleeps, ends;
	bool has_sem, has_thread;

	/* The thread's own. */
	int fd;               /* -1: no file is open */
	uint64_t written;     /* bytes of the file */
	uint64_t since_tidy;  /* bytes written since files were last dropped */
	int64_t begun_us, tidied_us, again_us; /* monotonic; again_us: not to be tried before */
	unsigned files;       /* begun so far */
	bool complained;
	struct fw_buf out;    /* of the file, not written yet, with so many … */
	uint64_t n_out;       /* … decisions */
	uint64_t set_at;
	struct known known[KNOWN_RECORDS];
};

static void add(_Atomic uint64_t *count, uint64_t n)
{
	if (count)
		atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + n, memory_order_relaxed);
}

static uint64_t file_bytes(const struct fw_decision_log *l)
{
	return l->options.bytes / PART < FW_LIMIT_LOG_FILE_BYTES ? l->options.bytes / PART : FW_LIMIT_LOG_FILE_BYTES;
}

static int64_t file_us(const struct fw_decision_log *l)
{
	int64_t s = l->options.keep_s / PART;
	return (s < FW_LIMIT_LOG_FILE_S ? s : FW_LIMIT_LOG_FILE_S) * 1000000;
}

static void tidy(struct fw_decision_log *l)
{
	l->tidied_us = fw_monotonic_us();
	l->since_tidy = 0;
	fw_log_sets_touch(l->options.folder, l->options.rule_set);
	fw_log_sets_tidy(l->options.folder, l->options.keep_s, l->options.bytes, fw_now_us());
}

static void close_file(struct fw_decision_log *l)
{
	if (l->fd >= 0) {
		fdatasync(l->fd);
		close(l->fd);
	}
	l->fd = -1;
	fw_buf_clear(&l->out);
	l->out.failed = false;
	l->n_out = 0;
}

/* What could not be written is given up, and with it the file; said once, until something is written again. */
static void give_up(struct fw_decision_log *l, const char *why)
{
	if (!l->complained)
		fw_log(FW_LOG_ERROR, "decisions cannot be written to the log", "error", why, "folder", l->options.folder, NULL);
	l->complained = true;
	add(l->options.counts.failed, l->n_out);
	if (l->fd >= 0 && ftruncate(l->fd, (off_t)l->written) < 0)
		fw_log(FW_LOG_DEBUG, "the end of a file of the decision log stays torn", NULL);
	close_file(l);
	l->again_us = fw_monotonic_us() + AGAIN_S * INT64_C(1000000);
}

static void flush_out(struct fw_decision_log *l)
{
	size_t at = 0;
	if (l->fd < 0 || l->out.n == 0)
		return;
	while (at < l->out.n) {
		ssize_t n = write(l->fd, l->out.data + at, l->out.n - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			give_up(l, n < 0 ? strerror(errno) : "nothing was written");
			return;
		}
		at += (size_t)n;
	}
	l->written += at;
	l->since_tidy += at;
	l->complained = false;
	add(l->options.counts.written, l->n_out);
	add(l->options.counts.bytes, at);
	fw_buf_clear(&l->out);
	l->n_out = 0;
}

static bool open_file(struct fw_decision_log *l)
{
	char path[PATH], at[32];
	struct fw_error err;
	if (fw_make_folders(l->options.folder, 0750, &err) < 0) {
		give_up(l, err.message);
		return false;
	}
	snprintf(path, sizeof path, "%s/%s-%d-%u" FW_LOG_ENDING, l->options.folder, fw_time_text(fw_now_us(), at), getpid(), l->files++);
	l->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640);
	if (l->fd < 0) {
		give_up(l, strerror(errno));
		return false;
	}
	l->written = 0;
	l->begun_us = fw_monotonic_us();
	memset(l->known, 0, sizeof l->known);
	fw_log_put_head(&l->out);
	l->set_at = l->out.n;
	fw_log_put_set(&l->out, &(struct fw_log_set){ .hash = fw_str(l->options.rule_set), .timezone = fw_str(l->options.timezone),
		.currency = fw_str(l->options.currency), .version = FW_STR(FW_VERSION), .holdout = l->options.holdout });
	tidy(l);
	return true;
}

static bool is_full(const struct fw_decision_log *l)
{
	return l->written + l->out.n >= file_bytes(l) || fw_monotonic_us() - l->begun_us >= file_us(l);
}

/* A file that was taken away, or has had its time, is followed by another. */
static bool make_ready(struct fw_decision_log *l)
{
	struct stat st;
	bool at_rest = l->fd >= 0 && l->out.n == 0;
	if (at_rest && (is_full(l) || fstat(l->fd, &st) < 0 || st.st_nlink == 0))
		close_file(l);
	return l->fd >= 0 || (fw_monotonic_us() >= l->again_us && open_file(l));
}

/* Where the record stands in the file, which it does once. 0: it could not be sealed. */
static uint64_t put_person(struct fw_decision_log *l, const struct item *x, struct fw_str record, XXH128_hash_t hash)
{
	struct known *k = &l->known[hash.low64 % KNOWN_RECORDS];
	if (k->at && XXH128_isEqual(k->hash, hash) && k->person == x->key.hash && k->period == x->key.period)
		return k->at;
	uint64_t at = l->written + l->out.n;
	if (fw_log_put_person(&l->out, x->store_key, &x->key, record) < 0)
		return 0;
	*k = (struct known){ hash, x->key.hash, at, x->key.period };
	return at;
}

static bool put_decision(struct fw_decision_log *l, const struct item *x, struct fw_str record, struct fw_str body, struct fw_buf *plain)
{
	XXH128_hash_t hash = { 0, 0 };
	struct fw_log_decision d = { .at_us = x->at_us, .set_at = l->set_at };
	if (record.n) {
		hash = XXH3_128bits(record.p, record.n);
		if (!x->has_key || !(d.person_at = put_person(l, x, record, hash)))
			return false;
	}
	memcpy(d.id, x->id, FW_LOG_ID);
	fw_buf_clear(plain);
	fw_pack_fixed(plain, hash.low64);
	fw_pack_fixed(plain, hash.high64);
	fw_buf_add(plain, body.p, body.n);
	return !plain->failed &&
		fw_log_put_decision(&l->out, &d, x->store_key, x->has_key ? &x->key : NULL, (struct fw_str){ plain->data, plain->n }) == 0;
}

static void write_item(struct fw_decision_log *l, struct fw_str bytes, struct fw_buf *plain)
{
	struct item x;
	memcpy(&x, bytes.p, sizeof x);
	const struct fw_str record = { bytes.p + sizeof x, x.n_record }, body = { record.p + x.n_record, x.n_body };
	if (l->out.n && is_full(l))
		flush_out(l);
	if (!make_ready(l) || !put_decision(l, &x, record, body, plain)) {
		add(l->options.counts.failed, 1);
		return;
	}
	l->n_out++;
	if (l->out.n >= WRITE_BYTES)
		flush_out(l);
}

static void sleep_until_woken(struct fw_decision_log *l)
{
	struct timespec until;
	struct fw_str item;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += TIDY_EVERY_S;
	atomic_store(&l->sleeps, true);
	if (!fw_log_ring_first(&l->ring, &item) && !atomic_load(&l->ends))
		while (sem_timedwait(&l->wake, &until) < 0 && errno == EINTR)
			continue;
	atomic_store(&l->sleeps, false);
}

/* Where something came more is to come soon: to be woken for each would cost who wakes more than putting it there. */
static void rest(struct fw_decision_log *l, bool came)
{
	const struct timespec nap = { 0, NAP_MS * 1000000 };
	if (came && !atomic_load(&l->ends))
		nanosleep(&nap, NULL);
	else
		sleep_until_woken(l);
}

static void *run(void *ctx)
{
	struct fw_decision_log *l = ctx;
	struct fw_buf plain;
	struct fw_str item;
	fw_buf_init(&plain, 0);
	tidy(l);
	for (;;) {
		bool came = false;
		for (; fw_log_ring_first(&l->ring, &item); came = true) {
			write_item(l, item, &plain);
			fw_log_ring_drop(&l->ring);
		}
		flush_out(l);
		if (fw_monotonic_us() - l->tidied_us >= TIDY_EVERY_S * INT64_C(1000000) || l->since_tidy > file_bytes(l) / 2)
			tidy(l);
		if (atomic_load(&l->ends) && !fw_log_ring_first(&l->ring, &item))
			break;
		rest(l, came);
	}
	close_file(l);
	explicit_bzero(l->ring.memory, l->ring.size);
	fw_buf_finish(&plain);
	fw_seal_forget();
	return NULL;
}

/* Signals are the loop's. */
static bool begin_thread(struct fw_decision_log *l)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool begun = pthread_create(&l->thread, NULL, run, l) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return begun;
}

struct fw_decision_log *fw_decision_log_create(const struct fw_decision_log_options *options)
{
	struct fw_decision_log *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->options = *options;
	l->fd = -1;
	fw_buf_init(&l->out, 0);
	bool ready = fw_log_ring_init(&l->ring, options->ring_bytes) == 0;
	l->has_sem = sem_init(&l->wake, 0, 0) == 0;
	l->has_thread = ready && l->has_sem && begin_thread(l);
	if (l->has_thread)
		return l;
	fw_decision_log_destroy(l);
	return NULL;
}

void fw_decision_log_destroy(struct fw_decision_log *l)
{
	if (!l)
		return;
	if (l->has_thread) {
		atomic_store(&l->ends, true);
		sem_post(&l->wake);
		pthread_join(l->thread, NULL);
	}
	if (l->has_sem)
		sem_destroy(&l->wake);
	fw_log_ring_finish(&l->ring);
	fw_buf_finish(&l->out);
	free(l);
}

bool fw_decision_log_put(struct fw_decision_log *l, const struct fw_decision_log_item *item)
{
	struct item x = { .at_us = item->at_us, .n_record = item->record.n, .n_body = item->body.n, .has_key = item->key };
	char *at = fw_log_id(item->id, x.id) ? fw_log_ring_begin(&l->ring, sizeof x + x.n_record + x.n_body) : NULL;
	if (!at)
		return false;
	if (item->key)
		x.key = *item->key;
	memcpy(x.store_key, item->store_key, FW_SEAL_KEY);
	memcpy(at, &x, sizeof x);
	if (x.n_record)
		memcpy(at + sizeof x, item->record.p, x.n_record);
	memcpy(at + sizeof x + x.n_record, item->body.p, x.n_body);
	fw_log_ring_end(&l->ring);
	if (atomic_exchange(&l->sleeps, false))
		sem_post(&l->wake);
	return true;
}
