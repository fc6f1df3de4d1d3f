/* What waits to be written: a ring of bytes between one thread that puts and one that takes. Neither ever waits for the other: who puts
 * is told that there is no room. */
#ifndef FW_TRACE_LOG_RING_H
#define FW_TRACE_LOG_RING_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/str.h"

struct fw_log_ring {
	char *memory;
	size_t size;
	_Atomic size_t put, taken; /* bytes ever, of which the place follows */
	size_t begun;              /* of what is being put */
};

/* 0 or FW_ENOMEM; finish either way. */
int fw_log_ring_init(struct fw_log_ring *r, size_t size);
void fw_log_ring_finish(struct fw_log_ring *r);

/* Room for an item of so many bytes, to be filled, and then handed over; NULL: there is none. */
char *fw_log_ring_begin(struct fw_log_ring *r, size_t n);
void fw_log_ring_end(struct fw_log_ring *r);
/* The oldest item, until it is given back. False: there is none. */
bool fw_log_ring_first(struct fw_log_ring *r, struct fw_str *ret);
void fw_log_ring_drop(struct fw_log_ring *r);

#endif
