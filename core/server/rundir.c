#include "server/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "server/config_decisions.h"

int fw_rundir_open(const struct fw_config *config, struct fw_error *err)
{
	char path[PATH_MAX], text[32];
	int rc = fw_make_folders(config->run, 0750, err);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof path, "%s/floorwalker.pid", config->run);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return fw_fail(err, FW_EIO, path, 0, "cannot be opened: %s", strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		ssize_t n = read(fd, text, sizeof text - 1);
		text[n > 0 ? n : 0] = 0;
		text[strcspn(text, "\n")] = 0;
		close(fd);
		return fw_fail(err, FW_EBUSY, path, 0, "another floorwalker (process %s) uses this run folder", text);
	}
	int n = snprintf(text, sizeof text, "%d\n", getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n) {
		fw_fail(err, FW_EIO, path, 0, "cannot be written: %s", strerror(errno));
		close(fd);
		return FW_EIO;
	}
	return fd;
}

static int find_ids(const struct fw_config *config, uid_t *ret_uid, gid_t *ret_gid, struct fw_error *err)
{
	const struct passwd *user = config->user ? getpwnam(config->user) : NULL;
	if (config->user && !user)
		return fw_fail(err, FW_EINVAL, config->file, 0, "there is no user \"%s\"", config->user);
	*ret_uid = user ? user->pw_uid : getuid();
	*ret_gid = user ? user->pw_gid : getgid();
	const struct group *group = config->group ? getgrnam(config->group) : NULL;
	if (config->group && !group)
		return fw_fail(err, FW_EINVAL, config->file, 0, "there is no group \"%s\"", config->group);
	if (group)
		*ret_gid = group->gr_gid;
	return 0;
}

static void give_away(const char *folder, const char *name, uid_t uid, gid_t gid)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s%s%s", folder, name ? "/" : "", name ? name : "");
	/* What is not there needs no owner; what cannot be given away shows when it is used. */
	if (lchown(path, uid, gid) < 0)
		return;
}

static void give_away_all(const char *folder, uid_t uid, gid_t gid)
{
	DIR *opened = opendir(folder);
	give_away(folder, NULL, uid, gid);
	for (struct dirent *e; opened && (e = readdir(opened));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			give_away(folder, e->d_name, uid, gid);
	if (opened)
		closedir(opened);
}

/* The folder of the decision log is made while there still are privileges. */
static int give_decisions(const struct fw_config *config, uid_t uid, gid_t gid, struct fw_error *err)
{
	struct fw_config_decisions d;
	struct fw_arena arena;
	char sets[PATH_MAX];
	fw_arena_init(&arena, NULL, 0, 0);
	int rc = fw_config_decisions(config, &arena, &d, err);
	if (rc == 0 && d.log && snprintf(sets, sizeof sets, "%s/sets", d.log) < (int)sizeof sets &&
			(rc = fw_make_folders(d.log, 0750, err)) == 0 && (rc = fw_make_folders(sets, 0750, err)) == 0) {
		give_away_all(d.log, uid, gid);
		give_away_all(sets, uid, gid);
	}
	fw_arena_finish(&arena);
	return rc;
}

int fw_rundir_drop_privileges(const struct fw_config *config, const char *data, struct fw_error *err)
{
	uid_t uid = 0;
	gid_t gid = 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fw_fail(err, FW_EIO, NULL, 0, "cannot give up new privileges: %s", strerror(errno));
	if (!config->user && !config->group)
		return 0;
	int rc = find_ids(config, &uid, &gid, err);
	if (rc < 0)
		return rc;
	if (geteuid() != 0) {
		if (uid == geteuid() && gid == getegid())
			return 0;
		return fw_fail(err, FW_EINVAL, config->file, 0, "user and group can only be changed by root");
	}
	give_away(config->run, NULL, uid, gid);
	give_away(config->run, "floorwalker.pid", uid, gid);
	give_away(config->run, "control.sock", uid, gid);
	give_away(config->run, "keeper.sock", uid, gid);
	give_away(config->run, "spool.sock", uid, gid);
	give_away(config->run, "sets", uid, gid);
	if (data)
		give_away_all(data, uid, gid);
	if (config->log_file)
		give_away(config->log_file, NULL, uid, gid);
	if ((rc = give_decisions(config, uid, gid, err)) < 0)
		return rc;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return fw_fail(err, FW_EIO, NULL, 0, "cannot become the configured user: %s", strerror(errno));
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return 0;
}
