/* Socket addresses that are listened on. */
#ifndef FW_SERVER_ADDRESS_H
#define FW_SERVER_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/str.h"
#include "signal/ip.h"

enum { FW_ADDRESS_TEXT = 160 };

struct fw_address {
	struct sockaddr_storage socket;
	socklen_t n;
};

/* "127.0.0.1:8080", "[::1]:8080", "localhost:8080", "unix:/path". A path that does not begin with a slash is taken from
 * `folder` (NULL: as it is). 0 or FW_EINVAL; the error has no file. */
int fw_address_parse(struct fw_str text, const char *folder, struct fw_address *ret, struct fw_error *err);

/* "http://127.0.0.1:8080" or "unix:/path" into buf of FW_ADDRESS_TEXT; returns buf. */
const char *fw_address_text(const struct fw_address *a, char *buf);

/* Only this machine can reach it: 127.0.0.0/8, ::1 (mapped too), or a Unix socket. */
bool fw_address_loopback(const struct sockaddr *a);

/* A bound, listening, non-blocking, close-on-exec socket; a stale Unix socket is replaced, a live one is not. Returns the
 * descriptor or FW_EIO. */
int fw_address_listen(const struct fw_address *a, struct fw_error *err);

#endif
