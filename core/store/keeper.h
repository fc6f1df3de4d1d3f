/* The keeper of an LMDB store: one process a node, and the only writer. It drains the batches of all workers, commits
 * them in groups, answers, publishes what changed; it grows the map and looks after readers that died. The master binds
 * its socket and starts it again when it dies; workers hand in anew what was not answered. */
#ifndef FW_STORE_KEEPER_H
#define FW_STORE_KEEPER_H

#include "store/store.h"

/* Takes the right to run keepers of this data, making the folder: it is held by this process until *ret_fd is closed, and goes with none
 * of its children. In a master, in a command that finds no daemon; before fw_keeper_bind, so that of two who come at once one waits for
 * the other's end. 0; FW_EBUSY after ten seconds, FW_EIO. */
int fw_keeper_host(const struct fw_store_options *options, int *ret_fd, struct fw_error *err);

/* Makes the data folder and its file if they are not there, checks that they can be used (format, lock: FW_EBUSY when
 * another keeper has it) and binds the socket (mode 0600). In the master, before its first fork; in a command that finds no
 * daemon. 0 and the listening socket (its fd is kept over the deaths of keepers), or the error with what to do. */
int fw_keeper_bind(const struct fw_store_options *options, int *ret_fd, struct fw_error *err);

/* Runs and exits the process. `listener` is what fw_keeper_bind gave; `beat`, if not -1, is written a byte at least once a
 * second, and its other end's close ends the keeper after the group in hand. Signals: TERM ends it likewise. */
_Noreturn void fw_keeper_run(const struct fw_store_options *options, int listener, int beat);

/* Takes a keeper's place without writing: until *ret_fd is closed nobody else keeps this data. FW_EBUSY: somebody does; FW_EIO: there is
 * no data. */
int fw_keeper_hold(const struct fw_store_options *options, int *ret_fd, struct fw_error *err);

/* Copies a consistent, compacted state into `to` (a folder that must not exist), while serving. */
int fw_keeper_backup(const struct fw_store_options *options, const char *to, struct fw_error *err);
/* Puts a backup in the place of the data. FW_EBUSY while a keeper runs. */
int fw_keeper_restore(const struct fw_store_options *options, const char *from, struct fw_error *err);
/* Reads every row and its checksum; `each` (may be NULL) sees each and may refuse it with a message. Counts into ret. 0: all is
 * well; FW_EINVAL: `err` tells of the first that is not, or that the file as a whole cannot be read (nothing is counted then). */
struct fw_store_check {
	uint64_t rows, bytes, damaged, refused;
};
int fw_keeper_check(const struct fw_store_options *options,
	int (*each)(void *ctx, uint32_t bucket, const struct fw_row *row, struct fw_error *err), void *ctx,
	struct fw_store_check *ret, struct fw_error *err);

#endif
