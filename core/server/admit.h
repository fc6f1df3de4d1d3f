/* Which limits a request is under: none with a secret key, none where no keys are configured. An address counts when it is a client's:
 * this machine's own is that of a proxy which is not listed in `proxies`, or of a test, and stands for everybody. */
#ifndef FW_SERVER_ADMIT_H
#define FW_SERVER_ADMIT_H

#include "server/request.h"

/* A request whose key was looked at. 0: it may go on; else how many seconds to wait. Counts those who must. */
unsigned fw_admit_request(struct fw_plugin_request *r);

/* The client's network, into `ip` and `ret`; false: its address does not count. */
bool fw_admit_client(const struct fw_plugin_request *r, struct fw_ip *ip, struct fw_str *ret);

/* Whether the request may bring somebody nobody has seen; `r` NULL: it is no client's. An id that was let in is taken for known. */
bool fw_admit_id(struct fw_plugin_request *r, struct fw_str id);
/* The same of one who certainly is new. */
bool fw_admit_new(struct fw_plugin_request *r);

#endif
