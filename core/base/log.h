/* Logging: one JSON object a line, to stderr or a file. Whoever gives up logs, once; libraries log at debug only. */
#ifndef FW_BASE_LOG_H
#define FW_BASE_LOG_H

#include "base/error.h"

enum fw_log_level { FW_LOG_DEBUG, FW_LOG_INFO, FW_LOG_WARN, FW_LOG_ERROR };

/* The process' one sink. `path` NULL: stderr. Returns 0 or FW_EIO. */
int fw_log_open(const char *path, enum fw_log_level least, struct fw_error *err);
/* Opens the file again (SIGUSR1); the old one goes on if that fails. */
int fw_log_reopen(struct fw_error *err);
/* Who writes, a constant string: "master", "loader", "worker" … */
void fw_log_role(const char *role);

/* A line {"at":…,"level":…,"role":…,"pid":…,"msg":…}; `fields` are name, value pairs of strings ended by NULL,
 * or none at all: fw_log(FW_LOG_INFO, "listening", "address", text, NULL). */
void fw_log(enum fw_log_level level, const char *msg, ...) __attribute__((sentinel));
/* An error with its file, line and hint as fields. */
void fw_log_error(enum fw_log_level level, const char *msg, const struct fw_error *err);

#endif
