#include "base/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int fw_make_folders(const char *path, unsigned mode, struct fw_error *err)
{
	char copy[PATH_MAX];
	if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
		return fw_fail(err, FW_EIO, path, 0, "the path is too long");
	for (char *at = copy + 1;; at++) {
		if (*at != '/' && *at != 0)
			continue;
		char was = *at;
		*at = 0;
		bool made = mkdir(copy, was ? 0755 : mode) == 0;
		if (!made && errno != EEXIST)
			return fw_fail(err, errno == ENOSPC ? FW_EFULL : FW_EIO, copy, 0, "the folder cannot be made: %s", strerror(errno));
		if (made && was && chmod(copy, 0755) < 0)
			return fw_fail(err, FW_EIO, copy, 0, "the folder cannot be opened to others: %s", strerror(errno));
		*at = was;
		if (!was)
			return 0;
	}
}
