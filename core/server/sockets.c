#include "server/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/notify.h"

static int take_inherited(struct fw_sockets *s, int n, struct fw_error *err)
{
	if (n > FW_LIMIT_LISTENERS)
		return fw_fail(err, FW_EINVAL, NULL, 0, "%d sockets were inherited; %d are allowed", n, FW_LIMIT_LISTENERS);
	for (int i = 0; i < n; i++) {
		int fd = 3 + i, listening = 0;
		socklen_t size = sizeof listening;
		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0 || !listening)
			return fw_fail(err, FW_EINVAL, NULL, 0, "the inherited descriptor %d is no listening socket", fd);
		fcntl(fd, F_SETFL, O_NONBLOCK);
		s->fds[s->n++] = fd;
	}
	s->inherited = true;
	return 0;
}

/* Without keys nobody but this machine may be listened to. */
static int check(const struct fw_config *config, const struct fw_address *a, struct fw_error *err)
{
	char text[FW_ADDRESS_TEXT];
	if (fw_config_has_keys(config) || fw_address_loopback((const struct sockaddr *)&a->socket))
		return 0;
	fw_fail(err, FW_EINVAL, config->file, 0, "listening on %s without keys is refused", fw_address_text(a, text));
	fw_hint(err, "set keys = { secret = { … } }, or listen on 127.0.0.1");
	return FW_EINVAL;
}

static int bind_all(struct fw_sockets *s, const struct fw_config *config, struct fw_error *err)
{
	int rc = 0;
	for (unsigned i = 0; i < config->n_listen && rc == 0; i++)
		rc = check(config, &config->listen[i], err);
	for (unsigned i = 0; i < config->n_listen && rc == 0; i++) {
		int fd = fw_address_listen(&config->listen[i], err);
		if (fd < 0)
			return fd;
		s->fds[s->n++] = fd;
		/* Who may ask is a matter of keys, on a Unix socket as on 127.0.0.1. */
		const struct sockaddr_un *un = (const void *)&config->listen[i].socket;
		if (un->sun_family == AF_UNIX && chmod(un->sun_path, 0666) < 0)
			return fw_fail(err, FW_EIO, un->sun_path, 0, "cannot be opened to others: %s", strerror(errno));
	}
	return rc;
}

static int name_all(struct fw_sockets *s, const struct fw_config *config, struct fw_error *err)
{
	for (unsigned i = 0; i < s->n; i++) {
		struct fw_address *a = &s->addresses[i];
		a->n = sizeof a->socket;
		if (getsockname(s->fds[i], (struct sockaddr *)&a->socket, &a->n) < 0)
			return fw_fail(err, FW_EIO, NULL, 0, "a socket has no address: %s", strerror(errno));
	}
	return fw_sockets_check(s, config, err);
}

int fw_sockets_check(const struct fw_sockets *s, const struct fw_config *config, struct fw_error *err)
{
	int rc = 0;
	for (unsigned i = 0; i < s->n && rc == 0; i++)
		rc = check(config, &s->addresses[i], err);
	return rc;
}

int fw_sockets_open(struct fw_sockets *s, const struct fw_config *config, struct fw_error *err)
{
	int inherited = fw_notify_inherited();
	*s = (struct fw_sockets){ .n = 0 };
	int rc = inherited ? take_inherited(s, inherited, err) : bind_all(s, config, err);
	if (rc == 0)
		rc = name_all(s, config, err);
	if (rc < 0)
		fw_sockets_close(s, true);
	return rc;
}

void fw_sockets_close(struct fw_sockets *s, bool remove)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct sockaddr_un *un = (const void *)&s->addresses[i].socket;
		close(s->fds[i]);
		if (remove && !s->inherited && un->sun_family == AF_UNIX && un->sun_path[0])
			unlink(un->sun_path);
	}
	s->n = 0;
}

void fw_sockets_text(const struct fw_sockets *s, struct fw_buf *out)
{
	char text[FW_ADDRESS_TEXT];
	for (unsigned i = 0; i < s->n; i++) {
		fw_buf_puts(out, i ? " " : "");
		fw_buf_puts(out, fw_address_text(&s->addresses[i], text));
	}
}
