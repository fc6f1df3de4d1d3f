#include "catalog/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 64 << 10 };

static int refuse_file(struct fw_error *err, const char *file, const char *what)
{
	return fw_fail(err, FW_EIO, file, 0, "cannot be read: %s", what);
}

/* The next bytes of a file; 0: its end; -1: an error. */
static ssize_t read_some(int fd, char *buf, size_t n)
{
	ssize_t got;
	do
		got = read(fd, buf, n);
	while (got < 0 && errno == EINTR);
	return got;
}

static int open_feed(const char *file, struct stat *ret, struct fw_error *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return refuse_file(err, file, strerror(errno));
	const char *why = fstat(fd, ret) < 0 ? strerror(errno) : !S_ISREG(ret->st_mode) ? "it is no file" : NULL;
	if (!why && ret->st_size > FW_LIMIT_FEED_BYTES) {
		fw_fail(err, FW_ELIMIT, file, 0, "has %lld bytes; %d are allowed", (long long)ret->st_size, FW_LIMIT_FEED_BYTES);
	} else if (why) {
		refuse_file(err, file, why);
	} else {
		return fd;
	}
	close(fd);
	return FW_EIO;
}

/* What tells this state of the file from another. */
static struct fw_products_head head_of(const struct stat *st)
{
	return (struct fw_products_head){ .feed_us = st->st_mtim.tv_sec * INT64_C(1000000) + st->st_mtim.tv_nsec / 1000,
		.feed_bytes = (uint64_t)st->st_size, .feed_file = (uint64_t)st->st_ino };
}

static int feed_all(int fd, struct fw_feed *feed, struct fw_error *err)
{
	char *chunk = malloc(CHUNK);
	uint64_t all = 0;
	int rc = chunk ? 0 : fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	for (ssize_t got = 1; rc == 0 && got > 0;) {
		got = read_some(fd, chunk, CHUNK);
		all += got > 0 ? (uint64_t)got : 0;
		if (got < 0)
			rc = refuse_file(err, NULL, strerror(errno));
		else if (all > FW_LIMIT_FEED_BYTES)
			rc = fw_fail(err, FW_ELIMIT, NULL, 0, "it grows beyond %d bytes while it is read", FW_LIMIT_FEED_BYTES);
		else if (got > 0)
			rc = fw_feed_read(feed, chunk, (size_t)got, err);
	}
	free(chunk);
	return rc < 0 ? rc : fw_feed_end(feed, err);
}

static int parse(int fd, const char *currency, struct fw_products_head head, struct fw_catalog *c, struct fw_error *err)
{
	struct fw_catalog_build *build = fw_catalog_build_create(currency);
	struct fw_feed *feed = build ? fw_feed_create(build) : NULL;
	int rc = feed ? feed_all(fd, feed, err) : fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	if (rc == 0) {
		c->outcome = *fw_feed_outcome(feed);
		head.left_out = c->outcome.left_out;
		rc = fw_catalog_build_finish(build, &head, &c->block);
		if (rc < 0)
			fw_fail(err, rc, NULL, 0, "out of memory");
	}
	fw_feed_destroy(feed);
	fw_catalog_build_destroy(build);
	return rc;
}

/* The copy, if there is one that is whole and of this currency. */
static struct fw_products_head *read_kept(const char *path, const char *currency)
{
	struct stat st;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return NULL;
	size_t n = 0, size = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : 0;
	char *block = size ? malloc(size) : NULL;
	for (ssize_t got = 1; block && n < size && got > 0; n += got > 0 ? (size_t)got : 0)
		got = read_some(fd, block + n, size - n);
	close(fd);
	if (block && n == size && fw_products_fit(block, n) && strcmp(((struct fw_products_head *)(void *)block)->currency, currency) == 0)
		return (struct fw_products_head *)(void *)block;
	free(block);
	return NULL;
}

/* It serves without, so what goes wrong here is no error: the next load reads the feed again. */
static void keep(const char *path, const struct fw_products_head *block)
{
	char beside[4096];
	if (!path || (size_t)snprintf(beside, sizeof beside, "%s.new", path) >= sizeof beside)
		return;
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t n = 0;
	if (fd < 0)
		return;
	for (ssize_t put = 1; n < block->bytes && put > 0; n += put > 0 ? (size_t)put : 0) {
		do
			put = write(fd, (const char *)block + n, block->bytes - n);
		while (put < 0 && errno == EINTR);
	}
	if (close(fd) < 0 || n < block->bytes || rename(beside, path) < 0)
		unlink(beside);
}

static bool is_same(const struct fw_products_head *kept, const struct fw_products_head *now)
{
	return kept && kept->feed_us == now->feed_us && kept->feed_bytes == now->feed_bytes && kept->feed_file == now->feed_file;
}

static int load(struct fw_catalog *c, const struct fw_catalog_options *o, struct fw_error *err)
{
	struct stat st;
	struct fw_products_head *kept = read_kept(o->kept, o->currency);
	int fd = open_feed(o->file, &st, &c->broken), rc = fd < 0 ? fd : 0;
	struct fw_products_head head = rc == 0 ? head_of(&st) : (struct fw_products_head){ 0 };
	c->kept = rc == 0 && is_same(kept, &head);
	if (rc == 0 && !c->kept && (rc = parse(fd, o->currency, head, c, &c->broken)) == 0)
		keep(o->kept, c->block);
	if (fd >= 0)
		close(fd);
	c->is_broken = rc < 0;
	if (rc < 0)
		snprintf(c->broken.file, sizeof c->broken.file, "%s", o->file);
	if (kept && (c->kept || rc < 0)) {
		c->kept = true;
		c->block = kept;
		return 0;
	}
	free(kept);
	if (rc < 0 && err)
		*err = c->broken;
	return rc;
}

int fw_catalog_load(const struct fw_catalog_options *options, struct fw_catalog **ret, struct fw_error *err)
{
	struct fw_catalog *c = calloc(1, sizeof *c);
	if (!c)
		return fw_fail(err, FW_ENOMEM, options->file, 0, "out of memory");
	int rc = load(c, options, err);
	if (rc < 0) {
		fw_catalog_destroy(c);
		return rc;
	}
	c->products.head = c->block;
	*ret = c;
	return 0;
}

void fw_catalog_destroy(struct fw_catalog *c)
{
	if (!c)
		return;
	free(c->block);
	free(c);
}
