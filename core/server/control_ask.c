#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/address.h"
#include "server/control.h"

static int send_all(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return FW_EIO;
		text += sent;
		n -= (size_t)sent;
	}
	return 0;
}

/* 0 when a line is complete. */
static int receive_line(int fd, struct fw_buf *b)
{
	for (;;) {
		char *room = fw_buf_reserve(b, 4096);
		ssize_t n = room ? recv(fd, room, 4096, 0) : -1;
		if (n < 0 && room && errno == EINTR)
			continue;
		if (n <= 0)
			return FW_EIO;
		b->n += (size_t)n;
		if (b->data[b->n - 1] == '\n')
			return 0;
	}
}

int fw_control_ask(const char *run, const char *command, struct fw_buf *ret_answer, struct fw_error *err)
{
	char path[4200], line[128];
	struct fw_address a;
	snprintf(path, sizeof path, "unix:%s/control.sock", run);
	int rc = fw_address_parse(fw_str(path), NULL, &a, err);
	if (rc < 0)
		return rc;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a.socket, a.n) < 0) {
		bool absent = errno == ENOENT || errno == ECONNREFUSED;
		rc = fw_fail(err, absent ? FW_ENOENT : FW_EIO, path + 5, 0,
			absent ? "no floorwalker runs with this run folder" : "cannot be reached: %s", strerror(errno));
		goto done;
	}
	int n = snprintf(line, sizeof line, "{\"command\":\"%s\"}\n", command);
	rc = send_all(fd, line, (size_t)n);
	if (rc == 0)
		rc = receive_line(fd, ret_answer);
	if (rc < 0)
		fw_fail(err, rc, path + 5, 0, "the server ended before it answered");
done:
	if (fd >= 0)
		close(fd);
	return rc;
}

int fw_control_runs(const char *run, bool *ret, struct fw_error *err)
{
	struct fw_buf status;
	fw_buf_init(&status, 0);
	int rc = fw_control_ask(run, "status", &status, err);
	fw_buf_finish(&status);
	*ret = rc == 0;
	return rc == FW_ENOENT ? 0 : rc;
}
