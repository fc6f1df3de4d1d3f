/* Asking the running master, from another process: `floorwalker reload` and `status`. */
#ifndef FW_SERVER_CONTROL_H
#define FW_SERVER_CONTROL_H

#include "base/buf.h"
#include "base/error.h"

/* Sends {"command":COMMAND} to the control socket in the run folder and waits for the answer, a JSON object, however long
 * that takes. 0; FW_ENOENT when no master runs there; FW_EIO. */
int fw_control_ask(const char *run, const char *command, struct fw_buf *ret_answer, struct fw_error *err);
/* Whether one runs there. 0; FW_EIO: it does not say. */
int fw_control_runs(const char *run, bool *ret, struct fw_error *err);

#endif
