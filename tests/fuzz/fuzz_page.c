/* LMDB's pages, of a file that may be anything: a walk through a list of free pages ends, stays within its pages, and does not
 * make the file longer. Pages of 256 bytes, the root first; most of a walk is common to that of the rows. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/scrub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { BYTES = 256, PAGES = 5 };

static int walk(const struct fw_pages *p)
{
	struct fw_scrub s;
	fw_scrub_init(&s);
	s.buffers = malloc((FW_PAGE_DEPTH + 1) * p->bytes);
	if (!s.buffers)
		abort();
	int rc = fw_scrub_list(&s, p);
	fw_scrub_finish(&s);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t meta[2 * BYTES] = { 0 };
	int fd = memfd_create("pages", 0);
	if (n > PAGES * BYTES)
		n = PAGES * BYTES;
	if (fd < 0 || write(fd, meta, sizeof meta) != sizeof meta || write(fd, data, n) != (ssize_t)n)
		abort();
	const struct fw_pages p = { .fd = fd, .bytes = BYTES, .last = 1 + (n + BYTES - 1) / BYTES, .free_root = 2,
		.main_root = FW_PAGE_NONE };
	int rc = walk(&p);
	if (rc != 0 && rc != FW_EINVAL)
		abort();
	if (lseek(fd, 0, SEEK_END) > (off_t)((p.last + 1) * BYTES))
		abort();
	close(fd);
	return 0;
}
