/* What a supervisor wants to know (sd_notify(3)), and its sockets (sd_listen_fds(3)); without libsystemd. */
#ifndef FW_SERVER_NOTIFY_H
#define FW_SERVER_NOTIFY_H

#include <stdint.h>

#include "base/error.h"

/* Sends "READY=1" or the like to $NOTIFY_SOCKET; nothing when there is none. */
void fw_notify(const char *state);

/* Half the period in which the supervisor wants WATCHDOG=1, in microseconds; 0: it does not. */
int64_t fw_notify_watchdog_us(void);

/* How many sockets were inherited, from descriptor 3 on; the variables that say so are removed. */
int fw_notify_inherited(void);

#endif
