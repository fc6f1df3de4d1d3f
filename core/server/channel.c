#include "server/channel.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/error.h"

int fw_channel_pair(int ret_ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_ends) == 0 ? 0 : FW_EIO;
}

static int send_message(int fd, struct fw_told *head, const char *text, int passed)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .space = { 0 } };
	size_t n = text ? strnlen(text, FW_OUTCOME_BYTES - 1) : 0;
	struct iovec parts[2] = { { head, offsetof(struct fw_told, text) }, { (void *)(uintptr_t)text, n } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = n ? 2 : 1 };
	if (passed >= 0) {
		message.msg_control = control.space;
		message.msg_controllen = sizeof control.space;
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &passed, sizeof passed);
	}
	while (sendmsg(fd, &message, MSG_NOSIGNAL) < 0) {
		if (errno == EINTR)
			continue;
		return errno == EAGAIN ? FW_EBUSY : FW_EIO;
	}
	return 0;
}

static int send_waiting(int fd, struct fw_told *head, const char *text, int passed)
{
	int rc;
	while ((rc = send_message(fd, head, text, passed)) == FW_EBUSY) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		poll(&p, 1, 1000);
	}
	return rc;
}

int fw_channel_tell(int fd, enum fw_tell what, int slot, int pid, int value, const char *text)
{
	struct fw_told head = { .what = what, .slot = slot, .pid = pid, .value = value };
	return send_message(fd, &head, text, -1);
}

int fw_channel_tell_all(int fd, enum fw_tell what, int slot, int pid, int value, const char *text)
{
	struct fw_told head = { .what = what, .slot = slot, .pid = pid, .value = value };
	return send_waiting(fd, &head, text, -1);
}

int fw_channel_tell_forked(int fd, int slot, int pid, int passed)
{
	struct fw_told head = { .what = FW_TELL_FORKED, .slot = slot, .pid = pid };
	return send_waiting(fd, &head, NULL, passed);
}

static int passed_with(struct msghdr *message)
{
	int fd = -1;
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

int fw_channel_read(int fd, struct fw_told *ret)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	for (;;) {
		struct iovec part = { ret, sizeof *ret - 1 };
		struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space,
			.msg_controllen = sizeof control.space };
		ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < (ssize_t)offsetof(struct fw_told, text))
			return FW_EIO;
		((char *)ret)[n] = 0;
		ret->fd = passed_with(&message);
		return 1;
	}
}
