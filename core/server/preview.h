/* What a channel would send of a message, written down by its plugin and sent nowhere. For the command line: no daemon has a part in it. */
#ifndef FW_SERVER_PREVIEW_H
#define FW_SERVER_PREVIEW_H

#include "server/config.h"
#include "server/report.h"

enum { FW_PREVIEW_FILES = 8, FW_PREVIEW_NOTES = 16, FW_PREVIEW_ENDING = 8 };

/* The id of every message that is no message: as long as they are, and not one that could be. */
#define FW_PREVIEW_ID "preview0000000000000000000000000"

/* Texts in the arena. */
struct fw_preview {
	struct { const char *ending; struct fw_str bytes; } files[FW_PREVIEW_FILES];
	struct { const char *name, *value; } notes[FW_PREVIEW_NOTES];
	unsigned n_files, n_notes;
	bool refused; /* it would not be sent: the report says why */
};

struct fw_preview_ask {
	const char *channel;
	const char *to;
	struct fw_str json; /* what the channel is handed, see fw_compose_for_channel; terminated */
	int64_t now_us;     /* the time it is to be */
};

/* Opens the plugin that is the channel and has it write. 0: `ret` is filled, or it would not be sent; FW_ENOENT: the configuration has no
 * such channel; FW_EFAILED: its plugin cannot write one down; else it does not load, as the report says. */
int fw_preview_make(const struct fw_config *config, const struct fw_preview_ask *ask, struct fw_arena *arena, struct fw_preview *ret,
	struct fw_report *report);

#endif
