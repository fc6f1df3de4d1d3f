#include "cli/watch.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "rules/files.h"

enum {
	PATH_BYTES = 4096,
	SETTLED_MS = 15,  /* an editor that saves by several steps is waited for so long after each of them */
	EVENTS_BYTES = 16384,
	CHANGES = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF,
};

static bool is_folder(const char *path, const struct dirent *entry)
{
	struct stat st;
	bool may_be = entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK;
	return entry->d_type == DT_DIR || (may_be && stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/* The folder and those below it. False: the system has no more watches to give. */
static bool watch_tree(int fd, const char *folder, unsigned depth)
{
	if (inotify_add_watch(fd, folder, CHANGES) < 0)
		return errno != ENOSPC && errno != ENOMEM; /* one that is gone is none to be watched */
	DIR *dir = depth < FW_FILES_DEEPEST ? opendir(folder) : NULL;
	bool fine = true;
	for (const struct dirent *entry; fine && dir && (entry = readdir(dir));) {
		char path[PATH_BYTES];
		bool fits = (size_t)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < sizeof path;
		if (fits && entry->d_name[0] != '.' && is_folder(path, entry))
			fine = watch_tree(fd, path, depth + 1);
	}
	if (dir)
		closedir(dir);
	return fine;
}

/* The folder of a file, as editors put another file in its place. */
static bool watch_beside(int fd, const char *file)
{
	char folder[PATH_BYTES] = ".";
	const char *slash = strrchr(file, '/');
	if (slash && (size_t)(slash - file) < sizeof folder) {
		memcpy(folder, file, (size_t)(slash - file));
		folder[slash - file] = '\0';
	}
	return inotify_add_watch(fd, slash == file ? "/" : folder, CHANGES) >= 0 || (errno != ENOSPC && errno != ENOMEM);
}

/* A file that may be read, the configuration, or a folder. */
static bool matters(const struct inotify_event *e, const char *config)
{
	const char *slash = strrchr(config, '/');
	return !e->len || (e->mask & IN_ISDIR) || fw_file_may_be_read(e->name) || strcmp(e->name, slash ? slash + 1 : config) == 0;
}

/* Reads what has happened; whether any of it matters. */
static bool take(int fd, const char *config)
{
	_Alignas(struct inotify_event) char events[EVENTS_BYTES];
	bool any = false;
	ssize_t n = read(fd, events, sizeof events);
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const struct inotify_event *)(events + at);
		any |= matters(e, config);
		at += (ssize_t)sizeof *e + e->len;
	}
	return any;
}

static void wait_for_change(int fd, const char *config)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	while (poll(&p, 1, -1) < 0 || !take(fd, config))
		;
	while (poll(&p, 1, SETTLED_MS) > 0)
		take(fd, config);
}

void fw_watched_note(struct fw_watched *w, const struct fw_opened *o, const char *config, const char *rules)
{
	const char *folder = rules ? rules : o->config ? o->config->rules : "", *found = fw_config_find(config);
	snprintf(w->rules, sizeof w->rules, "%s", folder);
	snprintf(w->compliance, sizeof w->compliance, "%s", o->config && o->config->compliance ? o->config->compliance : "");
	snprintf(w->config, sizeof w->config, "%s", found ? found : config ? config : "");
}

static bool watch_all(int fd, const struct fw_watched *w)
{
	return (!w->rules[0] || (watch_tree(fd, w->rules, 0) && watch_beside(fd, w->rules))) &&
		(!w->compliance[0] || (watch_tree(fd, w->compliance, 0) && watch_beside(fd, w->compliance))) &&
		(!w->config[0] || watch_beside(fd, w->config));
}

/* Whether something has changed since those watches were set. */
static bool has_changed(int fd, const char *config)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return fd >= 0 && poll(&p, 1, 0) > 0 && take(fd, config);
}

int fw_watch(bool watches, fw_watch_each each, void *ctx)
{
	static struct fw_watched w; /* 12 KiB, and one at a time */
	int former = -1; /* the watches of the time before hear what changes while it is done */
	for (;;) {
		int status = each(ctx, &w);
		if (!watches)
			return status;
		int fd = inotify_init1(IN_CLOEXEC);
		if (fd < 0 || !watch_all(fd, &w)) {
			fprintf(stderr, "floorwalker: the files cannot be watched: %s; raise fs.inotify.max_user_instances or "
				"max_user_watches\n", strerror(errno));
			return FW_EXIT_NO;
		}
		bool changed = has_changed(former, w.config);
		if (former >= 0)
			close(former);
		former = fd;
		if (changed)
			continue;
		puts("waiting for a change");
		fflush(stdout);
		wait_for_change(fd, w.config);
	}
}
