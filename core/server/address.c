#include "server/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int parse_unix(struct fw_str path, const char *folder, struct fw_address *ret, struct fw_error *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const char *before = path.n > 0 && path.p[0] != '/' && folder ? folder : "";
	int n = snprintf(un.sun_path, sizeof un.sun_path, "%s%s%.*s", before, *before ? "/" : "", (int)path.n, path.p);
	if (path.n == 0 || n < 0 || (size_t)n >= sizeof un.sun_path)
		return fw_fail(err, FW_EINVAL, NULL, 0, "the path of a Unix socket has 1 to %zu bytes", sizeof un.sun_path - 1);
	memset(ret, 0, sizeof *ret);
	memcpy(&ret->socket, &un, sizeof un);
	ret->n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1);
	return 0;
}

static bool parse_port(const char *text, uint16_t *ret)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || port > 65535)
		return false;
	*ret = htons((uint16_t)port);
	return true;
}

static bool parse_host(const char *host, uint16_t port, struct fw_address *ret)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = port };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = port };
	memset(ret, 0, sizeof *ret);
	if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &in.sin_addr) == 1) {
		memcpy(&ret->socket, &in, sizeof in);
		ret->n = sizeof in;
		return true;
	}
	char inner[64];
	size_t n = strlen(host);
	if (n < 3 || n >= sizeof inner || host[0] != '[' || host[n - 1] != ']')
		return false;
	memcpy(inner, host + 1, n - 2);
	inner[n - 2] = 0;
	if (inet_pton(AF_INET6, inner, &in6.sin6_addr) != 1)
		return false;
	memcpy(&ret->socket, &in6, sizeof in6);
	ret->n = sizeof in6;
	return true;
}

int fw_address_parse(struct fw_str text, const char *folder, struct fw_address *ret, struct fw_error *err)
{
	char copy[128];
	if (text.n >= 5 && memcmp(text.p, "unix:", 5) == 0)
		return parse_unix((struct fw_str){ text.p + 5, text.n - 5 }, folder, ret, err);
	snprintf(copy, sizeof copy, "%.*s", (int)text.n, text.p);
	char *colon = strrchr(copy, ':');
	uint16_t port;
	struct fw_address parsed;
	if (text.n >= sizeof copy || !colon || !parse_port(colon + 1, &port))
		goto wrong;
	*colon = 0;
	if (!parse_host(copy, port, &parsed))
		goto wrong;
	*ret = parsed;
	return 0;
wrong:
	fw_fail(err, FW_EINVAL, NULL, 0, "\"%.*s\" is no address to listen on", (int)text.n, text.p);
	fw_hint(err, "write \"127.0.0.1:8080\", \"[::1]:8080\" or \"unix:/path\"");
	return FW_EINVAL;
}

const char *fw_address_text(const struct fw_address *a, char *buf)
{
	char host[INET6_ADDRSTRLEN];
	if (a->socket.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)&a->socket;
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
		snprintf(buf, FW_ADDRESS_TEXT, "http://%s:%u", host, ntohs(in->sin_port));
	} else if (a->socket.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)&a->socket;
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
		snprintf(buf, FW_ADDRESS_TEXT, "http://[%s]:%u", host, ntohs(in6->sin6_port));
	} else {
		const struct sockaddr_un *un = (const void *)&a->socket;
		snprintf(buf, FW_ADDRESS_TEXT, "unix:%s", a->n > sizeof un->sun_family ? un->sun_path : "");
	}
	return buf;
}

bool fw_address_loopback(const struct sockaddr *a)
{
	struct fw_ip ip;
	if (!fw_ip_of(a, &ip))
		return a->sa_family == AF_UNIX;
	return fw_ip_is_loopback(&ip);
}

/* Whether somebody answers on a Unix socket; if not, what a dead process left may be removed. */
static bool answers(const struct fw_address *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive = fd >= 0 && (connect(fd, (const struct sockaddr *)&a->socket, a->n) == 0 || errno != ECONNREFUSED);
	if (fd >= 0)
		close(fd);
	return alive;
}

static void remove_stale(const struct fw_address *a)
{
	const struct sockaddr_un *un = (const void *)&a->socket;
	struct stat st;
	if (stat(un->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) && !answers(a))
		unlink(un->sun_path);
}

int fw_address_listen(const struct fw_address *a, struct fw_error *err)
{
	char text[FW_ADDRESS_TEXT];
	int one = 1;
	int fd = socket(a->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		goto failed;
	if (a->socket.ss_family == AF_UNIX)
		remove_stale(a);
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (a->socket.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, (const struct sockaddr *)&a->socket, a->n) < 0 || listen(fd, SOMAXCONN) < 0)
		goto failed;
	return fd;
failed:
	fw_fail(err, FW_EIO, NULL, 0, "cannot listen on %s: %s", fw_address_text(a, text), strerror(errno));
	if (fd >= 0)
		close(fd);
	return FW_EIO;
}
