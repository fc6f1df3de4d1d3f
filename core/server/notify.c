#include "server/notify.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void fw_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof un.sun_path)
		return;
	memcpy(un.sun_path, path, strlen(path));
	if (path[0] == '@')
		un.sun_path[0] = 0;
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&un, n) < 0) {
		/* A supervisor that does not listen cannot be told so. */
	}
	close(fd);
}

static long long number_in(const char *name)
{
	const char *text = getenv(name);
	return text ? atoll(text) : 0;
}

int64_t fw_notify_watchdog_us(void)
{
	long long pid = number_in("WATCHDOG_PID"), us = number_in("WATCHDOG_USEC");
	return us > 0 && (pid == 0 || pid == getpid()) ? us / 2 : 0;
}

int fw_notify_inherited(void)
{
	long long n = number_in("LISTEN_PID") == getpid() ? number_in("LISTEN_FDS") : 0;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (int fd = 3; fd < 3 + n; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return n > 0 && n < 1000 ? (int)n : 0;
}
