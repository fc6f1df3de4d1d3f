#include "store/keeper_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int busy(const char *path, pid_t pid, struct fw_error *err)
{
	fw_fail(err, FW_EBUSY, path, 0, "process %d keeps this data", (int)pid);
	fw_hint(err, "stop the daemon that it belongs to; if it is a command, wait for its end");
	return FW_EBUSY;
}

/* 0, or the process that has it. */
static pid_t holder(int fd)
{
	struct flock f = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	return fcntl(fd, F_GETLK, &f) == 0 && f.l_type != F_UNLCK ? f.l_pid : 0;
}

static int open_file(const char *folder, const char *name, int flags, char path[4096])
{
	snprintf(path, 4096, "%s/%s", folder, name);
	return open(path, O_RDWR | O_CLOEXEC | flags, 0600);
}

/* Who waits looks often, so that nobody else comes before it again and again. */
static int take(const char *folder, const char *name, int wait_ms, int *ret_fd, struct fw_error *err)
{
	char path[4096];
	int fd = open_file(folder, name, O_CREAT, path);
	if (fd < 0)
		return fw_fail(err, FW_EIO, path, 0, "the data's lock cannot be opened: %s", strerror(errno));
	for (int waited = 0;; waited++) {
		struct flock f = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		if (fcntl(fd, F_SETLK, &f) == 0) {
			*ret_fd = fd;
			return 0;
		}
		pid_t pid = holder(fd);
		if (waited >= wait_ms) {
			close(fd);
			return busy(path, pid, err);
		}
		usleep(1000);
	}
}

int fw_keeper_lock(const char *folder, int wait_ms, int *ret_fd, struct fw_error *err)
{
	return take(folder, "keeper.lock", wait_ms, ret_fd, err);
}

int fw_keeper_lock_host(const char *folder, int wait_ms, int *ret_fd, struct fw_error *err)
{
	return take(folder, "host.lock", wait_ms, ret_fd, err);
}

int fw_keeper_lock_wait(const char *folder, int wait_ms, struct fw_error *err)
{
	char path[4096];
	int fd = open_file(folder, "keeper.lock", 0, path);
	pid_t pid;
	if (fd < 0)
		return errno == ENOENT ? 0 : fw_fail(err, FW_EIO, path, 0, "the data's lock cannot be opened: %s", strerror(errno));
	for (int waited = 0; (pid = holder(fd)) != 0 && waited < wait_ms; waited += 5)
		usleep(5000);
	close(fd);
	return pid == 0 ? 0 : busy(path, pid, err);
}
