#include "base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

void fw_remove_tree(const char *path)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return;
	DIR *folder = S_ISDIR(st.st_mode) ? opendir(path) : NULL;
	if (!folder) {
		unlink(path);
		return;
	}
	for (struct dirent *e; (e = readdir(folder));) {
		char inner[PATH_MAX];
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (snprintf(inner, sizeof inner, "%s/%s", path, e->d_name) < (int)sizeof inner)
			fw_remove_tree(inner);
	}
	closedir(folder);
	rmdir(path);
}

int fw_write_file(const char *path, struct fw_str text, struct fw_error *err)
{
	char beside[PATH_MAX];
	snprintf(beside, sizeof beside, "%s.new", path);
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	bool ok = fd >= 0;
	for (size_t at = 0; ok && at < text.n;) {
		ssize_t n = write(fd, text.p + at, text.n - at);
		ok = n >= 0 || errno == EINTR;
		at += n > 0 ? (size_t)n : 0;
	}
	if (!ok || rename(beside, path) < 0) {
		fw_fail(err, FW_EIO, path, 0, "cannot be written: %s", strerror(errno));
		ok = false;
	}
	if (fd >= 0)
		close(fd);
	return ok ? 0 : FW_EIO;
}
