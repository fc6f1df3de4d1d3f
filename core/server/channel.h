/* Messages between the processes, over a socketpair that keeps their bounds. One between the master and each loader, one
 * between the master and each worker's place; the far end's close is how a process learns of another's death. */
#ifndef FW_SERVER_CHANNEL_H
#define FW_SERVER_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "server/shared.h"

enum fw_tell {
	/* loader to master */
	FW_TELL_READY = 1, /* text: {"ruleSet","folder","rules","slots","plugins":[…],"notes":[…]} */
	FW_TELL_REFUSED,   /* text: a JSON array of errors; from a worker too: its plugins did not start */
	FW_TELL_FORKED,    /* slot, pid; with it comes the master's end of the worker's channel */
	FW_TELL_GONE,      /* slot, pid, value: as waitpid gives it */
	/* worker to master */
	FW_TELL_UP,        /* plugins have started */
	FW_TELL_BEAT,
	/* master to worker */
	FW_TELL_ACCEPT,
	FW_TELL_DRAIN,
	/* master to loader: start no worker again */
	FW_TELL_RETIRE,
	/* master to both */
	FW_TELL_REOPEN,
};

struct fw_told {
	uint32_t what; /* enum fw_tell */
	int32_t slot, pid, value;
	int fd; /* a descriptor that came with it, the reader's to close; or -1 */
	char text[FW_OUTCOME_BYTES]; /* terminated */
};

/* Two ends, non-blocking and close-on-exec. 0 or FW_EIO. */
int fw_channel_pair(int ret_ends[2]);
/* `text` may be NULL; what is too long is cut. 0, FW_EBUSY when the other end reads too slowly, FW_EIO when it is gone. */
int fw_channel_tell(int fd, enum fw_tell what, int slot, int pid, int value, const char *text);
/* FORKED, with the descriptor (which stays the caller's too). */
int fw_channel_tell_forked(int fd, int slot, int pid, int passed);
/* 1: a message; 0: none now; FW_EIO: the other end is closed. */
int fw_channel_read(int fd, struct fw_told *ret);
/* Waits for the other end to read: only for a message that must not be lost. */
int fw_channel_tell_all(int fd, enum fw_tell what, int slot, int pid, int value, const char *text);

#endif
