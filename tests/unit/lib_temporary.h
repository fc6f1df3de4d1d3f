/* A folder of the test's own, in the run's temporary folder, so that whatever is left behind goes with the run. */
#ifndef FW_TESTS_LIB_TEMPORARY_H
#define FW_TESTS_LIB_TEMPORARY_H

#include <stdio.h>
#include <stdlib.h>

enum { TEMPORARY_PATH = 96 }; /* short enough for a socket in it */

/* Makes it, or ends the test. */
static inline void temporary_folder(char path[TEMPORARY_PATH])
{
	const char *run = getenv("TMPDIR");
	int n = snprintf(path, TEMPORARY_PATH, "%s/fw-XXXXXX", run && run[0] ? run : "/tmp");
	if (n < 0 || n >= TEMPORARY_PATH || !mkdtemp(path)) {
		fprintf(stderr, "no temporary folder: %s\n", path);
		abort();
	}
}

#endif
