/* Rules that a node sets aside, told to the others: several nodes on one store answer alike. A node tells of each in a row of the store,
 * and looks for those of others every second; a row whose minute is over is dropped by whoever sees it.
 *
 *   'R' hash(32) rule(4)   in the bucket of the rule set's hash (hexadecimal): until when (8 bytes, microseconds); rule: its place in
 *                          the set, which is the same wherever the files are */
#ifndef FW_SERVER_ASIDE_H
#define FW_SERVER_ASIDE_H

#include "server/engine.h"

struct event_base;
struct fw_aside;
struct fw_store;

/* Begins to look and to tell; `page` is the worker's. NULL: no memory. */
struct fw_aside *fw_aside_create(const struct fw_engine *engine, const struct fw_slot_page *page, struct fw_store *store,
	struct event_base *base);
/* Once the store is closed, or nothing is under way. NULL is fine. */
void fw_aside_destroy(struct fw_aside *a);

#endif
