/* What whoever asks shows already: an answer, by its hash, and the places under caps that were taken for it. It is told as text, in event
 * ids, entity tags and `shown`, so that it survives a reload, and is not trusted: at worst somebody sees again what he has seen. */
#ifndef FW_SERVER_SHOWN_H
#define FW_SERVER_SHOWN_H

#include <stdbool.h>

#include "base/limits.h"
#include "base/str.h"
#include "decide/decide.h"

struct fw_shown {
	uint64_t hash; /* of the answer; 0: not known */
	unsigned n;
	struct fw_cap_place places[FW_LIMIT_SHOWN];
};

enum { FW_SHOWN_TEXT = 16 + FW_LIMIT_SHOWN * 30 + 1 };

/* A decision's id, which tells when places were taken for it, or the text of fw_shown_write. Adds to `shown`, and replaces its hash by one
 * that is told; of too many places the last are left out. False: it is neither, and nothing was added. */
bool fw_shown_read(struct fw_str text, struct fw_shown *shown);
/* Terminated; returns its length. */
size_t fw_shown_write(const struct fw_shown *shown, char text[FW_SHOWN_TEXT]);

#endif
