/* One keeper a data folder: a lock on the file keeper.lock in it, which goes with the process that has it. Only for
 * core/store/. */
#ifndef FW_STORE_KEEPER_LOCK_H
#define FW_STORE_KEEPER_LOCK_H

#include "base/error.h"

/* Takes it, waiting at most so long for the one who has it; it is held until the process ends or closes the descriptor. 0,
 * FW_EBUSY (`err` names the process), FW_EIO. A folder that is not there is made by nobody here: FW_EIO. */
int fw_keeper_lock(const char *folder, int wait_ms, int *ret_fd, struct fw_error *err);
/* The same for who runs keepers of the folder, on the file host.lock: a keeper is gone for a moment each time it dies. */
int fw_keeper_lock_host(const char *folder, int wait_ms, int *ret_fd, struct fw_error *err);
/* Waits until nobody has the first of them, without taking it. A folder that is not there is free. */
int fw_keeper_lock_wait(const char *folder, int wait_ms, struct fw_error *err);

#endif
