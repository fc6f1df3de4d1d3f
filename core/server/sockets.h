/* The listening sockets: bound by the master, or inherited from a supervisor; every process has them by fork. */
#ifndef FW_SERVER_SOCKETS_H
#define FW_SERVER_SOCKETS_H

#include "base/limits.h"
#include "server/config.h"

struct fw_sockets {
	int fds[FW_LIMIT_LISTENERS];
	struct fw_address addresses[FW_LIMIT_LISTENERS]; /* as bound: the real port where 0 was asked */
	unsigned n;
	bool inherited;
};

/* Inherited sockets take the place of `listen`. Refuses to listen beyond this machine without keys. 0, FW_EINVAL, FW_EIO;
 * after a failure nothing stays open. */
int fw_sockets_open(struct fw_sockets *s, const struct fw_config *config, struct fw_error *err);
/* Whether these sockets may be served with this configuration: 0 or FW_EINVAL. */
int fw_sockets_check(const struct fw_sockets *s, const struct fw_config *config, struct fw_error *err);
/* Closes them; `remove`: and removes Unix sockets that were bound here. */
void fw_sockets_close(struct fw_sockets *s, bool remove);
/* "http://127.0.0.1:8080 unix:/run/x.sock" into the buffer. */
void fw_sockets_text(const struct fw_sockets *s, struct fw_buf *out);

#endif
