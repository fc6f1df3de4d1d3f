#include "trace/log_sets.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/folder.h"
#include "trace/log_file.h"

enum { PATH = 4096, SLACK_S = 86400 };

static int keep_file(const char *folder, const struct fw_file *f, struct fw_error *err)
{
	char path[PATH];
	if (snprintf(path, sizeof path, "%s/%s/%s", folder, f->compliance ? "compliance" : "rules", f->name) >= (int)sizeof path)
		return fw_fail(err, FW_EIO, folder, 0, "the path of %s is too long", f->name);
	char *slash = strrchr(path, '/');
	*slash = 0;
	int rc = fw_make_folders(path, 0750, err);
	*slash = '/';
	return rc < 0 ? rc : fw_write_file(path, (struct fw_str){ f->text, f->n }, err);
}

int fw_log_sets_keep(const char *folder, const char *hash, const struct fw_files *files, struct fw_error *err)
{
	char set[PATH], beside[PATH];
	struct stat st;
	if (snprintf(set, sizeof set, "%s/sets/%s", folder, hash) >= (int)sizeof set ||
			snprintf(beside, sizeof beside, "%s/sets/.%s-%d", folder, hash, getpid()) >= (int)sizeof beside)
		return fw_fail(err, FW_EIO, folder, 0, "the path is too long");
	if (stat(set, &st) == 0) {
		fw_log_sets_touch(folder, hash);
		return 0;
	}
	int rc = fw_make_folders(folder, 0750, err); /* not as one on the way, which everybody may look into */
	if (rc == 0)
		rc = fw_make_folders(beside, 0750, err);
	for (uint32_t i = 0; i < files->n && rc == 0; i++)
		rc = keep_file(beside, &files->items[i], err);
	/* Somebody else may have been faster: then that one holds. */
	if (rc == 0 && rename(beside, set) < 0 && stat(set, &st) < 0)
		rc = fw_fail(err, FW_EIO, set, 0, "cannot be made");
	fw_remove_tree(beside);
	return rc;
}

void fw_log_sets_touch(const char *folder, const char *hash)
{
	char path[PATH];
	if (snprintf(path, sizeof path, "%s/sets/%s", folder, hash) < (int)sizeof path)
		utimensat(AT_FDCWD, path, NULL, 0);
}

bool fw_log_sets_find(const char *folder, const char *hash, char *rules, char *compliance, size_t size, bool *ret_compliance)
{
	struct stat st;
	if (snprintf(rules, size, "%s/sets/%s/rules", folder, hash) >= (int)size ||
			snprintf(compliance, size, "%s/sets/%s/compliance", folder, hash) >= (int)size)
		return false;
	*ret_compliance = stat(compliance, &st) == 0;
	return stat(rules, &st) == 0;
}

struct dated {
	char *name;
	uint64_t bytes;
	int64_t written_s;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct dated *)a)->name, ((const struct dated *)b)->name);
}

static bool ends_well(const char *name)
{
	size_t n = strlen(name), m = sizeof FW_LOG_ENDING - 1;
	return n > m && name[0] != '.' && strcmp(name + n - m, FW_LOG_ENDING) == 0;
}

/* The files of the folder, the oldest first. */
static size_t list(const char *folder, struct dated **ret)
{
	struct dated *all = NULL;
	size_t n = 0, size = 0;
	DIR *opened = opendir(folder);
	for (struct dirent *e; opened && (e = readdir(opened));) {
		struct stat st;
		if (!ends_well(e->d_name) || fstatat(dirfd(opened), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (n == size) {
			struct dated *more = realloc(all, (size = size ? 2 * size : 64) * sizeof *more);
			if (!more)
				break;
			all = more;
		}
		all[n] = (struct dated){ strdup(e->d_name), (uint64_t)st.st_size, (int64_t)st.st_mtime };
		n += all[n].name != NULL;
	}
	if (opened)
		closedir(opened);
	if (n)
		qsort(all, n, sizeof *all, by_name);
	*ret = all;
	return n;
}

static void drop_file(const char *folder, const char *name)
{
	char path[PATH];
	if (snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path)
		unlink(path);
}

/* When it was begun, which its name says; 0: it does not. Seconds. */
static int64_t begun_s(const char *name)
{
	struct fw_civil civil;
	size_t n = strcspn(name, "Z");
	if (name[n] != 'Z' || n < sizeof "2026-11-23T22:40:05" - 1)
		return 0;
	return fw_civil_parse((struct fw_str){ name, sizeof "2026-11-23T22:40:05" - 1 }, &civil) ? civil.days * 86400 + civil.second : 0;
}

/* Each file says of its rule set, when it is begun, that it is in use: one that was last in use before the oldest file is needed by
 * none. */
static void tidy_sets(const char *folder, int64_t oldest_s, int64_t now_s)
{
	char sets[PATH];
	int64_t needed_s = (oldest_s < now_s ? oldest_s : now_s) - SLACK_S;
	if (snprintf(sets, sizeof sets, "%s/sets", folder) >= (int)sizeof sets)
		return;
	DIR *opened = opendir(sets);
	for (struct dirent *e; opened && (e = readdir(opened));) {
		struct stat st;
		char path[PATH + 300];
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || fstatat(dirfd(opened), e->d_name, &st, 0) < 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", sets, e->d_name);
		if ((int64_t)st.st_mtime < needed_s)
			fw_remove_tree(path);
	}
	if (opened)
		closedir(opened);
}

void fw_log_sets_tidy(const char *folder, int64_t keep_s, uint64_t bytes, int64_t now_us)
{
	struct dated *all;
	size_t n = list(folder, &all);
	int64_t now_s = now_us / 1000000, oldest_s = now_s;
	uint64_t total = 0;
	for (size_t i = 0; i < n; i++)
		total += all[i].bytes;
	for (size_t i = 0; i < n; i++) {
		bool over = now_s - all[i].written_s > keep_s || total > bytes;
		if (over) {
			drop_file(folder, all[i].name);
			total -= all[i].bytes;
		} else if (begun_s(all[i].name) < oldest_s) {
			oldest_s = begun_s(all[i].name);
		}
		free(all[i].name);
	}
	free(all);
	tidy_sets(folder, oldest_s, now_s);
}
